package sqlsystem

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/internal/postgres"
	"habeas.dev/pkg/worker"
)

// postgresDialect is PostgreSQL. Lists are arrays, each one parameter.
type postgresDialect struct {
	narrow bool // the database's encoding isn't UTF-8
}

func (postgresDialect) String() string { return "PostgreSQL" }

func (postgresDialect) schemes() []string { return []string{"postgres", "postgresql"} }

// connect has the driver keep no prepared statements unless the source says so: behind a
// pooler that hands each transaction to another connection of the server they are gone,
// or another's (TestPooler). What it knows of a statement's parameters it keeps.
func (postgresDialect) connect(_ context.Context, source, _ string) (*sql.DB, error) {
	config, err := pgx.ParseConfig(source)
	if err != nil {
		return nil, err
	}
	if config.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement && !strings.Contains(source, "default_query_exec_mode") {
		config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	return stdlib.OpenDB(*config, stdlib.OptionBeforeConnect(postgres.Renew(source))), nil
}

func (postgresDialect) learn(ctx context.Context, db *sql.DB) (Dialect, error) {
	var encoding string
	err := db.QueryRowContext(ctx, `SELECT current_setting('server_encoding')`).Scan(&encoding)
	return postgresDialect{narrow: encoding != "UTF8"}, err
}

func (postgresDialect) prepares() bool { return false }

func (postgresDialect) quote(name string) string { return doubleQuoted(name) }

func (d postgresDialect) qualified(schema, table string) string {
	if schema == "" {
		return d.quote(table)
	}
	return d.quote(schema) + "." + d.quote(table)
}

func (postgresDialect) same(a, b string) bool { return a == b }

func (postgresDialect) parameter(n int) string { return "$" + strconv.Itoa(n) }

func (d postgresDialect) textParameter(n int) string { return d.parameter(n) + "::text" }

func (postgresDialect) literal(v any) string {
	var b strings.Builder
	b.WriteString("E'")
	for _, r := range fmt.Sprint(v) {
		switch {
		case r >= 0x80 || r < ' ':
			fmt.Fprintf(&b, "\\U%08x", r)
		case r == '\'' || r == '\\':
			b.WriteByte('\\')
			fallthrough
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// constant returns a text, which PostgreSQL reads by the column's type.
func (postgresDialect) constant(v any, _ column) any { return fmt.Sprint(v) }

func (postgresDialect) text(expr string) string { return "CAST(" + expr + " AS TEXT)" }

func (postgresDialect) held(expr string, _ column) string { return expr }

func (postgresDialect) concat() (begin, between, end string) { return "", " || ", "" }

// equal compares the bytes, too, where a column takes texts for equal that aren't: one
// person's row would have another's, and the index is as the column compares.
func (d postgresDialect) equal(a string, of column, b string, ofOther column, alike string) string {
	equals := func(alike string) string {
		if schema, is := strings.CutSuffix(alike, ".citext"); is { // = of elsewhere compares texts
			return " OPERATOR(" + strings.TrimPrefix(schema, "::") + ".=) "
		}
		return " = "
	}
	bytes := d.text(a) + ` COLLATE "C" = ` + d.text(b) + ` COLLATE "C"`
	switch {
	case of.alike == "" && ofOther.alike == "":
		return a + " = " + b
	case alike != "":
		as := func(expr string, col column) string {
			if col.alike == alike {
				return expr
			}
			return "(" + expr + "::text)" + alike
		}
		return as(a, of) + equals(alike) + as(b, ofOther)
	case of.alike == ofOther.alike:
		return a + equals(of.alike) + b + " AND " + bytes
	case of.alike != "" && ofOther.alike != "":
		return bytes
	case of.typ == "citext" || ofOther.typ == "citext":
		return d.text(a) + " = " + d.text(b)
	default:
		return a + " = " + b + " AND " + bytes
	}
}

func (postgresDialect) deletes(table string, _ *table) string {
	return "DELETE FROM " + table + " AS t"
}

func (postgresDialect) updates(table string, _ *table) string {
	return "UPDATE " + table + " AS t SET "
}

func (postgresDialect) alias(*table) string { return "t." }

func (postgresDialect) rowName() (name string, unstable bool) { return "ctid", true }

func (d postgresDialect) keyText(expr string, col column) string {
	if col.typ == "regclass" { // tableoid's: a name outlives its number in a dump
		expr += "::regclass"
	}
	return d.text(expr)
}

func (d postgresDialect) nameText(expr string, col column) string { return d.keyText(expr, col) }

func (postgresDialect) keyBytes(text string) string { return text }

func (postgresDialect) ordered(expr string, col column) string {
	switch {
	case col.typ == "citext": // by any collation it takes case for nothing
		return expr + `::text COLLATE "C"`
	case pgText(col.typ):
		return expr + ` COLLATE "C"`
	default:
		return expr
	}
}

// keyed has the keys as one parameter for each of their columns.
func (p postgresDialect) keyed(q *statement, d *dataset, keys []string, _ string) error {
	if len(d.keys) == 1 && !isArray(d.keys[0].column) {
		q.add(d.keys[0].expr, " = ANY(")
		q.arg(keys)
		q.add("::text[]::", d.keys[0].full, "[])")
		return nil
	}
	columns := make([][]string, len(d.keys))
	for _, key := range keys {
		parts, err := worker.KeyColumns(key, len(d.keys))
		if err != nil {
			return errKey(d)
		}
		for i, part := range parts {
			columns[i] = append(columns[i], part)
		}
	}
	var near, far, names []string
	for _, k := range d.keys {
		near = append(near, k.expr)
		far = append(far, "k."+p.quote(k.name)+"::"+k.full)
		names = append(names, p.quote(k.name))
	}
	q.add("(", strings.Join(near, ", "), ") IN (SELECT ", strings.Join(far, ", "), " FROM unnest(")
	for i := range columns {
		if i > 0 {
			q.WriteString(", ")
		}
		q.arg(columns[i])
		q.WriteString("::text[]")
	}
	q.add(") AS k(", strings.Join(names, ", "), "))")
	return nil
}

func (postgresDialect) keysAtOnce() int { return maxKeys }

// pgText reports whether a type of PostgreSQL is a text.
func pgText(typ string) bool {
	return typ == "text" || typ == "citext" || strings.HasPrefix(typ, "character")
}

func (postgresDialect) compares(col column) (as comparison, must string) {
	switch col.typ {
	case "smallint", "integer", "bigint":
		return asInteger, ""
	case "uuid":
		return asUUID, ""
	}
	if !pgText(col.typ) {
		return 0, "it must be a text, an integer or a uuid"
	}
	return asTrimmed, ""
}

func (d postgresDialect) compared(as comparison, expr string, col column) string {
	if as == asInteger || as == asUUID {
		return expr
	}
	if col.typ != "text" {
		expr += "::text"
	}
	trimmed := "btrim(" + expr + ", " + d.blanks() + ")"
	switch as {
	case asTrimmed:
		return trimmed
	case asFolded:
		return "lower(" + trimmed + ")"
	case asDialled:
		return "translate(" + trimmed + ", " + d.characters(identifier.Separators) + ", '')"
	default:
		return expr
	}
}

// blanks returns the list of what is trimmed, as a constant of SQL. A database in
// another encoding than UTF-8 has few of them.
func (d postgresDialect) blanks() string {
	if d.narrow {
		return d.characters(" \t\n\v\f\r")
	}
	return d.characters(identifier.Blanks)
}

// characters returns a text as a constant of SQL that is written in ASCII.
func (d postgresDialect) characters(text string) string {
	var b strings.Builder
	b.WriteString("E'")
	for _, r := range text {
		switch {
		case r < 0x80 && r > ' ' && r != '\'' && r != '\\' || r == ' ':
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, "\\x%02x", r)
		case !d.narrow:
			fmt.Fprintf(&b, "\\u%04x", r)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

func (postgresDialect) indexed(context.Context, *System, string, string, column, comparison) string {
	return ""
}

func (postgresDialect) among(q *statement, s *subject, w *wanted) {
	if s.array != "" { // which an index on the array serves
		q.add(s.array, " && ")
		q.arg(w.array(s.as))
		q.add("::", s.arrayType, " AND ")
	}
	q.add(s.expr, " = ANY(")
	q.arg(w.array(s.as))
	switch s.as {
	case asInteger:
		q.WriteString("::bigint[])")
	case asUUID:
		q.WriteString("::uuid[])")
	default:
		q.WriteString("::text[])")
		if s.held.collated { // its index finds others' texts, too
			q.add(" AND (", s.expr, `) COLLATE "C" = ANY(`)
			q.arg(w.array(s.as))
			q.WriteString("::text[])")
		}
	}
}

// array returns the list as a PostgreSQL array.
func (w *wanted) array(as comparison) any {
	if as != asInteger {
		return w.values
	}
	list := make([]int64, len(w.values))
	for i := range list {
		list[i], _ = strconv.ParseInt(w.values[i], 10, 64) // written by forms
	}
	return list
}

// like takes no index: PostgreSQL's order of texts needn't be that of their letters.
func (postgresDialect) like(q *statement, expr, pattern string) {
	q.add("(", expr, `) COLLATE "C" LIKE `) // not every collation takes patterns
	q.arg(pattern)
	q.add(" ESCAPE '", likeEscape, "'")
}

func (d postgresDialect) writings(q *statement, table string, col column, alike, values []string) {
	held := "t." + d.quote(col.name)
	q.add("SELECT DISTINCT v.value, ", held, `::text COLLATE "C" FROM unnest(`)
	q.arg(values)
	q.add("::text[]) AS v(value) JOIN ", table, " AS t ON ")
	for i, by := range alike {
		if i > 0 {
			q.WriteString(" AND ")
		}
		near, equals := held, " = " // its index serves
		if col.alike != by {
			near = "(" + held + "::text)" + by
		}
		if schema, is := strings.CutSuffix(by, ".citext"); is { // = of elsewhere compares texts
			equals = " OPERATOR(" + strings.TrimPrefix(schema, "::") + ".=) "
		}
		q.add(near, equals, "v.value", by)
	}
}

func (postgresDialect) mentions(q *statement, expr string, values []string) {
	q.add("EXISTS (SELECT 1 FROM unnest(")
	q.arg(values)
	q.add("::text[]) AS m(value) WHERE strpos(", expr, ", m.value) > 0)")
}

func (postgresDialect) valuesAtOnce() int { return postgresMaxElements }

func (postgresDialect) serves(ctx context.Context, s *System, table string, _ column, as comparison, expr, where string) bool {
	values := "'{a}'::text[]"
	switch as {
	case asInteger:
		values = "'{1}'::bigint[]"
	case asUUID:
		values = "'{00000000-0000-0000-0000-000000000000}'::uuid[]"
	}
	return postgresSearches(ctx, s, "SELECT 1 FROM "+s.table(table)+" AS t WHERE "+and(where, expr)+" = ANY("+values+")")
}

func (d postgresDialect) follows(ctx context.Context, s *System, t *table, name string, columns []string) bool {
	var conditions []string
	for _, c := range columns {
		col, _ := t.column(c, d)
		conditions = append(conditions, "t."+d.quote(c)+" = (SELECT NULL::"+col.full+")")
	}
	return postgresSearches(ctx, s, "SELECT 1 FROM "+s.table(name)+" AS t WHERE "+strings.Join(conditions, " AND "))
}

// postgresSearches reports whether the planner takes an index for a query.
func postgresSearches(ctx context.Context, s *System, query string, args ...any) bool {
	var plan strings.Builder
	err := s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		// Also where the table is so small that it is read whole.
		if _, err := tx.ExecContext(ctx, "SET LOCAL enable_seqscan = off"); err != nil {
			return err
		}
		return each(ctx, tx, "EXPLAIN "+query, func(row []string) { plan.WriteString(strings.Join(row, " ") + "\n") }, args...)
	})
	return err != nil || strings.Contains(plan.String(), "Index Cond:")
}

func (postgresDialect) index(s *System, sub *subject) string {
	return s.createIndex(sub.table, sub.column, "compared", sub.bare)
}

func (postgresDialect) epochDay(expr string, per int64) string {
	return fmt.Sprintf("(to_timestamp(%s::numeric / %d) AT TIME ZONE 'UTC')::date", expr, per)
}

func (postgresDialect) day(expr string, col column) (string, bool) {
	switch col.typ {
	case "date":
		return expr, true
	case "timestamp without time zone":
		return expr + "::date", true
	case "timestamp with time zone":
		return "(" + expr + " AT TIME ZONE 'UTC')::date", true
	default:
		return "", false
	}
}

func (postgresDialect) dayText(_, day string) string { return "(" + day + ")::text" }

func (d postgresDialect) dayParameter(n int) string { return d.parameter(n) + "::text::date" }

func (postgresDialect) takesText(col column) bool { return pgText(col.typ) }

func (postgresDialect) cast(col column) string { return "::text::" + col.full }

func (d postgresDialect) trial(col column) string { return "SELECT $1" + d.cast(col) }

func (postgresDialect) hashes() bool { return true }

func (postgresDialect) random(q *statement) {
	q.WriteString("replace(gen_random_uuid()::text, '-', '')")
}

func (postgresDialect) hash(q *statement, _, held string) {
	q.WriteString("encode(sha256(convert_to(")
	q.text(q.making.salt)
	q.add(" || ", held, ", 'UTF8')), 'hex')")
}

func (postgresDialect) length(expr string) string { return "length(" + expr + ")" }

func (postgresDialect) timeForm() string { return time.RFC3339 }

func (p postgresDialect) isValue(q *statement, d *dataset, col column, value any) {
	if d.SQL.Template(value) == nil {
		p.isConstant(q, col, value)
		return
	}
	q.add("CAST(t.", p.quote(col.name), " AS TEXT) IS NOT DISTINCT FROM ")
	d.set(q, col.name, value)
}

func (p postgresDialect) isConstant(q *statement, col column, value any) {
	// As a text: some types have no equality.
	q.add("CAST(t.", p.quote(col.name), " AS TEXT) IS NOT DISTINCT FROM CAST(")
	q.arg(fmt.Sprint(value))
	q.add(p.cast(col), " AS TEXT)")
}
