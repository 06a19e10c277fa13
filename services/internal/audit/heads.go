package audit

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"maps"
	"slices"

	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/receipt"
)

// heads is what an audit has seen of the list of heads.
type heads struct {
	end  journal.HeadsEnd // up to where it was read
	seed maphash.Seed
	// listed is the last version of each request in the list, by a hash of its id: 12 bytes
	// a request, the one part of an audit that grows with the journal.
	listed map[uint64]int32
	named  map[string]bool // requests of which something was found
	signed map[string]journal.HeadsEnd
	whole  bool // it was walked to its end
	// late are requests whose facts the list hadn't when they were looked at, up to a version,
	// and that [audit.headsLate] hasn't looked at since.
	late map[string]int
}

// headsFirst walks the list of heads up to its end, and holds it against what was signed and
// mirrored, and the journal's facts against it.
func (a *audit) headsFirst(ctx context.Context) error {
	a.heads = heads{seed: maphash.MakeSeed(), listed: map[uint64]int32{}, named: map[string]bool{}, late: map[string]int{}}
	var err error
	if a.heads.signed, err = a.signedHeads(ctx); err != nil {
		return err
	}
	end, err := a.Journal.HeadsEnd(ctx)
	if err != nil {
		return err
	}
	if err := a.walkHeads(ctx, end.Size); err != nil {
		return err
	}
	seen := a.heads.end
	switch {
	case seen.Size < end.Size:
		a.find("heads", "", "Places %d to %d of the list of heads are missing: they were deleted.", seen.Size+1, end.Size)
	case !bytes.Equal(seen.Chain, end.Chain):
		a.find("heads", "", "The end of the list of heads was altered: it isn't that of its place %d.", seen.Size)
	}
	if a.Log != nil {
		if a.report.LostHeads, err = receipt.ReadLostHeads(ctx, a.Journal, a.Log); err != nil {
			return err
		}
	}
	signs := end.Size > 0 && a.headsElsewhere()
	for where, s := range a.heads.signed {
		switch {
		case s.Size > end.Size:
			a.find("heads", "", "The list of heads has %d places, and %d were signed, as the %s says: they were cut off, or the journal was restored from an older copy.", end.Size, s.Size, where)
		case s.Size == 0 && signs:
			a.find("heads", "", "The %s has no signed end of the list of heads: it was removed.", where)
		}
	}
	a.heads.whole = true
	return nil
}

// headsElsewhere reports whether the list's end was signed anywhere.
func (a *audit) headsElsewhere() bool {
	for _, s := range a.heads.signed {
		if s.Size > 0 {
			return true
		}
	}
	return false
}

// signedHeads returns the ends that were signed, by where they are.
func (a *audit) signedHeads(ctx context.Context) (map[string]journal.HeadsEnd, error) {
	signed := map[string]journal.HeadsEnd{}
	if a.Log == nil {
		return signed, nil
	}
	add := func(where string, e journal.HeadsEnd, err error) error {
		if receipt.ErrHeadsNotSigned(err) {
			a.find("heads", "", "The %s's end of the list of heads isn't signed by the log's key.", where)
			return nil
		}
		signed[where] = e
		return err
	}
	e, err := receipt.ReadHeads(ctx, a.Journal, a.Log)
	if err := add("journal", e, err); err != nil || a.Mirror == nil {
		return signed, err
	}
	e, err = receipt.MirroredHeads(ctx, a.Mirror, a.Log)
	return signed, add("mirror", e, err)
}

