package lifecycle

import (
	"context"
	"fmt"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// Prints makes the fingerprints by which a person's requests are found; prints.Prints does.
type Prints interface {
	// Across returns the fingerprints across requests of identifiers that a request's facts
	// hold; none of what nobody can open any more.
	Across(ctx context.Context, requestID string, ids []dsar.Identifier) ([]string, error)
}

// WithPrints has requests be found by the identifiers that their facts hold. Without it a
// fact that holds any of them by fingerprints of its own isn't appended: it would never be
// found.
func WithPrints(p Prints) Option { return func(l *Lifecycle) { l.prints = p } }

// Beside fingerprints, which are hexadecimal, requests are found by these words.
const (
	// IndexHeld finds the requests on which a person put a hold. One that came over from
	// another request of the same person holds what its own request erases, until it is
	// lifted on that one; others are held by the one on which somebody put it.
	IndexHeld = "hold:placed"
	// IndexKept finds the requests in which something was to stay for a hold.
	IndexKept = "hold:kept"
)

// Findable returns the identifiers by which a request can be found from a fact on, and the
// words.
func Findable(e core.Event) (ids []dsar.Identifier, words []string) {
	switch e := e.(type) {
	case core.Accepted:
		return e.Identifiers, nil
	case core.HoldPlaced:
		if e.By != core.ByPolicy {
			return nil, []string{IndexHeld}
		}
	case core.TaskEnded:
		if core.KeepsForHold(e.Counts) {
			return nil, []string{IndexKept}
		}
		return e.Identifiers, nil
	case core.EarlierLookedUp:
		return e.Identifiers, nil
	}
	return nil, nil
}

var errUnfindable = telemetry.Constant("whoever appends identifiers needs the vault, to have them found again")

// findable adds what a request can be found by from some facts on, which a command has
// brought about.
func (l *Lifecycle) findable(ctx context.Context, a *journal.Append, c core.Command, s core.State, facts []core.Event) error {
	var ids []dsar.Identifier
	submit, _ := c.(core.Submit)
	for _, f := range facts {
		more, words := Findable(f)
		if _, accepted := f.(core.Accepted); accepted && submit.Across != nil {
			more, words = nil, submit.Across
		}
		ids = append(ids, more...)
		a.Fingerprints = append(a.Fingerprints, words...)
	}
	switch {
	case len(ids) == 0:
		return nil
	case !s.Accepted.OwnPrints: // the facts of before hold those across requests
		for _, id := range ids {
			a.Fingerprints = append(a.Fingerprints, id.Fingerprint)
		}
		return nil
	case l.prints == nil:
		return fmt.Errorf("request %s: %w", a.RequestID, errUnfindable)
	}
	across, err := l.prints.Across(ctx, a.RequestID, ids)
	if err != nil {
		return err
	}
	a.Fingerprints = append(a.Fingerprints, across...)
	return nil
}
