package sqlsystem

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// foundHere returns identifiers as they are told of which the last was found here.
func foundHere(of ...string) []worker.Identifier {
	all := ids(of...)
	all[len(all)-1].FoundHere = true
	return all
}

// numberedUsers is a system whose number of a person is that of their row.
func numberedUsers(t testing.TB, d database, users string) *System {
	return open(t, d, small(t, "abilities: [resolve, gather, erase, restrict]\nneeds: [email, member_no]\nfinds: [member_no]\nsql: {resolve: [{find: member_no, table: users, column: id, by: {email: email}}]}",
		"users | table: users, key: [id], subject: {email: email, member_no: id}, "+users,
		"notes | table: notes, key: [id], subject: {member_no: user_id}, erase: delete, restrict: [{column: locked, value: 1}]"))
}

const numberedUsersSchema = `CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(100)); CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER, locked INTEGER);
	INSERT INTO users VALUES (1, 'zoe@example.com'), (2, 'ann@example.com'); INSERT INTO notes VALUES (5, 2, 0), (6, 1, 0)`

// TestNumberGivenAnew: a number that was found for a person is somebody else's when the
// person's row is gone and the number was given anew: neither the proof, soon or later, nor
// an erasure that is tried again, nor another plan, has the other's records.
func TestNumberGivenAnew(t *testing.T) {
	t.Parallel()
	everyDatabase(t, numberedUsersSchema, func(t *testing.T, d database) {
		s := numberedUsers(t, d, "erase: delete")
		ann := foundHere("email ann@example.com", "small.member_no 2")
		jobs := jobsOf(dsar.Erasure, ann)
		if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		if got, want := outcomes(jobs[0].Counts), "notes found 1 erased 1 anonymised 0 gone 0 late 0; users found 1 erased 1 anonymised 0 gone 0 late 0"; got != want {
			t.Errorf("erased %s", got)
		}
		// Bob gets Ann's number, and her note's.
		d.run(t, "INSERT INTO users VALUES (2, 'bob@example.com')", "INSERT INTO notes VALUES (5, 2, 0), (7, 2, 0)")
		later := jobsOf(dsar.Erasure, nil)
		later[0].ByKeys, later[0].Owner, later[0].plan = true, ann, jobs[0].plan
		for name, proof := range map[string][]*counted{"soon": jobs, "later": later} {
			proof[0].Counts = nil
			if err := s.countAll(t.Context(), proof); err != nil || foundIn(proof[0].Counts) != 0 {
				t.Errorf("%s: found %s, %v", name, outcomes(proof[0].Counts), err)
			}
			if err := s.Recheck(t.Context(), []*worker.EraseJob{{Job: *proof[0].Job, Plan: jobs[0].plan}}, func(_ int, e worker.Entry) error {
				t.Errorf("%s: rechecked %s %s", name, e.Dataset, e.Key)
				return nil
			}); err != nil {
				t.Error(err)
			}
			proof[0].Counts = nil
			if err := s.eraseByPlan(t.Context(), proof); err != nil || proof[0].Err != nil {
				t.Error(err, proof[0].Err)
			}
		}
		anew := jobsOf(dsar.Erasure, ann)
		if err := s.planAll(t.Context(), anew); err != nil || anew[0].Err != nil || foundIn(anew[0].plan.Counts()) != 0 {
			t.Errorf("planned %+v, %v", anew[0].plan.Counts(), err)
		}
		if users, notes := d.column(t, "SELECT id FROM users ORDER BY id"), d.column(t, "SELECT id FROM notes ORDER BY id"); !slices.Equal(users, []string{"1", "2"}) || !slices.Equal(notes, []string{"5", "6", "7"}) {
			t.Errorf("users %v, notes %v are left", users, notes)
		}
	})
}

