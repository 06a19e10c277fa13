package vendorapi

import (
	"context"
	"sync"
	"time"
)

// memory is a store of one process.
type memory struct {
	now func() time.Time

	mu     sync.Mutex
	states map[string][]byte
}

// MemoryStore returns a [Store] of this process alone, on a clock. A client
// without a store has one of its own.
func MemoryStore(now func() time.Time) Store {
	return &memory{now: now, states: map[string][]byte{}}
}

func (m *memory) Update(ctx context.Context, account string, f func(time.Time, []byte) []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.states[account] = f(m.now(), m.states[account])
	return nil
}

func (m *memory) Each(ctx context.Context, f func(time.Time, string, []byte) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for account, state := range m.states {
		if err := f(m.now(), account, state); err != nil {
			return err
		}
	}
	return ctx.Err()
}
