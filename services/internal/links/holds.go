package links

import (
	"context"
	"fmt"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/lifecycle"
)

// Holds finds whom legal holds concern, in the journal as it is when a task leaves; it
// implements link.Holds.
type Holds struct {
	Requests interface {
		State(ctx context.Context, requestID string) (core.State, error)
	}
	Journal interface {
		List(ctx context.Context, f journal.Filter) ([]journal.Row, error)
	}
	// Manifests are those of the systems: by what each is asked.
	Manifests []*manifest.Manifest
}

// Held returns the people of whom a hold keeps something in a system, by the identifiers
// that may be used for them; while their proof is awaited, by all that they gave.
func (h Holds) Held(ctx context.Context, system, requestID string) ([]link.Held, error) {
	i := slices.IndexFunc(h.Manifests, func(m *manifest.Manifest) bool { return m.System == system })
	if i < 0 {
		return nil, nil
	}
	needs := h.Manifests[i].Needs
	var out []link.Held
	err := journal.Each(ctx, h.Journal, lifecycle.IndexHeld, func(row journal.Row) error {
		if row.RequestID == requestID {
			return nil
		}
		s, err := h.Requests.State(ctx, row.RequestID)
		if err != nil {
			return fmt.Errorf("request %s: %w", row.RequestID, err)
		}
		datasets, held := s.HeldIn(system)
		if !held {
			return nil
		}
		known := s.Usable()
		if s.Awaited == core.RemindProof {
			known = s.Identifiers
		}
		ids := slices.DeleteFunc(slices.Clone(known), func(id dsar.Identifier) bool { return !slices.Contains(needs, id.Type) })
		out = append(out, link.Held{RequestID: row.RequestID, Identifiers: ids, Datasets: datasets})
		return nil
	})
	return out, err
}
