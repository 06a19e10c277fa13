package sqlsystem

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
)

// act is what an erasure does with a row, by the ways that lead to it. Where it neither
// deletes nor sets anything, the manifest has the row kept.
type act struct {
	deletes bool
	sets    ways // else, those of which the values are set
}

// keeps reports whether the manifest has the row kept.
func (a act) keeps() bool { return !a.deletes && a.sets == 0 }

// met reports whether a row is as the act makes it, of which some ways' values are set.
func (a act) met(set ways) bool { return !a.deletes && a.sets != 0 && a.sets&^set == 0 }

// act returns what becomes of a row that some ways lead to, or led when it was planned: it
// is deleted where one of them deletes it, else all of them set their values; one that
// keeps it has no say.
func (d *dataset) act(found ways) act {
	for _, l := range d.lookups {
		if l.in(found) && l.deletes {
			return act{deletes: true}
		}
	}
	return act{sets: d.setters(found)}
}

// setters returns those of some ways that set values, of several that set the same the
// first.
func (d *dataset) setters(of ways) (set ways) {
	for _, l := range d.lookups {
		if l.in(of) && l.sets != nil {
			first := slices.IndexFunc(d.lookups, func(o *lookup) bool { return o.sets != nil && o.erasePath == l.erasePath })
			set |= 1 << first
		}
	}
	return set
}

// differ reports whether it matters to what becomes of a row which ways lead to it.
func (d *dataset) differ() bool {
	return slices.ContainsFunc(d.lookups, func(l *lookup) bool {
		return d.act(1<<l.number) != d.act(1<<d.lookups[0].number)
	})
}

// wayNames returns what a plan calls ways; nothing, where they don't matter.
func (d *dataset) wayNames(of ways) string {
	if !d.differ() {
		return ""
	}
	var names []string
	for _, l := range d.lookups {
		if l.in(of) {
			names = append(names, l.name)
		}
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " ")
}

// waysNamed returns the ways that a plan names, and whether the manifest has them still: all
// ways, where they don't matter.
func (d *dataset) waysNamed(names string) (found ways, known bool) {
	if !d.differ() {
		return ^ways(0), true
	}
	for name := range strings.FieldsSeq(names) {
		var of ways // several, where they look at the same
		for _, l := range d.lookups {
			if l.name == name {
				of |= 1 << l.number
			}
		}
		if of == 0 {
			return 0, false
		}
		found |= of
	}
	return found, found != 0
}

// nameWays gives the ways names by which a plan knows them when the manifest has others
// beside them, or in another order: of what they look at, in which nothing tells their place
// (TestWaysKeepTheirNames).
func (d *dataset) nameWays() {
	for _, l := range d.lookups {
		of := []string{l.where}
		of = append(of, l.joins...)
		for _, s := range d.subjects {
			if s.lookup == l {
				of = append(of, string(s.typ)+" "+s.expr)
			}
		}
		sum := sha256.Sum256([]byte(strings.Join(of, "\n")))
		l.name = hex.EncodeToString(sum[:wayNameBytes])
	}
}

// wayNameBytes is enough to tell the ways of one dataset from each other.
const wayNameBytes = 4

// values returns what an act sets, by column.
func (d *dataset) values(how act) map[string]any {
	out := map[string]any{}
	for _, l := range d.lookups {
		if l.in(how.sets) {
			maps.Copy(out, l.sets)
		}
	}
	return out
}

func (a act) compare(b act) int {
	switch {
	case a.deletes && !b.deletes:
		return -1
	case b.deletes && !a.deletes:
		return 1
	default:
		return cmp.Compare(a.sets, b.sets)
	}
}
