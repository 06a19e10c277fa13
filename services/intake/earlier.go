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

func (in *Intake) prints() prints.Prints {
	return prints.Prints{Vault: in.Vault, Index: in.Finder}
}

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

// lookBack adds what other requests that have one of its identifiers make of a new one: how
// many of its person there were lately, which open one asks for the same, the holds that are
// on. What is of the same person, [core.Compare] says. Where that isn't sure, and makes a
// difference, the coordinator looks again by what may be used then, before any system is asked.
func (in *Intake) lookBack(ctx context.Context, s *core.Submit, ids []named, others [][]journal.Row) error {
	if in.Finder == nil {
		return nil
	}
	b := back{Submit: s, state: core.Evolve(core.State{}, s.Accepted), since: s.ReceivedAt.AddDate(0, -earlierMonths, 0)}
	for i, id := range s.Identifiers { // those of ids, sealed
		b.given = append(b.given, prints.Value{Identifier: id, Value: ids[i].value})
	}
	b.usable = slices.DeleteFunc(slices.Clone(b.given), func(v prints.Value) bool { return v.Assurance == dsar.AssuranceClaimed })
	seen := map[string]bool{s.RequestID: true}
	for _, rows := range others {
		for _, row := range rows {
			if seen[row.RequestID] {
				continue
			}
			seen[row.RequestID] = true
			if err := in.lookAt(ctx, &b, row); err != nil {
				return err
			}
		}
	}
	s.LooksBack = in.LooksBack && (s.Right == dsar.Erasure || len(s.Erasures) > 0 || s.LooksFirst)
	return nil
}

// back is a new request that looks at others.
type back struct {
	*core.Submit
	state         core.State
	given, usable []prints.Value
	since         time.Time
}

// lookAt adds what one other request makes of a new one.
func (in *Intake) lookAt(ctx context.Context, b *back, row journal.Row) error {
	other, err := in.Requests.State(ctx, row.RequestID)
	if err != nil {
		return fmt.Errorf("request %s: %w", row.RequestID, err)
	}
	said, err := in.prints().Compare(ctx, b.state, b.given, other, other.Identifiers)
	if err != nil {
		return fmt.Errorf("request %s: %w", row.RequestID, err)
	}
	same := said.Sameness == core.SamePerson
	if same && row.ReceivedAt.After(b.since) && b.EarlierRequests < core.MaxEarlierRequests {
		b.EarlierRequests++
	}
	if same && row.Right == b.Right && row.Jurisdiction == b.Jurisdiction && !row.Status.Ended() {
		b.DuplicateOf = row.RequestID
	}
	j, _ := in.Policy.Jurisdiction(b.Jurisdiction)
	if b.Right == dsar.Erasure && j.Recourse != nil && recourse(row) && row.Jurisdiction == b.Jurisdiction && len(b.After) < maxAfter && said.Sameness != core.NothingInCommon {
		b.After = append(b.After, row.RequestID)
	}
	if b.Right.Decided() {
		return nil // nothing is erased or looked for
	}
	return in.carry(ctx, b, other)
}

// carry takes over what another request of the same person has: its holds, for an erasure, and
// what it has left, where it is one. By what that was found there the coordinator adds, which
// may open it.
func (in *Intake) carry(ctx context.Context, b *back, other core.State) error {
	c, err := in.prints().Compare(ctx, b.state, b.usable, other, other.Usable())
	if err != nil {
		return fmt.Errorf("request %s: %w", other.Accepted.RequestID, err)
	}
	// What is in doubt, or merely claimed as yet; and what only who can open it knows.
	b.LooksFirst = b.LooksFirst || in.LooksBack && (c.Sameness != core.SamePerson && b.state.Concerns(other, b.AcceptedAt) || other.Corrected())
	if c.Sameness != core.SamePerson {
		return nil
	}
	if b.Right == dsar.Erasure {
		b.Holds = append(b.Holds, other.HoldsFor(b.AcceptedAt)...)
		if other.FactsLost > 0 && len(b.After) < maxAfter && !slices.Contains(b.After, other.Accepted.RequestID) {
			b.After = append(b.After, other.Accepted.RequestID)
		}
	}
	if !other.Reaches() {
		return nil
	}
	b.Erasures = append(b.Erasures, other.Accepted.RequestID)
	for _, k := range other.Kept(b.AcceptedAt) {
		k.From = b.usable[c.By].Fingerprint
		b.Kept = append(b.Kept, k)
	}
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
