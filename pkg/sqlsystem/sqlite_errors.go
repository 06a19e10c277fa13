package sqlsystem

import (
	"errors"
	"regexp"
	"slices"
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
		check, foreignKey, notNull, primaryKey, trigger, unique, rowid = 275, 787, 1299, 1555, 1811, 2067, 2579
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
		return s.value(at, "the column"+s.columnNamed(at.d, column)+s.ofTable(at, err)+" takes no null", cureValue)
	case unique, primaryKey, rowid:
		columns := s.columnsSaid(at.d, err)
		if columns == nil {
			return s.value(at, "a new value"+s.ofTable(at, err)+" is another row's already", cureTaken)
		}
		return s.value(at, "the new value of "+strings.Join(columns, ", ")+" is another row's already (unique: "+s.uniqueOf(at.d, columns)+")", cureTaken)
	case check:
		return s.value(at, "the new value breaks a constraint"+s.ofTable(at, err)+s.constraintNamed(said), cureValue)
	case trigger:
		return s.raised(at, said, "")
	default:
		return at.sentence("the database refuses the change", "look at the error's details")
	}
}

// cause knows the columns of a unique index, and the index by them: SQLite's errors name no
// more.
func (sqliteDialect) cause(s *System, at rejected, any error, c *dsar.Cause) bool {
	var err *sqlite.Error
	if !errors.As(any, &err) || at.d == nil {
		return false
	}
	columns := s.columnsSaid(at.d, err)
	if columns == nil {
		return false
	}
	c.Columns = columns
	if name := s.uniqueOf(at.d, columns); name != "primary key" {
		c.Constraint = name
	}
	return true
}

// columnsSaid returns the columns of a dataset's table that an error about a unique index
// names: UNIQUE constraint failed: people.nick, people.shop. It is nil where it says others.
func (s *System) columnsSaid(d *dataset, err *sqlite.Error) (columns []string) {
	_, said, is := strings.Cut(err.Error(), "UNIQUE constraint failed: ")
	if d == nil || !is {
		return nil
	}
	said, _, _ = strings.Cut(said, " (")
	for part := range strings.SplitSeq(said, ", ") {
		table, name, _ := strings.Cut(part, ".")
		col, known := d.own.column(name, s.dialect)
		if !known || !strings.EqualFold(table, d.relation.name) {
			return nil
		}
		columns = append(columns, col.name)
	}
	return columns
}

// uniqueOf returns what the unique index on some columns is called.
func (s *System) uniqueOf(d *dataset, columns []string) string {
	for _, x := range d.own.indexes {
		if x.text == "" && slices.EqualFunc(x.columns, columns, strings.EqualFold) {
			return x.called()
		}
	}
	return "primary key"
}

func (sqliteDialect) hides() (what, cure string) { return "", "" }

// liteTable matches the table of a constraint that is broken, and of a column that isn't there.
var liteTable = regexp.MustCompile(`(?:(?:NOT NULL|UNIQUE) constraint failed: |no such table: (?:main\.)?)([^\s.,]+)`)

func (sqliteDialect) tableOf(err error) string {
	var lite *sqlite.Error
	if !errors.As(err, &lite) {
		return ""
	}
	if m := liteTable.FindStringSubmatch(lite.Error()); m != nil {
		return m[1]
	}
	return ""
}
