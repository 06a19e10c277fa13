package core

import (
	"time"

	"habeas.dev/pkg/dsar"
)

// Terms are what the law of a request's jurisdiction makes of it, as they were
// when it was accepted: a later change of the law's file doesn't change what
// was decided. The zero Terms ask for no proof and pause for nothing.
type Terms struct {
	// ConfirmBy is when receipt must be confirmed; the zero time where nothing
	// is fixed.
	ConfirmBy time.Time `json:"confirm_by,omitzero"`
	// Checks must all be passed before anything is disclosed or changed; none
	// where upstream has seen to it.
	Checks []dsar.Check `json:"checks,omitempty"`
	// PausesForProof and PausesForClarification tell that the clock stands
	// while the person is awaited.
	PausesForProof         bool `json:"pauses_for_proof,omitempty"`
	PausesForClarification bool `json:"pauses_for_clarification,omitempty"`
	// StartsWithProof tells that the answer's period begins when the proof that was
	// asked for is there (UK GDPR art. 12A(2)).
	StartsWithProof bool `json:"starts_with_proof,omitempty"`
	// ByPurpose tells that the right ends the use of data for some purposes, and no more;
	// Purposes are their ids. A system whose data is used for none of them isn't asked.
	ByPurpose bool     `json:"by_purpose,omitempty"`
	Purposes  []string `json:"purposes,omitempty"`
	// NoProof tells that the law lets the person stop processing without proving who
	// they are (11 CCR 7026, 7027).
	NoProof bool `json:"no_proof,omitempty"`
	// Instead is what is answered where identity isn't proven, and the right is
	// one to a copy (11 CCR 7024(a)); empty: the request is refused.
	Instead dsar.Right `json:"instead,omitempty"`
	// Refusals are the grounds on which the law lets a request be refused.
	Refusals []string `json:"refusals,omitempty"`
	// PartRefusals are those on which it lets a dataset of a copy ([RefusePart]) or a field of a
	// correction ([RefuseField]) be refused.
	PartRefusals []string `json:"part_refusals,omitempty"`
}

// NotProven is the ground on which a request is refused whose proof of identity was
// not accepted. Every law knows it.
const NotProven = "identity-not-proven"

// GroundNotProven returns the ground on which a request is refused that fails a check:
// a rejected mandate is called that, and not an identity that wasn't proven.
func GroundNotProven(c dsar.Check) string { return string(c) + "-not-proven" }

// Pause is a time for which a request's clock stood.
type Pause struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

// Clock is what a due date depends on, apart from the law.
type Clock struct {
	Jurisdiction string
	Right        dsar.Right
	ReceivedAt   time.Time
	// StartedAt is when the period began, where that was later than receipt.
	StartedAt time.Time
	// Extensions is how often the period was extended.
	Extensions int
	Pauses     []Pause
}

// Calendar counts as the law of a jurisdiction does; policy.Book is one. It
// comes in with a command and MUST be pure: no clock, no I/O.
type Calendar interface {
	// Due is when the answer is due. It is false where that law knows no such
	// due date: an extension, or one more, of a period that can't be extended so.
	Due(c Clock) (time.Time, bool)
}

// clock returns the request's clock as it stands.
func (s State) clock() Clock {
	return Clock{
		Jurisdiction: s.Accepted.Jurisdiction, Right: s.Accepted.Right, ReceivedAt: s.Accepted.ReceivedAt, StartedAt: s.StartedAt,
		Extensions: s.Extensions, Pauses: s.Pauses,
	}
}
