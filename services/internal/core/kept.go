package core

import (
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// What one request tells of another while that one changes: what an erasure of the same
// person has left in systems. It is certain of what must stay and can't be gone, and of the
// rest it says only that it may be there. It is looked at when a request is accepted, and
// once more right before its answer is assembled ([State.waitsForKept]).

// KeptEarlier is what an earlier erasure of the same person has left in one dataset, as it
// was known when somebody looked.
type KeptEarlier struct {
	RequestID string `json:"request_id"`
	System    string `json:"system"`
	Dataset   string `json:"dataset"`
	// Retained is what must stay: no erasure may have touched it.
	Retained []dsar.Retention `json:"retained"`
	// Then is what had to stay once, and may go by now: an erasure may be at it, or done.
	Then []dsar.Retention `json:"then,omitempty"`
	// Unfinished is how many records the erasure is to erase and has not reported: they may
	// be there or gone.
	Unfinished int64 `json:"unfinished,omitempty"`
	// Gone is how many planned records the erasure found gone by somebody else's hand: what
	// another had to keep may be among them.
	Gone int64 `json:"gone,omitempty"`
	// From is the fingerprint of the identifier that both requests have.
	From string `json:"from"`
}

func (k KeptEarlier) records() int64 {
	return dsar.Counts{Retained: slices.Concat(k.Retained, k.Then)}.Kept() + k.Unfinished
}

// Reaches reports whether a request is an erasure of which others of the same person are
// to know: one that has ended without erasing isn't.
func (s State) Reaches() bool {
	return s.Right == dsar.Erasure && s.Status != StatusCancelled && s.Status != StatusRefused && s.Status != StatusMerged
}

// Kept returns what an erasure has left, by dataset, as another request may tell it at a
// time; nothing before it has begun to erase.
func (s State) Kept(at time.Time) []KeptEarlier {
	if !s.Reaches() || !s.begun() {
		return nil
	}
	var out []KeptEarlier
	for _, sys := range s.Accepted.Systems {
		had := s.hadToStay(sys)
		for _, dataset := range s.datasets(sys) {
			k := KeptEarlier{RequestID: s.Accepted.RequestID, System: sys.Name, Dataset: dataset, Retained: []dsar.Retention{}, Unfinished: s.unfinished(sys, dataset), Gone: s.gone(sys, dataset)}
			for _, r := range of(had, dataset).Retained {
				told := s.toldRetention(sys.Name, dataset, r)
				if s.certain(sys, dataset, r, at) {
					k.Retained = append(k.Retained, told)
				} else {
					k.Then = append(k.Then, told)
				}
			}
			if k.records()+k.Gone > 0 {
				out = append(out, k)
			}
		}
	}
	return out
}

// begun reports whether anything may have been erased.
func (s State) begun() bool {
	return !s.AnsweredAt.IsZero() || slices.ContainsFunc(s.Tasks, func(t *TaskState) bool { return t.Action == dsar.Erase })
}

// datasets names those of a system that the erasure has counted, each once.
func (s State) datasets(sys dsar.System) []string {
	var names []string
	add := func(counts []dsar.Counts) {
		for _, c := range counts {
			if !slices.Contains(names, c.Dataset) {
				names = append(names, c.Dataset)
			}
		}
	}
	for _, t := range s.Tasks {
		if t.System == sys.Name && t.Action.Ability() == dsar.Erase {
			add(t.End.Counts)
		}
	}
	if s.Again != nil {
		for _, b := range s.Again.Back {
			if b.System == sys.Name {
				add(b.Counts)
			}
		}
	}
	for _, k := range s.KeptThen {
		if k.System == sys.Name {
			add([]dsar.Counts{{Dataset: k.Dataset}})
		}
	}
	return names
}

// hadToStay returns what had to stay in a system, as it was last told: of one that is taken
// up again by the answer, until it has erased once more (TestAHeldSystemIsNotErased).
func (s State) hadToStay(sys dsar.System) []dsar.Counts {
	erase := s.Task(sys.Name, dsar.Erase)
	taken := !s.AnsweredAt.IsZero() && s.Status != StatusCompleted
	if taken && (s.Again != nil || erase == nil || erase.Status != TaskIsEnded) {
		var then []dsar.Counts
		for _, k := range s.KeptThen {
			if k.System == sys.Name {
				then = append(then, dsar.Counts{Dataset: k.Dataset, Retained: k.Retained})
			}
		}
		return then
	}
	if plan := s.Task(sys.Name, dsar.Plan); plan != nil && (erase == nil || erase.Status != TaskIsEnded) {
		return plan.End.Counts // as it is planned
	}
	return s.stayed(sys)
}

// stayed returns what had to stay in a system by how its tasks ended.
func (s State) stayed(sys dsar.System) []dsar.Counts {
	t := s.Task(sys.Name, dsar.Prove)
	if t == nil || t.Status != TaskIsEnded || t.End.Outcome == dsar.NotApplicable { // a person attested the erasure, or a hold kept it
		t = s.Task(sys.Name, dsar.Erase)
	}
	if t == nil {
		return nil
	}
	return t.End.Counts
}

// keptNow returns what had to stay by how the tasks ended.
func (s State) keptNow() []KeptEarlier {
	var out []KeptEarlier
	for _, sys := range s.Accepted.Systems {
		for _, c := range s.stayed(sys) {
			if c.Kept() > 0 {
				out = append(out, KeptEarlier{RequestID: s.Accepted.RequestID, System: sys.Name, Dataset: c.Dataset, Retained: c.Retained})
			}
		}
	}
	return out
}

// certain reports whether what had to stay is there whatever any erasure does meanwhile:
// the day on which it may go is to come, or a hold is on that somebody put on this very
// request. When another person's hold ends, or that of an earlier request, this one hears
// of it later; of what another person's erasure takes, since no law has it stay, never.
func (s State) certain(sys dsar.System, dataset string, r dsar.Retention, at time.Time) bool {
	if t := s.Task(sys.Name, dsar.Prove); t != nil && t.Status == TaskIsFailed && t.End.Code == CodeKeptGone {
		return false
	}
	if r.Ground == dsar.LegalHold {
		return slices.ContainsFunc(s.Placed, func(h Held) bool {
			return (h.System == "" || h.System == sys.Name) && (h.Dataset == "" || h.Dataset == dataset)
		})
	}
	due := retentionDue(r)
	return !othersMayTake(r) && (due.IsZero() || at.Before(due))
}

// othersMayTake reports whether what had to stay may go with another person's erasure: the
// manifest alone has it stay.
func othersMayTake(r dsar.Retention) bool {
	return r.Ground == dsar.GroundShared || r.Ground == dsar.GroundKept
}

// unfinished returns how many records of a dataset an erasure is to erase and has not
// reported as erased; of one that has ended, how many it has left that needn't stay.
func (s State) unfinished(sys dsar.System, dataset string) int64 {
	prove, erase := s.Task(sys.Name, dsar.Prove), s.Task(sys.Name, dsar.Erase)
	ended := func(t *TaskState) bool { return t != nil && t.Status == TaskIsEnded }
	left := func(c dsar.Counts) int64 { return max(0, c.Found-c.Kept()) }
	switch {
	case s.Again != nil && !ended(prove):
		var back int64
		for _, b := range s.Again.Back {
			if b.System == sys.Name {
				back += left(of(b.Counts, dataset))
			}
		}
		return back
	case ended(prove) && prove.End.Outcome != dsar.NotApplicable:
		return left(of(prove.End.Counts, dataset)) // nothing, where it is proven
	case prove != nil && prove.End.Action == dsar.Prove && prove.End.Outcome != dsar.NotApplicable:
		return left(of(prove.End.Counts, dataset)) // it was found still there
	case !s.AnsweredAt.IsZero() && s.Status != StatusCompleted:
		return 0 // what may go had to stay
	}
	plan := s.Task(sys.Name, dsar.Plan)
	if plan == nil {
		return 0
	}
	planned := of(plan.End.Counts, dataset)
	switch {
	case !ended(erase):
		return left(planned)
	case erase.End.By != "" && erase.End.Outcome != dsar.Incomplete: // a person says that it is done
		return 0
	}
	return max(0, planned.Found-of(erase.End.Counts, dataset).Accounted())
}

// gone returns how many records of a dataset an erasure planned and found gone: erasing, or
// of those that had to stay, by how its tasks ended.
func (s State) gone(sys dsar.System, dataset string) int64 {
	plan, erase := s.Task(sys.Name, dsar.Plan), s.Task(sys.Name, dsar.Erase)
	if plan == nil || erase == nil || erase.Status != TaskIsEnded {
		return 0
	}
	lost := of(plan.End.Counts, dataset).Kept() - of(s.stayed(sys), dataset).Kept()
	return max(of(erase.End.Counts, dataset).Gone, lost)
}

// keptEarlier returns what earlier erasures have left, as far as the identifier that both
// requests have may be used. Two erasures left the same records of a dataset, as far as
// anybody knows: the one that left more of them counts (TestKeptTwiceIsToldOnce). Where
// another, or this one, found records gone, those may be among them
// (TestKeptAndGoneIsUncertain).
func (s State) keptEarlier() []KeptEarlier {
	usable := s.Usable()
	all := slices.DeleteFunc(slices.Clone(s.KeptElsewhere), func(k KeptEarlier) bool {
		return !slices.ContainsFunc(usable, func(id dsar.Identifier) bool { return id.Fingerprint == k.From })
	})
	var out []KeptEarlier
	for _, k := range all {
		if k.records() == 0 {
			continue
		}
		i := slices.IndexFunc(out, k.isOf)
		switch {
		case i < 0:
			out = append(out, k)
		case k.records() > out[i].records():
			out[i] = k
		}
	}
	for i, k := range out {
		found := slices.ContainsFunc(all, func(o KeptEarlier) bool { return o.isOf(k) && o.RequestID != k.RequestID && o.Gone > 0 })
		if found || s.gone(dsar.System{Name: k.System}, k.Dataset) > 0 {
			out[i].Retained, out[i].Then = []dsar.Retention{}, slices.Concat(k.Retained, k.Then)
		}
	}
	return out
}

// isOf reports whether both are of the same dataset.
func (k KeptEarlier) isOf(o KeptEarlier) bool { return k.System == o.System && k.Dataset == o.Dataset }

// TakeKept says of a request what erasures of the same person have left, as they stand: of
// one that is about to erase, that there is such a one. It decides nothing where the
// request has ended, or knows as much.
type TakeKept struct {
	Of   []string // the erasures
	Kept []KeptEarlier
	Now  time.Time
}

func (c TakeKept) now() time.Time { return c.Now }

func (c TakeKept) decide(d *decider) error {
	switch {
	case !d.Exists():
		return ErrUnknown
	case d.Status.Ended() || d.Right.Decided():
		return nil
	}
	known := !slices.ContainsFunc(c.Of, func(id string) bool { return !slices.Contains(d.Erasures, id) })
	if known && !d.waitsForKept() {
		return nil
	}
	d.record(KeptLookedUp{Of: c.Of, Kept: c.Kept, Moment: Moment{At: d.now}})
	return nil
}

// KeptLookedUp says what erasures of the same person had left at that time.
type KeptLookedUp struct {
	Of   []string      `json:"of"`
	Kept []KeptEarlier `json:"kept,omitempty"`
	Moment
}

func (e KeptLookedUp) evolve(s State) State {
	s.Erasures = slices.Clone(s.Erasures)
	for _, id := range e.Of {
		if !slices.Contains(s.Erasures, id) {
			s.Erasures = append(s.Erasures, id)
		}
	}
	others := slices.DeleteFunc(slices.Clone(s.KeptElsewhere), func(k KeptEarlier) bool { return slices.Contains(e.Of, k.RequestID) })
	s.KeptElsewhere = append(others, e.Kept...)
	if len(e.Of) == len(s.Erasures) {
		s.KeptFact = s.Version
	}
	return s
}

// waitsForKept reports whether it has to be looked what erasures of the same person have
// left before the answer is assembled: since the last time a system has said something, and
// what was left then may be gone, or can't be found any more.
func (s State) waitsForKept() bool {
	stages := s.Right.Stages()
	looks := s.Accepted.LooksBack || s.KeptFact > 0 || len(s.Erasures) > len(s.Accepted.Erasures)
	if len(s.Erasures) == 0 || !looks || len(stages) < 2 || s.Status.Ended() || s.Awaited != "" || s.Again != nil || len(s.Disproven) > 0 || s.Stage != stages[len(stages)-2] {
		return false
	}
	heard := 0
	for _, t := range s.Tasks {
		if t.System != dsar.Aggregator && t.Status == TaskIsEnded {
			heard = max(heard, t.End.Fact)
		}
	}
	return s.KeptFact < heard && (&decider{State: s}).stageIsOver()
}
