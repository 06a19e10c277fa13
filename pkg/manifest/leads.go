package manifest

import (
	"maps"
	"slices"

	"habeas.dev/pkg/dsar"
)

// LeadsBy returns the types of identifiers by which people are found by what a column of a
// dataset holds: a correction of it changes who is led to the person's records. Under sql: they
// are those of the ways and of resolve that end at the column; of a system with a worker of its
// own, what the column's concept says, where the system is asked by it.
func (m *Manifest) LeadsBy(d *Dataset, column string) []dsar.IdentifierType {
	if d.SQL == nil || m.SQL == nil {
		return m.MeantBy(d, column)
	}
	own := ParseSource(d.SQL.Source(column))
	if own.Table != "" {
		return nil
	}
	found := map[dsar.IdentifierType]bool{}
	look := func(table string, via []Via, subject map[dsar.IdentifierType]string) {
		for t, text := range subject {
			source, at := ParseSource(text), table
			if i := slices.IndexFunc(via, func(v Via) bool { return v.Name() == source.Table }); i >= 0 {
				at = via[i].Table
			}
			if at == d.SQL.Table && source.Column == own.Column {
				found[t] = true
			}
		}
	}
	for i := range m.Datasets {
		if s := m.Datasets[i].SQL; s != nil {
			for _, w := range s.AllWays() {
				look(s.Table, w.Via, w.Subject)
			}
		}
	}
	for _, r := range m.SQL.Resolve {
		look(r.Table, r.Via, r.By)
		look(r.Table, nil, map[dsar.IdentifierType]string{r.Find: r.Column})
	}
	return slices.Sorted(maps.Keys(found))
}

// MeantBy returns the type of identifier that a column of a dataset means by its concept, where
// the system is asked by such.
func (m *Manifest) MeantBy(d *Dataset, column string) []dsar.IdentifierType {
	c := d.Column(column)
	if c == nil {
		return nil
	}
	t := map[string]dsar.IdentifierType{"contact.email": "email", "contact.phone": "phone"}[c.Concept]
	if !slices.Contains(m.Needs, t) {
		return nil
	}
	return []dsar.IdentifierType{t}
}
