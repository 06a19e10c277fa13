package sqlsystem

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// match is how identifiers of a type are compared with a column.
type match struct {
	typ dsar.IdentifierType
	as  comparison
}

type comparison uint8

const (
	asText comparison = iota
	asFolded
	asInteger
	asUUID
)

// subject makes the comparison for a column. What a row is told to hold, and
// what the database compares, are the same expression: who is found is told by
// the database's own measure.
func (c *compiler) subject(path string, t dsar.IdentifierType, expr string, col column) (subject, error) {
	s := subject{match: match{typ: t}, expr: expr}
	typ := strings.ToLower(col.typ)
	switch {
	case t == "email":
		s.as = asFolded
	case c.dialect == SQLite && strings.Contains(typ, "int"):
		s.as = asInteger
	case c.dialect == PostgreSQL && slices.Contains([]string{"smallint", "integer", "bigint"}, typ):
		s.as = asInteger
	case typ == "uuid" && c.dialect == PostgreSQL:
		s.as = asUUID
	}
	if s.as == asInteger || s.as == asUUID {
		return s, nil
	}
	if c.dialect == PostgreSQL {
		if !isText(typ) {
			return s, c.wrong(path, fmt.Sprintf("%scolumn %q is of type %s, which identifiers can't be compared with", c.of(path), col.name, col.typ), "it must be a text, an integer or a uuid")
		}
		if s.as == asFolded {
			s.expr = "lower(" + expr + "::text)"
		} else if typ != "text" {
			s.expr = expr + "::text"
		}
		return s, nil
	}
	// The affinity of the declared type (sqlite.org/datatype3.html, 3.1). One
	// that turns texts into numbers would find 12 by 012.
	if typ != "" && !strings.Contains(typ, "char") && !strings.Contains(typ, "clob") && !strings.Contains(typ, "text") && !strings.Contains(typ, "blob") {
		return s, c.wrong(path, fmt.Sprintf("%scolumn %q is of type %s, which identifiers can't be compared with", c.of(path), col.name, col.typ), "it must be TEXT or INTEGER")
	}
	if s.as == asFolded {
		s.expr = "lower(" + expr + ")"
	} else {
		s.expr = expr + " COLLATE BINARY"
	}
	return s, nil
}

func isText(typ string) bool {
	return typ == "text" || typ == "citext" || strings.HasPrefix(typ, "character")
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// forms are the values of a column by which an identifier is found: usually one,
// none where the column can't hold it.
func (m match) forms(value string) []string {
	value = strings.TrimSpace(value)
	// PostgreSQL refuses both, for the whole batch; no column holds them.
	if value == "" || !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
		return nil
	}
	switch m.as {
	case asInteger:
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return nil
		}
		return []string{strconv.FormatInt(n, 10)}
	case asUUID:
		if value = strings.ToLower(value); !uuidForm.MatchString(value) {
			return nil
		}
		return []string{value}
	case asFolded:
		// SQLite's lower knows ASCII only, PostgreSQL's the locale's letters; an
		// address may have been stored in either of Unicode's forms.
		return distinct(strings.ToLower(value), lowerASCII(value), strings.ToLower(norm.NFC.String(value)), strings.ToLower(norm.NFD.String(value)))
	default:
		if m.typ == "phone" {
			return distinct(value, phone(value))
		}
		return distinct(value, norm.NFC.String(value))
	}
}

func distinct(forms ...string) []string {
	out := forms[:1]
	for _, f := range forms[1:] {
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// phone is a telephone number as E.164 writes it, as far as it says so itself.
func phone(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '+' {
			return r
		}
		return -1
	}, s)
}

// hit is a job and the identifier by which a row is its.
type hit struct {
	job int
	id  *worker.Identifier
}

// wanted are the values of one comparison that a batch asks for.
type wanted struct {
	values []string
	hits   map[string][]hit
}

// chunk is as many jobs as one statement can ask for.
type chunk struct {
	dialect Dialect
	tasks   []*worker.Task
	jobs    []int // of the batch, by place in tasks
	cache   map[match]*wanted
}

