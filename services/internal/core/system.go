package core

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
)

const (
	// CodeMissing is the code of a task of a system that the configuration no longer has: a
	// person says whether it was renamed or is out of use, or puts it back.
	CodeMissing = "system-missing"
	// CodeRetired is the code of a task of a system that is out of use and was asked nothing,
	// and CodeRetiredOpen of one that was asked, and had not done all when it went out of use.
	CodeRetired     = "system-retired"
	CodeRetiredOpen = "system-retired-open"
)

// CompareSystems holds a request's systems against those that the configuration has: what
// is still to be asked of one that isn't there needs a person, and goes on by itself once
// it is there again.
type CompareSystems struct {
	Configured []string
	Now        time.Time
}

// RenameSystem has a system be asked under another name from now on: what is open, and what
// may be asked of it later. It decides nothing where the request doesn't reach it.
type RenameSystem struct {
	By, Reason string
	System, To string
	Now        time.Time
}

// RetireSystem takes a system out of a request: what is still to be asked of it ends
// unasked, and the answer says so. It decides nothing where the request doesn't reach it.
type RetireSystem struct {
	By, Reason string
	System     string
	On         time.Time // since when it is out of use
	Now        time.Time
}

func (c CompareSystems) now() time.Time { return c.Now }
func (c RenameSystem) now() time.Time   { return c.Now }
func (c RetireSystem) now() time.Time   { return c.Now }

func (c CompareSystems) decide(d *decider) error {
	if !d.Exists() {
		return ErrUnknown
	}
	if d.Status.Ended() {
		return nil
	}
	for _, name := range d.Compared(c.Configured) {
		if slices.Contains(d.Missing, name) {
			d.record(SystemBack{System: name, Moment: Moment{At: d.now}})
			d.sendWaiting(name, SentParked)
			continue
		}
		d.record(SystemMissing{System: name, Moment: Moment{At: d.now}})
		for _, t := range d.Tasks {
			if t.System == name && (t.Status == TaskIsSent || t.Status == TaskIsParked) {
				d.missing(t.System, t.Action, t.Attempt)
			}
		}
	}
	return nil
}

// Compared returns the systems of an open request that the configuration has no longer and
// from which something is still to come, and those that it has again.
func (s State) Compared(configured []string) []string {
	var names []string
	for _, sys := range s.Accepted.Systems {
		gone := !slices.Contains(configured, sys.Name)
		if was := slices.Contains(s.Missing, sys.Name); gone && !was && s.retired(sys.Name) == nil && s.owes(sys) || !gone && was {
			names = append(names, sys.Name)
		}
	}
	return names
}

// owes reports whether something is still to come from a system.
func (s State) owes(sys dsar.System) bool {
	stages := s.Right.Stages()
	if s.Stage == dsar.Assemble {
		stages = nil
	}
	for _, a := range stages[:max(0, len(stages)-1)] {
		if s.Task(sys.Name, a) == nil {
			return true
		}
	}
	return slices.ContainsFunc(s.Tasks, func(t *TaskState) bool { return t.System == sys.Name && t.Status != TaskIsEnded })
}

// missing records that a task can't be asked of anybody.
func (d *decider) missing(system string, action dsar.Action, attempt int) {
	d.record(TaskFailed{System: system, Action: action, Attempt: attempt, Outcome: dsar.Failed, Code: CodeMissing,
		Reason: "the configuration has no system of that name any more: put it back, or say that it was renamed or is out of use (habeas systems)", Moment: Moment{At: d.now}})
}

// retire records that a task of a system that is out of use is asked of nobody.
func (d *decider) retire(system string, action dsar.Action, attempt int) {
	e := TaskEnded{System: system, Action: action, Attempt: attempt, Outcome: dsar.NotApplicable, Code: CodeRetired, Reason: "the system is out of use, and was not asked", Moment: Moment{At: d.now}}
	if slices.ContainsFunc(d.Tasks, func(t *TaskState) bool { return t.System == system && t.Attempt > 0 }) {
		e.Code, e.Reason = CodeRetiredOpen, "the system went out of use before it had done all that it was asked"
	}
	d.record(e)
}

// sendWaiting sends what waits for its turn in a system, unless the person is awaited.
func (d *decider) sendWaiting(system string, reason SendReason) {
	if d.Awaited != "" {
		return
	}
	for _, t := range d.Tasks {
		if t.System == system && t.Status == TaskIsParked && !d.now.Before(t.Until) {
			d.send(t.System, t.Action, reason)
		}
	}
}

