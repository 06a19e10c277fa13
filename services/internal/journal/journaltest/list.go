package journaltest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// seed appends requests whose fields follow from their number.
func seed(t *testing.T, s journal.Store, n int) {
	t.Helper()
	for i := range n {
		a := Simple(fmt.Sprintf("r%03d", i), 0)
		a.Row.Status = []core.Status{"open", "waiting", "ended"}[i%3]
		a.Row.Right = []dsar.Right{"access", "erasure"}[i%2]
		a.Row.ReceivedAt = start.Add(time.Duration(i/4) * time.Second) // four of each time
		a.Row.WakeAt = start.Add(time.Duration(n-i) * time.Minute)
		a.Row.Jurisdiction = []string{"EEA", "UK", "Japan", "Brazil"}[i%4]
		a.Row.Source = []string{"signup-page", "support-desk"}[i/7%2]
		a.Row.Assignee = []string{"", "lea", "paul"}[i%3]
		a.Row.Waiting = [][]string{nil, {"billing"}, {"billing", "events"}, {"events-old"}}[i%4]
		a.Row.Needs = [][]string{nil, {"overdue", "task/billing/no-permission"}, {"proof"}, nil, {"task/billing/no-permission"}}[i%5]
		a.Row.Overdue = i%5 == 1
		if i%6 > 0 { // a sixth is never due; three of each time, the later ones first
			a.Row.DueAt = start.Add(time.Duration(1000-i/3) * time.Hour)
		} else {
			a.Row.DueAt = time.Time{}
		}
		if i%5 == 0 {
			a.Row.WakeAt = time.Time{}
		}
		a.Fingerprints = []string{"all", fmt.Sprint("f", i%7)}
		mustAppend(t, s, a)
	}
}

func testPages(t *testing.T, h *Harness) {
	ctx := testContext(t)
	const n = 130
	seed(t, h.Store, n)
	if list, err := h.Store.List(ctx, journal.Filter{}); err != nil || len(list) != journal.DefaultList {
		t.Errorf("default: %d %v", len(list), err)
	}
	for _, f := range []journal.Filter{
		{Limit: 1}, {Limit: 7}, {Limit: n}, {Limit: 1 << 30},
		{Limit: 7, Statuses: []core.Status{"open", "ended"}}, {Limit: 3, Right: "erasure"}, {Limit: 3, Fingerprint: "f3"},
		{Limit: 1, DueFirst: true}, {Limit: 7, DueFirst: true, Statuses: []core.Status{"open", "ended"}}, {Limit: 5, DueFirst: true, Right: "erasure"},
	} {
		want := map[string]bool{}
		for i := range n {
			if (f.Statuses == nil || i%3 != 1) && (f.Right == "" || i%2 == 1) && (f.Fingerprint == "" || i%7 == 3) {
				want[fmt.Sprintf("r%03d", i)] = true
			}
		}
		var last journal.Row
		got := 0
		for {
			list, err := h.Store.List(ctx, f)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 0 {
				break
			}
			for _, row := range list {
				behind := row.ReceivedAt.Before(last.ReceivedAt) || row.ReceivedAt.Equal(last.ReceivedAt) && row.RequestID > last.RequestID
				if f.DueFirst {
					behind = !last.DueAt.IsZero() && (row.DueAt.IsZero() || row.DueAt.After(last.DueAt)) || row.DueAt.Equal(last.DueAt) && row.RequestID > last.RequestID
				}
				if got > 0 && !behind {
					t.Fatalf("%+v: %s after %s", f, row.RequestID, last.RequestID)
				}
				if !want[row.RequestID] {
					t.Fatalf("%+v: %s doesn't belong or came twice", f, row.RequestID)
				}
				delete(want, row.RequestID)
				last = row
				got++
			}
			f.After = last.Cursor()
		}
		if len(want) > 0 {
			t.Errorf("%+v: missing %v", f, slices.Sorted(maps.Keys(want)))
		}
	}
}

