package sqlsystem

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
)

// TestDeedsOf: what a body says that it does to which table is read, however it is written.
func TestDeedsOf(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][]deed{
		"INSERT INTO log VALUES ('DELETE FROM users')":                                                            {{table: "log", inserts: true}},
		"INSERT OR IGNORE INTO \"Log\" VALUES (1)":                                                                {{table: "log", inserts: true}},
		"insert or replace into main.[log] values (1)":                                                            {{table: "log", inserts: true, deletes: true}},
		"REPLACE INTO `shop`.`log` VALUES (1)":                                                                    {{table: "log", inserts: true, deletes: true}},
		"INSERT IGNORE log SET a = 1 ON DUPLICATE KEY UPDATE hits = hits + 1":                                     {{table: "log", inserts: true, updates: true}},
		"INSERT INTO log VALUES (1) ON CONFLICT (id) DO UPDATE SET n = 1":                                         {{table: "log", inserts: true, updates: true}},
		"UPDATE ONLY a.users SET x = replace(x, 'a', 'b') -- DELETE FROM b":                                       {{table: "users", updates: true}},
		"UPDATE OR REPLACE users SET x = 1":                                                                       {{table: "users", updates: true, deletes: true}},
		"PERFORM 1 FROM users FOR UPDATE SKIP LOCKED; DELETE FROM ONLY x":                                         {{table: "x", deletes: true}},
		"FOR r IN SELECT * FROM users FOR UPDATE LOOP DELETE FROM x":                                              {{table: "x", deletes: true}},
		"SELECT 1 FROM users FOR NO KEY UPDATE OF users; UPDATE wait SET a=1":                                     {{table: "wait", updates: true}},
		`UPDATE "default" SET a = 1; INSERT INTO values SELECT 1`:                                                 {{table: "default", updates: true}, {table: "values", inserts: true}},
		"MERGE INTO x USING b ON true WHEN NOT MATCHED THEN INSERT VALUES (1) WHEN MATCHED THEN UPDATE SET a = 1": {{table: "x", inserts: true, updates: true, deletes: true}},
		"MERGE INTO x USING b ON true WHEN NOT MATCHED THEN INSERT DEFAULT VALUES":                                {{table: "x", inserts: true, updates: true, deletes: true}},
		"TRUNCATE TABLE users": {{table: "users", deletes: true, empties: true}},
		"MERGE INTO users USING b ON true WHEN MATCHED THEN DELETE": {{table: "users", inserts: true, updates: true, deletes: true}},
	} {
		if got := deedsOf(body); !slices.Equal(got, want) {
			t.Errorf("%s: %+v", body, got)
		}
	}
	known := map[string]bool{"users": true, "sessions": true}
	for body, want := range map[string][]deed{
		"DELETE s FROM users AS u JOIN sessions AS s ON s.u = u.id WHERE u.id = 1":          {{table: "users", deletes: true}, {table: "sessions", deletes: true}},
		"UPDATE users u, sessions s SET s.x = 1 WHERE u.id = s.u":                           {{table: "users", updates: true}, {table: "sessions", updates: true}},
		"SELECT id FROM users WHERE id = 1 FOR UPDATE; SET @x = 1":                          nil,
		"SELECT id INTO @u FROM users FOR UPDATE WAIT 5; DELETE FROM sessions WHERE u = @u": {{table: "sessions", deletes: true}},
	} {
		if got := deedsOfSeveral(body, known); !slices.Equal(got, want) {
			t.Errorf("%s: %+v", body, got)
		}
	}
	routines := []routine{{"p", "CALL q(); SELECT f(1)"}, {"q", ""}, {"f", "DELETE FROM users"}}
	if text, unread := withCalled("CALL shop.p(1)", routines); !slices.Equal(unread, []string{"q"}) || !slices.Equal(deedsOf(text), []deed{{table: "users", deletes: true}}) {
		t.Errorf("%q, %v", text, unread)
	}
}

