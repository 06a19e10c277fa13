package core_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

var start = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

// reporter is what a desk fails: a test, or a property.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Fatal(args ...any)
}

// desk is a request under test: it applies what Decide says.
type desk struct {
	t     reporter
	state core.State
	facts []core.Event
	now   time.Time
}

func (d *desk) do(c core.Command) []core.Event {
	d.t.Helper()
	facts, err := core.Decide(d.state, c)
	if err != nil {
		d.t.Fatalf("%T: %v", c, err)
	}
	for _, f := range facts {
		d.state = core.Evolve(d.state, f)
	}
	d.facts = append(d.facts, facts...)
	return facts
}

func (d *desk) report(r dsar.Report) []core.Event {
	d.t.Helper()
	r.RequestID = d.state.Accepted.RequestID
	if r.Attempt == 0 {
		r.Attempt = d.state.Task(r.System, r.Action).Attempt
	}
	if r.Kind == "" {
		r.Kind = dsar.ReportEnded
	}
	return d.do(core.TakeReport{Report: r, Now: d.now})
}

// open returns the tasks that are out, as "system action attempt" without the
// attempt where it is the first.
func (d *desk) open() []string {
	var out []string
	for _, t := range d.state.Tasks {
		if t.Status == core.TaskIsSent {
			out = append(out, t.System+" "+string(t.Action))
		}
	}
	return out
}

func (d *desk) wants(open ...string) {
	d.t.Helper()
	if got := d.open(); !slices.Equal(got, open) {
		d.t.Fatalf("tasks that are out: %q, want %q", got, open)
	}
}

func newDesk(t reporter, right dsar.Right, systems ...dsar.System) *desk {
	d := &desk{t: t, now: start}
	d.do(core.Submit{Accepted: core.Accepted{RequestID: "r1", Right: right, Jurisdiction: "EEA", ReceivedAt: start, AcceptedAt: start,
		DueAt: start.AddDate(0, 1, 0), Digest: "d1", Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "fp-email", Assurance: dsar.AssuranceVerified}}, Systems: systems}})
	return d
}

var (
	all     = []dsar.Action{dsar.Resolve, dsar.Gather, dsar.Erase}
	account = dsar.System{Name: "account", Abilities: all, Needs: []dsar.IdentifierType{"email"}, Finds: []dsar.IdentifierType{"account_id"}, EraseAfter: []string{"billing"}}
	billing = dsar.System{Name: "billing", Abilities: all, Needs: []dsar.IdentifierType{"account_id"}, Finds: []dsar.IdentifierType{"customer_ref"}}
	events  = dsar.System{Name: "events", Abilities: []dsar.Action{dsar.Gather, dsar.Erase}, Needs: []dsar.IdentifierType{"email"}}
	accID   = []dsar.Identifier{{Type: "account_id", Fingerprint: "fp-acc", From: "fp-email", Assurance: dsar.AssuranceVerified}}
)

// ended is what a worker says of a task that it has done: of a plan, with the plan.
func ended(system string, action dsar.Action, o dsar.Outcome) dsar.Report {
	r := dsar.Report{System: system, Action: action, Outcome: o}
	if action == dsar.Plan && o != dsar.NothingFound {
		r.Objects = []dsar.Object{{Name: system + "/plan/1-a", SHA256: "h"}}
	}
	return r
}

func TestWhoNeedsNothingMoreIsAskedAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Access, account, billing, events)
	d.wants("account resolve", "account gather", "events gather")
	r := ended("account", dsar.Resolve, dsar.Found)
	r.Identifiers = accID
	d.report(r)
	d.wants("account gather", "events gather", "billing resolve", "billing gather")
	if by := d.state.Identifiers[1].FoundBy; by != "account" {
		t.Errorf("account_id found by %q", by)
	}
	for _, name := range []string{"account", "billing", "events"} {
		d.report(ended(name, dsar.Gather, dsar.Gathered))
	}
	d.wants("billing resolve")
	d.report(ended("billing", dsar.Resolve, dsar.NothingFound))
	d.wants("aggregator assemble")
	end := ended(dsar.Aggregator, dsar.Assemble, dsar.Assembled)
	end.Objects = []dsar.Object{{Name: "bundle"}}
	d.report(end)
	if d.state.Status != core.StatusCompleted || d.state.Bundle.Name != "bundle" || !core.Wake(d.state).IsZero() {
		t.Errorf("ended as %+v", d.state)
	}
}

