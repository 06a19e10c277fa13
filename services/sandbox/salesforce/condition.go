package salesforce

import (
	"strings"
	"time"

	"habeas.dev/services/sandbox/soql"
)

// condition compiles what a WHERE asks of a row.
func (p *planner) condition(o *object, e soql.Expr) (func(*row) bool, *apiError) {
	switch e := e.(type) {
	case *soql.And:
		terms, err := p.conditions(o, e.Terms)
		return func(r *row) bool {
			for _, t := range terms {
				if !t(r) {
					return false
				}
			}
			return true
		}, err
	case *soql.Or:
		for _, t := range e.Terms {
			if in, ok := t.(*soql.In); ok && in.Sub != nil {
				return nil, &apiError{status: 400, code: "MALFORMED_QUERY", message: "Semi join sub-selects are not allowed with the 'OR' operator"}
			}
		}
		terms, err := p.conditions(o, e.Terms)
		return func(r *row) bool {
			for _, t := range terms {
				if t(r) {
					return true
				}
			}
			return false
		}, err
	case *soql.Not:
		t, err := p.condition(o, e.Term)
		return func(r *row) bool { return !t(r) }, err
	case *soql.In:
		return p.in(o, e)
	default:
		return p.compare(o, e.(*soql.Compare))
	}
}

func (p *planner) conditions(o *object, es []soql.Expr) ([]func(*row) bool, *apiError) {
	terms := make([]func(*row) bool, len(es))
	for i, e := range es {
		var err *apiError
		if terms[i], err = p.condition(o, e); err != nil {
			return nil, err
		}
	}
	return terms, nil
}

// literal checks a literal against a field and returns it as a value.
func (p *planner) literal(f field, path soql.Path, lit soql.Value) (value, *apiError) {
	if f.typ == longType || f.typ == blobType {
		return value{}, &apiError{status: 400, code: "INVALID_FIELD", message: p.excerpt(path.Pos) + "field '" + f.name + "' can not be filtered in a query call"}
	}
	if lit.Kind == soql.Null {
		return value{null: true}, nil
	}
	wrong := func(want string) *apiError {
		return &apiError{status: 400, code: "INVALID_FIELD", message: p.excerpt(path.Pos) + "value of filter criterion for field '" + f.name + "' must be of type " + want}
	}
	switch f.typ {
	case boolType:
		if lit.Kind != soql.Boolean {
			return value{}, wrong("boolean and should not be enclosed in quotes")
		}
		return value{yes: lit.Bool}, nil
	case dateType:
		if lit.Kind != soql.Date {
			return value{}, wrong("date and should not be enclosed in quotes")
		}
		return value{at: lit.Time}, nil
	case timeType:
		if lit.Kind != soql.DateTime {
			return value{}, wrong("dateTime and should not be enclosed in quotes")
		}
		return value{at: lit.Time}, nil
	case numberType:
		return value{}, wrong("double and should not be enclosed in quotes")
	}
	if lit.Kind != soql.String {
		return value{}, wrong("string and should be enclosed in quotes")
	}
	if f.typ == idType {
		if lit.Text == "" {
			return value{null: true}, nil
		}
		if !isID(lit.Text) {
			return value{}, &apiError{status: 400, code: "INVALID_QUERY_FILTER_OPERATOR", message: p.excerpt(lit.Pos) + "invalid ID field: " + lit.Text}
		}
		return value{key: lit.Text[:15]}, nil
	}
	return value{key: fold(lit.Text), null: lit.Text == ""}, nil
}

// setKey makes a value comparable in a set.
func (v *value) setKey(t fieldType) string {
	switch {
	case t == boolType && v.yes:
		return "true"
	case t == boolType:
		return "false"
	case t == dateType || t == timeType:
		return v.at.UTC().Format(time.RFC3339Nano)
	default:
		return v.key
	}
}

