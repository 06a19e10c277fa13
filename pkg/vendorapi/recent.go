package vendorapi

import (
	"sync"
	"time"
)

const (
	// settleFor is how long a deleted record may still be shown: vendors' answers
	// can lag behind their deletions.
	settleFor = 10 * time.Minute
	// maxRecent bounds what is remembered, at some 60 bytes each.
	maxRecent = 100_000
)

// Recent remembers which records were deleted lately, so that one that is still
// shown isn't deleted a second time, and isn't taken for one that outlived its
// erasure. It is safe for concurrent use.
//
// It is this process' memory. Tasks of a request go to one partition, and so to
// one process; another one has them only where that was started anew, or
// partitions were dealt out anew, between a deletion and its proof. While the
// vendor lags, it then sees the record as if nothing had been done: the proof is
// asked for again later ([core.MaxProofs] times, ever more seldom), and an erasure
// that is sent anew may ask for a deletion of what is gone, which the vendor
// answers as such. Nothing is said to be erased that isn't. To share it, every
// deletion would write to the store, which now has one small row for each account.
type Recent struct {
	now func() time.Time

	mu sync.Mutex
	// Two generations: the older one is dropped as a whole.
	young, old map[string]struct{}
	since      time.Time
}

// NewRecent returns one on a clock.
func NewRecent(now func() time.Time) *Recent { return &Recent{now: now} }

// Add remembers a record's id.
func (r *Recent) Add(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn()
	r.young[id] = struct{}{}
}

// Has reports whether an id was added in the last ten minutes, or little longer.
func (r *Recent) Has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn()
	_, ok := r.young[id]
	if !ok {
		_, ok = r.old[id]
	}
	return ok
}

func (r *Recent) turn() {
	if now := r.now(); r.young == nil || now.Sub(r.since) > settleFor || len(r.young) >= maxRecent/2 {
		r.old, r.young, r.since = r.young, map[string]struct{}{}, now
	}
}
