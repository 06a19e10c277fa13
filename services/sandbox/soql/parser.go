package soql

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Parse reads one query. Its error is always an [*Error].
func Parse(src string) (*Query, error) {
	p := &parser{lex: lexer{src: src}}
	// Counting characters is needed only where bytes are too many.
	if len(src) > MaxQuery && utf8.RuneCountInString(src) > MaxQuery {
		return nil, p.lex.fail(0, "SOQL statements cannot be longer than %d characters.", MaxQuery)
	}
	if !utf8.ValidString(src) {
		return nil, p.lex.fail(0, "the query isn't UTF-8")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	q, err := p.query(whole)
	if err != nil {
		return nil, err
	}
	if p.tok.kind != tokEnd {
		return nil, p.unexpected()
	}
	return q, nil
}

type parser struct {
	lex   lexer
	tok   token
	depth int
}

func (p *parser) advance() *Error {
	t, err := p.lex.next()
	if err != nil {
		return err
	}
	p.tok = t
	return nil
}

func (p *parser) unexpected() *Error {
	if p.tok.kind == tokEnd {
		return p.lex.fail(p.tok.pos, "unexpected token: '<EOF>'")
	}
	// A string's content may be personal: it isn't repeated.
	if p.tok.kind == tokString {
		return p.lex.fail(p.tok.pos, "unexpected token: a string")
	}
	return p.lex.fail(p.tok.pos, "unexpected token: '%s'", p.tok.text)
}

// is reports whether the current token is a word, in any case.
func (p *parser) is(word string) bool {
	return p.tok.kind == tokName && strings.EqualFold(p.tok.text, word)
}

func (p *parser) punct(s string) bool { return p.tok.kind == tokPunct && p.tok.text == s }

func (p *parser) expectWord(word string) *Error {
	if !p.is(word) {
		return p.unexpected()
	}
	return p.advance()
}

func (p *parser) expectPunct(s string) *Error {
	if !p.punct(s) {
		return p.unexpected()
	}
	return p.advance()
}

// reserved reports whether a word ends a list of fields or a condition, and so
// can't be a field.
func reserved(word string) bool {
	switch strings.ToUpper(word) {
	case "SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "IN", "LIKE", "ORDER", "LIMIT", "OFFSET", "GROUP", "HAVING",
		"NULL", "TRUE", "FALSE", "USING", "WITH", "FOR", "INCLUDES", "EXCLUDES", "TYPEOF":
		return true
	}
	return false
}

// place is where a query stands.
type place uint8

const (
	whole place = iota
	semi        // behind IN
	child       // in a list of fields
)

func (p *parser) query(at place) (*Query, *Error) {
	q := &Query{Limit: -1, Offset: -1}
	sub := at == semi
	if err := p.expectWord("SELECT"); err != nil {
		return nil, err
	}
	if err := p.fields(q, at); err != nil {
		return nil, err
	}
	if err := p.expectWord("FROM"); err != nil {
		return nil, err
	}
	if p.tok.kind != tokName || reserved(p.tok.text) {
		return nil, p.unexpected()
	}
	q.From = p.tok.text
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.is("WHERE") {
		if err := p.advance(); err != nil {
			return nil, err
		}
		var err *Error
		if q.Where, err = p.condition(sub); err != nil {
			return nil, err
		}
	}
	if err := p.groups(q, at); err != nil {
		return nil, err
	}
	if sub {
		// "The COUNT, FOR UPDATE, ORDER BY, and LIMIT keywords aren't supported
		// in subqueries" (SOQL and SOSL Reference, "Semi-Joins").
		if q.Count || len(q.Aggregates)+len(q.Children) > 0 || len(q.Fields) != 1 {
			return nil, p.lex.fail(p.tok.pos, "a sub-select must name one field")
		}
		return q, nil
	}
	if err := p.order(q); err != nil {
		return nil, err
	}
	var err *Error
	if q.Limit, err = p.bound("LIMIT", 1<<31-1); err != nil {
		return nil, err
	}
	if q.Offset, err = p.bound("OFFSET", MaxOffset); err != nil {
		return nil, err
	}
	return q, nil
}

func (p *parser) fields(q *Query, at place) *Error {
	for {
		var err *Error
		switch {
		case p.punct("("):
			err = p.children(q, at)
		case p.tok.kind == tokName && p.lex.at < len(p.lex.src) && strings.HasPrefix(strings.TrimLeft(p.lex.src[p.lex.at:], " "), "("):
			err = p.aggregate(q, at)
		default:
			var path Path
			path, err = p.path()
			q.Fields = append(q.Fields, path)
		}
		if err != nil {
			return err
		}
		if !p.punct(",") || q.Count {
			return nil
		}
		if err := p.advance(); err != nil {
			return err
		}
	}
}

// children reads a sub-select in a list of fields.
func (p *parser) children(q *Query, at place) *Error {
	if at != whole {
		return p.unexpected()
	}
	if err := p.advance(); err != nil {
		return err
	}
	c, err := p.query(child)
	if err != nil {
		return err
	}
	if c.Count || len(c.Aggregates) > 0 {
		return p.lex.fail(p.tok.pos, "aggregates are not allowed in a sub-select")
	}
	q.Children = append(q.Children, c)
	return p.expectPunct(")")
}

// aggregate reads COUNT(), alone, or a function of a field, with its alias.
func (p *parser) aggregate(q *Query, at place) *Error {
	a := Aggregate{Function: strings.ToUpper(p.tok.text)}
	pos := p.tok.pos
	if at != whole {
		return p.unexpected()
	}
	switch a.Function {
	case "COUNT", "COUNT_DISTINCT", "MIN", "MAX":
	default:
		return p.lex.fail(pos, "unknown function: '%s'", p.tok.text)
	}
	if err := p.advance(); err != nil {
		return err
	}
	if err := p.expectPunct("("); err != nil {
		return err
	}
	if p.punct(")") {
		if a.Function != "COUNT" || len(q.Fields)+len(q.Aggregates)+len(q.Children) > 0 {
			return p.lex.fail(pos, "COUNT() must stand alone")
		}
		q.Count = true
		return p.advance()
	}
	var err *Error
	if a.Of, err = p.path(); err != nil {
		return err
	}
	if err := p.expectPunct(")"); err != nil {
		return err
	}
	if p.tok.kind == tokName && !reserved(p.tok.text) {
		a.Alias = p.tok.text
		err = p.advance()
	}
	q.Aggregates = append(q.Aggregates, a)
	return err
}

// groups reads GROUP BY. What isn't aggregated must be grouped.
func (p *parser) groups(q *Query, at place) *Error {
	if p.is("GROUP") && at == whole && !q.Count {
		if err := p.advance(); err != nil {
			return err
		}
		if err := p.expectWord("BY"); err != nil {
			return err
		}
		for {
			path, err := p.path()
			if err != nil {
				return err
			}
			q.Groups = append(q.Groups, path)
			if !p.punct(",") {
				break
			}
			if err := p.advance(); err != nil {
				return err
			}
		}
	}
	if len(q.Aggregates)+len(q.Groups) == 0 {
		return nil
	}
	for _, f := range q.Fields {
		if !slices.ContainsFunc(q.Groups, func(g Path) bool { return strings.EqualFold(g.String(), f.String()) }) {
			return p.lex.fail(f.Pos, "Field must be grouped or aggregated: %s", f)
		}
	}
	if len(q.Children) > 0 {
		return p.lex.fail(p.tok.pos, "sub-selects are not allowed with aggregates")
	}
	return nil
}

func (p *parser) path() (Path, *Error) {
	path := Path{Pos: p.tok.pos}
	for {
		if p.tok.kind != tokName || reserved(p.tok.text) {
			return path, p.unexpected()
		}
		path.Parts = append(path.Parts, p.tok.text)
		if len(path.Parts) > MaxRelations+1 {
			return path, p.lex.fail(path.Pos, "Only %d levels of relationships are allowed in a field", MaxRelations)
		}
		if err := p.advance(); err != nil {
			return path, err
		}
		if !p.punct(".") {
			return path, nil
		}
		if err := p.advance(); err != nil {
			return path, err
		}
	}
}

// condition reads terms joined by AND, or by OR. As in Salesforce, the two
// don't mix without parentheses.
func (p *parser) condition(sub bool) (Expr, *Error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.lex.fail(p.tok.pos, "the condition is nested too deeply")
	}
	defer func() { p.depth-- }()
	first, err := p.term(sub)
	if err != nil {
		return nil, err
	}
	var word string
	switch {
	case p.is("AND"):
		word = "AND"
	case p.is("OR"):
		word = "OR"
	default:
		return first, nil
	}
	terms := []Expr{first}
	for p.is(word) {
		if err := p.advance(); err != nil {
			return nil, err
		}
		t, err := p.term(sub)
		if err != nil {
			return nil, err
		}
		terms = append(terms, t)
	}
	if p.is("AND") || p.is("OR") {
		return nil, p.unexpected()
	}
	if word == "AND" {
		return &And{terms}, nil
	}
	return &Or{terms}, nil
}

