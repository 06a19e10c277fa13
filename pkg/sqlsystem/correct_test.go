package sqlsystem

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
)

const letters = `CREATE TABLE letters (id INTEGER PRIMARY KEY, s INTEGER, r INTEGER, n VARCHAR(50), body VARCHAR(50))`

const lettersHead = "abilities: [gather, erase, rectify]\nneeds: [user_no]\nsql: {}"

// correcting has fields of a dataset corrected for one person.
func correcting(t tester, s *System, of []worker.Identifier, changes ...worker.Change) *counted {
	t.Helper()
	jobs := jobsOf(dsar.Rectification, of)
	jobs[0].Changes = changes
	if err := s.rectifyAll(context.Background(), jobs); err != nil {
		t.Fatal(err)
	}
	return jobs[0]
}

// TestCorrectionsKeepToTheirWay: a field is corrected in the rows that a way leads to which has
// it corrected, and in no other; and what is told of before is theirs.
func TestCorrectionsKeepToTheirWay(t *testing.T) {
	t.Parallel()
	everyDatabase(t, letters, func(t *testing.T, d database) {
		s := open(t, d, small(t, lettersHead, `letters | key: [id], ways: [{subject: {user_no: s}, erase: delete, rectify: [n]}, {subject: {user_no: r}, set: {r: null}, rectify: [body]}] | id n body`))
		rapid.Check(t, func(rt *rapid.T) {
			if _, err := d.Exec("DELETE FROM letters"); err != nil {
				rt.Fatal(err)
			}
			var wantN, wantBody, staying []string
			rows := rapid.IntRange(1, 6).Draw(rt, "rows")
			changed := map[string]bool{}
			for id := range rows {
				from, to := rapid.IntRange(1, 3).Draw(rt, "from"), rapid.IntRange(1, 3).Draw(rt, "to")
				if _, err := d.Exec(fmt.Sprintf("INSERT INTO letters VALUES (%d, %d, %d, 'n%d', 'b%d')", id, from, to, id, id)); err != nil {
					rt.Fatal(err)
				}
				n, body := fmt.Sprint("n", id), fmt.Sprint("b", id)
				if from == 1 {
					n, changed["n"] = "Annie", true
				}
				if to == 1 {
					body, changed["body"] = "new", true
				}
				wantN, wantBody = append(wantN, n), append(wantBody, body)
				if from == 1 && to != 1 {
					staying = append(staying, fmt.Sprint(id, " body"))
				} else if from != 1 && to == 1 {
					staying = append(staying, fmt.Sprint(id, " n"))
				}
			}
			tasks := []*worker.Task{{Right: dsar.Rectification, Identifiers: ids("user_no 1")}}
			var told []string
			err := s.gather(context.Background(), tasks, nil, func(_ int, _ string, r record.Record, stay []string) {
				if len(stay) > 0 {
					told = append(told, fmt.Sprint(r["id"], " ", strings.Join(stay, " ")))
				}
			}, func(int, *dataset, string, dsar.Cause) {})
			if err != nil || !slices.Equal(told, staying) {
				rt.Errorf("told as staying %v, want %v; %v", told, staying, err)
			}
			j := correcting(rt, s, ids("user_no 1"), worker.Change{Dataset: "letters", Column: "n", Value: "Annie"}, worker.Change{Dataset: "letters", Column: "body", Value: "new"})
			if gotN, gotBody := d.column(t, "SELECT n FROM letters ORDER BY id"), d.column(t, "SELECT body FROM letters ORDER BY id"); !slices.Equal(gotN, wantN) || !slices.Equal(gotBody, wantBody) {
				rt.Errorf("left %v %v, want %v %v", gotN, gotBody, wantN, wantBody)
			}
			for _, c := range j.Counts {
				for _, column := range []string{"n", "body"} {
					if slices.Contains(c.Changed, column) != changed[column] || slices.Contains(c.Unchanged, column) == changed[column] {
						rt.Errorf("told %+v, changed are %v", c, changed)
					}
				}
			}
		})
	})
}

