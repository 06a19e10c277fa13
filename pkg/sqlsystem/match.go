package sqlsystem

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/worker"
)

// match is how identifiers of a type are compared with a column.
type match struct {
	typ dsar.IdentifierType
	as  comparison
}

type comparison uint8

const (
	asText    comparison = iota // as it is stored
	asTrimmed                   // without the blanks at its ends
	asFolded                    // an address: without regard to case, too
	asDialled                   // a telephone number: without what separates its digits
	asInteger
	asUUID
	asMention // a text that has it somewhere
)

// subject makes the comparison for a column. What a row is told to hold, and
// what the database compares, are the same expression, which is what [identifier.Plain]
// computes: who is found is told by the database's own measure. Of an address it only
// narrows the search: İ is i to one database and none to another.
func (c *compiler) subject(ctx context.Context, path string, t dsar.IdentifierType, tableName, expr, bare string, col column) (subject, error) {
	s := subject{match: match{typ: t, as: asTrimmed}, expr: expr, path: path, table: tableName, column: col.name, held: col}
	as, must := c.dialect.compares(col)
	switch {
	case must != "":
		return s, c.wrong(path, fmt.Sprintf("%scolumn %q is of type %s, which identifiers can't be compared with", c.of(path), col.name, col.full), must)
	case as != asTrimmed && isWritten(t):
		return s, c.wrong(path, fmt.Sprintf("%scolumn %q is of type %s, which loses how a %s is written (a number has neither + nor the 0 in front)", c.of(path), col.name, col.full, kindOfIdentifier(t)), "it must be a text: change its type, or add a text column that is made of it, and name that")
	case as != asTrimmed:
		s.as = as
	case kindOfIdentifier(t) == identifier.Email:
		s.as = asFolded
	case kindOfIdentifier(t) == identifier.Phone:
		s.as = asDialled
	}
	if s.as == asFolded {
		s.written = c.dialect.compared(asTrimmed, expr, col)
	}
	s.bare = c.dialect.compared(s.as, bare, col)
	if s.indexed = c.dialect.indexed(ctx, c.System, tableName, expr, col, s.as); s.indexed != "" || s.as != asTrimmed {
		s.expr = c.dialect.compared(s.as, expr, col)
		return s, nil
	}
	// An account number with blanks around it is rare, and a look at every row for
	// it dear: what an index serves as it is stored is compared so, and lint says
	// which index does better.
	if c.dialect.serves(ctx, c.System, tableName, col, asText, c.dialect.compared(asText, bare, col), "") && !c.dialect.serves(ctx, c.System, tableName, col, asTrimmed, s.bare, "") {
		s.as = asText
	}
	s.expr = c.dialect.compared(s.as, expr, col)
	return s, nil
}

// isWritten reports whether identifiers of a type have writings, which only a text keeps.
func isWritten(t dsar.IdentifierType) bool {
	kind := kindOfIdentifier(t)
	return kind == identifier.Email || kind == identifier.Phone
}

// shown returns what a query asks of a row, by which [chunk.owners] tells whose it is: of an
// address what is written, since what a database makes of its letters is the database's own.
func (s *subject) shown() string {
	if s.written != "" {
		return s.written
	}
	return s.expr
}

// kindOfIdentifier returns a type without the prefix of the system that it belongs
// to.
func kindOfIdentifier(t dsar.IdentifierType) dsar.IdentifierType {
	return t[strings.LastIndexByte(string(t), '.')+1:]
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// forms returns the values of a column by which an identifier is found: none where
// the column can't hold it.
func (s *System) forms(m match, value string) []string {
	value = identifier.Trim(value)
	// PostgreSQL refuses both, for the whole batch; no column holds them.
	if value == "" || !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
		return nil
	}
	switch m.as {
	case asInteger:
		// As the number is written, and no other: 007 and 7 are two people's account numbers.
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && strconv.FormatInt(n, 10) == value {
			return []string{value}
		}
		// MariaDB's BIGINT UNSIGNED has more.
		_, unsigned := s.dialect.(mysqlDialect)
		if n, err := strconv.ParseUint(value, 10, 64); unsigned && err == nil && strconv.FormatUint(n, 10) == value {
			return []string{value}
		}
		return nil
	case asUUID:
		if value = s.identifiers.Normalise(m.typ, value); !uuidForm.MatchString(value) {
			return nil
		}
		return []string{value}
	case asMention:
		return s.mentioned(m.typ, value)
	case asFolded, asDialled:
		// Also as it was written: what a database makes of letters that aren't
		// ASCII depends on its locale.
		return distinct(append(s.identifiers.Forms(m.typ, value), identifier.Plain(m.typ, value), lowerASCII(value))...)
	default:
		return distinct(append(s.identifiers.Forms(m.typ, value), value, norm.NFD.String(value))...)
	}
}

// patterns returns what every writing of an address matches that the database can't
// bring into one of its forms: a database's lower may know ASCII only. They cost a
// look at each row; few addresses need any.
func (s *System) patterns(m match, value string) []string {
	if m.as != asFolded {
		return nil
	}
	var out []string
	for _, form := range s.identifiers.Forms(m.typ, value) {
		if isASCII(form) {
			continue
		}
		var b strings.Builder
		wild := false
		letters := []rune(norm.NFC.String(form))
		for i, r := range letters {
			marked := i+1 < len(letters) && unicode.Is(unicode.M, letters[i+1]) // a store may have one character for both
			if r < 0x80 && !marked {
				if r == '%' || r == '_' || string(r) == likeEscape {
					b.WriteString(likeEscape)
				}
				b.WriteRune(r)
			} else if !wild {
				b.WriteByte('%')
			}
			wild = r >= 0x80 || marked
		}
		if p := b.String(); !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

func isASCII(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 }) }

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

