package sqlsystem

import (
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// TestByKeys: long after an erasure, what came back under the plan's keys is found and
// erased; neither what the person has anew nor somebody else's row that was given such a
// key.
func TestByKeys(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER);
		INSERT INTO users VALUES (1, 'ann@example.com'), (2, 'bob@example.com'); INSERT INTO notes VALUES (10, 1), (11, 1), (12, 2)`
	everyDatabase(t, schema, func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email, user]\nsql: {}",
			"users | table: users, key: [id], subject: {email: email, user: id}, erase: delete",
			"notes | table: notes, key: [id], subject: {user: user_id}, erase: delete"))
		ann := ids("email ann@example.com", "user 1")
		jobs := jobsOf(dsar.Erasure, ann)
		if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		// A backup brings one note back, the other's number goes to Bob, and Ann is a
		// customer anew.
		for _, stmt := range []string{"INSERT INTO notes VALUES (10, 1), (11, 2)", "INSERT INTO users VALUES (7, 'ann@example.com')"} {
			if _, err := d.Exec(stmt); err != nil {
				t.Fatal(err)
			}
		}
		later := func() []*counted {
			j := jobsOf(dsar.Erasure, nil)
			j[0].ByKeys, j[0].Owner, j[0].plan = true, ann, jobs[0].plan
			return j
		}
		proof := later()
		if err := s.countAll(t.Context(), proof); err != nil || len(proof[0].Counts) != 1 || proof[0].Counts[0].Dataset != "notes" || proof[0].Counts[0].Found != 1 {
			t.Fatalf("%v: found %+v", err, proof[0].Counts)
		}
		again := later()
		if err := s.eraseByPlan(t.Context(), again); err != nil || again[0].Err != nil {
			t.Fatal(err, again[0].Err)
		}
		if users, notes := d.column(t, "SELECT id FROM users ORDER BY id"), d.column(t, "SELECT id FROM notes ORDER BY id"); !slices.Equal(users, []string{"2", "7"}) || !slices.Equal(notes, []string{"11", "12"}) {
			t.Errorf("users %v and notes %v are left", users, notes)
		}
		if unmet := dsar.Unmet(jobs[0].plan.Counts(), again[0].Counts); unmet != "" {
			t.Error(unmet)
		}
	})
}

// TestNobodysByKeys: a row that was given an erased one's number and says of nobody that it is
// theirs is neither erased by the plan's keys nor proven to be gone; what came back beside it is
// erased, and so is one that was made anonymous and is there again: its number was never free.
func TestNobodysByKeys(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE log (id INTEGER PRIMARY KEY, user_id INTEGER, email TEXT, ip TEXT); CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER, body TEXT);
		INSERT INTO log VALUES (1, 5, 'ann@example.com', 'a'), (2, 5, 'ann@example.com', 'b'), (3, 6, 'bob@example.com', 'c'), (4, 5, '', 'd'); INSERT INTO posts VALUES (10, 5, 'hello')`
	everyDatabase(t, schema, func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [user, email]\nsql: {}", "log | table: log, key: [id], subject: {user: user_id, email: email}, erase: delete | id ip",
			"posts | table: posts, key: [id], subject: {user: user_id}, set: {user_id: null, body: null} | id body"))
		ann := ids("user 5", "email ann@example.com")
		jobs := jobsOf(dsar.Erasure, ann)
		if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		d.run(t, "INSERT INTO log VALUES (1, 5, NULL, 'back'), (2, NULL, ' ', 'somebody'), (4, NULL, NULL, 'visitor')", "UPDATE posts SET body = 'hello'")
		later := func() *counted {
			j := jobsOf(dsar.Erasure, nil)
			j[0].ByKeys, j[0].Owner, j[0].plan = true, ann, jobs[0].plan
			return j[0]
		}
		of := func(j *counted, dataset string) (c dsar.Counts) {
			for _, c = range j.Counts {
				if c.Dataset == dataset {
					return c
				}
			}
			return dsar.Counts{}
		}
		proof := later()
		if err := s.countAll(t.Context(), []*counted{proof}); err != nil || of(proof, "log").Found != 1 || of(proof, "log").Uncovered != worker.Unclaimed || of(proof, "log").Unclaimed != 2 || of(proof, "posts").Found != 1 {
			t.Fatalf("%v: found %+v", err, proof.Counts)
		}
		again := later()
		if err := s.eraseByPlan(t.Context(), []*counted{again}); err != nil || again.Err != nil {
			t.Fatal(err, again.Err)
		}
		if n := of(again, "log"); n.Erased != 1 || n.Gone != 0 || n.Uncovered != worker.Unclaimed || n.Unclaimed != 2 || of(again, "posts").Anonymised != 1 {
			t.Errorf("counted %+v", again.Counts)
		}
		if left := d.column(t, "SELECT ip FROM log ORDER BY id"); !slices.Equal(left, []string{"somebody", "c", "visitor"}) {
			t.Errorf("left %v", left)
		}
	})
}

