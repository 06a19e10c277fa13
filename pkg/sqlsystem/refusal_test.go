package sqlsystem

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// refuser is something in a database that keeps rows from going.
type refuser struct {
	name string
	// lite and pg make it, on the people of number 7, or on all notes; empty where
	// the database has no such thing.
	lite, pg, maria string
	// says is what the reason must hold, and secret what it must not.
	says   []string
	secret string
}

const raising = `CREATE FUNCTION %[1]s() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %[2]s END $$;; CREATE TRIGGER %[1]s_trigger BEFORE DELETE ON people FOR EACH ROW EXECUTE FUNCTION %[1]s()`

const signalling = `CREATE TRIGGER %[1]s BEFORE DELETE ON people FOR EACH ROW BEGIN DECLARE m VARCHAR(200); IF OLD.id = 7 THEN %[2]s SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = m; END IF; END`

var refusers = []refuser{
	{
		name:  "a trigger in its own words",
		lite:  `CREATE TRIGGER posted_trigger BEFORE DELETE ON people WHEN old.id = 7 BEGIN SELECT RAISE(ABORT, 'posted entries can''t be deleted'); END`,
		maria: fmt.Sprintf(signalling, "posted_trigger", `SET m = 'posted entries can''t be deleted';`),
		pg:    fmt.Sprintf(raising, "posted", `IF old.id = 7 THEN RAISE EXCEPTION 'posted entries can''t be deleted'; END IF; RETURN old;`),
		says:  []string{"rows of people can't be deleted", "posted_trigger", "posted entries can't be deleted"},
	},
	{
		name:   "a trigger that quotes the row",
		pg:     fmt.Sprintf(raising, "quoting", `IF old.id = 7 THEN RAISE EXCEPTION 'never %', old.mail; END IF; RETURN old;`),
		maria:  fmt.Sprintf(signalling, "quoting_trigger", `SET m = CONCAT('never ', OLD.mail);`),
		lite:   `CREATE TRIGGER quoting_trigger BEFORE DELETE ON people WHEN old.id = 7 BEGIN SELECT RAISE(ABORT, 'never ' || old.mail); END`,
		says:   []string{"quoting_trigger refuses"},
		secret: "p7@example.com",
	},
	{
		name:   "a trigger that passes a row off as a constraint",
		pg:     fmt.Sprintf(raising, "lying", `IF old.id = 7 THEN RAISE EXCEPTION '%', old.mail USING ERRCODE = '23503', CONSTRAINT = old.mail, TABLE = old.mail; END IF; RETURN old;`),
		says:   []string{"refer to them by a foreign key"},
		secret: "p7@example.com",
	},
	{
		name:  "a foreign key",
		maria: `CREATE TABLE loans (person BIGINT, CONSTRAINT loans_person FOREIGN KEY (person) REFERENCES people (id));; INSERT INTO loans VALUES (7)`,
		lite:  `CREATE TABLE loans (person BIGINT REFERENCES people (id));; INSERT INTO loans VALUES (7)`,
		pg:    `CREATE TABLE loans (person BIGINT CONSTRAINT loans_person REFERENCES people (id));; INSERT INTO loans VALUES (7)`,
		says:  []string{"loans", "foreign key"},
	},
	{
		name: "a foreign key at the end of the transaction",
		lite: `CREATE TABLE loans (person BIGINT REFERENCES people (id) DEFERRABLE INITIALLY DEFERRED);; INSERT INTO loans VALUES (7)`,
		pg:   `CREATE TABLE loans (person BIGINT CONSTRAINT loans_person REFERENCES people (id) DEFERRABLE INITIALLY DEFERRED);; INSERT INTO loans VALUES (7)`,
		says: []string{"foreign key"},
	},
	{
		name: "a trigger that says nothing",
		pg:   fmt.Sprintf(raising, "silent", `IF old.id = 7 THEN RETURN NULL; END IF; RETURN old;`),
		lite: `CREATE TRIGGER silent_trigger BEFORE DELETE ON people WHEN old.id = 7 BEGIN SELECT RAISE(IGNORE); END`,
		says: []string{"1 rows are left", "silent_trigger"},
	},
	{
		name: "a rule",
		pg:   `CREATE RULE keep AS ON DELETE TO people WHERE old.id = 7 DO INSTEAD NOTHING`,
		says: []string{"1 rows are left", "the rule keep"},
	},
	{
		name:  "a CHECK that came later",
		maria: `ALTER TABLE notes ADD CONSTRAINT "signed" CHECK (id <> 7 OR body <> '(removed)')`,
		pg:    `ALTER TABLE notes ADD CONSTRAINT signed CHECK (id <> 7 OR body <> '(removed)')`,
		says:  []string{"rows of notes can't be changed", "(signed)"},
	},
}

