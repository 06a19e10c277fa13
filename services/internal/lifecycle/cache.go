package lifecycle

import (
	"container/list"
	"sync"

	"habeas.dev/services/internal/core"
)

// cachedStates bounds the remembered states: some kilobytes each, and more than
// the requests that are in flight at once in one process.
const cachedStates = 4096

// versioned is a state and how many facts it is the fold of.
type versioned struct {
	state   core.State
	version int
}

// cache remembers the states of the requests that were last used. What it holds
// may be behind the journal; it is never ahead of it.
type cache struct {
	mu    sync.Mutex
	limit int
	order *list.List // of entry, the last used first
	byID  map[string]*list.Element
}

type entry struct {
	id string
	v  versioned
}

func newCache(limit int) *cache {
	return &cache{limit: limit, order: list.New(), byID: make(map[string]*list.Element)}
}

// get is the state of a request; where none is remembered, that at its beginning.
func (c *cache) get(id string) versioned {
	c.mu.Lock()
	defer c.mu.Unlock()
	el, ok := c.byID[id]
	if !ok {
		return versioned{}
	}
	c.order.MoveToFront(el)
	return el.Value.(entry).v
}

func (c *cache) put(id string, v versioned) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el, ok := c.byID[id]; ok {
		if el.Value.(entry).v.version < v.version {
			el.Value = entry{id, v}
		}
		c.order.MoveToFront(el)
		return
	}
	c.byID[id] = c.order.PushFront(entry{id, v})
	if c.order.Len() > c.limit {
		last := c.order.Back()
		c.order.Remove(last)
		delete(c.byID, last.Value.(entry).id)
	}
}

func (c *cache) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el, ok := c.byID[id]; ok {
		c.order.Remove(el)
		delete(c.byID, id)
	}
}
