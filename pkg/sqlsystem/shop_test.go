package sqlsystem

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
)

// today is the clock of the tests.
var now = time.Date(2026, 11, 20, 23, 59, 0, 0, time.UTC)

const sqliteShop = `
CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT, "tele phone" TEXT, born TEXT, seen TEXT, score REAL, active BOOLEAN, prefs TEXT, secret TEXT, restricted BOOLEAN);
CREATE INDEX people_mail ON people (lower(mail));
CREATE INDEX people_phone ON people ("tele phone");
CREATE TABLE orders (number TEXT PRIMARY KEY, customer INTEGER, placed TEXT, disputed TEXT);
CREATE INDEX orders_customer ON orders (customer);
CREATE TABLE order_lines ("order" TEXT REFERENCES orders (number), n INTEGER, text TEXT, PRIMARY KEY ("order", n));
CREATE TABLE notes (id INTEGER PRIMARY KEY, customer INTEGER, mail TEXT, body TEXT);
CREATE INDEX notes_customer ON notes (customer);
CREATE INDEX notes_mail ON notes (lower(mail));`

const postgresShop = `
CREATE TABLE people (id BIGINT PRIMARY KEY, mail VARCHAR(200), "tele phone" TEXT, born DATE, seen TIMESTAMPTZ, score NUMERIC(12, 4), active BOOLEAN, prefs JSONB, secret TEXT, restricted BOOLEAN);
CREATE INDEX people_mail ON people (lower(mail));
CREATE TABLE orders (number TEXT PRIMARY KEY, customer BIGINT, placed DATE, disputed TIMESTAMPTZ);
CREATE INDEX orders_customer ON orders (customer);
CREATE TABLE order_lines ("order" TEXT, n INTEGER, text TEXT, PRIMARY KEY ("order", n));
CREATE TABLE notes (id INTEGER PRIMARY KEY, customer INTEGER, mail TEXT, body TEXT);`

// mariaShop has each text in a collation that takes accents, case and blanks for nothing.
const mariaShop = `
CREATE TABLE people (id BIGINT PRIMARY KEY, mail VARCHAR(200), "tele phone" TEXT, born DATE, seen DATETIME(6), score DECIMAL(12, 4), active BOOLEAN, prefs JSON, secret TEXT, restricted BOOLEAN, KEY (mail));
CREATE TABLE orders (number VARCHAR(190) PRIMARY KEY, customer BIGINT, placed DATE, disputed DATETIME(6), KEY (customer));
CREATE TABLE order_lines ("order" VARCHAR(190), n INTEGER, text TEXT, PRIMARY KEY ("order", n));
CREATE TABLE notes (id INTEGER PRIMARY KEY, customer INTEGER, mail VARCHAR(190), body TEXT);`

// shop returns the manifest of the tests, with a change if any.
func shop(t testing.TB, change ...string) *manifest.Manifest {
	t.Helper()
	text, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s := string(text)
	if len(change) == 2 {
		if !strings.Contains(s, change[0]) {
			t.Fatalf("the manifest lacks %q", change[0])
		}
		s = strings.Replace(s, change[0], change[1], 1)
	}
	m, err := manifest.Parse("shop.yaml", []byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// tester is what helpers want of a testing.T or a rapid.T.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// database is an empty shop in some database, and a connection of the test's own.
type database struct {
	*sql.DB
	dialect Dialect
	source  string
}

func sqliteDB(t testing.TB, schema string) database {
	t.Helper()
	file := filepath.Join(t.TempDir(), "shop.db")
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=synchronous(off)&_pragma=journal_mode(wal)")
	return fill(t, SQLite, db, err, file, schema)
}

// postgresDB returns a schema of its own in the database of DATABASE_URL. Without,
// the test is skipped: services/sandbox/internaldb tests this package on a server
// that it starts.
func postgresDB(t testing.TB, schema string) database {
	t.Helper()
	given := os.Getenv("DATABASE_URL")
	if given == "" {
		t.Skip("no DATABASE_URL")
	}
	name := "test_" + strings.ToLower(rand.Text())
	admin, err := sql.Open("pgx", given)
	if err != nil {
		t.Fatal("DATABASE_URL can't be read")
	}
	t.Cleanup(func() {
		admin.Exec(`DROP SCHEMA ` + name + ` CASCADE`)
		admin.Close()
	})
	if _, err := admin.Exec(`CREATE SCHEMA ` + name); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(given)
	if err != nil {
		t.Fatal("DATABASE_URL is no URL")
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	db, err := sql.Open("pgx", u.String())
	return fill(t, PostgreSQL, db, err, u.String(), schema)
}

// mariaDB returns a database of its own on the server of MARIADB_URL. Without, the test is
// skipped: .ci/with-mariadb runs one.
func mariaDB(t testing.TB, schema string) database {
	t.Helper()
	return mariaCollated(t, "", schema)
}

// mariaExactDB returns one whose texts are compared byte by byte, as the other databases do.
func mariaExactDB(t testing.TB, schema string) database {
	t.Helper()
	return mariaCollated(t, " COLLATE utf8mb4_nopad_bin", schema)
}

func mariaCollated(t testing.TB, collation, schema string) database {
	t.Helper()
	given := os.Getenv("MARIADB_URL")
	if given == "" {
		t.Skip("no MARIADB_URL")
	}
	name := "test_" + strings.ToLower(rand.Text())
	u, err := url.Parse(given)
	if err != nil {
		t.Fatal("MARIADB_URL is no URL")
	}
	u.Path = "/information_schema"
	admin, err := MariaDB.connect(t.Context(), u.String(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		admin.Exec("DROP DATABASE " + name)
		admin.Close()
	})
	if _, err := admin.Exec("CREATE DATABASE " + name + collation); err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	// The tests' own session quotes names as the other databases do.
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.DBName, c.InterpolateParams = "unix", u.Query().Get("socket"), u.User.Username(), name, true
	c.Params = map[string]string{"sql_mode": "'ANSI_QUOTES,PIPES_AS_CONCAT,STRICT_ALL_TABLES'", "time_zone": "'+00:00'"}
	db, err := sql.Open("mysql", c.FormatDSN())
	return fill(t, MariaDB, db, err, u.String(), schema)
}

func fill(t testing.TB, d Dialect, db *sql.DB, err error, source, schema string) database {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for stmt := range strings.SplitSeq(schema, ";") {
		if strings.TrimSpace(stmt) == "" {
			continue
		}
		if _, err := db.Exec(stmt); err != nil {
			t.Fatalf("%v\n%s", err, stmt)
		}
	}
	return database{DB: db, dialect: d, source: source}
}

// onEach runs a test on both databases.
func onEach(t *testing.T, test func(*testing.T, database)) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, sqliteDB(t, sqliteShop))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, postgresDB(t, postgresShop))
	})
	t.Run("MariaDB", func(t *testing.T) {
		t.Parallel()
		test(t, mariaDB(t, mariaShop))
	})
}

