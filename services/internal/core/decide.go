package core

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
)

const (
	// MaxPark bounds how far ahead a worker may park a task: longer than any
	// quota's renewal that we know of, short enough to be noticed.
	MaxPark = 7 * 24 * time.Hour
	// MaxResolves bounds for how many sets of identifiers of one request a system
	// is asked to resolve: systems that find each other's identifiers
	// in turn must come to an end.
	MaxResolves = 5
	// MaxProofs is how often a system that still shows erased records is asked
	// again, at growing distances from [ProofDelay] on: an accepted deletion
	// may be seen late. With 6 proofs that is half an hour.
	MaxProofs = 6
	// ProofDelay is the wait before the second proof; each further one doubles.
	ProofDelay = time.Minute
)

// Decide says which facts follow from a command. It returns none where the
// command changes nothing (a report that came twice). The facts MUST be
// recorded all together or not at all, on exactly the state that was given.
func Decide(s State, c Command) ([]Event, error) {
	d := &decider{State: s, now: c.now()}
	if err := d.fourEyes(c); err != nil {
		return nil, err
	}
	if err := c.decide(d); err != nil {
		return nil, err
	}
	d.advance()
	return d.events, nil
}

// decider collects facts, each applied at once, so that what follows from one
// is decided on the state after it.
type decider struct {
	State
	now    time.Time
	events []Event
}

func (d *decider) record(e Event) {
	d.events = append(d.events, e)
	d.State = Evolve(d.State, e)
}

func (c Submit) decide(d *decider) error {
	if d.Exists() {
		if d.Accepted.Digest != c.Digest {
			return ErrConflict
		}
		return nil
	}
	switch {
	case c.RequestID == "":
		return fmt.Errorf("%w: no request_id", ErrInvalid)
	case !c.Right.Valid():
		return fmt.Errorf("%w: unknown right", ErrInvalid)
	case c.About != nil && !c.Right.Decided():
		return fmt.Errorf("%w: only what a person decides is about an earlier request", ErrInvalid)
	case len(c.Identifiers) == 0:
		return fmt.Errorf("%w: no identifier", ErrInvalid)
	case len(c.Systems) > 0 && c.Right.Decided():
		return fmt.Errorf("%w: a person decides %s, and no system is asked", ErrInvalid, c.Right)
	case len(c.Systems) == 0 && !c.Right.Decided():
		return fmt.Errorf("%w: no system to ask", ErrInvalid)
	}
	d.record(c.Accepted)
	d.takeUp(c.TakeUp)
	if d.Status.Ended() {
		return nil
	}
	d.comesOver(c.Holds)
	if t := c.Terms; len(t.Checks) > 0 {
		d.record(d.proofAsked(ByPolicy, "", t.Checks))
	}
	d.overdue() // its time may have run out before it came in
	return nil
}

func (c TakeReport) decide(d *decider) error {
	r := c.Report
	if !d.Exists() {
		return ErrUnknown
	}
	if r.Kind == dsar.ReportRefused { // of whatever came: there needn't be such a task
		return Disbelieve{System: r.System, Action: r.Action, Attempt: r.Attempt, Message: MessageTask, Code: r.Code, Now: d.now}.decide(d)
	}
	if d.wasNamed(r.System) { // it was asked anew under its other name
		return nil
	}
	t := d.Task(r.System, r.Action)
	if t == nil || r.Attempt < 1 || r.Attempt > t.Attempt {
		return ErrStray
	}
	if d.Status.Ended() || t.Status == TaskIsEnded || r.Attempt <= t.StaleThrough {
		return nil
	}
	// What an earlier attempt has done is done. But a resolve, a plan or a
	// proof is of what was known or there at its own time.
	// And what an earlier gathering left may be what the answer lacks.
	current := t.Status == TaskIsSent && r.Attempt == t.Attempt
	late := r.Kind == dsar.ReportEnded && r.Attempt < t.Attempt && r.Action != dsar.Resolve && r.Action != dsar.Plan && r.Action != dsar.Prove &&
		(r.Action != dsar.Gather || d.Stage == dsar.Gather)
	if !current && !late {
		return nil
	}
	//exhaustive:enforce
	switch r.Kind {
	case dsar.ReportProgress:
		d.record(TaskProgressed{System: r.System, Action: r.Action, Attempt: r.Attempt, Records: r.Records, Deadline: d.now.Add(d.lease(r.System, 0)), Moment: Moment{At: d.now}})
	case dsar.ReportParked:
		d.park(r, d.until(r.Until), r.Code, r.Reason)
	case dsar.ReportFailed:
		outcome := dsar.Failed
		switch {
		case d.restrictsHeld(r.Action): // a person may leave it at that
			outcome = dsar.Incomplete
		case r.Outcome == dsar.Manual:
			outcome = dsar.Manual
		}
		d.fail(r, outcome, r.Code, r.Reason)
	case dsar.ReportEnded:
		d.ended(r)
	case dsar.ReportRefused: // noted above
	default:
		return fmt.Errorf("%w: unknown kind", ErrStray)
	}
	return nil
}

