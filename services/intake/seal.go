package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/policy"
)

// seal makes the request's first fact: from here on nothing of the person is in
// the clear.
func (in *Intake) seal(ctx context.Context, from callers.Caller, s event.Submitted, proof Proof, ids []named, canonical []byte) (core.Accepted, error) {
	j, _ := in.Policy.Jurisdiction(s.Jurisdiction)
	about, err := in.about(ctx, from, s)
	if err != nil {
		return core.Accepted{}, err
	}
	// The journal keeps microseconds: more would differ when read back.
	received, now := s.ReceivedAt.UTC().Truncate(time.Microsecond), in.Now().UTC().Truncate(time.Microsecond)
	a := core.Accepted{
		RequestID:    s.RequestID,
		Right:        s.Right,
		Jurisdiction: s.Jurisdiction,
		ReceivedAt:   received,
		AcceptedAt:   now,
		DueAt:        j.Due(s.Right, received),
		Source:       s.Source,
		Locale:       s.Subject.Locale,
		Systems:      in.Catalogue,
		About:        about,
		OwnPrints:    true,
		Lease:        in.Lease,
		Keep:         in.keep(j),
		ToldBy:       in.ToldBy,
		CallsBack:    from.Callback.Enabled(),
		FourEyes:     in.FourEyes,
	}
	if from.Tells && a.ToldBy != "" {
		a.ToldBy = core.ChannelCaller
	}
	if s.Right.Decided() {
		a.Systems = []dsar.System{} // none is asked
	}
	if s.Right == dsar.Rectification {
		a.CorrectionReview = in.CorrectionReview
	}
	if s.Right == dsar.Erasure {
		a.ProveAgain, a.EraseAgain = in.ProveAgain, in.EraseAgain && in.ProveAgain > 0
	}
	if from.Believed {
		a.Recipient = s.Recipient
	}
	keys, err := in.Vault.CreateKeys(ctx, s.RequestID)
	if errors.Is(err, vault.ErrShredded) {
		return a, ErrShredded
	}
	if err != nil {
		return a, fmt.Errorf("intake: %w", err)
	}
	if a.Digest, err = keys.Digest(canonical); err == nil {
		a.Identifiers, err = sealed(keys, ids)
	}
	if errors.Is(err, vault.ErrShredded) {
		return a, ErrShredded
	}
	if err != nil {
		return a, fmt.Errorf("intake: request %s: seal identifiers: %w", s.RequestID, err)
	}
	if a.Terms = proof.terms(j, received, s, a.Identifiers); a.Terms.ByPurpose {
		ids, _ := in.ends(j, s) // what is wrong with them was refused
		a.Terms = j.Ending(a.Terms, ids, in.Purposes)
	} else {
		a.Systems = withoutPurposes(a.Systems)
	}
	for _, r := range in.Receivers {
		if told := r.toldBy(j, s.Right); len(told.Receives) > 0 {
			a.Recipients = append(a.Recipients, told)
		}
	}
	if s.Details != nil {
		plain, err := json.Marshal(s.Details)
		if err != nil {
			return a, fmt.Errorf("intake: request %s: details can't be written as JSON", s.RequestID)
		}
		if a.Details, err = keys.Seal(plain, vault.RequestDetails); err != nil {
			return a, fmt.Errorf("intake: request %s: seal details: %w", s.RequestID, err)
		}
	}
	return a, nil
}

// toldBy returns the recipient with those of its datasets of which a law has it told, when a
// request of a right changes something in them.
func (r Receiver) toldBy(j policy.Jurisdiction, right dsar.Right) core.Recipient {
	told := core.Recipient{ID: r.ID, By: r.By}
	for i, of := range r.Receives {
		if j.Tells(right, r.Role, r.Marks[i]) {
			told.Receives = append(told.Receives, of)
		}
	}
	return told
}

// keep returns how long Habeas keeps what it holds of a request under a law.
func (in *Intake) keep(j policy.Jurisdiction) *core.Keep {
	if in.Keep == nil {
		return nil
	}
	k := *in.Keep
	k.AccountabilityMonths, k.Source = j.AccountableMonths(k.AccountabilityMonths)
	return &k
}

// withoutPurposes returns systems without what nothing is decided by: a request that ends
// all use of the data, or none, is the same whatever that is.
func withoutPurposes(systems []dsar.System) []dsar.System {
	out := slices.Clone(systems)
	for i := range out {
		out[i].Purposes = nil
	}
	return out
}

// trusted returns a request as its caller's word makes it, and when proof is wanted of it.
func (in *Intake) trusted(from callers.Caller, s event.Submitted) (event.Submitted, Proof) {
	proof := in.Proof
	if !from.Believed {
		s, proof = claimed(s, proof)
	}
	if from.Proves && proof == ProofNever {
		proof = ProofUnlessVerified // what a person has typed is a claim
	}
	return s, proof
}

// named is an identifier that a request names, before it is sealed.
type named struct {
	dsar.Identifier        // type and assurance
	value           string // trimmed
	across          string // its fingerprint across requests
}

// identifiersOf returns each identifier of a person once: two that are the same to a system are one, verified if
// either is. Of a caller to whom people prove them, verified is proven.
func (in *Intake) identifiersOf(subject event.Subject, proof Proof, proves bool) []named {
	out := make([]named, 0, len(subject.Identifiers))
	at := make(map[string]int, len(subject.Identifiers))
	assured := func(id event.SubjectIdentifier) dsar.Assurance {
		switch {
		case proves && id.Verified:
			return dsar.AssuranceProven
		case proof.believes(subject, id):
			return dsar.AssuranceVerified
		default:
			return dsar.AssuranceClaimed
		}
	}
	for _, id := range subject.Identifiers {
		value := identifier.Trim(id.Value)
		across := in.Vault.Fingerprint(id.Type, value)
		if i, twice := at[across]; twice {
			if out[i].Assurance == dsar.AssuranceClaimed {
				out[i].Assurance = assured(id)
			}
			continue
		}
		at[across] = len(out)
		out = append(out, named{dsar.Identifier{Type: id.Type, Assurance: assured(id)}, value, across})
	}
	return out
}

// sealed seals identifiers with a request's keys, and makes their fingerprints of its own.
func sealed(keys *vault.Keys, ids []named) ([]dsar.Identifier, error) {
	out := make([]dsar.Identifier, len(ids))
	for i, id := range ids {
		out[i] = id.Identifier
		var err error
		if out[i].Fingerprint, err = keys.Fingerprint(id.Type, id.value); err != nil {
			return nil, err
		}
		if out[i].Sealed, err = keys.Seal([]byte(id.value), vault.Identifier); err != nil {
			return nil, err
		}
	}
	return out, nil
}
