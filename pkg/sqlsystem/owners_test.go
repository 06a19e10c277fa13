package sqlsystem

import (
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// TestSomebodyElsesByNow: a planned row that leads to somebody else by now, in whatever
// way, is left, told, and proven not to be the person's; one of which only what led to its
// person is gone is erased.
func TestSomebodyElsesByNow(t *testing.T) {
	t.Parallel()
	const people = `CREATE TABLE accounts (id INTEGER PRIMARY KEY, email TEXT); INSERT INTO accounts VALUES (1, 'ann@example.com'), (2, 'bob@example.com'), (3, 'ann@example.com');`
	for name, c := range map[string]struct {
		schema, dataset string
		move            string // has row 10 be Bob's
		lose            string // takes away what leads to Ann from row 11
	}{
		"a way of its own": {
			`CREATE TABLE things (id INTEGER PRIMARY KEY, account_id INTEGER); INSERT INTO things VALUES (10, 1), (11, 3), (12, 2)`,
			"ways: [{via: [{table: accounts, on: {account_id: id}}], subject: {email: accounts.email}}]",
			"UPDATE things SET account_id = 2 WHERE id = 10", "DELETE FROM accounts WHERE id = 3",
		},
		"the account itself": {
			`CREATE TABLE things (id INTEGER PRIMARY KEY, account_id INTEGER); INSERT INTO things VALUES (10, 1), (11, 3), (12, 2)`,
			"ways: [{via: [{table: accounts, on: {account_id: id}}], subject: {email: accounts.email}}]",
			"UPDATE accounts SET email = 'bob@example.com' WHERE id = 1", "DELETE FROM accounts WHERE id = 3",
		},
		"many holders": {
			`CREATE TABLE holders (thing_id INTEGER, account_id INTEGER, PRIMARY KEY (thing_id, account_id)); CREATE TABLE things (id INTEGER PRIMARY KEY); INSERT INTO things VALUES (10), (11), (12); INSERT INTO holders VALUES (10, 1), (11, 3), (12, 2)`,
			"via: [{table: holders, on: {id: thing_id}}, {table: accounts, on: {account_id: id}, from: holders}], subject: {email: accounts.email}",
			"UPDATE holders SET account_id = 2 WHERE thing_id = 10", "DELETE FROM holders WHERE thing_id = 11",
		},
		"elements of JSON": {
			`CREATE TABLE things (id INTEGER PRIMARY KEY, doc TEXT); INSERT INTO things VALUES (10, '{"people":["ann@example.com"]}'), (11, '{"people":["ann@example.com"]}'), (12, '{"people":["bob@example.com"]}')`,
			`subject: {email: "doc->people[]"}`,
			`UPDATE things SET doc = '{"people":["bob@example.com","carl@example.com"]}' WHERE id = 10`, `UPDATE things SET doc = '{"people":[]}' WHERE id = 11`,
		},
		"an empty text": {
			`CREATE TABLE things (id INTEGER PRIMARY KEY, email TEXT); INSERT INTO things VALUES (10, 'ann@example.com'), (11, 'ann@example.com'), (12, 'bob@example.com')`,
			"subject: {email: email}",
			"UPDATE things SET email = 'bob@example.com' WHERE id = 10", "UPDATE things SET email = '' WHERE id = 11",
		},
		"a blank": {
			`CREATE TABLE things (id INTEGER PRIMARY KEY, email TEXT); INSERT INTO things VALUES (10, 'ann@example.com'), (11, 'ann@example.com'), (12, 'bob@example.com')`,
			"subject: {email: email}",
			"UPDATE things SET email = 'bob@example.com' WHERE id = 10", "UPDATE things SET email = ' \u00a0' WHERE id = 11",
		},
		"a type that the job doesn't know": {
			`CREATE TABLE things (id INTEGER PRIMARY KEY, email TEXT, user_id INTEGER); INSERT INTO things VALUES (10, 'ann@example.com', NULL), (11, 'ann@example.com', NULL), (12, NULL, 2)`,
			"subject: {email: email, user: user_id}",
			"UPDATE things SET email = NULL, user_id = 2 WHERE id = 10", "UPDATE things SET email = NULL WHERE id = 11",
		},
		"a way under a condition": {
			`CREATE TABLE things (id INTEGER PRIMARY KEY, kind TEXT, account_id INTEGER); INSERT INTO things VALUES (10, 'User', 1), (11, 'User', 3), (12, 'User', 2)`,
			"ways: [{via: [{table: accounts, on: {account_id: id}}], subject: {email: accounts.email}, where: {kind: User}}]",
			"UPDATE things SET account_id = 2 WHERE id = 10", "UPDATE things SET kind = 'Team', account_id = 2 WHERE id = 11",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			everyDatabase(t, people+c.schema, func(t *testing.T, d database) {
				s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email, user]\nsql: {}", "things | table: things, key: [id], "+c.dataset+", erase: delete"))
				ann := ids("email ann@example.com")
				jobs := jobsOf(dsar.Erasure, ann)
				if err := s.planAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
					t.Fatal(err, jobs[0].Err)
				}
				if n := jobs[0].plan.Counts(); len(n) != 1 || n[0].Found != 2 {
					t.Fatalf("planned %+v", n)
				}
				later := func() []*counted {
					j := jobsOf(dsar.Erasure, nil)
					j[0].ByKeys, j[0].Owner, j[0].plan = true, ann, jobs[0].plan
					return j
				}
				d.run(t, c.move, c.lose)
				proof := later()
				if err := s.countAll(t.Context(), proof); err != nil || foundIn(proof[0].Counts) != 0 || len(proof[0].Counts) != 1 || proof[0].Counts[0].Uncovered != worker.Unclaimed {
					t.Fatalf("%v: found %+v", err, proof[0].Counts)
				}
				if err := s.eraseByPlan(t.Context(), jobs); err != nil || jobs[0].Err != nil {
					t.Fatal(err, jobs[0].Err)
				}
				if n := jobs[0].Counts[0]; n.Erased != 1 || n.Gone != 0 || n.Uncovered == "" {
					t.Errorf("counted %+v", n)
				}
				again := later()
				if err := s.eraseByPlan(t.Context(), again); err != nil || again[0].Err != nil {
					t.Fatal(err, again[0].Err)
				}
				if n := again[0].Counts[0]; n.Gone != 2 || n.Found != 0 {
					t.Errorf("again counted %+v", n)
				}
				if left := d.column(t, "SELECT id FROM things ORDER BY id"); !slices.Equal(left, []string{"10", "12"}) {
					t.Errorf("%v are left", left)
				}
			})
		})
	}
}

