package sqlsystem

import (
	"context"
	"database/sql"

	"habeas.dev/pkg/dsar"
)

// begin reads and erases what stood there when the transaction began.
func (postgresDialect) begin() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead}
}

func (postgresDialect) looking() *sql.TxOptions { return &sql.TxOptions{ReadOnly: true} }

// measures implements dialect: the statistics have each table, and whatever changes it.
func (postgresDialect) measures(measure) bool { return true }

// watch does nothing: what there is to count, the database counts.
func (postgresDialect) watch(ctx context.Context, _ *sql.Conn) (context.Context, func(), error) {
	return ctx, func() {}, nil
}

// keepsCount implements transactor. Both settings are a superuser's to change, for a database, a
// user, a session or a function, and no worker's.
func (postgresDialect) keepsCount(ctx context.Context, on executor) error {
	var counts, role string
	err := each(ctx, on, "SELECT current_setting('track_counts'), current_setting('session_replication_role')", func(row []string) { counts, role = row[0], row[1] })
	switch {
	case err != nil:
		return err
	case counts != "on":
		return &overreach{"the server doesn't count what is deleted and changed (track_counts is off), so what an erasure takes with it can't be told: set track_counts = on, for the server, the database and the worker's user", dsar.Cause{}}
	case role == "replica":
		return &overreach{"the worker's session runs neither triggers nor foreign keys (session_replication_role is replica), so what should go with the rows stays: take the setting from the database, the worker's user and its data source", dsar.Cause{}}
	}
	return nil
}

// tallies counts also what transactions before this did of late: two of them are compared.
func (postgresDialect) tallies(ctx context.Context, on executor, schema string) (tallies, error) {
	out := tallies{}
	err := each(ctx, on, `SELECT relid::text, CASE WHEN schemaname = coalesce(nullif($1::text, ''), current_schema()) THEN relname ELSE schemaname || '.' || relname END, format('%I.%I', schemaname, relname), n_tup_del::text, n_tup_ins::text, n_tup_upd::text
		FROM pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0`, func(row []string) {
		out[row[0]] = tally{name: row[1], sql: row[2], deleted: whole(row[3]), inserted: whole(row[4]), updated: whole(row[5])}
	}, schema)
	if err != nil {
		return nil, err
	}
	// TRUNCATE isn't counted there. It gives a table another file; one that was made by a
	// trigger just now, as a partition, has the first.
	err = each(ctx, on, `SELECT c.oid::text, CASE WHEN n.nspname = coalesce(nullif($1::text, ''), current_schema()) THEN c.relname ELSE n.nspname || '.' || c.relname END, format('%I.%I', n.nspname, c.relname)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.relfilenode <> c.oid AND `+postgresDialect{}.written("c"), func(row []string) {
		t := out[row[0]]
		t.name, t.sql, t.emptied = row[1], row[2], true
		out[row[0]] = t
	}, schema)
	return out, err
}

// writtenAge bounds by how much the number of a subtransaction is above its transaction's: one
// that is numbers on is a frozen row of two thousand million transactions ago.
const writtenAge = "1048576"

// written implements dialect: what a snapshot shows of no lower number than its own
// transaction's is of that, or of a subtransaction.
func (postgresDialect) written(alias string) string {
	return "mod(" + alias + ".xmin::text::bigint - mod(txid_current_if_assigned(), 4294967296) + 4294967296, 4294967296) < " + writtenAge
}

// beforeCommit has deferred constraints and triggers looked at while all of it can still
// be taken back.
func (postgresDialect) beforeCommit(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, "SET CONSTRAINTS ALL IMMEDIATE")
	return err
}

// dangling counts nothing: PostgreSQL tells by itself.
func (postgresDialect) dangling(context.Context, *sql.Tx) (map[string]int, error) { return nil, nil }
