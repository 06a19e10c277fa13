// Package journaltest is the conformance suite of the journal: what the ports
// promise, every implementation proves by running it.
package journaltest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"habeas.dev/services/internal/journal"
)

// Harness is one journal under test, empty at first.
type Harness struct {
	Store journal.Store
	// Reopen closes the store and opens the same data again; nil where data
	// doesn't outlive a store.
	Reopen func(t *testing.T) journal.Store
	// Second opens the same data a second time, as another process would; nil
	// where that can't be.
	Second func(t *testing.T) journal.Store
	// Commits is how many transactions were committed; nil where there are none.
	Commits func() int64
}

// Run runs the suite. open makes an empty journal, and closes it by t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) *Harness) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, h *Harness)
	}{
		{"ReadsBack", testReadsBack},
		{"Times", testTimes},
		{"Conflict", testConflict},
		{"ConflictLeavesNothing", testConflictLeavesNothing},
		{"RaceForOneVersion", testRaceForOneVersion},
		{"ConflictFailsNoOther", testConflictFailsNoOther},
		{"SeveralInOneGroup", testSeveralInOneGroup},
		{"Invalid", testInvalid},
		{"Large", testLarge},
		{"OddText", testOddText},
		{"Chain", testChain},
		{"Cancelled", testCancelled},
		{"Closed", testClosed},
		{"CloseDrains", testCloseDrains},
		{"GroupCommit", testGroupCommit},
		{"Durable", testDurable},
		{"QueueOrder", testQueueOrder},
		{"QueueMessage", testQueueMessage},
		{"QueuePartlySent", testQueuePartlySent},
		{"QueueManyUnsent", testQueueManyUnsent},
		{"QueueWait", testQueueWait},
		{"Backlog", testBacklog},
		{"SecondProcess", testSecondProcess},
		{"SecondProcessRaces", testSecondProcessRaces},
		{"Pages", testPages},
		{"Filters", testFilters},
		{"ByFingerprint", testByFingerprint},
		{"Due", testDue},
		{"Counts", testCounts},
		{"Needs", testNeeds},
		{"Notes", testNotes},
		{"Searches", testSearches},
		{"SearchChain", testSearchChain},
		{"Heads", testHeads},
		{"HeadsAtOnce", testHeadsAtOnce},
		{"HeadsRaces", testHeadsRaces},
		{"Proofs", testProofs},
		{"Tree", testTree},
		{"TreeRaces", testTreeRaces},
		{"Sizes", testSizes},
		{"SetRow", testSetRow},
		{"Model", testModel},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open(t))
		})
	}
}

// Start is the time of the suite's first facts.
var start = time.Date(2026, 11, 20, 9, 30, 0, 123_456_000, time.UTC)

// Simple returns an append of one fact and one message to a request.
func Simple(id string, expected int) journal.Append {
	at := start.Add(time.Duration(expected) * time.Second)
	return journal.Append{
		RequestID: id, Expected: expected,
		Facts: []journal.NewFact{{Type: "task.sent", At: at, Data: fmt.Appendf(nil, `{"n":%d}`, expected+1)}},
		Messages: []journal.Message{{
			Topic: "dsar.events", Key: id, Payload: fmt.Appendf(nil, "%d", expected+1),
			Headers: map[string]string{"ce_id": fmt.Sprintf("%s/%d", id, expected+1), "ce_type": "dsar.task.sent.v1"},
		}},
		Row: journal.Row{Status: "open", Right: "access", Jurisdiction: "EEA", Source: "test", Digest: "d", ReceivedAt: start, UpdatedAt: at},
	}
}

// testContext returns a context that ends late enough for the slowest disk and soon
// enough for a test that hangs.
func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func mustAppend(t *testing.T, j journal.Journal, a journal.Append) {
	t.Helper()
	if err := j.Append(testContext(t), a); err != nil {
		t.Fatalf("append to %s on %d: %v", a.RequestID, a.Expected, err)
	}
}

// verified returns a request's facts after checking chain and head.
func verified(t *testing.T, j journal.Journal, id string) []journal.Fact {
	t.Helper()
	ctx := testContext(t)
	facts, err := j.Facts(ctx, id, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(facts) == 0 {
		return nil
	}
	row, err := j.Row(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if err := journal.VerifyHead(row, facts); err != nil {
		t.Fatal(err)
	}
	return facts
}

// drain carries all pending messages, as a relay would.
func drain(t *testing.T, o journal.Queue) (carried []journal.PendingMessage) {
	t.Helper()
	ctx := testContext(t)
	for {
		pending, err := o.Pending(ctx, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(pending) == 0 {
			return carried
		}
		carried = append(carried, pending...)
		if err := o.Sent(ctx, ids(pending)); err != nil {
			t.Fatal(err)
		}
	}
}

func ids(pending []journal.PendingMessage) []int64 {
	ids := make([]int64, len(pending))
	for i, p := range pending {
		ids[i] = p.ID
	}
	return ids
}

// eventually waits for a condition that another process' work brings about.
func eventually(t *testing.T, o journal.Queue, what string, condition func() bool) {
	t.Helper()
	ctx := testContext(t)
	for !condition() {
		if err := o.Wait(ctx); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
}