// TestStrangersAreNotKept: of a number that any number of strangers have, no more is kept in
// memory than that it isn't the person's alone.
func TestStrangersAreNotKept(t *testing.T) {
	t.Parallel()
	everyDatabase(t, "CREATE TABLE users (id INTEGER PRIMARY KEY, number INTEGER, email VARCHAR(100))", func(t *testing.T, d database) {
		for i := range 100 {
			d.insert(t, "users", i, 7, fmt.Sprintf("stranger-%d@example.com", i))
		}
		for i, mail := range []string{"ann@example.com", "ANN@example.com", "ann@EXAMPLE.com "} {
			d.insert(t, "users", 200+i, 7, mail)
		}
		s := open(t, d, small(t, "abilities: [resolve, gather, erase]\nneeds: [email, member_no]\nfinds: [member_no]\nsql: {resolve: [{find: member_no, table: users, column: number, by: {email: email}}]}",
			"users | table: users, key: [id], subject: {email: email, member_no: number}, erase: delete"))
		own := foundHere("small.member_no 7")
		tasks := []*worker.Task{{Identifiers: append(ids("email ann@example.com"), own...)}}
		held, err := s.companions(t.Context(), s.db, tasks, []*worker.Task{{Identifiers: own}})
		if err != nil || len(held) != 2 {
			t.Errorf("%d are kept, %v", len(held), err)
		}
		if moved := ofOthers(held); len(moved) != 1 || moved[0].id != own[0] {
			t.Errorf("%d moved", len(moved))
		}
	})
}

// TestWhatMovedIsNamed: what a number finds that is somebody else's by now is left out, and
// named: the person may have another address meanwhile.
func TestWhatMovedIsNamed(t *testing.T) {
	t.Parallel()
	everyDatabase(t, numberedUsersSchema, func(t *testing.T, d database) {
		s := numberedUsers(t, d, "erase: delete")
		d.run(t, "UPDATE users SET email = 'bob@example.com' WHERE id = 2")
		ann, bob := foundHere("email ann@example.com", "small.member_no 2"), foundHere("email bob@example.com", "small.member_no 2")
		got := gatherAll(t, s, ann, bob)
		if len(got[0]) != 2 || !strings.HasPrefix(got[0][0], "users: a member_no") || !strings.Contains(got[0][1], "notes: a member_no that was found for the person leads to somebody else by now") {
			t.Errorf("gathered %v", got[0])
		}
		if len(got[1]) != 2 {
			t.Errorf("gathered of who has it %v", got[1])
		}
		plans := []*worker.PlanJob{{Job: worker.Job{Task: worker.Task{Identifiers: ann}}, Plan: worker.NewPlanWriter(s.m)}}
		if err := s.Plan(t.Context(), plans); err != nil {
			t.Fatal(err)
		}
		if c := plans[0].Plan.Counts(); len(c) != 2 || foundIn(c) != 0 || c[1].Dataset != "notes" || c[1].Uncovered == "" || c[1].Cause == nil || c[1].Cause.Table != "users" {
			t.Errorf("planned %+v", c)
		}
		restricted := jobsOf(dsar.Restriction, ann)
		if err := s.restrictAll(t.Context(), restricted); err != nil {
			t.Fatal(err)
		}
		if c := restricted[0].Counts; len(c) != 1 || c[0].Restricted != 0 || c[0].Uncovered == "" {
			t.Errorf("restricted %+v", c)
		}
		if got := d.column(t, "SELECT id FROM notes WHERE locked = 1"); len(got) != 0 {
			t.Errorf("%v are restricted", got)
		}
		resolved := []*worker.ResolveJob{{Job: worker.Job{Task: worker.Task{Identifiers: ann}}}}
		if err := s.Resolve(t.Context(), resolved); err != nil || len(resolved[0].Found) != 0 {
			t.Errorf("found %v, %v", resolved[0].Found, err)
		}
	})
}

// TestNumberOfNobodyElse: a number whose row is gone, or is as an erasure made it, finds
// what is left of its person, also what came after the erasure.
func TestNumberOfNobodyElse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ users, lose string }{
		"gone":         {"erase: delete", "DELETE FROM users WHERE id = 2"},
		"a constant":   {"erase: anonymise, anonymise: {email: nobody}", "UPDATE users SET email = 'nobody' WHERE id = 2"},
		"null":         {"erase: anonymise, anonymise: {email: null}", "UPDATE users SET email = NULL WHERE id = 2"},
		"still theirs": {"erase: delete", "UPDATE users SET email = 'ANN@example.com' WHERE id = 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			everyDatabase(t, numberedUsersSchema, func(t *testing.T, d database) {
				s := numberedUsers(t, d, c.users)
				d.run(t, c.lose)
				jobs := jobsOf(dsar.Erasure, foundHere("email ann@example.com", "small.member_no 2"))
				if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
					t.Fatal(err, jobs[0].Err)
				}
				d.run(t, "INSERT INTO notes VALUES (9, 2, 0)")
				jobs[0].Counts = nil
				if err := s.countAll(t.Context(), jobs); err != nil || foundIn(jobs[0].Counts) != 1 {
					t.Errorf("found %s, %v", outcomes(jobs[0].Counts), err)
				}
				if notes := d.column(t, "SELECT id FROM notes ORDER BY id"); !slices.Equal(notes, []string{"6", "9"}) {
					t.Errorf("notes %v are left", notes)
				}
			})
		})
	}
}

