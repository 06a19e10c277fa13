package truth

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// TestCase10ConstantIntoAUniqueColumn: what the database would refuse of the values that
// an erasure sets is found before the first request, whichever constraint it is; and what
// fits works for every person after the first.
func TestCase10ConstantIntoAUniqueColumn(t *testing.T) {
	t.Parallel()
	const text = `
system: crm
datasets:
- {name: people, columns: [id, email], subject: {email: email}, anonymise: {email: null, %s}, technical: [a, b, c]}
`
	type try struct {
		name, columns, after, set string
		says                      []string // none: it works, for all people
		filled                    bool     // a holds something before
		only                      kind
	}
	for _, c := range []try{
		{filled: true, name: "unique", columns: "a TEXT UNIQUE NOT NULL, b TEXT, c TEXT", set: "a: erased", says: []string{"a", "unique"}},
		{filled: true, name: "value of its own", columns: "a TEXT UNIQUE NOT NULL, b TEXT, c TEXT", set: "a: 'erased-{id}'"},
		{name: "unique over two columns", columns: "a TEXT, b TEXT, c TEXT, UNIQUE (a, b)", set: "a: erased, b: erased", says: []string{"unique"}},
		{name: "unique over two columns, one of its own", columns: "a TEXT, b TEXT, c TEXT, UNIQUE (a, b)", set: "a: erased, b: '{id}'"},
		{name: "unique over two columns, one null", columns: "a TEXT, b TEXT, c TEXT, UNIQUE (a, b)", set: "a: erased, b: null"},
		{name: "partial unique index", columns: "a TEXT, b TEXT, c TEXT", after: "CREATE UNIQUE INDEX people_a ON people(a) WHERE b IS NOT NULL", set: "a: erased, b: x", says: []string{"unique"}},
		{name: "unique expression", columns: "a TEXT, b TEXT, c TEXT", after: "CREATE UNIQUE INDEX people_a ON people(lower(a))", set: "a: erased", says: []string{"unique"}},
		{filled: true, name: "not null", columns: "a TEXT NOT NULL, b TEXT, c TEXT", set: "a: null", says: []string{"a", "null"}},
		{name: "check", columns: "a TEXT CHECK (a LIKE 'C-%'), b TEXT, c TEXT", set: "a: erased", says: []string{"a"}},
		{name: "check over two columns", columns: "a TEXT, b TEXT, c TEXT, CHECK (a IS NULL OR b IS NOT NULL)", set: "a: x, b: null", says: []string{"a"}},
		{name: "check that it passes", columns: "a TEXT CHECK (length(a) > 2), b TEXT, c TEXT", set: "a: erased"},
		{name: "varchar", columns: "a VARCHAR(4), b TEXT, c TEXT", set: "a: erased", says: []string{"a"}, only: postgreSQL},
		{name: "integer", columns: "a INTEGER, b TEXT, c TEXT", set: "a: erased", says: []string{"a"}, only: postgreSQL},
		{name: "integer that is one", columns: "a INTEGER, b TEXT, c TEXT", set: "a: 0"},
		{name: "generated", columns: "a TEXT GENERATED ALWAYS AS (lower(b)) STORED, b TEXT, c TEXT", set: "a: erased", says: []string{"a"}, only: postgreSQL},
		{name: "foreign key", columns: "a INTEGER REFERENCES people(id), b TEXT, c TEXT", set: "a: 0", says: []string{"a"}},
		{name: "exclusion constraint", columns: "a TEXT, b TEXT, c TEXT, EXCLUDE (a WITH =)", set: "a: erased", says: []string{"a"}, only: postgreSQL},
		{filled: true, name: "not null without a default", columns: "a DATE NOT NULL, b TEXT, c TEXT", set: "a: never", says: []string{"a"}, only: postgreSQL},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(s *scene) {
				if c.only != "" && c.only != s.kind {
					s.Skip("a matter of " + c.only)
				}
				s.tries10(fmt.Sprintf(text, c.set), "CREATE TABLE people(id INTEGER PRIMARY KEY, email TEXT, "+c.columns+")", c.after, c.filled, c.says)
			})
		})
	}
	t.Run("an enum and a domain", func(t *testing.T) {
		t.Parallel()
		for set, says := range map[string][]string{"a: erased": {"a"}, "a: gone": nil, "b: erased": {"b"}, "b: 'C-0'": nil, "c: null": {"c", "null"}} {
			s := newScene(t, postgreSQL)
			db := newStore(t, postgreSQL)
			s.stores["crm"] = db
			db.exec("CREATE TYPE state AS ENUM ('here', 'gone')")
			db.exec("CREATE DOMAIN code AS TEXT CHECK (VALUE LIKE 'C-%')")
			db.exec("CREATE DOMAIN name AS TEXT NOT NULL DEFAULT 'x'")
			s.tries10(fmt.Sprintf(text, set), "CREATE TABLE people(id INTEGER PRIMARY KEY, email TEXT, a state, b code, c "+db.schema+".name DEFAULT 'x')", "", false, says)
		}
	})
}

