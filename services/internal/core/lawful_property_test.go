package core_test

import (
	"testing"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// person has somebody at a desk do something, at whatever time.
func (w *randomRun) person() {
	by, now := "lea", w.now
	holds := func() (string, string) {
		return rapid.SampledFrom([]string{"", "s0", "s1"}).Draw(w.t, "system"), rapid.SampledFrom([]string{"", "d"}).Draw(w.t, "dataset")
	}
	switch rapid.IntRange(0, 11).Draw(w.t, "person") {
	case 0:
		w.do(core.AskProof{By: by, Now: now})
	case 1, 2:
		w.do(core.JudgeProof{By: by, Accepted: rapid.Bool().Draw(w.t, "accepted"), Calendar: calendar{}, Now: now})
	case 3:
		w.do(core.AskClarification{By: by, Now: now})
	case 4:
		w.do(core.Clarify{By: by, Calendar: calendar{}, Now: now})
	case 5:
		w.do(core.Extend{By: by, Reason: "much", Calendar: calendar{}, Now: now})
	case 6:
		w.do(core.Refuse{By: by, Ground: "excessive", Now: now})
	case 7:
		w.do(core.Merge{By: by, Into: "another", Now: now})
	case 8:
		system, dataset := holds()
		w.do(core.Hold{By: by, Reason: "case", System: system, Dataset: dataset, Now: now})
	case 9:
		system, dataset := holds()
		w.do(core.Lift{By: by, System: system, Dataset: dataset, Now: now})
	default:
		w.attest()
	}
}

// attest has a person do the first thing that no machine could.
func (w *randomRun) attest() {
	for _, t := range w.state.Tasks {
		if t.Status != core.TaskIsFailed || t.System == dsar.Aggregator {
			continue
		}
		outcome := map[dsar.Action]dsar.Outcome{dsar.Erase: dsar.Erased, dsar.Prove: dsar.Proven, dsar.Rectify: dsar.Rectified, dsar.Restrict: dsar.Restricted}[t.Action]
		switch {
		case t.End.Code == dsar.CodeOthers:
			outcome = dsar.Gathered
		case outcome == "":
			outcome = dsar.NothingFound
		}
		w.do(core.Attest{By: "lea", Reason: "by hand", System: t.System, Action: t.Action, Outcome: outcome, Now: w.now})
		return
	}
}

// lawful holds the facts of a run against the law.
func (w *randomRun) lawful() {
	mayAct := len(w.state.Accepted.Terms.Checks) == 0
	awaited, copies := false, true
	due := w.state.Accepted.DueAt
	paused := false
	unseen := map[string]bool{} // the systems whose records a person must look at
	for _, f := range w.facts {
		switch f := f.(type) {
		case core.ProofAsked:
			awaited, paused = true, f.Pauses
		case core.ClarificationAsked:
			awaited, paused = true, f.Pauses
		case core.ClarificationGiven:
			awaited, paused = false, false
			if !f.DueAt.IsZero() {
				due = f.DueAt
			}
		case core.ProofJudged:
			awaited, paused = false, false
			mayAct = f.Accepted || f.Instead != ""
			copies = copies && f.Instead == ""
			if !f.DueAt.IsZero() {
				due = f.DueAt
			}
		case core.Extended:
			if f.DueAt.Before(due) {
				w.t.Fatalf("extended from %s back to %s", due, f.DueAt)
			}
			due = f.DueAt
		case core.Overdue:
			if paused || f.At.Before(due) {
				w.t.Fatalf("overdue at %s, due %s, paused %v", f.At, due, paused)
			}
		case core.TaskFailed:
			if f.Code == dsar.CodeOthers {
				unseen[f.System] = true
			}
		case core.TaskEnded:
			if f.Action == dsar.Gather {
				delete(unseen, f.System)
			}
		case core.TaskSent:
			switch {
			case f.Action == dsar.Assemble && len(unseen) > 0:
				w.t.Fatalf("what %v gathered is answered, and nobody has looked", unseen)
			case awaited:
				w.t.Fatalf("%s of %s is sent while the person is awaited", f.Action, f.System)
			case !mayAct:
				w.t.Fatalf("%s of %s is sent before proof was accepted", f.Action, f.System)
			case f.Action == dsar.Gather && !copies:
				w.t.Fatalf("%s gathers a copy for somebody who isn't proven", f.System)
			}
		}
	}
	// The due date passes with a fact, as soon as somebody looks.
	if s := w.state; !s.Status.Ended() && !s.Paused && s.AnsweredAt.IsZero() {
		facts, err := core.Decide(s, core.Tick{Now: s.DueAt})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, f := range facts {
			s = core.Evolve(s, f)
		}
		if !s.Overdue {
			w.t.Fatalf("due %s, and no fact says so", s.DueAt)
		}
	}
}

// TestNoPathIsUnlawful proves that whatever people and systems do, in whatever
// order, nothing is done for somebody who isn't proven, nothing that may tell of
// other people is answered before a person has looked, no due date passes in
// silence, and the request ends as soon as everybody acts.
func TestNoPathIsUnlawful(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		terms := core.Terms{Refusals: []string{"excessive"}, PausesForProof: rapid.Bool().Draw(t, "pauses"), PausesForClarification: rapid.Bool().Draw(t, "pauses too")}
		if rapid.Bool().Draw(t, "checks") {
			terms.Checks = []dsar.Check{dsar.CheckIdentity}
		}
		if rapid.Bool().Draw(t, "instead") {
			terms.Instead = dsar.KnowCategories
		}
		w := newRandomRunUnder(t, map[string]bool{}, terms)
		for range rapid.IntRange(0, 60).Draw(t, "trouble") {
			if rapid.IntRange(0, 3).Draw(t, "who") == 0 {
				w.person()
			} else {
				w.step()
			}
			w.lawful()
		}
		// Everybody acts: what is awaited is given, what is manual is done.
		w.calm = true
		for i := 0; i < 600 && !w.state.Status.Ended(); i++ {
			switch {
			case w.state.Awaited == core.RemindProof:
				w.do(core.JudgeProof{By: "lea", Accepted: true, Calendar: calendar{}, Now: w.now})
			case w.state.Awaited == core.RemindClarification:
				w.do(core.Clarify{By: "lea", Calendar: calendar{}, Now: w.now})
			case w.state.Status == core.StatusNeedsAttention && w.hopeless():
				w.attest()
				w.step()
			default:
				w.step()
			}
		}
		w.lawful()
		if !w.state.Status.Ended() {
			t.Fatalf("stuck as %s; attention %+v; tasks %+v", w.state.Status, w.state.Attention, w.state.Tasks)
		}
	})
}

