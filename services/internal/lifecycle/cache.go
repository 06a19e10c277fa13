package lifecycle

import (
	"fmt"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"habeas.dev/services/internal/core"
)

// cachedStates bounds the remembered states: some kilobytes each, and more than
// the requests that are in flight at once in one process.
const cachedStates = 4096

// versioned is a state, how many facts it is the fold of, and their hashes: with
// sixty facts they take two kilobytes.
type versioned struct {
	state   core.State
	version int
	hashes  []hash
}

// cache remembers the states of the requests that were last used. What it holds
// may be behind the journal; it is never ahead of it.
type cache struct {
	mu     sync.Mutex // get and put look at a state and change the order in one step
	states *simplelru.LRU[string, versioned]
}

func newCache(limit int) *cache {
	states, err := simplelru.NewLRU[string, versioned](limit, nil)
	if err != nil {
		panic(fmt.Sprintf("lifecycle: %v", err)) // limit is a constant above zero
	}
	return &cache{states: states}
}

// get returns the cached state of a request, and where none is cached, the state
// before its first fact.
func (c *cache) get(id string) versioned {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, _ := c.states.Get(id)
	return v
}

// put caches a request's state, unless a later one is cached already.
func (c *cache) put(id string, v versioned) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cached, ok := c.states.Get(id); !ok || cached.version < v.version {
		c.states.Add(id, v)
	}
}

// forget drops a request's state.
func (c *cache) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.states.Remove(id)
}
