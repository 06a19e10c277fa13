package sqlsystem

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"habeas.dev/pkg/dsar"
)

// mysqlDialect is MariaDB, and MySQL where it says so. Statements hold their parameters:
// a list is as long as it has to be.
//
// Its collations take é for e, case and blanks at the end for nothing: what must be equal
// is compared as bytes ([exact]), and by the column itself only to have an index narrow
// the search.
type mysqlDialect struct {
	mysql    bool // it is MySQL, which differs in places
	snapshot bool // it tells of rows that changed since a transaction began
}

func (d mysqlDialect) String() string {
	if d.mysql {
		return "MySQL"
	}
	return "MariaDB"
}

func (mysqlDialect) schemes() []string { return []string{"mariadb", "mysql"} }

// prepares returns false: what is prepared may have 65,535 parameters at most.
func (mysqlDialect) prepares() bool { return false }

// Waits of a session. The server's own are 50 seconds for a row, and a day for a table.
const (
	mysqlDialTime = 10 * time.Second
	mysqlLockWait = 10 // seconds
)

// connect has a session that is strict, in UTC, and waits for no lock for long. A changed
// row counts where it was found, also if it is as it was. Statements come one at a time.
func (d mysqlDialect) connect(_ context.Context, source, _ string) (*sql.DB, error) {
	u, err := url.Parse(source)
	if err != nil {
		return nil, err // its text may hold a password, and isn't told
	}
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.DBName = "tcp", u.Host, u.User.Username(), strings.TrimPrefix(u.Path, "/")
	c.Passwd, _ = u.User.Password()
	if u.Port() == "" {
		c.Addr = net.JoinHostPort(u.Hostname(), "3306")
	}
	if c.DBName == "" || strings.Contains(c.DBName, "/") {
		return nil, &sourceError{"it names no database: write mariadb://user@host:port/database"}
	}
	c.TLSConfig = "preferred"
	for name, values := range u.Query() {
		switch value := values[0]; name {
		case "passfile":
			secret, err := os.ReadFile(value)
			if err != nil {
				return nil, &sourceError{"the file of its passfile can't be read"}
			}
			c.Passwd = strings.TrimRight(string(secret), "\r\n")
		case "socket":
			c.Net, c.Addr, c.TLSConfig = "unix", value, "false"
		case "tls":
			if c.TLSConfig = value; value != "true" && value != "false" && value != "preferred" && value != "skip-verify" {
				return nil, &sourceError{"tls is true, preferred, skip-verify or false"}
			}
		default:
			return nil, &sourceError{fmt.Sprintf("it takes no %.30q: write tls, passfile or socket", name)}
		}
	}
	c.Timeout, c.Logger = mysqlDialTime, silent{}
	c.InterpolateParams, c.ClientFoundRows, c.MaxAllowedPacket = true, true, 0 // as large as the server takes
	c.Collation = "utf8mb4_general_ci"
	c.ConnectionAttributes = "program_name:habeas"
	c.Params = map[string]string{
		"sql_mode": "'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'", "time_zone": "'+00:00'",
		"innodb_lock_wait_timeout": fmt.Sprint(mysqlLockWait), "lock_wait_timeout": fmt.Sprint(mysqlLockWait),
		"foreign_key_checks": "1", "sql_safe_updates": "0", "sql_select_limit": "DEFAULT", "group_concat_max_len": "1073741824",
	}
	if err := c.Apply(); err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(session{connector}), nil
}

// sourceError says what is wrong with a data source, without a part of it that may be
// secret.
type sourceError struct{ text string }

func (e *sourceError) Error() string { return e.text }

// silent logs nothing: an error of the driver's comes back to who called.
type silent struct{}

func (silent) Print(...any) {}

// session sets what not every server has: a transaction that fails where a row has changed
// since it began, instead of erasing what it never read; an end for statements whose
// caller is gone; lists that are compared as they are written.
type session struct{ driver.Connector }

