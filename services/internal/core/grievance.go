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
// that an appeal or a complaint is about, or a part of it, MUST NOT decide it; where such a one
// is upheld, what was refused is to be taken up again first ([Reopen]).
type DecideGrievance struct {
	By      string
	Finding Finding
	Reason  string
	// Give are the parts of a copy that are given, as system/dataset, where it is upheld in
	// part; all that were refused, where it is upheld.
	Give []string
	// RefusedBy are who refused anything of the earlier request by now, besides those that were
	// known when this one came in.
	RefusedBy []string
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
	case len(c.Give) > 0 && c.Finding != PartlyUpheld:
		return fmt.Errorf("%w: parts are named where it is upheld in part; upheld gives all of them", ErrNotAllowed)
	case slices.ContainsFunc(slices.Concat(about.DecidedBy, c.RefusedBy), func(by string) bool { return sameActor(by, c.By) }):
		return fmt.Errorf("%w: who decided the request that it is about doesn't decide this", ErrNotAllowed)
	}
	d.record(GrievanceDecided{ReasonedAct: ReasonedAct{By: c.By, Reason: c.Reason, At: d.now}, Finding: c.Finding, Reopened: c.Reopened})
	return nil
}

// Reopen takes a refused request up again: an appeal or a complaint about it was upheld. Of a
// copy that was refused in part, those parts are given, and the answer is written anew. It
// decides nothing where that grievance has reopened it already.
type Reopen struct {
	By        string
	Grievance string // the appeal's or complaint's id
	// Parts are those that are given, as system/dataset; none: all that were refused.
	Parts []string
	Now   time.Time
}

func (c Reopen) now() time.Time { return c.Now }

func (c Reopen) decide(d *decider) error {
	switch {
	case !d.Exists():
		return ErrUnknown
	case slices.Contains(d.ReopenedBy, c.Grievance):
		return nil
	case d.Status != StatusRefused && (d.Status != StatusCompleted || len(d.RefusedParts()) == 0):
		return fmt.Errorf("%w: only what was refused is taken up again", ErrNotAllowed)
	case !d.RecordsForgotten.IsZero() || !d.SubjectForgotten.IsZero():
		return fmt.Errorf("%w: what Habeas held of it is destroyed: it must be made anew", ErrNotAllowed)
	}
	if d.Status == StatusCompleted {
		return d.giveParts(c)
	}
	ground := d.Refusal.Ground
	d.record(Reopened{Act: Act{By: c.By, At: d.now}, Grievance: c.Grievance})
	if strings.HasSuffix(ground, "-not-proven") && len(d.Proof.Checks) > 0 {
		d.record(d.proofAsked(c.By, "", d.Proof.Checks)) // that it is heard again proves nothing
	}
	return nil
}

// giveParts has the answer of a copy written anew with parts that it was refused of.
func (d *decider) giveParts(c Reopen) error {
	given := slices.Clone(c.Parts)
	for _, p := range d.Parts {
		if len(c.Parts) == 0 {
			given = append(given, p.Name())
		}
	}
	for _, name := range given {
		if !slices.ContainsFunc(d.Parts, func(p RefusedPart) bool { return p.Name() == name }) {
			return fmt.Errorf("%w: name a part that was refused, as system/dataset", ErrNotAllowed)
		}
	}
	slices.Sort(given)
	d.record(Reopened{Act: Act{By: c.By, At: d.now}, Grievance: c.Grievance, Parts: slices.Compact(given)})
	return nil
}

// sameActor reports whether two facts were made by one person: by the identity where
// there is one, else by the name. Of users of machines, whose names nobody vouches for, it
// takes none for another.
func sameActor(a, b string) bool {
	identity := func(by string) string {
		if _, local := LocalActor(by); local {
			return localUser
		}
		return strings.TrimPrefix(by, ActorName(by))
	}
	if identity(a) != "" || identity(b) != "" {
		return identity(a) == identity(b)
	}
	return a == b
}
