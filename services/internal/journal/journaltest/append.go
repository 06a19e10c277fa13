package journaltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

func testReadsBack(t *testing.T, h *Harness) {
	ctx := testContext(t)
	if _, err := h.Store.Row(ctx, "r"); !errors.Is(err, journal.ErrNotFound) {
		t.Fatalf("row of nothing: %v", err)
	}
	if facts, err := h.Store.Facts(ctx, "r", 1); err != nil || len(facts) != 0 {
		t.Fatalf("facts of nothing: %v %v", facts, err)
	}
	first := journal.Append{
		RequestID: "r",
		Facts: []journal.NewFact{
			{Type: "request.accepted", At: start, Data: []byte(`{"a":1}`)},
			{Type: "stage.started", At: start, Data: []byte(`{}`)},
			{Type: "task.sent", At: start.Add(time.Microsecond)},
		},
		Row: journal.Row{
			RequestID: "ignored", Version: 99, Hash: []byte("ignored"),
			Status: "gathering", Right: "erasure", Jurisdiction: "EEA", Source: "signup-page", Digest: "0a0b",
			ReceivedAt: start.Add(-time.Hour), DueAt: start.AddDate(0, 1, 0), WakeAt: start.Add(time.Minute), UpdatedAt: start,
			Overdue: true, Waiting: []string{"billing", "events"}, Needs: []string{"overdue", "task/billing/no-permission"},
		},
	}
	mustAppend(t, h.Store, first)
	facts := verified(t, h.Store, "r")
	if len(facts) != 3 {
		t.Fatalf("%d facts", len(facts))
	}
	for i, f := range facts {
		want := first.Facts[i]
		if f.RequestID != "r" || f.Version != i+1 || f.Type != want.Type || !f.At.Equal(want.At) || !bytes.Equal(f.Data, want.Data) || len(f.Hash) != journal.HashSize {
			t.Errorf("fact %d: %+v", i, f)
		}
	}
	row, err := h.Store.Row(ctx, "r")
	if err != nil {
		t.Fatal(err)
	}
	want := first.Row
	want.RequestID, want.Version, want.Hash = "r", 3, facts[2].Hash
	if !reflect.DeepEqual(row, want) {
		t.Errorf("row:\n%+v, want\n%+v", row, want)
	}

	// Every field of the row can change, and be taken back to nothing.
	second := Simple("r", 3)
	second.Row = journal.Row{Status: "ended", Right: "access", ReceivedAt: start, UpdatedAt: start}
	mustAppend(t, h.Store, second)
	facts = verified(t, h.Store, "r")
	row, err = h.Store.Row(ctx, "r")
	want = second.Row
	want.RequestID, want.Version, want.Hash = "r", 4, facts[3].Hash
	if err != nil || !reflect.DeepEqual(row, want) {
		t.Errorf("row:\n%+v, want\n%+v %v", row, want, err)
	}

	for from, n := range map[int]int{-1: 4, 0: 4, 1: 4, 2: 3, 4: 1, 5: 0, 99: 0} {
		if facts, err := h.Store.Facts(ctx, "r", from); err != nil || len(facts) != n || (n > 0 && facts[0].Version != max(from, 1)) {
			t.Errorf("from %d: %d facts, %v", from, len(facts), err)
		}
	}
}

func testTimes(t *testing.T, h *Harness) {
	zone := time.FixedZone("somewhere", 5*3600+1800)
	for i, at := range []time.Time{
		time.Date(2026, 1, 2, 3, 4, 5, 678_901_234, zone),
		time.Date(2026, 1, 2, 3, 4, 5, 999_999_999, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 1_500, time.UTC),
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
	} {
		id := fmt.Sprint("r", i)
		a := Simple(id, 0)
		a.Facts[0].At = at
		a.Row.ReceivedAt, a.Row.UpdatedAt = at, at
		a.Row.DueAt, a.Row.WakeAt = at, at
		mustAppend(t, h.Store, a)
		want := at.UTC().Truncate(time.Microsecond)
		row, err := h.Store.Row(testContext(t), id)
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range []time.Time{verified(t, h.Store, id)[0].At, row.ReceivedAt, row.DueAt, row.WakeAt, row.UpdatedAt} {
			if got != want { // ==: the location is UTC too
				t.Errorf("%v: got %v, want %v", at, got, want)
			}
		}
	}
}

