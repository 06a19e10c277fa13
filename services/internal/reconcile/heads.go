package reconcile

import (
	"cmp"
	"context"
	"slices"
	"time"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/receipt"
)

// LostHeads is what the mirror's signed list of heads has beyond the journal's, and what of it is
// lost for good: whatever was done meanwhile may be among that.
type LostHeads struct {
	// Has is how many places the journal's list has, Signed how many were signed, and Unread
	// how many of those between the mirror can't tell: whose they are nobody knows.
	Has    int64 `json:"places"`
	Signed int64 `json:"signed"`
	Unread int64 `json:"unread,omitempty"`
	// Requests is how many are named that lack facts, or are lost.
	Requests int `json:"requests"`
	// From is when the journal was last known to be whole, and Until when something was last
	// known to be journalled; zero: unknown.
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

// noteHeads remembers how many facts the journal has of each request of the mirrored list, before
// anything is taken up.
func (r *run) noteHeads(ctx context.Context) error {
	for _, h := range r.Beyond.Heads {
		row, _, err := r.known(ctx, h.RequestID)
		if err != nil {
			return err
		}
		r.versions[h.RequestID] = row.Version
	}
	return nil
}

// nameLost names the requests that lack facts of the mirrored list though all was taken up that
// there is, and has each wait for a person, by a fact.
func (r *run) nameLost(ctx context.Context) error {
	b := r.Beyond
	if b.Signed == 0 {
		return nil
	}
	lost := LostHeads{Has: b.Has, Signed: b.Signed, Unread: b.Unread, From: r.From, Until: r.Until}
	slices.SortFunc(b.Heads, func(x, y journal.Head) int { return cmp.Compare(x.RequestID, y.RequestID) })
	for some := range slices.Chunk(b.Heads, journal.MaxHeads) {
		astray, err := r.Journal.HeadsAstray(ctx, some)
		if err != nil {
			return err
		}
		for _, h := range astray {
			named, err := r.lacks(ctx, h)
			if err != nil {
				return err
			}
			if named {
				lost.Requests++
			}
		}
	}
	r.report.Heads = &lost
	return nil
}

// lacks names a request that had the fact of a head, and whose fact is another, or isn't there;
// false where it would be taken up.
func (r *run) lacks(ctx context.Context, h journal.Head) (bool, error) {
	at := slices.IndexFunc(r.report.Items, func(i Item) bool { return i.Request == h.RequestID })
	n := h.Version - r.versions[h.RequestID]
	if at >= 0 {
		n -= r.report.Items[at].Facts
	}
	if r.Plan && n <= 0 && (at < 0 || r.report.Items[at].What != Parted) {
		return false, nil
	}
	n = max(1, n)
	if at < 0 {
		if _, known, err := r.known(ctx, h.RequestID); err != nil {
			return false, err
		} else if !known {
			if err := r.lost(ctx, h.RequestID, ""); err != nil {
				return false, err
			}
		} else {
			s, err := r.Requests.State(ctx, h.RequestID)
			if err != nil {
				return false, err
			}
			r.say(Item{Request: h.RequestID, Caller: s.Accepted.Source, What: Short, Status: s.Status, Why: "look whether a hold was put on it or lifted, whether it was answered, and what was erased since; then note it (habeas note): until then no erasure of the person goes on"})
		}
		at = len(r.report.Items) - 1
	}
	i := &r.report.Items[at]
	i.Lost = n
	if r.Plan || i.What == Lost || i.What == Forgotten {
		return true, nil
	}
	_, err := r.Requests.TakeUp(ctx, h.RequestID, nil, &core.TakeUp{By: r.By, From: core.TakenFromHeads, Lost: n, Now: r.Now()})
	return true, err
}

// Any reports whether facts are lost for good.
func (h *LostHeads) Any() bool { return h != nil && (h.Requests > 0 || h.Unread > 0) }

// Loss returns what is to be signed of what was lost; at is when.
func (h LostHeads) Loss(at time.Time) receipt.LostHeads {
	return receipt.LostHeads{Has: h.Has, Signed: h.Signed, Unread: h.Unread, Requests: h.Requests, From: h.From, Until: h.Until, At: at.UTC().Truncate(time.Second)}
}
