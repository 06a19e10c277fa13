package simulation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/core"
)

// proveAgain is how long after its answer an erasure is proven again.
const proveAgain = 30 * 24 * time.Hour

// restoreBackups brings back, in each system, some of what answered erasures had erased by
// their plans, and has their people become customers anew; then the time comes at which
// the systems are asked again.
func (w *simulation) restoreBackups(ctx context.Context) {
	w.anew = map[string][]row{}
	for _, a := range w.asked {
		state := w.stateOf(ctx, a)
		if state.Right != dsar.Erasure || state.Status != core.StatusCompleted {
			continue
		}
		for _, s := range w.systems {
			for _, key := range w.keysOf(ctx, state, s.manifest.System) {
				for id, r := range s.seeded {
					there := slices.ContainsFunc(s.rows, func(x row) bool { return x.id == id })
					if fmt.Sprint(id) != key || there || r.retained || w.rng.IntN(2) == 0 {
						continue
					}
					s.rows = append(s.rows, r)
					w.note("a backup brings back record %d of %s, which %s had erased", id, s.manifest.System, a.id)
					fresh := r
					fresh.id = 1_000_000 + id
					s.rows = append(s.rows, fresh)
					w.anew[s.manifest.System] = append(w.anew[s.manifest.System], fresh)
				}
			}
		}
	}
	w.clock.t = w.clock.t.Add(proveAgain + time.Hour)
	w.tick(ctx)
}

// keysOf returns the keys of a system's plan, as far as the disk has kept it.
func (w *simulation) keysOf(ctx context.Context, state core.State, system string) (keys []string) {
	for _, p := range state.Plans() {
		if p.System != system || p.Object == nil {
			continue
		}
		w.look(func() {
			in, err := w.openVault().OpenObject(ctx, state.Accepted.RequestID, p.Object.Name)
			if err != nil {
				return // it was lost
			}
			var read []string
			for e, err := range worker.ReadPlan(in) {
				if err != nil {
					read = nil // it was damaged
					break
				}
				read = append(read, e.Key)
			}
			keys = append(keys, read...)
			w.must(in.Close())
		})
	}
	return keys
}

func (w *simulation) stateOf(ctx context.Context, a *asked) (state core.State) {
	w.look(func() {
		var err error
		state, err = w.observer.State(ctx, a.id)
		w.must(err)
	})
	return state
}

// wholeByWorkers reports whether every system that still had its plan holds nothing more
// but what must stay.
func wholeByWorkers(a core.AgainAnswer) bool {
	return !slices.ContainsFunc(a.Systems, func(s core.AgainSystem) bool { return s.Outcome != dsar.Proven && !s.ByHand })
}

// checkRestored: each answered erasure was proven again, once, and what the people have
// anew is there. That what had come back is gone, checkRecords knows.
func (w *simulation) checkRestored(ctx context.Context) {
	for _, a := range w.asked {
		state := w.stateOf(ctx, a)
		planned := slices.ContainsFunc(state.Plans(), func(p core.SystemPlan) bool { return p.Object != nil })
		if state.Status == core.StatusCompleted && planned && (len(state.Addenda) != 1 || !wholeByWorkers(state.Addenda[0].Told)) {
			w.fail("request %s was proven again %d times: %+v", a.id, len(state.Addenda), state.Addenda)
		}
	}
	for _, s := range w.systems {
		for _, r := range w.anew[s.manifest.System] {
			if !slices.Contains(s.rows, r) {
				w.fail("%s: record %d, which its person has anew, is gone", s.manifest.System, r.id)
			}
		}
	}
}
