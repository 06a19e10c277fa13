package worker

import "strings"

// NotRestrictable returns the error of a restriction that a system has no flag for, and
// names the purposes that go on; nil where there are none. A person must see to them.
func NotRestrictable(purposes []string, lift bool) error {
	switch {
	case len(purposes) == 0:
		return nil
	case lift:
		return Permanent("not-restrictable", "nothing in the manifest stops the use of data for "+strings.Join(purposes, ", ")+": what was done by hand must be undone by hand", nil)
	default:
		return Permanent("not-restrictable", "nothing in the manifest stops the use of data for "+strings.Join(purposes, ", ")+": do it by hand, or add a flag to restrict:", nil)
	}
}
