package journaltest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"testing"

	"habeas.dev/services/internal/journal"
)

// ordered checks that messages of Simple come in each request's order, none
// missing, duplicates allowed, and returns how many each request had.
func ordered(t *testing.T, carried []journal.PendingMessage) map[string]int {
	t.Helper()
	last := map[string]int{}
	for _, m := range carried {
		n, err := strconv.Atoi(string(m.Payload))
		if err != nil || n > last[m.Key]+1 {
			t.Fatalf("%s: message %s after %d", m.Key, m.Payload, last[m.Key])
		}
		last[m.Key] = max(last[m.Key], n)
	}
	return last
}

func testQueueOrder(t *testing.T, h *Harness) {
	ctx := testContext(t)
	const requests, versions = 20, 15
	var wg sync.WaitGroup
	for r := range requests {
		wg.Go(func() {
			for version := range versions {
				if err := h.Store.Append(ctx, Simple(fmt.Sprint("r", r), version)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	// Carry while they are still being appended.
	var carried []journal.PendingMessage
	eventually(t, h.Store, "all carried", func() bool {
		carried = append(carried, drain(t, h.Store)...)
		return len(carried) >= requests*versions
	})
	wg.Wait()
	carried = append(carried, drain(t, h.Store)...)
	if len(carried) != requests*versions {
		t.Errorf("%d carried", len(carried))
	}
	for id, n := range ordered(t, carried) {
		if n != versions {
			t.Errorf("%s: %d", id, n)
		}
	}
}

func testQueueMessage(t *testing.T, h *Harness) {
	a := Simple("r", 0)
	a.Messages = []journal.Message{
		{Topic: "a", Key: "r", Payload: nil},
		{Topic: "b", Key: "", Payload: []byte{}},
		{Topic: "c", Key: "r", Headers: map[string]string{"x": "", "": "y", "traceparent": "00-…"}, Payload: []byte("p")},
	}
	mustAppend(t, h.Store, a)
	if h.Reopen != nil { // from the store, not only from memory
		h.Store = h.Reopen(t)
	}
	carried := drain(t, h.Store)
	if len(carried) != 3 {
		t.Fatalf("%+v", carried)
	}
	for i, m := range carried {
		if !reflect.DeepEqual(m.Message, a.Messages[i]) {
			t.Errorf("got %#v, want %#v", m.Message, a.Messages[i])
		}
	}
}

func testQueuePartlySent(t *testing.T, h *Harness) {
	ctx := testContext(t)
	a := Simple("r", 0)
	a.Messages = nil
	for i := range 7 {
		a.Messages = append(a.Messages, journal.Message{Topic: "t", Key: "r", Payload: fmt.Append(nil, i+1)})
	}
	mustAppend(t, h.Store, a)
	other := Simple("s", 0)
	mustAppend(t, h.Store, other)

	pending, err := h.Store.Pending(ctx, 3)
	if err != nil || len(pending) != 3 {
		t.Fatalf("%v %v", pending, err)
	}
	again, err := h.Store.Pending(ctx, 3)
	if err != nil || !reflect.DeepEqual(pending, again) {
		t.Errorf("not the same again: %v %v", again, err)
	}
	for range 2 { // twice is as good as once
		if err := h.Store.Sent(ctx, ids(pending)); err != nil {
			t.Fatal(err)
		}
	}
	rest, err := h.Store.Pending(ctx, 100)
	if err != nil || len(rest) != 5 || string(rest[0].Payload) != "4" {
		t.Fatalf("%v %v", rest, err)
	}
	// A hole: what is left stays in order.
	if err := h.Store.Sent(ctx, ids(rest[1:2])); err != nil {
		t.Fatal(err)
	}
	rest, err = h.Store.Pending(ctx, 100)
	if err != nil || len(rest) != 4 || string(rest[0].Payload) != "4" || string(rest[1].Payload) != "6" {
		t.Fatalf("%v %v", rest, err)
	}
	if h.Reopen != nil { // nothing that wasn't sent is lost
		h.Store = h.Reopen(t)
		rest = drain(t, h.Store)
		ordered(t, append(pending, rest...))
		seen := map[string]bool{}
		for _, m := range rest {
			seen[m.Key+string(m.Payload)] = true
		}
		for _, want := range []string{"r4", "r6", "r7", "s1"} {
			if !seen[want] {
				t.Errorf("%s lost", want)
			}
		}
	}
	if err := h.Store.Sent(ctx, []int64{-1, 0, 1 << 60}); err != nil {
		t.Errorf("unknown ids: %v", err)
	}
}

// testQueueManyUnsent appends far more than any window in memory holds while no
// relay runs, as in a broker's outage.
func testQueueManyUnsent(t *testing.T, h *Harness) {
	ctx := testContext(t)
	const requests, versions, messages = 40, 25, 10
	var wg sync.WaitGroup
	for r := range requests {
		wg.Go(func() {
			for version := range versions {
				a := Simple(fmt.Sprint("r", r), version)
				a.Messages = nil
				for m := range messages {
					a.Messages = append(a.Messages, journal.Message{Topic: "t", Key: a.RequestID, Payload: fmt.Append(nil, version*messages+m+1)})
				}
				if err := h.Store.Append(ctx, a); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if h.Reopen != nil {
		h.Store = h.Reopen(t)
	}
	carried := drain(t, h.Store)
	if len(carried) != requests*versions*messages {
		t.Errorf("%d carried", len(carried))
	}
	ordered(t, carried)
}

func testQueueWait(t *testing.T, h *Harness) {
	ctx := testContext(t)
	// It ends at the latest after the poll interval …
	for range 2 {
		if err := h.Store.Wait(ctx); err != nil {
			t.Fatal(err)
		}
	}
	// … and with its context.
	short, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		var err error
		for err == nil {
			err = h.Store.Wait(short)
		}
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func testSecondProcess(t *testing.T, h *Harness) {
	if h.Second == nil {
		t.Skip("one process only")
	}
	ctx := testContext(t)
	second := h.Second(t)
	mustAppend(t, h.Store, Simple("r", 0))
	if n := len(verified(t, second, "r")); n != 1 {
		t.Fatalf("%d facts", n)
	}
	mustAppend(t, second, Simple("r", 1))
	if err := h.Store.Append(ctx, Simple("r", 1)); !errors.Is(err, journal.ErrConflict) {
		t.Fatalf("the other's append wasn't seen: %v", err)
	}
	mustAppend(t, h.Store, Simple("r", 2))
	mustAppend(t, second, Simple("s", 0))

	// One relay carries both processes' messages, in order.
	var carried []journal.PendingMessage
	eventually(t, h.Store, "the other's messages", func() bool {
		carried = append(carried, drain(t, h.Store)...)
		return len(carried) >= 4
	})
	if last := ordered(t, carried); last["r"] != 3 || last["s"] != 1 || len(carried) != 4 {
		t.Errorf("%v of %d", last, len(carried))
	}
	verified(t, h.Store, "r")
}

func testSecondProcessRaces(t *testing.T, h *Harness) {
	if h.Second == nil {
		t.Skip("one process only")
	}
	ctx := testContext(t)
	stores := []journal.Store{h.Store, h.Second(t)}
	const requests, versions = 10, 10
	var wg sync.WaitGroup
	var mu sync.Mutex
	wins := 0
	for _, s := range stores {
		for r := range requests {
			wg.Go(func() {
				id := fmt.Sprint("r", r)
				version := 0
				for version < versions {
					err := s.Append(ctx, Simple(id, version))
					if err != nil && !errors.Is(err, journal.ErrConflict) {
						t.Error(err)
						return
					}
					if err == nil {
						mu.Lock()
						wins++
						mu.Unlock()
					}
					version++ // lost or won: this version is taken
				}
			})
		}
	}
	var carried []journal.PendingMessage
	eventually(t, h.Store, "all carried", func() bool {
		carried = append(carried, drain(t, h.Store)...)
		return len(carried) >= requests*versions
	})
	wg.Wait()
	if wins != requests*versions {
		t.Errorf("%d appends won, for %d versions", wins, requests*versions)
	}
	ordered(t, carried)
	for r := range requests {
		if n := len(verified(t, h.Store, fmt.Sprint("r", r))); n != versions {
			t.Errorf("r%d: %d facts", r, n)
		}
	}
}