func (p *parser) term(sub bool) (Expr, *Error) {
	switch {
	case p.is("NOT"):
		if p.depth++; p.depth > maxDepth {
			return nil, p.lex.fail(p.tok.pos, "the condition is nested too deeply")
		}
		defer func() { p.depth-- }()
		if err := p.advance(); err != nil {
			return nil, err
		}
		t, err := p.term(sub)
		if err != nil {
			return nil, err
		}
		return &Not{t}, nil
	case p.punct("("):
		if err := p.advance(); err != nil {
			return nil, err
		}
		e, err := p.condition(sub)
		if err != nil {
			return nil, err
		}
		return e, p.expectPunct(")")
	}
	return p.comparison(sub)
}

func (p *parser) comparison(sub bool) (Expr, *Error) {
	left, err := p.path()
	if err != nil {
		return nil, err
	}
	if p.is("IN") {
		return p.in(left, false, sub)
	}
	if p.is("NOT") {
		if err := p.advance(); err != nil {
			return nil, err
		}
		if !p.is("IN") {
			return nil, p.unexpected()
		}
		return p.in(left, true, sub)
	}
	c := &Compare{Left: left}
	switch {
	case p.is("LIKE"):
		c.Op = Like
	case p.tok.kind == tokPunct:
		switch op := Op(p.tok.text); op {
		case Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual:
			c.Op = op
		case "<>":
			c.Op = NotEqual
		default:
			return nil, p.unexpected()
		}
	default:
		return nil, p.unexpected()
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if c.Op == Like && p.tok.kind != tokString {
		return nil, p.unexpected()
	}
	if c.Right, err = p.literal(c.Op == Like); err != nil {
		return nil, err
	}
	return c, nil
}

func (p *parser) in(left Path, not, sub bool) (Expr, *Error) {
	if err := p.advance(); err != nil { // IN
		return nil, err
	}
	if err := p.expectPunct("("); err != nil {
		return nil, err
	}
	e := &In{Left: left, Not: not}
	var err *Error
	if p.is("SELECT") {
		if sub {
			return nil, p.lex.fail(p.tok.pos, "Nesting of semi join sub-selects is not supported")
		}
		if e.Sub, err = p.query(semi); err != nil {
			return nil, err
		}
		return e, p.expectPunct(")")
	}
	for {
		v, err := p.literal(false)
		if err != nil {
			return nil, err
		}
		e.Values = append(e.Values, v)
		if p.punct(")") {
			return e, p.advance()
		}
		if err := p.expectPunct(","); err != nil {
			return nil, err
		}
	}
}

func (p *parser) literal(like bool) (Value, *Error) {
	v := Value{Pos: p.tok.pos}
	switch p.tok.kind {
	case tokString:
		v.Kind, v.Text = String, unescape(p.tok.text, like)
		if len(v.Text) > MaxString && utf8.RuneCountInString(v.Text) > MaxString {
			return v, p.lex.fail(v.Pos, "a string in WHERE cannot be longer than %d characters", MaxString)
		}
	case tokNumber:
		f, err := strconv.ParseFloat(p.tok.text, 64)
		if err != nil || f > 1e18 || f < -1e18 {
			return v, p.unexpected()
		}
		v.Kind, v.Text = Number, p.tok.text
	case tokTime:
		if t, err := time.Parse(time.DateOnly, p.tok.text); err == nil {
			v.Kind, v.Time = Date, t
		} else if t, ok := parseTime(p.tok.text); ok {
			v.Kind, v.Time = DateTime, t
		} else {
			return v, p.unexpected()
		}
	case tokName:
		switch strings.ToUpper(p.tok.text) {
		case "NULL":
			v.Kind = Null
		case "TRUE", "FALSE":
			v.Kind, v.Bool = Boolean, strings.EqualFold(p.tok.text, "true")
		default:
			return v, p.unexpected()
		}
	default:
		return v, p.unexpected()
	}
	return v, p.advance()
}

// parseTime reads an instant as SOQL writes it: with or without milliseconds,
// with Z or an offset.
func parseTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05.000Z0700", "2006-01-02T15:04:05Z0700"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 1700 && t.Year() <= 4000 {
			return t.UTC().Truncate(time.Millisecond), true
		}
	}
	return time.Time{}, false
}

