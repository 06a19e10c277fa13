package sqlsystem

import (
	"context"
	"database/sql"
	"strings"

	"habeas.dev/pkg/dsar"
)

// begin takes the write lock at once, by _txlock in the data source.
func (sqliteDialect) begin() *sql.TxOptions { return nil }

func (sqliteDialect) looking() *sql.TxOptions { return nil }

// measures implements dialect: total_changes has what foreign keys do, of all tables together.
func (sqliteDialect) measures(what measure) bool { return what == byForeignKeys }

// tallies counts all tables together, and what is deleted by table.
func (sqliteDialect) tallies(ctx context.Context, on executor, _ string) (tallies, error) {
	out := tallies{}
	err := each(ctx, on, "SELECT total_changes()", func(row []string) { out[""] = tally{updated: whole(row[0])} })
	deleted, watched := ctx.Value(liteWatch{}).(liteDeleted)
	out[""] = tally{updated: out[""].updated, watched: watched}
	for table, n := range deleted {
		out[table] = tally{name: table, deleted: n}
	}
	return out, err
}

// keepsCount implements transactor: without the pragma foreign keys do nothing.
func (sqliteDialect) keepsCount(ctx context.Context, on executor) error {
	holds := false
	err := each(ctx, on, "PRAGMA foreign_keys", func(row []string) { holds = yes(row[0]) })
	if err == nil && !holds {
		return &overreach{"the connection runs no foreign keys (PRAGMA foreign_keys is off), so what should go with the rows stays: open the database with _pragma=foreign_keys(1)", dsar.Cause{}}
	}
	return err
}

// written implements dialect: it isn't known.
func (sqliteDialect) written(string) string { return "" }

func (sqliteDialect) beforeCommit(context.Context, *sql.Tx) error { return nil }

// dangling looks where a table has foreign keys that are held at the end of a transaction
// only: the others refuse at once.
func (sqliteDialect) dangling(ctx context.Context, tx *sql.Tx) (map[string]int, error) {
	var tables []string
	err := each(ctx, tx, "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%deferred%'", func(row []string) { tables = append(tables, row[0]) })
	if err != nil {
		return nil, err
	}
	out := map[string]int{}
	for _, table := range tables {
		err := each(ctx, tx, "PRAGMA foreign_key_check("+doubleQuoted(table)+")", func([]string) { out[strings.ToLower(table)]++ })
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
