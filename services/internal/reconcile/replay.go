package reconcile

import (
	"context"
	"fmt"
	"time"

	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/lifecycle"
)

// Replay tells facts on dsar.events again.
type Replay struct {
	Journal interface {
		List(ctx context.Context, f journal.Filter) ([]journal.Row, error)
		Facts(ctx context.Context, requestID string, from int) ([]journal.Fact, error)
	}
	Vault *vault.Vault
	// Next publishes; nil: it is only counted.
	Next Publisher
	// Progress is told what is being looked at, and how far; may be nil.
	Progress func(what string, n int)
}

// replayBatch is how many facts are published at once: about what the relay does.
const replayBatch = 1000

// Since tells every fact that was journalled from a time on again, each request's in its
// order, under the ids and with the hashes that they had: who follows drops those that it
// has. It returns how many facts of how many requests there are. Requests that change
// meanwhile are told by the relay.
func (r Replay) Since(ctx context.Context, since time.Time) (facts, requests int, err error) {
	var batch []journal.Message
	flush := func() error {
		if r.Next == nil || len(batch) == 0 {
			batch = batch[:0]
			return nil
		}
		if err := (Vouching{Vault: r.Vault, Next: r.Next}).Publish(ctx, batch); err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		batch = batch[:0]
		return nil
	}
	f := journal.Filter{Limit: journal.MaxList}
	for seen := 0; ; {
		rows, err := r.Journal.List(ctx, f)
		if err != nil {
			return facts, requests, err
		}
		for _, row := range rows {
			if seen++; r.Progress != nil && seen%100 == 0 {
				r.Progress("requests", seen)
			}
			if row.UpdatedAt.Before(since) {
				continue
			}
			all, err := r.Journal.Facts(ctx, row.RequestID, 1)
			if err != nil {
				return facts, requests, err
			}
			of := 0
			for _, fact := range all {
				if fact.At.Before(since) && of == 0 {
					continue // once one is told, those behind it are, whatever their clocks said
				}
				of++
				batch = append(batch, lifecycle.FactMessage(fact))
				if len(batch) == replayBatch {
					if err := flush(); err != nil {
						return facts, requests, err
					}
				}
			}
			if facts += of; of > 0 {
				requests++
			}
		}
		if len(rows) < f.Limit {
			return facts, requests, flush()
		}
		f.After = rows[len(rows)-1].Cursor()
	}
}
