package sqlsystem

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

const tenYears = "retention: [{ground: tax-records, source: art. 16, title: {en: Tax}, column: issued_on, period: P10Y}]"

// TestKeptGoesWithAnother: where a kept record would go with another, over tables
// that no dataset is of, the start fails; where that came later, the plan, and the
// erasure by an older plan, before anything is touched. Each names the way.
func TestKeptGoesWithAnother(t *testing.T) {
	t.Parallel()
	schema := func(reference string) string {
		return `CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT);
			CREATE TABLE subscriptions (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id) ON DELETE CASCADE);
			CREATE TABLE invoices (id INTEGER PRIMARY KEY, subscription_id INTEGER` + reference + `, customer_id INTEGER, issued_on DATE);
			INSERT INTO customers VALUES (1, 'anna@example.com'); INSERT INTO subscriptions VALUES (10, 1); INSERT INTO invoices VALUES (100, 10, 1, '2026-01-01')`
	}
	const cascade = ` REFERENCES subscriptions (id) ON DELETE CASCADE`
	const path = "customers ← subscriptions (customer_id) ← invoices (subscription_id)"
	declared := func(t *testing.T) *manifest.Manifest {
		return small(t, "abilities: [gather, erase]\nneeds: [email, customer]\nsql: {technical: [subscriptions]}",
			"customers | table: customers, key: [id], subject: {customer: id, email: email}, erase: delete, cascades: [subscriptions]",
			"invoices | table: invoices, key: [id], subject: {customer: customer_id}, erase: delete | id issued_on:date | "+tenYears)
	}
	t.Run("at start", func(t *testing.T) {
		t.Parallel()
		everyDatabase(t, schema(cascade), func(t *testing.T, d database) {
			if s, err := Open(t.Context(), declared(t), d.source); err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, %v", s, err)
			}
		})
	})
	t.Run("later", func(t *testing.T) {
		t.Parallel()
		everyDatabase(t, schema(""), func(t *testing.T, d database) {
			s := open(t, d, declared(t))
			asked := ids("email anna@example.com", "customer 1")
			older := jobsOf(dsar.Erasure, asked)
			if err := s.planAll(t.Context(), older); err != nil || older[0].Err != nil {
				t.Fatal(err, older[0].Err)
			}
			change := []string{"ALTER TABLE invoices RENAME TO old", "CREATE TABLE invoices (id INTEGER PRIMARY KEY, subscription_id INTEGER" + cascade + ", customer_id INTEGER, issued_on DATE)", "INSERT INTO invoices SELECT * FROM old", "DROP TABLE old"}
			for _, stmt := range change {
				if _, err := d.Exec(stmt); err != nil {
					t.Fatal(err)
				}
			}
			// The system learns of the change by itself.
			newer := jobsOf(dsar.Erasure, asked)
			err := s.planAll(t.Context(), newer)
			refusedBy(t, cmp.Or[error](err, newer[0].Err), path)
			err = s.eraseByPlan(t.Context(), older)
			refusedBy(t, cmp.Or[error](err, older[0].Err), path)
			for _, table := range []string{"customers", "subscriptions", "invoices"} {
				if left := d.column(t, "SELECT id FROM "+table); len(left) != 1 {
					t.Errorf("%s are %v", table, left)
				}
			}
		})
	})
}

// refusedBy wants an error that needs a person at once and says what is in the way.
func refusedBy(t tester, err error, parts ...string) {
	t.Helper()
	var typed *worker.Error
	if !errors.As(err, &typed) || !typed.Permanent() {
		t.Fatalf("it isn't refused: %v", err)
	}
	for _, part := range parts {
		if !strings.Contains(typed.Reason, part) {
			t.Errorf("the reason lacks %q: %s", part, typed.Reason)
		}
	}
}