func (s session) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := s.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	for _, set := range []string{"innodb_snapshot_isolation = ON", "max_statement_time = " + fmt.Sprint(int(DefaultTimeout.Seconds())), "in_predicate_conversion_threshold = 0"} {
		_, err := conn.(driver.ExecerContext).ExecContext(ctx, "SET SESSION "+set, nil)
		if known := (*mysql.MySQLError)(nil); errors.As(err, &known) && known.Number == 1193 { // unknown variable
			continue
		}
		if err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return conn, nil
}

func (mysqlDialect) learn(ctx context.Context, db *sql.DB) (Dialect, error) {
	var out mysqlDialect
	var version string
	if err := db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
		return out, err
	}
	out.mysql = !strings.Contains(version, "MariaDB")
	err := each(ctx, db, "SHOW SESSION VARIABLES LIKE 'innodb_snapshot_isolation'", func(row []string) { out.snapshot = row[1] == "ON" })
	return out, err
}

func (mysqlDialect) quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func (d mysqlDialect) qualified(schema, table string) string {
	if schema == "" {
		return d.quote(table)
	}
	return d.quote(schema) + "." + d.quote(table)
}

func (mysqlDialect) same(a, b string) bool { return strings.EqualFold(a, b) }

func (mysqlDialect) parameter(int) string { return "?" }

func (mysqlDialect) textParameter(int) string { return "?" }

// literal writes a text, also of a number: compared with a column of texts, a number would
// make numbers of them. It is written so that no mode of the session reads it otherwise.
func (d mysqlDialect) literal(v any) string {
	text := fmt.Sprint(d.constant(v, column{}))
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f || r == '\'' || r == '\\' }) {
		return d.characters(text)
	}
	return "'" + text + "'"
}

// characters returns a text as a constant of SQL, by its bytes.
func (mysqlDialect) characters(text string) string {
	if text == "" {
		return "''"
	}
	return fmt.Sprintf("_utf8mb4 X'%x'", text)
}

// constant returns a text, which is read by the column's type: a moment without a zone,
// which no column takes.
func (mysqlDialect) constant(v any, col column) any {
	text := fmt.Sprint(v)
	switch {
	case v == true:
		return "1"
	case v == false:
		return "0"
	case col.typ == "datetime" || col.typ == "timestamp":
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return at.UTC().Format("2006-01-02 15:04:05.999999")
		}
	}
	return text
}

func (mysqlDialect) text(expr string) string { return "CAST(" + expr + " AS CHAR)" }

// held returns bits as the number that they are.
func (mysqlDialect) held(expr string, col column) string {
	if col.typ == "bit" {
		return expr + " + 0"
	}
	return expr
}

func (mysqlDialect) concat() (begin, between, end string) { return "CONCAT(", ", ", ")" }

// exact returns the bytes of a text.
func exact(expr string) string { return "CAST(CONVERT(" + expr + " USING utf8mb4) AS BINARY)" }

// equal compares the bytes, too, where one side is a text: a collation would have other
// people's rows follow, and a number beside a text makes a number of it. The server writes a
// number with the zeros of ZEROFILL, or of its scale.
func (d mysqlDialect) equal(a string, of column, b string, ofOther column, alike string) string {
	switch {
	case !mysqlText(of.typ) && !mysqlText(ofOther.typ):
		return a + " = " + b
	case mysqlNumber(of.typ):
		return a + " = " + b + " AND " + exact(b) + " IN (" + exact(d.text(a)) + ", " + exact(d.text(d.digits(a, of))) + ")"
	case mysqlNumber(ofOther.typ):
		return a + " = " + b + " AND " + exact(a) + " IN (" + exact(d.text(b)) + ", " + exact(d.text(d.digits(b, ofOther))) + ")"
	case alike != "":
		near, guard := d.alikeBy(a, of, alike)
		far, guarded := d.alikeBy(b, ofOther, alike)
		return near + " = " + far + guard + guarded
	}
	near := a
	if mysqlText(of.typ) && mysqlText(ofOther.typ) && of.collation != ofOther.collation {
		// By the collation of the other, whose index serves: it is looked up by the one.
		charset, _, _ := strings.Cut(ofOther.collation, "_")
		near = "CONVERT(" + a + " USING " + charset + ") COLLATE " + ofOther.collation
	}
	return near + " = " + b + " AND " + exact(d.text(a)) + " = " + exact(d.text(b))
}