// TestDueByKeys: a row whose lead went, and that had to stay until now, goes by its key, though it
// says of nobody that it is theirs; also where the plan had it go, and the erasure kept it.
func TestDueByKeys(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); CREATE TABLE bills (id INTEGER PRIMARY KEY, user_id INTEGER);
		INSERT INTO users VALUES (1, 'ann@example.com'); INSERT INTO bills VALUES (10, 1), (11, 1)`
	everyDatabase(t, schema, func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", "users | table: users, key: [id], subject: {email: email}, erase: delete",
			"bills | table: bills, key: [id], via: [{table: users, on: {user_id: id}}], subject: {email: users.email}, erase: delete"))
		ann := ids("email ann@example.com")
		fresh := jobsOf(dsar.Erasure, ann)
		if err := s.planAll(t.Context(), fresh); err != nil || fresh[0].Err != nil {
			t.Fatal(err, fresh[0].Err)
		}
		fresh[0].Holds = []string{"bills"} // it came after the plan
		if err := s.eraseByPlan(t.Context(), fresh); err != nil || fresh[0].Err != nil {
			t.Fatal(err, fresh[0].Err)
		}
		if late := fresh[0].late; len(late) != 2 || !late[0].Keep || late[0].Ground != dsar.LegalHold {
			t.Fatalf("left besides: %+v", late)
		}
		var planned []worker.Entry
		prove := &worker.EraseJob{Job: worker.Job{Task: worker.Task{Right: dsar.Erasure, Action: dsar.Prove, ByKeys: true, Owner: ann}}, Plan: planOf(t, s, fresh[0].late...)}
		if err := s.Recheck(t.Context(), []*worker.EraseJob{prove}, func(_ int, e worker.Entry) error { planned = append(planned, e); return nil }); err != nil {
			t.Fatal(err)
		}
		again := jobsOf(dsar.Erasure, nil)
		again[0].ByKeys, again[0].Owner, again[0].plan = true, ann, planOf(t, s, planned...)
		if err := s.eraseByPlan(t.Context(), again); err != nil || again[0].Err != nil {
			t.Fatal(err, again[0].Err)
		}
		if left := d.column(t, "SELECT id FROM bills"); len(left) > 0 {
			t.Errorf("%v are left: %+v, by %+v", left, again[0].Counts, planned)
		}
	})
}

// planOf returns a plan of these entries.
func planOf(t *testing.T, s *System, entries ...worker.Entry) *worker.Plan {
	t.Helper()
	w := worker.NewPlanWriter(s.m)
	for _, e := range entries {
		if err := w.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	p, err := w.Plan()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestProvenByItself: a dataset whose plan can't be read by the key that it has now is named in
// the proof, and the others are proven; of several people each is to be asked for alone. What
// is carried over into a new plan isn't passed over for that.
func TestProvenByItself(t *testing.T) {
	t.Parallel()
	everyDatabase(t, "CREATE TABLE notes (id INTEGER, number INTEGER, author INTEGER, PRIMARY KEY (id, number), UNIQUE (id)); CREATE TABLE posts (id INTEGER PRIMARY KEY, author INTEGER); INSERT INTO notes VALUES (1, 1, 1); INSERT INTO posts VALUES (10, 1)", func(t *testing.T, d database) {
		const head = "abilities: [gather, erase]\nneeds: [author]\nsql: {}"
		const posts = "posts | table: posts, key: [id], subject: {author: author}, erase: delete"
		notes := func(key string) string {
			return "notes | table: notes, key: [" + key + "], subject: {author: author}, erase: delete"
		}
		jobs := jobsOf(dsar.Erasure, ids("author 1"))
		if err := open(t, d, small(t, head, notes("id"), posts)).eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		d.insert(t, "posts", 10, 1)
		s := open(t, d, small(t, head, notes("id, number"), posts))
		one := jobsOf(dsar.Erasure, ids("author 1"))
		one[0].plan = jobs[0].plan
		if err := s.countAll(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		got := map[string]dsar.Counts{}
		for _, c := range one[0].Counts {
			got[c.Dataset] = c
		}
		if len(one[0].Counts) != 2 || !strings.Contains(got["notes"].Uncovered, "the plan's keys of notes") || got["notes"].Cause == nil || got["posts"].Found != 1 || got["posts"].Uncovered != "" {
			t.Errorf("the proof finds %+v", one[0].Counts)
		}
		two := append(jobsOf(dsar.Erasure, ids("author 1")), jobsOf(dsar.Erasure, ids("author 2"))...)
		two[0].plan = jobs[0].plan
		refusedBy(t, s.countAll(t.Context(), two), "the plan's keys of notes")
		err := s.Recheck(t.Context(), []*worker.EraseJob{{Job: worker.Job{Task: one[0].Task}, Plan: jobs[0].plan}}, func(int, worker.Entry) error { return nil })
		refusedBy(t, err, "the plan's keys of notes")
	})
}
