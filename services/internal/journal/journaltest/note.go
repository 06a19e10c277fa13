package journaltest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"habeas.dev/services/internal/journal"
)

// testNotes keeps documents: of two that replace the same version one wins, also
// where they are two processes.
func testNotes(t *testing.T, h *Harness) {
	ctx := testContext(t)
	s := h.Store
	if data, version, err := s.Note(ctx, "a"); data != nil || version != 0 || err != nil {
		t.Errorf("none: %q %d %v", data, version, err)
	}
	for i, text := range []string{"one", "", "three"} {
		if err := s.SetNote(ctx, "a", []byte(text), int64(i)); err != nil {
			t.Fatal(err)
		}
		if data, version, err := s.Note(ctx, "a"); string(data) != text || version != int64(i+1) || err != nil {
			t.Errorf("%q %d %v", data, version, err)
		}
	}
	for _, expected := range []int64{0, 2, 4} {
		if err := s.SetNote(ctx, "a", []byte("late"), expected); !errors.Is(err, journal.ErrConflict) {
			t.Errorf("on %d: %v", expected, err)
		}
	}
	if err := s.SetNote(ctx, "b", nil, 1); !errors.Is(err, journal.ErrConflict) {
		t.Errorf("one that isn't there: %v", err)
	}
	for _, err := range []error{s.SetNote(ctx, "", nil, 0), s.SetNote(ctx, "a", nil, -1), s.SetNote(ctx, "a", make([]byte, journal.MaxNote+1), 3)} {
		if !errors.Is(err, journal.ErrInvalid) {
			t.Errorf("%v", err)
		}
	}
	stores := []journal.Store{s}
	if h.Second != nil {
		stores = append(stores, h.Second(t))
	}
	const each = 10
	var all sync.WaitGroup
	for who := range 4 {
		all.Go(func() {
			store := stores[who%len(stores)]
			for n := 0; n < each; {
				data, version, err := store.Note(ctx, "race")
				if err == nil {
					err = store.SetNote(ctx, "race", fmt.Appendf(data, "%d", who), version)
				}
				switch {
				case err == nil:
					n++
				case !errors.Is(err, journal.ErrConflict):
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	data, version, err := s.Note(ctx, "race")
	if version != 4*each || err != nil {
		t.Errorf("version %d %v", version, err)
	}
	for who := range 4 {
		if n := strings.Count(string(data), fmt.Sprint(who)); n != each {
			t.Errorf("%d of %d's are there", n, who)
		}
	}
}
