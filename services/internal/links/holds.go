package links

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/lifecycle"
)

// Holds finds whom legal holds concern, in the journal as it is when a task leaves; it
// implements link.Holds. It is safe for many goroutines.
type Holds struct {
	requests Requests
	journal  Journal
	needs    map[string][]dsar.IdentifierType // by system: by what each is asked

	mu    sync.Mutex
	known map[string]holder
}

// Requests loads a request's state, as the lifecycle does.
type Requests interface {
	State(ctx context.Context, requestID string) (core.State, error)
}

// Journal lists requests by a word of the index of fingerprints.
type Journal interface {
	ByFingerprint(ctx context.Context, fingerprint string, limit int) ([]journal.Row, error)
	List(ctx context.Context, f journal.Filter) ([]journal.Row, error)
}

// holder is what is remembered of a request that has, or had, a hold: while its version is
// this one, nothing of it has changed (TestHoldsAreOfNow).
type holder struct {
	version int
	holds   []core.Held
	known   []dsar.Identifier
}

// maxHolders bounds how many are remembered: far more than have holds at a time.
const maxHolders = 10_000

// NewHolds returns the holds of a journal's requests, for systems with these manifests.
func NewHolds(requests Requests, j Journal, manifests []*manifest.Manifest) *Holds {
	h := &Holds{requests: requests, journal: j, needs: map[string][]dsar.IdentifierType{}, known: map[string]holder{}}
	for _, m := range manifests {
		h.needs[m.System] = m.Needs
	}
	return h
}

// Held returns the people of whom a hold keeps something in a system, by the identifiers
// that may be used for them; while their proof is awaited, by all that they gave.
func (h *Holds) Held(ctx context.Context, system, requestID string) ([]link.Held, error) {
	needs, known := h.needs[system]
	if !known {
		return nil, nil
	}
	var out []link.Held
	err := h.each(ctx, func(row journal.Row) error {
		if row.RequestID == requestID {
			return nil
		}
		holder, err := h.holder(ctx, row)
		if err != nil {
			return err
		}
		datasets, held := core.State{Holds: holder.holds}.HeldIn(system)
		if !held {
			return nil
		}
		ids := slices.DeleteFunc(slices.Clone(holder.known), func(id dsar.Identifier) bool { return !slices.Contains(needs, id.Type) })
		out = append(out, link.Held{RequestID: row.RequestID, Identifiers: ids, Datasets: datasets})
		return nil
	})
	return out, err
}

// each calls do for every request that has, or had, a hold. Few have, and those are found by
// one statement that is prepared once; of more than it returns, page by page.
func (h *Holds) each(ctx context.Context, do func(journal.Row) error) error {
	rows, err := h.journal.ByFingerprint(ctx, lifecycle.IndexHeld, journal.MaxList)
	if err != nil {
		return err
	}
	if len(rows) == journal.MaxList {
		return journal.Each(ctx, h.journal, lifecycle.IndexHeld, do)
	}
	for _, row := range rows {
		if err := do(row); err != nil {
			return err
		}
	}
	return nil
}

// holder returns what is to be known of a request with a hold, as of its row's version.
func (h *Holds) holder(ctx context.Context, row journal.Row) (holder, error) {
	h.mu.Lock()
	known, is := h.known[row.RequestID]
	h.mu.Unlock()
	if is && known.version == row.Version {
		return known, nil
	}
	s, err := h.requests.State(ctx, row.RequestID)
	if err != nil {
		return holder{}, fmt.Errorf("request %s: %w", row.RequestID, err)
	}
	known = holder{version: s.Version, holds: s.Holds, known: s.Usable()}
	if s.Awaited == core.RemindProof {
		known.known = s.Identifiers
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.known) >= maxHolders {
		clear(h.known)
	}
	h.known[row.RequestID] = known
	return known, nil
}
