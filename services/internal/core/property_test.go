package core_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// randomRun is a random run of one request: systems that resolve, fail, park, go
// silent and answer late, twice or out of order.
type randomRun struct {
	t      *rapid.T
	state  core.State
	facts  []core.Event
	now    time.Time
	said   []dsar.Report // every report ever made, to be repeated
	calm   bool          // from now on everything works
	edges  map[string]bool
	killed bool
}

func (w *randomRun) do(c core.Command) {
	before := w.state
	facts, err := core.Decide(w.state, c)
	if err != nil {
		return
	}
	for _, f := range facts {
		from := w.state.Status
		w.state = core.Evolve(w.state, f)
		if sent, is := f.(core.TaskSent); is {
			w.goesByAPlan(sent)
		}
		if from == "" {
			from = "[*]"
		}
		if from != w.state.Status {
			w.edges[string(from)+" --> "+string(w.state.Status)] = true
		}
	}
	w.facts = append(w.facts, facts...)
	if h, ok := c.(core.TakeReport); ok && len(facts) > 0 && !notes(core.NotesOf(facts[0]), h.Report.Notes) {
		w.t.Fatalf("the notes of %+v are not in %+v", h.Report, facts[0])
	}
	if len(facts) == 0 && !reflect.DeepEqual(before, w.state) {
		w.t.Fatalf("%T decided nothing and changed the state", c)
	}
}

// goesByAPlan checks that an erasure is sent with its plan, and a proof by keys with keys.
func (w *randomRun) goesByAPlan(sent core.TaskSent) {
	task := w.state.NewTask(sent)
	planned := task.Plan != nil && task.Plan.SHA256 != ""
	if sent.Action == dsar.Erase && !planned || sent.Action == dsar.Prove && task.ByKeys && !planned && len(task.Earlier) == 0 {
		w.t.Fatalf("%s is sent to %s without a plan: %+v", sent.Action, sent.System, task)
	}
}

// notes reports whether a fact has a worker's notes, and at most one of the core's
// own besides.
func notes(got, want []string) bool {
	return len(got) >= len(want) && len(got) <= len(want)+1 && slices.Equal(got[:len(want)], want)
}

var types = []dsar.IdentifierType{"email", "phone", "account_id", "customer_ref", "tax_id"}

func newRandomRun(t *rapid.T, edges map[string]bool) *randomRun {
	return newRandomRunUnder(t, edges, core.Terms{})
}

// newRandomRunUnder has the request be under a law.
func newRandomRunUnder(t *rapid.T, edges map[string]bool, terms core.Terms) *randomRun {
	w := &randomRun{t: t, now: start, edges: edges}
	var systems []dsar.System
	for i := range rapid.IntRange(1, 5).Draw(t, "systems") {
		sys := dsar.System{Name: fmt.Sprintf("s%d", i), Needs: rapid.SliceOfNDistinct(rapid.SampledFrom(types), 1, 2, rapid.ID).Draw(t, "needs")}
		for _, a := range []dsar.Action{dsar.Gather, dsar.Erase, dsar.Rectify, dsar.Restrict} {
			if rapid.IntRange(0, 20).Draw(t, "lacks") > 0 {
				sys.Abilities = append(sys.Abilities, a)
			}
		}
		if rapid.Bool().Draw(t, "resolves") {
			sys.Abilities = append(sys.Abilities, dsar.Resolve)
			sys.Finds = rapid.SliceOfNDistinct(rapid.SampledFrom(types), 1, 2, rapid.ID).Draw(t, "finds")
			for range rapid.IntRange(0, 2).Draw(t, "links") {
				sys.Links = append(sys.Links, dsar.Link{Find: rapid.SampledFrom(sys.Finds).Draw(t, "find"), By: rapid.SampledFrom(types).Draw(t, "by"),
					Weak: rapid.IntRange(0, 3).Draw(t, "weak") == 0, One: rapid.IntRange(0, 3).Draw(t, "one") == 0})
			}
		}
		if i > 0 && rapid.Bool().Draw(t, "after") {
			sys.EraseAfter = []string{fmt.Sprintf("s%d", rapid.IntRange(0, i-1).Draw(t, "dep"))}
		}
		systems = append(systems, sys)
	}
	systems = rapid.Permutation(systems).Draw(t, "order") // who waits may stand before whom it waits for
	w.do(core.Submit{Accepted: core.Accepted{RequestID: "r", Right: rapid.SampledFrom(dsar.Rights()).Draw(t, "right"), ReceivedAt: start, AcceptedAt: start,
		DueAt: start.Add(30 * 24 * time.Hour), Digest: "d", Identifiers: given(t), Systems: systems, Terms: terms}})
	return w
}

