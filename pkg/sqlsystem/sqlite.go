package sqlsystem

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/worker"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// sqliteDialect is SQLite. Its columns hold values of any type, whatever their own is;
// lists are parameters, or JSON.
type sqliteDialect struct{}

func (sqliteDialect) String() string { return "SQLite" }

func (sqliteDialect) schemes() []string { return []string{"sqlite"} }

func (sqliteDialect) connect(_ context.Context, _, path string) (*sql.DB, error) {
	return sql.Open("sqlite", sqliteDSN(path))
}

// sqliteDSN returns a file's path as the driver wants it: transactions take the
// write lock at once, so that none fails halfway; others wait for it a while; what
// sorting needs stays in memory and off the disk, and what is deleted is
// overwritten.
func sqliteDSN(path string) string {
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: url.Values{
		"mode":    {"rw"}, // a missing file is an error, not an empty database
		"_txlock": {"immediate"},
		"_pragma": {"busy_timeout(10000)", "foreign_keys(1)", "temp_store(memory)", "secure_delete(1)"},
	}.Encode()}
	if !strings.HasPrefix(path, "/") {
		u.Opaque, u.Path = (&url.URL{Path: path}).EscapedPath(), ""
	}
	return u.String()
}

func (d sqliteDialect) learn(context.Context, *sql.DB) (Dialect, error) { return d, nil }

// prepares returns true: preparing is a third of what a small query costs.
func (sqliteDialect) prepares() bool { return true }

func (sqliteDialect) quote(name string) string { return doubleQuoted(name) }

// doubleQuoted quotes a name as standard SQL does.
func doubleQuoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func (d sqliteDialect) qualified(_, table string) string { return d.quote(table) }

func (sqliteDialect) same(a, b string) bool { return strings.EqualFold(a, b) }

func (sqliteDialect) parameter(int) string { return "?" }

func (sqliteDialect) textParameter(int) string { return "?" }

func (sqliteDialect) literal(v any) string {
	text, isText := v.(string)
	switch {
	case isText:
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	case v == true:
		return "1"
	case v == false:
		return "0"
	default:
		return fmt.Sprint(v)
	}
}

func (sqliteDialect) constant(v any, _ column) any { return v }

func (sqliteDialect) text(expr string) string { return "CAST(" + expr + " AS TEXT)" }

func (sqliteDialect) held(expr string, _ column) string { return expr }

func (sqliteDialect) concat() (begin, between, end string) { return "", " || ", "" }

// equal compares a number with a text as texts, too: SQLite would make a number of the text, and
// 0017 of one account the 17 of another. Where the columns don't compare texts alike, the first would
// say how.
func (d sqliteDialect) equal(a string, of column, b string, ofOther column, alike string) string {
	kind, other := kindKept(of.typ), kindKept(ofOther.typ)
	switch {
	case kind == "number" && other == "text":
		return a + " = " + b + " AND " + d.text(b) + " IN (" + d.text(a) + ", " + d.text("CAST("+a+" AS INTEGER)") + ")"
	case kind == "text" && other == "number":
		return a + " = " + b + " AND " + d.text(a) + " IN (" + d.text(b) + ", " + d.text("CAST("+b+" AS INTEGER)") + ")"
	case kind != other:
		return a + " = " + b + " AND " + d.text(a) + " = " + d.text(b)
	case of.alike == alike && ofOther.alike == alike:
		return a + " = " + b
	case alike != "":
		return a + " = " + b + " COLLATE " + alike
	default: // and an index by the columns' own serves
		return a + " = " + b + " AND " + a + " = " + b + " COLLATE BINARY"
	}
}

func (d sqliteDialect) deletes(table string, own *table) string {
	return "DELETE FROM " + d.target(table, own)
}

