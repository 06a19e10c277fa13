package sqlsystem

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/worker"
)

// mysqlText reports whether a type is compared by a collation.
func mysqlText(typ string) bool {
	return slices.Contains([]string{"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"}, typ)
}

// mysqlBytes reports whether a type holds bytes.
func mysqlBytes(typ string) bool {
	return strings.HasSuffix(typ, "binary") || strings.HasSuffix(typ, "blob")
}

// mysqlInteger reports whether a type is a whole number.
func mysqlInteger(typ string) bool { return strings.HasSuffix(typ, "int") }

// mysqlNumber reports whether a type is a number that the server makes a text for.
func mysqlNumber(typ string) bool {
	return mysqlInteger(typ) || typ == "decimal" || typ == "float" || typ == "double"
}

// rowName returns none: the server keeps it to itself.
func (mysqlDialect) rowName() (name string, unstable bool) { return "", false }

func (d mysqlDialect) keyText(expr string, col column) string {
	switch {
	case mysqlText(col.typ):
		return exact(expr)
	case mysqlBytes(col.typ):
		return "HEX(" + expr + ")"
	case col.typ == "bit":
		return d.text(expr + " + 0")
	default:
		return d.text(expr)
	}
}

func (d mysqlDialect) nameText(expr string, col column) string { return d.keyText(expr, col) }

func (mysqlDialect) keyBytes(text string) string { return text }

func (mysqlDialect) ordered(expr string, col column) string {
	if mysqlText(col.typ) {
		return exact(expr)
	}
	return expr
}

// keyed writes each key out, so that an index serves them, and compares texts by their
// bytes, too.
func (m mysqlDialect) keyed(q *statement, d *dataset, keys []string, prefix string) error {
	rows := make([][]string, len(keys))
	for i, key := range keys {
		rows[i] = []string{key}
		if len(d.keys) > 1 {
			parts, err := worker.KeyColumns(key, len(d.keys))
			if err != nil {
				return errKey(d)
			}
			rows[i] = parts
		}
	}
	if len(d.keys) == 1 {
		k := d.keys[0]
		q.add("(", prefix, m.quote(k.name), " IN (")
		for i, row := range rows {
			if i > 0 {
				q.WriteString(", ")
			}
			if err := m.keyValue(q, d, k, row[0]); err != nil {
				return err
			}
		}
		q.WriteByte(')')
		if mysqlText(k.typ) {
			q.add(" AND ", exact(prefix+m.quote(k.name)), " IN (")
			for i, row := range rows {
				if i > 0 {
					q.WriteString(", ")
				}
				q.arg(row[0])
			}
			q.WriteByte(')')
		}
		q.WriteByte(')')
		return nil
	}
	q.WriteByte('(')
	for i, row := range rows {
		if i > 0 {
			q.WriteString(" OR ")
		}
		for j, k := range d.keys {
			if j > 0 {
				q.WriteString(" AND ")
			}
			q.add(prefix, m.quote(k.name), " = ")
			if err := m.keyValue(q, d, k, row[j]); err != nil {
				return err
			}
			if mysqlText(k.typ) {
				q.add(" AND ", exact(prefix+m.quote(k.name)), " = ")
				q.arg(row[j])
			}
		}
	}
	q.WriteByte(')')
	return nil
}

// keyValue writes a key's value by its column's type: a text beside a number would make a
// number of what it begins with.
func (mysqlDialect) keyValue(q *statement, d *dataset, k keyColumn, text string) error {
	switch {
	case mysqlInteger(k.typ), k.typ == "bit":
		n, err := strconv.ParseInt(text, 10, 64)
		if big, errBig := strconv.ParseUint(text, 10, 64); err != nil && errBig == nil {
			q.arg(big)
			return nil
		}
		if err != nil {
			return errKey(d)
		}
		q.arg(n)
	case mysqlBytes(k.typ):
		q.WriteString("UNHEX(")
		q.arg(text)
		q.WriteByte(')')
	default:
		q.arg(text)
	}
	return nil
}

func (mysqlDialect) keysAtOnce() int { return mysqlKeys }

// compares takes no column that MariaDB works out whenever it is read: where an index has all
// that is asked for, and rows are sorted, it reads NULL out of one (10.11.19,
// TestMariaIndexes).
func (d mysqlDialect) compares(col column) (as comparison, must string) {
	switch {
	case col.virtual && !d.mysql:
		return 0, "it must be STORED: the server loses what a VIRTUAL column holds when it sorts"
	case mysqlInteger(col.typ):
		return asInteger, ""
	case col.typ == "uuid":
		return asUUID, ""
	case mysqlText(col.typ):
		return asTrimmed, ""
	default:
		return 0, "it must be a text, an integer or a uuid"
	}
}