func testConflict(t *testing.T, h *Harness) {
	ctx := testContext(t)
	if err := h.Store.Append(ctx, Simple("r", 1)); !errors.Is(err, journal.ErrConflict) {
		t.Errorf("ahead of nothing: %v", err)
	}
	mustAppend(t, h.Store, Simple("r", 0))
	for _, expected := range []int{0, 2, 99} {
		if err := h.Store.Append(ctx, Simple("r", expected)); !errors.Is(err, journal.ErrConflict) {
			t.Errorf("expected %d: %v", expected, err)
		}
	}
	mustAppend(t, h.Store, Simple("r", 1))
	if n := len(verified(t, h.Store, "r")); n != 2 {
		t.Errorf("%d facts", n)
	}
}

func testConflictLeavesNothing(t *testing.T, h *Harness) {
	ctx := testContext(t)
	mustAppend(t, h.Store, Simple("r", 0))
	before, err := h.Store.Row(ctx, "r")
	if err != nil {
		t.Fatal(err)
	}
	drain(t, h.Store)
	lost := Simple("r", 0)
	lost.Fingerprints = []string{"f"}
	lost.Row.Status = "other"
	lost.Facts = append(lost.Facts, lost.Facts[0])
	if err := h.Store.Append(ctx, lost); !errors.Is(err, journal.ErrConflict) {
		t.Fatal(err)
	}
	after, err := h.Store.Row(ctx, "r")
	if err != nil || !reflect.DeepEqual(before, after) {
		t.Errorf("row changed: %+v %v", after, err)
	}
	if n := len(verified(t, h.Store, "r")); n != 1 {
		t.Errorf("%d facts", n)
	}
	if left := drain(t, h.Store); len(left) != 0 {
		t.Errorf("messages: %v", left)
	}
	if list, err := h.Store.List(ctx, journal.Filter{Fingerprint: "f"}); err != nil || len(list) != 0 {
		t.Errorf("fingerprint: %v %v", list, err)
	}
}

