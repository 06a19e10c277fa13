package vault

import (
	"bytes"
	"container/list"
	"sync"
	"time"
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
	mu    sync.Mutex
	max   int
	byID  map[string]*list.Element
	order *list.List // of *entry, the last used first
	// shreds counts what was forgotten. Keys that were read before a shredding
	// and come after it are not kept.
	shreds uint64
}

type entry struct {
	id     string
	keys   *Keys
	sealed []byte // as in the bucket: the same again needn't be opened again
	until  time.Time
}

func newCache(size int) *cache {
	return &cache{max: size, byID: make(map[string]*list.Element), order: list.New()}
}

// fresh returns keys that may be used without a look into the bucket.
func (c *cache) fresh(id string) *Keys {
	c.mu.Lock()
	defer c.mu.Unlock()
	el := c.byID[id]
	if el == nil {
		return nil
	}
	e := el.Value.(*entry)
	if time.Now().After(e.until) {
		return nil
	}
	c.order.MoveToFront(el)
	return e.keys
}

// renew returns the cached keys where the bucket still holds the same.
func (c *cache) renew(id string, sealed []byte) *Keys {
	c.mu.Lock()
	defer c.mu.Unlock()
	el := c.byID[id]
	if el == nil {
		return nil
	}
	e := el.Value.(*entry)
	if !bytes.Equal(e.sealed, sealed) {
		return nil
	}
	e.until = time.Now().Add(CacheTTL)
	c.order.MoveToFront(el)
	return e.keys
}

func (c *cache) epoch() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shreds
}

// put keeps keys that were read when the epoch was before, unless something was
// forgotten since. It returns those to be used: another goroutine may have
// opened the same already.
func (c *cache) put(id string, k *Keys, sealed []byte, before uint64) (*Keys, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shreds != before {
		return k, false
	}
	if el := c.byID[id]; el != nil {
		e := el.Value.(*entry)
		if bytes.Equal(e.sealed, sealed) {
			return e.keys, true
		}
		c.order.Remove(el)
	}
	c.byID[id] = c.order.PushFront(&entry{id: id, keys: k, sealed: sealed, until: time.Now().Add(CacheTTL)})
	for c.order.Len() > c.max {
		last := c.order.Back()
		c.order.Remove(last)
		delete(c.byID, last.Value.(*entry).id)
	}
	return k, true
}

// forget drops keys that were destroyed, and stops those who hold them.
func (c *cache) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shreds++
	if el := c.byID[id]; el != nil {
		el.Value.(*entry).keys.shredded.Store(true)
		c.order.Remove(el)
		delete(c.byID, id)
	}
}

// drop empties the cache.
func (c *cache) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.byID)
	c.order.Init()
}