// TestCascadesAreDeclared: rows that are nobody's in the erasure go with another only
// where the manifest lets them, and are counted; what a trigger writes likewise.
func TestCascadesAreDeclared(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, lite, pg, table, path string }{
		{"a foreign key", "", "", "reblogs", "posts ← reblogs (post_id)"},
		{"a second one", "CREATE TABLE likes (id INTEGER PRIMARY KEY, reblog INTEGER REFERENCES reblogs (id) ON DELETE SET NULL); INSERT INTO likes VALUES (1, 10)", "", "likes", "posts ← reblogs (post_id) ← likes (reblog)"},
		{"a trigger", "CREATE TABLE log (id INTEGER); CREATE TRIGGER logged AFTER DELETE ON posts BEGIN INSERT INTO log VALUES (old.id)! END",
			"CREATE TABLE log (id INTEGER); CREATE FUNCTION logging() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (old.id)! RETURN NULL! END $$; CREATE TRIGGER logged AFTER DELETE ON posts FOR EACH ROW EXECUTE FUNCTION logging()", "log", "posts → the trigger logged → log"},
		{"a trigger that the catalogue doesn't show", "",
			"CREATE TABLE log (id INTEGER); CREATE FUNCTION logging() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'INS' || 'ERT INTO log VALUES (1)'! RETURN NULL! END $$; CREATE TRIGGER logged AFTER DELETE ON posts FOR EACH ROW EXECUTE FUNCTION logging()", "log", "rows of log"},
		{"a rule", "", "CREATE TABLE log (id INTEGER); CREATE RULE logged AS ON DELETE TO posts DO ALSO INSERT INTO log VALUES (old.id)", "log", "posts → the rule logged → log"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			const schema = `CREATE TABLE posts (id INTEGER PRIMARY KEY, author INTEGER); CREATE TABLE reblogs (id INTEGER PRIMARY KEY, post_id INTEGER REFERENCES posts (id) ON DELETE CASCADE, author INTEGER);
				INSERT INTO posts VALUES (1, 1), (2, 2), (3, 1); INSERT INTO reblogs VALUES (10, 1, 2), (11, 2, 1)`
			everyDatabase(t, schema, func(t *testing.T, d database) {
				more := c.lite
				if d.dialect == PostgreSQL && c.pg != "" {
					more = c.pg
				}
				if more == "" && c.name != "a foreign key" {
					t.Skip("there is no such thing")
				}
				for stmt := range strings.SplitSeq(more, ";") {
					if stmt = strings.ReplaceAll(strings.TrimSpace(stmt), "!", ";"); stmt == "" {
						continue
					}
					if _, err := d.Exec(d.trigger(stmt)); err != nil {
						t.Fatalf("%s: %v", stmt, err)
					}
				}
				erase := func(cascades string) *counted {
					s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [author]\nsql: {}", "posts | table: posts, key: [id], subject: {author: author}, erase: delete"+cascades))
					jobs := jobsOf(dsar.Erasure, ids("author 1"))
					jobs[0].Err = cmp.Or(s.eraseAll(t.Context(), jobs), jobs[0].Err)
					return jobs[0]
				}
				without := ""
				if c.name != "a foreign key" {
					without = ", cascades: [reblogs]"
				}
				refusedBy(t, erase(without).Err, c.path)
				s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [author]\nsql: {}", "posts | table: posts, key: [id], subject: {author: author}, erase: delete"+without))
				reaches, err := s.Reaches(t.Context())
				if shown := c.path != "rows of log"; err != nil || shown != slices.ContainsFunc(reaches, func(a Advice) bool { return strings.Contains(a.String(), c.path) }) {
					t.Errorf("the catalogue shows %v, %v", reaches, err)
				}
				if left := d.column(t, "SELECT id FROM posts"); len(left) != 3 {
					t.Fatalf("posts are %v", left)
				}
				lets := ", cascades: [reblogs, " + "likes, log]"
				letting := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [author]\nsql: {}", "posts | table: posts, key: [id], subject: {author: author}, erase: delete"+lets))
				planned := &worker.PlanJob{Job: worker.Job{Task: worker.Task{Right: dsar.Erasure, Identifiers: ids("author 1")}}, Plan: worker.NewPlanWriter(letting.m)}
				if err := letting.Plan(t.Context(), []*worker.PlanJob{planned}); err != nil || !slices.ContainsFunc(planned.Notes(), func(note string) bool {
					return strings.Contains(note, "1 rows of reblogs (posts ← reblogs (post_id)) would go")
				}) {
					t.Errorf("the plan's notes are %q, %v", planned.Notes(), err)
				}
				j := erase(lets)
				if j.Err != nil || len(j.Counts) != 1 || j.Counts[0].Erased != 2 || j.taken[taken{"posts", "reblogs", "posts ← reblogs (post_id)", false}] != 1 {
					t.Errorf("%v, %+v, %v", j.Err, j.Counts, j.taken)
				}
				if told := letting.withTaken(j.Counts, j.taken); len(told) != 1 || !slices.Contains(told[0].Taken, dsar.Taken{Table: "reblogs", Records: 1}) || len(j.Counts[0].Taken) > 0 {
					t.Errorf("what went with them is told as %+v", told)
				}
				if left := d.column(t, "SELECT id FROM reblogs"); !slices.Equal(left, []string{"11"}) {
					t.Errorf("reblogs are %v", left)
				}
			})
		})
	}
}

