package core

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// A copy is refused in part, dataset by dataset: what a ground of the law doesn't cover is
// given (GDPR art. 15(4) and recital 63; 11 CCR 7024(e); PIPEDA s. 9(1); Decree of the PIPA,
// art. 42(1)).

// RefusePart refuses one dataset of a copy, on a ground that the law knows for a part
// ([Terms.PartRefusals]), until the answer is being written; with TakenBack it is given after
// all. That the system has such a dataset is for who calls to know.
type RefusePart struct {
	By      string
	System  string
	Dataset string
	Ground  string // none with TakenBack
	// Reason is for the trace; the person is told the ground.
	Reason    string
	TakenBack bool
	Now       time.Time
}

func (c RefusePart) now() time.Time { return c.Now }

// datasetName is what a manifest may call a dataset: nothing else comes into a fact.
var datasetName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

func (c RefusePart) decide(d *decider) error {
	if err := d.early(); err != nil {
		return err
	}
	known := func(s dsar.System) bool { return s.Name == c.System }
	grounds := d.Accepted.Terms.PartRefusals
	switch {
	case d.Right != dsar.Access && d.Right != dsar.Portability:
		return fmt.Errorf("%w: a part is refused of a copy only", ErrNotAllowed)
	case c.By == "" || c.Reason == "":
		return fmt.Errorf("%w: say who you are, and why", ErrNotAllowed)
	case !datasetName.MatchString(c.Dataset) || !slices.ContainsFunc(d.Accepted.Systems, known):
		return fmt.Errorf("%w: name a dataset of one of the request's systems", ErrNotAllowed)
	case c.TakenBack && d.RefusedPart(c.System, c.Dataset) == nil:
		return fmt.Errorf("%w: that dataset isn't refused", ErrNotAllowed)
	case !c.TakenBack && !slices.Contains(grounds, c.Ground):
		return fmt.Errorf("%w: the law of %s knows these grounds for a part: %v", ErrNotAllowed, d.Accepted.Jurisdiction, grounds)
	}
	e := PartRefused{ReasonedAct: ReasonedAct{By: c.By, Reason: c.Reason, At: d.now}, System: c.System, Dataset: c.Dataset, TakenBack: c.TakenBack}
	if !c.TakenBack {
		e.Ground = c.Ground
	}
	if before := d.RefusedPart(c.System, c.Dataset); before != nil && before.Ground == e.Ground {
		return nil
	}
	d.record(e)
	return nil
}

// PartRefused says that a dataset of a copy is refused, or given after all.
type PartRefused struct {
	ReasonedAct
	System  string `json:"system"`
	Dataset string `json:"dataset"`
	// Ground is the law's; none where it is taken back.
	Ground    string `json:"ground,omitempty"`
	TakenBack bool   `json:"taken_back,omitempty"`
}

func (e PartRefused) evolve(s State) State {
	s.Parts = slices.DeleteFunc(slices.Clone(s.Parts), func(p RefusedPart) bool { return p.System == e.System && p.Dataset == e.Dataset })
	if !e.TakenBack {
		s.Parts = append(s.Parts, RefusedPart{System: e.System, Dataset: e.Dataset, Ground: e.Ground, Fact: s.Version})
		return s.refusedBy(e.By)
	}
	return s
}

// Name returns system/dataset.
func (p RefusedPart) Name() string { return p.System + "/" + p.Dataset }

// RefusedPart is a dataset that a copy is refused of.
type RefusedPart struct {
	System  string `json:"system"`
	Dataset string `json:"dataset"`
	Ground  string `json:"ground"`
	// Fact is the version of the fact that says so.
	Fact int `json:"fact"`
}

// RefusedPart returns what is refused of a dataset; nil where it isn't.
func (s State) RefusedPart(system, dataset string) *RefusedPart {
	for i, p := range s.Parts {
		if p.System == system && p.Dataset == dataset {
			return &s.Parts[i]
		}
	}
	return nil
}

// RefusedParts returns those of the answer: of a copy, and not of a lesser answer instead.
func (s State) RefusedParts() []RefusedPart {
	if s.Right != dsar.Access && s.Right != dsar.Portability {
		return nil
	}
	return s.Parts
}