// insert writes a row, of texts and numbers that both databases read.
func (d database) insert(t tester, table string, values ...any) {
	t.Helper()
	marks := make([]string, len(values))
	for i := range marks {
		marks[i] = "?"
		if d.dialect == PostgreSQL {
			marks[i] = fmt.Sprintf("$%d", i+1)
		}
		if text, is := values[i].(string); is && d.dialect == MariaDB {
			if at, err := time.Parse(time.RFC3339Nano, text); err == nil { // it takes no zone
				values[i] = at.UTC().Format("2006-01-02 15:04:05.999999")
			}
		}
	}
	if _, err := d.Exec("INSERT INTO "+table+" VALUES ("+strings.Join(marks, ", ")+")", values...); err != nil {
		t.Fatalf("%s %v: %v", table, values, err)
	}
}

func (d database) person(t testing.TB, id int, mail, phone any) {
	t.Helper()
	d.insert(t, "people", id, mail, phone, nil, nil, nil, nil, nil, "kept from everyone", nil)
}

// column returns a column's values as texts, sorted.
func (d database) column(t tester, query string) []string {
	t.Helper()
	rows, err := d.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := []string{}
	for rows.Next() {
		var s sql.NullString
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s.String)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func open(t testing.TB, d database, m *manifest.Manifest, opts ...Option) *System {
	t.Helper()
	s, err := Open(t.Context(), m, d.source, append(opts, WithClock(func() time.Time { return now }))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ids returns the identifiers of "type value" texts.
func ids(of ...string) []worker.Identifier {
	out := make([]worker.Identifier, len(of))
	for i, s := range of {
		typ, value, _ := strings.Cut(s, " ")
		out[i] = worker.Identifier{Type: dsar.IdentifierType(typ), Value: value}
	}
	return out
}

// gatherAll gathers for some subjects in one batch: each one's records, as
// "dataset {json}".
func gatherAll(t tester, s *System, subjects ...[]worker.Identifier) [][]string {
	t.Helper()
	tasks := make([]*worker.Task, len(subjects))
	for i, of := range subjects {
		tasks[i] = &worker.Task{Identifiers: of}
	}
	out := make([][]string, len(subjects))
	err := s.gather(context.Background(), tasks, nil, func(job int, dataset string, r record.Record, _ []string) {
		text, err := json.Marshal(r)
		if err != nil {
			t.Errorf("%s: %v", dataset, err)
		}
		out[job] = append(out[job], dataset+" "+string(text))
	}, func(job int, d *dataset, why string, _ dsar.Cause) {
		out[job] = append(out[job], d.Name+": "+why)
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func jobsOf(right dsar.Right, subjects ...[]worker.Identifier) []*counted {
	jobs := make([]*counted, len(subjects))
	for i, of := range subjects {
		jobs[i] = &counted{Job: &worker.Job{Task: worker.Task{Right: right, Identifiers: of}}}
	}
	return jobs
}

func resolveJobs(subjects ...[]worker.Identifier) []*worker.ResolveJob {
	jobs := make([]*worker.ResolveJob, len(subjects))
	for i, of := range subjects {
		jobs[i] = &worker.ResolveJob{Job: worker.Job{Task: worker.Task{Identifiers: of}}}
	}
	return jobs
}

// drop drops a schema that a test made beside its own.
func drop(t testing.TB, schema string) {
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
	if err != nil {
		t.Error("DATABASE_URL can't be read")
		return
	}
	defer db.Close()
	if _, err := db.Exec("DROP SCHEMA IF EXISTS " + schema + " CASCADE"); err != nil {
		t.Error(err)
	}
}
