package core

import (
	"fmt"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// ByPolicy is who decides where nobody did: the law's file.
const ByPolicy = "policy"

// open returns the error of a command that only a request which isn't answered
// takes.
func (d *decider) open() error {
	switch {
	case !d.Exists():
		return ErrUnknown
	case d.Status.Ended():
		return ErrEnded
	case !d.AnsweredAt.IsZero(), d.Status == StatusDelivering:
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
	d.record(d.proofAsked(c.By, c.Reason, checks))
	return nil
}

// proofAsked returns the question for proof: of identity, it is one of every
// identifier that the request came with.
func (d *decider) proofAsked(by, reason string, checks []dsar.Check) ProofAsked {
	e := ProofAsked{Act: Act{By: by, Reason: reason, At: d.now}, Checks: checks, Pauses: d.Accepted.Terms.PausesForProof}
	if slices.Contains(checks, dsar.CheckIdentity) {
		e.Identifiers = d.unproven()
	}
	return e
}

func (c AskClarification) decide(d *decider) error {
	if err := d.awaitNobody(); err != nil {
		return err
	}
	d.record(ClarificationAsked{Act: Act{By: c.By, Reason: c.Reason, At: d.now}, ToPerson: c.ToPerson, Pauses: d.Accepted.Terms.PausesForClarification})
	return nil
}

// early returns the error of a command that comes too late once something was
// erased or the answer is being written, by a worker or by hand: a task that a person
// has done was never sent (TestNothingErasedIsRefused).
func (d *decider) early() error {
	if err := d.open(); err != nil {
		return err
	}
	if slices.ContainsFunc(d.Tasks, func(t *TaskState) bool {
		return (t.Action == dsar.Erase || t.Action == dsar.Assemble) && (t.Attempt > 0 || t.Status == TaskIsEnded)
	}) {
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
	due, err := d.goOn(RemindProof, c.Calendar, c.Accepted && d.Accepted.Terms.StartsWithProof)
	if err != nil {
		return err
	}
	e := ProofJudged{Act: Act{By: c.By, Reason: c.Reason, At: d.now}, Accepted: c.Accepted, DueAt: due}
	switch {
	case c.Accepted:
		e.Identifiers, err = d.proven(c.Identifiers)
	case c.Without:
		e.Without, err = true, d.mayGoOnWithout()
	default:
		e.Failed, err = d.failed(c.Failed)
		if d.Right == dsar.Access || d.Right == dsar.Portability {
			e.Instead = d.Accepted.Terms.Instead
		}
	}
	if err != nil {
		return err
	}
	d.record(e)
	switch {
	case c.Accepted, c.Without:
	case e.Instead != "":
		d.dropStage()
	default:
		d.record(Refused{Act: Act{By: c.By, Reason: c.Reason, At: d.now}, Ground: GroundNotProven(e.Failed[0])})
	}
	return nil
}

// proven returns the identifiers that an accepted proof is of: those that are named, or
// all that were asked for.
func (d *decider) proven(named []string) ([]string, error) {
	if named == nil {
		return d.Proof.Identifiers, nil
	}
	for _, fingerprint := range named {
		if !slices.Contains(d.Proof.Identifiers, fingerprint) {
			return nil, fmt.Errorf("%w: proof of one of these identifiers was not asked for", ErrNotAllowed)
		}
	}
	if s := d.prove(named); len(s.Usable()) == 0 {
		return nil, fmt.Errorf("%w: nothing is proven then: reject the proof", ErrNotAllowed)
	}
	return named, nil
}

// mayGoOnWithout returns the error of going on without what is not proven.
func (d *decider) mayGoOnWithout() error {
	switch {
	case slices.ContainsFunc(d.Proof.Checks, func(c dsar.Check) bool { return c != dsar.CheckIdentity }):
		return fmt.Errorf("%w: who may ask on the person's behalf must be proven", ErrNotAllowed)
	case len(d.Usable()) == 0:
		return fmt.Errorf("%w: no identifier is verified or proven: there is nothing to go on with", ErrNotAllowed)
	default:
		return nil
	}
}

// failed returns what a rejected proof has not proven: what is named, or all that was
// asked for. Of several, identity comes first.
func (d *decider) failed(named []dsar.Check) ([]dsar.Check, error) {
	var out []dsar.Check
	for _, c := range d.Proof.Checks {
		if len(named) == 0 || slices.Contains(named, c) {
			out = append(out, c)
		}
	}
	if len(out) == 0 || len(named) > len(out) {
		return nil, fmt.Errorf("%w: the person was asked to prove %v", ErrNotAllowed, d.Proof.Checks)
	}
	return out, nil
}

func (c Clarify) decide(d *decider) error {
	due, err := d.goOn(RemindClarification, c.Calendar, false)
	if err != nil {
		return err
	}
	d.record(ClarificationGiven{Act: Act{By: c.By, Reason: c.Reason, At: d.now}, DueAt: due})
	return nil
}

// goOn returns the due date after the person was awaited for something; the zero
// time where the clock didn't stand. starts says that the period begins only now.
func (d *decider) goOn(awaited ReminderOf, calendar Calendar, starts bool) (due time.Time, err error) {
	if err := d.open(); err != nil {
		return due, err
	}
	if d.refusing() {
		return due, ErrRefusalWaits
	}
	if d.Awaited != awaited {
		return due, ErrNotAwaited
	}
	if !d.Paused || d.DueAt.IsZero() {
		return due, nil
	}
	clock := d.clock()
	clock.Pauses = append(slices.Clone(clock.Pauses), Pause{From: d.AwaitedSince, Until: d.now})
	if starts {
		clock.StartedAt = d.now
	}
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
		if t.Status != TaskIsEnded {
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
	case !d.Paused && !d.DueAt.IsZero() && d.now.After(d.DueAt):
		return fmt.Errorf("%w: the person must be told before the day on which it is due", ErrNotAllowed)
	}
	clock := d.clock()
	clock.Extensions++
	due, ok := calendarDue(c.Calendar, clock)
	if !ok && d.Extensions > 0 {
		return fmt.Errorf("%w: it was extended as often as the law of %s lets it", ErrNotAllowed, d.Accepted.Jurisdiction)
	}
	if !ok || !due.After(d.DueAt) {
		return fmt.Errorf("%w: the law of %s knows no extension", ErrNotAllowed, d.Accepted.Jurisdiction)
	}
	d.record(Extended{ReasonedAct: ReasonedAct{By: c.By, Reason: c.Reason, At: d.now}, ToPerson: c.ToPerson, DueAt: due})
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
	if err := d.correctedAlready(); err != nil {
		return err
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
