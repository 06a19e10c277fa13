package statement_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// run is one request whose systems answer, fail, park, go silent and come short at
// random.
type run struct {
	*rapid.T
	state core.State
	facts []core.Event
	now   time.Time
	plans map[string][]dsar.Counts // by system: what its plan found
}

func newRun(t *rapid.T) *run {
	r := &run{T: t, now: start, plans: map[string][]dsar.Counts{}}
	a := core.Accepted{RequestID: "r", Right: rapid.SampledFrom(append(dsar.Rights(), dsar.Erasure, dsar.Erasure, dsar.Erasure, dsar.Erasure)).Draw(t, "right"), ReceivedAt: start, AcceptedAt: start, DueAt: start.AddDate(0, 1, 0), Digest: "d",
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "e", Assurance: dsar.AssuranceVerified}}}
	if rapid.IntRange(0, 3).Draw(t, "claims") == 0 {
		a.Identifiers = append(a.Identifiers, dsar.Identifier{Type: "phone", Fingerprint: "p", Assurance: dsar.AssuranceClaimed})
	}
	for i, name := range []string{"account", "billing", "crm"}[:rapid.IntRange(1, 3).Draw(t, "systems")] {
		sys := dsar.System{Name: name, Abilities: []dsar.Action{dsar.Gather, dsar.Erase, dsar.Rectify, dsar.Restrict}, Needs: []dsar.IdentifierType{"email"}}
		switch {
		case i == 0:
			sys.Abilities, sys.Finds = append(sys.Abilities, dsar.Resolve), []dsar.IdentifierType{"number"}
		case rapid.Bool().Draw(t, "by number"):
			sys.Needs = []dsar.IdentifierType{"number"}
		}
		a.Systems = append(a.Systems, sys)
		if rapid.IntRange(0, 4).Draw(t, "kept") == 0 {
			k := core.KeptEarlier{RequestID: "earlier", System: name, Dataset: "a", From: "e"}
			tax := []dsar.Retention{{Records: 2, Ground: "tax", Until: start.AddDate(3, 0, 0)}}
			switch rapid.IntRange(0, 3).Draw(t, "left") {
			case 0:
				k.Then = tax
			case 1:
				k.Unfinished = 2
			default:
				k.Retained = tax
			}
			a.Kept = append(a.Kept, k)
		}
	}
	r.do(core.Submit{Accepted: a})
	return r
}

func (r *run) do(c core.Command) {
	facts, err := core.Decide(r.state, c)
	if err != nil {
		return
	}
	for _, f := range facts {
		r.state = core.Evolve(r.state, f)
	}
	r.facts = append(r.facts, facts...)
}

// step lets one thing happen.
func (r *run) step() {
	var sent []core.TaskState
	for _, t := range r.state.Tasks {
		if t.Status == core.TaskIsSent {
			sent = append(sent, *t)
		}
	}
	switch n := rapid.SampledFrom([]int{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 14, 15, 16, 17, 18, 19, 20}).Draw(r.T, "step"); {
	case n < 14 && len(sent) > 0:
		r.do(core.TakeReport{Report: r.report(rapid.SampledFrom(sent).Draw(r.T, "task")), Now: r.now})
	case n == 14:
		r.do(core.Hold{By: "lea", Reason: "a lawsuit", System: r.state.Accepted.Systems[0].Name, Now: r.now})
	case n < 17:
		r.do(core.Retry{By: "lea", AcceptPlan: true, Now: r.now})
	case n == 17:
		r.attest()
	case n == 20 && rapid.IntRange(0, 3).Draw(r.T, "retire") == 0:
		r.do(core.RetireSystem{By: "lea", Reason: "closed", System: rapid.SampledFrom(r.state.Accepted.Systems).Draw(r.T, "system").Name, On: start.AddDate(0, 0, -1), Now: r.now})
	default:
		if wake := core.Wake(r.state); wake.After(r.now) {
			r.now = wake
		}
		r.do(core.Tick{Now: r.now})
	}
}

