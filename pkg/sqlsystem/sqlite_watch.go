package sqlsystem

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"

	"modernc.org/sqlite"

	"habeas.dev/pkg/telemetry"
)

// liteDeleted are how many rows of each table, in lower case, a transaction has deleted so far: also
// those that stood in the way of another (REPLACE), which total_changes doesn't count and no
// trigger sees.
type liteDeleted map[string]int64

// liteWatch is the key of a transaction's liteDeleted in its context.
type liteWatch struct{}

// errNoHook says that a caller's database is another driver's, or of a wrapper that hides it.
var errNoHook = telemetry.Constant("sqlsystem: a SQLite database must be opened by modernc.org/sqlite, which tells what is deleted; a driver around it must have Raw() driver.Conn")

// watch implements transactor, by the hook that SQLite calls before it changes a row.
func (sqliteDialect) watch(ctx context.Context, conn *sql.Conn) (context.Context, func(), error) {
	const deletes = 9 // SQLITE_DELETE
	counts := liteDeleted{}
	hook := func(call sqlite.PreUpdateHookFn) error {
		return conn.Raw(func(inner any) error {
			for {
				if h, is := inner.(sqlite.HookRegisterer); is {
					h.RegisterPreUpdateHook(call)
					return nil
				}
				wrapper, is := inner.(interface{ Raw() driver.Conn })
				if !is {
					return errNoHook
				}
				inner = wrapper.Raw()
			}
		})
	}
	err := hook(func(change sqlite.SQLitePreUpdateData) {
		if change.Op == deletes && change.DatabaseName == "main" {
			counts[strings.ToLower(change.TableName)]++
		}
	})
	return context.WithValue(ctx, liteWatch{}, counts), func() { _ = hook(nil) }, err // what ends with the connection, ends
}
