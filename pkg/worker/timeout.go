package worker

import (
	"context"
	"time"
)

// Bounded is an implementation that says how long a call of it may take; where it
// doesn't, that is [DefaultTimeout]. [WithTimeout] goes over both.
type Bounded interface {
	CallTimeout() time.Duration
}

// Timeout bounds each call. One that is cut off has failed for now: its tasks come
// again. Every worker has it, with the duration of [WithTimeout] or [Bounded].
func Timeout(d time.Duration) Middleware {
	return func(next Call) Call {
		return func(ctx context.Context, jobs []*Job) error {
			ctx, cancel := context.WithTimeout(ctx, d)
			defer cancel()
			return next(ctx, jobs)
		}
	}
}
