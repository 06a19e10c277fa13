package console

import (
	"context"
	"sync"
	"time"
)

// cachedFor is how old a count may be: counting a million requests takes the
// database a moment, and every page shows counts.
const cachedFor = 5 * time.Second

// countTime bounds a count.
const countTime = 10 * time.Second

// cached holds an answer that is asked for at most every so often, by one at a
// time; meanwhile everyone gets the last one.
type cached[T any] struct {
	now func() time.Time
	ask func(context.Context) (T, error)
	// fresh is how old an answer may be, and within how long a question may take.
	fresh, within time.Duration

	mu     sync.Mutex
	last   T
	at     time.Time
	asking chan struct{} // closed when the question under way is answered
}

func newCached[T any](now func() time.Time, ask func(context.Context) (T, error)) *cached[T] {
	return &cached[T]{now: now, ask: ask, fresh: cachedFor, within: countTime}
}

// get returns the last answer; only the first caller waits for it.
func (k *cached[T]) get(ctx context.Context) T {
	k.mu.Lock()
	if k.asking == nil && (k.at.IsZero() || k.now().Sub(k.at) >= k.fresh) {
		k.asking = make(chan struct{})
		go k.refresh(context.WithoutCancel(ctx))
	}
	first, asking, last := k.at.IsZero(), k.asking, k.last
	k.mu.Unlock()
	if !first || asking == nil {
		return last
	}
	select {
	case <-asking:
	case <-ctx.Done():
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.last
}

// expire has the next caller ask anew, and wait for it.
func (k *cached[T]) expire() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.at = time.Time{}
}

func (k *cached[T]) refresh(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, k.within)
	defer cancel()
	v, err := k.ask(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil {
		k.last, k.at = v, k.now()
	}
	close(k.asking)
	k.asking = nil
}
