package manifest

import (
	"fmt"
	"maps"
	"slices"
)

// unasked finds what a dataset's unless_shared doesn't ask by though a way does: a row that the table
// refers to by that column would go while somebody else's refers to it.
func (l *linter) unasked(path string, d *Dataset) {
	l.rule = "unless-shared"
	if d.SQL == nil || len(d.SQL.UnlessShared) == 0 {
		return
	}
	for _, via := range d.SQL.Joined() {
		if via.From != "" && via.From != d.SQL.Table {
			continue
		}
		for _, near := range slices.Sorted(maps.Keys(via.On)) {
			far := via.On[near]
			refers := slices.ContainsFunc(d.SQL.UnlessShared, func(s Shared) bool {
				return s.Table == via.Table && slices.Contains(slices.Collect(maps.Values(s.On)), near)
			})
			asked := slices.ContainsFunc(d.SQL.UnlessShared, func(s Shared) bool { return s.Table == via.Table && s.On[far] == near })
			if !refers || asked {
				continue
			}
			l.fail(path+".sql.unless_shared", fmt.Sprintf("dataset %s: a way leads to it by %s of %s, and unless_shared doesn't ask by that: a row that somebody else's %s refers to so would be erased", d.Name, far, via.Table, via.Table),
				fmt.Sprintf("add {table: %s, on: {%s: %s}} to unless_shared", via.Table, far, near))
		}
	}
}

// movedBy finds what an erasure sets and another dataset of the table tells its rows by: the row
// would be the person's there, and not anonymous.
func (l *linter) movedBy(path string, d *Dataset) {
	l.rule = "set-moves"
	if d.SQL == nil {
		return
	}
	for _, w := range d.SQL.AllWays() {
		for _, column := range slices.Sorted(maps.Keys(w.Anonymise)) {
			for i := range l.m.Datasets {
				o := &l.m.Datasets[i]
				if o == d || o.SQL == nil || o.SQL.Table != d.SQL.Table {
					continue
				}
				if _, is := o.SQL.Where[column]; is {
					l.fail(path+".sql", fmt.Sprintf("dataset %s: an erasure sets %s, by which rows are those of %s: what is made anonymous here may be found there as the person's", d.Name, column, o.Name), "leave "+column+" as it is, or set what leads to the person in both")
				}
			}
		}
	}
}
