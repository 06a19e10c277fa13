package links

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"habeas.dev/services/internal/journal"
)

// TestEachFindsAll: what a word finds is looked at whole, each once, also where it is more than
// one statement returns.
func TestEachFindsAll(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, journal.MaxList - 1, journal.MaxList, 2*journal.MaxList + 1} {
		seen := map[string]int{}
		err := each(t.Context(), manyRows(n), "word", func(row journal.Row) error {
			seen[row.RequestID]++
			return nil
		})
		if err != nil || len(seen) != n {
			t.Errorf("%d of %d: %v", len(seen), n, err)
		}
		for id, times := range seen {
			if times != 1 {
				t.Errorf("%s: %d times", id, times)
			}
		}
	}
}

// manyRows is a journal in which a word finds so many requests.
type manyRows int

func (n manyRows) all() []journal.Row {
	out := make([]journal.Row, n)
	for i := range out {
		out[i].RequestID = fmt.Sprintf("%06d", i)
	}
	return out
}

func (n manyRows) ByFingerprint(_ context.Context, _ string, limit int) ([]journal.Row, error) {
	return n.all()[:min(int(n), limit, journal.MaxList)], nil
}

func (n manyRows) List(_ context.Context, f journal.Filter) ([]journal.Row, error) {
	rows := slices.DeleteFunc(n.all(), func(r journal.Row) bool { return r.RequestID <= f.After.RequestID })
	return rows[:min(len(rows), f.Limit, journal.MaxList)], nil
}
