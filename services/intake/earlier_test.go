package intake_test

import (
	"context"
	"fmt"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/lifecycle"
)

// TestHoldLongAgo: an erasure finds the hold in a request that many others of the
// same person came after; and a person's latest requests are counted, no more.
func TestHoldLongAgo(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.Intake.Earlier = w.journal
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
		if a, want := ask(1+n, dsar.Access), min(1+n, core.ManyEarlier); a.Earlier != want {
			t.Fatalf("after %d others: %d earlier", 1+n, a.Earlier)
		}
	}
	again := ask(1+between, dsar.Erasure)
	state, err := lifecycle.New(w.journal).State(t.Context(), again.RequestID)
	if err != nil || len(state.Holds) != 1 || again.Earlier != core.ManyEarlier || again.DuplicateOf != held.RequestID {
		t.Errorf("%v: holds %v, %d earlier, same as %q", err, state.Holds, again.Earlier, again.DuplicateOf)
	}
}