// TestCorrectionOfASharedRow: a way by which a row may be several people's has nothing corrected.
func TestCorrectionOfASharedRow(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE threads (id INTEGER PRIMARY KEY, owner VARCHAR(50)); CREATE TABLE parts (thread INTEGER, user_no INTEGER, PRIMARY KEY (thread, user_no)); CREATE TABLE heads (thread INTEGER PRIMARY KEY, user_no INTEGER)`
	everyDatabase(t, schema, func(t *testing.T, d database) {
		for _, c := range []struct {
			table   string
			refused bool
		}{{"parts", true}, {"heads", false}} {
			m := small(t, lettersHead, fmt.Sprintf(`threads | key: [id], ways: [{via: [{table: %s, on: {id: thread}}], subject: {user_no: %[1]s.user_no}}], erase: keep, why: {en: W}, rectify: [owner] | id owner`, c.table))
			_, err := New(t.Context(), m, d.DB, d.dialect)
			if (err != nil && strings.Contains(err.Error(), "may be several people's")) != c.refused {
				t.Errorf("%s: %v", c.table, err)
			}
		}
	})
}

// TestWhatStandsIsTold: what the database holds after a correction is told, and where that is
// another value than the person's, nothing is corrected.
func TestWhatStandsIsTold(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(100), amt NUMERIC(5,2), big NUMERIC, day DATE, n INTEGER, name VARCHAR(20), phone INTEGER);
		INSERT INTO users VALUES (5, 'ann@example.com', 1.5, 1, '2020-01-01', 7, 'q1', 1), (6, 'bob@example.com', 1.5, 1, '2020-01-01', 7, 'q1', 1)`
	everyDatabase(t, schema, func(t *testing.T, d database) {
		capitals(t, d)
		s := open(t, d, small(t, "abilities: [gather, rectify]\nneeds: [email]\nsql: {}", `users | key: [id], subject: {email: email}, rectify: [amt, big, day, n, name, phone] | id amt:number big:number day:date n:integer name phone`))
		none := "" // it is refused
		rounded := map[string]string{"amt": "1.999", "big": "1234567890.1234567890123456789012345678901234567"}
		switch d.dialect {
		case SQLite: // which rounds nothing to a scale
			delete(rounded, "amt")
		case PostgreSQL: // whose numeric takes all
			delete(rounded, "big")
		}
		for _, c := range []struct{ column, value, want string }{
			{"amt", rounded["amt"], none},
			{"amt", "2.50", "2.5"},
			{"big", rounded["big"], none},
			{"day", "2021-02-31", none},
			{"day", "01/02/2021", none},
			{"day", "2024-02-29", "2024-02-29"},
			{"n", "007", "7"},
			{"n", "7.0", none},
			{"name", "q2", "Q2"},
			{"name", "=1+1", "=1+1"},
			{"phone", "0612", none},
			{"phone", "612", "612"},
		} {
			if c.value == "" {
				continue
			}
			before := d.column(t, "SELECT "+c.column+" FROM users ORDER BY id")
			jobs := jobsOf(dsar.Rectification, ids("email ann@example.com"))
			stands := none
			jobs[0].Stands = func(dataset, column string, held any) {
				if dataset == "users" && column == c.column {
					stands = fmt.Sprint(held)
				}
			}
			jobs[0].Changes = []worker.Change{{Dataset: "users", Column: c.column, Value: c.value}}
			err := s.rectifyAll(t.Context(), jobs)
			if err == nil {
				err = jobs[0].Err
			}
			var typed *worker.Error
			if c.want == none {
				if !errors.As(err, &typed) || !typed.Permanent() || len(jobs[0].Counts) > 0 || !slices.Equal(d.column(t, "SELECT "+c.column+" FROM users ORDER BY id"), before) {
					t.Errorf("%s %s: %v, told %+v, stands %v", c.column, c.value, err, jobs[0].Counts, d.column(t, "SELECT "+c.column+" FROM users"))
				}
				continue
			}
			if err != nil || stands != c.want || jobs[0].Counts[0].Rectified != 1 {
				t.Errorf("%s %s: %v, told %q, want %q", c.column, c.value, err, stands, c.want)
			}
		}
	})
}

