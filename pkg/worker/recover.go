package worker

import (
	"context"
	"fmt"
	"runtime/debug"
)

// Recover turns a panic into an error, which fails the jobs that have none of their
// own, with the code panic. Every worker has it, around its own middleware and within
// (TestPanic).
func Recover() Middleware {
	return func(next Call) Call {
		return func(ctx context.Context, jobs []*Job) error {
			return recovered(func() error { return next(ctx, jobs) })
		}
	}
}

func recovered(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			// The stack has functions, lines and addresses, never the values.
			err = &panicError{value: p, stack: debug.Stack()}
		}
	}()
	return f()
}

// panicError is a panic of the implementation.
type panicError struct {
	value any
	stack []byte // of the goroutine; it holds no values
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }
