package node

import (
	"context"
	"maps"
	"testing"
	"time"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// TestRequestGauges: overdue are those that the core calls so, and not those that were answered or whose
// clock stands; what empties is 0 and not
// silent; the journal is asked once a minute, however often the metrics are.
func TestRequestGauges(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	l := &fakeLister{
		counts:  map[core.Status]int{"gathering": 3, "completed": 7},
		waiting: map[string]int{"billing": 2},
		rows:    []journal.Row{{DueAt: at.Add(-time.Hour), Overdue: true}, {DueAt: at.Add(-time.Second), Overdue: true}, {DueAt: at.Add(-time.Second)}, {DueAt: at.Add(time.Hour)}, {}},
	}
	g := &requestGauges{journal: l, systems: []string{"billing", "events"}, now: func() time.Time { return at }}
	look := func(asked int, status map[core.Status]int, waiting map[string]int, overdue int) {
		t.Helper()
		if err := g.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if l.asked != asked || !maps.Equal(g.status, status) || !maps.Equal(g.waiting, waiting) || g.overdue != overdue {
			t.Errorf("after %d looks: %v, %v, %d overdue; want %d: %v, %v, %d", l.asked, g.status, g.waiting, g.overdue, asked, status, waiting, overdue)
		}
	}
	look(1, map[core.Status]int{"gathering": 3, "completed": 7}, map[string]int{"billing": 2, "events": 0}, 2)
	l.counts, l.waiting, l.rows = map[core.Status]int{"completed": 10}, map[string]int{}, nil
	g.took = time.Second // may be as old as fifty of them, and a minute
	at = at.Add(countShare*time.Second - time.Second)
	look(1, map[core.Status]int{"gathering": 3, "completed": 7}, map[string]int{"billing": 2, "events": 0}, 2)
	at = at.Add(time.Second)
	look(2, map[core.Status]int{"gathering": 0, "completed": 10}, map[string]int{"billing": 0, "events": 0}, 0)
	for _, s := range l.open {
		if s == "completed" {
			t.Error("requests that ended were asked for as open")
		}
	}
}

// fakeLister is a journal that somebody else fills.
type fakeLister struct {
	journal.Lister
	counts  map[core.Status]int
	waiting map[string]int
	rows    []journal.Row
	open    []core.Status
	asked   int
}

func (l *fakeLister) Counts(context.Context) (map[core.Status]int, error) {
	l.asked++
	return maps.Clone(l.counts), nil
}

func (l *fakeLister) WaitingFor(context.Context, []core.Status) (map[string]int, error) {
	return maps.Clone(l.waiting), nil
}

func (l *fakeLister) List(_ context.Context, f journal.Filter) ([]journal.Row, error) {
	l.open = f.Statuses
	return l.rows, nil
}
