package training

import (
	"maps"
	"slices"
)

// act does one action for one task, and says its lines.
type act func(s *Server, t *task, out *answer) error

func actions() map[string]act {
	return map[string]act{
		"gather": gather, "plan": plan, "erase": erase, "prove": prove, "rectify": rectify, "restrict": restrict,
	}
}

// names returns the actions' names.
func names() []string { return slices.Sorted(maps.Keys(actions())) }

func gather(s *Server, t *task, out *answer) error {
	for _, r := range s.of(t.emails()) {
		out.say(line{Dataset: r.dataset, Record: r.values})
	}
	return nil
}

func plan(s *Server, t *task, out *answer) error {
	for _, r := range s.of(t.emails()) {
		out.say(line{Dataset: r.dataset, Key: r.key})
	}
	return nil
}

// erase answers each planned key, in its order, and then what came since.
func erase(s *Server, t *task, out *answer) error {
	for _, k := range t.keys {
		l := line{Dataset: k.Dataset, Key: k.Key, Did: "gone"}
		switch r := s.at(k.Dataset, k.Key); {
		case r == nil:
		case t.isAnothers(r):
			l.Did = "reassigned"
		default:
			if err := s.change(r, change{Gone: true}); err != nil {
				return err
			}
			l.Did = "erased"
		}
		out.say(l)
	}
	for _, r := range s.besides(t) {
		if err := s.change(r, change{Gone: true}); err != nil {
			return err
		}
		out.say(line{Dataset: r.dataset, Key: r.key, Did: "erased", Late: true})
	}
	return nil
}

// prove says what is still there, by the planned keys and by asking anew.
func prove(s *Server, t *task, out *answer) error {
	for _, k := range t.keys {
		if r := s.at(k.Dataset, k.Key); r != nil && !t.isAnothers(r) {
			out.say(line{Dataset: k.Dataset, Key: k.Key})
		}
	}
	for _, r := range s.besides(t) {
		out.say(line{Dataset: r.dataset, Key: r.key})
	}
	return nil
}

// besides returns a person's records that aren't planned.
func (s *Server) besides(t *task) []*row {
	if t.ByKeys {
		return nil
	}
	return slices.DeleteFunc(s.of(t.emails()), func(r *row) bool { return slices.Contains(t.keys, key{r.dataset, r.key}) })
}

// rectifiable reports whether people may have a column corrected.
func rectifiable(column string) bool {
	return slices.Contains([]string{"name", "field", "school", "degree"}, column)
}

func rectify(s *Server, t *task, out *answer) error {
	for _, c := range t.Changes {
		said := &counts{}
		for _, r := range s.of(t.emails()) {
			if r.dataset != c.Dataset {
				continue
			}
			said.Found++
			if _, is := r.values[c.Column]; !is || !rectifiable(c.Column) {
				continue
			}
			if err := s.change(r, change{Column: c.Column, Value: c.Value}); err != nil {
				return err
			}
			said.Rectified++
		}
		if rectifiable(c.Column) {
			said.Changed = []string{c.Column}
		} else {
			said.Unchanged = []string{c.Column}
		}
		out.say(line{Dataset: c.Dataset, Counts: said})
	}
	return nil
}

// usedFor returns what a dataset's records are used for.
func usedFor(dataset string) string {
	if dataset == "applications" {
		return "recruiting"
	}
	return "training"
}

// restrict puts records out of use, or back: all of them, or those that are used for the
// purposes that end.
func restrict(s *Server, t *task, out *answer) error {
	restricted := map[string]int{}
	on := !t.Lift
	for _, r := range s.of(t.emails()) {
		if len(t.Purposes) > 0 && !slices.Contains(t.Purposes, usedFor(r.dataset)) {
			continue
		}
		if err := s.change(r, change{Restricted: &on}); err != nil {
			return err
		}
		restricted[r.dataset]++
	}
	for _, dataset := range slices.Sorted(maps.Keys(restricted)) {
		out.say(line{Dataset: dataset, Counts: &counts{Restricted: restricted[dataset]}})
	}
	return nil
}
