package lifecycle

import (
	"context"
	"fmt"
	"slices"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// Needs returns why a request needs a person, as its row has it.
func Needs(s core.State) []string {
	var out []string
	for _, n := range s.Needs() {
		out = append(out, n.String())
	}
	slices.Sort(out)
	return out
}

// FindNeeds looks at the requests that were open when the journal learnt of needs, and says
// in their rows what they need. It may be cut off, and called again: it goes on.
func FindNeeds(ctx context.Context, j interface {
	Journal
	List(ctx context.Context, f journal.Filter) ([]journal.Row, error)
	SetNeeds(ctx context.Context, requestID string, version int, needs []string) error
}) error {
	for after := (journal.Cursor{}); ; {
		rows, err := j.List(ctx, journal.Filter{Need: journal.NeedUnknown, DueFirst: true, After: after})
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			facts, err := j.Facts(ctx, r.RequestID, 1)
			if err != nil {
				return err
			}
			should, err := Fold(facts)
			if err != nil {
				return fmt.Errorf("request %s: %w", r.RequestID, err)
			}
			if err := j.SetNeeds(ctx, r.RequestID, should.Version, should.Needs); err != nil {
				return err
			}
			after = r.Cursor()
		}
	}
}
