package intake

import (
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
)

// Proof is when proof of identity is wanted before anything is disclosed
// (privacy notice, N8).
type Proof string

// The choices. Who asks on somebody's behalf always has to prove that they may,
// unless upstream has seen to it.
const (
	// ProofByUpstream wants none: upstream has checked who asks.
	ProofByUpstream Proof = ""
	// ProofUnlessVerified wants it where upstream has verified no identifier.
	ProofUnlessVerified Proof = "unverified"
	// ProofAlways wants it where upstream hasn't said that it was given.
	ProofAlways Proof = "always"
)

// checks are what must be proven of a request before anything is disclosed.
func (in *Intake) checks(s event.Submitted) []dsar.Check {
	var checks []dsar.Check
	verified := slices.ContainsFunc(s.Subject.Identifiers, func(id event.SubjectIdentifier) bool { return id.Verified })
	if in.Proof == ProofAlways || in.Proof == ProofUnlessVerified && !verified {
		checks = append(checks, dsar.CheckIdentity)
	}
	if who := s.Subject.OnBehalf; who != "" {
		checks = append(checks, who)
	}
	return slices.DeleteFunc(checks, func(c dsar.Check) bool { return slices.Contains(s.Subject.Proven, c) })
}
