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

// believes reports whether an identifier counts as verified.
func (p Proof) believes(s event.Subject, id event.SubjectIdentifier) bool {
	return id.Verified || p == ProofNever || slices.Contains(s.Proven, dsar.CheckIdentity)
}

// terms returns what the law and the configuration make of a request.
func (p Proof) terms(j policy.Jurisdiction, received time.Time, s event.Submitted, ids []dsar.Identifier) core.Terms {
	t := j.Terms(s.Right, received, nil)
	if !t.NoProof && p.wantsProof(ids) {
		t.Checks = append(t.Checks, dsar.CheckIdentity)
	}
	if who := s.Subject.OnBehalf; who != "" {
		t.Checks = append(t.Checks, who)
	}
	t.Checks = slices.DeleteFunc(t.Checks, func(c dsar.Check) bool { return slices.Contains(s.Subject.Proven, c) })
	return t
}

// wantsProof reports whether the person must prove who they are. Where the law asks
// no proof, it isn't asked.
func (p Proof) wantsProof(ids []dsar.Identifier) bool {
	claimed := func(id dsar.Identifier) bool { return id.Assurance == dsar.AssuranceClaimed }
	switch p {
	case ProofNever:
		return false
	case ProofOrWithout:
		return !slices.ContainsFunc(ids, func(id dsar.Identifier) bool { return !claimed(id) })
	case ProofUnlessVerified:
		return slices.ContainsFunc(ids, claimed)
	default: // always
		return true
	}
}
