package sqlsystem

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
)

// shopPeople has Ann (1) and Bob (2).
const shopPeople = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, name TEXT); INSERT INTO users VALUES (1, 'ann@example.com', 'Ann'), (2, 'bob@example.com', 'Bob');"

// plTrigger makes a trigger of PostgreSQL that does something when rows of a table are
// deleted or updated.
func plTrigger(when, does string) []string {
	name := "f" + strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, when)
	return []string{"CREATE FUNCTION " + name + "() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + does + "; RETURN NULL; END $$", "CREATE TRIGGER " + name + " AFTER " + when + " FOR EACH ROW EXECUTE FUNCTION " + name + "()"}
}

// TestOfAWhole: where a table has heirs or partitions, a key is one row of one of them, and
// what goes of another isn't covered by what was to go.
func TestOfAWhole(t *testing.T) {
	t.Parallel()
	const heirs = shopPeople + "CREATE TABLE vips (perk TEXT, PRIMARY KEY (id)) INHERITS (users); INSERT INTO vips VALUES (1, 'bob@example.com', 'Bob', 'car'), (3, 'ann@example.com', 'Ann', 'boat')"
	const users = "users | table: users, key: [id], subject: {email: email}, "
	const parts = "CREATE TABLE users (id INTEGER, email TEXT, name TEXT, region TEXT, PRIMARY KEY (id, region)) PARTITION BY LIST (region); CREATE TABLE users_eu PARTITION OF users FOR VALUES IN ('eu'); CREATE TABLE users_us PARTITION OF users FOR VALUES IN ('us'); INSERT INTO users VALUES (1, 'ann@example.com', 'Ann', 'eu'), (1, 'bob@example.com', 'Bob', 'us')"
	for _, c := range []struct {
		name, schema string
		does         []string
		dataset      string
		refused      bool
		left         []string
	}{
		{"heirs, deleted", heirs, nil, users + "erase: delete", false, []string{"bob@example.com Bob", "bob@example.com Bob"}},
		{"heirs, set", heirs, nil, users + "set: {email: null, name: gone}", false, []string{"- gone", "- gone", "bob@example.com Bob", "bob@example.com Bob"}},
		{"partitions", parts, nil, "users | table: users, key: [id, region], subject: {email: email}, erase: delete", false, []string{"bob@example.com Bob"}},
		{"partitions, and a trigger deletes", parts, plTrigger("DELETE ON users_eu", "DELETE FROM users WHERE region = 'us' AND id = OLD.id"), "users | table: users, key: [id, region], subject: {email: email}, erase: delete", true, []string{"ann@example.com Ann", "bob@example.com Bob"}},
		{"partitions, and a trigger sets", parts, plTrigger("UPDATE ON users_eu", "UPDATE users SET name = 'gone' WHERE region = 'us' AND id = OLD.id"), "users | table: users, key: [id, region], subject: {email: email}, set: {email: null, name: gone}", true, []string{"ann@example.com Ann", "bob@example.com Bob"}},
		{"heirs, and a trigger deletes", heirs, plTrigger("DELETE ON users", "EXECUTE 'DELETE FROM vi' || 'ps WHERE id = 1'"), users + "erase: delete", true, []string{"ann@example.com Ann", "ann@example.com Ann", "bob@example.com Bob", "bob@example.com Bob"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := postgresDB(t, c.schema)
			d.run(t, c.does...)
			j := erasing(t, d, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", ids("email ann@example.com"), c.dataset)
			if c.refused {
				refusedBy(t, j.Err, "undone")
			} else if j.Err != nil {
				t.Error(j.Err)
			}
			if left := d.column(t, "SELECT coalesce(email, '-') || ' ' || name FROM users ORDER BY 1"); !slices.Equal(left, c.left) {
				t.Errorf("left %q", left)
			}
		})
	}
	t.Run("an heir without a key", func(t *testing.T) {
		t.Parallel()
		d := postgresDB(t, shopPeople+"CREATE TABLE vips (perk TEXT) INHERITS (users)")
		_, err := Open(t.Context(), small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", users+"erase: delete"), d.source)
		if err == nil || !strings.Contains(err.Error(), "vips") || !strings.Contains(err.Error(), "unique index") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a dataset of a part", func(t *testing.T) {
		t.Parallel()
		d := postgresDB(t, heirs)
		_, err := Open(t.Context(), small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", users+"erase: delete", "vips | table: vips, key: [id], subject: {email: email}, erase: delete"), d.source)
		if err == nil || !strings.Contains(err.Error(), "those of dataset users already") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("an heir that came later", func(t *testing.T) {
		t.Parallel()
		d := postgresDB(t, shopPeople+"CREATE TABLE elder (n INTEGER); CREATE TABLE younger () INHERITS (elder)")
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", users+"erase: delete"))
		d.run(t, "DROP TABLE younger", "CREATE TABLE vips (perk TEXT, PRIMARY KEY (id)) INHERITS (users)", "INSERT INTO vips VALUES (1, 'bob@example.com', 'Bob', 'car')") // as many heirs as before
		jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
		refusedBy(t, cmp.Or(s.eraseAll(t.Context(), jobs), jobs[0].Err), "start it anew")
	})
}

// TestLetsAreBounded: where the manifest lets rows go, or lose their reference, those that refer
// to what is erased may, and a trigger may do so once more to the same; no others.
func TestLetsAreBounded(t *testing.T) {
	t.Parallel()
	invoices := shopPeople + "CREATE TABLE invoices (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id) ON DELETE %, email TEXT, body TEXT); INSERT INTO invoices VALUES (10, 1, 'ann@example.com', 'a'), (20, 2, 'bob@example.com', 'b'), (21, 2, 'bob@example.com', 'c')"
	unlinks, cascades := strings.Replace(invoices, "%", "SET NULL", 1), strings.Replace(invoices, "%", "CASCADE", 1)
	const users = "users | table: users, key: [id], subject: {email: email}, erase: delete, "
	const own = "invoices | table: invoices, key: [id], subject: {email: email}, erase: keep, why: {en: Duty., fr: Devoir.}"
	for _, c := range []struct {
		name, schema string
		does         []string
		datasets     []string
		refused      bool
	}{
		{"unlinks, of a dataset", unlinks, nil, []string{users + "unlinks: [invoices]", own}, false},
		{"unlinks, of none", unlinks, nil, []string{users + "unlinks: [invoices]"}, false},
		{"the same rows once more", unlinks, plTrigger("UPDATE OF user_id ON invoices", "UPDATE invoices SET body = body || '!' WHERE id = OLD.id"), []string{users + "unlinks: [invoices]", own}, false},
		{"the same rows once more, of none", unlinks, plTrigger("UPDATE OF user_id ON invoices", "UPDATE invoices SET body = body || '!' WHERE id = OLD.id"), []string{users + "unlinks: [invoices]"}, false},
		{"others of a dataset", unlinks, plTrigger("UPDATE OF user_id ON invoices", "UPDATE invoices SET body = 'wiped' WHERE id = 20"), []string{users + "unlinks: [invoices]", own}, true},
		{"others of none", unlinks, plTrigger("UPDATE OF user_id ON invoices", "UPDATE invoices SET body = 'wiped' WHERE id = 20"), []string{users + "unlinks: [invoices]"}, true},
		{"others in a block that catches errors", unlinks, plTrigger("UPDATE OF user_id ON invoices", "BEGIN UPDATE invoices SET body = 'wiped' WHERE id = 20; EXCEPTION WHEN division_by_zero THEN NULL; END"), []string{users + "unlinks: [invoices]", own}, true},
		{"others deleted where some lose their reference", unlinks, plTrigger("UPDATE OF user_id ON invoices", "DELETE FROM invoices WHERE id = 20"), []string{users + "unlinks: [invoices]"}, true},
		{"cascades", cascades, nil, []string{users + "cascades: [invoices]"}, false},
		{"others changed", cascades, plTrigger("DELETE ON invoices", "UPDATE invoices SET body = 'wiped' WHERE id <> OLD.id"), []string{users + "cascades: [invoices]"}, true},
		{"others deleted", cascades, plTrigger("DELETE ON users", "EXECUTE 'DELETE FROM invoices'"), []string{users + "cascades: [invoices]"}, true},
		{"others deleted, and none refers", cascades + "; DELETE FROM invoices WHERE id = 10", plTrigger("DELETE ON users", "DELETE FROM invoices"), []string{users + "cascades: [invoices]"}, true},
		{"emptied", cascades, plTrigger("DELETE ON users", "EXECUTE 'TRUN' || 'CATE invoices'"), []string{users + "cascades: [invoices]", "invoices | table: invoices, key: [id], subject: {email: email}, erase: delete"}, true},
		{"a dataset emptied", shopPeople + "CREATE TABLE invoices (id INTEGER, user_id INTEGER, email TEXT, body TEXT); INSERT INTO invoices VALUES (20, 2, 'bob@example.com', 'b'), (21, 2, 'bob@example.com', 'c')", plTrigger("DELETE ON users", "EXECUTE 'TRUN' || 'CATE invoices'"), []string{users + "after: [invoices]", "invoices | table: invoices, key: [ctid], subject: {email: email}, erase: delete"}, true},
		{"one of none emptied", shopPeople + "CREATE TABLE invoices (id INTEGER, user_id INTEGER, email TEXT, body TEXT); INSERT INTO invoices VALUES (20, 2, 'bob@example.com', 'b'), (21, 2, 'bob@example.com', 'c')", plTrigger("DELETE ON users", "EXECUTE 'TRUN' || 'CATE invoices'"), []string{users + "after: []"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := postgresDB(t, c.schema)
			d.run(t, c.does...)
			j := erasing(t, d, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", ids("email ann@example.com"), c.datasets...)
			if c.refused {
				refusedBy(t, j.Err, "undone")
			} else if j.Err != nil {
				t.Error(j.Err)
			}
			if bobs := d.column(t, "SELECT concat_ws(' ', id, user_id, email, body) FROM invoices WHERE id >= 20 ORDER BY 1"); !slices.Equal(bobs, []string{"20 2 bob@example.com b", "21 2 bob@example.com c"}) {
				t.Errorf("Bob's are %q", bobs)
			}
			if there := len(d.column(t, "SELECT id FROM users WHERE id = 1")) == 1; there != c.refused {
				t.Errorf("Ann is there: %t", there)
			}
		})
	}
}

// TestLetsOfPartitions: what cascades let of a table they let of its partitions, also of those
// to come, within the same bounds; a refusal names the table, not this month's partition.
func TestLetsOfPartitions(t *testing.T) {
	t.Parallel()
	const of = " PARTITION BY RANGE (month); CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (1) TO (2); CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM (2) TO (3) PARTITION BY RANGE (month); CREATE TABLE log_2a PARTITION OF log_2 FOR VALUES FROM (2) TO (3); "
	const bobs = "INSERT INTO log VALUES (20, 1, 2, 'b', 'bob@example.com'), (21, 2, 2, 'c', 'bob@example.com')"
	const free = shopPeople + "CREATE TABLE log (id INTEGER, month INTEGER, user_id INTEGER, body TEXT, email TEXT, PRIMARY KEY (id, month))" + of + bobs
	const refers = shopPeople + "CREATE TABLE log (id INTEGER, month INTEGER, user_id INTEGER REFERENCES users (id) ON DELETE CASCADE, body TEXT, email TEXT, PRIMARY KEY (id, month))" + of + "INSERT INTO log VALUES (10, 1, 1, 'a', 'ann@example.com'), (11, 2, 1, 'a', 'ann@example.com'); " + bobs
	users := func(cascades string) string {
		return "users | table: users, key: [id], subject: {email: email}, erase: delete, cascades: [" + cascades + "]"
	}
	const own = "log | table: log, key: [id, month], subject: {email: email}, erase: keep, why: {en: Duty., fr: Devoir.}"
	adds := plTrigger("DELETE ON users", "INSERT INTO log VALUES (30, 1, 9, 'gone', ''), (31, 2, 9, 'gone', '')")
	for _, c := range []struct {
		name, schema string
		does         []string
		datasets     []string
		refused      string // what the reason names
	}{
		{"a trigger adds", free, adds, []string{users("log")}, ""},
		{"a trigger adds to a dataset's", free, adds, []string{users("log"), own}, ""},
		{"a trigger adds to a dataset's, and nothing is let", free, adds, []string{users(""), own}, "name log in the cascades"},
		{"a trigger adds, and nothing is let", free, plTrigger("DELETE ON users", "EXECUTE 'INSERT INTO lo' || 'g VALUES (31, 2, 9, ''gone'', '''')'"), []string{users("")}, "name log in the cascades"},
		{"a trigger deletes", free + "; INSERT INTO log VALUES (10, 2, 1, 'a', '')", plTrigger("DELETE ON users", "DELETE FROM log WHERE user_id = OLD.id"), []string{users("log")}, ""},
		{"a foreign key", refers, nil, []string{users("log")}, ""},
		{"a foreign key, and a trigger changes others", refers, plTrigger("DELETE ON log", "UPDATE log SET body = 'wiped' WHERE id = 21"), []string{users("log")}, "rows of log"},
		{"a foreign key, and a trigger deletes others", refers, plTrigger("DELETE ON users", "DELETE FROM log WHERE id = 21"), []string{users("log")}, "rows more of log"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := postgresDB(t, c.schema)
			d.run(t, c.does...)
			j := erasing(t, d, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", ids("email ann@example.com"), c.datasets...)
			if c.refused != "" {
				refusedBy(t, j.Err, c.refused)
			} else if j.Err != nil {
				t.Error(j.Err)
			}
			if left := d.column(t, "SELECT concat_ws(' ', id, body) FROM log WHERE user_id = 2 ORDER BY 1"); !slices.Equal(left, []string{"20 b", "21 c"}) {
				t.Errorf("Bob's are %q", left)
			}
			if anns := d.column(t, "SELECT id FROM log WHERE user_id = 1"); c.refused == "" && len(anns) > 0 {
				t.Errorf("Ann's %v are left", anns)
			}
			for of := range j.taken {
				if of.table != "log" {
					t.Errorf("told as of %s", of.table)
				}
			}
		})
	}
}
