package sqlsystem

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// run runs statements that a test needs.
func (d database) run(t testing.TB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := d.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// TestMariaSources: what a data source can't say is refused, and what is wrong is told
// without a part of it.
func TestMariaSources(t *testing.T) {
	t.Parallel()
	for source, says := range map[string]string{
		"mysql://me:canary@localhost":                         "names no database",
		"mariadb://me:canary@localhost/shop?tls=perhaps":      "tls is",
		"mariadb://me:canary@localhost/shop?allowAllFiles=1":  "takes no",
		"mariadb://me:canary@localhost:port/shop":             "can't be read",
		"mariadb://me@localhost/shop?passfile=/none/canary":   "can't be read",
		"maria://me:canary@localhost/shop":                    "isn't known",
		"mariadb://me:canary@localhost/shop/more?tls=true":    "names no database",
		"mariadb://me:canary@localhost/shop?multiStatements=": "takes no",
	} {
		_, err := Open(t.Context(), shop(t), source)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", says, err)
		}
	}
}

// TestMariaSession: a session is strict, in UTC, and waits for no lock for long, whatever
// the server's own settings are.
func TestMariaSession(t *testing.T) {
	t.Parallel()
	d := mariaDB(t, mariaShop)
	s := open(t, d, shop(t))
	for name, want := range map[string]string{"sql_mode": "STRICT_ALL_TABLES", "time_zone": "+00:00", "innodb_lock_wait_timeout": "10", "lock_wait_timeout": "10", "foreign_key_checks": "1", "sql_safe_updates": "0", "max_statement_time": "600", "character_set_connection": "utf8mb4"} {
		err := each(t.Context(), s.db, "SELECT @@"+name, func(row []string) {
			if !strings.Contains(row[0], want) {
				t.Errorf("%s is %s", name, row[0])
			}
		})
		if err != nil {
			t.Error(err)
		}
	}
	if _, err := s.db.Exec("DELETE FROM notes; DELETE FROM notes"); err == nil {
		t.Error("two statements came as one")
	}
}

// TestMariaCollations: a collation that takes é for e, ß for ss, and blanks and case for
// nothing finds and erases only whose the rows are; with an index and without.
func TestMariaCollations(t *testing.T) {
	t.Parallel()
	for _, index := range []string{"", ", KEY (mail), KEY (code)"} {
		d := mariaDB(t, `CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(190), code VARCHAR(190) COLLATE utf8mb4_general_ci`+index+`);
			CREATE TABLE letters (id INTEGER PRIMARY KEY, mail VARCHAR(190) COLLATE utf8mb4_general_ci, KEY (mail))`)
		for i, v := range [][2]string{{"Émile@example.com ", "A1"}, {"emile@example.com", "a1"}, {"EMILE@example.com", "A1 "}, {"strasse@example.com", "Á1"}, {"straße@example.com", "😀"}, {"x@example.com", "😁"}} {
			d.insert(t, "people", i, v[0], v[1])
			d.insert(t, "letters", i, strings.ToLower(strings.TrimSpace(v[0])))
		}
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email, code]\nsql: {}",
			"people | table: people, key: [id], subject: {email: mail, code: code}, erase: delete",
			"letters | table: letters, key: [id], ways: [{via: [{table: people, as: p, on: {mail: mail}}], subject: {code: p.code}}], erase: delete"))
		for asked, want := range map[string]string{
			"email émile@example.com": "people 0", "email Emile@example.com": "people 1, people 2", "email straße@example.com": "people 4", "email STRASSE@example.com": "people 3",
			"code A1": "people 0, people 2", "code a1": "people 1, letters 1, letters 2", "code 😀": "people 4, letters 4", "code ss": "",
		} {
			var got []string
			for _, line := range gatherAll(t, s, ids(asked))[0] {
				got = append(got, strings.NewReplacer(` {"id":"`, " ", `"}`, "").Replace(line))
			}
			if strings.Join(got, ", ") != want {
				t.Errorf("%s, index %q: found %s, want %s", asked, index, strings.Join(got, ", "), want)
			}
		}
		jobs := jobsOf(dsar.Erasure, ids("email emile@example.com"))
		if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		if left := d.column(t, "SELECT id FROM people ORDER BY id"); !slices.Equal(left, []string{"0", "3", "4", "5"}) {
			t.Errorf("left %v", left)
		}
	}
}