func (r *run) attest() {
	outcomes := map[dsar.Action]dsar.Outcome{dsar.Gather: dsar.NothingFound, dsar.Plan: dsar.Found, dsar.Erase: dsar.Erased, dsar.Prove: dsar.Proven, dsar.Rectify: dsar.Rectified, dsar.Restrict: dsar.Restricted, dsar.Resolve: dsar.NothingFound}
	for _, t := range r.state.Tasks {
		if t.Status == core.TaskIsFailed {
			outcome := outcomes[t.Action]
			if t.End.Outcome == dsar.Incomplete && rapid.Bool().Draw(r.T, "left at that") {
				outcome = dsar.Incomplete
			}
			r.do(core.Attest{By: "lea", Reason: "by hand", System: t.System, Action: t.Action, Outcome: outcome, Now: r.now})
			return
		}
	}
}

// report makes up what the worker of a task says.
func (r *run) report(t core.TaskState) dsar.Report {
	out := dsar.Report{RequestID: "r", System: t.System, Action: t.Action, Attempt: t.Attempt, Kind: dsar.ReportEnded, Outcome: dsar.NothingFound}
	switch rapid.SampledFrom([]int{9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 0, 1, 2}).Draw(r.T, "mood") {
	case 0:
		out.Kind, out.Code = dsar.ReportFailed, "broken"
		return out
	case 1:
		out.Kind, out.Until = dsar.ReportParked, r.now.Add(time.Hour)
		return out
	case 2:
		if t.Action != dsar.Resolve && t.Action != dsar.Assemble {
			out.Counts = []dsar.Counts{{Dataset: "b", Uncovered: "forbidden"}}
		}
		return out
	}
	some := func(label string) int64 { return int64(rapid.SampledFrom([]int{0, 1, 2, 3}).Draw(r.T, label)) }
	switch t.Action {
	case dsar.Resolve:
		if rapid.Bool().Draw(r.T, "finds") {
			out.Outcome, out.Identifiers = dsar.Found, []dsar.Identifier{{Type: "number", Fingerprint: "n", From: "e"}}
		}
	case dsar.Plan:
		r.plans[t.System] = nil
		for _, name := range []string{"a", "b"} {
			c := dsar.Counts{Dataset: name, Found: some("found")}
			if c.Found > 0 && rapid.Bool().Draw(r.T, "stays") {
				c.Retain(1, "tax", start.AddDate(1, 0, 0))
			}
			if c.Found > 0 {
				out.Outcome, r.plans[t.System] = dsar.Found, append(r.plans[t.System], c)
			}
		}
		out.Counts = slices.Clone(r.plans[t.System])
		if rapid.IntRange(0, 3).Draw(r.T, "mentioned") == 0 {
			out.Counts = append(out.Counts, dsar.Counts{Dataset: "b", Mentions: 2})
		}
	case dsar.Erase:
		out.Outcome = dsar.Erased
		for _, p := range r.plans[t.System] {
			c := dsar.Counts{Dataset: p.Dataset, Retained: p.Retained, Gone: min(some("gone"), p.Found-p.Kept())}
			c.Erased = p.Found - p.Kept() - c.Gone
			if p.Kept() > 0 && rapid.Bool().Draw(r.T, "flagged") {
				c.Restricted = p.Kept()
			}
			if rapid.Bool().Draw(r.T, "cascades") {
				c.Taken = []dsar.Taken{{Table: "reblogs", Records: 2}}
			}
			out.Counts = append(out.Counts, c)
		}
	case dsar.Prove:
		out.Outcome = dsar.Proven
		for _, p := range r.plans[t.System] {
			if p.Kept() > 0 {
				out.Counts = append(out.Counts, dsar.Counts{Dataset: p.Dataset, Found: p.Kept(), Retained: p.Retained})
			}
		}
	case dsar.Assemble:
		out.Outcome, out.Objects = dsar.Assembled, []dsar.Object{{Name: "bundle"}}
	default:
		if n := some("records"); n > 0 {
			out.Outcome = map[dsar.Action]dsar.Outcome{dsar.Gather: dsar.Gathered, dsar.Rectify: dsar.Rectified, dsar.Restrict: dsar.Restricted}[t.Action]
			c := dsar.Counts{Dataset: "a", Found: n}
			switch t.Action {
			case dsar.Gather:
				c.Gathered = n
			case dsar.Rectify:
				c.Rectified, c.Changed = n, []string{"name"}
			default:
				c.Restricted = n
			}
			out.Counts = []dsar.Counts{c}
		}
	}
	return out
}