// TestWhatLedIsGone: of a row with several ways, one of which leads to somebody else as it
// always did, and another broke off since its lead went first, a fresh erasure takes it,
// and long after, where the number may have been given anew, nobody does.
func TestWhatLedIsGone(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); CREATE TABLE messages (id INTEGER PRIMARY KEY, sender INTEGER, recipient INTEGER);
		INSERT INTO users VALUES (1, 'ann@example.com'), (2, 'bob@example.com'); INSERT INTO messages VALUES (10, 1, 2), (11, 2, NULL)`
	everyDatabase(t, schema, func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}",
			"messages | table: messages, key: [id], ways: [{via: [{table: users, on: {sender: id}}], subject: {email: users.email}}, {via: [{table: users, on: {recipient: id}}], subject: {email: users.email}}], erase: delete"))
		ann := ids("email ann@example.com")
		jobs := jobsOf(dsar.Erasure, ann)
		if err := s.planAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		d.run(t, "DELETE FROM users WHERE id = 1")
		if err := s.eraseByPlan(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		if left := d.column(t, "SELECT id FROM messages"); !slices.Equal(left, []string{"11"}) {
			t.Errorf("%v are left: %s", left, outcomes(jobs[0].Counts))
		}
		d.run(t, "INSERT INTO messages VALUES (10, 7, 2)")
		later := jobsOf(dsar.Erasure, nil)
		later[0].ByKeys, later[0].Owner, later[0].plan = true, ann, jobs[0].plan
		if err := s.eraseByPlan(t.Context(), later); err != nil || later[0].Err != nil {
			t.Fatal(err, later[0].Err)
		}
		if left := d.column(t, "SELECT id FROM messages ORDER BY id"); !slices.Equal(left, []string{"10", "11"}) {
			t.Errorf("later %v are left: %s", left, outcomes(later[0].Counts))
		}
	})
}

// TestTakenOutByAKey: a row from which a foreign key took its person's number is the
// person's, though it has a number of a type that the job doesn't know.
func TestTakenOutByAKey(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE users (id INTEGER PRIMARY KEY); CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER, ticket INTEGER, FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL);
		INSERT INTO users VALUES (1), (2); INSERT INTO notes VALUES (10, 1, 7), (11, 2, 8)`
	everyDatabase(t, schema, func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [user, ticket]\nsql: {}", "notes | table: notes, key: [id], subject: {user: user_id, ticket: ticket}, erase: delete"))
		jobs := jobsOf(dsar.Erasure, ids("user 1"))
		if err := s.planAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		d.run(t, "DELETE FROM users WHERE id = 1")
		if err := s.eraseByPlan(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		if left := d.column(t, "SELECT id FROM notes"); !slices.Equal(left, []string{"11"}) {
			t.Errorf("%v are left: %s", left, outcomes(jobs[0].Counts))
		}
	})
}

