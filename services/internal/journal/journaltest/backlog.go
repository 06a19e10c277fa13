package journaltest

import (
	"fmt"
	"testing"
	"time"

	"habeas.dev/services/internal/journal"
)

// testBacklog: what wasn't acknowledged is counted by appends, from the oldest
// on, whether it is in memory or not; what was, isn't.
func testBacklog(t *testing.T, h *Harness) {
	ctx := testContext(t)
	at := time.Date(2026, 11, 25, 2, 30, 0, 123_000, time.UTC)
	want := func(appends int, oldest time.Time) {
		t.Helper()
		if b, err := h.Store.Backlog(ctx); err != nil || b.Appends != appends || !b.Oldest.Equal(oldest) {
			t.Errorf("%+v, %v, want %d since %v", b, err, appends, oldest)
		}
	}
	want(0, time.Time{})
	silent := Simple("silent", 0) // it has nothing to carry
	silent.Messages = nil
	mustAppend(t, h.Store, silent)
	const appends = 5
	for i := range appends {
		a := Simple(fmt.Sprint("r", i), 0)
		a.Messages = nil
		for range 2 {
			a.Messages = append(a.Messages, journal.Message{Topic: "t", Key: a.RequestID, Payload: []byte("1"),
				Headers: map[string]string{"ce_time": at.Add(time.Duration(i) * time.Second).Format(time.RFC3339Nano)}})
		}
		mustAppend(t, h.Store, a)
	}
	want(appends, at)
	if h.Reopen != nil {
		h.Store = h.Reopen(t)
		want(appends, at)
	}
	for carried := range 2 { // the first append's messages
		pending, err := h.Store.Pending(ctx, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Store.Sent(ctx, ids(pending)); err != nil {
			t.Fatal(err)
		}
		if carried == 0 {
			want(appends, at)
		}
	}
	want(appends-1, at.Add(time.Second))
	eventually(t, h.Store, "all carried", func() bool {
		drain(t, h.Store)
		b, err := h.Store.Backlog(ctx)
		return err == nil && b == (journal.Backlog{})
	})
}
