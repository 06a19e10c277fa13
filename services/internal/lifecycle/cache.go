package lifecycle

import (
	"fmt"
	"slices"
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
	// tasks are those that were ever told to workers, where confirms has them remembered.
	tasks    []sentTask
	confirms bool
	// past are the latest states in which a letter became due, the last one last. They
	// share most of what they hold with the state.
	past []core.State
}

// maxPast is how many letters are due at once: more would be a request that is done with
// before the first is written.
const maxPast = 4

// after returns what comes of a fact, of which this is the hash.
func (v versioned) after(e core.Event, h hash) versioned {
	occasions := len(v.state.Occasions)
	v.state, v.version, v.hashes = core.Evolve(v.state, e), v.version+1, append(v.hashes, h)
	if len(v.state.Occasions) > occasions {
		v.past = append(slices.Clip(v.past[max(0, len(v.past)+1-maxPast):]), v.state)
	}
	return v
}

// at returns how a request was after a fact that a letter is due for; false where that
// isn't remembered.
func (v versioned) at(version int) (versioned, bool) {
	for _, s := range v.past {
		if s.Version == version {
			return versioned{state: s, version: version, hashes: v.hashes[:version]}, true
		}
	}
	return versioned{}, false
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