// TestRetentionClock proves over ten years that everything that had to stay is
// erased on its day and once, whatever days systems name.
func TestRetentionClock(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := underLaw(t, dsar.Erasure, core.Terms{}, books, deals)
		rows := map[string][]int{} // the day on which each may go, after the start
		for _, system := range []string{"books", "deals"} {
			rows[system] = rapid.SliceOfN(rapid.IntRange(2, 3650), 1, 8).Draw(t, system)
		}
		gone := map[string][]int{} // the days on which they went
		answer := func(system string, today int) dsar.Retention {
			kept := dsar.Retention{Ground: "tax"}
			var still []int
			for _, day := range rows[system] {
				if day <= today {
					gone[system] = append(gone[system], day-today) // 0: on its day
					continue
				}
				still = append(still, day)
				at := start.AddDate(0, 0, day)
				kept.Records++
				if kept.Next.IsZero() || at.Before(kept.Next) {
					kept.Next = at
				}
				if at.After(kept.Until) {
					kept.Until = at
				}
			}
			rows[system] = still
			return kept
		}
		for round := 0; ; round++ {
			if round > 40 {
				t.Fatal("it doesn't end")
			}
			today := int(d.now.Sub(start).Hours() / 24)
			for again := true; again; {
				again = false
				for _, task := range d.state.Tasks {
					if task.Status != core.TaskIsSent {
						continue
					}
					again = true
					r := ended(task.System, task.Action, dsar.Retained)
					switch task.Action {
					case dsar.Plan:
						r.Counts = []dsar.Counts{{Dataset: "rows", Found: int64(len(rows[task.System]))}}
					case dsar.Erase:
						r.Counts = []dsar.Counts{{Dataset: "rows", Erased: d.state.Task(task.System, dsar.Plan).End.Counts[0].Found}}
					case dsar.Prove:
						r.Outcome = dsar.Proven
						if kept := answer(task.System, today); kept.Records > 0 {
							r.Counts = []dsar.Counts{{Dataset: "rows", Found: kept.Records, Retained: []dsar.Retention{kept}}}
						}
					case dsar.Assemble:
						r.Outcome = dsar.Assembled
					default:
					}
					d.report(r)
					break
				}
			}
			if d.state.Status != core.StatusCompleted {
				t.Fatalf("%s: %+v", d.state.Status, d.state.Tasks)
			}
			wake := core.Wake(d.state)
			if wake.IsZero() {
				break
			}
			if !wake.After(d.now) {
				t.Fatalf("wakes %s at %s", wake, d.now)
			}
			d.now = wake
			d.do(core.Tick{Now: wake})
		}
		for system, left := range rows {
			if len(left) > 0 {
				t.Fatalf("%s still keeps %v", system, left)
			}
			for _, late := range gone[system] {
				if late != 0 {
					t.Fatalf("%s: a row went %d days late", system, -late)
				}
			}
		}
	})
}
