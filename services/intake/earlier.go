package intake

import (
	"context"
	"fmt"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
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

// lookBack adds what the person's other requests make of a new one: how many
// there were lately, which open one asks for the same, and the holds that are on.
func (in *Intake) lookBack(ctx context.Context, s *core.Submit) error {
	if in.Finder == nil {
		return nil
	}
	seen := map[string]bool{s.RequestID: true}
	limit := max(core.MaxEarlierRequests, in.PerPerson)
	if s.Right == dsar.Erasure {
		limit = journal.MaxList // any of them may have a hold on
	}
	since := s.ReceivedAt.AddDate(0, -earlierMonths, 0)
	j, _ := in.Policy.Jurisdiction(s.Jurisdiction)
	for _, id := range s.Identifiers {
		value, known, err := in.prints().Value(ctx, s.RequestID, id)
		if err != nil {
			return err
		}
		if !known {
			continue // somebody has just destroyed its keys
		}
		rows, err := in.Finder.ByFingerprint(ctx, in.Vault.Fingerprint(id.Type, value), limit)
		if err != nil {
			return fmt.Errorf("earlier requests: %w", err)
		}
		if err := in.often(ctx, rows, s.AcceptedAt); err != nil {
			return err
		}
		for _, row := range rows {
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
			if err := in.carryKept(ctx, s, row, id, value); err != nil {
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

// often refuses one more request of a person of whom as many as there may be were
// taken in within a day, whatever their callers called the time at which they came.
func (in *Intake) often(ctx context.Context, rows []journal.Row, now time.Time) error {
	since := now.Add(-24 * time.Hour)
	lately := slices.DeleteFunc(slices.Clone(rows), func(r journal.Row) bool { return r.UpdatedAt.Before(since) })
	if len(lately) < in.PerPerson {
		return nil
	}
	n := 0
	for _, row := range lately {
		state, err := in.Requests.State(ctx, row.RequestID)
		if err != nil {
			return fmt.Errorf("request %s: %w", row.RequestID, err)
		}
		if state.Accepted.AcceptedAt.After(since) {
			n++
		}
	}
	if n >= in.PerPerson {
		return ErrOften
	}
	return nil
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
	for _, h := range other.Holds {
		s.Holds = append(s.Holds, core.HoldPlaced{ReasonedAct: core.ReasonedAct{By: core.ByPolicy, Reason: "a hold is on in request " + row.RequestID, At: s.AcceptedAt}, System: h.System, Dataset: h.Dataset})
	}
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
