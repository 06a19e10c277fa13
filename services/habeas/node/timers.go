package node

import (
	"context"

	"habeas.dev/services/internal/lifecycle"
)

// mendTimers makes timers what their requests' rows say, once: whoever can write to the table
// could have a request forgotten late, or never.
func (n *Node) mendTimers(ctx context.Context) error {
	mended, err := lifecycle.MendTimers(ctx, n.Installation.Journal)
	if mended > 0 {
		n.log.Error("timers weren't what their requests' rows say: somebody has written to the journal's tables; they are mended", "requests", mended)
	}
	if err != nil && ctx.Err() == nil {
		n.log.Warn("timers are held against their requests' rows at the next start", "error", err)
	}
	<-ctx.Done()
	return nil
}
