// Package soql reads Salesforce's query language, as far as a data-rights
// worker and common clients speak it: a lexer and a parser by recursive
// descent. What it doesn't know is an [Error], which a server answers as
// MALFORMED_QUERY; it never guesses.
//
// Source: Salesforce's "SOQL and SOSL Reference". Left out on purpose: HAVING,
// GROUP BY ROLLUP, SUM and AVG, TYPEOF, date literals such as TODAY, INCLUDES,
// and FOR.
package soql

import (
	"strconv"
	"strings"
	"time"
)

// Query is one parsed SELECT.
type Query struct {
	// Fields are the selected paths; none with Count.
	Fields []Path
	// Count is set by SELECT COUNT().
	Count bool
	// Aggregates are functions in the list of fields, and Groups what GROUP BY
	// names.
	Aggregates []Aggregate
	Groups     []Path
	// Children are sub-selects in the list of fields: From is the relationship.
	Children []*Query
	// From is the object, as it was written.
	From string
	// Where is nil where there is no condition.
	Where Expr
	Order []Order
	// Limit and Offset are -1 where they weren't given.
	Limit, Offset int
}

// Path is a field, over at most [MaxRelations] relationships: Contact.Email.
type Path struct {
	// Parts are as they were written; names don't depend on case.
	Parts []string
	// Pos is the byte in the query at which the path begins.
	Pos int
}

// String returns the path with its dots.
func (p Path) String() string { return strings.Join(p.Parts, ".") }

// Aggregate is a function over a group's rows: COUNT, COUNT_DISTINCT, MIN, MAX.
type Aggregate struct {
	Function string // in upper case
	Of       Path
	Alias    string // empty where there is none
}

// Order is one key of ORDER BY.
type Order struct {
	By         Path
	Descending bool
	NullsLast  bool
}

// Expr is a condition: [*And], [*Or], [*Not], [*Compare] or [*In].
type Expr interface{ write(b *strings.Builder) }

// And holds where all of its terms hold.
type And struct{ Terms []Expr }

// Or holds where one of its terms holds.
type Or struct{ Terms []Expr }

// Not holds where its term doesn't.
type Not struct{ Term Expr }

// Op is a comparison.
type Op string

// The comparisons. <> is read as !=.
const (
	Equal        Op = "="
	NotEqual     Op = "!="
	Less         Op = "<"
	LessEqual    Op = "<="
	Greater      Op = ">"
	GreaterEqual Op = ">="
	Like         Op = "LIKE"
)

// Compare compares a field with a literal.
type Compare struct {
	Left  Path
	Op    Op
	Right Value
}

// In asks whether a field is among literals or among the answers of a
// sub-select (a semi-join; with Not an anti-join).
type In struct {
	Left   Path
	Not    bool
	Values []Value
	Sub    *Query
}

// Kind is the kind of a literal.
type Kind uint8

// The kinds of literal.
const (
	Null Kind = iota
	String
	Number
	Boolean
	Date     // 2026-11-20
	DateTime // 2026-11-20T09:30:00Z
)

// Value is a literal.
type Value struct {
	Kind Kind
	// Text is a string's content, unescaped, or a number as it was written. In
	// the right side of LIKE, an escaped % or _ keeps its backslash.
	Text string
	Bool bool
	Time time.Time
	Pos  int
}

// String writes the query back, in one canonical way: [Parse] reads it as the
// same query.
func (q *Query) String() string {
	var b strings.Builder
	q.write(&b)
	return b.String()
}

func (q *Query) write(b *strings.Builder) {
	b.WriteString("SELECT ")
	if q.Count {
		b.WriteString("COUNT()")
	}
	between := ""
	for _, f := range q.Fields {
		b.WriteString(between + f.String())
		between = ", "
	}
	for _, a := range q.Aggregates {
		b.WriteString(strings.TrimRight(between+a.Function+"("+a.Of.String()+") "+a.Alias, " "))
		between = ", "
	}
	for _, c := range q.Children {
		b.WriteString(between + "(")
		c.write(b)
		b.WriteByte(')')
		between = ", "
	}
	b.WriteString(" FROM " + q.From)
	if q.Where != nil {
		b.WriteString(" WHERE ")
		q.Where.write(b)
	}
	for i, g := range q.Groups {
		if i == 0 {
			b.WriteString(" GROUP BY ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(g.String())
	}
	for i, o := range q.Order {
		if i == 0 {
			b.WriteString(" ORDER BY ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(o.By.String())
		if o.Descending {
			b.WriteString(" DESC")
		}
		if o.NullsLast {
			b.WriteString(" NULLS LAST")
		}
	}
	if q.Limit >= 0 {
		b.WriteString(" LIMIT " + strconv.Itoa(q.Limit))
	}
	if q.Offset >= 0 {
		b.WriteString(" OFFSET " + strconv.Itoa(q.Offset))
	}
}

func (e *And) write(b *strings.Builder) { writeTerms(b, e.Terms, " AND ") }
func (e *Or) write(b *strings.Builder)  { writeTerms(b, e.Terms, " OR ") }

func writeTerms(b *strings.Builder, terms []Expr, between string) {
	for i, t := range terms {
		if i > 0 {
			b.WriteString(between)
		}
		writeTerm(b, t)
	}
}

func writeTerm(b *strings.Builder, t Expr) {
	switch t.(type) {
	case *And, *Or:
		b.WriteByte('(')
		t.write(b)
		b.WriteByte(')')
	default:
		t.write(b)
	}
}

func (e *Not) write(b *strings.Builder) {
	b.WriteString("NOT ")
	writeTerm(b, e.Term)
}

func (e *Compare) write(b *strings.Builder) {
	b.WriteString(e.Left.String() + " " + string(e.Op) + " ")
	e.Right.write(b, e.Op == Like)
}

func (e *In) write(b *strings.Builder) {
	b.WriteString(e.Left.String())
	if e.Not {
		b.WriteString(" NOT")
	}
	b.WriteString(" IN (")
	if e.Sub != nil {
		e.Sub.write(b)
	}
	for i, v := range e.Values {
		if i > 0 {
			b.WriteString(", ")
		}
		v.write(b, false)
	}
	b.WriteByte(')')
}

func (v Value) write(b *strings.Builder, like bool) {
	switch v.Kind {
	case Null:
		b.WriteString("null")
	case String:
		b.WriteString(quote(v.Text, like))
	case Number:
		b.WriteString(v.Text)
	case Boolean:
		b.WriteString(strconv.FormatBool(v.Bool))
	case Date:
		b.WriteString(v.Time.Format(time.DateOnly))
	case DateTime:
		b.WriteString(v.Time.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
}

// quote writes a string literal. In LIKE, backslashes before % and _ are
// already there.
func quote(s string, like bool) string {
	var b strings.Builder
	b.WriteByte('\'')
	for i := 0; i < len(s); i++ {
		c := s[i]
		if like && c == '\\' && i+1 < len(s) {
			// The content of a LIKE literal is kept escaped; see lexer.text.
			b.WriteByte(c)
			i++
			b.WriteByte(s[i])
			continue
		}
		switch c {
		case '\\', '\'', '"':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		case '\b':
			b.WriteString(`\b`)
		case '\f':
			b.WriteString(`\f`)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}