// TestMariaKeptHistory: a table that keeps what is deleted isn't erased from.
func TestMariaKeptHistory(t *testing.T) {
	t.Parallel()
	d := mariaDB(t, `CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(190), KEY (mail)) WITH SYSTEM VERSIONING`)
	const people = "people | table: people, key: [id], subject: {email: mail}, erase: delete"
	_, err := Open(t.Context(), small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", people), d.source)
	if err == nil || !strings.Contains(err.Error(), "SYSTEM VERSIONED") {
		t.Errorf("said %v", err)
	}
	d.run(t, "ALTER TABLE people DROP SYSTEM VERSIONING")
	open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", people))
}

// TestMariaWithoutTransactions: a table whose engine knows no transactions is read, and not
// erased from.
func TestMariaWithoutTransactions(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"MyISAM", "Aria"} {
		d := mariaDB(t, `CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(190), KEY (mail)) ENGINE=`+engine)
		d.insert(t, "people", 1, "ann@example.com")
		_, err := Open(t.Context(), small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", "people | table: people, key: [id], subject: {email: mail}, erase: delete"), d.source)
		if err == nil || !strings.Contains(err.Error(), "ENGINE="+engine) || !strings.Contains(err.Error(), "ENGINE=InnoDB") {
			t.Errorf("%s: %v", engine, err)
		}
		s := open(t, d, small(t, "abilities: [gather]\nneeds: [email]\nsql: {}", "people | table: people, key: [id], subject: {email: mail}"))
		if got := gatherAll(t, s, ids("email ann@example.com"))[0]; len(got) != 1 {
			t.Errorf("%s: gathered %v", engine, got)
		}
	}
}

// TestMariaCascades: what foreign keys take along, over several tables and from another
// database, is known before a row goes, though no trigger sees it and no count has it.
func TestMariaCascades(t *testing.T) {
	t.Parallel()
	d := mariaDB(t, `CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(190), KEY (mail));
		CREATE TABLE orders (id INTEGER PRIMARY KEY, person INTEGER, CONSTRAINT orders_person FOREIGN KEY (person) REFERENCES people (id) ON DELETE CASCADE);
		CREATE TABLE order_lines (id INTEGER PRIMARY KEY, order_id INTEGER, CONSTRAINT lines_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE)`)
	d.run(t, "INSERT INTO people VALUES (1, 'ann@example.com'), (2, 'bob@example.com')", "INSERT INTO orders VALUES (10, 1), (11, 2)", "INSERT INTO order_lines VALUES (100, 10), (101, 11)")
	const head = "abilities: [gather, erase]\nneeds: [email]\nsql: {}"
	erase := func(dataset string, mail string) (string, error) {
		s := open(t, d, small(t, head, dataset))
		jobs := jobsOf(dsar.Erasure, ids("email "+mail))
		err := s.eraseAll(t.Context(), jobs)
		return outcomes(jobs[0].Counts), errors.Join(err, jobs[0].Err)
	}
	const people = "people | table: people, key: [id], subject: {email: mail}, erase: delete"
	if _, err := erase(people, "ann@example.com"); err == nil || !strings.Contains(err.Error(), "people ← orders (person)") {
		t.Errorf("said %v", err)
	}
	if left := d.column(t, "SELECT id FROM order_lines"); len(left) != 2 {
		t.Errorf("left %v", left)
	}
	if counts, err := erase(people+", cascades: [orders, order_lines]", "ann@example.com"); err != nil || !strings.Contains(counts, "erased 1") {
		t.Errorf("%s, %v", counts, err)
	}
	if left := d.column(t, "SELECT id FROM order_lines"); !slices.Equal(left, []string{"101"}) {
		t.Errorf("left %v", left)
	}
	other := mariaDB(t, "")
	var name string
	if err := d.QueryRow("SELECT DATABASE()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	other.run(t, "CREATE TABLE visits (id INTEGER PRIMARY KEY, person INTEGER, CONSTRAINT visits_person FOREIGN KEY (person) REFERENCES "+name+".people (id) ON DELETE CASCADE)", "INSERT INTO visits VALUES (1, 2)")
	if _, err := erase(people+", cascades: [orders, order_lines]", "bob@example.com"); err == nil || !strings.Contains(err.Error(), ".visits (person)") {
		t.Errorf("said %v", err)
	}
	if left := other.column(t, "SELECT id FROM visits"); len(left) != 1 {
		t.Error("another database's row went")
	}
}

// TestMariaTriggers: what a trigger writes elsewhere is refused unless it is declared, also
// where its text doesn't say.
func TestMariaTriggers(t *testing.T) {
	t.Parallel()
	d := mariaDB(t, `CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(190), KEY (mail)); CREATE TABLE log (id INTEGER PRIMARY KEY AUTO_INCREMENT, what TEXT); INSERT INTO people VALUES (1, 'ann@example.com')`)
	const people = "people | table: people, key: [id], subject: {email: mail}, erase: delete"
	const head = "abilities: [gather, erase]\nneeds: [email]\nsql: {}"
	try := func(dataset string) error {
		jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
		return errors.Join(open(t, d, small(t, head, dataset)).eraseAll(t.Context(), jobs), jobs[0].Err)
	}
	d.run(t, "CREATE PROCEDURE remember(what TEXT) INSERT INTO log (what) VALUES (what)", "CREATE TRIGGER logged BEFORE DELETE ON people FOR EACH ROW CALL remember(OLD.mail)")
	if err := try(people); err == nil || !strings.Contains(err.Error(), "the trigger logged → log") {
		t.Errorf("a trigger that calls: %v", err)
	}
	d.run(t, "DROP TRIGGER logged", "CREATE TRIGGER logged BEFORE DELETE ON people FOR EACH ROW INSERT INTO `log` (what) VALUES (OLD.mail)")
	if err := try(people); err == nil || !strings.Contains(err.Error(), "the trigger logged → log") {
		t.Errorf("a trigger that writes: %v", err)
	}
	if left := d.column(t, "SELECT what FROM log"); len(left) != 0 {
		t.Errorf("the log has %v", left)
	}
	if err := try(people + ", cascades: [log]"); err != nil {
		t.Error(err)
	}
}

// TestMariaStampsStay: a column that the server sets whenever a row changes is as it was
// after a restriction: a period of retention may run from it.
func TestMariaStampsStay(t *testing.T) {
	t.Parallel()
	d := mariaDB(t, `CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(190), blocked BOOLEAN NOT NULL DEFAULT false, seen TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, KEY (mail));
		INSERT INTO people VALUES (1, 'ann@example.com', false, '2001-02-03 04:05:06')`)
	s := open(t, d, small(t, "abilities: [gather, restrict]\nneeds: [email]\nsql: {}", "people | table: people, key: [id], subject: {email: mail}, restrict: [{column: blocked, value: true}]"))
	for range 2 { // a row that is as it should be counts as found
		jobs := []*worker.RestrictJob{{Job: worker.Job{Task: worker.Task{Right: dsar.Restriction, Identifiers: ids("email ann@example.com")}}}}
		if err := s.Restrict(t.Context(), jobs); err != nil || jobs[0].Err != nil || jobs[0].Counts[0].Restricted != 1 {
			t.Fatal(err, jobs[0].Err, jobs[0].Counts)
		}
	}
	if seen := d.column(t, "SELECT CONCAT(blocked, ' ', seen) FROM people"); seen[0] != "1 2001-02-03 04:05:06" {
		t.Errorf("the row is %s", seen[0])
	}
}

// TestMariaTypes: what a column holds is told as it is, whatever its type.
func TestMariaTypes(t *testing.T) {
	t.Parallel()
	d := mariaDB(t, `CREATE TABLE things (id BIGINT UNSIGNED PRIMARY KEY, person VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_swedish_ci, flag BIT(1), size ENUM('small', 'large'), marks SET('a', 'b'), day DATE, moment DATETIME, f FLOAT, n DECIMAL(9, 3), y YEAR, j JSON, u UUID, old VARCHAR(40) CHARACTER SET utf8mb3, b VARBINARY(4), KEY (person))`)
	d.run(t, "SET sql_mode = ''", `INSERT INTO things VALUES (18446744073709551615, 'Émile', 1, 'large', 'a,b', '0000-00-00', '0000-00-00 00:00:00', 1.1, 2.500, 1999, '{"a": [1]}', '0f8fad5b-d9cb-469f-a165-70867728950e', 'é', 0xff00)`)
	s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [person]\nsql: {}", "things | table: things, key: [id], subject: {person: person}, erase: delete | id:integer flag:boolean size marks day:date moment:datetime f:number n:number y:integer j:object u old b | retention: [{ground: tax, source: law, title: {en: Tax}, column: day, period: P10Y, undated: go}]"))
	got := gatherAll(t, s, ids("person Émile"), ids("person Emile"), ids("person émile"))
	if want := `things {"b":"data:application/octet-stream;base64,/wA=","day":null,"f":1.1,"flag":true,"id":18446744073709551615,"j":{"a":[1]},"marks":"a,b","moment":null,"n":2.5,"old":"é","size":"large","u":"0f8fad5b-d9cb-469f-a165-70867728950e","y":1999}`; len(got[0]) != 1 || got[0][0] != want {
		t.Errorf("got  %s\nwant %s", got[0], want)
	}
	if len(got[1])+len(got[2]) > 0 {
		t.Errorf("others find %v", got[1:])
	}
	jobs := jobsOf(dsar.Erasure, ids("person Émile"))
	if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil || outcomes(jobs[0].Counts) != "things found 1 erased 1 anonymised 0 gone 0 late 0" {
		t.Error(err, jobs[0].Err, outcomes(jobs[0].Counts))
	}
}

// TestMariaManyRows: more rows than one statement's keys.
func TestMariaManyRows(t *testing.T) {
	t.Parallel()
	d := mariaDB(t, "CREATE TABLE visits (id INTEGER PRIMARY KEY, person INTEGER, what TEXT, KEY (person))")
	d.run(t, fmt.Sprintf("INSERT INTO visits SELECT seq, seq %% 2, 'x' FROM seq_1_to_%d", 2*(2*mysqlKeys+500)))
	s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [person]\nsql: {}", "visits | table: visits, key: [id], subject: {person: person}, erase: delete"))
	jobs := jobsOf(dsar.Erasure, ids("person 1"))
	if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil || jobs[0].Counts[0].Erased != 2*mysqlKeys+500 {
		t.Fatal(err, jobs[0].Err, jobs[0].Counts)
	}
	if left := d.column(t, "SELECT COUNT(*) FROM visits"); left[0] != fmt.Sprint(2*mysqlKeys+500) {
		t.Errorf("left %v", left)
	}
}

// TestMariaChangedMeanwhile: a row that became somebody else's after it was read, and
// before it was erased, ends the transaction; all of it is done anew.
func TestMariaChangedMeanwhile(t *testing.T) {
	t.Parallel()
	d := mariaDB(t, "CREATE TABLE visits (id INTEGER PRIMARY KEY, person INTEGER, KEY (person)); INSERT INTO visits VALUES (1, 1), (2, 2)")
	s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [person]\nsql: {}", "visits | table: visits, key: [id], subject: {person: person}, erase: delete"))
	if !s.dialect.(mysqlDialect).snapshot {
		t.Skip("the server can't tell: transactions are serializable there")
	}
	err := s.inTransaction(t.Context(), func(_ context.Context, tx *sql.Tx) error {
		if err := each(t.Context(), tx, "SELECT id FROM visits WHERE person = 1", func([]string) {}); err != nil {
			return err
		}
		d.run(t, "UPDATE visits SET person = 2 WHERE id = 1")
		_, err := s.write(t.Context(), tx, s.datasets[0], deleting, []string{"1"}, func(q *statement) { s.datasets[0].erasing(q, act{deletes: true}) })
		return err
	})
	if err == nil || reasonOf(err) != passing {
		t.Errorf("ended with %v", err)
	}
	if left := d.column(t, "SELECT id FROM visits"); len(left) != 2 {
		t.Errorf("left %v", left)
	}
}

// TestMariaErrors: locks, time that is over and a busy server pass; what a row is refused
// for, a permission and a table that is gone don't.
func TestMariaErrors(t *testing.T) {
	t.Parallel()
	for number, want := range map[uint16]reason{1205: passing, 1213: passing, 1020: passing, 1969: passing, 3024: passing, 1040: passing, 1053: passing, 2013: passing,
		1451: rowWrong, 1062: rowWrong, 4025: rowWrong, 1644: rowWrong, 1906: rowWrong, 1142: forbidden, 1143: forbidden, 1045: login, 1290: readOnly, 1146: shape, 1054: shape} {
		if is := reasonOf(fmt.Errorf("asked: %w", &mysql.MySQLError{Number: number})); is != want {
			t.Errorf("%d is of kind %d", number, is)
		}
	}
	if is := reasonOf(mysql.ErrInvalidConn); is != passing {
		t.Errorf("a lost connection is of kind %d", is)
	}
	if is := reasonOf(&mysql.MySQLError{Number: 30001, SQLState: [5]byte{'4', '5', '0', '0', '0'}}); is != rowWrong {
		t.Errorf("a signal is of kind %d", is)
	}
}

// TestMariaForbidden: a table that the worker's user may no longer read is named, and the
// rest is done; that other databases' foreign keys aren't told is said by lint.
func TestMariaForbidden(t *testing.T) {
	t.Parallel()
	d := mariaDB(t, mariaShop)
	u, err := url.Parse(d.source)
	if err != nil {
		t.Fatal(err)
	}
	user := strings.Replace(strings.TrimPrefix(u.Path, "/"), "test_", "u_", 1)
	t.Cleanup(func() { _, _ = d.ExecContext(context.Background(), "DROP USER "+user) })
	d.run(t, "CREATE USER "+user+" IDENTIFIED BY 'canary'")
	for _, table := range shopTables {
		d.run(t, "GRANT SELECT, UPDATE, DELETE, TRIGGER ON "+table+" TO "+user)
	}
	d.person(t, 1, "ann@example.com", nil)
	d.insert(t, "notes", 1, 1, nil, "words")
	mine := d
	u.User = url.UserPassword(user, "canary")
	mine.source = u.String()
	s := open(t, mine, shop(t))
	advice, err := s.Copies(t.Context())
	if err != nil || len(advice) != 1 || !strings.Contains(advice[0].Cure, "GRANT PROCESS") {
		t.Errorf("%v, %v", advice, err)
	}
	d.run(t, "REVOKE SELECT ON notes FROM "+user)
	got := gatherAll(t, s, ids("customer 1"))[0]
	if len(got) != 2 || !strings.HasPrefix(got[0], "people ") || !strings.Contains(got[1], "may not read the table notes") {
		t.Errorf("gathered %v", got)
	}
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("canary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.run(t, "GRANT SELECT ON notes TO "+user)
	mine.source = strings.Replace(mine.source, ":canary@", "@", 1) + "&passfile=" + url.QueryEscape(file)
	open(t, mine, shop(t))
	mine.source = u.String()
	_, err = Open(t.Context(), shop(t), strings.Replace(mine.source, "canary", "birdie", 1))
	if err == nil || !errors.Is(err, ErrUnreachable) || strings.Contains(err.Error(), "birdie") {
		t.Errorf("with another password: %v", err)
	}
}

// TestMariaIndexes: a telephone is looked up by the index of a column that the server works
// out, as lint has it made.
func TestMariaIndexes(t *testing.T) {
	t.Parallel()
	d := mariaDB(t, "CREATE TABLE people (id INTEGER PRIMARY KEY, phone VARCHAR(40), mail VARCHAR(190) COLLATE utf8mb4_bin, KEY (mail)); INSERT INTO people VALUES (1, '+33 6 12-34', 'Ann@example.com'), (2, '+33 6 12-35', 'bob@example.com')")
	const people = "people | table: people, key: [id], subject: {phone: %s, email: %s}"
	s := open(t, d, small(t, "abilities: [gather]\nneeds: [phone, email]\nsql: {}", fmt.Sprintf(people, "phone", "mail")))
	advice, err := s.Advice(t.Context())
	if err != nil || len(advice) != 2 {
		t.Fatal(advice, err)
	}
	for _, a := range advice {
		made, _, _ := strings.Cut(a.Cure, ", and name ")
		if _, err := s.db.Exec(made); err != nil {
			t.Fatalf("%s: %v", made, err)
		}
	}
	d.run(t, "ALTER TABLE people ADD COLUMN virtual VARCHAR(40) AS (LOWER(mail)) VIRTUAL, ADD INDEX (virtual)")
	if _, err := Open(t.Context(), small(t, "abilities: [gather]\nneeds: [phone, email]\nsql: {}", fmt.Sprintf(people, "phone", "virtual")), d.source); err == nil || !strings.Contains(err.Error(), "must be STORED") {
		t.Errorf("of a virtual column: %v", err)
	}
	s = open(t, d, small(t, "abilities: [gather]\nneeds: [phone, email]\nsql: {}", fmt.Sprintf(people, "phone_compared", "mail_compared")))
	if advice, err := s.Advice(t.Context()); err != nil || len(advice) > 0 {
		t.Errorf("still advised: %v, %v", advice, err)
	}
	for _, asked := range []string{"phone +33 (6) 1234", "email ANN@example.com"} {
		if got := gatherAll(t, s, ids(asked))[0]; len(got) != 1 {
			t.Errorf("%s finds %v", asked, got)
		}
	}
	for _, c := range s.chunks([]*worker.Task{{Identifiers: ids("phone +33 6 12-34")}}) {
		q := &statement{dialect: s.dialect}
		q.WriteString("EXPLAIN ")
		(&search{asked: c.asked(s.datasets[0].subjects), columns: []string{"1"}}).write(q, c, s.datasets[0])
		err := each(t.Context(), s.db, q.String(), func(row []string) {
			if row[3] == "ALL" {
				t.Errorf("the table is read whole: %v", row)
			}
		}, q.args...)
		if err != nil {
			t.Fatal(err)
		}
	}
}
