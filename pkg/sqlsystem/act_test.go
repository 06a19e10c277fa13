package sqlsystem

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// TestEachWayIsDone: a row that looks as another way would leave it isn't passed over as
// done: what the ways do by which it was found is done, and proven.
func TestEachWayIsDone(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); CREATE TABLE posts (id INTEGER PRIMARY KEY, author_id INTEGER, editor_id INTEGER, body TEXT);
		INSERT INTO users VALUES (1, 'ann@example.com'), (2, 'bob@example.com'); INSERT INTO posts VALUES (10, 1, NULL, 'Anns secret'), (11, 1, 2, 'Anns second'), (12, 2, 1, 'Bobs')`
	everyDatabase(t, schema, func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [resolve, gather, erase]\nneeds: [email, member_no]\nfinds: [member_no]\nsql: {resolve: [{find: member_no, table: users, column: id, by: {email: email}}]}",
			`users | table: users, key: [id], subject: {email: email}, set: {email: "{random}@gone.invalid"}`,
			`posts | table: posts, key: [id], ways: [{subject: {member_no: author_id}, set: {body: "(removed)"}}, {subject: {member_no: editor_id}, set: {editor_id: null}}]`))
		jobs := jobsOf(dsar.Erasure, ids("email ann@example.com", "small.member_no 1"))
		if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		if got := outcomes(jobs[0].Counts); !strings.Contains(got, "posts found 3 erased 0 anonymised 3 gone 0") {
			t.Errorf("erased: %s", got)
		}
		if left := d.column(t, "SELECT body FROM posts ORDER BY id"); !slices.Equal(left, []string{"(removed)", "(removed)", "Bobs"}) {
			t.Errorf("left %q", left)
		}
		prove := func(want string) {
			t.Helper()
			jobs[0].Counts = nil
			if err := s.countAll(t.Context(), jobs); err != nil || outcomes(jobs[0].Counts) != want {
				t.Errorf("the proof finds %s, %v", outcomes(jobs[0].Counts), err)
			}
		}
		prove("")
		if _, err := d.Exec("UPDATE posts SET body = 'restored' WHERE id = 10"); err != nil {
			t.Fatal(err)
		}
		prove("posts found 1 erased 0 anonymised 0 gone 0 late 0")
	})
}

// TestEachWayAfterItsLead holds, for any ways that lead to a row and any of what led there
// gone since the plan, that the plan's ways are done, and no other person's.
func TestEachWayAfterItsLead(t *testing.T) {
	t.Parallel()
	everyDatabase(t, `CREATE TABLE authors (id INTEGER PRIMARY KEY, post_id INTEGER, email TEXT); CREATE TABLE posts (id INTEGER PRIMARY KEY, editor_email TEXT, body TEXT)`, func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}",
			`posts | table: posts, key: [id], ways: [{via: [{table: authors, on: {id: post_id}}], subject: {email: authors.email}, set: {body: "(removed)"}}, {subject: {email: editor_email}, set: {editor_email: null}}]`))
		const ann = "ann@example.com"
		rapid.Check(t, func(t *rapid.T) {
			for _, table := range []string{"authors", "posts"} {
				if _, err := d.Exec("DELETE FROM " + table); err != nil {
					t.Fatal(err)
				}
			}
			gone := rapid.Bool().Draw(t, "leads gone")
			people := rapid.SampledFrom([]string{"", ann, "bob@example.com"})
			var want []string
			var planned, linked int64
			for id := range rapid.IntRange(1, 4).Draw(t, "posts") {
				author, editor := people.Draw(t, "author"), people.Draw(t, "editor")
				if gone && author == ann && editor != ann { // else it shows as somebody else's by then
					editor = ""
				}
				d.insert(t, "posts", id, orNone(editor), "words")
				if author != "" {
					d.insert(t, "authors", id, id, author)
				}
				body, left := "words", editor
				if author == ann {
					body = "(removed)"
					linked++
				}
				if editor == ann {
					left = ""
				}
				if author == ann || editor == ann {
					planned++
				}
				want = append(want, fmt.Sprintf("%d %s %s", id, left, body))
			}
			jobs := jobsOf(dsar.Erasure, ids("email "+ann))
			if err := s.planAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
				t.Fatal(err, jobs[0].Err)
			}
			if gone {
				if _, err := d.Exec("DELETE FROM authors"); err != nil {
					t.Fatal(err)
				}
				linked = 0
			}
			var changed int64
			for range 2 { // the second finds it done
				jobs[0].Counts = nil
				if err := s.eraseByPlan(t.Context(), jobs); err != nil || jobs[0].Err != nil {
					t.Fatal(err, jobs[0].Err)
				}
				for _, c := range jobs[0].Counts {
					changed += c.Anonymised
				}
			}
			if changed < planned {
				t.Fatalf("%d of %d were made anonymous", changed, planned)
			}
			left := d.column(t, "SELECT id || ' ' || coalesce(editor_email, '') || ' ' || body FROM posts ORDER BY id")
			if !slices.Equal(left, want) {
				t.Fatalf("left %q, want %q", left, want)
			}
			jobs[0].Counts = nil
			if err := s.countAll(t.Context(), jobs); err != nil || foundIn(jobs[0].Counts) != linked { // whom a row leads to is found, until what leads there goes
				t.Fatalf("the proof finds %s, %v, want %d", outcomes(jobs[0].Counts), err, linked)
			}
		})
	})
}

func orNone(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// TestWayThatIsNoMore: a row that was planned by a way which the manifest has no more is
// left, and the erasure and the proof say so.
func TestWayThatIsNoMore(t *testing.T) {
	t.Parallel()
	everyDatabase(t, `CREATE TABLE posts (id INTEGER PRIMARY KEY, author TEXT, editor TEXT, body TEXT); INSERT INTO posts VALUES (10, NULL, 'bob@example.com', 'words')`, func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}",
			`posts | table: posts, key: [id], ways: [{subject: {email: author}, set: {author: null, body: "(removed)"}}, {subject: {email: editor}, set: {editor: null}}]`))
		for _, ways := range []string{"", "00000000"} {
			jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
			w := worker.NewPlanWriter(s.m)
			if err := w.Add(worker.Entry{Dataset: "posts", Key: "10", Ways: ways}); err != nil {
				t.Fatal(err)
			}
			var err error
			if jobs[0].plan, err = w.Plan(); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Exec("UPDATE posts SET editor = NULL"); err != nil {
				t.Fatal(err)
			}
			for _, call := range []func() error{func() error { return s.eraseByPlan(t.Context(), jobs) }, func() error { return s.countAll(t.Context(), jobs) }} {
				jobs[0].Counts = nil
				if err := call(); err != nil || len(jobs[0].Counts) != 1 || jobs[0].Counts[0].Uncovered != unknownWays {
					t.Errorf("%q: got %+v, %v", ways, jobs[0].Counts, err)
				}
			}
			if left := d.column(t, "SELECT body FROM posts"); !slices.Equal(left, []string{"words"}) {
				t.Errorf("left %q", left)
			}
		}
	})
}

// TestPlannedByOtherWays: a row of which the plan doesn't say all ways is left, by the
// erasure and by the proof, until somebody has erased it by hand; unless the ways that lead
// to it now do with it all that any would.
func TestPlannedByOtherWays(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); CREATE TABLE posts (id INTEGER PRIMARY KEY, author_id INTEGER, editor TEXT, body TEXT);
		INSERT INTO users VALUES (1, 'ann@example.com'), (2, 'bob@example.com'); INSERT INTO posts VALUES
		(10, NULL, 'ann@example.com', 'words'), (11, 7, 'ann@example.com', 'words'), (12, 1, NULL, 'words'), (13, 1, 'ann@example.com', 'words'), (14, 2, 'ann@example.com', 'words')`
	everyDatabase(t, schema, func(t *testing.T, d database) {
		for _, c := range []struct {
			author string
			want   []string
		}{
			{`set: {author_id: null, body: "(removed)"}`, []string{"10 0 ann@example.com words", "11 7 ann@example.com words", "12 1 - words", "13 0 - (removed)", "14 2 ann@example.com words"}},
			{"erase: delete", []string{"10 0 ann@example.com words", "11 7 ann@example.com words", "14 2 ann@example.com words"}},
		} {
			s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}",
				`posts | table: posts, key: [id], ways: [{via: [{table: users, on: {author_id: id}}], subject: {email: users.email}, `+c.author+`}, {subject: {email: editor}, set: {editor: null}}]`))
			author := s.datasets[0].lookups[0].name
			jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
			w := worker.NewPlanWriter(s.m)
			for key, ways := range map[string]string{"10": "", "11": "00000000", "12": "00000000 " + author, "13": author + " 00000000", "14": author + " ffffffff"} {
				if err := w.Add(worker.Entry{Dataset: "posts", Key: key, Ways: ways}); err != nil {
					t.Fatal(err)
				}
			}
			var err error
			if jobs[0].plan, err = w.Plan(); err != nil {
				t.Fatal(err)
			}
			for _, call := range []func() error{func() error { return s.eraseByPlan(t.Context(), jobs) }, func() error { return s.countAll(t.Context(), jobs) }} {
				jobs[0].Counts = nil
				if err := call(); err != nil || len(jobs[0].Counts) != 1 || jobs[0].Counts[0].Uncovered != unknownWays {
					t.Errorf("%s: got %+v, %v", c.author, jobs[0].Counts, err)
				}
			}
			if left := d.column(t, "SELECT id || ' ' || coalesce(author_id, 0) || ' ' || coalesce(editor, '-') || ' ' || body FROM posts ORDER BY id"); !slices.Equal(left, c.want) {
				t.Errorf("%s: left %q, want %q", c.author, left, c.want)
			}
			d.run(t, "DELETE FROM posts WHERE id = 14", "UPDATE posts SET author_id = NULL, editor = NULL, body = '(removed)'")
			if c.author == "erase: delete" {
				d.run(t, "DELETE FROM posts")
			}
			jobs[0].Counts = nil
			if err := s.countAll(t.Context(), jobs); err != nil || len(jobs[0].Counts) > 0 {
				t.Errorf("%s: erased by hand, it doesn't end: %+v, %v", c.author, jobs[0].Counts, err)
			}
			d.run(t, "DELETE FROM posts", schema[strings.LastIndex(schema, "INSERT"):])
		}
	})
}