func (d mysqlDialect) compared(as comparison, expr string, _ column) string {
	if as == asInteger || as == asUUID {
		return expr
	}
	text := "CONVERT(" + expr + " USING utf8mb4)"
	ends := "REGEXP_REPLACE(" + text + ", " + d.characters(`\A[`+identifier.Blanks+`]+|[`+identifier.Blanks+`]+\z`) + ", '')"
	switch as {
	case asTrimmed:
		text = ends
	case asFolded:
		text = "LOWER(" + ends + ")"
	case asDialled: // the hyphen stands last: it is no range
		text = "REGEXP_REPLACE(" + ends + ", " + d.characters("["+strings.ReplaceAll(identifier.Separators, "-", "")+"-]") + ", '')"
	}
	return "CAST(" + text + " AS BINARY)"
}

// indexed lets an index on the column narrow the search where it passes nothing over that
// the comparison would find, but for blanks in front: by the column's collation, case
// doesn't count, nor do spaces at the end; of a generated column its author says what it
// is made for.
func (d mysqlDialect) indexed(ctx context.Context, s *System, table, expr string, col column, as comparison) string {
	generated := col.made != ""
	narrows := as == asTrimmed || as == asFolded && (generated || strings.Contains(col.collation, "_ci")) || as == asDialled && generated
	if !narrows || col.part || !d.leads(ctx, s, table, []string{col.name}) {
		return ""
	}
	return expr
}

func (mysqlDialect) among(q *statement, s *subject, w *wanted) {
	if s.indexed == "" {
		q.WriteString(s.expr)
		w.list(q, s.as)
		return
	}
	q.add("(", s.indexed)
	charset, _, _ := strings.Cut(s.held.collation, "_")
	if charset == "utf8mb4" {
		w.list(q, s.as)
	} else { // a letter that the column can't hold would fail the statement
		q.WriteString(" IN (")
		for i, v := range w.values {
			if i > 0 {
				q.WriteString(", ")
			}
			q.WriteString("CONVERT(")
			q.arg(v)
			q.add(" USING ", charset, ") COLLATE ", s.held.collation)
		}
		q.WriteByte(')')
	}
	q.add(" AND ", s.expr)
	w.list(q, s.as)
	q.WriteByte(')')
}

func (mysqlDialect) like(q *statement, expr, pattern string) {
	q.add(expr, " LIKE ")
	q.arg(pattern)
	q.add(" ESCAPE '", likeEscape, "'")
}

func (d mysqlDialect) writings(q *statement, table string, col column, alike, values []string) {
	text, _ := json.Marshal(values) // texts: can't fail
	held := "t." + d.quote(col.name)
	q.add("SELECT DISTINCT ", exact("v.value"), ", ", exact(held), " FROM JSON_TABLE(")
	q.arg(string(text))
	q.add(", '$[*]' COLUMNS (value LONGTEXT CHARACTER SET utf8mb4 PATH '$')) AS v JOIN ", table, " AS t ON ")
	own, _, _ := strings.Cut(col.collation, "_")
	for i, collation := range alike {
		if i > 0 {
			q.WriteString(" AND ")
		}
		// What the collation's characters can't hold becomes a question mark, which would be
		// equal to others.
		charset, _, _ := strings.Cut(collation, "_")
		value := "CONVERT(v.value USING " + charset + ")"
		near := held // its index serves
		if col.alike != collation {
			near = "CONVERT(" + held + " USING " + charset + ") COLLATE " + collation
		}
		q.add(near, " = ", value, " COLLATE ", collation, " AND ", exact(value), " = ", exact("v.value"))
		if own != charset {
			q.add(" AND ", exact("CONVERT("+held+" USING "+charset+")"), " = ", exact(held))
		}
	}
}

func (mysqlDialect) mentions(q *statement, expr string, values []string) {
	text, _ := json.Marshal(values) // texts: can't fail
	q.WriteString("EXISTS (SELECT 1 FROM JSON_TABLE(")
	q.arg(string(text))
	q.add(", '$[*]' COLUMNS (value LONGTEXT PATH '$')) AS m WHERE LOCATE(", exact("m.value"), ", ", exact(expr), ") > 0)")
}

func (mysqlDialect) valuesAtOnce() int { return mysqlMaxValues }

