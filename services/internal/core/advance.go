package core

import (
	"slices"

	"habeas.dev/pkg/dsar"
)

// advance records everything that now follows by itself: stages that begin,
// tasks whose turn it is, the end, or that a person is needed.
func (d *decider) advance() {
	stages := d.Right.Stages()
	if !d.Exists() || d.Status.Ended() || d.stands() || len(stages) == 0 {
		return
	}
	if d.Status == StatusDelivering {
		d.tell()
		return
	}
	if d.Stage == "" && (d.waitsForJudgement() || d.waitsForLookBack()) {
		d.callForJudgement()
		return
	}
	if d.Stage == "" {
		d.record(StageStarted{Stage: stages[0], Moment: Moment{At: d.now}})
	}
	for {
		d.resolve()
		d.doubtCarried()
		if d.waitsForJudgement() { // before anybody is asked by what may be somebody else's
			d.callForJudgement()
			return
		}
		for d.act() {
		}
		if !d.stageIsOver() {
			break
		}
		next := slices.Index(stages, d.Stage) + 1
		if next == len(stages) {
			d.complete()
			return
		}
		if d.waitsForJudgement() {
			d.callForJudgement()
			return
		}
		if d.waitsForLookBack() || d.waitsForRecourse() || d.waitsForLost() || d.waitsForCopies() || d.waitsForKept() {
			return
		}
		d.record(StageStarted{Stage: stages[next], Moment: Moment{At: d.now}})
	}
	d.callForAttention()
}

// resolve asks every system that can find more identifiers from those that are
// known, and asks it again when more are known.
func (d *decider) resolve() {
	for _, sys := range d.Accepted.Systems {
		if reason, due := d.resolveIsDue(sys); due {
			d.send(sys.Name, dsar.Resolve, reason)
		}
	}
}

func (d *decider) resolveIsDue(sys dsar.System) (SendReason, bool) {
	by := known(d.Usable(), sys.ResolvesBy())
	if !sys.Can(dsar.Resolve) || len(by) == 0 || d.Again != nil || d.retired(sys.Name) != nil {
		return "", false
	}
	t := d.Task(sys.Name, dsar.Resolve)
	if t == nil {
		return SentFirst, true
	}
	if t.Status != TaskIsEnded || t.Rounds >= MaxResolves {
		return "", false
	}
	for _, id := range by {
		// What it found itself leads it on where its links say so, and where it was in doubt.
		if !slices.Contains(t.Asked, id.Fingerprint) && (id.FoundBy != sys.Name || sys.LeadsOn(id.Type) || d.link(sys, id).Weak) {
			return SentFurther, true
		}
	}
	return "", false
}

// awaited returns the identifier types that may still be found: those of every
// system that is resolving or has failed to, and of those that could go on from
// what these find.
func (d *decider) awaited() []dsar.IdentifierType {
	var types []dsar.IdentifierType
	var added []string
	for again := true; again; {
		again = false
		for _, sys := range d.Accepted.Systems {
			if !sys.Can(dsar.Resolve) || slices.Contains(added, sys.Name) {
				continue
			}
			t := d.Task(sys.Name, dsar.Resolve)
			open := t != nil && t.Status != TaskIsEnded
			if open || overlap(sys.ResolvesBy(), types) {
				types = append(types, sys.Finds...)
				added = append(added, sys.Name)
				again = true
			}
		}
	}
	return types
}