// ended records the end of a task, unless its counts say that it isn't one.
func (d *decider) ended(r dsar.Report) {
	left := int64(0)
	for _, c := range r.Counts {
		left += c.Found - c.Kept()
	}
	if r.Action == dsar.Erase {
		r.Counts = d.withEarlier(r.Counts, r.System)
	}
	reassigned := r.Action == dsar.Prove && d.leftByErase(&r)
	missing := uncovered(r.Counts)
	if len(missing) > 0 {
		r.Outcome, r.Code = dsar.Incomplete, dsar.CodeNotCovered
		switch {
		case reassigned:
			r.Code = CodeLeftReassigned
		case unclaimed(r.Counts):
			r.Code = CodeLeftUnclaimed
		}
		r.Reason = cmp.Or(r.Reason, "not covered: "+strings.Join(missing, ", "))
	}
	switch {
	case r.Action == dsar.Plan && d.Right == dsar.Erasure && left > d.brake(r.System):
		d.fail(r, dsar.Failed, dsar.CodePlanTooLarge, fmt.Sprintf("%d records would be erased, more than the %d that the manifest expects of one person", left, d.brake(r.System)))
		return
	case r.Action == dsar.Prove && left > 0 && d.held(d.system(r.System)):
		r.Counts = withHeld(r.Counts)
		if r.Outcome == dsar.Found { // nothing but what must stay
			r.Outcome = dsar.Proven
		}
	case r.Action == dsar.Rectify && unchanged(r.Counts) != "":
		reason := "these can't be corrected by machine; a person must: " + unchanged(r.Counts)
		if len(missing) > 0 {
			reason += "; besides, not covered: " + strings.Join(missing, ", ")
		}
		d.fail(r, dsar.Manual, CodeFieldsUnchanged, reason)
		return
	case r.Action == dsar.Rectify && d.correctsRefused(r) != "":
		d.fail(r, dsar.Failed, CodeRefusedCorrected, "corrected, though a person has refused it: "+d.correctsRefused(r)+"; its worker is older than that, or wrong")
		return
	case d.cameBack(r, left):
		d.back(r, left)
		return
	case r.Action == dsar.Prove && left > 0 && len(missing) == 0:
		parked := d.Task(r.System, r.Action).Parked
		if parked+1 >= MaxProofs {
			d.fail(r, dsar.Failed, "still-there", fmt.Sprintf("%d records are still found after the erasure", left))
			return
		}
		d.park(r, d.now.Add(ProofDelay<<parked), "still-there", fmt.Sprintf("%d records are still found after the erasure; asked again later", left))
		return
	}
	if reason := cmp.Or(d.keptGone(r), d.keptErased(r)); reason != "" {
		d.fail(r, dsar.Failed, CodeKeptGone, reason)
		return
	}
	if reason := d.unmet(r); reason != "" {
		d.fail(r, dsar.Incomplete, dsar.CodePlanUnmet, reason)
		return
	}
	if reason := d.lateTooMany(r); reason != "" {
		d.fail(r, dsar.Incomplete, CodeLateTooMany, reason)
		return
	}
	if len(missing) > 0 && d.isLast(r.Action) {
		d.fail(r, dsar.Incomplete, r.Code, r.Reason)
		return
	}
	var found []dsar.Identifier
	if r.Action == dsar.Resolve {
		f := d.judgeFound(d.system(r.System), r.Identifiers)
		if f.leftOut > 0 {
			r.Notes = append(slices.Clip(r.Notes), fmt.Sprintf("%d identifiers were left out: they were found by what isn't proven, or are of a type that the manifest doesn't say it finds", f.leftOut))
		}
		if f.Code != "" {
			r.Identifiers = f.all
			d.fail(r, dsar.Manual, f.Code, f.reason)
			return
		}
		found = f.all
	}
	d.record(TaskEnded{System: r.System, Action: r.Action, Attempt: r.Attempt, Outcome: r.Outcome, Counts: r.Counts, Objects: r.Objects,
		Identifiers: found, Code: r.Code, Reason: r.Reason, Cause: r.Cause, Findings: r.Findings, Detail: r.Detail, Notes: r.Notes, Moment: Moment{At: d.now}})
}

