package sqlsystem

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"strings"
	"testing"

	"modernc.org/sqlite"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// TestConflictsAreRefused: where SQLite's tables or triggers say what becomes of a row that is in
// the way of another (ON CONFLICT, OR REPLACE), what Habeas writes takes nobody's row, leaves none
// as it was and ends no transaction: it is refused, told which index and columns are in the way,
// and all rows are as they were.
func TestConflictsAreRefused(t *testing.T) {
	t.Parallel()
	const people = "CREATE TABLE people (id INTEGER PRIMARY KEY ON CONFLICT REPLACE, user_id INTEGER, name TEXT, nick TEXT NOT NULL ON CONFLICT REPLACE DEFAULT 'bob' UNIQUE ON CONFLICT %s, slug TEXT UNIQUE %s, locked TEXT UNIQUE ON CONFLICT %s CHECK (locked <> 'no')); INSERT INTO people VALUES (1, 5, 'Ann', 'ann', 'ann', 'a'), (2, 6, 'Bob', 'bob', 'removed', 'yes'), (3, 7, 'Cy', 'erased-1', 'cy', 'c')"
	schema := func(nick, slug, locked string) string {
		s := strings.Replace(people, "%s", nick, 1)
		s = strings.Replace(s, "%s", slug, 1)
		return strings.Replace(s, "%s", locked, 1)
	}
	for _, c := range []struct {
		name, trigger, dataset string
		ability                string
		act                    func(*testing.T, *System) []*counted
		says                   []string
	}{
		{"a value that an erasure sets", "", `set: {user_id: null, nick: "erased-{id}"}`, "erase", eraseFive, []string{"nick", "another row's already", "sqlite_autoindex_people_1", "erased-{random}"}},
		{"a correction", "", `rectify: [nick]`, "rectify", func(t *testing.T, s *System) []*counted {
			jobs := jobsOf(dsar.Rectification, ids("user 5"))
			jobs[0].Changes = []worker.Change{{Dataset: "people", Column: "nick", Value: "bob"}}
			jobs[0].Err = cmp.Or(s.rectifyAll(t.Context(), jobs), jobs[0].Err)
			return jobs
		}, []string{"nick", "ask them for another"}},
		{"a flag", "", `restrict: [{column: locked, value: "yes"}]`, "restrict", func(t *testing.T, s *System) []*counted {
			jobs := jobsOf(dsar.Restriction, ids("user 5"))
			jobs[0].Err = cmp.Or(s.restrictAll(t.Context(), jobs), jobs[0].Err)
			return jobs
		}, []string{"locked"}},
		{"a flag that breaks a CHECK", "", `restrict: [{column: locked, value: "no"}]`, "restrict", func(t *testing.T, s *System) []*counted {
			jobs := jobsOf(dsar.Restriction, ids("user 5"))
			jobs[0].Err = cmp.Or(s.restrictAll(t.Context(), jobs), jobs[0].Err)
			return jobs
		}, nil},
		{"a trigger that replaces", "CREATE TRIGGER slugged AFTER UPDATE OF name ON people BEGIN UPDATE OR REPLACE people SET slug = lower(NEW.name) WHERE id = NEW.id! END", `set: {user_id: null, name: Removed}`, "erase", eraseFive, []string{"slug"}},
		{"a trigger that inserts", "CREATE TRIGGER slugged AFTER UPDATE OF name ON people BEGIN REPLACE INTO people VALUES (9, 9, 'x', 'x', 'removed', 'x')! END", `set: {user_id: null, name: Removed}, cascades: [people]`, "erase", eraseFive, []string{"slug"}},
		{"a trigger under a clause", "CREATE TRIGGER slugged AFTER UPDATE OF name ON people BEGIN UPDATE people SET slug = lower(NEW.name) WHERE id = NEW.id! END", `set: {user_id: null, name: Removed}`, "erase", eraseFive, []string{"slug"}},
	} {
		for _, clause := range []string{"REPLACE", "IGNORE", "ROLLBACK", "FAIL"} {
			t.Run(c.name+" "+clause, func(t *testing.T) {
				t.Parallel()
				slug := "ON CONFLICT " + clause
				if c.name == "a trigger that replaces" {
					slug = ""
				}
				d := sqliteDB(t, schema(clause, slug, clause))
				d.exec(t, c.trigger)
				const all = "SELECT id || ' ' || coalesce(user_id, '-') || ' ' || name || ' ' || nick || ' ' || slug || ' ' || locked FROM people ORDER BY id"
				before := d.column(t, all)
				s := open(t, d, small(t, "abilities: [gather, "+c.ability+"]\nneeds: [user]\nsql: {}", "people | table: people, key: [id], subject: {user: user_id}, "+c.dataset+" | id nick"))
				refusedBy(t, c.act(t, s)[0].Err, c.says...)
				if after := d.column(t, all); !slices.Equal(after, before) {
					t.Errorf("people are %q, and were %q", after, before)
				}
			})
		}
	}
}

