package manifest

import "slices"

// Flags returns the flags of a dataset that end some purposes, and nothing else: one is
// set only where all that it stops is to end. No purposes means that all use is to end:
// then those flags that stop everything are set, or, where there are none, all of them.
func Flags(all []SQLRestrict, end []string) []SQLRestrict {
	var whole, part []SQLRestrict
	for _, f := range all {
		if len(f.Stops) == 0 {
			whole = append(whole, f)
		} else if len(end) == 0 || subset(f.Stops, end) {
			part = append(part, f)
		}
	}
	if len(end) == 0 && len(whole) > 0 {
		return whole
	}
	return part
}

// Locks returns the flags of a dataset that end all use of its data.
func Locks(all []SQLRestrict) []SQLRestrict {
	return slices.DeleteFunc(slices.Clone(all), func(f SQLRestrict) bool { return len(f.Stops) > 0 })
}

// Unstopped returns those of the purposes that are to end for which the system uses
// data, and that none of some flags stops. No purposes means that all use is to end. Of a
// person, the flags MUST be those of records that they have: one in a dataset that holds
// nothing of theirs stops nothing.
func (m *Manifest) Unstopped(flags []SQLRestrict, end []string) []string {
	if slices.ContainsFunc(flags, func(f SQLRestrict) bool { return len(f.Stops) == 0 }) {
		return nil
	}
	var left []string
	for _, id := range m.UsedFor().IDs() {
		stopped := slices.ContainsFunc(flags, func(f SQLRestrict) bool { return slices.Contains(f.Stops, id) })
		if !stopped && (len(end) == 0 || slices.Contains(end, id)) {
			left = append(left, id)
		}
	}
	return left
}

func subset(some, all []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}
