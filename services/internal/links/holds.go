package links

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/prints"
)

// Holds finds whom legal holds concern, in the journal as it is when a task leaves; it
// implements link.Holds. It is safe for many goroutines.
type Holds struct {
	requests Requests
	journal  Journal
	prints   prints.Prints
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
	// prints are those of known, household the types that several people may share, and doubts
	// what was said of whose other requests are: by them it is told whether who asks is the same.
	prints    []prints.Print
	household []dsar.IdentifierType
	doubts    []core.Doubted
	plans     map[string][]dsar.Object // by system

	// of are the requests whose holds these are, too; beside tells that none is its own.
	of     []string
	beside bool
	// cameOver are the requests whose holds came over to it, and erasures those of the same
	// person before it.
	cameOver, erasures []string
}

// onlyOf reports whether all holds that a holder has are those of one request, which knows them
// itself. A holder with a hold of its own, or with another request's, is told of to that one,
// too: what is told twice keeps no more.
func (h holder) onlyOf(requestID string) bool {
	return h.beside && !slices.ContainsFunc(h.of, func(id string) bool { return id != requestID })
}

// maxHolders bounds how many are remembered: far more than have holds at a time.
const maxHolders = 10_000

// NewHolds returns the holds of a journal's requests, for systems with these manifests.
func NewHolds(requests Requests, j Journal, p prints.Prints, manifests []*manifest.Manifest) *Holds {
	h := &Holds{requests: requests, journal: j, prints: p, needs: map[string][]dsar.IdentifierType{}, known: map[string]holder{}}
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
	return h.held(ctx, holders, system, requestID)
}

// held returns those of some holders of whom something is held in a system.
func (h *Holds) held(ctx context.Context, holders []holder, system, requestID string) (out []link.Held, err error) {
	needs, known := h.needs[system]
	if !known {
		return nil, nil
	}
	var asks *holder
	for _, holder := range holders {
		datasets, held := core.State{Holds: holder.holds}.HeldIn(system)
		if !held || holder.requestID == requestID || holder.onlyOf(requestID) || holder.beside && len(holder.plans[system]) == 0 {
			continue
		}
		ids := slices.DeleteFunc(slices.Clone(holder.known), func(id dsar.Identifier) bool { return !slices.Contains(needs, id.Type) })
		if asks == nil {
			if asks, err = h.asking(ctx, requestID); err != nil {
				return nil, err
			}
		}
		out = append(out, link.Held{RequestID: holder.requestID, Identifiers: ids, Datasets: datasets, Plans: holder.plans[system], Beside: holder.beside, Shared: shared(*asks, holder)})
	}
	return out, nil
}

// asking returns what a request that asks is compared by with holders. One that isn't known has
// nothing in common with any.
func (h *Holds) asking(ctx context.Context, requestID string) (*holder, error) {
	s, err := h.requests.State(ctx, requestID)
	if err != nil && !errors.Is(err, core.ErrUnknown) {
		return nil, fmt.Errorf("request %s: %w", requestID, err)
	}
	asks := &holder{requestID: requestID, household: s.Household(), doubts: s.Doubts}
	asks.prints, err = h.prints.Comparable(ctx, requestID, s.Usable())
	return asks, err
}

// shared returns the fingerprints, in either request, of the identifiers that both have where
// they aren't surely of one person, by [core.Compare] or as somebody has said (docs/adr/0053).
func shared(asks, of holder) (both []string) {
	same, judged := core.Judged(asks.state(), of.state())
	mine, theirs := compared(asks.prints), compared(of.prints)
	if !judged {
		same = core.Compare(mine, theirs, slices.Concat(asks.household, of.household)).Sameness == core.SamePerson
	}
	if same {
		return nil
	}
	for i, id := range mine {
		if j := slices.IndexFunc(theirs, func(o dsar.Identifier) bool { return o.Type == id.Type && o.Fingerprint == id.Fingerprint }); j >= 0 {
			both = append(both, asks.prints[i].Own, of.prints[j].Own)
		}
	}
	return both
}

// state returns what [core.Judged] asks of a request.
func (h holder) state() core.State {
	return core.State{Accepted: core.Accepted{RequestID: h.requestID}, Doubts: h.doubts}
}

func compared(all []prints.Print) []dsar.Identifier {
	out := make([]dsar.Identifier, len(all))
	for i, p := range all {
		out[i] = p.Identifier
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
	return t.held(ctx, t.known, system, requestID)
}

// holders returns all requests that have a hold, and the other erasures of their people: what
// led to a record may have gone with one of these, whose plan then is the way to it
// (docs/adr/0046).
func (h *Holds) holders(ctx context.Context) (out []holder, err error) {
	err = each(ctx, h.journal, lifecycle.IndexHeld, func(row journal.Row) error {
		holder, err := h.holder(ctx, row)
		if err == nil && len(holder.holds) > 0 {
			out = append(out, holder)
		}
		return err
	})
	if err != nil || len(out) == 0 {
		return nil, err
	}
	placed := slices.Clone(out)
	also := func(row journal.Row, of holder) error {
		erasure, err := h.holder(ctx, row)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(out, func(o holder) bool { return o.requestID == row.RequestID })
		if i < 0 {
			erasure.holds, erasure.beside = nil, true
			i, out = len(out), append(out, erasure)
		}
		out[i].holds, out[i].of = slices.Concat(out[i].holds, of.holds), append(out[i].of, of.requestID)
		return nil
	}
	err = each(ctx, h.journal, lifecycle.IndexKept, func(row journal.Row) error {
		kept, err := h.holder(ctx, row)
		if err != nil {
			return err
		}
		for _, of := range placed {
			if slices.Contains(kept.cameOver, of.requestID) && !slices.Contains(of.erasures, row.RequestID) {
				if err := also(row, of); err != nil {
					return err
				}
			}
		}
		return nil
	})
	for _, of := range placed {
		for _, id := range of.erasures {
			rows, e := h.journal.List(ctx, journal.Filter{IDPrefix: id, Limit: 1})
			if err = cmp.Or(err, e); err != nil {
				return nil, err
			}
			for _, row := range rows {
				if err := also(row, of); err != nil {
					return nil, err
				}
			}
		}
	}
	return out, err
}

// each calls do for each request that a word finds. Mostly few are found, by one statement that
// is prepared once; of more than it returns, page by page.
func each(ctx context.Context, j Journal, word string, do func(journal.Row) error) error {
	rows, err := j.ByFingerprint(ctx, word, journal.MaxList)
	if err != nil {
		return err
	}
	if len(rows) == journal.MaxList {
		return journal.Each(ctx, j, word, do)
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
	known = holder{requestID: row.RequestID, version: s.Version, holds: s.Holds, known: s.Usable(), plans: map[string][]dsar.Object{}, erasures: s.Erasures}
	if s.Awaited == core.RemindProof {
		known.known = s.Identifiers
	}
	if known.prints, err = h.prints.Comparable(ctx, row.RequestID, known.known); err != nil {
		return holder{}, err
	}
	known.household, known.doubts = s.Household(), s.Doubts
	for _, c := range s.CameOver {
		known.cameOver = append(known.cameOver, c.Of)
	}
	for _, sys := range s.Accepted.Systems {
		known.plans[sys.Name] = s.PlansOf(sys.Name)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.known) >= maxHolders {
		clear(h.known)
	}
	h.known[row.RequestID] = known
	return known, nil
}
