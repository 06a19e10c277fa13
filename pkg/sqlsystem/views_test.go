package sqlsystem

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/worker"
)

// TestViewsThatOnlyHide: rows are erased through a view only where they are gone from the table that
// it reads. What a trigger or rule does in the database's place is refused, at the start or, where it
// came later, by plan and erasure, and all rows are as they were.
func TestViewsThatOnlyHide(t *testing.T) {
	t.Parallel()
	const schema = "CREATE TABLE base (id INTEGER PRIMARY KEY, person INTEGER, name VARCHAR(20), hidden INTEGER DEFAULT 0); INSERT INTO base VALUES (1, 5, 'Ann', 0), (2, 6, 'Bob', 0); CREATE VIEW v AS SELECT id, person, name FROM base WHERE hidden = 0"
	const hides = "UPDATE base SET hidden = 1 WHERE id = OLD.id"
	const deletes, sets = "erase: delete", "set: {person: null, name: null}"
	instead := func(event, does string) string {
		return "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + does + "; RETURN OLD; END $$;; CREATE TRIGGER t INSTEAD OF " + event + " ON v FOR EACH ROW EXECUTE FUNCTION f()"
	}
	for _, c := range []struct {
		name, lite, pg, erase string
		goes                  bool
		later                 bool // only the count at the end tells
	}{
		{name: "a trigger that hides", erase: deletes,
			lite: "CREATE TRIGGER t INSTEAD OF DELETE ON v BEGIN " + hides + "; END", pg: instead("DELETE", hides)},
		{name: "a trigger that hides what is set", erase: sets,
			lite: "CREATE TRIGGER t INSTEAD OF UPDATE ON v BEGIN " + hides + "; END", pg: instead("UPDATE", hides)},
		{name: "a trigger that copies", erase: deletes,
			lite: "CREATE TRIGGER t INSTEAD OF DELETE ON v BEGIN INSERT INTO base SELECT id + 10, person, name, 1 FROM base WHERE id = OLD.id; DELETE FROM base WHERE id = OLD.id; END",
			pg:   instead("DELETE", "INSERT INTO base SELECT id + 10, person, name, 1 FROM base WHERE id = OLD.id; DELETE FROM base WHERE id = OLD.id")},
		{name: "a rule that hides", erase: deletes, pg: "CREATE RULE r AS ON DELETE TO v DO INSTEAD " + hides},
		{name: "a rule of the table", erase: deletes, pg: "CREATE RULE r AS ON DELETE TO base DO INSTEAD " + hides},
		{name: "a rule for what is set", erase: sets, pg: "CREATE RULE r AS ON UPDATE TO v DO INSTEAD " + hides},
		{name: "a trigger that runs", erase: deletes, pg: instead("DELETE", "DELETE FROM base WHERE id = -OLD.id; EXECUTE 'UP' || 'DATE base SET hidden = 1 WHERE id = $1' USING OLD.id")},
		{name: "a view of the view", erase: deletes, pg: instead("DELETE", hides) + ";; ALTER VIEW v RENAME TO w;; CREATE VIEW v AS SELECT * FROM w"},
		{name: "a trigger of the table that keeps the row", erase: deletes, later: true,
			lite: "CREATE TRIGGER t INSTEAD OF DELETE ON v BEGIN DELETE FROM base WHERE id = OLD.id; END;; CREATE TRIGGER k BEFORE DELETE ON base BEGIN " + hides + "; SELECT RAISE(IGNORE); END",
			pg:   "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + hides + "; RETURN NULL; END $$;; CREATE TRIGGER t BEFORE DELETE ON base FOR EACH ROW EXECUTE FUNCTION f()"},
		{name: "a trigger that deletes", erase: deletes, goes: true,
			lite: "CREATE TRIGGER t INSTEAD OF DELETE ON v BEGIN DELETE FROM base WHERE id = OLD.id; END", pg: instead("DELETE", "DELETE FROM base WHERE id = OLD.id")},
		{name: "a rule that deletes", erase: deletes, goes: true, pg: "CREATE RULE r AS ON DELETE TO v DO INSTEAD DELETE FROM base WHERE id = OLD.id"},
		{name: "a rule for something else", erase: deletes, goes: true, pg: "CREATE RULE r AS ON UPDATE TO v DO INSTEAD " + hides},
	} {
		for _, when := range []string{"at start", "later"} {
			t.Run(c.name+" "+when, func(t *testing.T) {
				t.Parallel()
				everyDatabase(t, schema, func(t *testing.T, d database) {
					made := map[Dialect]string{SQLite: c.lite, PostgreSQL: c.pg}[d.dialect]
					if made == "" {
						t.Skip("there is no such thing")
					}
					m := small(t, "abilities: [gather, erase]\nneeds: [user]\nsql: {}", "v | table: v, key: [id], subject: {user: person}, "+c.erase+", cascades: [base]")
					make := func() {
						for stmt := range strings.SplitSeq(made, ";;") {
							d.run(t, stmt)
						}
					}
					var s *System
					if when == "later" {
						s = open(t, d, m)
						make()
					} else {
						make()
						var err error
						s, err = Open(t.Context(), m, d.source)
						if !c.goes && !c.later {
							if err == nil || !strings.Contains(err.Error(), "name the table itself") || !strings.Contains(err.Error(), "small.yaml:") {
								t.Errorf("the start says %v", err)
							}
							return
						}
						if err != nil {
							t.Fatal(err)
						}
						defer s.Close()
					}
					err := eraseFive(t, s)[0].Err
					left := d.column(t, "SELECT name || hidden FROM base ORDER BY id")
					if c.goes {
						if err != nil || !slices.Equal(left, []string{"Bob0"}) {
							t.Errorf("%v, left %v", err, left)
						}
						return
					}
					var typed *worker.Error
					if !errors.As(err, &typed) || typed.Code != "reach" || !strings.Contains(typed.Reason, "name the table itself") {
						t.Errorf("got %v", err)
					}
					if !slices.Equal(left, []string{"Ann0", "Bob0"}) {
						t.Errorf("left %v", left)
					}
				})
			})
		}
	}
}
