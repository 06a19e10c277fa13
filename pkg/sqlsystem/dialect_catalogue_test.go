package sqlsystem

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// catalogue: foreign keys and what they do, triggers, constraints; and that it changed.
func (s suite) catalogue(t *testing.T) {
	d := s.make(t, `CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(190) NOT NULL UNIQUE, age INTEGER CHECK (age >= 0), twice INTEGER GENERATED ALWAYS AS (age * 2) STORED);
		CREATE TABLE orders (id INTEGER PRIMARY KEY, person INTEGER, CONSTRAINT goes FOREIGN KEY (person) REFERENCES people (id) ON DELETE CASCADE);
		CREATE TABLE visits (id INTEGER PRIMARY KEY, person INTEGER, CONSTRAINT detaches FOREIGN KEY (person) REFERENCES people (id) ON DELETE SET NULL);
		CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER, CONSTRAINT blocks FOREIGN KEY (person) REFERENCES people (id))`)
	sys := s.system(t, d)
	if err := sys.refresh(t.Context(), sys.db); err != nil {
		t.Fatal(err)
	}
	own, err := sys.describe(t.Context(), "people")
	if err != nil {
		t.Fatal(err)
	}
	mail, _ := own.column("mail", sys.dialect)
	twice, _ := own.column("twice", sys.dialect)
	age, _ := own.column("age", sys.dialect)
	if !mail.notNull || age.notNull || twice.made == "" || age.made != "" {
		t.Errorf("columns %+v", own.columns)
	}
	if !own.tells([]string{"mail"}) || own.tells([]string{"age"}) {
		t.Errorf("indexes %+v", own.indexes)
	}
	if len(own.checks) != 1 || !slices.Equal(own.checks[0].columns, []string{"age"}) {
		t.Errorf("checks %+v", own.checks)
	}
	want := map[string]onDelete{"orders": goes, "visits": detaches, "notes": blocks}
	for _, r := range sys.catalogue().to(own.relation.id) {
		if is, there := want[r.from.name]; !there || is != r.onDelete || !slices.Equal(r.columns, []string{"person"}) || !slices.Equal(r.targets, []string{"id"}) {
			t.Errorf("reference %+v", r)
		}
		delete(want, r.from.name)
	}
	if len(want) > 0 {
		t.Errorf("not found: %v", want)
	}
	if _, err := d.Exec("CREATE TABLE more (id INTEGER PRIMARY KEY, person INTEGER, FOREIGN KEY (person) REFERENCES people (id))"); err != nil {
		t.Fatal(err)
	}
	if err := sys.freshen(t.Context(), sys.db); err != nil || len(sys.catalogue().to(own.relation.id)) != 4 {
		t.Errorf("a new foreign key isn't seen: %v", err)
	}
}

// errors: what a database says is told apart.
func (s suite) errors(t *testing.T) {
	d := s.make(t, `CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(190) NOT NULL UNIQUE, age INTEGER CHECK (age >= 0));
		CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER, CONSTRAINT blocks FOREIGN KEY (person) REFERENCES people (id))`)
	sys := s.system(t, d)
	if err := sys.refresh(t.Context(), sys.db); err != nil {
		t.Fatal(err)
	}
	d.insert(t, "people", 1, "a", 1)
	d.insert(t, "people", 2, "b", 1)
	d.insert(t, "notes", 1, 1)
	own, err := sys.describe(t.Context(), "people")
	if err != nil {
		t.Fatal(err)
	}
	ds := &dataset{Dataset: &manifest.Dataset{Name: "people", SQL: &manifest.DatasetSQL{Table: "people"}}, own: own, relation: own.relation}
	for statement, want := range map[string]struct {
		is   reason
		says string
	}{
		"UPDATE people SET mail = 'a' WHERE id = 2":  {rowWrong, "another row's already"},
		"UPDATE people SET mail = NULL WHERE id = 2": {rowWrong, "takes no null"},
		"UPDATE people SET age = -1 WHERE id = 2":    {rowWrong, "breaks a constraint"},
		"DELETE FROM people WHERE id = 1":            {rowWrong, "notes"},
		"DELETE FROM nothing":                        {shape, ""},
		"UPDATE people SET nothing = 1":              {shape, ""},
	} {
		_, err := sys.db.ExecContext(t.Context(), statement)
		if reasonOf(err) != want.is {
			t.Errorf("%s: %v is of kind %d", statement, err, reasonOf(err))
		}
		said := sys.refusal(&rejected{ds, deleting, err})
		if want.is == rowWrong && (!strings.Contains(said, want.says) || strings.Contains(said, "'") && strings.Contains(said, "'a'")) {
			t.Errorf("%s: says %q", statement, said)
		}
		var c dsar.Cause
		sys.dialect.cause(sys, rejected{d: ds}, err, &c)
		if strings.Contains(fmt.Sprint(c), "'a'") {
			t.Errorf("%s: the cause quotes a row: %v", statement, c)
		}
	}
	if r := reasonOf(context.DeadlineExceeded); r != passing {
		t.Errorf("a call whose time is over is of kind %d", r)
	}
}

