package truth

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"habeas.dev/services/internal/pgtest"
)

// kind is what a run's databases are of.
type kind string

const (
	sqLite     kind = "SQLite"
	postgreSQL kind = "PostgreSQL"
)

// store is a database of a system, with a connection of the test's own. In what is
// sent to it, parameters are written as ? for both kinds.
type store struct {
	testing.TB
	*sql.DB
	kind   kind
	source string // as sqlsystem.Open wants it
	schema string // of PostgreSQL
}

// newStore makes an empty database: a file of SQLite, or a schema of PostgreSQL's.
func newStore(t testing.TB, k kind) *store {
	t.Helper()
	s := &store{TB: t, kind: k, source: filepath.Join(t.TempDir(), "system.db")}
	driver, dsn := "sqlite", s.source+"?_pragma=foreign_keys(1)&_pragma=synchronous(0)&_pragma=journal_mode(memory)&_pragma=busy_timeout(10000)"
	if k == postgreSQL {
		s.source = pgtest.Shared(t).Database(t)
		u, err := url.Parse(s.source)
		if err != nil {
			t.Fatal(err)
		}
		s.schema = u.Query().Get("search_path")
		driver, dsn = "pgx", s.source
	}
	var err error
	if s.DB, err = sql.Open(driver, dsn); err != nil {
		t.Fatal(err)
	}
	s.SetMaxOpenConns(2)
	t.Cleanup(func() { s.Close() })
	return s
}

// numbered writes parameters as the database wants them.
func (s *store) numbered(statement string) string {
	if s.kind == sqLite {
		return statement
	}
	var b strings.Builder
	n := 0
	for _, c := range statement {
		if c == '?' {
			n++
			fmt.Fprintf(&b, "$%d", n)
		} else {
			b.WriteRune(c)
		}
	}
	return b.String()
}

// exec runs a statement.
func (s *store) exec(statement string, args ...any) {
	s.Helper()
	if _, err := s.ExecContext(context.Background(), s.numbered(statement), args...); err != nil {
		s.Fatalf("%s: %v", statement, err)
	}
}

// row writes a row of a table, its values in the order of the columns.
func (s *store) row(table string, values ...any) {
	s.Helper()
	s.exec("INSERT INTO "+table+" VALUES ("+strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ")+")", values...)
}

// list returns the one column that a query selects, as texts; a null is "-".
func (s *store) list(query string, args ...any) []string {
	s.Helper()
	rows, err := s.QueryContext(context.Background(), s.numbered(query), args...)
	if err != nil {
		s.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	out := []string{}
	for rows.Next() {
		var text sql.NullString
		if err := rows.Scan(&text); err != nil {
			s.Fatal(err)
		}
		if !text.Valid {
			text.String = "-"
		}
		out = append(out, text.String)
	}
	if err := rows.Err(); err != nil {
		s.Fatal(err)
	}
	return out
}
