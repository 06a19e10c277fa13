package core

import (
	"fmt"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// CodeCameBack is the code of a proof, made anew of an answered erasure, that has found
// records which were erased: a backup was restored, or another system wrote them again.
// A person decides whether they are erased once more, unless that is decided
// ([AskedAgain.Erase]).
const CodeCameBack = "came-back"

// ProveAgain asks systems again, by the keys of their plans, whether anything of an
// answered erasure has come back. What the person has anew isn't looked for.
type ProveAgain struct {
	By     string
	Reason string
	// Systems are those to ask; none means each that has a plan.
	Systems []string
	// Erase has what has come back erased again without asking a person.
	Erase bool
	Now   time.Time
}

func (c ProveAgain) now() time.Time { return c.Now }

// Again is the state of a proof of an answered erasure that is made anew.
type Again struct {
	Systems []string
	Erase   bool
	At      time.Time
	// Fact is the version of the fact that had it made.
	Fact int
	// Back is what had come back, by system.
	Back []CameBack
	// Erased are the systems of which the erasure was sent again.
	Erased []string
}

// CameBack is what of an erasure was found again in one system.
type CameBack struct {
	System string        `json:"system"`
	Counts []dsar.Counts `json:"counts"`
	Fact   int           `json:"fact"`
}

// Addendum is what was issued after a certificate.
type Addendum struct {
	Object dsar.Object
	Told   AgainAnswer
}

// AgainAnswer is what an addendum tells: how systems answered when an answered erasure
// was proven anew.
type AgainAnswer struct {
	Number  int           `json:"number"` // from 1
	AskedAt time.Time     `json:"asked_at"`
	Systems []AgainSystem `json:"systems"`
	// Fact is the version of the fact that had it proven anew.
	Fact int `json:"fact"`
}

// AgainSystem is one system's part in an [AgainAnswer].
type AgainSystem struct {
	System string `json:"system"`
	// Outcome is [dsar.Proven] where nothing is left but what must stay, and
	// [dsar.Incomplete] where a person left it at what there is.
	Outcome dsar.Outcome `json:"outcome"`
	At      time.Time    `json:"at"`
	// Back is what had come back, and Left what of that a person has left.
	Back []dsar.Counts `json:"back,omitempty"`
	Left []dsar.Counts `json:"left,omitempty"`
	// ByHand tells that a person, and no worker, says so.
	ByHand bool `json:"by_hand,omitempty"`
	// Fact is the version of the fact that says so, and BackFacts those that say what had
	// come back.
	Fact      int   `json:"fact"`
	BackFacts []int `json:"back_facts,omitempty"`
}

// Back returns how many records had come back.
func (a AgainAnswer) Back() (n int64) {
	for _, s := range a.Systems {
		for _, c := range s.Back {
			n += c.Found - c.Kept()
		}
	}
	return n
}

// Whole reports whether every system that was asked holds nothing any more but what must
// stay.
func (a AgainAnswer) Whole() bool {
	return !slices.ContainsFunc(a.Systems, func(s AgainSystem) bool { return s.Outcome != dsar.Proven })
}

// Unclaimed returns how many records were left that stand under the keys of erased ones, and are
// nobody's by what they say; and whether nothing else is left but what must stay.
func (a AgainAnswer) Unclaimed() (n int64, alone bool) {
	alone = true
	for _, s := range a.Systems {
		here := unclaimedIn(s.Left)
		n += here
		for _, c := range s.Left {
			alone = alone && c.Found == c.Kept() && (c.Uncovered == "" || c.Unclaimed > 0)
		}
		alone = alone && (s.Outcome == dsar.Proven || here > 0)
	}
	return n, alone && n > 0
}

func unclaimedIn(counts []dsar.Counts) (n int64) {
	for _, c := range counts {
		n += c.Unclaimed
	}
	return n
}

func (c ProveAgain) decide(d *decider) error {
	switch {
	case !d.Exists():
		return ErrUnknown
	case d.Right != dsar.Erasure || d.Status != StatusCompleted:
		return fmt.Errorf("%w: only an erasure that was answered is proven again", ErrNotAllowed)
	case !d.SubjectForgotten.IsZero():
		return fmt.Errorf("%w: whom it was about is forgotten", ErrNotAllowed)
	}
	planned := d.provable()
	for _, name := range c.Systems {
		if !slices.Contains(planned, name) {
			return fmt.Errorf("%w: nothing was planned in %s that it could be asked for by its keys", ErrNotAllowed, name)
		}
	}
	if len(c.Systems) > 0 {
		planned = slices.Compact(slices.Sorted(slices.Values(c.Systems)))
	}
	if len(planned) == 0 {
		return fmt.Errorf("%w: no system has a plan: there is nothing to ask for", ErrNotAllowed)
	}
	d.record(AskedAgain{Act: Act{By: c.By, Reason: c.Reason, At: d.now}, Systems: planned, Erase: c.Erase})
	return nil
}

// provable returns the systems that can be asked for what an erasure has touched, by the
// keys of their plans.
func (s State) provable() []string {
	if !s.SubjectForgotten.IsZero() { // the plans' keys are destroyed
		return nil
	}
	var names []string
	for _, sys := range s.Accepted.Systems {
		if sys.Can(dsar.Prove) && s.plan(sys) != nil && s.retired(sys.Name) == nil {
			names = append(names, sys.Name)
		}
	}
	return names
}

// askAgain has the proofs of some systems come again, and what ends in the answer.
func (s State) askAgain(systems []string) State {
	s.Status, s.Stage, s.EndedAt = StatusProving, dsar.Prove, time.Time{}
	return s.changeEach(func(_ int, t *TaskState) {
		if t.System == dsar.Aggregator || t.Action == dsar.Prove && slices.Contains(systems, t.System) {
			t.Status, t.StaleThrough = TaskIsDue, t.Attempt
		}
	})
}

// againDue asks again when the time for it has come.
func (d *decider) againDue() {
	if d.Status != StatusCompleted || !d.SubjectForgotten.IsZero() || d.AgainAt.IsZero() || d.now.Before(d.AgainAt) {
		return
	}
	d.record(AskedAgain{Act: Act{By: ByPolicy, At: d.now}, Systems: d.provable(), Erase: d.Accepted.EraseAgain})
}

// cameBack reports whether a report is of records that an answered erasure had erased and
// that are there again. After they were erased once more, what is still found is as
// after any erasure.
func (d *decider) cameBack(r dsar.Report, left int64) bool {
	return d.Again != nil && r.Action == dsar.Prove && left > 0 && !slices.Contains(d.Again.Erased, r.System)
}

// back takes up that records have come back: a person decides, unless that is decided.
func (d *decider) back(r dsar.Report, left int64) {
	d.fail(r, dsar.Incomplete, CodeCameBack, fmt.Sprintf("%d records that were erased are there again", left))
	if d.Again.Erase && !d.held(d.system(r.System)) {
		d.send(r.System, dsar.Erase, SentRetried)
	}
}

// backIn returns the state with what came back in a system.
func (s State) backIn(e TaskFailed) State {
	if s.Again == nil || e.Code != CodeCameBack {
		return s
	}
	again := *s.Again
	again.Back = append(slices.Clip(again.Back), CameBack{e.System, e.Counts, s.Version})
	s.Again = &again
	return s
}

// erasedAgain returns the state with a system's erasure sent again.
func (s State) erasedAgain(e TaskSent) State {
	if s.Again == nil || e.Action != dsar.Erase || slices.Contains(s.Again.Erased, e.System) {
		return s
	}
	again := *s.Again
	again.Erased = append(slices.Clip(again.Erased), e.System)
	s.Again = &again
	return s
}

// again returns what an addendum tells; nil where none is being made.
func (s State) again() *AgainAnswer {
	if s.Again == nil {
		return nil
	}
	a := &AgainAnswer{Number: len(s.Addenda) + 1, AskedAt: s.Again.At, Fact: s.Again.Fact}
	for _, name := range s.Again.Systems {
		t := s.Task(name, dsar.Prove)
		if t == nil {
			continue
		}
		one := AgainSystem{System: name, Outcome: t.End.Outcome, At: t.End.At, ByHand: t.End.By != "", Fact: t.End.Fact}
		for _, b := range s.Again.Back {
			if b.System == name {
				one.Back, one.BackFacts = sum(one.Back, s.toldCounts(name, b.Counts)), append(one.BackFacts, b.Fact)
			}
		}
		if t.End.Outcome != dsar.Proven {
			one.Left = s.toldCounts(name, t.End.Counts)
		}
		a.Systems = append(a.Systems, one)
	}
	return a
}
