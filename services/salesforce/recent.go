package salesforce

import (
	"sync"
	"time"

	"habeas.dev/pkg/worker"
)

const (
	// settleFor is how long a purged record may still be shown: Salesforce's
	// answers can lag behind its deletions.
	settleFor = 10 * time.Minute
	// settleWait is when to look again.
	settleWait = time.Minute
	// maxRecent bounds what is remembered, at some 60 bytes each.
	maxRecent = 100_000
)

// recent remembers which records were purged lately, so that one that is still
// shown isn't deleted a second time. It is a help, not a guarantee: another
// process doesn't know, and Salesforce answers it ENTITY_IS_DELETED.
type recent struct {
	now func() time.Time

	mu sync.Mutex
	// Two generations: the older one is dropped as a whole.
	young, old map[string]struct{}
	since      time.Time
}

func (r *recent) add(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn()
	r.young[id] = struct{}{}
}

func (r *recent) has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn()
	_, ok := r.young[id]
	if !ok {
		_, ok = r.old[id]
	}
	return ok
}

func (r *recent) turn() {
	if now := r.now(); r.young == nil || now.Sub(r.since) > settleFor || len(r.young) >= maxRecent/2 {
		r.old, r.young, r.since = r.young, map[string]struct{}{}, now
	}
}

func errSettling() error {
	return worker.RetryAfter(settleWait, "settling", "Salesforce has deleted the records and still shows them; it is asked again in a minute", nil)
}