func TestAnUnknownPersonIsNotApplicableWhereNobodyCouldLook(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Access, account, billing, events)
	d.report(ended("account", dsar.Resolve, dsar.NothingFound))
	if got := d.state.Task("billing", dsar.Gather).End.Outcome; got != dsar.NotApplicable {
		t.Errorf("billing: %s", got)
	}
	d.report(ended("account", dsar.Gather, dsar.NothingFound))
	d.report(ended("events", dsar.Gather, dsar.NothingFound))
	d.wants("aggregator assemble")
}

func TestNothingIsErasedBeforeTheWholePlanIsKnown(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Erasure, account, billing, events)
	r := ended("account", dsar.Resolve, dsar.Found)
	r.Identifiers = accID
	d.report(r)
	d.report(ended("billing", dsar.Resolve, dsar.NothingFound))
	d.report(ended("account", dsar.Plan, dsar.Found))
	d.report(ended("events", dsar.Plan, dsar.NothingFound))
	d.wants("billing plan")
	d.report(ended("billing", dsar.Plan, dsar.Retained))
	d.wants("billing erase") // account waits for billing, events holds nothing
	d.report(ended("billing", dsar.Erase, dsar.Retained))
	d.wants("account erase")
	d.report(ended("account", dsar.Erase, dsar.Erased))
	d.wants("account prove", "billing prove", "events prove")
}

// What has nothing to erase is not asked, and who is to be erased after it has
// its turn at once, wherever the two stand in the list.
func TestNothingToEraseHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Erasure, account, billing, events)
	r := ended("account", dsar.Resolve, dsar.Found)
	r.Identifiers = accID
	d.report(r)
	d.report(ended("billing", dsar.Resolve, dsar.NothingFound))
	d.report(ended("account", dsar.Plan, dsar.Found))
	d.report(ended("events", dsar.Plan, dsar.NothingFound))
	d.report(ended("billing", dsar.Plan, dsar.NothingFound))
	d.wants("account erase")
}

func TestAPlanThatIsTooLargeStopsForAPerson(t *testing.T) {
	t.Parallel()
	small := events
	small.MaxRecords = 10
	d := newDesk(t, dsar.Erasure, small)
	counts := []dsar.Counts{{Dataset: "registrations", Found: 12, Retained: []dsar.Retention{{Records: 1, Ground: "tax-records"}}}}
	r := ended("events", dsar.Plan, dsar.Found)
	r.Counts = counts
	d.report(r)
	if d.state.Status != core.StatusNeedsAttention {
		t.Fatalf("status %s", d.state.Status)
	}
	if again := d.report(r); len(again) != 0 {
		t.Errorf("the same report again decided %v", again)
	}
	d.do(core.Retry{By: "agent", AcceptPlan: true, Now: d.now})
	d.wants("events erase")
}

func TestWhatIsStillThereIsAskedAgainAndThenStopsForAPerson(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Erasure, events)
	d.report(ended("events", dsar.Plan, dsar.Found))
	d.report(ended("events", dsar.Erase, dsar.Erased))
	still := ended("events", dsar.Prove, dsar.Found)
	still.Counts = []dsar.Counts{{Dataset: "registrations", Found: 1}}
	for range core.MaxProofs - 1 {
		d.report(still)
		d.wants()
		d.now = core.Wake(d.state)
		d.do(core.Tick{Now: d.now})
		d.wants("events prove")
	}
	d.report(still)
	if d.state.Status != core.StatusNeedsAttention {
		t.Fatalf("status %s", d.state.Status)
	}
	d.do(core.Retry{By: "agent", Now: d.now})
	d.wants("events erase")
	d.report(ended("events", dsar.Erase, dsar.Erased))
	d.wants("events prove")
	d.report(ended("events", dsar.Prove, dsar.Proven))
	d.wants("aggregator assemble")
}