func testFilters(t *testing.T, h *Harness) {
	ctx := testContext(t)
	const n = 84
	seed(t, h.Store, n)
	for _, c := range []struct {
		f    journal.Filter
		want func(i int) bool
	}{
		{journal.Filter{}, func(int) bool { return true }},
		{journal.Filter{Statuses: []core.Status{"open"}}, func(i int) bool { return i%3 == 0 }},
		{journal.Filter{Statuses: []core.Status{"open", "waiting", "open"}}, func(i int) bool { return i%3 < 2 }},
		{journal.Filter{Statuses: []core.Status{"none"}}, func(int) bool { return false }},
		{journal.Filter{Right: "access"}, func(i int) bool { return i%2 == 0 }},
		{journal.Filter{Right: "opt-out"}, func(int) bool { return false }},
		{journal.Filter{Jurisdiction: "UK"}, func(i int) bool { return i%4 == 1 }},
		{journal.Filter{Jurisdiction: "uk"}, func(int) bool { return false }},
		{journal.Filter{Source: "support-desk"}, func(i int) bool { return i/7%2 == 1 }},
		{journal.Filter{Source: "support-desk", Statuses: []core.Status{"open"}}, func(i int) bool { return i/7%2 == 1 && i%3 == 0 }},
		{journal.Filter{Source: "support"}, func(int) bool { return false }},
		{journal.Filter{Waiting: "billing"}, func(i int) bool { return i%4 == 1 || i%4 == 2 }},
		{journal.Filter{Waiting: "events", Statuses: []core.Status{"open"}, DueFirst: true}, func(i int) bool { return i%4 == 2 && i%3 == 0 }},
		{journal.Filter{Waiting: "%"}, func(int) bool { return false }},
		{journal.Filter{Needing: true}, func(i int) bool { return i%5 != 0 && i%5 != 3 }},
		{journal.Filter{Need: "task/billing/no-permission"}, func(i int) bool { return i%5 == 1 || i%5 == 4 }},
		{journal.Filter{Need: "task/billing"}, func(int) bool { return false }},
		{journal.Filter{Need: "overdue", Statuses: []core.Status{"open", "waiting"}, DueFirst: true}, func(i int) bool { return i%5 == 1 && i%3 < 2 }},
		{journal.Filter{Assignee: "lea"}, func(i int) bool { return i%3 == 1 }},
		{journal.Filter{Assignee: "paul", Statuses: []core.Status{"ended", "open"}, DueFirst: true}, func(i int) bool { return i%3 == 2 }},
		{journal.Filter{Assignee: "nobody"}, func(int) bool { return false }},
		{journal.Filter{IDPrefix: "r01"}, func(i int) bool { return i/10 == 1 }},
		{journal.Filter{IDPrefix: "r01", Right: "erasure"}, func(i int) bool { return i/10 == 1 && i%2 == 1 }},
		{journal.Filter{IDPrefix: "r0%"}, func(int) bool { return false }},
		{journal.Filter{DueBefore: start.Add(990 * time.Hour)}, func(i int) bool { return i%6 > 0 && i/3 > 10 }},
		{journal.Filter{DueBefore: start.Add(990 * time.Hour), Statuses: []core.Status{"open", "waiting"}, DueFirst: true}, func(i int) bool { return i%6 > 0 && i/3 > 10 && i%3 < 2 }},
		{journal.Filter{DueBefore: start}, func(int) bool { return false }},
		{journal.Filter{Fingerprint: "all"}, func(int) bool { return true }},
		{journal.Filter{Fingerprint: "f2"}, func(i int) bool { return i%7 == 2 }},
		{journal.Filter{Fingerprint: "none"}, func(int) bool { return false }},
		{journal.Filter{Statuses: []core.Status{"ended", "open"}, Right: "erasure", Fingerprint: "f2"}, func(i int) bool { return i%3 != 1 && i%2 == 1 && i%7 == 2 }},
		{journal.Filter{Statuses: []core.Status{"ended"}, After: journal.Cursor{ReceivedAt: start.Add(5 * time.Second), RequestID: "r021"}},
			func(i int) bool { return i%3 == 2 && (i/4 < 5 || i/4 == 5 && i > 21) }},
	} {
		list, err := h.Store.List(ctx, c.f)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for _, row := range list {
			got[row.RequestID] = true
		}
		for i := range n {
			if id := fmt.Sprintf("r%03d", i); got[id] != c.want(i) {
				t.Errorf("%+v: %s: %v", c.f, id, got[id])
			}
		}
		if len(list) != len(got) {
			t.Errorf("%+v: some twice", c.f)
		}
	}
	// A fingerprint is added, not replaced; a status is replaced.
	a := Simple("r000", 1)
	a.Row.Status, a.Fingerprints, a.Row.Assignee = "ended", []string{"late", "all"}, "zoe"
	mustAppend(t, h.Store, a)
	if list, err := h.Store.List(ctx, journal.Filter{Assignee: "zoe"}); err != nil || len(list) != 1 || list[0].Assignee != "zoe" {
		t.Errorf("a new assignee: %v %v", list, err)
	}
	for f, want := range map[string]int{"late": 1, "f0": 12, "all": n} {
		if list, err := h.Store.List(ctx, journal.Filter{Fingerprint: f}); err != nil || len(list) != want {
			t.Errorf("%s: %d %v", f, len(list), err)
		}
	}
	if list, err := h.Store.List(ctx, journal.Filter{Statuses: []core.Status{"open"}, Fingerprint: "late"}); err != nil || len(list) != 0 {
		t.Errorf("old status: %v %v", list, err)
	}
}

