package intake_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/intake"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/lifecycle"
)

// TestHoldLongAgo: an erasure finds the hold in a request that many others of the
// same person came after; and a person's latest requests are counted, no more.
func TestHoldLongAgo(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.Intake.Finder, w.PerPerson = w.journal, 1000
	ask := func(n int, right dsar.Right) core.Accepted {
		t.Helper()
		id := fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", n)
		_, err := w.Submit(context.Background(), text(t, request(with("request_id", id), with("right", right))))
		must(t, err)
		return w.accepted(id)
	}
	held := ask(0, dsar.Erasure)
	if _, err := lifecycle.New(w.journal).Do(t.Context(), held.RequestID, core.Hold{By: "lea", Reason: "a lawsuit", Now: now}); err != nil {
		t.Fatal(err)
	}
	const between = 120
	for n := range between {
		if a, want := ask(1+n, dsar.Access), min(1+n, core.MaxEarlierRequests); a.EarlierRequests != want {
			t.Fatalf("after %d others: %d earlier", 1+n, a.EarlierRequests)
		}
	}
	again := ask(1+between, dsar.Erasure)
	state, err := lifecycle.New(w.journal).State(t.Context(), again.RequestID)
	if err != nil || len(state.Holds) != 1 || again.EarlierRequests != core.MaxEarlierRequests || again.DuplicateOf != held.RequestID {
		t.Errorf("%v: holds %v, %d earlier, same as %q", err, state.Holds, again.EarlierRequests, again.DuplicateOf)
	}
}

// TestOften: of one person a day's worth is taken in and no more, by whatever
// identifier, until the day is over; another person's requests are.
func TestOften(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.Intake.Finder, w.PerPerson = w.journal, 5
	at := now
	w.Now = func() time.Time { return at }
	n := 0
	ask := func(ids ...any) error {
		n++
		_, err := w.Submit(context.Background(), text(t, request(with("request_id", fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", n)), with("received_at", "2024-01-01T00:00:00Z"), with("identifiers", ids))))
		return err
	}
	mail, phone := identifier("email", address), identifier("phone", "+33 6 12 34 56 78")
	for range 5 {
		must(t, ask(mail, phone))
	}
	for _, ids := range [][]any{{mail}, {phone}, {identifier("email", "other@example.com"), phone}} {
		if err := ask(ids...); !errors.Is(err, intake.ErrOften) {
			t.Errorf("%v: %v", ids, err)
		}
	}
	must(t, ask(identifier("email", "other@example.com")))
	at = at.Add(24*time.Hour + time.Second)
	must(t, ask(mail))
	if code := w.do("POST", "/v1/requests", "/v1/requests", text(t, request(with("request_id", requestID), with("identifiers", []any{mail})))).Code; code != 202 {
		t.Errorf("the second of the next day: %d", code)
	}
}
