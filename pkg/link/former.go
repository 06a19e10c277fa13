package link

import (
	"context"
	"errors"
	"fmt"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/vault"
)

// Formers lists the earlier erasures that keep records under a number which a task's person has,
// and of which it isn't known that they are the same person's: the number may have been given anew
// when the erasure had taken the row that it was of (docs/adr/0052).
type Formers interface {
	// Former returns those of a task.
	Former(ctx context.Context, t dsar.Task) ([]Former, error)
}

// Former is an earlier erasure of whom had a number before, as far as anybody knows.
type Former struct {
	RequestID string
	// Plans are its plans of the system, the last one last, which name what had to stay.
	Plans []dsar.Object
	// Numbers are the task's identifiers that it has, too: what is found by nothing else, and was
	// kept, isn't the task's person's.
	Numbers []dsar.Identifier
}

// FormerRef is how a grant names such an erasure: its plans lie under its own request, and are
// forgotten with it.
type FormerRef struct {
	RequestID string       `json:"request_id"`
	Grant     GrantRef     `json:"grant"`
	Numbers   []Identifier `json:"numbers"`
}

// FormerPlans are the plans of such an erasure, as the worker reads them.
type FormerPlans struct {
	RequestID string
	Numbers   []Identifier
	// Grant opens Plans.
	Grant Grant
	Plans []dsar.Object
}

// WithFormers has tasks name what earlier erasures keep of whom had a number before. Without it
// who is given a number anew is taken for whom had it.
func WithFormers(formers Formers) HubOption { return func(h *Hub) { h.formers = formers } }

// formerAction is the word in the scopes of what tells such an erasure's plans.
const formerAction = "grant-former"

// errFormerLost says that an earlier erasure keeps records, and that which can't be read.
var errFormerLost = telemetry.Constant("what an earlier erasure keeps can't be read")

// former puts into the vault what earlier erasures keep of whom had a number before, each under
// its own request. Of one that is forgotten nothing is known any more.
func (h *Hub) former(ctx context.Context, t dsar.Task, keys *vault.Keys) ([]FormerRef, error) {
	if h.formers == nil {
		return nil, nil
	}
	all, err := h.formers.Former(ctx, t)
	if err != nil {
		return nil, err
	}
	var out []FormerRef
	for _, f := range all {
		var numbers Grant
		if err := numbers.open(keys, dsar.Task{Identifiers: f.Numbers}); err != nil {
			return nil, err
		}
		ref, err := h.writeBeside(ctx, t.System, formerAction, f.RequestID, nil, f.Plans)
		switch {
		case errors.Is(err, vault.ErrShredded):
			continue
		case errors.Is(err, vault.ErrNoKeys):
			return nil, fmt.Errorf("%w: request %s", errFormerLost, f.RequestID)
		case err != nil:
			return nil, err
		}
		out = append(out, FormerRef{RequestID: f.RequestID, Grant: ref, Numbers: numbers.Identifiers})
	}
	return out, nil
}

// ReadFormers reads from the vault what earlier erasures keep of whom had a number before.
func (g Grant) ReadFormers(ctx context.Context, o *vault.Objects) ([]FormerPlans, error) {
	out := make([]FormerPlans, 0, len(g.Formers))
	for _, ref := range g.Formers {
		of, err := readGrant(ctx, o, ref.RequestID, ref.Grant)
		if err != nil {
			return nil, err
		}
		out = append(out, FormerPlans{RequestID: ref.RequestID, Numbers: ref.Numbers, Grant: of, Plans: of.Plans})
	}
	return out, nil
}