// eraseFive erases the person of number 5.
func eraseFive(t *testing.T, s *System) []*counted {
	jobs := jobsOf(dsar.Erasure, ids("user 5"))
	jobs[0].Err = cmp.Or(s.eraseAll(t.Context(), jobs), jobs[0].Err)
	return jobs
}

// TestConflictIsNamed: the cause has the index, and those of its columns that the manifest has:
// others would be words that no report may say.
func TestConflictIsNamed(t *testing.T) {
	t.Parallel()
	d := sqliteDB(t, "CREATE TABLE people (id INTEGER PRIMARY KEY, user_id INTEGER, shop INTEGER, nick TEXT); CREATE UNIQUE INDEX nicks ON people (shop, nick); INSERT INTO people VALUES (1, 5, 1, 'ann'), (2, 6, 1, 'erased-1')")
	s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [user]\nsql: {}", `people | table: people, key: [id], subject: {user: user_id}, set: {user_id: null, nick: "erased-{id}"}`))
	var typed *worker.Error
	if err := eraseFive(t, s)[0].Err; !errors.As(err, &typed) || typed.Cause.Constraint != "nicks" || !slices.Equal(typed.Cause.Columns, []string{"nick"}) || !strings.Contains(typed.Reason, "shop, nick") || typed.Cause.Table != "people" {
		t.Errorf("got %+v", typed)
	}
}

// TestValuesThatAreThere: lint warns where what an erasure sets is somebody else's already, before
// anybody is erased.
func TestValuesThatAreThere(t *testing.T) {
	t.Parallel()
	for taken, want := range map[string]int{"erased-1": 1, "erased-2": 0, "erased-9": 0} { // that of the row itself, and of none, is nobody else's
		t.Run(taken, func(t *testing.T) {
			t.Parallel()
			everyDatabase(t, "CREATE TABLE people (id INTEGER PRIMARY KEY, user_id INTEGER, nick VARCHAR(100) UNIQUE); INSERT INTO people VALUES (3, 7, 'cy'), (4, 8, 'di'), (1, 5, 'ann'), (2, 6, '"+taken+"')", func(t *testing.T, d database) {
				d.exec(t, "INSERT INTO people SELECT id + 10, id, 'p' || id FROM people")
				s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [user]\nsql: {}", `people | table: people, key: [id], subject: {user: user_id}, set: {user_id: null, nick: "erased-{id}"}`))
				found, err := s.TrySets(t.Context())
				if err != nil || len(found) != want {
					t.Errorf("lint says %v, %v", found, err)
				}
				for _, a := range found {
					if !strings.Contains(a.String(), "nick") {
						t.Errorf("lint says %v", a)
					}
				}
			})
		})
	}
}

