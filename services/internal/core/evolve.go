package core

import (
	"fmt"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// Evolve adds a fact to what is known. It never fails and never judges: a fact
// has happened. The given state is left as it was.
func Evolve(s State, e Event) State {
	s.Version++
	if byPerson(e) {
		s.Acts++
	}
	switch e := e.(type) {
	case Accepted:
		s = State{Version: s.Version, Accepted: e, Identifiers: slices.Clone(e.Identifiers), Status: StatusAccepted, Right: e.Right, DueAt: e.DueAt}
	case StageStarted:
		s.Stage, s.Status = e.Stage, statusOf[e.Stage]
	case TaskSent:
		asked, after := len(s.Identifiers), 0
		if erase := s.Task(e.System, dsar.Erase); erase != nil && e.Action == dsar.Prove {
			after = erase.Attempt
		}
		if e.Action == dsar.Assemble {
			after = s.gatherings()
		}
		s = s.change(e.System, e.Action, func(t *TaskState) {
			t.Status, t.Attempt, t.Deadline = TaskIsSent, e.Attempt, e.Deadline
			t.Asked, t.After = asked, after
			if e.Action == dsar.Resolve && (e.Reason == SentFirst || e.Reason == SentFurther) {
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
			t.End = ActionEnd{Action: e.Action, Outcome: e.Outcome, At: e.At, Counts: e.Counts, Objects: e.Objects, Code: e.Code, Reason: e.Reason, By: e.By}
		})
		s.Identifiers = merge(s.Identifiers, e.Identifiers)
		if e.By != "" && s.Status == StatusNeedsAttention {
			s.Status, s.Attention, s.RemindedAt = statusOf[s.Stage], AttentionNeeded{}, time.Time{}
		}
	case TaskFailed:
		s = s.change(e.System, e.Action, func(t *TaskState) {
			t.Status = TaskIsFailed
			t.End = ActionEnd{Action: e.Action, Outcome: e.Outcome, At: e.At, Counts: e.Counts, Objects: e.Objects, Code: e.Code, Reason: e.Reason}
		})
	case AttentionNeeded:
		s.Status, s.Attention = StatusNeedsAttention, e
	case Retried:
		s.Status, s.Attention, s.RemindedAt = statusOf[s.Stage], AttentionNeeded{}, time.Time{}
		if len(e.Anew) > 0 {
			s = s.beginAnew(e.Anew)
		}
	case Overdue:
		s.Overdue = true
	case Cancelled:
		s.Status, s.Attention, s.EndedAt = StatusCancelled, AttentionNeeded{}, e.At
	case Completed:
		s.Status, s.Bundle, s.EndedAt = StatusCompleted, e.Bundle, e.At
		if s.AnsweredAt.IsZero() {
			s.AnsweredAt = e.At
		}
	case ProofAsked:
		s = s.await(StatusAwaitingProof, RemindProof, e.Pauses, e.At)
	case ClarificationAsked:
		s = s.await(StatusAwaitingClarification, RemindClarification, e.Pauses, e.At)
	case ProofJudged:
		s = s.goOn(e.DueAt, e.At)
		switch {
		case e.Instead != "":
			s.Right, s.Stage, s.Status = e.Instead, "", StatusAccepted
		case !e.Accepted:
			s.Status = StatusAwaitingProof // until it is refused, with the next fact
		}
	case ClarificationGiven:
		s = s.goOn(e.DueAt, e.At)
	case Extended:
		s.Extended, s.DueAt, s.RemindedDue = true, e.DueAt, false
	case Refused:
		s.Status, s.Attention, s.Refusal, s.EndedAt = StatusRefused, AttentionNeeded{}, e, e.At
	case Merged:
		s.Status, s.Attention, s.MergedInto, s.EndedAt = StatusMerged, AttentionNeeded{}, e.Into, e.At
	case Reminded:
		if e.About == RemindDue {
			s.RemindedDue = true
		} else {
			s.RemindedAt = e.At
		}
	case HoldPlaced:
		s.Holds = append(slices.Clip(s.Holds), Held{e.System, e.Dataset})
	case HoldLifted:
		s.Holds = slices.DeleteFunc(slices.Clone(s.Holds), func(h Held) bool { return h == Held{e.System, e.Dataset} })
		s.Lifted = true
	case RetentionEnded:
		s = s.takeUp(e.Systems)
	case IdentifiersRevealed, DeliveryAsked: // nothing but that it was so
	case Assigned:
		s.Assignee = e.To
	case LetterSent:
		s.Letters = append(slices.Clip(s.Letters), e)
	default:
		panic(fmt.Sprintf("dsar: Evolve lacks a case for %T", e)) // a fact type was added and forgotten here
	}
	return s.occasion(e)
}

// Fold is the state after a request's facts, in order.
func Fold(events []Event) State {
	var s State
	for _, e := range events {
		s = Evolve(s, e)
	}
	return s
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
	s.Status = StatusAccepted
	if s.Stage != "" {
		s.Status = statusOf[s.Stage]
	}
	return s
}

// takeUp begins an erasure anew for some systems.
func (s State) takeUp(systems []string) State {
	s.Status, s.Stage, s.EndedAt, s.Lifted = StatusCounting, dsar.Count, time.Time{}, false
	s.Tasks = slices.Clone(s.Tasks)
	for i := range s.Tasks {
		t := &s.Tasks[i]
		again := t.System == dsar.Aggregator || slices.Contains(systems, t.System) && t.Action != dsar.Resolve
		if again {
			t.Status, t.Past, t.Before = TaskIsDue, t.Attempt, nil
		}
	}
	return s
}

// change returns the state with one task changed, or added where it is new.
func (s State) change(system string, action dsar.Action, f func(*TaskState)) State {
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
func merge(ids, found []dsar.Identifier) []dsar.Identifier {
	out := slices.Clip(ids)
	for _, f := range found {
		if !slices.ContainsFunc(out, func(id dsar.Identifier) bool { return id.Fingerprint == f.Fingerprint }) {
			out = append(out, f)
		}
	}
	return out
}