// unchanged names the columns that a system holds and has corrected nowhere. One
// that it corrected in one dataset and keeps in another, as it was at the time,
// is told to the person, and no matter for another person.
func unchanged(counts []dsar.Counts) string {
	var names []string
	for _, c := range counts {
		for _, column := range c.Unchanged {
			if !slices.ContainsFunc(counts, func(o dsar.Counts) bool { return slices.Contains(o.Changed, column) }) {
				names = append(names, c.Dataset+"."+column)
			}
		}
	}
	return strings.Join(names, ", ")
}

// until returns when a parked task is sent again: not in the past, and not further
// than MaxPark ahead.
func (d *decider) until(t time.Time) time.Time {
	if t.Before(d.now) {
		return d.now
	}
	if limit := d.now.Add(MaxPark); t.After(limit) {
		return limit
	}
	return t
}

func (d *decider) park(r dsar.Report, until time.Time, code, reason string) {
	d.record(TaskParked{System: r.System, Action: r.Action, Attempt: r.Attempt, Until: until, Code: code, Reason: reason, Cause: r.Cause, Findings: r.Findings, Detail: r.Detail, Notes: r.Notes, Moment: Moment{At: d.now}})
}

func (d *decider) fail(r dsar.Report, o dsar.Outcome, code, reason string) {
	d.record(TaskFailed{System: r.System, Action: r.Action, Attempt: r.Attempt, Outcome: o, Counts: r.Counts, Objects: r.Objects, Identifiers: r.Identifiers, Code: code, Reason: reason, Cause: r.Cause, Findings: r.Findings, Detail: r.Detail, Notes: r.Notes, Moment: Moment{At: d.now}})
}

func (c Tick) decide(d *decider) error {
	if !d.Exists() {
		return ErrUnknown
	}
	if d.Status.Ended() {
		d.remind()
		d.endRetention()
		d.againDue()
		return nil
	}
	d.overdue()
	d.remind()
	if d.stands() {
		return nil
	}
	for _, t := range d.Tasks {
		switch {
		case t.Status == TaskIsSent && !d.now.Before(t.Deadline):
			d.send(t.System, t.Action, SentUnheard)
		case t.Status == TaskIsParked && !d.now.Before(t.Until):
			d.send(t.System, t.Action, SentParked)
		}
	}
	return nil
}

// overdue records, once, that the due date has passed.
func (d *decider) overdue() {
	if !d.Overdue && d.running() && !d.now.Before(d.DueAt) {
		d.record(Overdue{DueAt: d.DueAt, Moment: Moment{At: d.now}})
	}
}

func (c Retry) decide(d *decider) error {
	if !d.Exists() {
		return ErrUnknown
	}
	switch {
	case d.Status.Ended():
		return ErrEnded
	case d.Awaited != "":
		return ErrAwaited
	case d.refusing():
		return ErrRefusalWaits
	}
	var again []*TaskState
	var systems []string
	answer := d.Task(dsar.Aggregator, dsar.Assemble)
	for _, t := range d.Tasks {
		if !d.answersBy(t.Action) {
			continue // of the right that was asked for, before another is answered instead
		}
		named := slices.Contains(c.Systems, t.System)
		lost := t.Action == dsar.Gather && t.Status == TaskIsEnded && answer != nil && answer.lacksRecords()
		if t.Status == TaskIsFailed && (named || len(c.Systems) == 0) || (t.Status == TaskIsParked || lost) && named {
			again = append(again, t)
			if !slices.Contains(systems, t.System) {
				systems = append(systems, t.System)
			}
		}
	}
	if len(again) == 0 {
		return ErrNothingToRetry
	}
	anew := d.anew(again)
	d.record(Retried{Act: Act{By: c.By, Reason: c.Reason, At: d.now}, Systems: systems, AcceptPlan: c.AcceptPlan, Anew: anew})
	for _, t := range again {
		if d.Task(t.System, t.Action).Status != TaskIsDue { // its turn comes
			d.retry(t, c.AcceptPlan)
		}
	}
	return nil
}