// transactions: what was counted is what is erased, and what is done is counted.
func (s suite) transactions(t *testing.T) {
	d := s.make(t, "CREATE TABLE things (id INTEGER PRIMARY KEY, word VARCHAR(190))")
	sys := s.system(t, d)
	for i := range 5 {
		d.insert(t, "things", i, "word")
	}
	err := sys.inTransaction(t.Context(), func(_ context.Context, tx *sql.Tx) error {
		sum := func() (deleted, changed int64) {
			all, err := sys.dialect.tallies(t.Context(), tx, "")
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range all {
				deleted, changed = deleted+one.deleted, changed+one.changed()
			}
			return deleted, changed
		}
		d0, c0 := sum()
		if _, err := tx.Exec("DELETE FROM things WHERE id < 2"); err != nil {
			return err
		}
		if _, err := tx.Exec("UPDATE things SET word = 'other' WHERE id = 4"); err != nil {
			return err
		}
		if d1, c1 := sum(); d1+c1-d0-c0 != 3 {
			t.Errorf("counted %d deleted and %d changed", d1-d0, c1-c0)
		}
		if err := sys.dialect.beforeCommit(t.Context(), tx); err != nil {
			return err
		}
		if loose, err := sys.dialect.dangling(t.Context(), tx); err != nil || len(loose) > 0 {
			t.Errorf("dangling %v, %v", loose, err)
		}
		return errRehearsed
	})
	if !errors.Is(err, errRehearsed) {
		t.Fatal(err)
	}
	if left := d.column(t, "SELECT id FROM things"); len(left) != 5 {
		t.Errorf("left %v after it was taken back", left)
	}
	if err := sys.looking(t.Context(), func(tx *sql.Tx) error { return each(t.Context(), tx, "SELECT id FROM things", func([]string) {}) }); err != nil {
		t.Error(err)
	}
}

// indexes: what serves is known, and what is advised serves.
func (s suite) indexes(t *testing.T) {
	d := s.make(t, "CREATE TABLE things (id INTEGER PRIMARY KEY, word VARCHAR(190), n INTEGER)")
	for i := range 100 {
		d.insert(t, "things", i, fmt.Sprintf("%d@example.com", i), i)
	}
	sys := s.system(t, d)
	own, err := sys.describe(t.Context(), "things")
	if err != nil {
		t.Fatal(err)
	}
	n, _ := own.column("n", sys.dialect)
	bare := s.dialect.quote("n")
	serves := func() bool {
		return sys.dialect.serves(t.Context(), sys, "things", n, asInteger, sys.dialect.compared(asInteger, bare, n), "")
	}
	if serves() || sys.dialect.follows(t.Context(), sys, own, "things", []string{"n"}) {
		t.Error("an index that isn't there serves")
	}
	if _, err := sys.db.ExecContext(t.Context(), sys.dialect.index(sys, &subject{match: match{"n", asInteger}, table: "things", column: "n", held: n, bare: bare})); err != nil {
		t.Fatal(err)
	}
	if is, follows := serves(), sys.dialect.follows(t.Context(), sys, own, "things", []string{"n"}); !is || !follows {
		t.Errorf("the index that was advised serves: %t, and joins: %t", is, follows)
	}
}