// serves goes by the catalogue: how a small table is read says nothing of a large one.
func (d mysqlDialect) serves(ctx context.Context, s *System, table string, col column, as comparison, _, _ string) bool {
	return (as == asInteger || as == asUUID) && !col.part && d.leads(ctx, s, table, []string{col.name})
}

func (d mysqlDialect) follows(ctx context.Context, s *System, _ *table, name string, columns []string) bool {
	return d.leads(ctx, s, name, columns)
}

// leads reports whether an index of a table begins with one of some columns. Where the
// database doesn't say, it does.
func (d mysqlDialect) leads(ctx context.Context, s *System, table string, columns []string) bool {
	found := false
	schema, name := cutSchema(s.m.SQL.Schema, table)
	err := each(ctx, s.db, "SELECT COLUMN_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = COALESCE(NULLIF(?, ''), DATABASE()) AND TABLE_NAME = ? AND SEQ_IN_INDEX = 1", func(row []string) {
		found = found || has(columns, row[0])
	}, schema, name)
	return err != nil || found
}

// index makes one on the column where that narrows the search, else on a column that the
// server works out, which is then the one to name.
func (d mysqlDialect) index(s *System, sub *subject) string {
	on := d.quote(sub.column)
	if strings.HasSuffix(sub.held.typ, "text") {
		on += "(190)"
	}
	made := ""
	switch {
	case sub.held.part:
		made = sub.bare
	case sub.as == asDialled:
		made = "REGEXP_REPLACE(" + d.quote(sub.column) + ", '[ ()./-]', '')"
	case sub.as == asFolded && !strings.Contains(sub.held.collation, "_ci"):
		made = "LOWER(" + d.quote(sub.column) + ")"
	}
	if name := sub.column + "_compared"; made != "" {
		return fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s VARCHAR(320) AS (%s) STORED, ADD INDEX (%s), and name %s in the manifest", s.table(sub.table), d.quote(name), made, d.quote(name), name)
	}
	return s.createIndex(sub.table, sub.column, "compared", on)
}

func (mysqlDialect) epochDay(expr string, per int64) string {
	return fmt.Sprintf("DATE(DATE_ADD(TIMESTAMP('1970-01-01'), INTERVAL FLOOR(%s / %d) SECOND))", expr, per)
}

func (mysqlDialect) day(expr string, col column) (string, bool) {
	switch col.typ {
	case "date":
		return expr, true
	case "datetime", "timestamp":
		return "DATE(" + expr + ")", true
	default:
		return "", false
	}
}

// dayText takes a date of zeros for none.
func (mysqlDialect) dayText(_, day string) string {
	return "NULLIF(CAST(" + day + " AS CHAR(10)), '0000-00-00')"
}

func (mysqlDialect) dayParameter(int) string { return "?" }

func (mysqlDialect) takesText(col column) bool {
	return mysqlText(col.typ) && col.typ != "enum" && col.typ != "set"
}

func (mysqlDialect) cast(column) string { return "" }

// trial returns none: a SELECT cuts off what doesn't fit, and says nothing.
func (mysqlDialect) trial(column) string { return "" }

func (mysqlDialect) hashes() bool { return true }

// random takes what no one guesses from the salt, and what differs from row to row from
// the server.
func (mysqlDialect) random(q *statement) {
	q.WriteString("LEFT(SHA2(CONCAT(")
	q.text(q.making.salt)
	q.WriteString(", UUID(), RAND()), 256), 32)")
}

func (mysqlDialect) hash(q *statement, _, held string) {
	q.WriteString("SHA2(CONCAT(")
	q.text(q.making.salt)
	q.add(", ", held, "), 256)")
}

func (mysqlDialect) length(expr string) string { return "CHAR_LENGTH(" + expr + ")" }

func (mysqlDialect) timeForm() string { return time.DateTime }

func (m mysqlDialect) isValue(q *statement, d *dataset, col column, value any) {
	if d.SQL.Template(value) == nil {
		m.isConstant(q, col, value)
		return
	}
	q.add(m.inFull(col), " <=> ")
	d.set(q, col.name, value)
}

func (m mysqlDialect) isConstant(q *statement, col column, value any) {
	q.add(m.inFull(col), " <=> ")
	q.constant(value, col)
}

// inFull returns a column as it is compared byte by byte.
func (m mysqlDialect) inFull(col column) string {
	held := "t." + m.quote(col.name)
	if mysqlText(col.typ) {
		held = exact(held)
	}
	return held
}