func (d *decider) retry(t *TaskState, acceptPlan bool) {
	switch {
	case t.End.Outcome == dsar.Manual && t.Attempt == 0:
		// No worker can do it: it stays with the person, and the request comes
		// back to them when nothing else moves.
	case t.End.Code == dsar.CodePlanTooLarge && acceptPlan:
		d.record(TaskEnded{System: t.System, Action: t.Action, Attempt: t.Attempt, Outcome: dsar.Found, Counts: t.End.Counts, Objects: t.End.Objects, Code: "plan-accepted", Reason: "a person accepted the plan", Moment: Moment{At: d.now}})
	case t.End.Code == CodeLateTooMany && acceptPlan:
		outcome := dsar.Erased
		if !slices.ContainsFunc(t.End.Counts, func(c dsar.Counts) bool { return c.Erased > 0 }) {
			outcome = dsar.Anonymised
		}
		if len(uncovered(t.End.Counts)) > 0 {
			outcome = dsar.Incomplete
		}
		d.record(TaskEnded{System: t.System, Action: t.Action, Attempt: t.Attempt, Outcome: outcome, Counts: t.End.Counts, Objects: t.End.Objects, Code: "late-accepted", Reason: "a person accepted what was erased besides the plan", Moment: Moment{At: d.now}})
	case t.End.Code == CodeLateTooMany: // it is done: who erased once more would hear less of it
	case t.foundAgain() && !d.held(d.system(t.System)):
		// Asking once more would find the same: erase again, then prove.
		d.send(t.System, dsar.Erase, SentRetried)
	case t.Action == dsar.Assemble && t.lacksRecords():
		// Assembling once more would lack the same: gather again, then assemble.
		if t.After == d.gatherings() && !d.gatherAgain() {
			d.send(t.System, t.Action, SentRetried)
		}
	default:
		d.send(t.System, t.Action, SentRetried)
	}
}

// lacksRecords reports whether an answer could not be assembled because something
// that was gathered is gone or damaged.
func (t *TaskState) lacksRecords() bool {
	return t.Action == dsar.Assemble && t.Status == TaskIsFailed && (t.End.Code == dsar.CodeObjectMissing || t.End.Code == dsar.CodeObjectDamaged)
}

// answersBy reports whether the right that is answered asks systems for an action. Where
// the person wasn't proven, that may be a lesser right than the one that was asked for
// ([Terms.Instead]): what was gathered for that one isn't asked for again.
func (s State) answersBy(a dsar.Action) bool {
	return a == dsar.Resolve || s.restrictsHeld(a) || slices.Contains(s.Right.Stages(), a)
}

// gatherAgain asks everybody who left records in the vault for them once more:
// the report of what is lost doesn't say whose it was. It is false where nobody
// did.
func (d *decider) gatherAgain() (sent bool) {
	for _, t := range d.Tasks {
		if t.Action == dsar.Gather && len(t.End.Objects) > 0 && d.answersBy(t.Action) {
			d.send(t.System, dsar.Gather, SentRetried)
			sent = true
		}
	}
	return sent
}

func (c Cancel) decide(d *decider) error {
	if err := d.open(); err != nil {
		return err
	}
	// An erasure that has got as far as its proof has erased all there was.
	if d.Stage == dsar.Prove || slices.ContainsFunc(d.Tasks, func(t *TaskState) bool { return t.Action.Destructive() && t.Attempt > 0 }) {
		return ErrBegun
	}
	d.record(Cancelled{Act: Act{By: c.By, Reason: c.Reason, At: d.now}})
	return nil
}

// send records that a task goes out (again).
func (d *decider) send(system string, action dsar.Action, reason SendReason) {
	if d.notSent(system, action) {
		return
	}
	if sys := d.system(system); action == dsar.Erase && d.held(sys) && !sys.Holds {
		d.heldEnd(sys)
		return
	} else if action == dsar.Erase && d.plan(sys) == nil {
		d.refusePlanless(system)
		return
	}
	attempt, unheard := 1, 0
	if t := d.Task(system, action); t != nil {
		attempt = t.Attempt + 1
		if reason == SentUnheard {
			unheard = t.Unheard + 1
		}
	}
	d.record(TaskSent{System: system, Action: action, Attempt: attempt, Reason: reason, Deadline: d.now.Add(d.lease(system, unheard)), Moment: Moment{At: d.now}})
}

// lease returns how long to wait for a task that went unheard so many times in a
// row.
func (d *decider) lease(system string, unheard int) time.Duration {
	lease := cmp.Or(d.system(system).Lease, d.Accepted.Lease, dsar.DefaultLease)
	for range unheard {
		if lease *= 2; lease >= dsar.MaxLease {
			return dsar.MaxLease
		}
	}
	return lease
}