// chunks cuts a batch. A job without identifiers is in none.
func (s *System) chunks(tasks []*worker.Task) []*chunk {
	limit := sqliteMaxParameters
	if s.dialect == PostgreSQL {
		limit = postgresMaxElements
	}
	// Padding may double a list, and each identifier may have several forms in
	// each comparison.
	const formsOfIdentifier, padding, comparisons = 4, 2, 2
	limit = (limit - sparedParameters) / (formsOfIdentifier * padding * comparisons)
	var out []*chunk
	var current *chunk
	size := 0
	for i, t := range tasks {
		if len(t.Identifiers) == 0 {
			continue
		}
		if current == nil || size+len(t.Identifiers) > limit {
			current = &chunk{dialect: s.dialect, cache: map[match]*wanted{}}
			out = append(out, current)
			size = 0
		}
		size += len(t.Identifiers)
		current.tasks = append(current.tasks, t)
		current.jobs = append(current.jobs, i)
	}
	return out
}

// wanted returns the values that the chunk's jobs ask for by one comparison.
func (c *chunk) wanted(m match) *wanted {
	if w := c.cache[m]; w != nil {
		return w
	}
	w := &wanted{hits: make(map[string][]hit, len(c.tasks))}
	for i, t := range c.tasks {
		for j := range t.Identifiers {
			id := &t.Identifiers[j]
			if id.Type != m.typ {
				continue
			}
			for _, form := range m.forms(id.Value) {
				hits := w.hits[form]
				if hits == nil {
					w.values = append(w.values, form)
				}
				w.hits[form] = append(hits, hit{job: c.jobs[i], id: id})
			}
		}
	}
	c.cache[m] = w
	return w
}

// asked are the subjects of a dataset of which the chunk knows identifiers.
func (c *chunk) asked(subjects []subject) []subject {
	if len(subjects) == 1 && len(c.wanted(subjects[0].match).values) > 0 {
		return subjects
	}
	var out []subject
	for _, s := range subjects {
		if len(c.wanted(s.match).values) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// where writes the condition that a row belongs to one of the chunk's jobs.
func (c *chunk) where(q *statement, asked []subject) {
	q.WriteByte('(')
	for i, s := range asked {
		if i > 0 {
			q.WriteString(" OR ")
		}
		q.WriteString(s.expr)
		w := c.wanted(s.match)
		if c.dialect == PostgreSQL {
			q.WriteString(" = ANY(")
			q.arg(w.array(s.as))
			q.WriteString(map[comparison]string{asInteger: "::bigint[])", asUUID: "::uuid[])"}[s.as])
			if s.as == asText || s.as == asFolded {
				q.WriteString("::text[])")
			}
			continue
		}
		q.WriteString(" IN (")
		// A power of two: few texts of statements, each prepared once.
		n := 1
		for n < len(w.values) {
			n *= 2
		}
		for j := range n {
			if j > 0 {
				q.WriteByte(',')
			}
			q.arg(w.parameter(s.as, min(j, len(w.values)-1)))
		}
		q.WriteByte(')')
	}
	q.WriteByte(')')
}

func (w *wanted) parameter(as comparison, i int) any {
	if as == asInteger {
		n, _ := strconv.ParseInt(w.values[i], 10, 64) // written by forms
		return n
	}
	return w.values[i]
}

// array is the list as a PostgreSQL array.
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

// owners finds whose a row is, from what it holds by each of the asked subjects,
// and appends a hit for each job. None is an error of the caller's.
func (c *chunk) owners(out []hit, asked []subject, held []any) []hit {
	for i, s := range asked {
		value, ok := textOf(held[i])
		if !ok {
			continue
		}
		for _, h := range c.wanted(s.match).hits[value] {
			if !slices.ContainsFunc(out, func(o hit) bool { return o.job == h.job }) {
				out = append(out, h)
			}
		}
	}
	return out
}

// textOf is the text of what a row holds as identifier.
func textOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case int64:
		return strconv.FormatInt(v, 10), true
	case []byte:
		return string(v), true
	case nil:
		return "", false
	default:
		return fmt.Sprint(v), true
	}
}
