package audit_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"habeas.dev/services/internal/audit"
	"habeas.dev/services/internal/journal/sqlitejournal"
)

// audited are the tables whose every column the audit holds against something.
var audited = []string{"request", "fact", "fingerprint", "leaf", "tree"}

// TestEveryColumn alters one value of every column that there is in what is audited, whatever
// migrations have added, and each is found.
func TestEveryColumn(t *testing.T) {
	t.Parallel()
	columns := map[string][]string{}
	inFile(t, func(db *sql.DB) {
		for _, table := range audited {
			rows, err := db.QueryContext(t.Context(), "SELECT name FROM pragma_table_info(?)", table)
			must(t, err)
			for rows.Next() {
				var name string
				must(t, rows.Scan(&name))
				columns[table] = append(columns[table], name)
			}
			must(t, rows.Err())
			if len(columns[table]) < 2 {
				t.Fatalf("%s has the columns %v", table, columns[table])
			}
		}
	})
	for _, table := range audited {
		for _, column := range columns[table] {
			t.Run(table+"."+column, func(t *testing.T) {
				t.Parallel()
				where := map[string]string{"request": "id = '" + answered + "'", "fact": "version = 2 AND request = (SELECT num FROM request WHERE id = '" + answered + "')",
					"fingerprint": "request = (SELECT num FROM request WHERE id = '" + answered + "')", "leaf": "num = 1", "tree": "num = 1"}[table]
				var altered int64
				s := inFile(t, func(db *sql.DB) {
					// Another value of its type; where it is empty, one that isn't.
					r, err := db.ExecContext(t.Context(), fmt.Sprintf(`UPDATE %s SET %[2]q = CASE typeof(%[2]q) WHEN 'integer' THEN CASE '%[2]s' WHEN 'overdue' THEN 1 - %[2]q ELSE %[2]q + 1000 END WHEN 'text' THEN %[2]q || 'x' WHEN 'blob' THEN CAST(%[2]q || 'x' AS BLOB)
						ELSE (SELECT CASE type WHEN 'INTEGER' THEN 1000 WHEN 'TEXT' THEN 'x' ELSE x'01' END FROM pragma_table_info('%[1]s') WHERE name = '%[2]s') END WHERE %[3]s`, table, column, where))
					must(t, err)
					altered, err = r.RowsAffected()
					must(t, err)
				})
				if altered != 1 {
					t.Fatalf("%d rows", altered)
				}
				if r := s.audit(t); len(r.Findings) == 0 || !slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return f.Code != "" }) {
					t.Error("nothing is found")
				}
			})
		}
	}
}

// inFile returns a scene whose journal was altered behind its back.
func inFile(t *testing.T, alter func(db *sql.DB)) *scene {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal.db")
	j, err := sqlitejournal.Open(t.Context(), sqlitejournal.Config{Path: path})
	must(t, err)
	t.Cleanup(func() { _ = j.Close() })
	s := newScene(t, j, nil)
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(10000)")
	must(t, err)
	defer db.Close()
	alter(db)
	return s
}
