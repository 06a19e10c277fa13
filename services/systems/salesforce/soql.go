package salesforce

import "strings"

// Quote writes a text as a SOQL string literal, whatever is in it (SOQL and
// SOSL Reference, "Quoted String Escape Sequences").
func Quote(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 2)
	quoteTo(&b, s)
	return b.String()
}

func quoteTo(b *strings.Builder, s string) {
	b.WriteByte('\'')
	for i := range len(s) {
		switch c := s[i]; c {
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
}

// maxTerms bounds the literals of one query, in bytes: a query has at most
// 100,000 characters, and its fields and their names need some.
const maxTerms = 80_000

// term is a condition of a query: a field is one of the values, and guard, where
// there is one, is empty.
type term struct {
	field, guard string
	values       []string
}

// queriesOf writes the queries that find an object's records by any of the
// terms: one, or as many as the language's limit on length takes; none where
// there is nothing to find them by. A record may then come more than once.
func queriesOf(object string, fields []string, terms []term) []string {
	var queries []string
	var b strings.Builder
	head := "SELECT " + strings.Join(fields, ",") + " FROM " + object + " WHERE "
	flush := func() {
		if b.Len() > 0 {
			queries = append(queries, head+b.String())
			b.Reset()
		}
	}
	for _, t := range terms {
		open := false
		for _, v := range t.values {
			if b.Len() > 0 && b.Len()+len(head)+2*len(v) > maxTerms {
				if open {
					t.close(&b)
					open = false
				}
				flush()
			}
			if open {
				b.WriteByte(',')
			} else {
				t.open(&b)
				open = true
			}
			quoteTo(&b, v)
		}
		if open {
			t.close(&b)
		}
	}
	flush()
	return queries
}

func (t term) open(b *strings.Builder) {
	if b.Len() > 0 {
		b.WriteString(" OR ")
	}
	if t.guard != "" {
		b.WriteString("(" + t.guard + " = null AND ")
	}
	b.WriteString(t.field + " IN (")
}

func (t term) close(b *strings.Builder) {
	b.WriteByte(')')
	if t.guard != "" {
		b.WriteByte(')')
	}
}
