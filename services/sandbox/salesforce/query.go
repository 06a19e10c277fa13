package salesforce

import (
	"slices"
	"strings"
	"time"

	"habeas.dev/services/sandbox/soql"
)

// plan is a query that was checked against the schema: ready to run.
type plan struct {
	object     *object
	count      bool
	columns    []*column
	where      func(*row) bool
	candidates func() ([]*row, bool)
	order      []sortKey
	limit      int
	offset     int
	groups     *grouping // of an aggregate query
}

// column is a node of the answer: a field, or a relationship with fields below.
type column struct {
	key    []byte // `"Name":`
	field  int
	below  []*column // of the relationship
	target *object
	child  *children // a sub-select's
}

type sortKey struct {
	get        func(*row) *value
	typ        fieldType
	descending bool
	nullsLast  bool
}

// planner compiles one query. It holds the store's read lock.
type planner struct {
	store *store
	src   string
	all   bool
	now   time.Time
	// settle is how long deletions aren't seen.
	settle time.Duration
	semi   int
}

// visible reports whether a query sees a row: /query sees what isn't deleted,
// /queryAll also what is in the recycle bin.
func (p *planner) visible(r *row) bool {
	switch {
	case r.purged:
		return p.now.Sub(r.purgedAt) < p.settle
	case r.deletedAt.IsZero(), p.now.Sub(r.deletedAt) < p.settle:
		return true
	default:
		return p.all && p.now.Sub(r.deletedAt) < BinDays*24*time.Hour
	}
}

func (p *planner) plan(q *soql.Query) (*plan, *apiError) {
	o := p.store.object(q.From)
	if o == nil {
		return nil, &apiError{status: 400, code: "INVALID_TYPE", message: p.excerpt(strings.Index(p.src, q.From)) + "sObject type '" + q.From + "' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."}
	}
	out := &plan{object: o, count: q.Count, limit: q.Limit, offset: q.Offset}
	for _, path := range q.Fields {
		if err := p.column(out, o, path); err != nil {
			return nil, err
		}
	}
	for _, c := range q.Children {
		if err := p.child(out, o, c); err != nil {
			return nil, err
		}
	}
	if len(q.Aggregates)+len(q.Groups) > 0 {
		var err *apiError
		if out.groups, err = p.grouping(o, q); err != nil {
			return nil, err
		}
	}
	if q.Where != nil {
		var err *apiError
		if out.where, err = p.condition(o, q.Where); err != nil {
			return nil, err
		}
		out.candidates = func() ([]*row, bool) { return p.narrow(o, q.Where) }
	}
	for _, key := range q.Order {
		get, f, err := p.resolve(o, key.By)
		if err != nil {
			return nil, err
		}
		out.order = append(out.order, sortKey{get, f.typ, key.Descending, key.NullsLast})
	}
	return out, nil
}

// restricted returns what Salesforce wants of a query for its own reasons.
func restricted(q *soql.Query) *apiError {
	if strings.EqualFold(q.From, "ContentDocumentLink") && !byLink(q.Where) {
		return &apiError{status: 400, code: "MALFORMED_QUERY", message: "Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId or LinkedEntityId using the equals operator or multiple Id's using the IN operator."}
	}
	return nil
}

// byLink reports whether a condition narrows ContentDocumentLink as Salesforce
// wants it.
func byLink(e soql.Expr) bool {
	ends := func(p soql.Path) bool {
		return len(p.Parts) == 1 && (strings.EqualFold(p.Parts[0], "ContentDocumentId") || strings.EqualFold(p.Parts[0], "LinkedEntityId"))
	}
	switch e := e.(type) {
	case *soql.And:
		return slices.ContainsFunc(e.Terms, byLink)
	case *soql.In:
		return !e.Not && ends(e.Left)
	case *soql.Compare:
		return e.Op == soql.Equal && ends(e.Left)
	}
	return false
}

// excerpt quotes the query around an error, as Salesforce does.
func (p *planner) excerpt(pos int) string {
	if pos < 0 || pos > len(p.src) {
		pos = 0
	}
	from, to := max(0, pos-30), min(len(p.src), pos+30)
	text := strings.ToValidUTF8(p.src[from:to], "")
	return "\n" + text + "\n" + strings.Repeat(" ", max(0, pos-from)) + "^\nERROR at Row:1:Column:" + itoa(pos+1) + "\n"
}

func (p *planner) noField(o *object, path soql.Path, name string) *apiError {
	return &apiError{status: 400, code: "INVALID_FIELD", message: p.excerpt(path.Pos) + "No such column '" + name + "' on entity '" + o.name + "'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."}
}

// hop follows one relationship.
func (p *planner) hop(o *object, path soql.Path, relation string) (int, *object, *apiError) {
	for i, f := range o.fields {
		if f.relation != "" && strings.EqualFold(f.relation, relation) {
			if t := p.store.object(f.target); t != nil {
				return i, t, nil
			}
		}
	}
	return 0, nil, &apiError{status: 400, code: "INVALID_FIELD", message: p.excerpt(path.Pos) + "Didn't understand relationship '" + relation + "' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names."}
}

func (p *planner) column(out *plan, o *object, path soql.Path) *apiError {
	list := &out.columns
	for _, part := range path.Parts[:len(path.Parts)-1] {
		n, target, err := p.hop(o, path, part)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(*list, func(c *column) bool { return c.target != nil && c.field == n })
		if i < 0 {
			*list = append(*list, &column{key: []byte(`"` + o.fields[n].relation + `":`), field: n, target: target})
			i = len(*list) - 1
		}
		o, list = target, &(*list)[i].below
	}
	name := path.Parts[len(path.Parts)-1]
	n, ok := o.field(name)
	if !ok {
		return p.noField(o, path, name)
	}
	for _, c := range *list {
		if c.target == nil && c.field == n {
			return &apiError{status: 400, code: "INVALID_FIELD", message: "duplicate field selected: " + path.String()}
		}
	}
	*list = append(*list, &column{key: []byte(`"` + o.fields[n].name + `":`), field: n})
	return nil
}

// resolve returns what reads a path from a row, and the field at its end.
func (p *planner) resolve(o *object, path soql.Path) (func(*row) *value, field, *apiError) {
	var hops []int
	for _, part := range path.Parts[:len(path.Parts)-1] {
		n, target, err := p.hop(o, path, part)
		if err != nil {
			return nil, field{}, err
		}
		hops = append(hops, n)
		o = target
	}
	name := path.Parts[len(path.Parts)-1]
	n, ok := o.field(name)
	if !ok {
		return nil, field{}, p.noField(o, path, name)
	}
	byID := p.store.byID
	if len(hops) == 0 {
		return func(r *row) *value { return &r.values[n] }, o.fields[n], nil
	}
	absent := &value{null: true, encoded: []byte("null")}
	return func(r *row) *value {
		for _, h := range hops {
			next := byID[r.values[h].key]
			if r.values[h].null || next == nil || next.purged {
				return absent
			}
			r = next
		}
		return &r.values[n]
	}, o.fields[n], nil
}