// stated returns what may be stated of a request's facts, one of which may be missing: 0
// stands for none.
func stated(facts []core.Event, missing int) []statement.Statement {
	var s core.State
	for i, f := range facts {
		if i+1 == missing {
			s.Version++
			continue
		}
		s = core.Evolve(s, f)
	}
	told := s.Told()
	if told == nil {
		return nil
	}
	for seq := range len(facts) {
		if seq+1 != missing {
			told.Facts = append(told.Facts, core.Cited{Seq: seq + 1, Hash: fmt.Sprintf("%064d", seq+1)})
		}
	}
	request := statement.Request{ID: "r", Right: s.Right, ReceivedAt: s.Accepted.ReceivedAt}
	e := statement.Evidence{Request: request, Told: *told}
	for _, sys := range s.Accepted.Systems {
		e.Systems = append(e.Systems, statement.System{System: sys.Name, Needs: sys.Needs, Finds: sys.Finds, Datasets: []statement.Dataset{{Dataset: "a", Origin: "provided", LegalBasis: "contract"}, {Dataset: "b", Origin: "derived", LegalBasis: "contract"}}})
		// What was gathered is read, as the facts say.
		for _, part := range told.Systems {
			for _, end := range part.Ends {
				for _, c := range end.Counts {
					if part.System == sys.Name && end.Action == dsar.Gather && c.Found > 0 {
						e.Read = append(e.Read, statement.Reading{System: sys.Name, Dataset: c.Dataset, Records: c.Found})
					}
				}
			}
		}
	}
	return statement.Make(e)
}

// TestNoFactNoStatement: whatever happened, a statement names facts that there are, of its
// own system or of the request, and of the others alone it isn't made.
func TestNoFactNoStatement(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := newRun(t)
		for range rapid.SampledFrom([]int{5, 20, 40, 60}).Draw(t, "steps") {
			r.step()
		}
		all := stated(r.facts, 0)
		for range min(4, len(all)) {
			s := rapid.SampledFrom(all).Draw(t, "statement")
			if len(s.Facts()) == 0 {
				t.Fatalf("%+v rests on nothing", s.Said())
			}
			for _, f := range s.Facts() {
				if f.Seq < 1 || f.Seq > len(r.facts) {
					t.Fatalf("%+v rests on a fact that there isn't", s.Said())
				}
				if e, ended := r.facts[f.Seq-1].(core.TaskEnded); ended && s.System() != "" && e.System != s.System() && e.Action != dsar.Resolve {
					t.Fatalf("%+v rests on what %s said", s.Said(), e.System)
				}
				for _, without := range stated(r.facts, f.Seq) {
					if without.Kind() == s.Kind() && without.System() == s.System() && without.Dataset() == s.Dataset() && reflect.DeepEqual(without.Values(), s.Values()) && within(without.Facts(), s.Facts()) && !weak(s.Kind()) {
						t.Fatalf("%+v is made without fact %d, %+v", s.Said(), f.Seq, r.facts[f.Seq-1])
					}
				}
			}
		}
	})
}

// within reports whether all of some facts are among others. What is made of other facts
// is another statement, though it says the same.
func within(some, others []core.Cited) bool {
	return !slices.ContainsFunc(some, func(f core.Cited) bool { return !slices.Contains(others, f) })
}

// weak reports whether a kind says that something is not known: with fewer facts it is
// known even less.
func weak(k statement.Kind) bool {
	return k == statement.NoAnswer || k == statement.NotDone || k == statement.NotAllGone
}

// TestSweepingOnlyOnceAllIsOver: nothing and everything are said only where every task of
// what they speak of has ended, nothing fell short, and nothing is kept that isn't named.
func TestSweepingOnlyOnceAllIsOver(t *testing.T) {
	t.Parallel()
	said := map[statement.Kind]int{}
	rapid.Check(t, func(t *rapid.T) {
		r := newRun(t)
		for range rapid.SampledFrom([]int{5, 20, 40, 60}).Draw(t, "steps") {
			r.step()
			all := stated(r.facts, 0)
			for _, s := range all {
				if s.Kind().Sweeping() {
					said[s.Kind()]++
					r.over(s)
				}
			}
		}
	})
	if len(said) < 8 { // of twenty, of which some need a rare course of things
		t.Errorf("only %v was ever said: too little was tried", said)
	}
}

