package intake

import (
	"context"
	"fmt"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/prints"
)

func (in *Intake) prints() prints.Prints { return prints.Prints{Vault: in.Vault} }

// RequestFinder finds requests by the person's fingerprint; the journal does.
type RequestFinder interface {
	ByFingerprint(ctx context.Context, fingerprint string, limit int) ([]journal.Row, error)
}

// earlierMonths is the time in which requests are counted (Civ. Code
// 1798.130(b): twice in twelve months).
const earlierMonths = 12

// others returns the other requests of the person by each of the identifiers that a new one
// names, in their order, and [ErrOften] where there are as many lately as there may be. It
// makes no keys.
func (in *Intake) others(ctx context.Context, from callers.Caller, s event.Submitted, ids []named) ([][]journal.Row, error) {
	if in.Finder == nil {
		return nil, nil
	}
	limit := min(max(core.MaxEarlierRequests, looksAt*in.PerPerson), journal.MaxList)
	if s.Right == dsar.Erasure {
		limit = journal.MaxList // any of them may have a hold on
	}
	all := make([][]journal.Row, len(ids))
	for i, id := range ids {
		var err error
		if all[i], err = in.Finder.ByFingerprint(ctx, id.across, limit); err != nil {
			return nil, fmt.Errorf("intake: earlier requests: %w", err)
		}
		if err := in.often(ctx, from, s.Source, ids, id, all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// lookBack adds what the person's other requests, by each identifier, make of a new one: how
// many there were lately, which open one asks for the same, and the holds that are on.
func (in *Intake) lookBack(ctx context.Context, s *core.Submit, ids []named, others [][]journal.Row) error {
	if in.Finder == nil {
		return nil
	}
	seen := map[string]bool{s.RequestID: true}
	since := s.ReceivedAt.AddDate(0, -earlierMonths, 0)
	j, _ := in.Policy.Jurisdiction(s.Jurisdiction)
	for i, id := range s.Identifiers { // those of ids, sealed
		for _, row := range others[i] {
			if seen[row.RequestID] {
				continue
			}
			seen[row.RequestID] = true
			if row.ReceivedAt.After(since) && s.EarlierRequests < core.MaxEarlierRequests {
				s.EarlierRequests++
			}
			if row.Right == s.Right && row.Jurisdiction == s.Jurisdiction && !row.Status.Ended() {
				s.DuplicateOf = row.RequestID
			}
			if s.Right == dsar.Erasure && j.Recourse != nil && recourse(row) && row.Jurisdiction == s.Jurisdiction && len(s.After) < maxAfter {
				s.After = append(s.After, row.RequestID)
			}
			if s.Right.Decided() {
				continue // nothing is erased or looked for
			}
			if err := in.carryHolds(ctx, s, row); err != nil {
				return err
			}
			if err := in.carryKept(ctx, s, row, id, ids[i].value); err != nil {
				return err
			}
		}
	}
	s.LooksBack = in.LooksBack && (s.Right == dsar.Erasure || len(s.Erasures) > 0)
	return nil
}

// maxAfter bounds the requests that an erasure waits for: more than anybody has open.
const maxAfter = 100

// recourse reports whether a request is open that asks to see what is held, or is about a
// refusal of that.
func recourse(row journal.Row) bool {
	return !row.Status.Ended() && (row.Right.Decided() || row.Right == dsar.Access || row.Right == dsar.Portability || row.Right == dsar.KnowCategories)
}

// looksAt is how many times [Config.PerPerson] of an identifier's latest requests are looked
// at: those by claims and those by what is sure, from a few sources.
const looksAt = 5

// often refuses one more request of a person of whom as many as there may be were taken in
// within a day, whatever their callers called the time at which they came.
//
// What is merely claimed is anybody's to claim, so that it counts against nobody who is sure
// to be the person. A request by what is verified or proven is counted by that alone, with
// others by the same; what it claims besides is bounded by it. A request that only claims is
// counted with others of its caller that only claim the same (TestClaimsBlockNobody).
func (in *Intake) often(ctx context.Context, from callers.Caller, source string, ids []named, by named, rows []journal.Row) error {
	sure := slices.ContainsFunc(ids, func(id named) bool { return isSure(id.Identifier) })
	if sure && !isSure(by.Identifier) {
		return nil
	}
	since := in.Now().Add(-24 * time.Hour)
	lately := slices.DeleteFunc(slices.Clone(rows), func(r journal.Row) bool {
		return r.UpdatedAt.Before(since) || !sure && from.Known() && r.Source != source
	})
	n := 0
	for i, row := range lately {
		if n+len(lately)-i < in.PerPerson {
			return nil // fewer than that are left
		}
		state, err := in.Requests.State(ctx, row.RequestID)
		if err != nil {
			return fmt.Errorf("intake: request %s: %w", row.RequestID, err)
		}
		counts := state.Accepted.AcceptedAt.After(since)
		if counts && sure {
			surely := slices.DeleteFunc(slices.Clone(state.Identifiers), func(id dsar.Identifier) bool { return !isSure(id) })
			counts, err = in.prints().Among(ctx, state, surely, by.Type, by.value)
		} else if counts {
			counts = !slices.ContainsFunc(state.Identifiers, isSure)
		}
		if err != nil {
			return fmt.Errorf("intake: %w", err)
		}
		if counts {
			n++
		}
	}
	if n >= in.PerPerson {
		return ErrOften
	}
	return nil
}

// isSure reports whether an identifier is the person's by more than a word: that a system
// found it by another doesn't count, since several people may lead to it.
func isSure(id dsar.Identifier) bool {
	return id.Assurance == dsar.AssuranceVerified || id.Assurance == dsar.AssuranceProven
}

// carryHolds puts the holds of another request of the same person on a new
// erasure.
func (in *Intake) carryHolds(ctx context.Context, s *core.Submit, row journal.Row) error {
	if s.Right != dsar.Erasure {
		return nil
	}
	other, err := in.Requests.State(ctx, row.RequestID)
	if err != nil {
		return fmt.Errorf("request %s: %w", row.RequestID, err)
	}
	s.Holds = append(s.Holds, other.HoldsFor(s.AcceptedAt)...)
	return nil
}

// carryKept takes over what an earlier erasure of the same person has left. By what it was
// found there the coordinator adds, which may open it.
func (in *Intake) carryKept(ctx context.Context, s *core.Submit, row journal.Row, by dsar.Identifier, value string) error {
	if row.Right != dsar.Erasure {
		return nil
	}
	other, err := in.Requests.State(ctx, row.RequestID)
	if err != nil {
		return fmt.Errorf("request %s: %w", row.RequestID, err)
	}
	if !other.Reaches() {
		return nil
	}
	if same, err := in.prints().Among(ctx, other, other.Usable(), by.Type, value); err != nil || !same {
		return err
	}
	s.Erasures = append(s.Erasures, row.RequestID)
	for _, k := range other.Kept(s.AcceptedAt) {
		k.From = by.Fingerprint
		s.Kept = append(s.Kept, k)
	}
	return nil
}
