package dsar

import (
	"fmt"
	"slices"
)

// Evolve adds a fact to what is known. It never fails and never judges: a fact
// has happened. The given state is left as it was.
func Evolve(s State, e Event) State {
	switch e := e.(type) {
	case Accepted:
		s = State{Accepted: e, Identifiers: slices.Clone(e.Identifiers), Status: StatusAccepted}
	case StageStarted:
		s.Stage, s.Status = e.Stage, statusOf[e.Stage]
	case TaskSent:
		asked, after := len(s.Identifiers), 0
		if erase := s.Task(e.System, Erase); erase != nil && e.Action == Prove {
			after = erase.Attempt
		}
		if e.Action == Assemble {
			after = s.gatherings()
		}
		s = s.change(e.System, e.Action, func(t *TaskState) {
			t.Status, t.Attempt, t.Deadline = TaskIsSent, e.Attempt, e.Deadline
			t.Asked, t.After = asked, after
			if e.Action == Resolve && (e.Reason == SentFirst || e.Reason == SentFurther) {
				t.Rounds++
			}
			switch e.Reason {
			case SentUnheard:
				t.Unheard++
			case SentParked:
				t.Unheard = 0
			default:
				t.Unheard, t.Parked = 0, 0
			}
		})
	case TaskProgressed:
		s = s.change(e.System, e.Action, func(t *TaskState) { t.Deadline, t.Unheard = e.Deadline, 0 })
	case TaskParked:
		s = s.change(e.System, e.Action, func(t *TaskState) {
			t.Status, t.Until = TaskIsParked, e.Until
			t.Parked++
			t.End = ActionEnd{Action: e.Action, At: e.At, Code: e.Code, Reason: e.Reason}
		})
	case TaskEnded:
		s = s.change(e.System, e.Action, func(t *TaskState) {
			t.Status = TaskIsEnded
			t.End = ActionEnd{Action: e.Action, Outcome: e.Outcome, At: e.At, Counts: e.Counts, Objects: e.Objects, Code: e.Code, Reason: e.Reason}
		})
		s.Identifiers = merge(s.Identifiers, e.Identifiers)
	case TaskFailed:
		s = s.change(e.System, e.Action, func(t *TaskState) {
			t.Status = TaskIsFailed
			t.End = ActionEnd{Action: e.Action, Outcome: e.Outcome, At: e.At, Counts: e.Counts, Code: e.Code, Reason: e.Reason}
		})
	case AttentionNeeded:
		s.Status, s.Attention = StatusNeedsAttention, e
	case Retried:
		s.Status, s.Attention = statusOf[s.Stage], AttentionNeeded{}
	case Overdue:
		s.Overdue = true
	case Cancelled:
		s.Status, s.Attention, s.EndedAt = StatusCancelled, AttentionNeeded{}, e.At
	case Completed:
		s.Status, s.Bundle, s.EndedAt = StatusCompleted, e.Bundle, e.At
	default:
		panic(fmt.Sprintf("dsar: Evolve lacks a case for %T", e)) // a fact type was added and forgotten here
	}
	return s
}

// Fold is the state after a request's facts, in order.
func Fold(events []Event) State {
	var s State
	for _, e := range events {
		s = Evolve(s, e)
	}
	return s
}

// change returns the state with one task changed, or added where it is new.
func (s State) change(system string, action Action, f func(*TaskState)) State {
	tasks := make([]TaskState, len(s.Tasks), len(s.Tasks)+1)
	copy(tasks, s.Tasks)
	i := slices.IndexFunc(tasks, func(t TaskState) bool { return t.System == system && t.Action == action })
	if i < 0 {
		tasks = append(tasks, TaskState{System: system, Action: action})
		i = len(tasks) - 1
	}
	f(&tasks[i])
	s.Tasks = tasks
	return s
}

// merge adds the identifiers that are not known yet.
func merge(ids, found []Identifier) []Identifier {
	out := slices.Clip(ids)
	for _, f := range found {
		if !slices.ContainsFunc(out, func(id Identifier) bool { return id.Fingerprint == f.Fingerprint }) {
			out = append(out, f)
		}
	}
	return out
}