// alikeBy writes a text by a collation, and a further condition that its characters are all in that
// one's: what isn't would become a question mark, which is equal to others.
func (mysqlDialect) alikeBy(expr string, of column, collation string) (text, guard string) {
	charset, _, _ := strings.Cut(collation, "_")
	own, _, _ := strings.Cut(of.collation, "_")
	converted := "CONVERT(" + expr + " USING " + charset + ")"
	if own != charset {
		guard = " AND " + exact(converted) + " = " + exact(expr)
	}
	if of.collation == collation {
		return expr, guard
	}
	return converted + " COLLATE " + collation, guard
}

// digits writes a number without zeros in front or behind the point.
func (mysqlDialect) digits(expr string, col column) string {
	if strings.Contains(col.full, "unsigned") {
		return "CAST(" + expr + " AS UNSIGNED)"
	}
	return "CAST(" + expr + " AS SIGNED)"
}

func (mysqlDialect) deletes(table string, _ *table) string { return "DELETE t FROM " + table + " AS t" }

// updates keeps columns as they are that the server sets whenever a row changes: a period
// of retention may run from one.
func (d mysqlDialect) updates(table string, own *table) string {
	begin := "UPDATE " + table + " AS t SET "
	for _, c := range own.columns {
		if c.selfSet {
			begin += d.quote(c.name) + " = t." + d.quote(c.name) + ", "
		}
	}
	return begin
}

func (mysqlDialect) alias(*table) string { return "t." }

// begin reads and erases what stood there when the transaction began; a server that can't
// tell has others wait.
func (d mysqlDialect) begin() *sql.TxOptions {
	if d.snapshot {
		return &sql.TxOptions{Isolation: sql.LevelRepeatableRead}
	}
	return &sql.TxOptions{Isolation: sql.LevelSerializable}
}

func (mysqlDialect) looking() *sql.TxOptions { return &sql.TxOptions{ReadOnly: true} }

// measures implements dialect: the handlers' counters are of all tables together, and know
// nothing of what InnoDB does for a foreign key, but count by kind.
func (mysqlDialect) measures(what measure) bool { return what == byKind }

// tallies counts what the session's statements and their triggers did in all tables
// together. What foreign keys take isn't counted: the catalogue has all of those.
func (mysqlDialect) tallies(ctx context.Context, on executor, _ string) (tallies, error) {
	sum := tally{}
	err := each(ctx, on, "SHOW SESSION STATUS WHERE Variable_name IN ('Handler_delete', 'Handler_update', 'Handler_write')", func(row []string) {
		switch row[0] {
		case "Handler_delete":
			sum.deleted = whole(row[1])
		case "Handler_update":
			sum.updated = whole(row[1])
		default:
			sum.inserted = whole(row[1])
		}
	})
	return tallies{"": sum}, err
}

// watch does nothing: what there is to count, the database counts.
func (mysqlDialect) watch(ctx context.Context, _ *sql.Conn) (context.Context, func(), error) {
	return ctx, func() {}, nil
}

// keepsCount implements transactor: without the variable foreign keys do nothing.
func (mysqlDialect) keepsCount(ctx context.Context, on executor) error {
	holds := false
	if err := each(ctx, on, "SELECT @@SESSION.foreign_key_checks", func(row []string) { holds = yes(row[0]) }); err != nil {
		return err
	}
	if !holds {
		return &overreach{"the session runs no foreign keys (foreign_key_checks is off), so what should go with the rows stays: set foreign_key_checks = 1, and have no trigger set it", dsar.Cause{}}
	}
	return nil
}

// written implements dialect: it isn't known.
func (mysqlDialect) written(string) string { return "" }

// beforeCommit does nothing: nothing is deferred.
func (mysqlDialect) beforeCommit(context.Context, *sql.Tx) error { return nil }

func (mysqlDialect) dangling(context.Context, *sql.Tx) (map[string]int, error) { return nil, nil }
