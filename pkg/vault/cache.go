package vault

import (
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	// maxCached bounds the opened key sets in memory, at about 5 KiB each. It
	// is several times what a process has in flight.
	maxCached = 2048
	// CacheTTL is how long opened keys are used without a look into the key store:
	// the longest time for which a process goes on with keys that another one
	// has destroyed.
	CacheTTL = 30 * time.Second
)

// cache keeps the key sets that were used last.
type cache struct {
	mu   sync.Mutex // each method looks and changes in one step
	keys *simplelru.LRU[string, cached]
	// shreds counts what was forgotten. Keys that were read before a shredding
	// and come after it are not cached.
	shreds uint64
}

// cached is a key set that was opened.
type cached struct {
	keys   *Keys
	sealed sealedRoots // as in the key store: the same again needn't be opened again
	until  time.Time
}

func newCache(limit int) *cache {
	keys, err := simplelru.NewLRU[string, cached](limit, nil)
	if err != nil {
		panic(fmt.Sprintf("vault: %v", err)) // limit is a constant above zero
	}
	return &cache{keys: keys}
}

// fresh returns keys that may be used without a look into the key store.
func (c *cache) fresh(id string) *Keys {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.keys.Peek(id); !ok || time.Now().After(e.until) {
		return nil
	}
	e, _ := c.keys.Get(id)
	return e.keys
}

// renew returns the cached keys where the key store still holds the same.
func (c *cache) renew(id string, sealed sealedRoots) *Keys {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.keys.Peek(id)
	if !ok || !e.sealed.equal(sealed) {
		return nil
	}
	e.until = time.Now().Add(CacheTTL)
	c.keys.Add(id, e)
	return e.keys
}

// epoch returns what put wants to know of: the shreddings before the keys were
// read.
func (c *cache) epoch() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shreds
}

// put caches keys that were read when the epoch was before, unless something was
// forgotten since. It returns those to be used: another goroutine may have
// opened the same already.
func (c *cache) put(id string, k *Keys, sealed sealedRoots, before uint64) (*Keys, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shreds != before {
		return k, false
	}
	if e, ok := c.keys.Peek(id); ok && e.sealed.equal(sealed) {
		return e.keys, true
	}
	c.keys.Add(id, cached{keys: k, sealed: sealed, until: time.Now().Add(CacheTTL)})
	return k, true
}

// forget stops the use of a root that this process has ended.
func (c *cache) forget(id string, which Root) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shreds++
	c.stop(id, which)
}

// endedElsewhere does the same for a root that another process has ended: keys that were
// opened since then are kept.
func (c *cache) endedElsewhere(id string, which Root) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.keys.Peek(id); ok && !e.keys.Ended(which) {
		c.stop(id, which)
	}
}

// stop has nobody use what comes of a root of cached keys, and drops them where nothing
// is left of them. The caller holds c.mu.
func (c *cache) stop(id string, which Root) {
	if e, ok := c.keys.Peek(id); ok {
		e.keys.roots[which].ended.Store(true)
		if e.keys.Ended(SubjectRoot) && e.keys.Ended(RecordsRoot) {
			c.keys.Remove(id)
		}
	}
}

// drop empties the cache.
func (c *cache) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys.Purge()
}