// notSent records why a task can't be sent; false where it can.
func (d *decider) notSent(system string, action dsar.Action) bool {
	attempt := 0
	if t := d.Task(system, action); t != nil {
		attempt = t.Attempt
	}
	switch {
	case d.retired(system) != nil:
		d.retire(system, action, attempt)
	case slices.Contains(d.Missing, system):
		d.missing(system, action, attempt)
	default:
		return false
	}
	return true
}

// notAsked ends the current stage in a system that is out of use; false where it is in use.
func (d *decider) notAsked(system string) bool {
	return d.retired(system) != nil && d.notSent(system, d.Stage)
}

// Asks reports whether anything may still be asked of a system for the request: it is open,
// or an answered erasure that is taken up again when something may go.
func (s State) Asks(system string) bool {
	reaches := slices.ContainsFunc(s.Accepted.Systems, func(sys dsar.System) bool { return sys.Name == system })
	later := s.Status == StatusCompleted && s.Right == dsar.Erasure && s.SubjectForgotten.IsZero()
	return reaches && s.retired(system) == nil && (!s.Status.Ended() || later)
}

func (c RenameSystem) decide(d *decider) error {
	switch {
	case !d.Exists():
		return ErrUnknown
	case !d.Asks(c.System):
		return nil
	case c.Reason == "":
		return fmt.Errorf("%w: why must be said", ErrNotAllowed)
	case !dsar.ValidSystem(c.To):
		return fmt.Errorf("%w: %q is no name of a system", ErrNotAllowed, c.To)
	case slices.ContainsFunc(d.Accepted.Systems, func(sys dsar.System) bool { return sys.Name == c.To }):
		return fmt.Errorf("%w: the request reaches a system %s already", ErrNotAllowed, c.To)
	}
	d.record(SystemRenamed{ReasonedAct: ReasonedAct{By: c.By, Reason: c.Reason, At: d.now}, System: c.System, To: c.To})
	if !d.Status.Ended() {
		d.sendWaiting(c.To, SentRetried)
	}
	return nil
}

func (c RetireSystem) decide(d *decider) error {
	switch {
	case !d.Exists():
		return ErrUnknown
	case !d.Asks(c.System):
		return nil
	case c.Reason == "":
		return fmt.Errorf("%w: why must be said", ErrNotAllowed)
	case c.On.IsZero() || c.On.After(d.now):
		return fmt.Errorf("%w: since when it is out of use must be said, and lie behind", ErrNotAllowed)
	}
	d.record(SystemRetired{ReasonedAct: ReasonedAct{By: c.By, Reason: c.Reason, At: d.now}, System: c.System, On: c.On})
	if d.Status.Ended() {
		return nil
	}
	for _, t := range d.Tasks {
		if t.System == c.System && t.Status != TaskIsEnded && t.Status != TaskIsDue {
			d.retire(t.System, t.Action, t.Attempt)
		}
	}
	return nil
}

// retired returns since when a system is out of use; nil where it isn't.
func (s State) retired(system string) *Retired {
	for i, r := range s.Retired {
		if r.System == system {
			return &s.Retired[i]
		}
	}
	return nil
}

// retirement returns what an answer tells of that; nil where there is nothing.
func (s State) retirement(system string) *Retirement {
	if r := s.retired(system); r != nil {
		return &Retirement{On: r.On, Fact: r.Fact}
	}
	return nil
}

// wasNamed reports whether a system had a name before it was renamed.
func (s State) wasNamed(name string) bool {
	return slices.ContainsFunc(s.Renamed, func(r Renamed) bool { return r.From == name })
}

// namesOf returns the names that a system has and had.
func (s State) namesOf(system string) []string {
	names := []string{system}
	for _, r := range slices.Backward(s.Renamed) {
		if slices.Contains(names, r.To) {
			names = append(names, r.From)
		}
	}
	return names
}

// ofSystem reports whether an object's name says that a system left it with an action,
// under a name that it has or had.
func (s State) ofSystem(system string, a dsar.Action, o dsar.Object) bool {
	return slices.ContainsFunc(s.namesOf(system), func(n string) bool { return strings.HasPrefix(o.Name, n+"/"+string(a)+"/") })
}