// TestCascadesGoOn: what goes with somebody else's row, which the manifest lets go with the
// person's, is looked for as well, and a row to which two ways lead is counted once.
func TestCascadesGoOn(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE posts (id INTEGER PRIMARY KEY, author INTEGER);
		CREATE TABLE comments (id INTEGER PRIMARY KEY, post_id INTEGER REFERENCES posts (id) ON DELETE CASCADE, author INTEGER);
		CREATE TABLE likes (id INTEGER PRIMARY KEY, comment_id INTEGER REFERENCES comments (id) ON DELETE CASCADE, post_id INTEGER REFERENCES posts (id) ON DELETE CASCADE);
		INSERT INTO posts VALUES (1, 1); INSERT INTO comments VALUES (10, 1, 2), (11, 1, 1), (12, 1, 2); INSERT INTO likes VALUES (20, 10, NULL), (21, 11, 1), (22, 12, 1)`
	everyDatabase(t, schema, func(t *testing.T, d database) {
		erase := func(posts, comments string) *counted {
			s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [author]\nsql: {}",
				"posts | table: posts, key: [id], subject: {author: author}, erase: delete, cascades: ["+posts+"]",
				"comments | table: comments, key: [id], subject: {author: author}, erase: delete, cascades: ["+comments+"]"))
			jobs := jobsOf(dsar.Erasure, ids("author 1"))
			jobs[0].Err = cmp.Or(s.eraseAll(t.Context(), jobs), jobs[0].Err)
			return jobs[0]
		}
		refusedBy(t, erase("comments", "").Err, "likes")
		j := erase("comments, likes", "likes")
		if j.Err != nil {
			t.Fatal(j.Err)
		}
		want := map[taken]int{
			{"posts", "comments", "posts ← comments (post_id)", false}:                   2,
			{"comments", "likes", "comments ← likes (comment_id)", false}:                1,
			{"posts", "likes", "posts ← likes (post_id)", false}:                         1,
			{"posts", "likes", "posts ← comments (post_id) ← likes (comment_id)", false}: 1,
		}
		maps.DeleteFunc(j.taken, func(_ taken, n int) bool { return n == 0 })
		if !maps.Equal(j.taken, want) {
			t.Errorf("what went is told as %v", j.taken)
		}
	})
}

// tableOf is a table of a random schema.
type tableOf struct {
	name, parent, action string
	second, then         string // another reference: to which table, and its action
	dataset, via         bool
	keeps                bool
	cascades             []string
}

type rowOf struct {
	table       string
	id, person  int
	ref, other  int // -1: null
	old         bool
	mine, stays bool
}

// TestReachProperty holds, over random tables, foreign keys, rows and manifests, that
// an erasure either takes exactly what is the person's and need not stay, and beside
// it only rows of tables that the manifest lets go, or is refused and changes
// nothing; and that it isn't refused where nothing else would go.
func TestReachProperty(t *testing.T) {
	t.Parallel()
	everyDatabase(t, "", func(t *testing.T, d database) {
		rapid.Check(t, func(t *rapid.T) { reachProperty(t, d) })
	})
}

func reachProperty(t *rapid.T, d database) {
	names := []string{"a", "b", "c", "e"}
	for _, name := range slices.Backward(names) {
		if _, err := d.Exec("DROP TABLE IF EXISTS " + name); err != nil {
			t.Fatal(err)
		}
	}
	tables := map[string]*tableOf{}
	for i, name := range names {
		tab := &tableOf{name: name, dataset: i == 0 || rapid.IntRange(0, 2).Draw(t, name+" is a dataset") > 0}
		if i > 0 && rapid.IntRange(0, 3).Draw(t, name+" refers") > 0 {
			tab.parent = rapid.SampledFrom(names[:i]).Draw(t, name+" to")
			tab.action = rapid.SampledFrom([]string{"CASCADE", "CASCADE", "SET NULL", "NO ACTION"}).Draw(t, name+" on delete")
			tab.via = tab.dataset && rapid.Bool().Draw(t, name+" via")
		}
		if i > 0 && rapid.IntRange(0, 2).Draw(t, name+" refers twice") == 0 {
			tab.second = rapid.SampledFrom(names[:i+1]).Draw(t, name+" to as well")
			tab.then = rapid.SampledFrom([]string{"CASCADE", "CASCADE", "SET NULL", "NO ACTION"}).Draw(t, name+" on delete of it")
			if tab.second == name && tab.then == "NO ACTION" { // some refuse to delete a row that refers to itself
				tab.then = "CASCADE"
			}
		}
		tab.keeps = tab.dataset && rapid.IntRange(0, 3).Draw(t, name+" keeps") == 0
		tables[name] = tab
		reference := ""
		if tab.parent != "" {
			reference = " REFERENCES " + tab.parent + " (id) ON DELETE " + tab.action
		}
		second := ""
		if tab.second != "" {
			second = " REFERENCES " + tab.second + " (id) ON DELETE " + tab.then
		}
		if _, err := d.Exec("CREATE TABLE " + name + " (id INTEGER PRIMARY KEY, person INTEGER, ref INTEGER" + reference + ", issued_on DATE, other INTEGER" + second + ")"); err != nil {
			t.Fatal(err)
		}
	}
	var datasets []string
	for _, name := range names {
		tab := tables[name]
		if !tab.dataset {
			continue
		}
		for _, o := range names {
			if !tables[o].keeps && rapid.IntRange(0, 3).Draw(t, name+" lets "+o) == 0 {
				tab.cascades = append(tab.cascades, o)
			}
		}
		sql := "table: " + name + ", key: [id], erase: delete, "
		if tab.via {
			sql += "via: [{table: " + tab.parent + ", on: {ref: id}}], subject: {person: " + tab.parent + ".person}"
		} else {
			sql += "subject: {person: person}"
		}
		if tab.cascades != nil {
			sql += ", cascades: [" + strings.Join(tab.cascades, ", ") + "]"
		}
		line := name + " | " + sql + " | id issued_on:date"
		if tab.keeps {
			line += " | " + tenYears
		}
		datasets = append(datasets, line)
	}
	m, err := manifest.Parse("small.yaml", []byte(smallText("abilities: [gather, erase]\nneeds: [person]\nsql: {}", datasets...)))
	if err != nil {
		t.Skip("no manifest")
	}
	rows := map[string]*rowOf{}
	for _, name := range names {
		tab := tables[name]
		for id := range rapid.IntRange(0, 3).Draw(t, name+" rows") {
			r := &rowOf{table: name, id: id, person: rapid.IntRange(1, 2).Draw(t, "person"), ref: -1, other: -1, old: rapid.Bool().Draw(t, "old")}
			parent := rows[fmt.Sprintf("%s %d", tab.parent, rapid.IntRange(0, 2).Draw(t, "ref"))]
			var ref any
			if parent != nil {
				r.ref = parent.id
				ref = parent.id
			}
			r.mine = tab.dataset && (!tab.via && r.person == 1 || tab.via && parent != nil && parent.person == 1)
			day := "2026-01-01"
			if r.old {
				day = "2001-01-01"
			}
			r.stays = r.mine && tab.keeps && !r.old
			rows[fmt.Sprintf("%s %d", name, id)] = r
			var other any
			if parent := rows[fmt.Sprintf("%s %d", tab.second, rapid.IntRange(0, 2).Draw(t, "other"))]; parent != nil {
				r.other, other = parent.id, parent.id
			}
			d.insert(t, name, id, r.person, ref, day, other)
		}
	}
	read := func() map[string]string {
		out := map[string]string{}
		for _, name := range names {
			for _, line := range d.column(t, "SELECT id || ' ' || person || ' ' || coalesce("+d.dialect.text("ref")+", '-') || ' ' || coalesce("+d.dialect.text("other")+", '-') FROM "+name) {
				id, _, _ := strings.Cut(line, " ")
				out[name+" "+id] = line
			}
		}
		return out
	}
	before := read()
	s, err := Open(t.Context(), m, d.source, WithClock(func() time.Time { return now }))
	if err != nil {
		if !strings.Contains(err.Error(), "must stay") {
			t.Fatal(err)
		}
		return
	}
	defer s.Close()
	jobs := jobsOf(dsar.Erasure, ids("person 1"))
	if err := s.eraseAll(t.Context(), jobs); err != nil {
		jobs[0].Err = err
	}
	after := read()
	if jobs[0].Err != nil {
		refusedBy(t, jobs[0].Err)
		for key, line := range before {
			if after[key] != line {
				t.Fatalf("refused, and %s is %q, was %q: %v", key, after[key], line, jobs[0].Err)
			}
		}
		if why := outside(tables, rows); why == "" {
			t.Fatalf("refused, though nothing else would go: %v", jobs[0].Err)
		}
		return
	}
	lets := map[string]bool{}
	for _, tab := range tables {
		for _, c := range tab.cascades {
			lets[c] = true
		}
	}
	went, told := 0, 0
	for t, n := range jobs[0].taken {
		if !t.changes {
			told += n
		}
	}
	for key, r := range rows {
		_, there := after[key]
		if !r.mine && !there {
			went++
		}
		switch {
		case r.mine && !r.stays && there:
			t.Fatalf("%s is the person's, and there", key)
		case r.stays && after[key] != before[key]:
			t.Fatalf("%s must stay, was %q, is %q", key, before[key], after[key])
		case !r.mine && !lets[r.table] && after[key] != before[key]:
			t.Fatalf("%s is nobody's here, was %q, is %q", key, before[key], after[key])
		}
	}
	if went != told {
		t.Fatalf("%d rows went with the person's, %d are told: %v", went, told, jobs[0].taken)
	}
	if unmet := dsar.Unmet(jobs[0].plan.Counts(), jobs[0].Counts); unmet != "" {
		t.Fatal(unmet)
	}
}

// outside says what beyond the person's rows an erasure would meet; empty: nothing.
func outside(tables map[string]*tableOf, rows map[string]*rowOf) string {
	for key, r := range rows {
		if r.mine && !r.stays {
			continue
		}
		for _, to := range []string{fmt.Sprintf("%s %d", tables[r.table].parent, r.ref), fmt.Sprintf("%s %d", tables[r.table].second, r.other)} {
			if p := rows[to]; p != nil && p.mine && !p.stays {
				return key + " refers to a row that goes"
			}
		}
	}
	return ""
}

// trigger writes SQLite's statement that makes a trigger as MariaDB wants it.
func (d database) trigger(stmt string) string {
	if d.dialect == MariaDB {
		return strings.Replace(stmt, " BEGIN ", " FOR EACH ROW BEGIN ", 1)
	}
	return stmt
}

// TestTriggerTakesOfSeveral: of several people who are erased together each is told what a
// trigger took with their own rows.
func TestTriggerTakesOfSeveral(t *testing.T) {
	t.Parallel()
	everyDatabase(t, "CREATE TABLE posts (id INTEGER PRIMARY KEY, author INTEGER); CREATE TABLE log (id INTEGER, post INTEGER); INSERT INTO posts VALUES (1, 1), (2, 2), (3, 3); INSERT INTO log VALUES (1, 1), (2, 2), (3, 2), (4, 3)", func(t *testing.T, d database) {
		if d.dialect != PostgreSQL {
			t.Skip("it counts all tables together")
		}
		for _, stmt := range []string{
			"CREATE FUNCTION tidying() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM log WHERE post = OLD.id; RETURN NULL; END $$",
			"CREATE TRIGGER tidy AFTER DELETE ON posts FOR EACH ROW EXECUTE FUNCTION tidying()",
		} {
			if _, err := d.Exec(d.trigger(stmt)); err != nil {
				t.Fatal(err)
			}
		}
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [author]\nsql: {}", "posts | table: posts, key: [id], subject: {author: author}, erase: delete, cascades: [log]"))
		jobs := append(jobsOf(dsar.Erasure, ids("author 1")), jobsOf(dsar.Erasure, ids("author 2"))...)
		if err := s.eraseAll(t.Context(), jobs); err != nil {
			t.Fatal(err)
		}
		for i, want := range []int64{1, 2} {
			counts := s.withTaken(jobs[i].Counts, jobs[i].taken)
			if jobs[i].Err != nil || len(counts) != 1 || len(counts[0].Taken) != 1 || counts[0].Taken[0].Records != want || counts[0].Erased != 1 {
				t.Errorf("%d: %+v, %v", i, counts, jobs[i].Err)
			}
		}
		if left := d.column(t, "SELECT id FROM log"); len(left) != 1 {
			t.Errorf("the log has %v", left)
		}
	})
}

// TestTriggerTakesADatasetsRows: what a trigger deletes of another dataset, beyond
// what was to go there, is found before the commit, and undone.
func TestTriggerTakesADatasetsRows(t *testing.T) {
	t.Parallel()
	const schema = "CREATE TABLE posts (id INTEGER PRIMARY KEY, author INTEGER); CREATE TABLE comments (id INTEGER PRIMARY KEY, author INTEGER); INSERT INTO posts VALUES (1, 1); INSERT INTO comments VALUES (10, 1), (11, 2)"
	everyDatabase(t, schema, func(t *testing.T, d database) {
		trigger := []string{"CREATE TRIGGER tidy AFTER DELETE ON posts BEGIN DELETE FROM comments; END"}
		if d.dialect == PostgreSQL {
			trigger = []string{"CREATE FUNCTION tidying() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM comments; RETURN NULL; END $$", "CREATE TRIGGER tidy AFTER DELETE ON posts FOR EACH ROW EXECUTE FUNCTION tidying()"}
		}
		for _, stmt := range trigger {
			if _, err := d.Exec(d.trigger(stmt)); err != nil {
				t.Fatal(err)
			}
		}
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [author]\nsql: {}", "posts | table: posts, key: [id], subject: {author: author}, erase: delete, after: [comments]", "comments | table: comments, key: [id], subject: {author: author}, erase: delete"))
		jobs := jobsOf(dsar.Erasure, ids("author 1"))
		refusedBy(t, cmp.Or(s.eraseAll(t.Context(), jobs), jobs[0].Err), "undone")
		if left := d.column(t, "SELECT id FROM comments UNION ALL SELECT id FROM posts"); len(left) != 3 {
			t.Errorf("left %v", left)
		}
	})
}

// TestPlannedToStay: what the plan has stay, stays in an erasure by that plan, though
// its hold or period is over by then; and so does what must stay only since.
func TestPlannedToStay(t *testing.T) {
	t.Parallel()
	everyDatabase(t, "CREATE TABLE notes (id INTEGER PRIMARY KEY, author INTEGER)", func(t *testing.T, d database) {
		d.insert(t, "notes", 1, 1)
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [author]\nsql: {}", "notes | table: notes, key: [id], subject: {author: author}, erase: delete"))
		for _, held := range [][2][]string{{{"notes"}, nil}, {nil, {"notes"}}} {
			jobs := jobsOf(dsar.Erasure, ids("author 1"))
			jobs[0].Holds = held[0]
			if err := cmp.Or(s.planAll(t.Context(), jobs), jobs[0].Err); err != nil {
				t.Fatal(err)
			}
			jobs[0].Holds = held[1]
			if err := cmp.Or(s.eraseByPlan(t.Context(), jobs), jobs[0].Err); err != nil {
				t.Fatal(err)
			}
			if n := jobs[0].Counts[0]; n.Erased != 0 || n.Kept() != 1 || n.Retained[0].Ground != dsar.LegalHold || len(d.column(t, "SELECT id FROM notes")) != 1 {
				t.Errorf("held %v: %+v", held, n)
			}
		}
	})
}