// given returns the identifiers that a request comes with: an address that is
// verified, and others that may be merely claimed.
func given(t *rapid.T) []dsar.Identifier {
	ids := []dsar.Identifier{{Type: "email", Fingerprint: "email-0", Assurance: dsar.AssuranceVerified}}
	for _, typ := range rapid.SliceOfNDistinct(rapid.SampledFrom(types[1:]), 0, 2, rapid.ID).Draw(t, "claims") {
		ids = append(ids, dsar.Identifier{Type: typ, Fingerprint: string(typ) + "-0", Assurance: rapid.SampledFrom(dsar.Assurances()[:2]).Draw(t, "assurance")})
	}
	return ids
}

// answer makes up what the worker of a task says.
func (w *randomRun) answer(task core.TaskState) dsar.Report {
	r := dsar.Report{System: task.System, Action: task.Action, Attempt: task.Attempt, Kind: dsar.ReportEnded, Outcome: dsar.NothingFound}
	r.Notes = []string{fmt.Sprintf("note %d", len(w.said))}
	mood := rapid.IntRange(0, 9).Draw(w.t, "mood")
	if !w.calm {
		switch mood {
		case 0:
			r.Kind, r.Code = dsar.ReportFailed, "broken"
			if task.Action == dsar.Assemble {
				r.Code = dsar.CodeObjectMissing
			}
			return r
		case 1:
			r.Kind, r.Until = dsar.ReportParked, w.now.Add(time.Duration(rapid.IntRange(-60, 1e6).Draw(w.t, "until"))*time.Second)
			return r
		case 2:
			r.Kind, r.Notes = dsar.ReportProgress, nil
			return r
		}
	}
	switch task.Action {
	case dsar.Resolve:
		for _, sys := range w.state.Accepted.Systems {
			if sys.Name != task.System {
				continue
			}
			for _, typ := range sys.Finds {
				if rapid.Bool().Draw(w.t, "finds it") {
					r.Outcome = dsar.Found
					from := ""
					if rapid.IntRange(0, 3).Draw(w.t, "says by what") > 0 {
						from = rapid.SampledFrom(w.state.Identifiers).Draw(w.t, "from").Fingerprint
					}
					r.Identifiers = append(r.Identifiers, dsar.Identifier{Type: typ, From: from, Fingerprint: fmt.Sprintf("%s-%d", typ, rapid.IntRange(0, 2).Draw(w.t, "n")), Assurance: dsar.AssuranceVerified})
				}
			}
		}
	case dsar.Plan:
		r.Outcome = dsar.Found
		r.Counts = []dsar.Counts{{Dataset: "d", Found: int64(rapid.SampledFrom([]int{0, 3, 20_000}).Draw(w.t, "found"))}}
		if r.Counts[0].Found == 0 {
			r.Outcome = dsar.NothingFound
		} else if w.calm || rapid.IntRange(0, 7).Draw(w.t, "keeps its plan") > 0 {
			r.Objects = []dsar.Object{{Name: fmt.Sprintf("%s/plan/%d-a", task.System, task.Attempt), SHA256: "h"}}
		}
	case dsar.Erase:
		r.Outcome = dsar.Erased
		for _, c := range w.state.Task(task.System, dsar.Plan).End.Counts {
			if c.Found > 0 {
				r.Counts = append(r.Counts, dsar.Counts{Dataset: c.Dataset, Erased: c.Found})
			}
		}
	case dsar.Prove:
		r.Outcome = dsar.Proven
		for _, c := range w.state.Task(task.System, dsar.Erase).End.Counts {
			if c.Kept() > 0 { // what must stay is there
				r.Counts = append(r.Counts, dsar.Counts{Dataset: c.Dataset, Found: c.Kept(), Retained: c.Retained})
			}
		}
		if !w.calm && mood > 6 {
			r.Counts = append(r.Counts, dsar.Counts{Dataset: "d", Found: 2})
		}
	case dsar.Assemble:
		r.Outcome, r.Objects = dsar.Assembled, []dsar.Object{{Name: "bundle"}}
	default:
		r.Outcome = dsar.Gathered
		r.Counts = []dsar.Counts{{Dataset: "d", Found: 1, Gathered: 1}}
		r.Objects = []dsar.Object{{Name: fmt.Sprintf("%s/%d", task.System, task.Attempt)}}
		if !w.calm && mood == 3 && task.Action == dsar.Gather {
			r.Kind, r.Outcome, r.Code = dsar.ReportFailed, dsar.Manual, dsar.CodeOthers
		}
	}
	if !w.calm && mood == 4 && task.Action != dsar.Resolve && task.Action != dsar.Assemble {
		r.Counts = append(r.Counts, dsar.Counts{Dataset: "e", Uncovered: "forbidden"})
	}
	return r
}

