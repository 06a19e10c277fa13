package core

import (
	"fmt"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// ByPolicy is who decides where nobody did: the law's file.
const ByPolicy = "policy"

// open is the error of a command that only a request which isn't answered takes.
func (d *decider) open() error {
	switch {
	case !d.Exists():
		return ErrUnknown
	case d.Status.Ended():
		return ErrEnded
	case !d.AnsweredAt.IsZero():
		return ErrAnswered
	default:
		return nil
	}
}

func (c AskProof) decide(d *decider) error {
	if err := d.awaitNobody(); err != nil {
		return err
	}
	checks := c.Checks
	if len(checks) == 0 {
		checks = []dsar.Check{dsar.CheckIdentity}
	}
	d.record(ProofAsked{Act: Act{By: c.By, Reason: c.Reason, At: d.now}, Checks: checks, Pauses: d.Accepted.Terms.PausesForProof})
	return nil
}

func (c AskClarification) decide(d *decider) error {
	if err := d.awaitNobody(); err != nil {
		return err
	}
	d.record(ClarificationAsked{Act: Act{By: c.By, Reason: c.Reason, At: d.now}, Pauses: d.Accepted.Terms.PausesForClarification})
	return nil
}

// early is the error of a command that comes too late once something was erased
// or the answer is being written.
func (d *decider) early() error {
	if err := d.open(); err != nil {
		return err
	}
	if slices.ContainsFunc(d.Tasks, func(t TaskState) bool { return (t.Action == dsar.Erase || t.Action == dsar.Assemble) && t.Attempt > 0 }) {
		return fmt.Errorf("%w: it comes too late, the request is being carried out; cancel it to stop what is left", ErrNotAllowed)
	}
	return nil
}

func (d *decider) awaitNobody() error {
	if err := d.early(); err != nil {
		return err
	}
	if d.Awaited != "" {
		return ErrAwaited
	}
	return nil
}

func (c JudgeProof) decide(d *decider) error {
	due, err := d.goOn(RemindProof, c.Calendar)
	if err != nil {
		return err
	}
	e := ProofJudged{Act: Act{By: c.By, Reason: c.Reason, At: d.now}, Accepted: c.Accepted, DueAt: due}
	if instead := d.Accepted.Terms.Instead; !c.Accepted && (d.Right == dsar.Access || d.Right == dsar.Portability) {
		e.Instead = instead
	}
	d.record(e)
	switch {
	case c.Accepted:
	case e.Instead != "":
		d.dropStage()
	default:
		d.record(Refused{Act: Act{By: c.By, Reason: c.Reason, At: d.now}, Ground: NotProven})
	}
	return nil
}

func (c Clarify) decide(d *decider) error {
	due, err := d.goOn(RemindClarification, c.Calendar)
	if err != nil {
		return err
	}
	d.record(ClarificationGiven{Act: Act{By: c.By, Reason: c.Reason, At: d.now}, DueAt: due})
	return nil
}

// goOn is the due date after the person was awaited for something; the zero
// time where the clock didn't stand.
func (d *decider) goOn(awaited ReminderOf, calendar Calendar) (due time.Time, err error) {
	if err := d.open(); err != nil {
		return due, err
	}
	if d.Awaited != awaited {
		return due, ErrNotAwaited
	}
	if !d.Paused || d.DueAt.IsZero() {
		return due, nil
	}
	clock := d.clock()
	clock.Pauses = append(slices.Clone(clock.Pauses), Pause{From: d.AwaitedSince, Until: d.now})
	due, ok := calendarDue(calendar, clock)
	if !ok {
		return due, fmt.Errorf("%w: the calendar knows no due date for %s", ErrNotAllowed, d.Accepted.Jurisdiction)
	}
	return due, nil
}

// dropStage ends what was begun for a right that is not answered any more:
// nothing of it is disclosed.
func (d *decider) dropStage() {
	for _, t := range d.Tasks {
		if t.Action != dsar.Resolve && t.Status != TaskIsEnded {
			d.record(TaskEnded{System: t.System, Action: t.Action, Attempt: t.Attempt, Outcome: dsar.NotApplicable, Code: NotProven, Reason: "proof was not accepted: no copy is given", Moment: Moment{At: d.now}})
		}
	}
}

func (c Extend) decide(d *decider) error {
	if err := d.open(); err != nil {
		return err
	}
	switch {
	case c.Reason == "":
		return fmt.Errorf("%w: the person must be told the reason", ErrNotAllowed)
	case d.Extended:
		return fmt.Errorf("%w: it was extended before", ErrNotAllowed)
	case !d.Paused && !d.DueAt.IsZero() && d.now.After(d.DueAt):
		return fmt.Errorf("%w: the person must be told before the first due date", ErrNotAllowed)
	}
	clock := d.clock()
	clock.Extended = true
	due, ok := calendarDue(c.Calendar, clock)
	if !ok || !due.After(d.DueAt) {
		return fmt.Errorf("%w: the law of %s knows no extension", ErrNotAllowed, d.Accepted.Jurisdiction)
	}
	d.record(Extended{ReasonedAct: ReasonedAct{By: c.By, Reason: c.Reason, At: d.now}, DueAt: due})
	return nil
}

func calendarDue(c Calendar, clock Clock) (time.Time, bool) {
	if c == nil {
		return time.Time{}, false
	}
	return c.Due(clock)
}

func (c Refuse) decide(d *decider) error {
	if err := d.early(); err != nil {
		return err
	}
	if c.Ground != NotProven && !slices.Contains(d.Accepted.Terms.Refusals, c.Ground) {
		return fmt.Errorf("%w: the law of %s knows the grounds %v", ErrNotAllowed, d.Accepted.Jurisdiction, append([]string{NotProven}, d.Accepted.Terms.Refusals...))
	}
	d.record(Refused{Act: Act{By: c.By, Reason: c.Reason, At: d.now}, Ground: c.Ground})
	return nil
}

func (c Merge) decide(d *decider) error {
	if err := d.early(); err != nil {
		return err
	}
	if c.Into == "" || c.Into == d.Accepted.RequestID {
		return fmt.Errorf("%w: it can only be merged into another request", ErrNotAllowed)
	}
	d.record(Merged{Act: Act{By: c.By, Reason: c.Reason, At: d.now}, Into: c.Into})
	return nil
}
