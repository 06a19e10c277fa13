package journaltest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"pgregory.net/rapid"
)

// testModel drives the store with random calls and compares every answer with
// a model that is as plain as can be. One store serves all runs: each run's
// requests have names, rights and statuses of their own.
func testModel(t *testing.T, h *Harness) {
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		m := &model{t: rt, s: h.Store, run: fmt.Sprintf("run%d-", run)}
		defer m.finish()
		rt.Repeat(map[string]func(*rapid.T){
			"append": m.append, "carry": m.carry, "facts": m.facts, "list": m.list, "due": m.due, "counts": m.counts,
		})
	})
}

type model struct {
	t        *rapid.T
	s        journal.Store
	run      string
	requests []*modelRequest
	queue    []string // payloads, in order
	messages int
}

type modelRequest struct {
	facts  [][]byte
	prints []string
	row    journal.Row
}

func (m *model) append(t *rapid.T) {
	id := m.run + rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "id")
	r := m.find(id)
	version := 0
	if r != nil {
		version = len(r.facts)
	}
	a := journal.Append{
		RequestID: id,
		Expected:  max(0, version+rapid.SampledFrom([]int{0, 0, 0, 0, -1, 1}).Draw(t, "off")),
		Row: journal.Row{
			Status:     core.Status(m.run + rapid.SampledFrom([]string{"open", "waiting", "ended"}).Draw(t, "status")),
			Right:      dsar.Right(m.run + rapid.SampledFrom([]string{"access", "erasure"}).Draw(t, "right")),
			ReceivedAt: start.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "received")) * time.Microsecond),
			UpdatedAt:  start,
		},
	}
	if wake := rapid.IntRange(0, 3).Draw(t, "wake"); wake > 0 {
		a.Row.WakeAt = start.Add(time.Duration(wake) * time.Second)
	}
	for _, data := range rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 20), 1, 4).Draw(t, "facts") {
		a.Facts = append(a.Facts, journal.NewFact{Type: "t", At: start, Data: data})
	}
	for range rapid.IntRange(0, 3).Draw(t, "messages") {
		m.messages++
		a.Messages = append(a.Messages, journal.Message{Topic: "t", Key: id, Payload: fmt.Append(nil, m.run, m.messages)})
	}
	if rapid.Bool().Draw(t, "found") {
		a.Fingerprints = []string{m.run + rapid.SampledFrom([]string{"x", "y"}).Draw(t, "fingerprint")}
	}
	err := m.s.Append(t.Context(), a)
	if a.Expected != version {
		if !errors.Is(err, journal.ErrConflict) {
			t.Fatalf("expected %d, is %d: %v", a.Expected, version, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if r == nil {
		r = &modelRequest{}
		m.requests = append(m.requests, r)
	}
	for _, f := range a.Facts {
		r.facts = append(r.facts, f.Data)
	}
	for _, msg := range a.Messages {
		m.queue = append(m.queue, string(msg.Payload))
	}
	r.prints = append(r.prints, a.Fingerprints...)
	r.row = a.Row
	r.row.RequestID = id
}

func (m *model) find(id string) *modelRequest {
	for _, r := range m.requests {
		if r.row.RequestID == id {
			return r
		}
	}
	return nil
}

func (m *model) carry(t *rapid.T) {
	limit := rapid.IntRange(1, 10).Draw(t, "limit")
	pending, err := m.s.Pending(t.Context(), limit)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range pending {
		got = append(got, string(p.Payload))
	}
	// One caller at a time: so the order is the appends' own, over all requests.
	// It may be fewer than there are, but not none.
	want := m.queue[:min(limit, len(m.queue))]
	if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) || (len(got) == 0 && len(want) > 0) {
		t.Fatalf("pending %v, want %v", got, want)
	}
	sent := rapid.IntRange(0, len(pending)).Draw(t, "sent")
	if err := m.s.Sent(t.Context(), ids(pending[:sent])); err != nil {
		t.Fatal(err)
	}
	m.queue = m.queue[sent:]
}

// finish empties the queue for the next run.
func (m *model) finish() {
	for {
		pending, err := m.s.Pending(m.t.Context(), 100)
		if err != nil || len(pending) == 0 {
			return
		}
		if m.s.Sent(m.t.Context(), ids(pending)) != nil {
			return
		}
	}
}

func (m *model) facts(t *rapid.T) {
	for _, r := range m.requests {
		from := rapid.IntRange(0, len(r.facts)+1).Draw(t, "from")
		facts, err := m.s.Facts(t.Context(), r.row.RequestID, from)
		if err != nil {
			t.Fatal(err)
		}
		want := r.facts[max(from-1, 0):]
		if len(facts) != len(want) {
			t.Fatalf("%d facts, want %d", len(facts), len(want))
		}
		for i := range facts {
			if !bytes.Equal(facts[i].Data, want[i]) || facts[i].Version != max(from, 1)+i {
				t.Fatalf("fact %d: %+v, want %x", i, facts[i], want[i])
			}
		}
		if from <= 1 {
			row, err := m.s.Row(t.Context(), r.row.RequestID)
			if err != nil || row.Status != r.row.Status || journal.VerifyHead(row, facts) != nil {
				t.Fatalf("%+v %v %v", row, err, journal.VerifyHead(row, facts))
			}
		}
	}
}

func (m *model) list(t *rapid.T) {
	f := journal.Filter{Limit: rapid.IntRange(1, 4).Draw(t, "limit")}
	// Right or status always selects: that keeps other runs' requests out.
	for _, status := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"open", "waiting", "ended"}), rapid.ID).Draw(t, "statuses") {
		f.Statuses = append(f.Statuses, core.Status(m.run+status))
	}
	if len(f.Statuses) == 0 || rapid.Bool().Draw(t, "by right") {
		f.Right = dsar.Right(m.run + rapid.SampledFrom([]string{"access", "erasure"}).Draw(t, "right"))
	}
	if rapid.Bool().Draw(t, "by fingerprint") {
		f.Fingerprint = m.run + rapid.SampledFrom([]string{"x", "y"}).Draw(t, "fingerprint")
	}
	if len(m.requests) > 0 && rapid.Bool().Draw(t, "page on") {
		f.After = rapid.SampledFrom(m.requests).Draw(t, "after").row.Cursor()
	}
	list, err := m.s.List(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, row := range list {
		got = append(got, row.RequestID)
	}
	sorted := slices.SortedFunc(slices.Values(m.requests), func(a, b *modelRequest) int { return inList(a.row, b.row) })
	for _, r := range sorted {
		if (len(f.Statuses) == 0 || slices.Contains(f.Statuses, r.row.Status)) && (f.Right == "" || f.Right == r.row.Right) &&
			(f.Fingerprint == "" || slices.Contains(r.prints, f.Fingerprint)) &&
			(f.After.IsZero() || inList(r.row, journal.Row{ReceivedAt: f.After.ReceivedAt, RequestID: f.After.RequestID}) > 0) &&
			len(want) < f.Limit {
			want = append(want, r.row.RequestID)
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%+v: %v, want %v", f, got, want)
	}
}

func inList(a, b journal.Row) int {
	if c := b.ReceivedAt.Compare(a.ReceivedAt); c != 0 {
		return c
	}
	return strings.Compare(a.RequestID, b.RequestID)
}

func (m *model) due(t *rapid.T) {
	now := start.Add(time.Duration(rapid.IntRange(0, 4).Draw(t, "now")) * time.Second)
	due, err := m.s.Due(t.Context(), now, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	due = slices.DeleteFunc(due, func(id string) bool { return !strings.HasPrefix(id, m.run) })
	var want []*modelRequest
	for _, r := range m.requests {
		if !r.row.WakeAt.IsZero() && !r.row.WakeAt.After(now) {
			want = append(want, r)
		}
	}
	slices.SortFunc(want, func(a, b *modelRequest) int {
		if c := a.row.WakeAt.Compare(b.row.WakeAt); c != 0 {
			return c
		}
		return strings.Compare(a.row.RequestID, b.row.RequestID)
	})
	if !slices.EqualFunc(due, want, func(id string, r *modelRequest) bool { return id == r.row.RequestID }) {
		t.Fatalf("due %v", due)
	}
}

func (m *model) counts(t *rapid.T) {
	counts, err := m.s.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := map[core.Status]int{}
	for _, r := range m.requests {
		want[r.row.Status]++
	}
	for status, n := range counts {
		if strings.HasPrefix(string(status), m.run) && want[status] != n {
			t.Fatalf("%s: %d, want %d", status, n, want[status])
		}
		delete(want, status)
	}
	if len(want) > 0 {
		t.Fatalf("not counted: %v", want)
	}
}
