package links

import (
	"context"

	"habeas.dev/services/internal/core"
)

// Before tells of requests that were accepted before fingerprints were a request's own; it
// implements link.Before.
type Before struct {
	Requests interface {
		State(ctx context.Context, requestID string) (core.State, error)
	}
}

// PrintsAcross implements link.Before.
func (b Before) PrintsAcross(ctx context.Context, requestID string) (bool, error) {
	s, err := b.Requests.State(ctx, requestID)
	return s.Exists() && !s.Accepted.OwnPrints, err
}