// lastWord returns the action that says last what stays in a system: its proof, unless a
// person attested that, or none could be made.
func (r *run) lastWord(system string) dsar.Action {
	if t := r.state.Task(system, dsar.Prove); t != nil && t.End.Outcome == dsar.Proven && t.End.By == "" {
		return dsar.Prove
	}
	return dsar.Erase
}

// besideTexts are the sweeping statements that may be made where others' texts name the
// person: they are of the person's own records, or of who was asked.
var besideTexts = []statement.Kind{
	statement.NamedLeft, statement.NamedThere, statement.AskedAgainOwn, statement.AskedAgainOwnKept, statement.OnlyTextsLeft, statement.KeptAndTextsLeft,
	statement.AllReassigned, statement.KeptUnused, statement.EveryoneAsked, statement.ErasedOnceMore, statement.NothingCameBack,
}

// over fails where a sweeping statement is made too early.
func (r *run) over(s statement.Statement) {
	kept := slices.Contains([]statement.Kind{statement.NothingElseHeld, statement.NothingChanged, statement.NothingLeftOut, statement.OnlyKeptLeft, statement.KeptUnused, statement.EveryoneAsked, statement.AskedAgainKept, statement.AskedAgainOwnKept, statement.AskedAgainOwn, statement.KeptAndTextsLeft, statement.NothingToChange, statement.NothingCovered, statement.AskedAgain}, s.Kind())
	for _, t := range r.state.Tasks {
		mine := s.System() == "" || s.System() == t.System
		if !mine || t.System == dsar.Aggregator {
			continue
		}
		if t.Status != core.TaskIsEnded {
			r.Fatalf("%+v, while %s of %s is %s", s.Said(), t.Action, t.System, t.Status)
		}
		if t.End.Outcome == dsar.Failed || t.End.Outcome == dsar.Manual {
			r.Fatalf("%+v, and %s of %s ended as %s", s.Said(), t.Action, t.System, t.End.Outcome)
		}
		if out := t.End.Code == core.CodeRetired || t.End.Code == core.CodeRetiredOpen; out && t.Action != dsar.Resolve && (t.Action != dsar.Restrict || r.state.Right != dsar.Erasure) && (t.Action != dsar.Prove || s.Kind() == statement.EveryoneAsked) {
			r.Fatalf("%+v, and %s of %s is done by nobody: it is out of use", s.Said(), t.Action, t.System)
		}
		stages := r.state.Right.Stages()
		for _, c := range t.End.Counts {
			if (s.Dataset() == "" || s.Dataset() == c.Dataset) && c.Uncovered != "" && t.Action == stages[len(stages)-2] {
				r.Fatalf("%+v, and %s of %s was not reached", s.Said(), c.Dataset, t.System)
			}
			if (s.Dataset() == "" || s.Dataset() == c.Dataset) && c.Mentions > 0 && !slices.Contains(besideTexts, s.Kind()) {
				r.Fatalf("%+v, and texts of others in %s of %s name the person", s.Said(), c.Dataset, t.System)
			}
			if (s.Dataset() == "" || s.Dataset() == c.Dataset) && c.Kept() > 0 && !kept && t.Action == r.lastWord(t.System) {
				r.Fatalf("%+v, and something stays in %s", s.Said(), t.System)
			}
		}
	}
	for _, k := range r.state.Accepted.Kept {
		// That everybody was asked again is so, whatever an earlier erasure is at.
		if mine := s.System() == "" || s.System() == k.System; mine && s.Kind() != statement.EveryoneAsked && len(r.state.Disproven) == 0 && k.Unfinished > 0 && (s.Dataset() == "" || s.Dataset() == k.Dataset) {
			r.Fatalf("%+v, and an earlier erasure isn't over in %s", s.Said(), k.System)
		}
		found := false
		for _, f := range r.facts {
			if e, ended := f.(core.TaskEnded); ended && e.System == k.System {
				for _, c := range e.Counts {
					found = found || c.Dataset == k.Dataset && c.Found > 0
				}
			}
		}
		if mine := s.System() == "" || s.System() == k.System; mine && !kept && !found && s.Kind() != statement.Empty {
			r.Fatalf("%+v, and an earlier erasure kept something in %s", s.Said(), k.System)
		}
	}
}