// TestKeptForSeveral: a row that must stay, and that several people led to, is told and
// proven to stay for each of them, also when another system erased what led to the one; it
// is the others' when its time is over.
func TestKeptForSeveral(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE parties (id INTEGER PRIMARY KEY, contract_id INTEGER, email TEXT); CREATE TABLE contracts (id INTEGER PRIMARY KEY, signed DATE);
		INSERT INTO contracts VALUES (10, '2026-01-01'); INSERT INTO parties VALUES (1, 10, 'ann@example.com'), (2, 10, 'bob@example.com')`
	everyDatabase(t, schema, func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}",
			`contracts | table: contracts, key: [id], via: [{table: parties, on: {id: contract_id}}], subject: {email: parties.email}, erase: delete | id signed:date | retention: [{ground: tax, source: law, title: {en: Tax}, column: signed, period: P10Y}]`))
		ann := ids("email ann@example.com")
		jobs := jobsOf(dsar.Erasure, ann)
		if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		const kept = "contracts found 1 erased 0 anonymised 0 gone 0 late 0 kept 1 tax"
		if got, want := outcomes(jobs[0].Counts), kept; got != want {
			t.Errorf("erased %s, want %s", got, want)
		}
		d.run(t, "DELETE FROM parties WHERE id = 1")
		later := func() []*counted {
			j := jobsOf(dsar.Erasure, nil)
			j[0].ByKeys, j[0].Owner, j[0].plan = true, ann, jobs[0].plan
			return j
		}
		jobs[0].Counts = nil
		for _, proof := range [][]*counted{jobs, later()} {
			if err := s.countAll(t.Context(), proof); err != nil || outcomes(proof[0].Counts) != kept {
				t.Errorf("found %s, %v", outcomes(proof[0].Counts), err)
			}
		}
		d.run(t, "UPDATE contracts SET signed = '1999-01-01'")
		again := later()
		if err := s.eraseByPlan(t.Context(), again); err != nil || again[0].Err != nil {
			t.Fatal(err, again[0].Err)
		}
		if left := d.column(t, "SELECT id FROM contracts"); len(left) != 1 {
			t.Errorf("%v are left: %s", left, outcomes(again[0].Counts))
		}
	})
}

// TestJoinsAreExact: by a collation that takes two logins for one, no row is another's, and
// an address that only the other's row refers to isn't shared.
func TestJoinsAreExact(t *testing.T) {
	t.Parallel()
	d := postgresDB(t, `CREATE COLLATION ci (provider=icu, locale='und-u-ks-level2', deterministic=false);
		CREATE TABLE users (login TEXT PRIMARY KEY, email TEXT); CREATE TABLE notes (id INTEGER PRIMARY KEY, login TEXT COLLATE ci); CREATE TABLE places (login TEXT PRIMARY KEY, owner TEXT);
		INSERT INTO users VALUES ('emile', 'ann@example.com'), ('EMILE', 'bob@example.com'); INSERT INTO notes VALUES (1, 'emile'), (2, 'EMILE'), (3, 'lena'); INSERT INTO places VALUES ('LENA', 'ann@example.com'), ('lena', 'ann@example.com')`)
	s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}",
		"notes | table: notes, key: [id], via: [{table: users, on: {login: login}}], subject: {email: users.email}, erase: delete",
		"places | table: places, key: [login], subject: {email: owner}, unless_shared: [{table: notes, on: {login: login}}], erase: delete | login"))
	got := gatherAll(t, s, ids("email ann@example.com"), ids("email bob@example.com"))
	for i, want := range []string{"notes 1", "notes 2"} {
		if len(got[i]) == 0 || keyOf(got[i][0]) != want || slices.ContainsFunc(got[i][1:], func(r string) bool { return strings.HasPrefix(keyOf(r), "notes") }) {
			t.Errorf("gathered %v, want %s", got[i], want)
		}
	}
	jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
	if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
		t.Fatal(err, jobs[0].Err)
	}
	if notes, places := d.column(t, "SELECT id FROM notes ORDER BY id"), d.column(t, "SELECT login FROM places"); !slices.Equal(notes, []string{"2", "3"}) || !slices.Equal(places, []string{"lena"}) {
		t.Errorf("notes %v, places %v are left", notes, places)
	}
}

// TestColumnsAreExact: a column whose collation takes several people's identifiers for one
// finds each of them, alone and together, and nobody is in the way of the other.
func TestColumnsAreExact(t *testing.T) {
	t.Parallel()
	d := postgresDB(t, `CREATE COLLATION ci (provider=icu, locale='und-u-ks-level1', deterministic=false);
		CREATE TABLE users (id INTEGER PRIMARY KEY, login TEXT COLLATE ci, email TEXT COLLATE ci);
		INSERT INTO users VALUES (1, 'emile', 'emile@example.com'), (2, 'émile', 'émile@example.com'), (3, 'EMILE', 'E.mile@example.com'), (4, 'bob', 'bob@example.com')`)
	s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [login, email]\nsql: {}", "users | table: users, key: [id], subject: {login: login, email: email}, erase: delete"))
	all := [][]worker.Identifier{ids("login emile"), ids("login émile"), ids("login bob"), ids("email Emile@example.com"), ids("email Émile@example.com")}
	want := []string{"users 1", "users 2", "users 4", "users 1", "users 2"}
	for i, got := range gatherAll(t, s, all...) {
		if len(got) != 1 || keyOf(got[0]) != want[i] {
			t.Errorf("%s: %v", all[i][0].Value, got)
		}
		if got = gatherAll(t, s, all[i])[0]; len(got) != 1 || keyOf(got[0]) != want[i] {
			t.Errorf("%s alone: %v", all[i][0].Value, got)
		}
	}
}
