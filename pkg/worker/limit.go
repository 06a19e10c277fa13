package worker

import "context"

// Limit lets n calls run at once, over all actions, and has the others wait: for a
// system that breaks under more. A call that is cut off while it waits has failed for
// now. It panics where n is below 1.
func Limit(n int) Middleware {
	if n < 1 {
		panic("worker: Limit: no call could ever run")
	}
	places := make(chan struct{}, n)
	return func(next Call) Call {
		return func(ctx context.Context, jobs []*Job) error {
			select {
			case places <- struct{}{}:
				defer func() { <-places }()
				return next(ctx, jobs)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}
