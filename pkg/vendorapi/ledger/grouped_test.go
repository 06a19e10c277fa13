package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// held is a store whose updates wait to be let through.
type held struct {
	Store
	state   string
	updates int
	through chan error
}

func (h *held) Update(_ context.Context, _ string, f func(time.Time, []byte) []byte) error {
	h.updates++
	h.state = string(f(time.Now(), []byte(h.state)))
	return <-h.through
}

// TestGrouped: what comes while an update is being made is made together, in the
// order in which it came; who has gone by then, isn't; who goes later waits for
// the end.
func TestGrouped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &held{through: make(chan error)}
		s, err := group(h, nil)
		if err != nil {
			t.Fatal(err)
		}
		errs := make([]error, 5)
		var all sync.WaitGroup
		begin := func(ctx context.Context, i int) {
			all.Go(func() {
				errs[i] = s.Update(ctx, "a", func(_ time.Time, state []byte) []byte { return fmt.Append(state, i) })
			})
			synctest.Wait()
		}
		gone, goAway := context.WithCancel(t.Context())
		late, tooLate := context.WithCancel(t.Context())
		begin(t.Context(), 0)
		begin(t.Context(), 1)
		begin(gone, 2)
		begin(late, 3)
		begin(t.Context(), 4)
		goAway()
		synctest.Wait()
		down := errors.New("down")
		h.through <- nil
		synctest.Wait()
		tooLate()
		synctest.Wait()
		h.through <- down
		all.Wait()
		if h.state != "0134" || h.updates != 2 {
			t.Errorf("%d updates leave %q", h.updates, h.state)
		}
		for i, want := range []error{nil, down, context.Canceled, down, down} {
			if !errors.Is(errs[i], want) {
				t.Errorf("update %d: %v, want %v", i, errs[i], want)
			}
		}
	})
}

// TestGroupedOfNothing: what couldn't be opened isn't there.
func TestGroupedOfNothing(t *testing.T) {
	t.Parallel()
	if s, err := group(nil, errors.New("no")); s != nil || err == nil {
		t.Error(s, err)
	}
}
