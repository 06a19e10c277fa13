package sqlsystem

import (
	"errors"
	"regexp"
	"strings"

	"modernc.org/sqlite"

	"habeas.dev/pkg/dsar"
)

// reason reads a primary result code (sqlite.org/rescode.html).
func (sqliteDialect) reason(err error) (reason, bool) {
	var lite *sqlite.Error
	if !errors.As(err, &lite) {
		return 0, false
	}
	const (
		sqliteError      = 1 // the statement can't be prepared any more
		sqlitePerm       = 3
		sqliteReadOnly   = 8
		sqliteCorrupt    = 11
		sqliteTooBig     = 18
		sqliteConstraint = 19
		sqliteMismatch   = 20
		sqliteAuth       = 23
		sqliteNotADB     = 26
	)
	switch lite.Code() & 0xff {
	case sqliteConstraint, sqliteMismatch, sqliteTooBig:
		return rowWrong, true
	case sqliteError:
		return shape, true
	case sqlitePerm, sqliteReadOnly, sqliteAuth: // of the file: SQLite forbids no single table
		return readOnly, true
	case sqliteCorrupt, sqliteNotADB:
		return broken, true
	default:
		return passing, true
	}
}

// sqliteForm takes an error of modernc.org/sqlite apart: constraint failed: what
// SQLite says (19).
var sqliteForm = regexp.MustCompile(`(?s)^(?:.*? failed: )?(.*?)(?: \(\d+\))?$`)

func (sqliteDialect) refusal(s *System, at rejected, any error) (string, bool) {
	var err *sqlite.Error
	if !errors.As(any, &err) {
		return "", false
	}
	return sqliteRefusal(s, at, err), true
}

func sqliteRefusal(s *System, at rejected, err *sqlite.Error) string {
	const (
		check, foreignKey, notNull, primaryKey, trigger, unique = 275, 787, 1299, 1555, 1811, 2067
	)
	said := err.Error()
	if m := sqliteForm.FindStringSubmatch(strings.TrimPrefix(said, "constraint failed: ")); m != nil {
		said = m[1]
	}
	switch err.Code() {
	case foreignKey:
		var by []string
		if at.d != nil {
			for _, r := range s.catalogue().to(at.d.relation.id) {
				if r.onDelete == blocks {
					by = append(by, r.from.name+" ("+strings.Join(r.columns, ", ")+")")
				}
			}
		}
		if by == nil {
			return at.sentence("other rows refer to them by a foreign key", cureReference)
		}
		return at.sentence("rows refer to them by the foreign key of "+strings.Join(by, ", or of "), cureReference)
	case notNull:
		_, column, _ := strings.Cut(said, ".")
		return at.sentence("the column"+s.columnNamed(at.d, column)+" takes no null", cureValue)
	case unique, primaryKey:
		_, column, _ := strings.Cut(said, ".")
		return at.sentence("the new value of the column"+s.columnNamed(at.d, column)+" is another row's already", `give each row its own: "erased-{key}"`)
	case check:
		return at.sentence("the new value breaks a constraint"+s.constraintNamed(at.d, said), cureValue)
	case trigger:
		return s.raised(at, said, "")
	default:
		return at.sentence("the database refuses the change", "look at the error's details")
	}
}

// cause knows nothing more: SQLite's errors name nothing.
func (sqliteDialect) cause(*System, rejected, error, *dsar.Cause) bool { return false }

func (sqliteDialect) hides() (what, cure string) { return "", "" }