// walkHeads computes the list's chain anew up to a place, and holds the journal's facts
// against each head.
func (a *audit) walkHeads(ctx context.Context, to int64) error {
	h := &a.heads
	for h.end.Size < to {
		page, err := a.Journal.HeadsLinks(ctx, h.end.Size+1, journal.MaxHeadsLinks)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, l := range page {
			if l.Place > to {
				return nil
			}
			list, ok := journal.DecodeHeads(l.Heads)
			switch whole := l.Place == h.end.Size+1; {
			case !whole:
				a.find("heads", "", "Places %d to %d of the list of heads are missing: they were deleted.", h.end.Size+1, l.Place-1)
			case !ok || !bytes.Equal(l.Chain, journal.NextHeads(h.end.Chain, l.Place, l.Heads)):
				a.find("heads", "", "Place %d of the list of heads was altered, or put in the place of another.", l.Place)
			}
			h.end.Size, h.end.Chain = l.Place, l.Chain
			for where, s := range h.signed {
				if s.Size == l.Place && !bytes.Equal(s.Chain, l.Chain) {
					a.find("heads", "", "The first %d places of the list of heads aren't those that were signed, as the %s says: they were written anew.", s.Size, where)
				}
			}
			for _, one := range list {
				id := maphash.String(h.seed, one.RequestID)
				h.listed[id] = max(h.listed[id], int32(one.Version))
			}
			if err := a.holdHeads(ctx, list); err != nil {
				return err
			}
		}
	}
	return nil
}

// holdHeads names requests that aren't as they were listed, each once, and how.
func (a *audit) holdHeads(ctx context.Context, list []journal.Head) error {
	astray, err := a.Journal.HeadsAstray(ctx, list)
	if err != nil {
		return err
	}
	for _, one := range astray {
		if a.heads.named[one.RequestID] || len(a.heads.named) > maxFindings {
			continue
		}
		a.heads.named[one.RequestID] = true
		row, err := a.Journal.Row(ctx, one.RequestID)
		switch {
		case errors.Is(err, journal.ErrNotFound):
			a.find("head", one.RequestID, "It had %d facts when it was listed, and isn't in the journal any more: it was deleted.", one.Version)
		case errors.Is(err, journal.ErrDamaged): // that is named elsewhere
			a.find("head", one.RequestID, "Its fact %d isn't the one that was listed.", one.Version)
		case err != nil:
			return err
		case row.Version < one.Version:
			a.find("head", one.RequestID, "It had %d facts when it was listed, and has %d: the facts from %d on were cut off.", one.Version, row.Version, row.Version+1)
		default:
			a.find("head", one.RequestID, "Its fact %d isn't the one that was listed: facts up to it were written anew.", one.Version)
		}
	}
	return nil
}

// listed notes a request whose facts the list hadn't up to a version when it was walked.
func (a *audit) listed(id string, version int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.heads.whole && int(a.heads.listed[maphash.String(a.heads.seed, id)]) < version {
		a.heads.late[id] = version
	}
}

// headsLast notes how many requests wait to be listed, and looks at those that are left.
func (a *audit) headsLast(ctx context.Context) error {
	end, err := a.Journal.HeadsEnd(ctx)
	if err != nil {
		return err
	}
	a.report.Unlisted = end.Waiting
	return a.headsLate(ctx)
}

// headsLate names requests whose facts nobody will list: they were kept from the list. What
// waits is listed soon, and what was listed while the audit ran is walked first. It looks at
// those that were late by now, and lets them go, so that they are few however many change
// while an audit runs. It MUST NOT run while requests are looked at.
func (a *audit) headsLate(ctx context.Context) error {
	late := a.heads.late
	a.heads.late = map[string]int{}
	for ids := range slices.Chunk(slices.Collect(maps.Keys(late)), journal.MaxHeads) {
		waiting, err := a.Journal.HeadsWaiting(ctx, ids)
		if err != nil {
			return err
		}
		for _, id := range waiting {
			delete(late, id)
		}
	}
	end, err := a.Journal.HeadsEnd(ctx)
	if err != nil {
		return err
	}
	if err := a.walkHeads(ctx, end.Size); err != nil {
		return err
	}
	for id, version := range late {
		if last := int(a.heads.listed[maphash.String(a.heads.seed, id)]); last < version {
			a.find("unlisted", id, "Its facts from %d on aren't in the list of heads, and don't wait to be listed: they were kept from it, or it was altered.", last+1)
		}
	}
	return nil
}
