package sqlsystem

import (
	"cmp"
	"maps"
	"slices"
)

// act is what an erasure does with a row, by the ways that lead to it. Where it neither
// deletes nor sets anything, the manifest has the row kept.
type act struct {
	deletes bool
	sets    ways // else, those of which the values are set
	each    bool // a row is as it should be that has the values of one of them
}

// keeps reports whether the manifest has the row kept.
func (a act) keeps() bool { return !a.deletes && a.sets == 0 }

// act returns what becomes of a row that some ways lead to: it is deleted where one of
// them deletes it, else all of them set their values; one that keeps it has no say. A row that none leads to any more
// was led to through other tables, whose rows are gone: of what those ways would do with
// it, the lesser is done.
func (d *dataset) act(found ways) act {
	if found == 0 {
		found = d.led()
		if sets := d.setters(found); sets != 0 {
			return act{sets: sets}
		}
	}
	for _, l := range d.lookups {
		if l.in(found) && l.deletes {
			return act{deletes: true}
		}
	}
	return act{sets: d.setters(found)}
}

// anyAct returns the act that makes a row as any of the ways would.
func (d *dataset) anyAct() act { return act{sets: d.setters(^ways(0)), each: true} }

// led returns the ways that lead through other tables, or all where none does.
func (d *dataset) led() (led ways) {
	for _, l := range d.lookups {
		if len(l.joins) > 0 {
			led |= 1 << l.number
		}
	}
	if led == 0 {
		return ^led
	}
	return led
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
