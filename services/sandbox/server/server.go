// Package server has what all vendors' stand-ins are beside their wires: faults,
// the file of what callers change, and counts of calls.
package server

import (
	"maps"
	"net/http"
	"path/filepath"
	"sync"

	"habeas.dev/services/sandbox/fault"
	"habeas.dev/services/sandbox/wal"
)

// Base is embedded by a stand-in. It is safe for concurrent use once it is started.
type Base struct {
	faults  *fault.Injector
	handler http.Handler
	log     *wal.Log

	mu       sync.Mutex // guards what follows
	calls    map[string]int64
	repeated int64
}

// Keep opens the file of changes, name.changes in a folder, and replays what it holds;
// an empty folder keeps nothing. The digest tells what the changes apply to.
func (b *Base) Keep(dir, name, digest string, replay func(change []byte) error) (err error) {
	if dir != "" {
		b.log, err = wal.Open(filepath.Join(dir, name+".changes"), digest, replay)
	}
	return err
}

// Append writes a change down.
func (b *Base) Append(change any) error { return b.log.Append(change) }

// Start has serve answer calls, with the faults of a vendor before it.
func (b *Base) Start(c fault.Config, v fault.Vendor, serve http.HandlerFunc) {
	b.faults = fault.New(c, v)
	b.handler = b.faults.Wrap(serve)
}

// ServeHTTP answers one call.
func (b *Base) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.handler.ServeHTTP(w, r) }

// Close closes the file of changes.
func (b *Base) Close() error { return b.log.Close() }

// SetFaults changes what goes wrong from the next call on.
func (b *Base) SetFaults(c fault.Config) { b.faults.Set(c) }

// Spoils returns the names of the ways in which answers can be spoilt.
func (b *Base) Spoils() []string { return b.faults.Spoils() }

// Locked draws whether a record is locked this time.
func (b *Base) Locked() bool { return b.faults.Locked() }

// Count counts a call of some kind.
func (b *Base) Count(kind string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.calls == nil {
		b.calls = map[string]int64{}
	}
	b.calls[kind]++
}

// Calls returns how many calls of each kind were answered.
func (b *Base) Calls() map[string]int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.calls)
}

// Repeat counts a deletion that was asked of what was gone.
func (b *Base) Repeat() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.repeated++
}

// Repeated returns how many deletions were asked of what was gone.
func (b *Base) Repeated() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.repeated
}