func TestParkedTasksAreSentAgainThen(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Access, events)
	until := start.Add(4 * time.Hour)
	d.report(dsar.Report{System: "events", Action: dsar.Gather, Kind: dsar.ReportParked, Until: until, Code: "quota"})
	d.wants()
	if wake := core.Wake(d.state); !wake.Equal(until) {
		t.Fatalf("wakes at %s, want %s", wake, until)
	}
	d.do(core.Tick{Now: until.Add(-time.Second)})
	d.wants()
	d.do(core.Tick{Now: until})
	d.wants("events gather")
	if got := d.state.Task("events", dsar.Gather); got.Attempt != 2 || got.Parked != 1 {
		t.Errorf("attempt %d, parked %d", got.Attempt, got.Parked)
	}
}

func TestAnUnheardTaskIsSentAgainAtGrowingDistances(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Access, events)
	for i, want := range []time.Duration{10 * time.Minute, 20 * time.Minute, 40 * time.Minute, time.Hour, time.Hour} {
		if got := core.Wake(d.state).Sub(d.now); got != want {
			t.Fatalf("attempt %d: sent again after %s, want %s", i+1, got, want)
		}
		d.now = core.Wake(d.state)
		d.do(core.Tick{Now: d.now})
	}
	// The first attempt's report comes at last: what it did is done.
	r := ended("events", dsar.Gather, dsar.Gathered)
	r.Attempt = 1
	d.report(r)
	d.wants("aggregator assemble")
}

func TestAFailedSystemLeavesTheOthersToGoOn(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Access, events, dsar.System{Name: "paper", Needs: []dsar.IdentifierType{"email"}})
	if got := d.state.Task("paper", dsar.Gather).End.Outcome; got != dsar.Manual {
		t.Errorf("paper: %s", got)
	}
	d.wants("events gather")
	d.report(dsar.Report{System: "events", Action: dsar.Gather, Kind: dsar.ReportFailed, Code: "no-permission", Reason: "the login may not read"})
	if d.state.Status != core.StatusNeedsAttention || !slices.Equal(d.state.Attention.Systems, []string{"events", "paper"}) {
		t.Fatalf("%s %v", d.state.Status, d.state.Attention)
	}
	d.do(core.Retry{By: "agent", Systems: []string{"events"}, Now: d.now})
	d.wants("events gather")
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	open := newDesk(t, dsar.Access, events)
	closed := newDesk(t, dsar.Access, events)
	closed.do(core.Cancel{By: "agent", Now: start})
	other := open.state.Accepted
	other.Digest = "another"
	for name, tc := range map[string]struct {
		state core.State
		c     core.Command
		want  error
	}{
		"another request of the same id": {open.state, core.Submit{Accepted: other}, core.ErrConflict},
		"no identifier":                  {core.State{}, core.Submit{Accepted: core.Accepted{RequestID: "x", Right: dsar.Access, Systems: []dsar.System{events}}}, core.ErrInvalid},
		"unknown right":                  {core.State{}, core.Submit{Accepted: core.Accepted{RequestID: "x", Right: "fly", Identifiers: accID, Systems: []dsar.System{events}}}, core.ErrInvalid},
		"no system":                      {core.State{}, core.Submit{Accepted: core.Accepted{RequestID: "x", Right: dsar.Access, Identifiers: accID}}, core.ErrInvalid},
		"report of nothing":              {core.State{}, core.TakeReport{}, core.ErrUnknown},
		"report of another system":       {open.state, core.TakeReport{Report: dsar.Report{System: "nobody", Action: dsar.Gather, Attempt: 1}}, core.ErrStray},
		"report of a later attempt":      {open.state, core.TakeReport{Report: dsar.Report{System: "events", Action: dsar.Gather, Attempt: 2}}, core.ErrStray},
		"retry when all goes well":       {open.state, core.Retry{}, core.ErrNothingToRetry},
		"retry of a cancelled one":       {closed.state, core.Retry{}, core.ErrEnded},
		"cancel twice":                   {closed.state, core.Cancel{}, core.ErrEnded},
		"tick of nothing":                {core.State{}, core.Tick{}, core.ErrUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if facts, err := core.Decide(tc.state, tc.c); !errors.Is(err, tc.want) || facts != nil {
				t.Errorf("%v, %v; want %v", facts, err, tc.want)
			}
		})
	}
	if facts := open.do(core.Submit{Accepted: open.state.Accepted}); len(facts) != 0 {
		t.Errorf("the same request again decided %v", facts)
	}
	if facts := closed.report(ended("events", dsar.Gather, dsar.Gathered)); len(facts) != 0 {
		t.Errorf("a report after the end decided %v", facts)
	}
}

