package group

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"habeas.dev/services/internal/journal"
)

func one(id string) *journal.Append {
	return &journal.Append{RequestID: id, Facts: []journal.NewFact{{Type: "t", At: time.Unix(1, 0)}}}
}

// TestGroups holds a commit up and looks at what comes together behind it.
func TestGroups(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var sizes []int
		release := make(chan struct{})
		odd := errors.New("odd")
		w := New(func(calls []*Call) {
			if len(calls) == 0 {
				return
			}
			sizes = append(sizes, len(calls))
			if len(sizes) == 1 {
				<-release
			}
			for _, c := range calls {
				if len(c.Append.RequestID)%2 == 1 {
					c.Err = odd
				}
			}
		})
		var wg sync.WaitGroup
		add := func(id string) {
			wg.Go(func() {
				err := w.Append(context.Background(), one(id))
				if (len(id)%2 == 1) != errors.Is(err, odd) {
					t.Errorf("%s has another's verdict: %v", id, err)
				}
			})
		}
		add("first")
		synctest.Wait()
		for i := range MaxAppends + 40 {
			add(fmt.Sprint(i))
		}
		synctest.Wait()
		close(release)
		wg.Wait()
		w.Close()
		if fmt.Sprint(sizes) != fmt.Sprint([]int{1, MaxAppends, 40}) {
			t.Errorf("groups of %v", sizes)
		}
	})
}

// TestBytes bounds a group by its content.
func TestBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var sizes []int
		release := make(chan struct{})
		w := New(func(calls []*Call) {
			if len(calls) > 0 {
				if sizes = append(sizes, len(calls)); len(sizes) == 1 {
					<-release
				}
			}
		})
		data := make([]byte, journal.MaxBytes-100)
		var wg sync.WaitGroup
		for i := range 9 {
			wg.Go(func() {
				a := one(fmt.Sprint(i))
				a.Facts[0].Data = data
				if err := w.Append(context.Background(), a); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		close(release)
		wg.Wait()
		w.Close()
		if fmt.Sprint(sizes) != "[1 4 4]" {
			t.Errorf("groups of %v", sizes)
		}
	})
}

// TestQueue fills the queue: whoever is beyond waits outside, and can give up.
func TestQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		committed := 0
		w := New(func(calls []*Call) { <-release; committed += len(calls) })
		var wg sync.WaitGroup
		var mu sync.Mutex
		results := map[error]int{}
		ctx, cancel := context.WithCancel(context.Background())
		for i := range MaxQueue + 100 {
			wg.Go(func() {
				err := w.Append(ctx, one(fmt.Sprint(i)))
				mu.Lock()
				defer mu.Unlock()
				results[err]++
			})
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(release)
		wg.Wait()
		w.Close()
		if results[nil] != committed || results[nil]+results[context.Canceled] != MaxQueue+100 || committed > MaxAppends {
			t.Errorf("%v, %d committed", results, committed)
		}
	})
}

func TestKick(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var at []time.Duration
		w := New(func([]*Call) { at = append(at, time.Since(begun)) })
		w.Kick(50 * time.Millisecond)
		w.Kick(20 * time.Millisecond)
		w.Kick(70 * time.Millisecond)
		time.Sleep(time.Second)       //nolint:forbidigo // in a bubble of synctest
		w.Kick(50 * time.Millisecond) // an append takes it along
		if err := w.Append(context.Background(), one("r")); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second) //nolint:forbidigo // in a bubble of synctest
		w.Close()
		if fmt.Sprint(at) != "[20ms 1s 2s]" {
			t.Error(at)
		}
	})
}

func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		w := New(func([]*Call) { <-release })
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				if err := w.Append(context.Background(), one(fmt.Sprint(i))); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		wg.Go(w.Close)
		synctest.Wait()
		if err := w.Append(context.Background(), one("late")); !errors.Is(err, journal.ErrClosed) {
			t.Error(err)
		}
		close(release)
		wg.Wait()
		w.Close()
	})
}
