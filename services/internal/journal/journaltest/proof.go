package journaltest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"habeas.dev/services/internal/journal"
)

// testProofs: a proof is spent once, by the right hash, within its time and tries; how many
// one mailbox has, and how often it fails, is bounded over days.
func testProofs(t *testing.T, h *Harness) {
	ctx := testContext(t)
	limits := journal.ProofLimits{PerDay: 3, Failed: 5}
	begin := func(id, who string, at time.Time) error {
		return h.Store.AddProof(ctx, journal.Proof{ID: id, Who: who, Hash: []byte("right"), At: at, Ends: at.Add(10 * time.Minute), Tries: 3}, limits)
	}
	try := func(id, hash string, at time.Time, wantSpent, wantLive bool) {
		t.Helper()
		spent, live, err := h.Store.TryProof(ctx, id, []byte(hash), at)
		if err != nil || spent != wantSpent || live != wantLive {
			t.Errorf("%s, %s after %v: spent %t, live %t, %v", id, hash, at.Sub(start), spent, live, err)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(begin("a1", "a", start))
	try("a1", "wrong", start, false, true)
	try("a1", "right", start, true, true)
	try("a1", "right", start, false, false) // spent
	must(begin("a2", "a", start))
	try("a2", "right", start.Add(10*time.Minute), false, false) // ended
	must(begin("a2", "a", start))                               // it stays as it is
	try("nobody's", "right", start, false, false)
	must(begin("a3", "a", start))
	for range 3 {
		try("a3", "wrong", start, false, true)
	}
	try("a3", "right", start, false, false) // tried too often
	if err := begin("a4", "a", start.Add(time.Hour)); !errors.Is(err, journal.ErrOften) {
		t.Errorf("a fourth within a day: %v", err)
	}
	must(begin("b1", "b", start))
	next := start.Add(25 * time.Hour)
	must(begin("a5", "a", next))
	try("a5", "wrong", next, false, true)
	if err := begin("a6", "a", next.Add(25*time.Hour)); !errors.Is(err, journal.ErrOften) {
		t.Errorf("five tries have failed: %v", err)
	}
	must(begin("a7", "a", next.Add(journal.ProofsKept+time.Hour))) // nobody remembers

	must(begin("c1", "c", start.Add(journal.ProofsKept)))
	var spent atomic.Int64
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if is, _, err := h.Store.TryProof(ctx, "c1", []byte("right"), start.Add(journal.ProofsKept)); err != nil {
				t.Error(err)
			} else if is {
				spent.Add(1)
			}
		})
	}
	all.Wait()
	if spent.Load() != 1 {
		t.Errorf("spent %d times", spent.Load())
	}
	for i, bad := range []journal.Proof{{}, {ID: "d", Who: "d", Hash: []byte("x"), At: start, Ends: start, Tries: journal.MaxTries + 1}, {ID: "d", Who: "d", At: start, Ends: start, Tries: 1}} {
		if err := h.Store.AddProof(ctx, bad, limits); !errors.Is(err, journal.ErrInvalid) {
			t.Errorf("%s: %v", fmt.Sprint(i), err)
		}
	}
}
