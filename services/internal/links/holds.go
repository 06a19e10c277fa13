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
	requestID string
	version   int
	holds     []core.Held
	known     []dsar.Identifier
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
	holders, err := h.holders(ctx)
	if err != nil {
		return nil, err
	}
	return h.held(holders, system, requestID), nil
}

// held returns those of some holders of whom something is held in a system.
func (h *Holds) held(holders []holder, system, requestID string) (out []link.Held) {
	needs, known := h.needs[system]
	if !known {
		return nil
	}
	for _, holder := range holders {
		datasets, held := core.State{Holds: holder.holds}.HeldIn(system)
		if !held || holder.requestID == requestID {
			continue
		}
		ids := slices.DeleteFunc(slices.Clone(holder.known), func(id dsar.Identifier) bool { return !slices.Contains(needs, id.Type) })
		out = append(out, link.Held{RequestID: holder.requestID, Identifiers: ids, Datasets: datasets})
	}
	return out
}

// Together implements link.Holds.
func (h *Holds) Together() link.Holds { return &together{Holds: h} }

// together looks once.
type together struct {
	*Holds

	mu    sync.Mutex
	known []holder
	done  bool
}

func (t *together) Together() link.Holds { return t }

func (t *together) Held(ctx context.Context, system, requestID string) ([]link.Held, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.done {
		var err error
		if t.known, err = t.holders(ctx); err != nil {
			return nil, err
		}
		t.done = true
	}
	return t.held(t.known, system, requestID), nil
}

// holders returns all requests that have a hold. Few have, or had one, and those are found by
// one statement that is prepared once; of more than it returns, page by page.
func (h *Holds) holders(ctx context.Context) (out []holder, err error) {
	add := func(row journal.Row) error {
		holder, err := h.holder(ctx, row)
		if err == nil && len(holder.holds) > 0 {
			out = append(out, holder)
		}
		return err
	}
	rows, err := h.journal.ByFingerprint(ctx, lifecycle.IndexHeld, journal.MaxList)
	if err != nil {
		return nil, err
	}
	if len(rows) == journal.MaxList {
		err := journal.Each(ctx, h.journal, lifecycle.IndexHeld, add)
		return out, err
	}
	for _, row := range rows {
		if err := add(row); err != nil {
			return nil, err
		}
	}
	return out, nil
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
	known = holder{requestID: row.RequestID, version: s.Version, holds: s.Holds, known: s.Usable()}
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
