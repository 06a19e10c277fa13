package worker

import (
	"context"
	"time"
)

// Timeout bounds each call. One that is cut off has failed for now: its tasks come
// again. Every worker has it, with [WithTimeout]'s duration.
func Timeout(d time.Duration) Middleware {
	return func(next Call) Call {
		return func(ctx context.Context, jobs []*Job) error {
			ctx, cancel := context.WithTimeout(ctx, d)
			defer cancel()
			return next(ctx, jobs)
		}
	}
}
