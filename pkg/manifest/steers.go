package manifest

import (
	"maps"
	"slices"
)

// steers says what a column of a dataset's table decides besides what it says: what it is that
// rows stay or go by, which file is a row's, or what of it is shown. Empty: nothing. Whoever has
// such a column corrected would have another's file, or what must stay erased.
func (m *Manifest) steers(d *Dataset, column string) string {
	own := ParseSource(d.SQL.Source(column))
	for i := range m.Datasets {
		other := &m.Datasets[i]
		if other.SQL == nil {
			continue
		}
		is := func(name string) bool {
			at := ParseSource(other.SQL.Source(name))
			table := other.SQL.Table
			if at.Table != "" {
				table = other.SQL.joined(at.Table)
			}
			return name != "" && table == d.SQL.Table && at.Column == own.Column
		}
		ofTable := func(name string) bool { return other.SQL.Table == d.SQL.Table && name == own.Column }
		switch {
		case slices.ContainsFunc(other.Retention, func(r Retention) bool { return is(r.Column) }):
			return "how long rows of " + other.Name + " must stay"
		case other.Stored != nil && is(other.Stored.From):
			return "how long rows of " + other.Name + " are kept"
		case other.SQL.Files != nil && slices.ContainsFunc(other.SQL.Files.Columns(), ofTable):
			return "which files are those of rows of " + other.Name
		case slices.ContainsFunc(other.Others, func(o Others) bool {
			return slices.ContainsFunc(slices.Collect(maps.Keys(o.When)), is) || slices.ContainsFunc(slices.Collect(maps.Values(o.Unless)), is)
		}):
			return "what of rows of " + other.Name + " is shown to whom"
		}
	}
	return ""
}

// joined returns the table that a name in sources means; the name itself where no way says
// otherwise.
func (s *DatasetSQL) joined(name string) string {
	for _, w := range s.AllWays() {
		if i := slices.IndexFunc(w.Via, func(v Via) bool { return v.Name() == name }); i >= 0 {
			return w.Via[i].Table
		}
	}
	return name
}