// TestRefusals: of thirty people, whose rows the database refuses to let go needs
// attention at once, told what refuses; the others' erasure goes on.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, r := range refusers {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, d database) {
				made := r.lite
				switch d.dialect {
				case PostgreSQL:
					made = r.pg
				case MariaDB:
					made = r.maria
				}
				if made == "" {
					t.Skip("there is no such thing")
				}
				var subjects [][]worker.Identifier
				for i := range 30 {
					d.person(t, i, fmt.Sprintf("p%d@example.com", i), nil)
					d.insert(t, "notes", i, i, nil, "words")
					subjects = append(subjects, ids(fmt.Sprintf("customer %d", i)))
				}
				s := open(t, d, shop(t)) // which knows nothing of what comes later
				for stmt := range strings.SplitSeq(made, ";;") {
					if _, err := d.Exec(stmt); err != nil {
						t.Fatalf("%s: %v", stmt, err)
					}
				}
				jobs := jobsOf(dsar.Erasure, subjects...)
				if err := s.eraseAll(t.Context(), jobs); err != nil {
					t.Fatal(err)
				}
				for i, j := range jobs {
					if i != 7 {
						if j.Err != nil || len(j.Counts) != 2 {
							t.Errorf("person %d: %v, %v", i, j.Err, j.Counts)
						}
						continue
					}
					var typed *worker.Error
					if !errors.As(j.Err, &typed) || typed.Code != "refused" || !typed.Permanent() || j.Counts != nil {
						t.Fatalf("%v, %v", j.Err, j.Counts)
					}
					for _, part := range r.says {
						if !strings.Contains(typed.Reason, part) {
							t.Errorf("the reason lacks %q: %s", part, typed.Reason)
						}
					}
					if r.secret != "" && strings.Contains(typed.Error(), r.secret) {
						t.Errorf("the reason quotes the row: %s", typed.Reason)
					}
				}
				if left := d.column(t, "SELECT id FROM people"); !slices.Equal(left, []string{"7"}) {
					t.Errorf("left %v", left)
				}
				if left := d.column(t, "SELECT body FROM notes WHERE body <> '(removed)'"); len(left) != 1 {
					t.Errorf("notes are %v", left)
				}
			})
		})
	}
}

// TestRowSecurity: rows that a policy keeps from being deleted are told as left.
func TestRowSecurity(t *testing.T) {
	t.Parallel()
	d := limitedDB(t, postgresShop)
	d.fill(t)
	d.run(t, "ALTER TABLE notes ENABLE ROW LEVEL SECURITY")
	d.run(t, "CREATE POLICY all_read ON notes FOR SELECT USING (true)")
	s := d.mySystem(t, shop(t))
	jobs := jobsOf(dsar.Erasure, ids("customer 1"))
	err := s.eraseAll(t.Context(), jobs)
	var typed *worker.Error
	if err == nil {
		err = jobs[0].Err
	}
	if !errors.As(err, &typed) || typed.Code != "refused" || !strings.Contains(typed.Reason, "row security") {
		t.Errorf("%v", err)
	}
}

// TestRefusalsNameTheTable: what a database refuses of a table that a trigger writes to is said to
// be of that, and a table that isn't called as its dataset is named beside it; no name but one
// of the catalogue is told.
func TestRefusalsNameTheTable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, makes, wants string }{
		{"no null", "", "of audit_log takes no null"},
		{"a unique value", "INSERT INTO audit_log VALUES (1, 'x')", "of audit_log is another row's already"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			everyDatabase(t, "CREATE TABLE crm_people (id INTEGER PRIMARY KEY, email VARCHAR(100)); CREATE TABLE audit_log (id INTEGER PRIMARY KEY, what VARCHAR(100) NOT NULL); INSERT INTO crm_people VALUES (1, 'ann@example.com')", func(t *testing.T, d database) {
				written := "NULL"
				if c.makes != "" {
					written = "'y'"
					d.exec(t, c.makes)
				}
				d.exec(t, "CREATE TRIGGER logs AFTER DELETE ON crm_people BEGIN INSERT INTO audit_log VALUES (OLD.id, "+written+")! END")
				j := erasing(t, d, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", ids("email ann@example.com"), "people | table: crm_people, key: [id], subject: {email: email}, erase: delete, cascades: [audit_log]")
				wants := c.wants
				if d.dialect == MariaDB { // whose error doesn't say of which table
					_, wants, _ = strings.Cut(wants, "audit_log ")
				}
				refusedBy(t, j.Err, "rows of people (table crm_people) can't be deleted", wants, "(the trigger ", "change what writes there")
			})
		})
	}
}

// TestSchemaChangedNamesTheTable: where a table isn't as it was any more, it is named, with the
// dataset for which it was asked.
func TestSchemaChangedNamesTheTable(t *testing.T) {
	t.Parallel()
	everyDatabase(t, "CREATE TABLE crm_people (id INTEGER PRIMARY KEY, email VARCHAR(100))", func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", "people | table: crm_people, key: [id], subject: {email: email}, erase: delete"))
		d.exec(t, "DROP TABLE crm_people")
		refusedBy(t, s.countAll(t.Context(), jobsOf(dsar.Erasure, ids("email ann@example.com"))), "(dataset people, table crm_people)")
	})
}

// TestForbiddenBesideIsNamed: where a trigger may not use a table, that is what is to be granted,
// and not what the user has.
func TestForbiddenBesideIsNamed(t *testing.T) {
	t.Parallel()
	d := limitedDB(t, postgresShop)
	d.fill(t)
	d.database.exec(t, "CREATE TABLE audit_log (id INTEGER); CREATE TRIGGER logs AFTER DELETE ON people BEGIN INSERT INTO audit_log VALUES (OLD.id)! END")
	s := d.mySystem(t, shop(t))
	s.datasets[0].SQL.Cascades = append(s.datasets[0].SQL.Cascades, "audit_log")
	jobs := jobsOf(dsar.Erasure, ids("customer 1"))
	if err := s.eraseAll(t.Context(), jobs); err != nil {
		t.Fatal(err)
	}
	said := ""
	for _, c := range jobs[0].Counts {
		if c.Dataset == "people" {
			said = c.Uncovered
		}
	}
	if jobs[0].Err != nil || !strings.Contains(said, "may not use the table audit_log") || strings.Contains(said, "grant it DELETE") {
		t.Errorf("%v, %q", jobs[0].Err, said)
	}
}