func (p *parser) order(q *Query) *Error {
	if !p.is("ORDER") {
		return nil
	}
	if err := p.advance(); err != nil {
		return err
	}
	if err := p.expectWord("BY"); err != nil {
		return err
	}
	if q.Count {
		return p.lex.fail(p.tok.pos, "ORDER BY is not allowed with COUNT()")
	}
	for {
		by, err := p.path()
		if err != nil {
			return err
		}
		o := Order{By: by}
		if p.is("ASC") || p.is("DESC") {
			o.Descending = p.is("DESC")
			if err := p.advance(); err != nil {
				return err
			}
		}
		if p.is("NULLS") {
			if err := p.advance(); err != nil {
				return err
			}
			if !p.is("FIRST") && !p.is("LAST") {
				return p.unexpected()
			}
			o.NullsLast = p.is("LAST")
			if err := p.advance(); err != nil {
				return err
			}
		}
		q.Order = append(q.Order, o)
		if !p.punct(",") {
			return nil
		}
		if err := p.advance(); err != nil {
			return err
		}
	}
}

// bound reads LIMIT or OFFSET; -1 where it isn't there.
func (p *parser) bound(word string, most int) (int, *Error) {
	if !p.is(word) {
		return -1, nil
	}
	if err := p.advance(); err != nil {
		return -1, err
	}
	n, err := strconv.Atoi(p.tok.text)
	if p.tok.kind != tokNumber || err != nil || n < 0 || !isDigit(p.tok.text[0]) {
		return -1, p.unexpected()
	}
	if n > most {
		return -1, p.lex.fail(p.tok.pos, "%s cannot be more than %d", word, most)
	}
	return n, p.advance()
}
