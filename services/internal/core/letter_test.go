package core_test

import (
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// TestUnwritten: one letter for each occasion, none twice, and none that came too late
// to be of use.
func TestUnwritten(t *testing.T) {
	t.Parallel()
	all := []core.Event{
		core.Accepted{RequestID: "r", Right: dsar.Erasure, Systems: []dsar.System{{Name: "s"}}},
		core.ProofAsked{Checks: []dsar.Check{dsar.CheckIdentity}},
		core.LetterSent{Letter: core.LetterConfirmation, Cause: 1},
		core.ProofJudged{Accepted: true},
		core.Extended{ReasonedAct: core.ReasonedAct{Reason: "much"}},
		core.TaskEnded{System: "s", Action: dsar.Prove, Counts: []dsar.Counts{{Retained: []dsar.Retention{{Records: 1}}}}},
		core.Completed{},
	}
	var got []string
	for _, o := range core.Fold(all[:6]).Unwritten() {
		got = append(got, string(o.Letter))
	}
	if s := strings.Join(got, " "); s != "proof extension" {
		t.Errorf("before the end: %s", s)
	}
	due := core.Fold(all).Unwritten()
	if len(due) != 2 || due[0].Letter != core.LetterExtension || due[1].Letter != core.LetterCertificate || due[1].Cause != 7 || !due[1].Kept {
		t.Errorf("after it: %+v", due)
	}
}

// TestHeldIsNotSaidToBeLocked is case 13: the certificate's letter says that what stays is
// used for nothing else only where workers say that they flagged all of it.
func TestHeldIsNotSaidToBeLocked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		held       bool
		restricted int64
		want       bool
	}{
		"a legal hold":  {true, 0, false},
		"not flagged":   {false, 0, false},
		"all flagged":   {false, 2, true},
		"partly marked": {false, 1, false},
	} {
		d := newDesk(t, dsar.Erasure, events)
		counts := []dsar.Counts{{Dataset: "seen", Found: 2, Retained: []dsar.Retention{{Records: 2, Ground: "tax"}}}}
		if c.held {
			d.do(core.Hold{By: "lea", Reason: "a lawsuit", Now: d.now})
			counts[0].Retained = nil
		}
		d.report(dsar.Report{System: "events", Action: dsar.Plan, Outcome: dsar.Found, Counts: counts})
		if !c.held {
			counts[0].Restricted = c.restricted
			d.report(dsar.Report{System: "events", Action: dsar.Erase, Outcome: dsar.Retained, Counts: counts})
		}
		d.report(dsar.Report{System: "events", Action: dsar.Prove, Outcome: dsar.Proven, Counts: counts})
		d.report(dsar.Report{System: dsar.Aggregator, Action: dsar.Assemble, Outcome: dsar.Assembled})
		o := d.state.Occasions[len(d.state.Occasions)-1]
		if o.Letter != core.LetterCertificate || !o.Kept || o.Locked != c.want {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// TestWhatAnEarlierErasureKeptIsKept: an erasure that finds nothing where an earlier one
// had to keep something doesn't say that everything is erased, nor that what is kept is
// used for nothing else.
func TestWhatAnEarlierErasureKeptIsKept(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		found int64
		kept  bool
		only  int
	}{
		"found nothing":   {0, true, 1},
		"found it itself": {2, false, 0},
	} {
		counts := []dsar.Counts{{Dataset: "seen", Found: c.found, Erased: c.found}}
		a := core.Answer{
			Kept:    []core.KeptEarlier{{RequestID: "r", System: "events", Dataset: "seen", Retained: []dsar.Retention{{Records: 2, Ground: "tax"}}}},
			Systems: []core.SystemAnswer{{System: "events", Ends: []core.ActionEnd{{Action: dsar.Erase, Outcome: dsar.Erased, Counts: counts}}}},
		}
		if a.Keeps() != c.kept || a.Locked() == c.kept || len(a.KeptOnly()) != c.only || len(a.Kept) != 1 {
			t.Errorf("%s: keeps %t, locked %t, %+v", name, a.Keeps(), a.Locked(), a.KeptOnly())
		}
	}
}

// TestKeptTwiceIsToldOnce: what two earlier erasures had to keep is told once, by the one
// that kept more; also beside a copy of it, which doesn't say why it is kept.
func TestKeptTwiceIsToldOnce(t *testing.T) {
	t.Parallel()
	kept := func(request string, records int64) core.KeptEarlier {
		return core.KeptEarlier{RequestID: request, System: "crm", Dataset: "people", From: "f", Retained: []dsar.Retention{{Records: records, Ground: "tax"}}}
	}
	s := core.Evolve(core.State{}, core.Accepted{RequestID: "r", Right: dsar.Access, Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "f", Assurance: dsar.AssuranceVerified}},
		Kept: []core.KeptEarlier{kept("a", 2), kept("b", 4), kept("c", 4)}})
	a := s.NewTask(core.TaskSent{System: dsar.Aggregator, Action: dsar.Assemble}).Answer
	if len(a.Kept) != 1 || a.Kept[0].RequestID != "b" {
		t.Errorf("%+v", a.Kept)
	}
	for found, only := range map[int64]int{0: 1, 3: 0, 4: 1, 5: 1} {
		a.Systems = []core.SystemAnswer{{System: "crm", Ends: []core.ActionEnd{{Action: dsar.Gather, Counts: []dsar.Counts{{Dataset: "people", Found: found}}}}}}
		if got := a.KeptOnly(); len(got) != only {
			t.Errorf("a copy of %d records, 4 of which were kept: %+v", found, got)
		}
	}
}
