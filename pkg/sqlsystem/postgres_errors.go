package sqlsystem

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"habeas.dev/pkg/dsar"
)

func (postgresDialect) reason(err error) (reason, bool) {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return 0, false
	}
	return postgresReason(pg), true
}

// postgresReason reads an SQLSTATE (PostgreSQL's appendix A). A code that isn't
// known is unsure, and asked again.
func postgresReason(err *pgconn.PgError) reason {
	code := err.Code
	switch {
	case code == "42501": // insufficient_privilege
		return forbidden
	case code == "25006": // read_only_sql_transaction
		return readOnly
	case strings.HasPrefix(code, "28"): // invalid authorization
		return login
	case code == "42P05", code == "26000", code == "08P01": // a prepared statement that is there, or isn't; a protocol violation
		return pooler
	case dropped(err):
		return passing // by then it is asked for no more, or missing
	case code == "0A000" && strings.Contains(err.Message, "cached plan"):
		return passing // a statement that was prepared before an ALTER TABLE; it is prepared anew
	case strings.HasPrefix(code, "42") && code != "428C9" && code != "42809", strings.HasPrefix(code, "3F"), strings.HasPrefix(code, "3D"):
		return shape
	case strings.HasPrefix(code, "22"), strings.HasPrefix(code, "23"), // data, integrity
		code == "428C9", code == "42809", code == "55000", code == "0A000", // a generated column; a view that can't be deleted from
		strings.HasPrefix(code, "P0"), strings.HasPrefix(code, "38"), strings.HasPrefix(code, "39"), // a trigger raised
		strings.HasPrefix(code, "44"), code == "21000", code == "27000", // WITH CHECK OPTION; a trigger changed the row first
		code == "XX000": // a rule on what a foreign key cascades to
		return rowWrong
	default:
		return passing
	}
}

// dropped reports whether a relation or publication was dropped while PostgreSQL's catalogue was read:
// its functions look at what is there now, and not at what a statement began with.
func dropped(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "XX000" && (strings.Contains(pg.Message, "could not open relation") || strings.Contains(pg.Message, "cache lookup failed")) ||
		pg.Code == "42704" && strings.HasPrefix(pg.Message, "publication "))
}

func (postgresDialect) refusal(s *System, at rejected, any error) (string, bool) {
	var err *pgconn.PgError
	if !errors.As(any, &err) {
		return "", false
	}
	return postgresRefusal(s, at, err), true
}

func postgresRefusal(s *System, at rejected, err *pgconn.PgError) string {
	switch {
	case err.Code == "23503":
		if r, ok := s.catalogue().reference(err.ConstraintName); ok {
			return at.sentence(fmt.Sprintf("rows of %s refer to rows of %s (foreign key %s)", r.from.name, r.to.name, r.name), cureReference)
		}
		return at.sentence("other rows refer to them by a foreign key", cureReference)
	case err.Code == "23502":
		return s.value(at, "the column"+s.columnNamed(at.d, err.ColumnName)+s.ofTable(at, err)+" takes no null", cureValue)
	case err.Code == "23505":
		return s.value(at, "the new value"+s.ofTable(at, err)+" is another row's already"+s.constraintNamed(err.ConstraintName), cureTaken)
	case strings.HasPrefix(err.Code, "23"), strings.HasPrefix(err.Code, "44"):
		return s.value(at, "the new value breaks a constraint"+s.ofTable(at, err)+s.constraintNamed(err.ConstraintName), cureValue)
	case strings.HasPrefix(err.Code, "22") && at.what == reading:
		return at.sentence("a row holds what can't be read as the manifest says", "of a text that is to be JSON, find the row that isn't and correct it")
	case strings.HasPrefix(err.Code, "22"), err.Code == "428C9":
		return s.value(at, "a column"+s.ofTable(at, err)+" doesn't take the value", cureValue)
	case err.Code == "55000", err.Code == "42809", err.Code == "0A000":
		return at.sentence("the database lets nothing be changed through the view", "name the table that it reads, or add a trigger INSTEAD OF to it")
	case err.Code == "XX000":
		return at.sentence("a rule or trigger keeps rows from going that a foreign key takes with them"+s.culprits(at), cureTrigger)
	default:
		return s.raised(at, err.Message, functionOf(err.Where))
	}
}

// functionOf returns the function's name in the context that PostgreSQL tells of an
// error in PL/pgSQL: PL/pgSQL function ledger.refuse() line 3 at RAISE.
func functionOf(where string) string {
	m := functionForm.FindStringSubmatch(where)
	if m == nil {
		return ""
	}
	name := m[1]
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	return strings.Trim(name, `"`)
}

var functionForm = regexp.MustCompile(`^(?:PL/pgSQL|SQL|PL/\w+) function "?([^\s(]+)"?\(`)

// cause goes by the names that PostgreSQL gives with its error.
func (postgresDialect) cause(s *System, at rejected, err error, c *dsar.Cause) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	c.SQLState = pg.Code
	if column := strings.TrimSpace(s.columnNamed(at.d, pg.ColumnName)); column != "" {
		c.Columns = []string{column}
	}
	if _, known := s.catalogue().reference(pg.ConstraintName); known || s.constraintNamed(pg.ConstraintName) != "" {
		c.Constraint = pg.ConstraintName
	}
	if c.Constraint == "" && strings.HasPrefix(pg.Code, "P0") {
		c.Constraint = s.onlyTrigger(at, functionOf(pg.Where))
	}
	return true
}

func (postgresDialect) hides() (what, cure string) {
	return "as a policy of row security does it", "grant the database's user a policy for all rows, or BYPASSRLS"
}

// deniedForm matches a missing permission, in which PostgreSQL names the table in its text alone.
var deniedForm = regexp.MustCompile(`^permission denied for (?:table|view|relation|foreign table|materialized view) "?([^"]+)"?$`)

func (postgresDialect) tableOf(err error) string {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return ""
	}
	if m := deniedForm.FindStringSubmatch(pg.Message); m != nil {
		return m[1]
	}
	return pg.TableName
}
