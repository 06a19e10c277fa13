package lifecycle_test

import (
	"fmt"
	"testing"
	"time"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/core/coretest"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/lifecycle"
)

// TestRebuild: whatever happened to requests, their rows are what their facts amount to; one
// that was altered is named, and made anew as it was.
func TestRebuild(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	j := memjournal.New(memjournal.Config{})
	var ids []string
	var s core.State
	coretest.PlayAll(3, func(before core.State, facts []core.Event, _ time.Time) {
		if !before.Exists() {
			ids, s = append(ids, fmt.Sprintf("9f0d6c0e-6f0f-4b43-9f0f-%012d", len(ids))), core.State{}
		}
		a := journal.Append{RequestID: ids[len(ids)-1], Expected: s.Version}
		for _, f := range facts {
			typ, data, err := core.Encode(f)
			if err != nil {
				t.Fatal(err)
			}
			s = core.Evolve(s, f)
			a.Facts = append(a.Facts, journal.NewFact{Type: typ, At: f.When(), Data: data})
		}
		last := a.Facts[len(a.Facts)-1]
		a.Row = lifecycle.RowOf(s, journal.Fact{At: last.At})
		if err := j.Append(ctx, a); err != nil {
			t.Fatal(err)
		}
	})
	rebuild := func(plan bool, wantDiffered, wantSet int) {
		t.Helper()
		looked, differed, set, err := lifecycle.Rebuild(ctx, j, plan, func(string, int) {})
		if err != nil || looked != len(ids) || differed != wantDiffered || set != wantSet {
			t.Errorf("%d looked at, %d differ, %d set, %v; want %d, %d, %d", looked, differed, set, err, len(ids), wantDiffered, wantSet)
		}
	}
	rebuild(true, 0, 0)
	whole := map[string]journal.Row{}
	for i, id := range ids {
		row, err := j.Row(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		whole[id] = row
		if i%2 == 0 {
			row.Status, row.Needs, row.Waiting, row.DueAt = "nothing", nil, []string{"nobody"}, row.ReceivedAt
			if set, err := j.SetRow(ctx, row); err != nil || !set {
				t.Fatal(set, err)
			}
		}
	}
	altered := (len(ids) + 1) / 2
	rebuild(true, altered, 0)
	rebuild(false, altered, altered)
	rebuild(true, 0, 0)
	for id, want := range whole {
		if row, err := j.Row(ctx, id); err != nil || !row.Same(want) {
			t.Errorf("%+v, %v; want %+v", row, err, want)
		}
	}
}