// TestWaysKeepTheirNames: what a plan calls a way holds when the manifest has another before
// it, or the same ways in another order; of two that look at the same, both are done.
func TestWaysKeepTheirNames(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE authors (id INTEGER PRIMARY KEY, post_id INTEGER, email TEXT); CREATE TABLE editors (id INTEGER PRIMARY KEY, post_id INTEGER, email TEXT);
		CREATE TABLE posts (id INTEGER PRIMARY KEY, reviewer TEXT, title TEXT, body TEXT, note TEXT); INSERT INTO posts VALUES (10, NULL, 'title', 'body', 'note'), (11, NULL, 'title', 'body', 'note'), (12, NULL, 'title', 'body', 'note'), (13, NULL, 'title', 'body', 'note');
		INSERT INTO authors VALUES (1, 10, 'ann@example.com'), (2, 12, 'ann@example.com'), (3, 13, 'bob@example.com'); INSERT INTO editors VALUES (1, 11, 'ann@example.com'), (2, 12, 'ann@example.com')`
	const (
		byAuthor   = `{via: [{table: authors, on: {id: post_id}}], subject: {email: authors.email}, set: {body: "(removed)"}}`
		sameAuthor = `{via: [{table: authors, on: {id: post_id}}], subject: {email: authors.email}, set: {note: null}}`
		byEditor   = `{via: [{table: editors, on: {id: post_id}}], subject: {email: editors.email}, set: {title: "(removed)"}}`
		byReviewer = `{subject: {email: reviewer}, set: {reviewer: null}}`
	)
	everyDatabase(t, schema, func(t *testing.T, d database) {
		with := func(ways ...string) *System {
			return open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", "posts | table: posts, key: [id], ways: ["+strings.Join(ways, ", ")+"]"))
		}
		jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
		if err := with(byAuthor, sameAuthor, byEditor).planAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		d.run(t, "DELETE FROM authors WHERE id < 3", "DELETE FROM editors")
		s := with(byReviewer, byEditor, sameAuthor, byAuthor)
		if err := s.eraseByPlan(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		if got := outcomes(jobs[0].Counts); got != "posts found 3 erased 0 anonymised 3 gone 0 late 0" {
			t.Errorf("erased %s: %+v", got, jobs[0].Counts)
		}
		want := []string{"10 title (removed) -", "11 (removed) body note", "12 (removed) (removed) -", "13 title body note"}
		if left := d.column(t, "SELECT id || ' ' || title || ' ' || body || ' ' || coalesce(note, '-') FROM posts ORDER BY id"); !slices.Equal(left, want) {
			t.Errorf("left %q, want %q", left, want)
		}
	})
}

// TestWaysSetOneValue: two ways that set one column to different values can't both be done,
// and the start fails; to one value they may set it.
func TestWaysSetOneValue(t *testing.T) {
	t.Parallel()
	everyDatabase(t, `CREATE TABLE posts (id INTEGER PRIMARY KEY, author TEXT, editor TEXT, body TEXT)`, func(t *testing.T, d database) {
		for editors, fails := range map[string]bool{`"(edited)"`: true, "null": true, `"(removed)"`: false} {
			m := small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}",
				`posts | table: posts, key: [id], ways: [{subject: {email: author}, set: {author: null, body: "(removed)"}}, {subject: {email: editor}, set: {editor: null, body: `+editors+`}}]`)
			s, err := New(t.Context(), m, d.DB, d.dialect)
			if err == nil {
				s.Close()
			}
			if fails != (err != nil) || fails && !strings.Contains(err.Error(), "two ways set body to different values") {
				t.Errorf("%s: got %v", editors, err)
			}
		}
	})
}

// TestUnknownWaysOfWhatStays: a row that must stay does so by whatever way it was planned, and
// neither the erasure nor the proof asks for it to be erased by hand.
func TestUnknownWaysOfWhatStays(t *testing.T) {
	t.Parallel()
	everyDatabase(t, `CREATE TABLE posts (id INTEGER PRIMARY KEY, author TEXT, editor TEXT, issued_on DATE); INSERT INTO posts VALUES (10, NULL, NULL, '2026-01-01')`, func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}",
			`posts | table: posts, key: [id], ways: [{subject: {email: author}, erase: delete}, {subject: {email: editor}, set: {editor: null}}] | id issued_on:date | `+tenYears))
		jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
		w := worker.NewPlanWriter(s.m)
		if err := w.Add(worker.Entry{Dataset: "posts", Key: "10"}); err != nil {
			t.Fatal(err)
		}
		var err error
		if jobs[0].plan, err = w.Plan(); err != nil {
			t.Fatal(err)
		}
		for _, call := range []func() error{func() error { return s.eraseByPlan(t.Context(), jobs) }, func() error { return s.countAll(t.Context(), jobs) }} {
			jobs[0].Counts = nil
			if err := call(); err != nil || len(jobs[0].Counts) != 1 || jobs[0].Counts[0].Uncovered != "" || jobs[0].Counts[0].Kept() != 1 {
				t.Errorf("got %+v, %v", jobs[0].Counts, err)
			}
		}
	})
}
