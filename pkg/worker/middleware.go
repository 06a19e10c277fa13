package worker

import "context"

// Call is a call of one of the implementation's methods for some jobs, all of one
// action. What became of each job is in its Err; the error that Call returns is that
// of the jobs which have none of their own.
type Call func(ctx context.Context, jobs []*Job) error

// Middleware wraps calls: it sees every call of the implementation, tries in place
// included, may change the context, refuse the call by an error, or look at what
// became of it. It MUST NOT keep the jobs. [WithMiddleware] has a worker use it; the
// package's own are [Recover], [Timeout] and [Limit], one a file.
//
// A job of a method that goes through [Each] may have been reported before the call
// returns: middleware can't change what became of it then.
type Middleware func(next Call) Call

// Chain makes one middleware of several: the first is the outermost.
func Chain(all ...Middleware) Middleware {
	return func(next Call) Call {
		for i := len(all) - 1; i >= 0; i-- {
			next = all[i](next)
		}
		return next
	}
}
