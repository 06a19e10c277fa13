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

// visible tells whether a query sees a row: /query sees what isn't deleted,
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

// restricted is what Salesforce wants of a query for its own reasons.
func restricted(q *soql.Query) *apiError {
	if strings.EqualFold(q.From, "ContentDocumentLink") && !byLink(q.Where) {
		return &apiError{status: 400, code: "MALFORMED_QUERY", message: "Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId or LinkedEntityId using the equals operator or multiple Id's using the IN operator."}
	}
	return nil
}

// byLink tells whether a condition narrows ContentDocumentLink as Salesforce
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

// key makes a value comparable in a set.
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

// narrow returns the rows that can meet a condition, where an index tells them;
// there may be too many, never too few.
func (p *planner) narrow(o *object, e soql.Expr) ([]*row, bool) {
	switch e := e.(type) {
	case *soql.And:
		for _, t := range e.Terms {
			if rows, ok := p.narrow(o, t); ok {
				return rows, true
			}
		}
	case *soql.Or:
		var all []*row
		for _, t := range e.Terms {
			rows, ok := p.narrow(o, t)
			if !ok {
				return nil, false
			}
			all = append(all, rows...)
		}
		return all, true
	case *soql.In:
		if !e.Not && e.Sub == nil {
			return p.find(o, e.Left, e.Values)
		}
	case *soql.Compare:
		if e.Op == soql.Equal {
			return p.find(o, e.Left, []soql.Value{e.Right})
		}
	}
	return nil, false
}

// find looks literals up in the index at the end of a path, and follows the
// path back.
func (p *planner) find(o *object, path soql.Path, values []soql.Value) ([]*row, bool) {
	if len(path.Parts) > 1 {
		n, target, err := p.hop(o, path, path.Parts[0])
		if err != nil || o.index[n] == nil {
			return nil, false
		}
		parents, ok := p.find(target, soql.Path{Parts: path.Parts[1:]}, values)
		if !ok {
			return nil, false
		}
		var rows []*row
		for _, parent := range parents {
			rows = append(rows, o.index[n][parent.id[:15]]...)
		}
		return rows, true
	}
	n, ok := o.field(path.Parts[0])
	if !ok {
		return nil, false
	}
	isKey := o.fields[n].name == "Id"
	if !isKey && o.index[n] == nil {
		return nil, false
	}
	var rows []*row
	for _, v := range values {
		if v.Kind != soql.String || v.Text == "" {
			return nil, false
		}
		key := fold(v.Text)
		if o.fields[n].typ == idType {
			key = v.Text[:15] // its form was checked with the condition
		}
		if isKey {
			if r := p.store.byID[key]; r != nil && r.object == o {
				rows = append(rows, r)
			}
			continue
		}
		rows = append(rows, o.index[n][key]...)
	}
	return rows, true
}

// run returns the rows that a plan selects, in order.
func (p *planner) run(pl *plan) []*row {
	rows := pl.object.rows
	if pl.candidates != nil {
		if few, ok := pl.candidates(); ok {
			slices.SortFunc(few, func(a, b *row) int { return a.seq - b.seq })
			rows = slices.Compact(few)
		}
	}
	out := make([]*row, 0, min(len(rows), 64))
	for _, r := range rows {
		if p.visible(r) && (pl.where == nil || pl.where(r)) {
			out = append(out, r)
		}
	}
	if len(pl.order) > 0 {
		slices.SortStableFunc(out, pl.less)
	}
	if pl.groups != nil {
		return out // limited by group
	}
	if pl.offset > 0 {
		out = out[min(pl.offset, len(out)):]
	}
	if pl.limit >= 0 && pl.limit < len(out) {
		out = out[:pl.limit]
	}
	return out
}

func (pl *plan) less(a, b *row) int {
	for _, k := range pl.order {
		x, y := k.get(a), k.get(b)
		if x.null || y.null {
			if x.null == y.null {
				continue
			}
			if x.null != k.nullsLast {
				return -1
			}
			return 1
		}
		if c := compareValues(k.typ, x, y); c != 0 {
			if k.descending {
				return -c
			}
			return c
		}
	}
	return 0
}

// appendRow writes a row as the answer shows it.
func (s *store) appendRow(b []byte, version string, o *object, columns []*column, r *row) []byte {
	b = append(b, `{"attributes":{"type":"`...)
	b = append(b, o.name...)
	b = append(b, `","url":"/services/data/`...)
	b = append(b, version...)
	b = append(b, "/sobjects/"...)
	b = append(b, o.name...)
	b = append(b, '/')
	b = append(b, r.id...)
	b = append(b, `"}`...)
	for _, c := range columns {
		b = append(b, ',')
		b = append(b, c.key...)
		if c.child != nil {
			b = c.child.append(b, s, version, r)
			continue
		}
		v := &r.values[c.field]
		if c.target == nil && o.fields[c.field].typ == blobType && !v.null {
			b = append(b, `"/services/data/`+version+`/sobjects/`+o.name+`/`+r.id+`/`+o.fields[c.field].name+`"`...)
			continue
		}
		if c.target == nil {
			b = append(b, v.encoded...)
			continue
		}
		parent := s.byID[v.key]
		if v.null || parent == nil || parent.purged {
			b = append(b, "null"...)
			continue
		}
		b = s.appendRow(b, version, c.target, c.below, parent)
	}
	return append(b, '}')
}