// TestChainOfNumbers: a number that was found by another, which is nobody else's, is the
// person's as long as that is: what the law kept of them is theirs also when the row is gone
// that their address led to.
func TestChainOfNumbers(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(100)); CREATE TABLE bills (id INTEGER PRIMARY KEY, user_id INTEGER); CREATE TABLE lines_of (id INTEGER PRIMARY KEY, bill_id INTEGER);
		INSERT INTO users VALUES (1, 'zoe@example.com'), (2, 'ann@example.com'); INSERT INTO bills VALUES (10, 1), (20, 2); INSERT INTO lines_of VALUES (100, 10), (200, 20)`
	ann := ids("email ann@example.com", "small.member_no 2", "small.bill_no 20")
	ann[1].FoundHere, ann[2].FoundHere = true, true
	everyDatabase(t, schema, func(t *testing.T, d database) {
		// As erased is with the bill kept, and retention's end then by the keys of both.
		s := open(t, d, small(t, "abilities: [resolve, gather, erase]\nneeds: [email, member_no, bill_no]\nfinds: [member_no, bill_no]\nsql: {resolve: [{find: member_no, table: users, column: id, by: {email: email}}, {find: bill_no, table: bills, column: id, by: {member_no: user_id}}]}",
			"users | table: users, key: [id], subject: {email: email, member_no: id}, erase: delete",
			"bills | table: bills, key: [id], subject: {member_no: user_id}, erase: delete",
			"lines | table: lines_of, key: [id], subject: {bill_no: bill_id}, erase: delete"))
		planned := jobsOf(dsar.Erasure, ann)
		if err := s.planAll(t.Context(), planned); err != nil || foundIn(planned[0].plan.Counts()) != 3 {
			t.Fatalf("planned %+v, %v", planned[0].plan.Counts(), err)
		}
		byKeys := func() []*counted {
			j := jobsOf(dsar.Erasure, nil)
			j[0].ByKeys, j[0].Owner, j[0].plan = true, ann, planned[0].plan
			return j
		}
		proves := func(when string, want string) {
			t.Helper()
			for name, proof := range map[string][]*counted{"by identifiers": jobsOf(dsar.Erasure, ann), "by keys": byKeys()} {
				if err := s.countAll(t.Context(), proof); err != nil || foundOf(proof[0].Counts) != want {
					t.Errorf("%s, %s: found %s, not %s, %v", when, name, foundOf(proof[0].Counts), want, err)
				}
			}
		}
		d.run(t, "DELETE FROM users WHERE id = 2")
		proves("without the user", "bills 1 lines 1")
		d.run(t, "INSERT INTO users VALUES (2, 'bob@example.com')")
		proves("with the user's number given anew", "")
		d.run(t, "DELETE FROM users WHERE id = 2", "UPDATE bills SET user_id = 1 WHERE id = 20")
		proves("with the bill's number given anew", "")
		d.run(t, "UPDATE bills SET user_id = 2 WHERE id = 20")
		for name, erasure := range map[string][]*counted{"by keys": byKeys(), "by the plan": {{Job: &worker.Job{Task: worker.Task{Right: dsar.Erasure, Identifiers: ann}}, plan: planned[0].plan}}} {
			if err := s.eraseByPlan(t.Context(), erasure); err != nil || erasure[0].Err != nil {
				t.Fatal(name, err, erasure[0].Err)
			}
			if got, want := outcomes(erasure[0].Counts), "bills found 1 erased 1 anonymised 0 gone 0 late 0; lines found 1 erased 1 anonymised 0 gone 0 late 0; users found 0 erased 0 anonymised 0 gone 1 late 0"; got != want {
				t.Errorf("%s: %s, not %s", name, got, want)
			}
			if left := d.column(t, "SELECT id FROM lines_of ORDER BY id"); !slices.Equal(left, []string{"100"}) {
				t.Errorf("%s: lines %v are left", name, left)
			}
			d.run(t, "INSERT INTO bills VALUES (20, 2)", "INSERT INTO lines_of VALUES (200, 20)")
		}
	})
}

// foundOf returns how many records of which datasets were found, in their order.
func foundOf(counts []dsar.Counts) string {
	var out []string
	for _, c := range counts {
		if c.Found > 0 {
			out = append(out, fmt.Sprintf("%s %d", c.Dataset, c.Found))
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}
