package simulation

import (
	"context"
	"slices"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/coordinator"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/lifecycle"
)

// mutantSeeds is how many runs a mutant may survive: a twentieth of the runs that
// every change has to pass.
const mutantSeeds = 50

// TestMutants proves that the simulation can fail: each mutant breaks one
// promise of the services, the stores or the systems.
func TestMutants(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	for name, change := range map[string]func(*simulation){
		"reports are not deduplicated": func(w *simulation) { w.mutant.requests = w.withoutDedupe },
		"what follows is recorded twice": func(w *simulation) {
			w.mutant.journal = func(j *memjournal.Store) lifecycle.Journal { return twice{j} }
		},
		"an append doesn't look at the version": func(w *simulation) {
			w.mutant.journal = func(j *memjournal.Store) lifecycle.Journal { return blind{j} }
		},
		"the row is not that of the facts": func(w *simulation) {
			w.mutant.journal = func(j *memjournal.Store) lifecycle.Journal { return stale{j} }
		},
		"facts are published before they happen": func(w *simulation) { w.mutant.queue = func(j *memjournal.Store) journal.Queue { return hasty{j} } },
		"facts are published out of order":       func(w *simulation) { w.mutant.queue = func(j *memjournal.Store) journal.Queue { return backwards{j} } },
		"an address in a header":                 func(w *simulation) { w.mutant.message = func(m *journal.Message) { m.Headers["x-for"] = email(0) } },
		"an address in the log": func(w *simulation) {
			w.mutant.message = func(*journal.Message) { w.spy.log.WriteString(email(0)) }
		},
		"a gathering takes everybody's": func(w *simulation) {
			for _, s := range w.systems {
				s.reach = func(a dsar.Action, _ row) bool { return a == dsar.Gather }
			}
		},
		"an erasure takes what must stay": func(w *simulation) {
			for _, s := range w.systems {
				s.greedy = true
			}
		},
		"an erasure leaves something": func(w *simulation) {
			for _, s := range w.systems {
				s.stubborn = true
			}
		},
		"what may not be looked at is not said": func(w *simulation) {
			for _, s := range w.systems {
				s.silent = true
			}
		},
		"an erasure takes another's": func(w *simulation) {
			for _, s := range w.systems {
				s.reach = func(a dsar.Action, r row) bool { return a != dsar.Gather && r.id%7 == 0 }
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for s := uint64(1); s <= mutantSeeds; s++ {
				if w := play(t.Context(), k, s, change); len(w.broken) > 0 {
					t.Logf("caught with seed %d: %s", s, w.broken[0])
					return
				}
			}
			t.Errorf("not caught in %d runs", mutantSeeds)
		})
	}
}

// naive applies every report of an ended task as if it were the first.
type naive struct {
	*lifecycle.Lifecycle
	journal *memjournal.Store
}

func (w *simulation) withoutDedupe(l *lifecycle.Lifecycle) coordinator.Requests {
	return naive{l, w.journal}
}

func (n naive) Do(ctx context.Context, id string, c core.Command) (core.State, error) {
	state, err := n.Lifecycle.Do(ctx, id, c)
	heard, ok := c.(core.TakeReport)
	if err != nil || !ok || state.Status.Ended() {
		return state, err
	}
	r := heard.Report
	t := state.Task(r.System, r.Action)
	facts, err := n.journal.Facts(ctx, id, 1)
	if err != nil || t.Status != core.TaskIsEnded || t.End.At.Equal(heard.Now) {
		return state, err
	}
	typ, data, err := core.Encode(core.TaskEnded{System: r.System, Action: r.Action, Attempt: r.Attempt, Outcome: r.Outcome, Counts: r.Counts, Objects: r.Objects, Moment: core.Moment{At: heard.Now}})
	if err != nil {
		return state, err
	}
	row, err := n.journal.Row(ctx, id)
	if err != nil {
		return state, err
	}
	return state, n.journal.Append(ctx, journal.Append{RequestID: id, Expected: len(facts), Facts: []journal.NewFact{{Type: typ, At: heard.Now, Data: data}}, Row: row})
}

// twice applies every end of a task twice.
type twice struct{ *memjournal.Store }

func (j twice) Append(ctx context.Context, a journal.Append) error {
	ended := core.TypeOf(core.TaskEnded{})
	if i := slices.IndexFunc(a.Facts, func(f journal.NewFact) bool { return f.Type == ended }); i >= 0 {
		a.Facts = slices.Insert(slices.Clone(a.Facts), i, a.Facts[i])
	}
	return j.Store.Append(ctx, a)
}

// blind lets both of two deciders win.
type blind struct{ *memjournal.Store }

func (j blind) Append(ctx context.Context, a journal.Append) error {
	facts, err := j.Facts(ctx, a.RequestID, 1)
	if err != nil {
		return err
	}
	a.Expected = len(facts)
	return j.Store.Append(ctx, a)
}

// stale forgets to say in the row what the request waits for.
type stale struct{ *memjournal.Store }

func (j stale) Append(ctx context.Context, a journal.Append) error {
	a.Row.UpdatedAt = a.Row.ReceivedAt
	return j.Store.Append(ctx, a)
}

// hasty removes what is pending before it is published.
type hasty struct{ *memjournal.Store }

func (o hasty) Pending(ctx context.Context, limit int) ([]journal.PendingMessage, error) {
	pending, err := o.Store.Pending(ctx, limit)
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, p := range pending {
		ids = append(ids, p.ID)
	}
	return pending, o.Sent(ctx, ids)
}

// backwards hands out the youngest first.
type backwards struct{ *memjournal.Store }

func (o backwards) Pending(ctx context.Context, limit int) ([]journal.PendingMessage, error) {
	pending, err := o.Store.Pending(ctx, limit)
	slices.Reverse(pending)
	return pending, err
}