// step lets one thing happen.
func (w *randomRun) step() {
	var out []core.TaskState
	for _, task := range w.state.Tasks {
		if task.Status == core.TaskIsSent {
			out = append(out, *task)
		}
	}
	choice := rapid.IntRange(0, 9).Draw(w.t, "step")
	switch {
	case len(out) > 0 && (w.calm || choice < 5):
		r := w.answer(rapid.SampledFrom(out).Draw(w.t, "task"))
		w.said = append(w.said, r)
		if w.calm || choice > 0 { // else the report is lost
			w.do(core.TakeReport{Report: r, Now: w.now})
		}
	case len(w.said) > 0 && choice < 7:
		w.do(core.TakeReport{Report: rapid.SampledFrom(w.said).Draw(w.t, "again"), Now: w.now})
	case choice == 7 || w.calm && w.state.Status == core.StatusNeedsAttention:
		w.do(core.Retry{By: "agent", AcceptPlan: w.calm || rapid.Bool().Draw(w.t, "accept"), Now: w.now})
	case choice == 8 && !w.calm && rapid.IntRange(0, 10).Draw(w.t, "cancel") == 0:
		w.do(core.Cancel{By: "agent", Now: w.now})
		w.killed = w.killed || w.state.Status == core.StatusCancelled // else something was sent to be changed already
	default:
		if wake := core.Wake(w.state); !wake.IsZero() && wake.After(w.now) {
			w.now = wake
		}
		w.do(core.Tick{Now: w.now})
		if slices.Contains(w.state.Duties(w.now), core.DutyRelease) { // as the keeper does
			w.do(core.Released{Now: w.now})
		}
	}
}

// hopeless reports whether a system lacks the ability: then only a person ends it.
func (w *randomRun) hopeless() bool {
	return slices.ContainsFunc(w.state.Tasks, func(t *core.TaskState) bool {
		return t.End.Outcome == dsar.Manual && t.End.Code != dsar.CodeNoPlan
	})
}

