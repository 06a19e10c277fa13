package salesforce

import (
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// withoutLeft leaves out the subjects whose a record may not be, though something led to it, and
// notes of each that it is left: it says itself that it is somebody else's.
func (g *group) withoutLeft(n int, o *object, f *fields, of []*subject) []*subject {
	return slices.DeleteFunc(slices.Clone(of), func(s *subject) bool {
		switch {
		case g.named(o, f, s):
			return false
		case s.found(o, f).IsAnothers():
			s.left[n] = true
		default:
			return false
		}
		return true
	})
}

// named reports whether a record refers to one of a subject's, or is named by one: whose it is
// follows from whose that is.
func (g *group) named(o *object, f *fields, s *subject) bool {
	return slices.ContainsFunc(o.of, func(ref reference) bool {
		id := f.get(ref.field)
		return !isNull(id) && slices.Contains(g.byID[vendorapi.Text(id)], s)
	})
}

// found says what a record holds of the types that a subject is known by.
func (s *subject) found(o *object, f *fields) worker.Matches {
	held := worker.Matches{}
	for typ, names := range o.By {
		for _, name := range names {
			if value := vendorapi.Text(f.get(name)); value != "" && len(s.known[typ]) > 0 {
				held[typ] = held[typ] || s.knows(typ, name, value)
			}
		}
	}
	return held
}

// tellLeft names to whoever asks what was left of a subject and isn't named already.
func (w *Worker) tellLeft(s *subject, gaps map[int]string, tell func(dataset, why string, cause dsar.Cause)) {
	for n := range s.left {
		if o := &w.objects[n]; gaps[n] == "" {
			tell(o.dataset, worker.FoundAnothers, dsar.Cause{Dataset: o.dataset, Object: o.Object})
		}
	}
}