// updates refuses what is another row's already, whatever the table's own clauses or those in
// triggers say (ON CONFLICT REPLACE deletes the other row, IGNORE keeps the old value, ROLLBACK
// ends the transaction): a statement's own clause goes before both (sqlite.org/lang_conflict.html,
// TestConflictsAreRefused). DELETE takes none: what its triggers replace is counted.
func (d sqliteDialect) updates(table string, own *table) string {
	return "UPDATE OR ABORT " + d.target(table, own) + " SET "
}

// target returns the table of a statement that changes rows: SQLite gives a view's columns
// no other name there.
func (sqliteDialect) target(table string, own *table) string {
	if own.view {
		return table
	}
	return table + " AS t"
}

func (sqliteDialect) alias(own *table) string {
	if own.view {
		return ""
	}
	return "t."
}

func (sqliteDialect) rowName() (name string, unstable bool) { return "rowid", false }

// keyText writes what a key's column holds so that it says of which kind it is: SQLite keeps
// 1, '1' and x'31' apart in one column, and they may be different people's rows. A number is
// written with all of its digits, bytes as \x and theirs, and a text as it is: with \t before
// it where it would be read as one of those.
func (d sqliteDialect) keyText(expr string, col column) string {
	mistaken := expr + ` = '' OR substr(` + expr + `, 1, 1) = '\'`
	if !keepsTexts(col.typ) {
		mistaken += ` OR ` + readAsNumber(expr)
	}
	return `CASE typeof(` + expr + `) WHEN 'integer' THEN ` + d.text(expr) + ` WHEN 'text' THEN CASE WHEN ` + mistaken + ` THEN '\t' || ` + expr + ` ELSE ` + expr +
		` END WHEN 'real' THEN ` + realText(expr) + ` WHEN 'blob' THEN '\x' || hex(` + expr + `) END`
}

// keyValue returns what a text of keyText's was made of.
func keyValue(text string, col column) string {
	otherwise := text
	if !keepsTexts(col.typ) {
		otherwise = `CASE WHEN CAST(CAST(` + text + ` AS INTEGER) AS TEXT) = ` + text + ` THEN CAST(` + text + ` AS INTEGER) WHEN ` + realText(`CAST(`+text+` AS REAL)`) + ` = ` + text + ` THEN CAST(` + text + ` AS REAL) ELSE ` + text + ` END`
	}
	rest := `substr(` + text + `, 3)`
	return `CASE substr(` + text + `, 1, 2) WHEN '\x' THEN unhex(` + rest + `) WHEN '\u' THEN CAST(unhex(` + rest + `) AS TEXT) WHEN '\t' THEN ` + rest + ` ELSE ` + otherwise + ` END`
}

// keyBytes writes a text that JSON can't hold, with a zero in it or that isn't UTF-8, by its
// bytes.
func (sqliteDialect) keyBytes(text string) string {
	if utf8.ValidString(text) && !strings.Contains(text, "\x00") {
		return text
	}
	return `\u` + hex.EncodeToString([]byte(strings.TrimPrefix(text, `\t`)))
}

// readAsNumber writes the condition that a text is what a number is written as.
func readAsNumber(expr string) string {
	return `CAST(CAST(` + expr + ` AS INTEGER) AS TEXT) = ` + expr + ` OR ` + realText(`CAST(`+expr+` AS REAL)`) + ` = ` + expr
}

func realText(expr string) string { return `printf('%!.17g', ` + expr + `)` }

// kindKept returns what a column's type makes of what is put into it
// (sqlite.org/datatype3.html, 3.1): a text of a number, a number of a text that reads as one,
// or nothing else.
func kindKept(typ string) string {
	typ = strings.ToLower(typ)
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(typ, p) })
	}
	switch {
	case has("int"):
		return "number"
	case has("char", "clob", "text"):
		return "text"
	case typ == "", has("blob"):
		return ""
	default:
		return "number"
	}
}

// keepsTexts reports whether a column's type makes a text of each number.
func keepsTexts(typ string) bool { return kindKept(typ) == "text" }

