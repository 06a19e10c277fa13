package core

import (
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// Evolve returns what is known after a further fact. The given state is left as it
// was. No fact makes it panic, wherever it stands in a journal
// (TestEveryJournalCanBeRead).
func Evolve(s State, e Event) State {
	s.Version++
	if byPerson(e) {
		s.Acts++
	}
	return e.evolve(s).occasion(s, e).changed(s, e)
}

// Fold returns the state after a request's facts, in order.
func Fold(events []Event) State {
	var s State
	for _, e := range events {
		s = Evolve(s, e)
	}
	return s
}

// attended ends the request's call for a person.
func (s State) attended() State {
	s.Status, s.Attention, s.RemindedAt = s.goingOn(), AttentionNeeded{}, time.Time{}
	return s
}

// end ends the request without an answer: nobody is awaited any more, and no clock
// stands.
func (s State) end(status Status, at time.Time) State {
	if s.Awaited != "" {
		s = s.goOn(time.Time{}, at)
	}
	s.Status, s.Attention, s.EndedAt, s.Receipted = status, AttentionNeeded{}, at, false
	return s.withoutActs()
}

// await has the request wait for the person.
func (s State) await(status Status, what ReminderOf, pauses bool, at time.Time) State {
	s.Status, s.Attention, s.RemindedAt = status, AttentionNeeded{}, time.Time{}
	s.Awaited, s.AwaitedSince, s.Paused = what, at, pauses
	return s
}

// goOn ends the wait for the person.
func (s State) goOn(due, at time.Time) State {
	if s.Paused {
		s.Pauses = append(slices.Clip(s.Pauses), Pause{From: s.AwaitedSince, Until: at})
	}
	if !due.IsZero() {
		s.DueAt, s.RemindedDue = due, false
	}
	s.Awaited, s.AwaitedSince, s.Paused, s.RemindedAt = "", time.Time{}, false, time.Time{}
	s.Status = s.goingOn()
	return s
}

// goingOn returns the status of a request that waits for nobody.
func (s State) goingOn() Status {
	switch {
	case s.Right.Decided():
		return StatusReviewing
	case s.Stage != "":
		return statusOf[s.Stage]
	default:
		return StatusAccepted
	}
}

// takeUp begins an erasure anew for some systems.
func (s State) takeUp(systems []string) State {
	s.Status, s.Stage, s.EndedAt, s.Lifted = StatusPlanning, dsar.Plan, time.Time{}, false
	return s.changeEach(func(_ int, t *TaskState) {
		again := t.System == dsar.Aggregator || slices.Contains(systems, t.System) && t.Action != dsar.Resolve && !s.restrictsHeld(t.Action)
		if again {
			if t.Action == dsar.Plan {
				t.Before, t.Late, t.Done = s.plansOf(t), nil, 0
			}
			t.Status, t.StaleThrough, t.Earlier, t.Answered = TaskIsDue, t.Attempt, nil, t.Attempt
		}
	})
}

// change returns the state with one task changed, or added where it is new. The others are
// shared with the given state.
func (s State) change(system string, action dsar.Action, f func(*TaskState)) State {
	tasks := make([]*TaskState, len(s.Tasks), len(s.Tasks)+1)
	copy(tasks, s.Tasks)
	changed := &TaskState{System: system, Action: action}
	i := slices.IndexFunc(tasks, func(t *TaskState) bool { return t.System == system && t.Action == action })
	if i < 0 {
		tasks = append(tasks, changed)
	} else {
		*changed = *tasks[i]
		tasks[i] = changed
	}
	f(changed)
	s.Tasks = tasks
	return s
}

// changeEach returns the state with each task as f leaves it.
func (s State) changeEach(f func(i int, t *TaskState)) State {
	tasks := make([]*TaskState, len(s.Tasks))
	for i, t := range s.Tasks {
		changed := *t
		f(i, &changed)
		tasks[i] = &changed
	}
	s.Tasks = tasks
	return s
}

// merge adds the identifiers that are not known yet. One that was merely claimed, and
// that a system now leads to, is found. One that was carried over from an earlier request,
// and to which what is the person's own leads as well, is the person's own.
func merge(ids, found []dsar.Identifier) []dsar.Identifier {
	out := slices.Clone(ids)
	for _, f := range found {
		i := slices.IndexFunc(out, func(id dsar.Identifier) bool { return id.Fingerprint == f.Fingerprint })
		switch {
		case i < 0:
			out = append(out, f)
		case out[i].Assurance == dsar.AssuranceClaimed && f.From != f.Fingerprint:
			out[i].Assurance, out[i].FoundBy, out[i].From = f.Assurance, f.FoundBy, f.From
		case out[i].FoundBy == dsar.EarlierRequest && isOwn(out, f):
			out[i].FoundBy, out[i].From = f.FoundBy, f.From
		}
	}
	return out
}