// capitals makes a trigger that writes names in capitals.
func capitals(t *testing.T, d database) {
	t.Helper()
	stmts := []string{"CREATE TRIGGER caps AFTER UPDATE ON users WHEN NEW.name <> upper(NEW.name) BEGIN UPDATE users SET name = upper(NEW.name) WHERE id = NEW.id; END"}
	switch d.dialect {
	case PostgreSQL:
		stmts = []string{"CREATE FUNCTION caps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := upper(NEW.name); RETURN NEW; END $$", "CREATE TRIGGER caps BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION caps()"}
	case MariaDB:
		stmts = []string{"CREATE TRIGGER caps BEFORE UPDATE ON users FOR EACH ROW SET NEW.name = upper(NEW.name)"}
	}
	for _, stmt := range stmts {
		if _, err := d.Exec(stmt); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSays: two texts say the same where a person reads one value in them.
func TestSays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind  kind
		given string
		held  any
		want  bool
	}{
		{kindString, "Zoë", "ZOË", true},
		{kindString, "Zoë", "Zo?", false},
		{kindString, "abcdef", "abc", false},
		{kindString, "+33 6 12", "+33612", true},
		{kindString, "+33612", "33612", false},
		{kindString, "0612", int64(612), false},
		{kindString, "1.5", "1.50", true},
		{kindString, "1.5", "15", false},
		{kindString, "", nil, true},
		{kindNumber, "0.1", 0.1, true},
		{kindNumber, "12345678901234567890.12", 1.2345678901234567e19, false},
		{kindNumber, "12345678.25", 12345678.25, true},
		{kindDatetime, "2021-01-05T10:00:00Z", "2021-01-05T10:00:00Z", true},
		{kindDatetime, "2021-01-05T10:00:00.5Z", "2021-01-05T10:00:00Z", false},
		{kindObject, `{"a": 1}`, map[string]any{"a": "1"}, false},
	} {
		value, ok := c.kind.parse(c.given)
		if !ok {
			t.Fatalf("%q isn't taken", c.given)
		}
		if got := c.kind.says(c.given, value, c.held); got != c.want {
			t.Errorf("%q and %v: %v", c.given, c.held, got)
		}
	}
}

// TestElsewhere: an identifier leads to somebody else where a row or a number that it leads to
// isn't the person's, in whatever writing.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(100)); CREATE TABLE logins (email VARCHAR(100), user_id INTEGER PRIMARY KEY); CREATE TABLE news (id INTEGER PRIMARY KEY, email VARCHAR(100), user_id INTEGER);
		INSERT INTO users VALUES (5, 'ann@example.com'), (6, 'Bob@Example.com'); INSERT INTO logins VALUES ('carl@example.com', 7), ('ann2@example.com', 5);
		INSERT INTO news VALUES (1, 'own@example.com', 5), (2, 'other@example.com', NULL), (3, 'At the office', NULL)`
	everyDatabase(t, schema, func(t *testing.T, d database) {
		m := small(t, `abilities: [resolve, gather, erase, rectify]
needs: [email, user_no]
finds: [user_no]
scope: {user_no: shared}
sql: {resolve: [{find: user_no, table: users, column: id, by: {email: email}}, {find: user_no, table: logins, column: user_id, by: {email: email}}]}`,
			`users | key: [id], subject: {user_no: id, email: email}, erase: delete, rectify: [email] | id email`,
			`news | key: [id], subject: {email: email, user_no: user_id}, erase: delete | id email`)
		if leads := m.LeadsBy(m.Dataset("users"), "email"); !slices.Equal(leads, []dsar.IdentifierType{"email"}) {
			t.Errorf("people are found by %v", leads)
		}
		s := open(t, d, m)
		ann := &worker.Task{Identifiers: ids("email ann@example.com", "user_no 5")}
		for value, want := range map[string]string{
			"nobody@example.com": "",
			"ann2@example.com":   "", // which leads to herself
			"own@example.com":    "",
			"bob@example.com":    "users",
			"other@example.com":  "news",
			"at the office":      "news", // no address, and Bob's row says so
			"no address":         "",
			"carl@example.com":   "users or logins", // where such a number is found
		} {
			got, err := s.Elsewhere(t.Context(), ann, worker.Identifier{Type: "email", Value: value})
			if err != nil || got != want {
				t.Errorf("%s leads to %q, want %q; %v", value, got, want, err)
			}
		}
	})
}
