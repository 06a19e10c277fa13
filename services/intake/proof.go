package intake

import (
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/policy"
)

// Proof is when proof of identity is wanted before anything is disclosed
// (privacy notice, N8).
type Proof string

// The choices. Who asks on somebody's behalf always has to prove that they may,
// unless upstream has seen to it.
const (
	// ProofUnlessVerified wants it of every identifier that upstream hasn't verified.
	ProofUnlessVerified Proof = "unverified"
	// ProofOrWithout goes on without the identifiers that upstream hasn't verified, and
	// wants proof where it has verified none.
	ProofOrWithout Proof = "without"
	// ProofAlways wants it where upstream hasn't said that it was given.
	ProofAlways Proof = "always"
	// ProofNever wants none: whoever can send a request is believed that its
	// identifiers are the person's.
	ProofNever Proof = "never"
)

// believes tells whether an identifier counts as verified.
func (in *Intake) believes(s event.Subject, id event.SubjectIdentifier) bool {
	return id.Verified || in.Proof == ProofNever || slices.Contains(s.Proven, dsar.CheckIdentity)
}

// terms are what the law and the configuration make of a request.
func (in *Intake) terms(j policy.Jurisdiction, received time.Time, s event.Submitted) core.Terms {
	t := j.Terms(s.Right, received, nil)
	t.Checks = in.checks(s, t.NoProof)
	return t
}

// checks are what must be proven of a request before anything is disclosed. Where the
// law asks no proof of who the person is, none is asked.
func (in *Intake) checks(s event.Submitted, noProof bool) []dsar.Check {
	var checks []dsar.Check
	if !noProof && in.wantsProof(s.Subject) {
		checks = append(checks, dsar.CheckIdentity)
	}
	if who := s.Subject.OnBehalf; who != "" {
		checks = append(checks, who)
	}
	return slices.DeleteFunc(checks, func(c dsar.Check) bool { return slices.Contains(s.Subject.Proven, c) })
}

func (in *Intake) wantsProof(s event.Subject) bool {
	believed := func(id event.SubjectIdentifier) bool { return in.believes(s, id) }
	claimed := func(id event.SubjectIdentifier) bool { return !believed(id) }
	switch in.Proof {
	case ProofAlways:
		return true
	case ProofNever:
		return false
	case ProofOrWithout:
		return !slices.ContainsFunc(s.Identifiers, believed)
	case ProofUnlessVerified:
		return slices.ContainsFunc(s.Identifiers, claimed)
	default: // New refuses others
		return true
	}
}