// tries10 fails unless a manifest is refused at start with some words; or, with none,
// erases two people one after the other.
func (s *scene) tries10(text, table, after string, filled bool, says []string) {
	s.Helper()
	db := s.system(text, table)
	if after != "" {
		db.exec(after)
	}
	for p, person := range []string{"anna", "sam"} {
		if filled {
			db.exec("INSERT INTO people(id, email, a) VALUES (?, ?, ?)", 1+p, person+"@example.com", fmt.Sprintf("2020-01-0%d", 1+p))
		} else {
			db.exec("INSERT INTO people(id, email) VALUES (?, ?)", 1+p, person+"@example.com")
		}
	}
	if says != nil {
		s.refusedAtStart(says...)
		return
	}
	s.begin()
	for _, person := range []string{"anna", "sam"} {
		s.numbers(s.completes(dsar.Erasure, "email "+person+"@example.com"), "crm", "people", 1, 1, 0)
	}
	s.holds("crm", "SELECT email FROM people", "-", "-")
}

// TestCase11ATriggerThatRefuses: whoever's row the database refuses needs a person at
// once, told by trigger, rule or constraint; the others of the batch are erased.
func TestCase11ATriggerThatRefuses(t *testing.T) {
	t.Parallel()
	const people = 30
	refusals := map[kind]map[string][]string{
		sqLite: {
			"CREATE TRIGGER posted BEFORE DELETE ON entries WHEN old.posted = 1 BEGIN SELECT RAISE(ABORT, 'posted entries can''t be deleted'); END":                {"posted"},
			"CREATE TABLE audits(id INTEGER PRIMARY KEY, entry_id INTEGER REFERENCES entries(id)); INSERT INTO audits VALUES (1, 7)":                               {},
			"CREATE TABLE audits(id INTEGER PRIMARY KEY, entry_id INTEGER REFERENCES entries(id) DEFERRABLE INITIALLY DEFERRED); INSERT INTO audits VALUES (1, 7)": {},
			"CREATE TRIGGER posted BEFORE DELETE ON entries WHEN old.posted = 1 BEGIN SELECT RAISE(IGNORE); END":                                                   {"entries"},
			"CREATE TABLE audits(id INTEGER PRIMARY KEY, entry_id INTEGER REFERENCES entries(id) ON DELETE RESTRICT); INSERT INTO audits VALUES (1, 7)":            {},
			"CREATE TABLE audits(id INTEGER PRIMARY KEY, entry_id INTEGER NOT NULL REFERENCES entries(id) ON DELETE SET NULL); INSERT INTO audits VALUES (1, 7)":   {},
			"CREATE TRIGGER posted BEFORE DELETE ON entries WHEN old.posted = 1 BEGIN SELECT RAISE(FAIL, 'person-7@example.com may not go'); END":                  {},
			"CREATE TRIGGER posted AFTER DELETE ON entries WHEN old.posted = 1 BEGIN INSERT INTO entries VALUES (old.id, old.email, old.posted); END":              {},
		},
		postgreSQL: {
			"CREATE FUNCTION posted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.posted = 1 THEN RAISE EXCEPTION 'posted entries can''t be deleted'; END IF; RETURN OLD; END $$; CREATE TRIGGER posted BEFORE DELETE ON entries FOR EACH ROW EXECUTE FUNCTION posted()":                 {"posted entries can't be deleted"},
			"CREATE FUNCTION posted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.posted = 1 THEN RAISE EXCEPTION '% may not go', OLD.email; END IF; RETURN OLD; END $$; CREATE TRIGGER posted BEFORE DELETE ON entries FOR EACH ROW EXECUTE FUNCTION posted()":                          {"posted"},
			"CREATE FUNCTION posted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.posted = 1 THEN RAISE EXCEPTION 'not yet'; END IF; RETURN NULL; END $$; CREATE CONSTRAINT TRIGGER posted AFTER DELETE ON entries DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION posted()": {"posted"},
			"CREATE FUNCTION posted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.posted = 1 THEN RETURN NULL; END IF; RETURN OLD; END $$; CREATE TRIGGER posted BEFORE DELETE ON entries FOR EACH ROW EXECUTE FUNCTION posted()":                                                        {"posted"},
			"CREATE RULE posted AS ON DELETE TO entries WHERE OLD.posted = 1 DO INSTEAD NOTHING":                                                                                      {"posted"},
			"CREATE TABLE audits(id INTEGER PRIMARY KEY, entry_id INTEGER CONSTRAINT audited REFERENCES entries(id)); INSERT INTO audits VALUES (1, 7)":                               {"audited"},
			"CREATE TABLE audits(id INTEGER PRIMARY KEY, entry_id INTEGER CONSTRAINT audited REFERENCES entries(id) DEFERRABLE INITIALLY DEFERRED); INSERT INTO audits VALUES (1, 7)": {"audited"},
			"CREATE TABLE audits(id INTEGER PRIMARY KEY, entry_id INTEGER NOT NULL CONSTRAINT audited REFERENCES entries(id) ON DELETE SET NULL); INSERT INTO audits VALUES (1, 7)":   {"audit"},
		},
	}
	for k, cases := range refusals {
		for ddl, says := range cases {
			t.Run(fmt.Sprintf("%s/%.60s", k, strings.ReplaceAll(ddl, "/", "")), func(t *testing.T) {
				t.Parallel()
				s := newScene(t, k)
				db := s.system(`
system: ledger
technical: [audits]
datasets:
- {name: entries, columns: [id, email], subject: {email: email}, technical: [posted]}
`, "CREATE TABLE entries(id INTEGER PRIMARY KEY, email TEXT, posted INTEGER)")
				for p := range people {
					db.row("entries", p, email(p), map[bool]int{true: 1}[p == 7])
				}
				for statement := range strings.SplitSeq(ddl, "; CREATE TRIGGER") {
					if statement != ddl && strings.HasPrefix(statement, " ") {
						statement = "CREATE TRIGGER" + statement
					}
					db.exec(statement)
				}
				s.quiet = true
				s.begin()
				ids := make([]string, people)
				for p := range people {
					ids[p] = s.submits(dsar.Erasure, "email "+email(p))
				}
				for s.deliver() {
				}
				for p, id := range ids {
					state := s.play(id)
					if p == 7 {
						s.stops(state, "ledger", says...)
						s.silentReason(state, "person-7")
						continue
					}
					if state.Status != core.StatusCompleted {
						s.Errorf("person %d: %s %s", p, state.Status, ends(state))
					}
				}
				if s.now.Sub(today) > time.Minute {
					s.Errorf("it took until %s", s.now)
				}
				s.holds("ledger", "SELECT id FROM entries", "7")
			})
		}
	}
}

// silentReason fails where a reason or code of a request's tasks says some words.
func (s *scene) silentReason(state core.State, words ...string) {
	s.Helper()
	for _, t := range state.Tasks {
		for _, w := range words {
			if strings.Contains(t.End.Reason+t.End.Code, w) {
				s.Errorf("%s of %s says %q: %s", t.Action, t.System, w, t.End.Reason)
			}
		}
	}
}
