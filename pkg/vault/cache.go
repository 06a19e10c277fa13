package vault

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	// maxCached bounds the opened key sets in memory, at about 5 KiB each. It
	// is several times what a process has in flight.
	maxCached = 2048
	// CacheTTL is how long opened keys are used without a look into the bucket:
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
	sealed []byte // as in the bucket: the same again needn't be opened again
	until  time.Time
}

func newCache(limit int) *cache {
	keys, err := simplelru.NewLRU[string, cached](limit, nil)
	if err != nil {
		panic(fmt.Sprintf("vault: %v", err)) // limit is a constant above zero
	}
	return &cache{keys: keys}
}

// fresh returns keys that may be used without a look into the bucket.
func (c *cache) fresh(id string) *Keys {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.keys.Peek(id); !ok || time.Now().After(e.until) {
		return nil
	}
	e, _ := c.keys.Get(id)
	return e.keys
}

// renew returns the cached keys where the bucket still holds the same.
func (c *cache) renew(id string, sealed []byte) *Keys {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.keys.Peek(id)
	if !ok || !bytes.Equal(e.sealed, sealed) {
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
func (c *cache) put(id string, k *Keys, sealed []byte, before uint64) (*Keys, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shreds != before {
		return k, false
	}
	if e, ok := c.keys.Peek(id); ok && bytes.Equal(e.sealed, sealed) {
		return e.keys, true
	}
	c.keys.Add(id, cached{keys: k, sealed: sealed, until: time.Now().Add(CacheTTL)})
	return k, true
}

// forget drops keys that were destroyed, and stops those who hold them.
func (c *cache) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shreds++
	if e, ok := c.keys.Peek(id); ok {
		e.keys.shredded.Store(true)
		c.keys.Remove(id)
	}
}

// drop empties the cache.
func (c *cache) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys.Purge()
}
