package link

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/vault"
)

// Holds lists the people of whom a legal hold keeps records.
type Holds interface {
	// Held returns those of whom something in a system is held, but for who asks in the
	// request itself.
	Held(ctx context.Context, system, requestID string) ([]Held, error)
	// Together returns Holds for tasks that leave together, which look once for all of them.
	Together() Holds
}

// Held is a person of whom a hold keeps records in one system, whoever's erasure comes by.
type Held struct {
	RequestID string
	// Identifiers are those by which the system is asked, sealed by the request's keys.
	Identifiers []dsar.Identifier
	// Datasets are those of which nothing may be erased; none: of all.
	Datasets []string
	// Plans are the plans of the person's own erasure of the system: what had to stay is known
	// by its keys, where what led to it is gone.
	Plans []dsar.Object
	// Beside tells that the hold is on another request of the person: where this one was
	// forgotten, nothing of its plans was left.
	Beside bool
	// Shared are the fingerprints, in either request, of the identifiers that this person and who
	// asks have both, where they aren't known to be one person: what is found by these alone may
	// be either's.
	Shared []string
}

// HeldRef is how a grant names a person of whom records are held. Who it is lies under
// that person's own request, and is forgotten with it (TestHeldIsForgottenWithItsOwn).
type HeldRef struct {
	RequestID string   `json:"request_id"`
	Grant     GrantRef `json:"grant"`
	Datasets  []string `json:"datasets,omitempty"`
	Shared    []string `json:"shared,omitempty"`
}

// HeldPerson is a person of whom records are held, as the worker reads it.
type HeldPerson struct {
	RequestID   string
	Identifiers []Identifier
	Datasets    []string
	// Shared tells that this person and who asks have identifiers in common, and aren't known to be
	// one person. Theirs are those that this person alone has, Askers those that who asks alone has.
	Shared         bool
	Theirs, Askers []Identifier
	// Grant opens Plans.
	Grant Grant
	Plans []dsar.Object
}

// HubOption sets up a [Hub].
type HubOption func(*Hub)

// WithHolds has the tasks of an erasure name whom holds concern. Without it a hold is one
// on its own request only.
func WithHolds(holds Holds) HubOption { return func(h *Hub) { h.holds = holds } }

// heldAction is the word in the scopes of what tells whose records are held.
const heldAction = "grant-held"

// erases reports whether a task is one that looks at what is to be erased.
func erases(t dsar.Task) bool {
	return t.Right == dsar.Erasure && (t.Action == dsar.Plan || t.Action == dsar.Erase || t.Action == dsar.Prove)
}

// held puts into the vault whose records an erasure must leave, each under their own
// request. Of whom nothing is known by which the system
// could be asked, and nothing was planned, nothing is there.
func (h *Hub) held(ctx context.Context, t dsar.Task) ([]HeldRef, error) {
	if h.holds == nil || !erases(t) {
		return nil, nil
	}
	people, err := h.holds.Held(ctx, t.System, t.RequestID)
	if err != nil {
		return nil, err
	}
	var out []HeldRef
	for _, p := range people {
		if len(p.Identifiers) == 0 && len(p.Plans) == 0 {
			continue
		}
		ref, err := h.writeBeside(ctx, t.System, heldAction, p.RequestID, p.Identifiers, p.Plans)
		switch {
		case errors.Is(err, vault.ErrShredded) && p.Beside:
			continue
		case errors.Is(err, vault.ErrShredded), errors.Is(err, vault.ErrNoKeys), errors.Is(err, errUnreadable):
			return nil, fmt.Errorf("%w: hold of request %s", errHeldLost, p.RequestID)
		case err != nil:
			return nil, err
		}
		out = append(out, HeldRef{RequestID: p.RequestID, Grant: ref, Datasets: p.Datasets, Shared: p.Shared})
	}
	return out, nil
}

// errHeldLost says that a hold is on, and that whom it concerns can't be read any more.
var errHeldLost = telemetry.Constant("whose records are held can't be read")

// ReadHeld reads from the vault whose records must stay.
func (g Grant) ReadHeld(ctx context.Context, o *vault.Objects) ([]HeldPerson, error) {
	out := make([]HeldPerson, 0, len(g.Held))
	for _, ref := range g.Held {
		of, err := readGrant(ctx, o, ref.RequestID, ref.Grant)
		if err != nil {
			return nil, err
		}
		p := HeldPerson{RequestID: ref.RequestID, Identifiers: of.Identifiers, Datasets: ref.Datasets, Grant: of, Plans: of.Plans}
		if p.Shared = len(ref.Shared) > 0; p.Shared {
			p.Theirs, p.Askers = ref.alone(of.Identifiers), ref.alone(g.Identifiers)
		}
		out = append(out, p)
	}
	return out, nil
}

// alone returns those of some identifiers that only one of both people has.
func (r HeldRef) alone(ids []Identifier) []Identifier {
	return slices.DeleteFunc(slices.Clone(ids), func(id Identifier) bool { return slices.Contains(r.Shared, id.Print) })
}