// act asks every system for the current stage's action, as far as its turn has
// come, and ends at once what needs no asking. It reports whether a task
// ended by that: another system's turn may have come.
func (d *decider) act() (ended bool) {
	if d.Stage == dsar.Assemble {
		d.assemble()
		return false
	}
	awaited := d.awaited()
	for _, sys := range d.Accepted.Systems {
		d.proveAgain(sys)
		d.restrictHeld(sys)
		if t := d.Task(sys.Name, d.Stage); t != nil && t.Status != TaskIsDue {
			continue
		}
		switch {
		case d.notAsked(sys.Name):
			ended = true
		case overlap(sys.Needs, awaited): // somebody may yet find what it needs
		case d.Stage == dsar.Prove && d.erasedByHand(sys):
			d.record(TaskEnded{System: sys.Name, Action: dsar.Prove, Outcome: dsar.NotApplicable, Code: "by-hand", Reason: "a person attested the erasure", Moment: Moment{At: d.now}})
			ended = true
		case len(known(d.usableFor(d.Stage), sys.Needs)) == 0 && len(known(d.Identifiers, sys.Needs)) > 0:
			d.record(TaskEnded{System: sys.Name, Action: d.Stage, Outcome: dsar.NotApplicable, Code: CodeNotProven, Reason: "the identifiers that it can be asked by are not proven", Moment: Moment{At: d.now}})
			ended = true
		case d.Stage == dsar.Restrict && d.Accepted.Terms.ByPurpose && len(d.ends(sys)) == 0:
			d.record(TaskEnded{System: sys.Name, Action: dsar.Restrict, Outcome: dsar.NotApplicable, Code: CodeNoPurpose, Reason: "its data is used for none of the purposes that are to end", Moment: Moment{At: d.now}})
			ended = true
		case !sys.Can(d.Stage):
			d.record(TaskFailed{System: sys.Name, Action: d.Stage, Outcome: dsar.Manual, Code: "no-ability", Reason: "no worker can " + string(d.Stage) + " in this system; a person must", Moment: Moment{At: d.now}})
		case len(known(d.usableFor(d.Stage), sys.Needs)) == 0 && d.nobodyAsked(sys):
			d.record(TaskFailed{System: sys.Name, Action: d.Stage, Outcome: dsar.Manual, Code: CodeNobodyAsked, Reason: "no system can be asked by what is known of the person", Moment: Moment{At: d.now}})
		case len(known(d.usableFor(d.Stage), sys.Needs)) == 0:
			d.record(TaskEnded{System: sys.Name, Action: d.Stage, Outcome: dsar.NotApplicable, Code: codeNoIdentifier, Reason: "none of the identifiers that it can be asked by is known", Moment: Moment{At: d.now}})
			ended = true
		case d.Stage == dsar.Erase && d.plannedNothing(sys):
			d.record(TaskEnded{System: sys.Name, Action: dsar.Erase, Outcome: dsar.NothingFound, Code: "planned-nothing", Reason: "the plan found nothing to erase", Moment: Moment{At: d.now}})
			ended = true
		case d.lacksKeys(sys):
			d.record(TaskFailed{System: sys.Name, Action: d.Stage, Outcome: dsar.Manual, Code: CodeNoKeys, Reason: "no plan has the keys of what had to stay: a retry goes by identifiers, and what the person has anew would go as well", Moment: Moment{At: d.now}})
		case d.Stage == dsar.Erase && !d.erased(sys.EraseAfter): // its turn comes
		case d.Stage == dsar.Rectify && d.waitsForApproval(): // a person looks first
		default:
			d.send(sys.Name, d.Stage, d.turn(sys))
			if d.Task(sys.Name, d.Stage).Status == TaskIsEnded { // by a hold
				d.restrictHeld(sys)
				ended = true
			}
		}
	}
	return ended
}

// turn returns why a system's turn has come: for the first time, or because a
// person had its erasure begun anew.
func (d *decider) turn(sys dsar.System) SendReason {
	if t := d.Task(sys.Name, d.Stage); t != nil && d.AnsweredAt.IsZero() {
		return SentRetried
	}
	return SentFirst
}

// assemble sends the last task: once everything is done, and once more when what
// it lacked was gathered again.
func (d *decider) assemble() {
	t := d.Task(dsar.Aggregator, dsar.Assemble)
	switch {
	case t == nil || t.Status == TaskIsDue:
		d.oweNotices()
		d.send(dsar.Aggregator, dsar.Assemble, SentFirst)
	case t.Status == TaskIsFailed && t.After != d.gatherings() &&
		!slices.ContainsFunc(d.Tasks, func(t *TaskState) bool { return t.Action == dsar.Gather && t.Status != TaskIsEnded }):
		d.send(dsar.Aggregator, dsar.Assemble, SentRetried)
	}
}

// proveAgain sends a proof that failed because records were still there, once
// the erasure that a person asked for has ended. By then another system's erasure
// may have been taken up anew, and the stage be an earlier one.
func (d *decider) proveAgain(sys dsar.System) {
	prove, erase := d.Task(sys.Name, dsar.Prove), d.Task(sys.Name, dsar.Erase)
	if prove != nil && prove.Status == TaskIsFailed && !slices.Contains(d.Missing, sys.Name) && erase != nil && erase.Status == TaskIsEnded && erase.Attempt > prove.After {
		d.send(sys.Name, dsar.Prove, SentRetried)
	}
}