func testRaceForOneVersion(t *testing.T, h *Harness) {
	ctx := testContext(t)
	const racers, versions = 12, 10
	for version := range versions {
		var won, lost atomic.Int32
		var wg sync.WaitGroup
		gate := make(chan struct{})
		for racer := range racers {
			wg.Go(func() {
				a := Simple("r", version)
				a.Row.Source = fmt.Sprint(racer)
				a.Facts[0].Data = fmt.Append(nil, racer)
				<-gate
				switch err := h.Store.Append(ctx, a); {
				case err == nil:
					won.Add(1)
				case errors.Is(err, journal.ErrConflict):
					lost.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		close(gate)
		wg.Wait()
		if won.Load() != 1 || lost.Load() != racers-1 {
			t.Fatalf("version %d: %d won, %d lost", version+1, won.Load(), lost.Load())
		}
	}
	facts := verified(t, h.Store, "r")
	row, err := h.Store.Row(ctx, "r")
	if err != nil || len(facts) != versions || string(facts[versions-1].Data) != row.Source {
		t.Errorf("%d facts, row of %s, last fact of %s: %v", len(facts), row.Source, facts[versions-1].Data, err)
	}
}

func testConflictFailsNoOther(t *testing.T, h *Harness) {
	ctx := testContext(t)
	mustAppend(t, h.Store, Simple("taken", 0))
	var wg sync.WaitGroup
	gate := make(chan struct{})
	for i := range 200 {
		wg.Go(func() {
			<-gate
			if i%2 == 0 {
				if err := h.Store.Append(ctx, Simple("taken", 0)); !errors.Is(err, journal.ErrConflict) {
					t.Errorf("taken: %v", err)
				}
			} else if err := h.Store.Append(ctx, Simple(fmt.Sprint("free", i), 0)); err != nil {
				t.Errorf("free: %v", err)
			}
		})
	}
	close(gate)
	wg.Wait()
	if n := len(drain(t, h.Store)); n != 101 {
		t.Errorf("%d messages", n)
	}
}

// testSeveralInOneGroup lets each append start as soon as the one before it may
// be in the same group: retries in a tight loop make chains within groups.
func testSeveralInOneGroup(t *testing.T, h *Harness) {
	ctx := testContext(t)
	const versions, requests = 8, 12
	var wg sync.WaitGroup
	for r := range requests {
		for version := range versions {
			wg.Go(func() {
				for {
					err := h.Store.Append(ctx, Simple(fmt.Sprint("r", r), version))
					if !errors.Is(err, journal.ErrConflict) {
						if err != nil {
							t.Error(err)
						}
						return
					}
				}
			})
		}
	}
	wg.Wait()
	for r := range requests {
		if n := len(verified(t, h.Store, fmt.Sprint("r", r))); n != versions {
			t.Errorf("r%d: %d facts", r, n)
		}
	}
}

func testInvalid(t *testing.T, h *Harness) {
	ctx := testContext(t)
	for name, spoil := range map[string]func(*journal.Append){
		"no id":            func(a *journal.Append) { a.RequestID = "" },
		"long id":          func(a *journal.Append) { a.RequestID = strings.Repeat("x", journal.MaxName+1) },
		"NUL in id":        func(a *journal.Append) { a.RequestID = "a\x00b" },
		"broken UTF-8":     func(a *journal.Append) { a.Row.Status = "\xff" },
		"negative version": func(a *journal.Append) { a.Expected = -1 },
		"no facts":         func(a *journal.Append) { a.Facts = nil },
		"no type":          func(a *journal.Append) { a.Facts[0].Type = "" },
		"year 10000":       func(a *journal.Append) { a.Facts[0].At = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"year 0":           func(a *journal.Append) { a.Row.DueAt = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC) },
		"no topic":         func(a *journal.Append) { a.Messages[0].Topic = "" },
		"comma":            func(a *journal.Append) { a.Row.Waiting = []string{"a,b"} },
		"comma in a cause": func(a *journal.Append) { a.Row.Needs = []string{"a,b"} },
		"no fingerprint":   func(a *journal.Append) { a.Fingerprints = []string{""} },
		"too many facts":   func(a *journal.Append) { a.Facts = make([]journal.NewFact, journal.MaxFacts+1) },
		"too large":        func(a *journal.Append) { a.Facts[0].Data = make([]byte, journal.MaxBytes+1) },
	} {
		a := Simple("r", 0)
		spoil(&a)
		if err := h.Store.Append(ctx, a); !errors.Is(err, journal.ErrInvalid) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	mustAppend(t, h.Store, Simple("r", 0))
}

func testLarge(t *testing.T, h *Harness) {
	data := make([]byte, journal.MaxBytes/2)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(data)
	a := Simple("large", 0)
	a.Facts[0].Data = data
	a.Messages[0].Payload = data[:len(data)/2]
	mustAppend(t, h.Store, a)

	wide := Simple("wide", 0)
	for i := range journal.MaxFacts - 1 {
		wide.Facts = append(wide.Facts, journal.NewFact{Type: "t", At: start, Data: fmt.Append(nil, i)})
		wide.Messages = append(wide.Messages, journal.Message{Topic: "t", Key: "wide", Payload: fmt.Append(nil, i)})
	}
	for i := range 500 {
		wide.Fingerprints = append(wide.Fingerprints, fmt.Sprint("f", i))
	}
	mustAppend(t, h.Store, wide)

	if facts := verified(t, h.Store, "large"); len(facts) != 1 || !bytes.Equal(facts[0].Data, data) {
		t.Error("large: not the same data")
	}
	if facts := verified(t, h.Store, "wide"); len(facts) != journal.MaxFacts {
		t.Errorf("wide: %d facts", len(facts))
	}
	carried := drain(t, h.Store)
	if len(carried) != 1+journal.MaxMessages || !bytes.Equal(carried[0].Payload, data[:len(data)/2]) {
		t.Fatalf("%d messages", len(carried))
	}
	for i, m := range carried[2:] {
		if string(m.Payload) != fmt.Sprint(i) {
			t.Fatalf("message %d: %s", i, m.Payload)
		}
	}
	if list, err := h.Store.List(testContext(t), journal.Filter{Fingerprint: "f499"}); err != nil || len(list) != 1 {
		t.Errorf("fingerprint: %v %v", list, err)
	}
}

// testOddText puts what SQL, shells and codecs stumble over into every text.
func testOddText(t *testing.T, h *Harness) {
	ctx := testContext(t)
	for i, odd := range []string{"'; DROP TABLE fact; --", `"`, `\`, "%_", "é\u0301 日本語 🦉", "\u202e\u200b", "\x01\x7f", "null", "$1 ? :a @b", "{}", "NaN"} {
		id := odd + fmt.Sprint(i)
		a := Simple(id, 0)
		a.Facts[0].Type, a.Facts[0].Data = odd, []byte("\x00\xff"+odd)
		a.Row = journal.Row{Status: core.Status(odd), Right: dsar.Right(odd), Jurisdiction: odd, Source: odd, Digest: odd, Waiting: []string{odd}, ReceivedAt: start, UpdatedAt: start}
		a.Fingerprints = []string{odd}
		a.Messages[0] = journal.Message{Topic: odd, Key: odd, Headers: map[string]string{odd: odd + "\x00\xff"}, Payload: []byte(odd)}
		mustAppend(t, h.Store, a)
		facts := verified(t, h.Store, id)
		if len(facts) != 1 || facts[0].Type != odd || string(facts[0].Data) != "\x00\xff"+odd {
			t.Errorf("%q: %+v", odd, facts)
		}
		list, err := h.Store.List(ctx, journal.Filter{Statuses: []core.Status{core.Status(odd)}, Right: dsar.Right(odd), Fingerprint: odd})
		if err != nil || len(list) != 1 || list[0].RequestID != id || list[0].Source != odd || list[0].Waiting[0] != odd {
			t.Errorf("%q: %+v %v", odd, list, err)
		}
		if carried := drain(t, h.Store); len(carried) != 1 || !reflect.DeepEqual(carried[0].Message, a.Messages[0]) {
			t.Errorf("%q: %+v", odd, carried)
		}
	}
}

func testChain(t *testing.T, h *Harness) {
	for version := range 5 {
		a := Simple("r", 2*version)
		a.Facts = append(a.Facts, journal.NewFact{Type: "other", At: start, Data: []byte("x")})
		mustAppend(t, h.Store, a)
	}
	facts := verified(t, h.Store, "r")
	row, err := h.Store.Row(testContext(t), "r")
	if err != nil {
		t.Fatal(err)
	}
	if err := journal.VerifyHead(row, facts[:9]); !errors.Is(err, journal.ErrChain) {
		t.Errorf("the last fact cut off: %v", err)
	}
	facts[6].Data = append([]byte(nil), facts[6].Data...)
	facts[6].Data[0] ^= 1
	var broken *journal.ChainError
	if err := journal.VerifyChain(facts); !errors.As(err, &broken) || broken.Version != 7 {
		t.Errorf("altered: %v", err)
	}
}

func testCancelled(t *testing.T, h *Harness) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := h.Store.Append(ctx, Simple("r", 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("append: %v", err)
	}
	if _, err := h.Store.Facts(ctx, "r", 1); !errors.Is(err, context.Canceled) {
		t.Errorf("facts: %v", err)
	}
	if _, err := h.Store.Row(ctx, "r"); !errors.Is(err, context.Canceled) {
		t.Errorf("row: %v", err)
	}
	if _, err := h.Store.List(ctx, journal.Filter{}); !errors.Is(err, context.Canceled) {
		t.Errorf("list: %v", err)
	}
	if _, err := h.Store.Pending(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("pending: %v", err)
	}
	if err := h.Store.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("wait: %v", err)
	}

	// Under load: whoever is told of a cancellation isn't in the journal, whoever
	// is told of success is.
	const n = 200
	var errs [n]error
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			ctx, cancel := context.WithCancel(context.Background())
			if i%2 == 0 {
				go cancel()
			}
			errs[i] = h.Store.Append(ctx, Simple(fmt.Sprint("r", i), 0))
			cancel()
		})
	}
	wg.Wait()
	for i, err := range errs {
		_, got := h.Store.Row(testContext(t), fmt.Sprint("r", i))
		switch {
		case err == nil && got != nil:
			t.Errorf("r%d acknowledged, but: %v", i, got)
		case errors.Is(err, context.Canceled) && !errors.Is(got, journal.ErrNotFound):
			t.Errorf("r%d cancelled, but: %v", i, got)
		case err != nil && !errors.Is(err, context.Canceled):
			t.Errorf("r%d: %v", i, err)
		}
	}
}

func testClosed(t *testing.T, h *Harness) {
	ctx := testContext(t)
	s := h.Store
	mustAppend(t, s, Simple("r", 0))
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, factsErr := s.Facts(ctx, "r", 1)
	_, rowErr := s.Row(ctx, "r")
	_, listErr := s.List(ctx, journal.Filter{})
	_, dueErr := s.Due(ctx, start, 1)
	_, countsErr := s.Counts(ctx)
	_, pendingErr := s.Pending(ctx, 1)
	for what, err := range map[string]error{
		"append": s.Append(ctx, Simple("r", 1)), "facts": factsErr, "row": rowErr, "list": listErr, "due": dueErr,
		"counts": countsErr, "pending": pendingErr, "sent": s.Sent(ctx, []int64{1}), "wait": s.Wait(ctx),
	} {
		if !errors.Is(err, journal.ErrClosed) {
			t.Errorf("%s after close: %v", what, err)
		}
	}
}

func testCloseDrains(t *testing.T, h *Harness) {
	if h.Reopen == nil {
		t.Skip("data doesn't outlive the store")
	}
	ctx := testContext(t)
	const n = 300
	var errs [n]error
	var wg sync.WaitGroup
	var begun atomic.Int32
	half := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			if begun.Add(1) == n/2 {
				close(half)
			}
			errs[i] = h.Store.Append(ctx, Simple(fmt.Sprint("r", i), 0))
		})
	}
	<-half
	if err := h.Store.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	s := h.Reopen(t)
	for i, err := range errs {
		_, got := s.Row(ctx, fmt.Sprint("r", i))
		switch {
		case err == nil && got != nil:
			t.Errorf("r%d acknowledged, but: %v", i, got)
		case errors.Is(err, journal.ErrClosed) && !errors.Is(got, journal.ErrNotFound):
			t.Errorf("r%d refused, but: %v", i, got)
		case err != nil && !errors.Is(err, journal.ErrClosed):
			t.Errorf("r%d: %v", i, err)
		}
	}
}

func testGroupCommit(t *testing.T, h *Harness) {
	if h.Commits == nil {
		t.Skip("nothing is committed")
	}
	ctx := testContext(t)
	const callers, each = 100, 20
	before := h.Commits()
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for version := range each {
				if err := h.Store.Append(ctx, Simple(fmt.Sprint("r", c), version)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	// 20 if all go in step, and one for each append without groups. On a busy machine fewer
	// callers are awake at a time, and groups are as small.
	if n := h.Commits() - before; n > callers*each/4 {
		t.Errorf("%d commits for %d appends", n, callers*each)
	}
	for c := range callers {
		verified(t, h.Store, fmt.Sprint("r", c))
	}
}

func testDurable(t *testing.T, h *Harness) {
	if h.Reopen == nil {
		t.Skip("data doesn't outlive the store")
	}
	a := Simple("r", 0)
	a.Fingerprints = []string{"f"}
	mustAppend(t, h.Store, a)
	before := verified(t, h.Store, "r")
	s := h.Reopen(t)
	if after := verified(t, s, "r"); !reflect.DeepEqual(before, after) {
		t.Errorf("facts: %+v, then %+v", before, after)
	}
	if list, err := s.List(testContext(t), journal.Filter{Fingerprint: "f"}); err != nil || len(list) != 1 {
		t.Errorf("list: %v %v", list, err)
	}
	if carried := drain(t, s); len(carried) != 1 || !reflect.DeepEqual(carried[0].Message, a.Messages[0]) {
		t.Errorf("queue: %+v", carried)
	}
	mustAppend(t, s, Simple("r", 1))
	if carried := drain(t, s); len(carried) != 1 || string(carried[0].Payload) != "2" {
		t.Errorf("queue: %+v", carried)
	}
	verified(t, s, "r")
}
