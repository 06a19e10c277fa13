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

// in writes: field IN ('a','b').
func in(b *strings.Builder, field string, values []string) {
	b.WriteString(field)
	b.WriteString(" IN (")
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		quoteTo(b, v)
	}
	b.WriteByte(')')
}

// keys are what a group of subjects is found by.
type keys struct {
	emails, contacts, leads []string
}

// queryOf writes the query that finds an object's records of a group of
// subjects; empty where nothing can be found.
func (o *object) queryOf(fields []string, k keys) string {
	var terms []string
	term := func(field string, values []string) {
		if field == "" || len(values) == 0 {
			return
		}
		var b strings.Builder
		in(&b, field, values)
		terms = append(terms, b.String())
	}
	switch {
	case o.contact != "" && o.contact == o.lead:
		term(o.contact, append(append(make([]string, 0, len(k.contacts)+len(k.leads)), k.contacts...), k.leads...))
	default:
		term(o.contact, k.contacts)
		term(o.lead, k.leads)
	}
	if o.owner == "" {
		term(o.email, k.emails)
	} else if len(k.emails) > 0 {
		var b strings.Builder
		b.WriteString("(" + o.owner + " = null AND ")
		in(&b, o.email, k.emails)
		b.WriteByte(')')
		terms = append(terms, b.String())
	}
	if len(terms) == 0 {
		return ""
	}
	return "SELECT " + strings.Join(fields, ",") + " FROM " + o.name + " WHERE " + strings.Join(terms, " OR ")
}