func (d sqliteDialect) nameText(expr string, _ column) string {
	return `CASE typeof(` + expr + `) WHEN 'blob' THEN '\x' || hex(` + expr + `) ELSE ` + d.text(expr) + ` END`
}

func (sqliteDialect) ordered(expr string, col column) string {
	if col.alike != "" {
		return expr + " COLLATE BINARY"
	}
	return expr
}

// keyed has the keys as one parameter. However many they are, the statement's text is the
// same.
func (s sqliteDialect) keyed(q *statement, d *dataset, keys []string, prefix string) error {
	var columns []string
	for _, k := range d.keys {
		columns = append(columns, prefix+s.quote(k.name))
	}
	list, err := json.Marshal(keys)
	if len(d.keys) > 1 {
		for _, key := range keys {
			if _, err := worker.KeyColumns(key, len(d.keys)); err != nil {
				return errKey(d)
			}
		}
		list = []byte("[" + strings.Join(keys, ",") + "]") // each is an array of JSON itself
	}
	if err != nil {
		return err
	}
	q.add("(", strings.Join(columns, ", "), ") IN (SELECT ")
	for i, k := range d.keys {
		value := "value"
		if len(d.keys) > 1 {
			value = fmt.Sprintf("json_extract(value, '$[%d]')", i)
		}
		if i > 0 {
			q.WriteString(", ")
		}
		q.WriteString(keyValue(value, k.column))
	}
	q.WriteString(" FROM json_each(")
	q.arg(string(list))
	q.WriteString("))")
	return nil
}

func (sqliteDialect) keysAtOnce() int { return maxKeys }

func (sqliteDialect) compares(col column) (as comparison, must string) {
	// The affinity of the declared type (sqlite.org/datatype3.html, 3.1). One
	// that turns texts into numbers would find 12 by 012.
	typ := strings.ToLower(col.typ)
	switch {
	case strings.Contains(typ, "int"):
		return asInteger, ""
	case typ == "" || strings.Contains(typ, "char") || strings.Contains(typ, "clob") || strings.Contains(typ, "text") || strings.Contains(typ, "blob"):
		return asTrimmed, ""
	default:
		return 0, "it must be TEXT or INTEGER"
	}
}

// compared names no collation where the table names none: SQLite takes one index for each
// side of an OR only where neither side names any.
func (d sqliteDialect) compared(as comparison, expr string, col column) string {
	if as == asInteger || as == asUUID {
		return expr
	}
	trimmed := "trim(" + expr + ", " + d.characters(identifier.Blanks) + ")"
	switch as {
	case asFolded:
		return "lower(" + trimmed + ")"
	case asDialled:
		for _, r := range identifier.Separators {
			trimmed = "replace(" + trimmed + ", " + d.characters(string(r)) + ", '')"
		}
		return trimmed
	case asTrimmed:
		expr = trimmed
	}
	if col.collated {
		expr += " COLLATE BINARY"
	}
	return expr
}

// characters returns a text as a constant of SQL that is written in ASCII.
func (sqliteDialect) characters(text string) string {
	var b strings.Builder
	b.WriteString("char(")
	for i, r := range []rune(text) {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, int(r))
	}
	b.WriteByte(')')
	return b.String()
}

func (sqliteDialect) indexed(context.Context, *System, string, string, column, comparison) string {
	return ""
}

func (sqliteDialect) among(q *statement, s *subject, w *wanted) {
	q.WriteString(s.expr)
	w.list(q, s.as)
}

// like takes an index for the letters that the pattern begins with. SQLite compiles a
// statement anew for each value of a pattern that is a parameter alone.
func (sqliteDialect) like(q *statement, expr, pattern string) {
	q.WriteByte('(')
	if least, above, ok := between(pattern); ok {
		q.add(expr, " >= ")
		q.arg(least)
		q.add(" AND ", expr, " < ")
		q.arg(above)
		q.WriteString(" AND ")
	}
	q.add(expr, " LIKE ('' || ")
	q.arg(pattern)
	q.add(") ESCAPE '", likeEscape, "')")
}

