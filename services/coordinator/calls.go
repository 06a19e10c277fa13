package coordinator

import (
	"context"
	"sync"
	"time"

	"habeas.dev/services/internal/core"
)

const (
	// maxCalls is how many requests' callers are called at once: a caller that is slow to
	// answer takes a few of them, and holds no timer up.
	maxCalls = 32
	// callsWait is how long one Tick waits for calls to end, so that others begin: a crowd of
	// requests is told at once where their caller is quick.
	callsWait = time.Second
)

// calls are the requests whose callers are called now, beside the timers.
type calls struct {
	mu    sync.Mutex
	under map[string]bool
	slots chan struct{}
	all   sync.WaitGroup
}

func newCalls() *calls {
	return &calls{under: map[string]bool{}, slots: make(chan struct{}, maxCalls)}
}

// begin begins to call a request's caller, unless it is called already, or no slot is free
// before wait is over: then its turn comes with later timers. It reports whether it did.
func (c *calls) begin(wait <-chan struct{}, id string, call func()) bool {
	if !c.mark(id) {
		return false
	}
	select {
	case c.slots <- struct{}{}:
	case <-wait:
		c.unmark(id)
		return false
	}
	c.all.Go(func() {
		defer func() {
			c.unmark(id)
			<-c.slots
		}()
		call()
	})
	return true
}

func (c *calls) mark(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.under[id] {
		return false
	}
	c.under[id] = true
	return true
}

func (c *calls) unmark(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.under, id)
}

// callBack has a request's caller be told of what it is owed, beside the timers, and reports
// whether it is called by this.
func (c *Coordinator) callBack(ctx context.Context, wait <-chan struct{}, id string) bool {
	return c.calls.begin(wait, id, func() {
		if err := c.keep(ctx, id, []core.Duty{core.DutyCallBack}); err != nil && ctx.Err() == nil {
			c.Log.WarnContext(ctx, "a caller is called again", "request_id", id, "error", err)
		}
	})
}
