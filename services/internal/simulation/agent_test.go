package simulation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// timePasses moves the clock to the next timer, or by a little, and runs the
// coordinator's timers and the support agent.
func (w *simulation) timePasses(ctx context.Context) {
	w.clock.t = w.clock.t.Add(time.Duration(w.rng.IntN(5000)) * time.Millisecond)
	if wake := w.nextTimer(ctx); wake.After(w.clock.t) && (w.calm || w.rng.IntN(3) == 0) {
		w.clock.t = wake
	}
	w.tick(ctx)
	for _, a := range w.asked {
		var state core.State
		w.look(func() {
			var err error
			state, err = w.observer.State(ctx, a.id)
			w.must(err)
		})
		w.reconfigure(ctx, a, state)
		switch {
		case state.Awaited == core.RemindProof && (w.calm || w.rng.IntN(2) == 0):
			w.note("an agent goes on with %s without what isn't proven", a.id)
			w.do(ctx, a, core.JudgeProof{By: "agent", Without: true, Reason: "another's address", Calendar: w.book, Now: w.clock.now()})
		case state.Status == core.StatusNeedsAttention && (w.calm || w.rng.IntN(2) == 0):
			w.act(ctx, a, state)
		case !w.calm && state.Exists() && !state.Status.Ended() && w.rng.IntN(400) == 0:
			w.cancel(ctx, a)
		}
	}
}

// reconfigure has the coordinators' configuration lose a system now and then, and have it
// again. Its worker goes on all the while, and says what it says.
func (w *simulation) reconfigure(ctx context.Context, a *asked, state core.State) {
	if !state.Exists() || state.Status.Ended() {
		return
	}
	var all []string
	for _, sys := range state.Accepted.Systems {
		all = append(all, sys.Name)
	}
	switch {
	case len(state.Missing) > 0 && (w.calm || w.changes.IntN(4) == 0):
		w.note("the configuration has %v again", state.Missing)
	case !w.calm && w.changes.IntN(150) == 0:
		i := w.changes.IntN(len(all))
		w.note("the configuration loses %s", all[i])
		all = append(all[:i:i], all[i+1:]...)
	default:
		return
	}
	w.do(ctx, a, core.CompareSystems{Configured: all, Now: w.clock.now()})
}

// act plays a support agent with a request that needs attention: let a correction go on,
// retry, accept a plan that was stopped, or give up where no worker can help.
func (w *simulation) act(ctx context.Context, a *asked, state core.State) {
	retry := core.Retry{By: "agent", Now: w.clock.now()}
	stopped, manual := false, true
	for _, t := range state.Tasks {
		if t.Status == core.TaskIsFailed {
			stopped = stopped || t.End.Code == "plan-too-large"
			manual = manual && (t.End.Outcome == dsar.Manual || state.Again != nil && lacksPlan(t))
		}
	}
	if manual && w.calm {
		w.giveUp(ctx, a, state)
		return
	}
	if state.Allowed(core.Agent, w.book, w.clock.now()).Has(core.VerbApprove) && (w.calm || w.rng.IntN(2) == 0) {
		w.note("an agent has the correction of %s go on: %s", a.id, state.Attention.Reason)
		w.do(ctx, a, core.ApproveCorrection{By: "agent", Reason: "all is theirs", Now: w.clock.now()})
		return
	}
	retry.AcceptPlan = stopped && (w.calm || w.rng.IntN(2) == 0)
	w.note("an agent retries %s: %s", a.id, state.Attention.Reason)
	w.do(ctx, a, retry)
}

// lacksPlan reports whether a task failed since its plan was lost or damaged. After the
// answer there is no other by which it could be asked.
func lacksPlan(t *core.TaskState) bool {
	return t.End.Code == dsar.CodePlanMissing || t.End.Code == dsar.CodePlanMismatch
}

// giveUp ends what no worker can do: by cancelling the request, or, where something was
// sent to be changed already, by doing the rest by hand.
func (w *simulation) giveUp(ctx context.Context, a *asked, state core.State) {
	may := state.Allowed(core.Agent, w.book, w.clock.now())
	if may.Has(core.VerbCancel) {
		w.cancel(ctx, a)
		return
	}
	byHand, _ := may.Find(core.VerbAttest)
	for _, t := range byHand.Tasks {
		w.note("an agent does %s of %s of %s by hand", t.Action, t.System, a.id)
		a.byHand = append(a.byHand, t.System)
		w.do(ctx, a, core.Attest{By: "agent", Reason: "done by hand", System: t.System, Action: t.Action, Outcome: t.Outcomes[0], Now: w.clock.now()})
	}
}

func (w *simulation) cancel(ctx context.Context, a *asked) {
	w.note("an agent gives up on %s", a.id)
	a.cancelled = true // where it is not too late
	w.do(ctx, a, core.Cancel{By: "agent", Reason: "no worker can do it", Now: w.clock.now()})
}

// do applies an agent's command, as the command line does: in a process with its
// own memory of the journal.
func (w *simulation) do(ctx context.Context, a *asked, c core.Command) {
	p := w.all.coordinators[w.rng.IntN(len(w.all.coordinators))]
	w.run(ctx, &p.process, func(ctx context.Context) error {
		acts := p.desk
		if _, compares := c.(core.CompareSystems); compares {
			acts = p.requests
		}
		_, err := acts.Do(ctx, a.id, c)
		if errors.Is(err, core.ErrEnded) || errors.Is(err, core.ErrBegun) || errors.Is(err, core.ErrNothingToRetry) || errors.Is(err, core.ErrNotAwaited) {
			return nil // somebody was faster
		}
		return err
	})
}

// nextTimer returns the earliest timer of the requests that are open. An erasure that
// had to keep records wakes ten years on, when these may go: a run ends before that
// (seed 1883 jumped there while another request had no timer yet).
func (w *simulation) nextTimer(ctx context.Context) (wake time.Time) {
	w.look(func() {
		for _, a := range w.asked {
			row, err := w.journal.Row(ctx, a.id)
			if err == nil && !row.Status.Ended() && !row.WakeAt.IsZero() && (wake.IsZero() || row.WakeAt.Before(wake)) {
				wake = row.WakeAt
			}
		}
	})
	return wake
}

func (w *simulation) standing(ctx context.Context) string {
	var out []string
	for _, a := range w.asked {
		row, _ := w.journal.Row(ctx, a.id)
		out = append(out, fmt.Sprintf("%s %s: %s, waits for %v, wakes %s", a.id, a.right, row.Status, row.Waiting, row.WakeAt.Format(time.RFC3339)))
	}
	return strings.Join(out, "; ")
}
