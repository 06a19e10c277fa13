package worker

import (
	"slices"
	"strings"

	"habeas.dev/pkg/manifest"
)

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

// CanRestrict returns why a restriction can't be begun, or lifted, with the flags that a
// system has for the task's purposes; nil where it can. What they leave unstopped is said
// once they are set ([NotRestrictable]).
func CanRestrict(m *manifest.Manifest, flags []manifest.SQLRestrict, t Task) error {
	if len(flags) == 0 {
		return NotRestrictable(m.Unstopped(nil, t.Purposes), t.Lift)
	}
	return CanLift(flags, t)
}

// CanLift returns why a task that lifts a restriction can't with some flags: of one the
// value isn't known with which processing goes on. It is nil of any other task.
func CanLift(flags []manifest.SQLRestrict, t Task) error {
	if t.Lift && slices.ContainsFunc(flags, func(r manifest.SQLRestrict) bool { return r.Lift() == nil }) {
		return Permanent("no-lift", "the manifest doesn't say which value goes on with processing: undo it by hand, or add lifted:", nil)
	}
	return nil
}
