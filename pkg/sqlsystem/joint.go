package sqlsystem

import (
	"context"
	"fmt"
	"slices"

	"habeas.dev/pkg/manifest"
)

// joint reports whether a row may lead to several people by joins, the last to the table with the
// column that says whose it is: they lead to several rows, and those either lead on, as
// members to users, or aren't of one person each, as what a unique index on the column keeps. Of
// a table of keys and values, those of one key are taken for one.
func (c *compiler) joint(joins []join, column string) bool {
	several := slices.IndexFunc(joins, func(j join) bool { return !j.one && !j.pinned })
	if several < 0 {
		return false
	}
	last := len(joins) - 1
	return several < last || !c.seen[joins[last].far].tells([]string{column})
}

// Joint looks for datasets whose rows may be several people's, and that are erased with the first
// who asks though the manifest says of no way that this is meant. It asks nothing of the
// database.
func (s *System) Joint(context.Context) ([]Advice, error) {
	var out []Advice
	for i, d := range s.datasets {
		path := fmt.Sprintf("datasets[%d].sql", i)
		if len(d.uses) > 0 {
			continue
		}
		if l := d.jointWay(path); l != nil {
			out = append(out, Advice{Where: s.m.At(path), What: fmt.Sprintf("dataset %s: a row may be several people's, to whom it leads over rows of others, and it is erased with the first of them", d.Name),
				Cure: "where it is to stay while others have it, add unless_shared; where each row there is one person's, add a unique index on what says whose; else say in a way of its own (ways) what becomes of it, with erase: or set:"})
			continue
		}
		if column := d.secondPerson(); column != "" {
			out = append(out, Advice{Where: s.m.At(path), What: fmt.Sprintf("dataset %s: a row may be two people's, one of whom the column %s names, and it is erased with either", d.Name, column),
				Cure: "say in that way what becomes of it: set: {" + column + ": null}, erase: keep with a why, or erase: delete where that is meant"})
		}
	}
	return out, nil
}

// jointWay returns a way by which a row may be several people's and which erases it, though it
// says nothing of that itself, but what the dataset does; nil where there is none. What
// only takes the person out of a list in the row erases nobody else's.
func (d *dataset) jointWay(path string) *lookup {
	for _, l := range d.lookups {
		if l.joint && l.erasePath == path && (l.deletes || d.overwrites(l)) {
			return l
		}
	}
	return nil
}

// overwrites reports whether a way sets more than that the person is in a list no more.
func (d *dataset) overwrites(l *lookup) bool {
	for name := range l.sets {
		if !manifest.ParseSource(name).Each {
			return true
		}
	}
	return false
}

// secondPerson returns a column by which another way than the first finds people by identifiers
// of the same type as one before it, in the dataset's own table, and deletes the row though it
// says nothing of that itself; empty where there is none. A row whose key names both says no
// more than that they know each other, and is nothing without either.
func (d *dataset) secondPerson() string {
	ways := d.SQL.AllWays()
	own := len(ways) - len(d.SQL.Ways)
	for i, w := range ways {
		if i == 0 || w.Erase != manifest.EraseDelete || d.SQL.Ways[i-own].Erase != "" {
			continue
		}
		for t, column := range w.Subject {
			for _, before := range ways[:i] {
				if source := manifest.ParseSource(column); source.Table == "" && before.Subject[t] != "" && before.Subject[t] != column && !(has(d.SQL.Key, column) && has(d.SQL.Key, before.Subject[t])) {
					return source.Column
				}
			}
		}
	}
	return ""
}
