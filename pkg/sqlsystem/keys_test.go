package sqlsystem

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"habeas.dev/pkg/dsar"
)

// TestKeysOfAnyKind: a row is erased by its own key, and no other that the database keeps
// apart from it goes: SQLite has 1, '1' and x'31' in one column, and texts that are none.
func TestKeysOfAnyKind(t *testing.T) {
	t.Parallel()
	lite := []string{"1", "'1'", "x'31'", "1.5", "'1.5'", "0.1", "0.1000000000000001", "'0.1'", "'a'", `'\x31'`, `'\t1'`, `'\u31'`, `'\'`, "'a' || char(0) || 'b'",
		"'a' || char(0)", "CAST(x'ff' AS TEXT)", "CAST(x'5cff' AS TEXT)", "x'ff'", "''", "x''", "-3", "'-3'", "9007199254740993", "'9007199254740993'", "9007199254740992", "1e300", "'1e300'", "' 1'", "'01'", "'1.50'"}
	for _, kind := range []string{"", "BLOB", "INTEGER", "TEXT", "VARCHAR(20)", "REAL", "NUMERIC", "ANY"} {
		t.Run("SQLite "+kind, func(t *testing.T) {
			t.Parallel()
			end := ""
			if kind == "ANY" {
				end = " STRICT"
			}
			d := sqliteDB(t, "CREATE TABLE things (k "+kind+", person INTEGER, UNIQUE (k))"+end)
			eachByItsKey(t, d, "INSERT OR IGNORE INTO things VALUES (%s, %d)", lite)
		})
	}
	for kind, values := range map[string][]string{
		"INTEGER[]":        {"'{1,2}'", "'{1}'", "'{}'", "'{{1},{2}}'", "'{NULL}'"},
		"TEXT[]":           {`'{a,b}'`, `'{"a,b"}'`, `'{NULL}'`, `'{"NULL"}'`, `'{""}'`},
		"BYTEA":            {`'\xff'`, `'\x'`, `'\x00'`, `'\x3030'`},
		"NUMERIC":          {"1", "1.5", "'NaN'", "12345678901234567890.12345678901234567890"},
		"DOUBLE PRECISION": {"0.1", "0.1000000000000001", "'infinity'", "1e300"},
		"TIMESTAMPTZ":      {"'2020-10-25 00:30:00Z'", "'2020-10-25 01:30:00Z'", "'infinity'", "'0044-03-15 BC'"},
		"JSONB":            {`'{"a": 1}'`, `'"a"'`, `'null'`, `'1'`, `'"1"'`},
		"INET":             {"'10.0.0.1'", "'10.0.0.1/8'", "'::1'"},
		"BOOLEAN":          {"true", "false"},
		"TEXT":             {`'a'`, `'A'`, `' a'`, `E'\t'`, `'\x31'`, `'{"a"}'`},
	} {
		t.Run("PostgreSQL "+kind, func(t *testing.T) {
			t.Parallel()
			d := postgresDB(t, "CREATE TABLE things (k "+kind+" UNIQUE, person INTEGER)")
			eachByItsKey(t, d, "INSERT INTO things VALUES (%s, %d)", values)
		})
	}
}

// eachByItsKey puts values into the key's column, one for each person, and erases them one
// after another.
func eachByItsKey(t *testing.T, d database, insert string, values []string) {
	t.Helper()
	for i, v := range values {
		if _, err := d.Exec(fmt.Sprintf(insert, v, i)); err != nil {
			t.Fatalf("%s: %v", v, err)
		}
	}
	s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [person]\nsql: {}", "things | table: things, key: [k], subject: {person: person}, erase: delete | k person"))
	left := d.column(t, "SELECT person FROM things ORDER BY person")
	if len(left) < 2 {
		t.Fatalf("%d rows", len(left))
	}
	for i := 0; len(left) > 0; i++ {
		at := 0
		if i%2 == 1 { // the first and the last in turn: whichever a wrong one would be taken for
			at = len(left) - 1
		}
		person := left[at]
		left = slices.Delete(left, at, at+1)
		jobs := jobsOf(dsar.Erasure, ids("person "+person))
		if err := cmp.Or(s.eraseAll(t.Context(), jobs), jobs[0].Err); err != nil {
			t.Fatalf("person %s: %v", person, err)
		}
		if got := d.column(t, "SELECT person FROM things ORDER BY person"); !slices.Equal(got, left) {
			t.Fatalf("person %s was erased: left %v, want %v", person, got, left)
		}
	}
}
