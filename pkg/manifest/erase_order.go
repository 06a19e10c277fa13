package manifest

import (
	"maps"
	"slices"
)

// EraseOrder returns the order in which the datasets of a system under SQL are
// erased: first those that others say to come after, and those whose rows are found
// through others. Where after goes round in a circle, it returns the names on the circle;
// where ways do, what is found through a table doesn't come before all of that: an erasure
// goes by its plan's keys.
func (m *Manifest) EraseOrder() (order, circle []string) {
	before := map[string][]string{} // by dataset: those that are erased before it
	names := make([]string, len(m.Datasets))
	for i := range m.Datasets {
		names[i] = m.Datasets[i].Name
		if s := m.Datasets[i].SQL; s != nil {
			before[names[i]] = append(before[names[i]], s.After...)
		}
	}
	next := func(name string) []string { return before[name] }
	if c := cycleOf(names, next); c != nil {
		return nil, c
	}
	for i := range m.Datasets {
		d := &m.Datasets[i]
		if d.SQL == nil {
			continue
		}
		for _, table := range d.through() {
			for j := range m.Datasets {
				p := &m.Datasets[j]
				if p == d || p.SQL == nil || p.SQL.Table != table || p.SQL.Table == d.SQL.Table {
					continue
				}
				had := before[p.Name]
				before[p.Name] = append(slices.Clip(had), d.Name)
				if cycleOf(names, next) != nil {
					before[p.Name] = had
				}
			}
		}
	}
	var visit func(string)
	visit = func(name string) {
		if slices.Contains(order, name) {
			return
		}
		for _, b := range before[name] {
			visit(b)
		}
		order = append(order, name)
	}
	for _, name := range names {
		visit(name)
	}
	return order, nil
}

// through returns the tables that lead to a dataset's rows, or to how long they must stay.
func (d *Dataset) through() []string {
	var out []string
	far := func(source string) bool { return ParseSource(source).Table != "" }
	led := slices.ContainsFunc(slices.Collect(maps.Values(d.SQL.Subject)), far) ||
		slices.ContainsFunc(d.Retention, func(r Retention) bool { return far(d.SQL.Source(r.Column)) })
	if led {
		for _, v := range d.SQL.Via {
			out = append(out, v.Table)
		}
	}
	for _, w := range d.SQL.Ways {
		for _, v := range w.Via {
			out = append(out, v.Table)
		}
	}
	return out
}
