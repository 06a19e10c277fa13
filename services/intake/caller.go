package intake

import (
	"errors"
	"io"
	"slices"
	"sync/atomic"

	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/callers"
)

// may refuses what a caller may not submit: another's source, or a right that it may
// not ask for.
func may(from callers.Caller, s event.Submitted) error {
	if !from.Known() {
		return nil
	}
	if s.Source != from.Name {
		v := event.Violation{Pointer: "/source", Rule: "must be " + from.Name + ", the name of who calls"}
		return refuse(event.Invalid(v))
	}
	if !from.MayAsk(s.Right) {
		return ErrRight
	}
	return nil
}

// claimed returns a request as that of a caller whose word proves nothing: every
// identifier is a claim, and proof is wanted where the configuration would believe
// whoever sends.
func claimed(s event.Submitted, proof Proof) (event.Submitted, Proof) {
	s.Subject.Proven = nil
	s.Subject.Identifiers = slices.Clone(s.Subject.Identifiers)
	for i := range s.Subject.Identifiers {
		s.Subject.Identifiers[i].Verified = false
	}
	if proof == ProofNever {
		proof = ProofUnlessVerified
	}
	return s, proof
}

// errMuchRead says that too much of bodies that aren't complete is in memory.
var errMuchRead = errors.New("intake: too much is being read")

// counted counts what is held in memory of bodies that are being read.
type counted struct {
	from io.Reader
	held *atomic.Int64
	own  int64
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.own += int64(n)
	if c.held.Add(int64(n)) > MaxReading {
		return n, errMuchRead
	}
	return n, err
}

// free gives back what was counted.
func (c *counted) free() { c.held.Add(-c.own) }