// TestReplacedRowsAreCounted: a DELETE hands its triggers no clause of its own, and SQLite counts no
// row that REPLACE deletes; one of a dataset that isn't to go is noticed all the same.
func TestReplacedRowsAreCounted(t *testing.T) {
	t.Parallel()
	const people = "CREATE TABLE people (id INTEGER PRIMARY KEY, user_id INTEGER, slug TEXT UNIQUE %s); INSERT INTO people VALUES (1, 5, 'ann'), (2, 6, 'removed'), (3, 7, 'cy'); CREATE TABLE log (id INTEGER PRIMARY KEY); CREATE TABLE counts (day TEXT PRIMARY KEY, n INTEGER); INSERT INTO counts VALUES ('today', 0)"
	for _, c := range []struct {
		name, clause, trigger, dataset string
		goes                           bool
	}{
		{"of the table itself", "", "CREATE TRIGGER t AFTER DELETE ON people BEGIN UPDATE OR REPLACE people SET slug = 'removed' WHERE id = 3! END", "erase: delete, cascades: [people]", false},
		{"under a clause", "ON CONFLICT REPLACE", "CREATE TRIGGER t AFTER DELETE ON people BEGIN UPDATE people SET slug = 'removed' WHERE id = 3! END", "erase: delete, cascades: [people]", false},
		{"by an insert", "", "CREATE TRIGGER t AFTER DELETE ON people BEGIN INSERT OR REPLACE INTO people VALUES (9, 9, 'removed')! END", "erase: delete, cascades: [people]", false},
		{"by a trigger of what a trigger deletes", "", "INSERT INTO log VALUES (1); CREATE TRIGGER t AFTER UPDATE ON people BEGIN DELETE FROM log! END; CREATE TRIGGER u AFTER DELETE ON log BEGIN REPLACE INTO people VALUES (9, 9, 'removed')! END", "set: {user_id: null, slug: null}, cascades: [log, people]", false},
		{"of a table that is nobody's", "", "CREATE TRIGGER t AFTER DELETE ON people BEGIN REPLACE INTO counts VALUES ('today', 1)! END", "erase: delete, cascades: [counts]", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := sqliteDB(t, strings.Replace(people, "%s", c.clause, 1))
			d.exec(t, c.trigger)
			s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [user]\nsql: {}", "people | table: people, key: [id], subject: {user: user_id}, "+c.dataset))
			err := eraseFive(t, s)[0].Err
			left := d.column(t, "SELECT slug FROM people ORDER BY id")
			if c.goes {
				if err != nil || !slices.Equal(left, []string{"removed", "cy"}) {
					t.Errorf("%v, left %q", err, left)
				}
				return
			}
			refusedBy(t, err, "the database deleted", "people")
			if !slices.Equal(left, []string{"ann", "removed", "cy"}) {
				t.Errorf("left %q", left)
			}
		})
	}
}

// around makes connections that wrap the driver's, and may show it.
type around struct {
	source string
	shows  bool
}

func (around) Driver() driver.Driver { return &sqlite.Driver{} }

func (a around) Connect(context.Context) (driver.Conn, error) {
	inner, err := a.Driver().Open(a.source)
	if a.shows {
		return shown{struct{ driver.Conn }{inner}, inner}, err
	}
	return struct{ driver.Conn }{inner}, err
}

// shown is a connection that shows what it wraps.
type shown struct {
	driver.Conn
	inner driver.Conn
}

func (s shown) Raw() driver.Conn { return s.inner }

// TestADriverAround: a caller's driver that hides SQLite's is refused at once, and not when the first
// person is erased.
func TestADriverAround(t *testing.T) {
	t.Parallel()
	for _, shows := range []bool{true, false} {
		d := sqliteDB(t, "CREATE TABLE people (id INTEGER PRIMARY KEY, user_id INTEGER)")
		db := sql.OpenDB(around{sqliteDSN(d.source), shows})
		defer db.Close()
		s, err := New(t.Context(), small(t, "abilities: [gather, erase]\nneeds: [user]\nsql: {}", "people | table: people, key: [id], subject: {user: user_id}, erase: delete"), db, SQLite)
		if shows != (err == nil) || !shows && !strings.Contains(err.Error(), "Raw() driver.Conn") {
			t.Errorf("where the driver is shown %v: %v", shows, err)
		}
		if s != nil {
			defer s.Close()
		}
	}
}
