package sqlitejournal

import (
	"context"
	"database/sql"
	"io/fs"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
)

// Reshaped implements journal.Audited. It makes an empty journal in memory, and compares.
func (s *Store) Reshaped(ctx context.Context) ([]string, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	fresh, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer fresh.Close()
	fresh.SetMaxOpenConns(1) // each connection has a memory of its own
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, fresh, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, err
	}
	if _, err := provider.Up(ctx); err != nil {
		return nil, err
	}
	made, err := shape(ctx, fresh)
	if err != nil {
		return nil, err
	}
	is, err := shape(ctx, s.read)
	if err != nil {
		return nil, explain(s.path, err)
	}
	var out []string
	for name, text := range is {
		if made[name] != text {
			out = append(out, name)
		}
	}
	for name := range made {
		if _, ok := is[name]; !ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out, nil
}

// shape returns what a database's schema says, by kind and name: tables, indices, views and
// triggers, each as it was made.
func shape(ctx context.Context, db *sql.DB) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, "SELECT type || ' ' || name || CASE type WHEN 'trigger' THEN ' on ' || tbl_name ELSE '' END, coalesce(sql, '') FROM sqlite_master WHERE tbl_name NOT IN ('sqlite_sequence', 'sqlite_stat1', 'sqlite_stat4')")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, err
		}
		out[name] = strings.Join(strings.Fields(text), " ")
	}
	return out, rows.Err()
}
