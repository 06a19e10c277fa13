package sqlsystem

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"

	"habeas.dev/pkg/dsar"
)

// The server's numbers of errors (mariadb.com/kb, MariaDB Error Codes; dev.mysql.com, Server
// Error Message Reference). Those that aren't here may be over next time: 1205 and 1213 are
// locks, 1020 a row that changed, 1969 and 3024 time that is over, 1040 and 1053 a server
// that is busy or stops.
var mysqlReasons = map[reason][]uint16{
	rowWrong:  {1048, 1062, 1169, 1216, 1217, 1264, 1265, 1288, 1292, 1348, 1364, 1366, 1406, 1411, 1442, 1451, 1452, 1644, 1761, 1906, 3105, 3140, 3819, 4025, 4076},
	shape:     {1049, 1054, 1064, 1146, 1305, 1356, 1395},
	forbidden: {1044, 1142, 1143, 1227, 1370},
	readOnly:  {1036, 1290, 1792, 1836},
	login:     {1045, 1251, 1698, 1820, 3118},
}

func (mysqlDialect) reason(err error) (reason, bool) {
	var e *mysql.MySQLError
	if !errors.As(err, &e) {
		return 0, false
	}
	for r, numbers := range mysqlReasons {
		if slices.Contains(numbers, e.Number) {
			return r, true
		}
	}
	if strings.HasPrefix(string(e.SQLState[:]), "45") { // a trigger's SIGNAL
		return rowWrong, true
	}
	return passing, true
}

// What the server names in its messages. None but a name that the catalogue has is told:
// the rest may quote a row.
var (
	mysqlConstraint = regexp.MustCompile("CONSTRAINT `([^`]+)`")
	mysqlKey        = regexp.MustCompile(`for key '([^']+)'$`)
	mysqlColumn     = regexp.MustCompile(`[Cc]olumn '([^']+)'`)
)

func named(form *regexp.Regexp, message string) string {
	if m := form.FindStringSubmatch(message); m != nil {
		return m[1][strings.LastIndexByte(m[1], '.')+1:] // some say the table, too
	}
	return ""
}

func (mysqlDialect) refusal(s *System, at rejected, err error) (string, bool) {
	var e *mysql.MySQLError
	if !errors.As(err, &e) {
		return "", false
	}
	switch e.Number {
	case 1451, 1217:
		if r, ok := s.catalogue().reference(named(mysqlConstraint, e.Message)); ok {
			return at.sentence(fmt.Sprintf("rows of %s refer to rows of %s (foreign key %s)", r.from.name, r.to.name, r.name), cureReference), true
		}
		return at.sentence("other rows refer to them by a foreign key", cureReference), true
	case 1452, 1216:
		return s.value(at, "the new value"+s.ofTable(at, err)+" refers to no row"+s.constraintNamed(named(mysqlConstraint, e.Message)), cureValue), true
	case 1048, 1364:
		return s.value(at, "the column"+s.columnNamed(at.d, named(mysqlColumn, e.Message))+s.ofTable(at, err)+" takes no null", cureValue), true
	case 1062, 1169:
		return s.value(at, "the new value"+s.ofTable(at, err)+" is another row's already"+s.constraintNamed(named(mysqlKey, e.Message)), cureTaken), true
	case 4025, 3819:
		return s.value(at, "the new value breaks a constraint"+s.ofTable(at, err)+s.constraintNamed(named(mysqlConstraint, e.Message)), cureValue), true
	case 1264, 1265, 1292, 1366, 1406, 1411, 1906, 3105, 3140:
		return s.value(at, "the column"+s.columnNamed(at.d, named(mysqlColumn, e.Message))+s.ofTable(at, err)+" doesn't take the value", cureValue), true
	case 1288, 1348, 1761:
		return at.sentence("the database lets nothing be changed through the view", "name the table that it reads"), true
	default:
		return s.raised(at, e.Message, ""), true
	}
}

func (mysqlDialect) cause(s *System, at rejected, err error, c *dsar.Cause) bool {
	var e *mysql.MySQLError
	if !errors.As(err, &e) {
		return false
	}
	c.SQLState = string(e.SQLState[:])
	if column := strings.TrimSpace(s.columnNamed(at.d, named(mysqlColumn, e.Message))); column != "" {
		c.Columns = []string{column}
	}
	for _, name := range []string{named(mysqlConstraint, e.Message), named(mysqlKey, e.Message)} {
		if _, known := s.catalogue().reference(name); known || s.constraintNamed(name) != "" {
			c.Constraint = name
		}
	}
	if c.Constraint == "" && e.Number == 1644 {
		c.Constraint = s.onlyTrigger(at, "")
	}
	return true
}

func (mysqlDialect) hides() (what, cure string) { return "", "" }

// mysqlTable matches the table of an error, behind that of its database where the server says it.
var mysqlTable = regexp.MustCompile("(?:for table |for |fails \\(|[Tt]able )[`'](?:[^`'.]+(?:`\\.`|\\.))?([^`']+)[`']")

func (mysqlDialect) tableOf(err error) string {
	var e *mysql.MySQLError
	if !errors.As(err, &e) {
		return ""
	}
	return named(mysqlTable, e.Message)
}
