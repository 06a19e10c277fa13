package intake

import (
	"context"
	"fmt"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// Earlier finds requests by the person's fingerprint; the journal does.
type Earlier interface {
	ByFingerprint(ctx context.Context, fingerprint string, limit int) ([]journal.Row, error)
}

// earlierMonths is the time in which requests are counted (Civ. Code
// 1798.130(b): twice in twelve months).
const earlierMonths = 12

// lookBack adds what the person's other requests make of a new one: how many
// there were lately, which open one asks for the same, and the holds that are on.
func (in *Intake) lookBack(ctx context.Context, s *core.Submit) error {
	if in.Earlier == nil {
		return nil
	}
	seen := map[string]bool{s.RequestID: true}
	limit := core.ManyEarlier
	if s.Right == dsar.Erasure {
		limit = journal.MaxList // any of them may have a hold on
	}
	since := s.ReceivedAt.AddDate(0, -earlierMonths, 0)
	for _, id := range s.Identifiers {
		rows, err := in.Earlier.ByFingerprint(ctx, id.Fingerprint, limit)
		if err != nil {
			return fmt.Errorf("earlier requests: %w", err)
		}
		for _, row := range rows {
			if seen[row.RequestID] {
				continue
			}
			seen[row.RequestID] = true
			if row.ReceivedAt.After(since) && s.Earlier < core.ManyEarlier {
				s.Earlier++
			}
			if row.Right == s.Right && row.Jurisdiction == s.Jurisdiction && !row.Status.Ended() {
				s.DuplicateOf = row.RequestID
			}
			if err := in.carryHolds(ctx, s, row); err != nil {
				return err
			}
		}
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