func (w *randomRun) check() {
	accepted, completed, overdue := 0, 0, 0
	erasing := map[string]int{} // by system: 1 planned, 2 erased, 3 proven
	incomplete := map[string]bool{}
	for i, f := range w.facts {
		switch f := f.(type) {
		case core.Accepted:
			accepted++
		case core.Overdue:
			overdue++
		case core.Completed:
			completed++
			if i != len(w.facts)-1 {
				w.t.Fatalf("facts after the end: %v", w.facts[i+1:])
			}
		case core.TaskSent:
			if f.Action == dsar.Erase {
				for _, sys := range w.state.Accepted.Systems {
					if erasing[sys.Name] < 1 {
						w.t.Fatalf("%s is erased before the plan of %s is known", f.System, sys.Name)
					}
				}
			}
			if f.Action == dsar.Assemble {
				for system := range incomplete {
					w.t.Fatalf("assembled though nobody has seen what is not covered of %s", system)
				}
			}
			if f.Action == dsar.Assemble && w.state.Accepted.Right == dsar.Erasure {
				for _, sys := range w.state.Accepted.Systems {
					if erasing[sys.Name] < 3 {
						w.t.Fatalf("assembled before %s is proven", sys.Name)
					}
				}
			}
		case core.Retried:
			for _, system := range f.Anew {
				erasing[system] = 0
			}
		case core.TaskFailed:
			if f.Outcome == dsar.Incomplete {
				incomplete[f.System] = true
			}
		case core.TaskEnded:
			if f.Action != dsar.Resolve {
				delete(incomplete, f.System)
			}
			if stages := w.state.Right.Stages(); f.Action == stages[len(stages)-2] && f.By == "" && slices.ContainsFunc(f.Counts, func(c dsar.Counts) bool { return c.Uncovered != "" }) {
				w.t.Fatalf("%s ended by machine, and not all of it was covered", f.System)
			}
			switch f.Action {
			case dsar.Plan:
				erasing[f.System] = 1
			case dsar.Erase:
				erasing[f.System] = 2
			case dsar.Prove:
				erasing[f.System] = 3
			}
		}
	}
	if accepted != 1 || completed > 1 || overdue > 1 {
		w.t.Fatalf("accepted %d times, completed %d, overdue %d", accepted, completed, overdue)
	}
	if again := core.Fold(w.facts); !reflect.DeepEqual(again, w.state) {
		w.t.Fatalf("folded again:\n%+v\nwant\n%+v", again, w.state)
	}
	seen := map[string]bool{}
	for _, id := range w.state.Identifiers {
		if seen[id.Fingerprint] {
			w.t.Fatalf("identifier %s twice", id.Fingerprint)
		}
		seen[id.Fingerprint] = true
	}
}

// run plays a request through trouble and then calm weather.
func run(t *rapid.T, edges map[string]bool) *randomRun {
	w := newRandomRun(t, edges)
	for range rapid.IntRange(0, 60).Draw(t, "trouble") {
		w.step()
	}
	w.calm = true
	for i := 0; i < 400 && !w.state.Status.Ended() && !(w.state.Status == core.StatusNeedsAttention && w.hopeless()); i++ {
		w.step()
	}
	return w
}

// TestReportsInAnyOrder proves that a request ends, once and right, whatever
// its workers do, as soon as they work again: no path loses it, nor what they
// noted besides.
func TestReportsInAnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := run(t, map[string]bool{})
		w.check()
		if !w.state.Status.Ended() && !w.hopeless() {
			t.Fatalf("stuck as %s; attention %+v; tasks %+v", w.state.Status, w.state.Attention, w.state.Tasks)
		}
		if w.killed != (w.state.Status == core.StatusCancelled) && w.state.Status != core.StatusCompleted {
			t.Fatalf("cancelled %v, status %s", w.killed, w.state.Status)
		}
	})
}

// TestFactsComeBackAsTheyWere proves the codec: the journal's form loses nothing.
func TestFactsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		for _, f := range run(t, map[string]bool{}).facts {
			typ, data, err := core.Encode(f)
			if err != nil {
				t.Fatal(err)
			}
			back, err := core.Decode(typ, data)
			if err != nil || !reflect.DeepEqual(f, back) {
				t.Fatalf("%+v came back as %+v, %v", f, back, err)
			}
		}
	})
}
