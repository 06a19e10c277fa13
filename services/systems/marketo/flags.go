package marketo

import (
	"maps"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vendorapi"
)

// What a restriction leaves in the marker's field of a lead, behind what the
// field held: the flags that it set, by right, as in
// [restricted on request: objection=unsubscribed restriction=unsubscribed,doNotCall].
// It is in Marketo, so that any process, any year, knows what to undo.
const (
	markBegin = "[restricted on request: "
	markEnd   = "]"
)

// leadFlags is a lead's flags, and who set them.
type leadFlags struct {
	was   map[string]bool // as the lead has them
	is    map[string]bool
	text  string // the marker's, without the mark
	marks map[dsar.Right][]string
	begun string // the marker's whole text before
}

func readFlags(f *fields, marker string) *leadFlags {
	l := &leadFlags{was: map[string]bool{}, marks: map[dsar.Right][]string{}, begun: vendorapi.Text(f.get(marker))}
	for name, i := range f.at {
		l.was[name] = string(f.values[i]) == "true"
	}
	l.is = maps.Clone(l.was)
	before, mark, found := strings.Cut(l.begun, markBegin)
	names, after, whole := strings.Cut(mark, markEnd)
	if !found || !whole {
		l.text = l.begun
		return l
	}
	l.text = strings.TrimSuffix(before, " ") + after
	for _, entry := range strings.Fields(names) {
		if right, flags, ok := strings.Cut(entry, "="); ok {
			l.marks[dsar.Right(right)] = strings.Split(flags, ",")
		}
	}
	return l
}

// ours reports whether a restriction set a flag.
func (l *leadFlags) ours(flag string) bool {
	for _, flags := range l.marks {
		if slices.Contains(flags, flag) {
			return true
		}
	}
	return false
}

func (l *leadFlags) restrict(right dsar.Right, flags []string) {
	for _, f := range flags {
		if l.is[f] && !l.ours(f) { // by somebody else, whose it stays
			continue
		}
		l.is[f] = true
		if !slices.Contains(l.marks[right], f) {
			l.marks[right] = append(l.marks[right], f)
		}
	}
}

func (l *leadFlags) lift(right dsar.Right) {
	flags := l.marks[right]
	delete(l.marks, right)
	for _, f := range flags {
		if _, known := l.was[f]; known && !l.ours(f) {
			l.is[f] = false
		}
	}
}

// changes returns the fields that differ from what the lead has.
func (l *leadFlags) changes(marker string) map[string]any {
	out := map[string]any{}
	for f, is := range l.is {
		if is != l.was[f] {
			out[f] = is
		}
	}
	var entries []string
	for _, right := range slices.Sorted(maps.Keys(l.marks)) {
		if flags := l.marks[right]; len(flags) > 0 {
			entries = append(entries, string(right)+"="+strings.Join(flags, ","))
		}
	}
	text := l.text
	if entries != nil {
		if text != "" {
			text += " "
		}
		text += markBegin + strings.Join(entries, " ") + markEnd
	}
	switch {
	case text == l.begun:
	case text == "":
		out[marker] = nil
	default:
		out[marker] = text
	}
	return out
}