func (p *planner) in(o *object, e *soql.In) (func(*row) bool, *apiError) {
	get, f, err := p.resolve(o, e.Left)
	if err != nil {
		return nil, err
	}
	var set map[string]struct{}
	null := false
	if e.Sub != nil {
		if set, err = p.semiJoin(f, e); err != nil {
			return nil, err
		}
	} else {
		set = make(map[string]struct{}, len(e.Values))
		for _, lit := range e.Values {
			v, err := p.literal(f, e.Left, lit)
			if err != nil {
				return nil, err
			}
			if v.null {
				null = true
			} else {
				set[v.setKey(f.typ)] = struct{}{}
			}
		}
	}
	typ, not := f.typ, e.Not
	return func(r *row) bool {
		v := get(r)
		if v.null {
			return null != not
		}
		_, ok := set[v.setKey(typ)]
		return ok != not
	}, nil
}

// semiJoin runs a sub-select and returns the ids that it selects.
func (p *planner) semiJoin(left field, e *soql.In) (map[string]struct{}, *apiError) {
	if p.semi++; p.semi > 2 {
		return nil, &apiError{status: 400, code: "MALFORMED_QUERY", message: "maximum 2 semi join sub-selects are allowed"}
	}
	if left.typ != idType {
		return nil, &apiError{status: 400, code: "INVALID_FIELD", message: p.excerpt(e.Left.Pos) + "The left operand field in the where expression must be an id or reference field for a semi join: " + left.name}
	}
	sub, err := p.plan(e.Sub)
	if err != nil {
		return nil, err
	}
	get, f, err := p.resolve(sub.object, e.Sub.Fields[0])
	if err != nil {
		return nil, err
	}
	if f.typ != idType {
		return nil, &apiError{status: 400, code: "INVALID_FIELD", message: p.excerpt(e.Sub.Fields[0].Pos) + "The selected field in the subquery must be an id or reference field: " + f.name}
	}
	set := map[string]struct{}{}
	for _, r := range p.run(sub) {
		if v := get(r); !v.null {
			set[v.key] = struct{}{}
		}
	}
	return set, nil
}

func (p *planner) compare(o *object, e *soql.Compare) (func(*row) bool, *apiError) {
	get, f, err := p.resolve(o, e.Left)
	if err != nil {
		return nil, err
	}
	want, err := p.literal(f, e.Left, e.Right)
	if err != nil {
		return nil, err
	}
	if e.Op == soql.Like {
		if f.typ != textType {
			return nil, &apiError{status: 400, code: "INVALID_QUERY_FILTER_OPERATOR", message: p.excerpt(e.Left.Pos) + "invalid operator on field " + f.name}
		}
		pattern := soql.CompileLike(e.Right.Text)
		return func(r *row) bool { v := get(r); return !v.null && pattern.Match(v.key) }, nil
	}
	typ := f.typ
	switch e.Op {
	case soql.Equal, soql.NotEqual:
		same := e.Op == soql.Equal
		return func(r *row) bool {
			v := get(r)
			if v.null || want.null {
				return (v.null == want.null) == same
			}
			return (compareValues(typ, v, &want) == 0) == same
		}, nil
	}
	if typ == boolType || typ == idType {
		return nil, &apiError{status: 400, code: "INVALID_QUERY_FILTER_OPERATOR", message: p.excerpt(e.Left.Pos) + "invalid operator on field " + f.name}
	}
	op := e.Op
	return func(r *row) bool {
		v := get(r)
		if v.null || want.null {
			return false
		}
		c := compareValues(typ, v, &want)
		switch op {
		case soql.Less:
			return c < 0
		case soql.LessEqual:
			return c <= 0
		case soql.Greater:
			return c > 0
		default:
			return c >= 0
		}
	}, nil
}

func compareValues(t fieldType, a, b *value) int {
	switch t {
	case boolType:
		switch {
		case a.yes == b.yes:
			return 0
		case b.yes:
			return -1
		default:
			return 1
		}
	case dateType, timeType:
		return a.at.Compare(b.at)
	case numberType:
		switch {
		case a.number < b.number:
			return -1
		case a.number > b.number:
			return 1
		}
		return 0
	default:
		return strings.Compare(a.key, b.key)
	}
}
