package bus

import (
	"context"
	"time"
)

// pace limits how often a loop turns: once per interval on average, and up to burst
// times without a pause after the loop has stood still. It is for one goroutine.
type pace struct {
	every time.Duration
	burst int
	next  time.Time // when the next turn is due
}

// wait blocks until the next turn is due. Its error is the context's.
func (p *pace) wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	now := time.Now()
	// Turns that nobody took are kept, up to a burst of them.
	if oldest := now.Add(-time.Duration(p.burst-1) * p.every); p.next.Before(oldest) {
		p.next = oldest
	}
	delay := p.next.Sub(now)
	p.next = p.next.Add(p.every)
	if delay <= 0 {
		return nil
	}
	t := time.NewTimer(delay)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