// What was gathered can be lost before it is in the answer: a retry then gathers
// it again, and a late report of the gathering before doesn't count.
func TestAnAnswerThatLacksRecordsIsGatheredAgain(t *testing.T) {
	t.Parallel()
	for _, named := range [][]string{nil, {"events"}, {"aggregator"}, {"events", "aggregator"}} {
		d := newDesk(t, dsar.Access, events)
		first := ended("events", dsar.Gather, dsar.Gathered)
		first.Attempt, first.Objects = 1, []dsar.Object{{Name: "events/gather/1-a"}}
		d.report(first)
		d.report(dsar.Report{System: dsar.Aggregator, Action: dsar.Assemble, Kind: dsar.ReportFailed, Code: dsar.CodeObjectMissing})
		if d.state.Status != core.StatusNeedsAttention {
			t.Fatalf("status %s", d.state.Status)
		}
		d.do(core.Retry{By: "agent", Systems: named, Now: d.now})
		d.wants("events gather")
		if facts := d.report(first); len(facts) > 0 {
			t.Errorf("a late report of what is lost decides %v", facts)
		}
		again := ended("events", dsar.Gather, dsar.Gathered)
		again.Objects = []dsar.Object{{Name: "events/gather/2-b"}}
		d.report(again)
		d.wants("aggregator assemble")
		sent := d.facts[len(d.facts)-1].(core.TaskSent)
		task := d.state.NewTask(sent)
		if got := task.Answer.Systems[0].Ends[0].Objects; sent.Attempt != 2 || len(got) != 1 || got[0].Name != "events/gather/2-b" {
			t.Errorf("attempt %d is told of %v", sent.Attempt, got)
		}
		d.report(ended(dsar.Aggregator, dsar.Assemble, dsar.Assembled))
		if d.state.Status != core.StatusCompleted {
			t.Errorf("status %s", d.state.Status)
		}
	}
}

// A task of the aggregator says how often it was parked, like any other.
func TestTheAggregatorIsToldHowOftenItWasParked(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Access, events)
	d.report(ended("events", dsar.Gather, dsar.NothingFound))
	d.report(dsar.Report{System: dsar.Aggregator, Action: dsar.Assemble, Kind: dsar.ReportParked, Until: start.Add(time.Minute), Code: "outbox-unavailable"})
	d.now = start.Add(time.Minute)
	d.do(core.Tick{Now: d.now})
	sent := d.facts[len(d.facts)-1].(core.TaskSent)
	if task := d.state.NewTask(sent); task.Parked != 1 || task.Attempt != 2 {
		t.Errorf("attempt %d, parked %d times", task.Attempt, task.Parked)
	}
}

// A system that was hard to reach is still asked for what is found further:
// else what is found by that would silently be left out.
func TestAttemptsAreNotRoundsOfResolving(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Access, account, dsar.System{Name: "old", Abilities: all, Needs: []dsar.IdentifierType{"account_id"}, Finds: []dsar.IdentifierType{"email"}})
	for range core.MaxResolves + 1 {
		d.now = d.state.Task("account", dsar.Resolve).Deadline
		d.do(core.Tick{Now: d.now})
	}
	r := ended("account", dsar.Resolve, dsar.Found)
	r.Identifiers = accID
	d.report(r)
	r = ended("old", dsar.Resolve, dsar.Found)
	r.Identifiers = []dsar.Identifier{{Type: "email", Fingerprint: "fp-former", From: "fp-acc", Assurance: dsar.AssuranceVerified}}
	d.report(r)
	if got := d.state.Task("account", dsar.Resolve); got.Status != core.TaskIsSent || got.Rounds != 2 {
		t.Errorf("account is %s, in round %d", got.Status, got.Rounds)
	}
}