func testByFingerprint(t *testing.T, h *Harness) {
	ctx := testContext(t)
	const n = 84
	seed(t, h.Store, n)
	// Found later for a request that came early: its place is where it came.
	late := Simple("r000", 1)
	late.Fingerprints = []string{"f6"}
	mustAppend(t, h.Store, late)
	var of6 []string
	for i := n - 1; i >= 0; i-- {
		if i%7 == 6 || i == 0 {
			of6 = append(of6, fmt.Sprintf("r%03d", i))
		}
	}
	for limit, want := range map[int][]string{journal.MaxList: of6, journal.MaxList + 1: of6, len(of6): of6, 5: of6[:5], 1: of6[:1], 0: nil, -1: nil} {
		list, err := h.Store.ByFingerprint(ctx, "f6", limit)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, row := range list {
			got = append(got, row.RequestID)
			if whole, err := h.Store.Row(ctx, row.RequestID); err != nil || !reflect.DeepEqual(row, whole) {
				t.Errorf("%+v is not %+v: %v", row, whole, err)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("at most %d: %v, not %v", limit, got, want)
		}
	}
	if list, err := h.Store.ByFingerprint(ctx, "none", 10); err != nil || len(list) != 0 {
		t.Errorf("nobody's: %v %v", list, err)
	}
	// What was forgotten is found no more, and the others are.
	for range 2 {
		if err := h.Store.ForgetFingerprints(ctx, "r000"); err != nil {
			t.Fatal(err)
		}
	}
	list, err := h.Store.ByFingerprint(ctx, "f6", journal.MaxList)
	if err != nil || len(list) != len(of6)-1 || slices.ContainsFunc(list, func(r journal.Row) bool { return r.RequestID == "r000" }) {
		t.Errorf("%d of %d are found, %v", len(list), len(of6), err)
	}
	if err := h.Store.ForgetFingerprints(ctx, "nobody"); err != nil {
		t.Error(err)
	}
}

func testNeeds(t *testing.T, h *Harness) {
	ctx := testContext(t)
	if got, err := h.Store.Needed(ctx); err != nil || len(got) != 0 {
		t.Errorf("of nothing: %v %v", got, err)
	}
	const n = 60
	seed(t, h.Store, n)
	want := map[string]journal.Needed{}
	for i := range n {
		row, err := h.Store.Row(ctx, fmt.Sprintf("r%03d", i))
		if err != nil {
			t.Fatal(err)
		}
		if len(row.Needs) == 0 {
			continue
		}
		for _, need := range append([]string{""}, row.Needs...) {
			c := want[need]
			if c.Requests++; row.Overdue {
				c.Overdue++
			}
			if !row.DueAt.IsZero() && (c.DueFirst.IsZero() || row.DueAt.Before(c.DueFirst)) {
				c.DueFirst = row.DueAt
			}
			want[need] = c
		}
	}
	if got, err := h.Store.Needed(ctx); err != nil || !maps.Equal(got, want) || len(want) != 4 {
		t.Errorf("%v, want %v (%v)", got, want, err)
	}
	// What a migration left is found out later, unless the request has changed meanwhile.
	a := Simple("r000", 1)
	a.Row.Needs = []string{journal.NeedUnknown}
	mustAppend(t, h.Store, a)
	for _, c := range []struct {
		id      string
		version int
		needs   []string
		want    []string
	}{
		{"r000", 1, []string{"stuck"}, []string{journal.NeedUnknown}},
		{"r000", 2, []string{"overdue", "stuck"}, []string{"overdue", "stuck"}},
		{"r000", 2, nil, []string{"overdue", "stuck"}},
		{"r002", 1, nil, []string{"proof"}},
		{"nobody", 1, nil, nil},
	} {
		if err := h.Store.SetNeeds(ctx, c.id, c.version, c.needs); err != nil {
			t.Fatal(err)
		}
		if row, err := h.Store.Row(ctx, c.id); !slices.Equal(row.Needs, c.want) {
			t.Errorf("%+v: %v %v", c, row.Needs, err)
		}
	}
	for _, need := range []string{"proof", ""} { // it is replaced, and ends
		a := Simple("r001", map[string]int{"proof": 1, "": 2}[need])
		if need != "" {
			a.Row.Needs = []string{need}
		}
		mustAppend(t, h.Store, a)
		if row, err := h.Store.Row(ctx, "r001"); err != nil || !slices.Equal(row.Needs, a.Row.Needs) {
			t.Errorf("%v %v", row.Needs, err)
		}
	}
}

func testDue(t *testing.T, h *Harness) {
	ctx := testContext(t)
	const n = 20
	seed(t, h.Store, n)
	if due, err := h.Store.Due(ctx, start, 10); err != nil || len(due) != 0 {
		t.Errorf("too early: %v %v", due, err)
	}
	due, err := h.Store.Due(ctx, start.Add(4*time.Minute), 10)
	if want := []string{"r019", "r018", "r017", "r016"}; err != nil || !slices.Equal(due, want) {
		t.Errorf("%v %v", due, err)
	}
	if due, err = h.Store.Due(ctx, start.AddDate(1, 0, 0), 5); err != nil || len(due) != 5 || due[4] != "r014" {
		t.Errorf("%v %v", due, err)
	}
	if due, err = h.Store.Due(ctx, start.AddDate(1, 0, 0), 100); err != nil || len(due) != n-n/5 {
		t.Errorf("%v %v", due, err)
	}
	// A timer is set, moved and taken away.
	for version, wake := range []time.Time{start.Add(-time.Minute), start.Add(time.Hour), {}} {
		a := Simple("r000", version+1)
		a.Row.WakeAt = wake
		mustAppend(t, h.Store, a)
		due, err := h.Store.Due(ctx, start, 10)
		if got := slices.Contains(due, "r000"); err != nil || got != (version == 0) {
			t.Errorf("after %d: %v %v", version, due, err)
		}
	}
}

func testCounts(t *testing.T, h *Harness) {
	ctx := testContext(t)
	if counts, err := h.Store.Counts(ctx); err != nil || len(counts) != 0 {
		t.Errorf("of nothing: %v %v", counts, err)
	}
	seed(t, h.Store, 10)
	a := Simple("r000", 1)
	a.Row.Status = "ended"
	mustAppend(t, h.Store, a)
	counts, err := h.Store.Counts(ctx)
	if want := map[core.Status]int{"open": 3, "waiting": 3, "ended": 4}; err != nil || !maps.Equal(counts, want) {
		t.Errorf("%v %v", counts, err)
	}
	for _, c := range []struct {
		statuses []core.Status
		want     map[string]int
	}{
		{nil, map[string]int{}},
		{[]core.Status{"none"}, map[string]int{}},
		{[]core.Status{"open", "waiting", "ended"}, map[string]int{"billing": 5, "events": 2, "events-old": 2}},
		{[]core.Status{"open"}, map[string]int{"billing": 2, "events": 1, "events-old": 1}},
	} {
		if got, err := h.Store.WaitingFor(ctx, c.statuses); err != nil || !maps.Equal(got, c.want) {
			t.Errorf("waiting, of %v: %v, want %v (%v)", c.statuses, got, c.want, err)
		}
	}
}
