package sqlsystem

import (
	"context"
	"database/sql"
)

// begin reads and erases what stood there when the transaction began.
func (postgresDialect) begin() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead}
}

func (postgresDialect) looking() *sql.TxOptions { return &sql.TxOptions{ReadOnly: true} }

// tallies counts also what transactions before this did of late: two of them are compared.
func (postgresDialect) tallies(ctx context.Context, on executor, schema string) (tallies, error) {
	out := tallies{}
	err := each(ctx, on, `SELECT relid::text, CASE WHEN schemaname = coalesce(nullif($1::text, ''), current_schema()) THEN relname ELSE schemaname || '.' || relname END, n_tup_del::text, (n_tup_ins + n_tup_upd)::text
		FROM pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0`, func(row []string) {
		out[row[0]] = tally{row[1], whole(row[2]), whole(row[3])}
	}, schema)
	return out, err
}

// beforeCommit has deferred constraints and triggers looked at while all of it can still
// be taken back.
func (postgresDialect) beforeCommit(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, "SET CONSTRAINTS ALL IMMEDIATE")
	return err
}

// dangling counts nothing: PostgreSQL tells by itself.
func (postgresDialect) dangling(context.Context, *sql.Tx) (map[string]int, error) { return nil, nil }
