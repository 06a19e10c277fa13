package core

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Finding is what a person decided: whether who asked is given what they asked for.
type Finding string

// The findings.
const (
	Upheld       Finding = "upheld"
	PartlyUpheld Finding = "partly-upheld"
	Dismissed    Finding = "dismissed"
)

// Findings lists them, the one that grants the most first.
func Findings() []Finding { return []Finding{Upheld, PartlyUpheld, Dismissed} }

// DecideGrievance ends a request of a right that a person decides ([dsar.Right.Decided])
// with what was decided, and why, in words that who asked reads. Who refused the request
// that an appeal or a complaint is about MUST NOT decide it; where such a one is upheld, the
// refused request is to be taken up again first ([Reopen]).
type DecideGrievance struct {
	By      string
	Finding Finding
	Reason  string
	// Reopened tells that the earlier request was taken up again.
	Reopened bool
	Now      time.Time
}

func (c DecideGrievance) now() time.Time { return c.Now }

func (c DecideGrievance) decide(d *decider) error {
	if err := d.open(); err != nil {
		return err
	}
	about := cmp.Or(d.Accepted.About, &About{})
	switch {
	case !d.Right.Decided():
		return fmt.Errorf("%w: systems carry %s out, and nobody decides it", ErrNotAllowed, d.Right)
	case c.Reopened && about.RequestID == "":
		return fmt.Errorf("%w: it is about no earlier request that could be taken up again", ErrNotAllowed)
	case d.Awaited != "":
		return ErrAwaited
	case !slices.Contains(Findings(), c.Finding):
		return fmt.Errorf("%w: a finding is one of %v", ErrNotAllowed, Findings())
	case c.Reason == "":
		return fmt.Errorf("%w: the person must be told the reason", ErrNotAllowed)
	case slices.ContainsFunc(about.DecidedBy, func(by string) bool { return sameActor(by, c.By) }):
		return fmt.Errorf("%w: who decided the request that it is about doesn't decide this", ErrNotAllowed)
	}
	d.record(GrievanceDecided{ReasonedAct: ReasonedAct{By: c.By, Reason: c.Reason, At: d.now}, Finding: c.Finding, Reopened: c.Reopened})
	return nil
}

// Reopen takes a refused request up again: an appeal or a complaint about it was upheld.
// It decides nothing where that grievance has reopened it already.
type Reopen struct {
	By        string
	Grievance string // the appeal's or complaint's id
	Now       time.Time
}

func (c Reopen) now() time.Time { return c.Now }

func (c Reopen) decide(d *decider) error {
	switch {
	case !d.Exists():
		return ErrUnknown
	case slices.Contains(d.ReopenedBy, c.Grievance):
		return nil
	case d.Status != StatusRefused:
		return fmt.Errorf("%w: only a refused request is taken up again", ErrNotAllowed)
	case !d.RecordsForgotten.IsZero() || !d.SubjectForgotten.IsZero():
		return fmt.Errorf("%w: what Habeas held of it is destroyed: it must be made anew", ErrNotAllowed)
	}
	ground := d.Refusal.Ground
	d.record(Reopened{Act: Act{By: c.By, At: d.now}, Grievance: c.Grievance})
	if strings.HasSuffix(ground, "-not-proven") && len(d.Proof.Checks) > 0 {
		d.record(d.proofAsked(c.By, "", d.Proof.Checks)) // that it is heard again proves nothing
	}
	return nil
}

// sameActor reports whether two facts were made by one person: by the identity where
// there is one, else by the name.
func sameActor(a, b string) bool {
	identity := func(by string) string { return strings.TrimPrefix(by, ActorName(by)) }
	if identity(a) != "" || identity(b) != "" {
		return identity(a) == identity(b)
	}
	return a == b
}
