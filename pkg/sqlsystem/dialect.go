package sqlsystem

import (
	"strconv"
	"strings"
)

// Dialect is the database's kind.
type Dialect int

// The databases.
const (
	SQLite     Dialect = iota + 1 // 3.33 or later
	PostgreSQL                    // 13 or later
)

// String returns the database's name.
func (d Dialect) String() string {
	switch d {
	case SQLite:
		return "SQLite"
	case PostgreSQL:
		return "PostgreSQL"
	default:
		return "unknown database"
	}
}

// quote makes a name of a table or column safe in a statement.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// statement is a SQL text and its parameters. What isn't a constant of this
// package or a quoted name of the manifest is a parameter.
type statement struct {
	strings.Builder
	dialect Dialect
	args    []any
	making  making // what an erasure makes for rows
}

// arg adds a parameter.
func (s *statement) arg(v any) {
	s.args = append(s.args, v)
	if s.dialect == PostgreSQL {
		s.WriteByte('$')
		s.WriteString(strconv.Itoa(len(s.args)))
		return
	}
	s.WriteByte('?')
}

func (s *statement) add(parts ...string) {
	for _, p := range parts {
		s.WriteString(p)
	}
}
