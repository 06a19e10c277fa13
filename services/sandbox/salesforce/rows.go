package salesforce

import (
	"slices"

	"habeas.dev/services/sandbox/soql"
)

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