// TestWhatALetTriggerSetsOff: where the manifest lets a trigger write to a table, what that sets
// off in turn, by triggers, foreign keys or procedures, is refused all the same.
func TestWhatALetTriggerSetsOff(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); CREATE TABLE log (id INTEGER PRIMARY KEY, what TEXT);
		CREATE TABLE sessions (id INTEGER PRIMARY KEY, email TEXT, log_id INTEGER REFERENCES log (id) ON DELETE CASCADE);
		INSERT INTO users VALUES (1, 'ann@example.com'), (2, 'bob@example.com'); INSERT INTO log VALUES (1, 'old'); INSERT INTO sessions VALUES (1, 'ann@example.com', NULL), (2, 'bob@example.com', NULL), (3, 'bob@example.com', 1)`
	const logs = "CREATE TRIGGER logs AFTER DELETE ON users BEGIN INSERT INTO log VALUES (OLD.id + 10, 'gone')! END"
	for _, c := range []struct {
		name, does string
		refused    bool
		maria      bool // only there
	}{
		{"nothing", logs, false, false},
		{"by an insert", logs + "; CREATE TRIGGER afterwards AFTER INSERT ON log BEGIN DELETE FROM sessions WHERE email = 'bob@example.com'! END", true, false},
		{"by a second one", logs + "; CREATE TABLE more (id INTEGER); CREATE TRIGGER afterwards AFTER INSERT ON log BEGIN INSERT INTO more VALUES (1)! END; CREATE TRIGGER last AFTER INSERT ON more BEGIN UPDATE sessions SET email = 'gone'! END", true, false},
		{"by a foreign key", "CREATE TRIGGER logs AFTER DELETE ON users BEGIN DELETE FROM log! END", true, false},
		{"by a foreign key, of a dataset that is let", "CREATE TRIGGER logs AFTER DELETE ON users BEGIN DELETE FROM log! END", true, false},
		{"by two foreign keys", "DROP TABLE sessions; CREATE TABLE more (id INTEGER PRIMARY KEY, log_id INTEGER REFERENCES log (id) ON DELETE CASCADE); CREATE TABLE sessions (id INTEGER PRIMARY KEY, email TEXT, more_id INTEGER REFERENCES more (id) ON DELETE CASCADE);" +
			"INSERT INTO more VALUES (7, 1); INSERT INTO sessions VALUES (1, 'ann@example.com', NULL), (2, 'bob@example.com', NULL), (3, 'bob@example.com', 7); CREATE TRIGGER logs AFTER DELETE ON users BEGIN DELETE FROM log! END", true, false},
		{"a dataset that is let itself", "CREATE TRIGGER logs AFTER DELETE ON users BEGIN DELETE FROM sessions! END", true, false},
		{"by a procedure", "CREATE PROCEDURE wipe() DELETE FROM sessions WHERE email = 'bob@example.com'; CREATE TRIGGER logs AFTER DELETE ON users BEGIN INSERT INTO log VALUES (OLD.id + 10, 'gone')! CALL wipe()! END", true, true},
		{"by a function", "CREATE FUNCTION wipe() RETURNS INTEGER\nBEGIN DELETE FROM sessions WHERE email = 'bob@example.com'! RETURN 1! END; CREATE TRIGGER logs AFTER DELETE ON users BEGIN INSERT INTO log VALUES (OLD.id + 10, wipe())! END", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			everyDatabase(t, schema, func(t *testing.T, d database) {
				if d.dialect == PostgreSQL && !strings.Contains(c.name, "foreign key") || c.maria && d.dialect == SQLite {
					t.Skip("it counts by table (TestLetsAreBounded), or knows no such thing")
				}
				if c.maria {
					d.Exec("SET GLOBAL log_bin_trust_function_creators = 1") // it may be on, or no use
				}
				d.exec(t, c.does)
				j := erasing(t, d, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", ids("email ann@example.com"),
					"users | table: users, key: [id], subject: {email: email}, erase: delete, cascades: [log, more"+map[bool]string{true: ", sessions"}[strings.Contains(c.name, "dataset that is let")]+"]",
					"sessions | table: sessions, key: [id], subject: {email: email}, erase: delete")
				if c.refused {
					refusedBy(t, j.Err)
				} else if j.Err != nil {
					t.Error(j.Err)
				}
				if bobs := d.column(t, "SELECT id FROM sessions WHERE email = 'bob@example.com' ORDER BY id"); !slices.Equal(bobs, []string{"2", "3"}) {
					t.Errorf("Bob's are %v", bobs)
				}
			})
		})
	}
}

// TestWhatGoesWithLetRows: what foreign keys take with the rows that a trigger deletes of a table
// which is let is counted where it may go, and told; where it is another person's, it is
// refused.
func TestWhatGoesWithLetRows(t *testing.T) {
	t.Parallel()
	everyDatabase(t, `CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(100)); CREATE TABLE log (id INTEGER PRIMARY KEY, what TEXT);
		CREATE TABLE carts (id INTEGER PRIMARY KEY, email VARCHAR(100), log_id INTEGER, FOREIGN KEY (log_id) REFERENCES log (id) ON DELETE CASCADE);
		INSERT INTO users VALUES (1, 'ann@example.com'), (2, 'bob@example.com'); INSERT INTO log VALUES (1, 'old'), (2, 'new'); INSERT INTO carts VALUES (1, 'ann@example.com', 1), (2, 'bob@example.com', 2), (3, 'bob@example.com', NULL)`, func(t *testing.T, d database) {
		d.exec(t, "CREATE TRIGGER logs AFTER DELETE ON users BEGIN DELETE FROM log! END")
		const users = "users | table: users, key: [id], subject: {email: email}, erase: delete, cascades: [log, carts]"
		j := erasing(t, d, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", ids("email ann@example.com"), users, "carts | table: carts, key: [id], subject: {email: email}, erase: delete")
		refusedBy(t, j.Err, "carts")
		if left := d.column(t, "SELECT id FROM carts ORDER BY id"); !slices.Equal(left, []string{"1", "2", "3"}) {
			t.Errorf("refused, and carts %v are left", left)
		}
		j = erasing(t, d, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", ids("email ann@example.com"), users)
		if j.Err != nil {
			t.Fatal(j.Err)
		}
		told := map[string]int{}
		for k, n := range j.taken {
			told[k.table] += n
		}
		if d.dialect == PostgreSQL && (told["log"] != 2 || told["carts"] != 2) {
			t.Errorf("what went is told as %v", j.taken)
		}
	})
}

// TestLetByBoth: where the database counts all tables together, cascades let rows of a table
// be written to by a trigger or go by a foreign key, not both, and the refusal and lint say
// which of the datasets is to name it.
func TestLetByBoth(t *testing.T) {
	t.Parallel()
	for _, onDelete := range []string{" ON DELETE CASCADE", ""} { // the second is the other cure
		t.Run(cmp.Or(strings.TrimSpace(onDelete), "NO ACTION"), func(t *testing.T) {
			t.Parallel()
			letByBoth(t, onDelete)
		})
	}
}

func letByBoth(t *testing.T, onDelete string) {
	t.Helper()
	everyDatabase(t, `CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(100)); CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, total INTEGER, FOREIGN KEY (user_id) REFERENCES users (id)`+onDelete+`);
		CREATE TABLE items (id INTEGER PRIMARY KEY, order_id INTEGER, price INTEGER, FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE);
		INSERT INTO users VALUES (1, 'ann@example.com'), (2, 'bob@example.com'); INSERT INTO orders VALUES (10, 1, 10), (20, 2, 5); INSERT INTO items VALUES (100, 10, 5), (101, 10, 5), (200, 20, 5)`, func(t *testing.T, d database) {
		if d.dialect == PostgreSQL {
			t.Skip("it counts by table (TestLetsAreBounded)")
		}
		d.exec(t, "CREATE TRIGGER totals AFTER DELETE ON items BEGIN UPDATE orders SET total = total - OLD.price WHERE id = OLD.order_id! END")
		erase := func(users, items string) (*counted, []Advice) {
			datasets := []string{"users | table: users, key: [id], subject: {email: email}, erase: delete, cascades: [" + users + "]",
				"orders | table: orders, key: [id], subject: {email: users.email}, via: [{table: users, on: {user_id: id}}], erase: delete",
				"items | table: items, key: [id], subject: {email: users.email}, via: [{table: orders, on: {order_id: id}}, {table: users, on: {user_id: id}}], erase: delete, cascades: [" + items + "]"}
			const head = "abilities: [gather, erase]\nneeds: [email]\nsql: {}"
			advice, err := open(t, d, small(t, head, datasets...)).Reaches(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return erasing(t, d, head, ids("email ann@example.com"), datasets...), advice
		}
		j, advice := erase("orders, items", "orders")
		if onDelete == "" {
			if j.Err != nil || len(advice) > 0 {
				t.Errorf("%v, %+v", j.Err, advice)
			}
			return
		}
		const cure = "name orders in the cascades of items and not in those of users, or take ON DELETE from the foreign key of orders (user_id) to users,"
		refusedBy(t, j.Err, "together with what foreign keys do", cure)
		if !slices.ContainsFunc(advice, func(a Advice) bool { return strings.HasPrefix(a.Cure, cure) }) {
			t.Errorf("lint says %+v", advice)
		}
		if j, advice := erase("", "orders"); j.Err != nil || len(advice) > 0 {
			t.Errorf("%v, %+v", j.Err, advice)
		}
		if left := d.column(t, "SELECT id FROM items"); !slices.Equal(left, []string{"200"}) {
			t.Errorf("items %v are left", left)
		}
	})
}

// TestEmptyingIsSaid: a trigger that empties a dataset's table is told of before anything is
// erased, and refused.
func TestEmptyingIsSaid(t *testing.T) {
	t.Parallel()
	d := postgresDB(t, "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); CREATE TABLE sessions (id INTEGER PRIMARY KEY, email TEXT); INSERT INTO users VALUES (1, 'ann@example.com'); INSERT INTO sessions VALUES (2, 'bob@example.com')")
	d.run(t, plTrigger("DELETE ON users", "TRUNCATE sessions")...)
	s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", "users | table: users, key: [id], subject: {email: email}, erase: delete, cascades: [sessions]", "sessions | table: sessions, key: [id], subject: {email: email}, erase: delete"))
	advice, err := s.Reaches(t.Context())
	if err != nil || !slices.ContainsFunc(advice, func(a Advice) bool {
		return strings.Contains(a.What, "empty (TRUNCATE)") && strings.Contains(a.What, "sessions")
	}) {
		t.Errorf("lint says %v, %v", advice, err)
	}
	jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
	refusedBy(t, cmp.Or(s.planAll(t.Context(), jobs), jobs[0].Err), "TRUNCATE")
}