// hit is a job and the identifier by which a row is its.
type hit struct {
	job  int
	id   *worker.Identifier
	ways ways // by which the row is its
}

// ways is a set of lookups.
type ways uint32

func (l *lookup) in(w ways) bool { return w&(1<<l.number) != 0 }

// wanted are the values of one comparison that a batch asks for.
type wanted struct {
	values   []string
	patterns []string
	hits     map[string][]hit // by form
	normal   map[string][]hit // by normal form, of addresses
}

// chunk is as many jobs as one statement can ask for.
type chunk struct {
	*System
	tasks []*worker.Task
	jobs  []int // of the batch, by place in tasks
	cache map[match]*wanted
}

// laws returns those under which its people asked: one, where periods differ by law.
func (c *chunk) laws() []string {
	if !c.byLaw {
		return []string{""}
	}
	return []string{c.tasks[0].Jurisdiction}
}

// chunks cuts a batch. A job without identifiers is in none.
func (s *System) chunks(tasks []*worker.Task) []*chunk {
	limit := s.dialect.valuesAtOnce()
	// Padding may double a list, and each identifier may have several forms in
	// each comparison.
	const formsOfIdentifier, padding, comparisons = 16, 2, 2
	limit = (limit - sparedParameters) / (formsOfIdentifier * padding * comparisons)
	var out []*chunk
	var current *chunk
	size := 0
	for i, t := range tasks {
		if len(t.Identifiers) == 0 {
			continue
		}
		another := s.byLaw && current != nil && current.tasks[0].Jurisdiction != t.Jurisdiction
		if current == nil || another || size+len(t.Identifiers) > limit {
			current = &chunk{System: s, cache: map[match]*wanted{}}
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
			for _, form := range c.forms(m, id.Value) {
				hits := w.hits[form]
				if hits == nil {
					w.values = append(w.values, form)
				}
				w.hits[form] = append(hits, hit{job: c.jobs[i], id: id})
			}
			if m.as == asFolded {
				if w.normal == nil {
					w.normal = make(map[string][]hit, len(c.tasks))
				}
				n := c.identifiers.Normalise(m.typ, id.Value)
				w.patterns = append(w.patterns, c.patterns(m, id.Value)...)
				w.normal[n] = append(w.normal[n], hit{job: c.jobs[i], id: id})
			}
		}
	}
	c.cache[m] = w
	return w
}

// asked returns the subjects of a dataset of which the chunk knows identifiers.
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

// where writes the condition that a row holds, in one of the asked subjects, what
// the chunk asks for. Who the row belongs to, [chunk.owners] says.
func (c *chunk) where(q *statement, asked []subject) {
	q.WriteByte('(')
	for i, s := range asked {
		if i > 0 {
			q.WriteString(" OR ")
		}
		w := c.wanted(s.match)
		c.equals(q, s, w)
		for _, p := range w.patterns {
			q.WriteString(" OR ")
			c.dialect.like(q, s.expr, p)
		}
	}
	q.WriteByte(')')
}

func (c *chunk) equals(q *statement, s subject, w *wanted) {
	if s.as == asMention {
		c.dialect.mentions(q, s.expr, w.values)
		return
	}
	c.dialect.among(q, &s, w)
}

// list writes the values as a list of parameters.
func (w *wanted) list(q *statement, as comparison) {
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
		q.arg(w.parameter(as, min(j, len(w.values)-1)))
	}
	q.WriteByte(')')
}

// between returns the bounds of what begins as a pattern does; ok is false where it
// begins with anything.
func between(pattern string) (least, above string, ok bool) {
	begin, _, _ := strings.Cut(pattern, "%")
	begin = strings.TrimSuffix(begin, likeEscape) // of an escaped one
	begin = strings.NewReplacer(likeEscape+likeEscape, likeEscape, likeEscape+"_", "_").Replace(begin)
	if begin == "" {
		return "", "", false
	}
	last := len(begin) - 1
	return begin, begin[:last] + string(rune(begin[last]+1)), true
}

func (w *wanted) parameter(as comparison, i int) any {
	if as == asInteger {
		if n, err := strconv.ParseInt(w.values[i], 10, 64); err == nil {
			return n
		}
		n, _ := strconv.ParseUint(w.values[i], 10, 64) // written by forms
		return n
	}
	return w.values[i]
}

// owners finds whose a row is, from what it holds by each of the asked subjects,
// and appends a hit for each job. None is an error of the caller's, unless the database
// narrows the search only ([chunk.loose]).
func (c *chunk) owners(out []hit, asked []subject, held []any) []hit {
	for i, s := range asked {
		value, ok := textOf(held[i])
		if !ok {
			continue
		}
		for _, h := range c.hits(&s, value) {
			at := slices.IndexFunc(out, func(o hit) bool { return o.job == h.job })
			if at < 0 {
				at, out = len(out), append(out, h)
			}
			out[at].ways |= 1 << s.number
		}
	}
	return out
}

// hits returns who asks for a text in a subject, and by which identifiers.
func (c *chunk) hits(s *subject, text string) []hit {
	w := c.wanted(s.match)
	switch s.as {
	case asMention:
		return w.mentionedIn(text)
	case asFolded:
		return w.normal[c.identifiers.Normalise(s.typ, text)]
	default:
		return w.hits[text]
	}
}

// loose reports whether the database may return rows that are nobody's.
func (c *chunk) loose(asked []subject) bool {
	return slices.ContainsFunc(asked, func(s subject) bool { return s.as == asMention || s.as == asFolded })
}

// textOf returns the text of what a row holds as identifier.
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
