package conform

import (
	"context"
	"sync"
	"time"
)

// Clock is a time that passes only when something waits for it.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock returns one that stands at a morning of November 2026.
func NewClock() *Clock { return &Clock{at: time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)} }

// Now returns what it shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Pass lets time pass at once, as a pause does.
func (c *Clock) Pass(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
	return ctx.Err()
}

// Until lets time pass until a moment, and a second more.
func (c *Clock) Until(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.After(c.at) {
		c.at = t
	}
	c.at = c.at.Add(time.Second)
}