// erasedByHand reports whether a person ended the erasure in a system that no
// worker can ask: then none can prove it, either.
func (d *decider) erasedByHand(sys dsar.System) bool {
	t := d.Task(sys.Name, dsar.Erase)
	return !sys.Can(dsar.Prove) && t != nil && t.Status == TaskIsEnded
}

func (d *decider) plannedNothing(sys dsar.System) bool {
	t := d.Task(sys.Name, dsar.Plan)
	return t != nil && t.End.Outcome == dsar.NothingFound
}

// CodeNobodyAsked is the code of the last system of a request of which no system can be
// asked anything: a person looks at what it names before it is answered.
const CodeNobodyAsked = "nobody-asked"

// codeNoIdentifier is that of a system of which the request names nothing that it goes by.
const codeNoIdentifier = "no-identifier"

// nobodyAsked reports whether a system is the last of all, and none was asked anything, since
// none of them is asked by what the request names. Such a request would end by itself with
// an answer that nobody has looked for.
func (d *decider) nobodyAsked(last dsar.System) bool {
	if d.Again != nil || d.Stage != d.Right.Stages()[0] {
		return false
	}
	for _, sys := range d.Accepted.Systems {
		if d.Task(sys.Name, dsar.Resolve) != nil {
			return false
		}
		if sys.Name == last.Name {
			continue
		}
		t := d.Task(sys.Name, d.Stage)
		if t == nil || t.Status != TaskIsEnded || t.End.Outcome != dsar.NotApplicable || t.End.Code != codeNoIdentifier && t.End.Code != CodeRetired {
			return false
		}
	}
	return true
}

// erased reports whether all of these systems have ended their erasure. One that
// the request doesn't reach has nothing to wait for.
func (d *decider) erased(systems []string) bool {
	for _, name := range systems {
		if !slices.ContainsFunc(d.Accepted.Systems, func(s dsar.System) bool { return s.Name == name }) {
			continue
		}
		if t := d.Task(name, dsar.Erase); t == nil || t.Status != TaskIsEnded {
			return false
		}
	}
	return true
}

// stageIsOver reports whether every system has ended the stage, and nobody is still
// busy with anything else.
func (d *decider) stageIsOver() bool {
	if d.Stage == dsar.Assemble {
		t := d.Task(dsar.Aggregator, dsar.Assemble)
		return t != nil && t.Status == TaskIsEnded
	}
	for _, sys := range d.Accepted.Systems {
		if t := d.Task(sys.Name, d.Stage); t == nil || t.Status == TaskIsDue {
			return false
		}
	}
	// What is due again is of a later stage.
	return !slices.ContainsFunc(d.Tasks, func(t *TaskState) bool { return t.Status != TaskIsEnded && t.Status != TaskIsDue })
}

func (d *decider) complete() {
	var made dsar.Object
	if objects := d.Task(dsar.Aggregator, dsar.Assemble).End.Objects; len(objects) > 0 {
		made = objects[0]
	}
	if d.Again != nil {
		d.record(AddendumIssued{Addendum: made, Number: len(d.Addenda) + 1, Moment: Moment{At: d.now}})
		return
	}
	if d.Accepted.ToldBy != "" && d.AnsweredAt.IsZero() { // a later certificate holds nothing up
		d.record(AnswerAvailable{Bundle: made, Moment: Moment{At: d.now}})
		return
	}
	d.record(Completed{Bundle: made, Moment: Moment{At: d.now}})
}

// callForAttention records, once, that nothing moves by itself any more.
func (d *decider) callForAttention() {
	if d.Status == StatusNeedsAttention {
		return
	}
	e := AttentionNeeded{Moment: Moment{At: d.now}}
	for _, t := range d.Tasks {
		switch t.Status {
		case TaskIsSent, TaskIsParked:
			return
		case TaskIsFailed:
			if !slices.Contains(e.Systems, t.System) {
				e.Systems = append(e.Systems, t.System)
			}
			if e.Reason == "" {
				e.Reason = t.System + ": " + t.End.said()
			}
		}
	}
	if e.Reason == "" && d.waitsForApproval() {
		e.Systems, e.Code, e.Reason = []string{}, CodeCorrectionReview, "nothing is corrected before a person has looked"
	}
	if e.Reason == "" {
		e.Reason = "nothing can go on, though no task has failed: the erase order has a cycle"
	}
	slices.Sort(e.Systems)
	d.record(e)
}

func overlap(a, b []dsar.IdentifierType) bool {
	return slices.ContainsFunc(a, func(t dsar.IdentifierType) bool { return slices.Contains(b, t) })
}
