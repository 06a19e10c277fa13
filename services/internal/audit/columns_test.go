package audit_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"habeas.dev/services/internal/journal/pgjournal"
	"habeas.dev/services/internal/journal/sqlitejournal"
	"habeas.dev/services/internal/pgtest"
)

// unaudited are the tables and columns that the audit holds against nothing, and why. All
// others it does, whatever migrations add.
var unaudited = map[string]string{
	"goose_db_version": "which migrations have been made",
	"sqlite_sequence":  "SQLite's own",
	"queue":            "what is to be carried, for milliseconds",
	"proof":            "codes of the portal, for minutes",
	"note.version":     "counts writings, so that none is lost; what of notes is to be believed is signed",
	"search.num":       "numbers rows, and nobody reads it",
	"search_head.one":  "is always one",
	"heads_end.one":    "is always one",
	"unlisted":         "which requests are to be listed, for seconds; one that is taken from it isn't listed, which is found",
	"tree_size.one":    "is always one",
	"counter.one":      "is always one",
	"counter.queue":    "numbers rows of the queue",
}

// column is one of a table, with its type.
type column struct{ table, name, kind string }

// database is one whose values can be altered behind the journal's back.
type database struct {
	open    func(t *testing.T) (*scene, *sql.DB)
	columns string // its columns, by table, name and type
	// loosen lets every column be written.
	loosen string
	// another is another value of a column: of its type, and not empty where it is.
	another func(c column) string
}

var ofSQLite = database{
	open: func(t *testing.T) (*scene, *sql.DB) {
		path := filepath.Join(t.TempDir(), "journal.db")
		j, err := sqlitejournal.Open(t.Context(), sqlitejournal.Config{Path: path})
		must(t, err)
		t.Cleanup(func() { _ = j.Close() })
		return newScene(t, j, nil), connect(t, "sqlite", path+"?_pragma=busy_timeout(10000)")
	},
	columns: "SELECT m.name, c.name, c.type FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'",
	another: func(c column) string {
		empty := map[string]string{"INTEGER": "1000", "TEXT": "'x'", "BLOB": "x'01'"}[c.kind]
		return fmt.Sprintf("CASE typeof(%[1]q) WHEN 'integer' THEN %[1]q + 1000 WHEN 'text' THEN %[1]q || 'x' WHEN 'blob' THEN CAST(%[1]q || 'x' AS BLOB) ELSE %[2]s END", c.name, empty)
	},
}

func ofPostgreSQL(server *pgtest.Server) database {
	return database{
		open: func(t *testing.T) (*scene, *sql.DB) {
			url := server.Database(t)
			j, err := pgjournal.Open(t.Context(), pgjournal.Config{URL: url})
			must(t, err)
			t.Cleanup(func() { _ = j.Close() })
			return newScene(t, j, nil), connect(t, "pgx", url)
		},
		columns: "SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name) WHERE table_schema = current_schema() AND t.table_type = 'BASE TABLE'",
		loosen:  "ALTER TABLE request ALTER num DROP IDENTITY",
		another: func(c column) string {
			return fmt.Sprintf(map[string]string{
				"bigint": "coalesce(%q, 0) + 1000", "integer": "coalesce(%q, 0) + 1000", "smallint": "coalesce(%q, 0) + 100", "text": "coalesce(%q, '') || 'x'", "ARRAY": "array_append(%q, 'x')",
				"bytea": `coalesce(%q, '') || '\x01'::bytea`, "boolean": "NOT %q", "timestamp with time zone": "coalesce(%q, now()) + interval '1 day'",
			}[c.kind], c.name)
		},
	}
}

func connect(t *testing.T, driver, to string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, to)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// row says which row of a table is altered; of those that aren't named here there is one.
func (c column) row() string {
	const of = "(SELECT num FROM request WHERE id = '" + answered + "')"
	row, ok := map[string]string{"request": "id = '" + answered + "'", "fact": "version = 2 AND request = " + of, "fingerprint": "request = " + of, "timer": "request = " + of,
		"leaf": "num = 1", "tree": "num = 1", "search": "place = 2", "heads": "place = 1", "note": "name LIKE 'log-searches %'"}[c.table]
	if !ok {
		return "true"
	}
	return row
}

// TestEveryColumn alters one value of every column that there is in SQLite, whatever migrations
// have added, but for a stated list, and each is found.
func TestEveryColumn(t *testing.T) {
	t.Parallel()
	ofSQLite.every(t)
}

// TestEveryColumnOfPostgreSQL does so in PostgreSQL.
func TestEveryColumnOfPostgreSQL(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	t.Run("each", ofPostgreSQL(server).every)
}

func (d database) every(t *testing.T) {
	tables := map[string]bool{}
	for _, c := range d.all(t) {
		if unaudited[c.table] != "" || unaudited[c.table+"."+c.name] != "" {
			continue
		}
		tables[c.table] = true
		t.Run(c.table+"."+c.name, func(t *testing.T) {
			t.Parallel()
			s, db := d.open(t)
			_, err := db.ExecContext(t.Context(), d.loosen)
			must(t, err)
			r, err := db.ExecContext(t.Context(), fmt.Sprintf("UPDATE %s SET %q = %s WHERE %s", c.table, c.name, d.another(c), c.row()))
			must(t, err)
			if altered, err := r.RowsAffected(); err != nil || altered != 1 {
				t.Fatalf("%d rows are altered: %v", altered, err)
			}
			if r := s.audit(t); len(r.Findings) == 0 {
				t.Error("nothing is found")
			}
		})
	}
	if len(tables) < 8 {
		t.Errorf("only the tables %v", tables)
	}
}

// all returns the columns of all tables.
func (d database) all(t *testing.T) (all []column) {
	t.Helper()
	_, db := d.open(t)
	rows, err := db.QueryContext(t.Context(), d.columns)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var c column
		must(t, rows.Scan(&c.table, &c.name, &c.kind))
		all = append(all, c)
	}
	must(t, rows.Err())
	return all
}
