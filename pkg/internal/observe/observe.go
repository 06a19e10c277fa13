// Package observe shows the tests of habeas.dev/pkg/tests what of the bus nobody else
// can see.
package observe

import "context"

// Commit is called before a generation's member commits offsets, by partition; what it
// returns is called with the result.
type Commit func(member string, generation int32, offsets map[int]int64) (end func(error))

type key struct{}

// WithCommits returns a context; a subscription that begins with it calls f for each
// commit.
func WithCommits(ctx context.Context, f Commit) context.Context {
	return context.WithValue(ctx, key{}, f)
}

// Commits returns what WithCommits gave to the context, or a function that does
// nothing.
func Commits(ctx context.Context) Commit {
	if f, ok := ctx.Value(key{}).(Commit); ok {
		return f
	}
	return func(string, int32, map[int]int64) func(error) { return func(error) {} }
}