func (d sqliteDialect) writings(q *statement, table string, col column, alike, values []string) {
	text, _ := json.Marshal(values) // texts: can't fail
	held := "t." + d.quote(col.name)
	q.add("SELECT DISTINCT v.value, ", held, " COLLATE BINARY FROM json_each(")
	q.arg(string(text))
	q.add(") AS v JOIN ", table, " AS t ON ")
	for i, collation := range alike {
		if i > 0 {
			q.WriteString(" AND ")
		}
		q.add(held, " = v.value COLLATE ", collation)
	}
}

func (sqliteDialect) mentions(q *statement, expr string, values []string) {
	text, _ := json.Marshal(values) // texts: can't fail
	q.add("EXISTS (SELECT 1 FROM json_each(")
	q.arg(string(text))
	q.add(") AS m WHERE instr(", expr, ", m.value) > 0)")
}

func (sqliteDialect) valuesAtOnce() int { return sqliteMaxParameters }

func (sqliteDialect) serves(ctx context.Context, s *System, table string, _ column, _ comparison, expr, where string) bool {
	return sqliteSearches(ctx, s, "SELECT 1 FROM "+s.table(table)+" AS t WHERE "+and(where, expr)+" = ?", "")
}

func (d sqliteDialect) follows(ctx context.Context, s *System, _ *table, name string, columns []string) bool {
	var conditions []string
	var args []any
	for _, c := range columns {
		conditions, args = append(conditions, "t."+d.quote(c)+" = ?"), append(args, "")
	}
	return sqliteSearches(ctx, s, "SELECT 1 FROM "+s.table(name)+" AS t WHERE "+strings.Join(conditions, " AND "), args...)
}

// sqliteSearches reports whether the planner takes an index for a query.
func sqliteSearches(ctx context.Context, s *System, query string, args ...any) bool {
	var plan strings.Builder
	err := each(ctx, s.db, "EXPLAIN QUERY PLAN "+query, func(row []string) { plan.WriteString(strings.Join(row, " ") + "\n") }, args...)
	return err != nil || strings.Contains(plan.String(), "SEARCH ")
}

func (sqliteDialect) index(s *System, sub *subject) string {
	return s.createIndex(sub.table, sub.column, "compared", sub.bare)
}

func (sqliteDialect) epochDay(expr string, per int64) string {
	return fmt.Sprintf("date(%s / %d, 'unixepoch')", expr, per)
}

func (sqliteDialect) day(expr string, _ column) (string, bool) { return "date(" + expr + ")", true }

func (sqliteDialect) dayText(expr, day string) string {
	return "CASE WHEN " + expr + " IS NOT NULL THEN coalesce(" + day + ", '" + unreadable + "') END"
}

func (sqliteDialect) dayParameter(int) string { return "?" }

func (sqliteDialect) takesText(column) bool { return true }

func (sqliteDialect) cast(column) string { return "" }

func (sqliteDialect) trial(column) string { return "" }

func (sqliteDialect) hashes() bool { return false }

func (sqliteDialect) random(q *statement) { q.WriteString("lower(hex(randomblob(16)))") }

func (sqliteDialect) hash(q *statement, column, held string) {
	q.WriteString("(SELECT value FROM json_each(")
	q.arg(q.making.hashes[column])
	q.add(") WHERE key = ", held, ")")
}

func (sqliteDialect) length(expr string) string { return "length(" + expr + ")" }

// timeForm returns that of CURRENT_TIMESTAMP.
func (sqliteDialect) timeForm() string { return time.DateTime }

func (s sqliteDialect) isValue(q *statement, d *dataset, col column, value any) {
	q.add("t.", s.quote(col.name), " IS ")
	d.set(q, col.name, value)
}

func (s sqliteDialect) isConstant(q *statement, col column, value any) {
	q.add("t.", s.quote(col.name), " IS ")
	q.constant(value, col)
}
