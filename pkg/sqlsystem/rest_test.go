package sqlsystem

import (
	"strings"
	"testing"
)

// TestRest: rows that no dataset of their table has are told of where there are some; not
// those that are another system's, or others than the person's.
func TestRest(t *testing.T) {
	t.Parallel()
	everyDatabase(t, `CREATE TABLE orders (id INTEGER PRIMARY KEY, email VARCHAR(100), status VARCHAR(10), tenant INTEGER, deleted_at VARCHAR(20));
		INSERT INTO orders VALUES (1, 'ann@example.com', 'a', 1, NULL), (2, 'bob@example.com', 'b', 1, NULL)`, func(t *testing.T, d database) {
		advised := func(system string, wheres ...string) string {
			t.Helper()
			var datasets []string
			for i, where := range wheres {
				datasets = append(datasets, "o"+string(rune('0'+i))+" | table: orders, key: [id], subject: {email: email}, erase: delete, where: "+where)
			}
			advice, err := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {"+system+"}", datasets...)).Rest(t.Context())
			if err != nil || len(advice) > 1 {
				t.Fatal(advice, err)
			}
			if len(advice) == 0 {
				return ""
			}
			return advice[0].String()
		}
		if got := advised("", "{status: a}", "{status: b}"); got != "" {
			t.Errorf("there is none: %s", got)
		}
		d.insert(t, "orders", 3, "ann@example.com", nil, 1, nil)
		for _, want := range []string{"the table orders has rows that no dataset has", "(o0, o1)", "where: {status: {not: [a, b]}}"} {
			if got := advised("", "{status: a}", "{status: b}"); !strings.Contains(got, want) {
				t.Errorf("%q lacks %q", got, want)
			}
		}
		if got := advised("", "{status: a}", "{status: {not: a}}"); got != "" {
			t.Errorf("all are someone's: %s", got)
		}
		if got := advised("where: {tenant: 2}", "{status: a}", "{status: b}"); got != "" {
			t.Errorf("another's rows are told of: %s", got)
		}
		if got := advised("", "{status: a}"); got != "" {
			t.Errorf("of one dataset: %s", got)
		}
		if got := advised("", "{deleted_at: null}"); got != "" {
			t.Errorf("nothing is deleted: %s", got)
		}
		d.insert(t, "orders", 4, "ann@example.com", "a", 1, "2026-01-01")
		if got := advised("", "{deleted_at: null}"); !strings.Contains(got, "the table orders has rows") || !strings.Contains(got, "where: {deleted_at: {not: null}}") {
			t.Errorf("deleted in name: %q", got)
		}
	})
}
