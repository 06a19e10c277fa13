package console

import (
	"context"
	"sync"
	"time"
)

// keptFor is how old a count may be: counting a million requests takes the
// database a moment, and a page shows it at every load.
const keptFor = 5 * time.Second

// countTime bounds a count.
const countTime = 10 * time.Second

// kept is an answer that is asked for at most every keptFor, by one at a time;
// meanwhile everyone has the last one.
type kept[T any] struct {
	now func() time.Time
	ask func(context.Context) (T, error)

	mu     sync.Mutex
	last   T
	at     time.Time
	asking chan struct{} // closed when the question under way is answered
}

func keep[T any](now func() time.Time, ask func(context.Context) (T, error)) *kept[T] {
	return &kept[T]{now: now, ask: ask}
}

// get returns the last answer; the first time, who asks waits for it.
func (k *kept[T]) get(ctx context.Context) T {
	k.mu.Lock()
	if k.asking == nil && (k.at.IsZero() || k.now().Sub(k.at) >= keptFor) {
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

func (k *kept[T]) refresh(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, countTime)
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
