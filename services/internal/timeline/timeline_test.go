package timeline_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/timeline"
)

var update = flag.Bool("update", false, "write the golden traces anew")

const request = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"

// play is a request's life, told by what its systems report.
type play struct {
	t         *testing.T
	journal   journal.Store
	lifecycle *lifecycle.Lifecycle
	now       time.Time
}

func begin(t *testing.T, right dsar.Right) *play {
	t.Helper()
	j := memjournal.New(memjournal.Config{})
	p := &play{t: t, journal: j, lifecycle: lifecycle.New(j), now: time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)}
	all := []dsar.Action{dsar.Resolve, dsar.Gather, dsar.Erase}
	_, err := p.lifecycle.Accept(t.Context(), core.Accepted{
		RequestID: request, Right: right, Jurisdiction: "EEA", Source: "signup-page", Locale: "fr", Digest: "d",
		ReceivedAt: p.now.Add(-time.Hour), AcceptedAt: p.now, DueAt: p.now.AddDate(0, 1, 0),
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "f1", Sealed: []byte("s"), Assurance: dsar.AssuranceVerified}},
		Systems: []dsar.System{
			{Name: "account", Abilities: all, Needs: []dsar.IdentifierType{"email"}, Finds: []dsar.IdentifierType{"account_id"}},
			{Name: "billing", Abilities: all[1:], Needs: []dsar.IdentifierType{"account_id"}},
			{Name: "events", Abilities: all[1:], Needs: []dsar.IdentifierType{"cookie_id"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *play) do(after time.Duration, c func(time.Time) core.Command) {
	p.t.Helper()
	p.now = p.now.Add(after)
	if _, err := p.lifecycle.Do(p.t.Context(), request, c(p.now)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *play) heard(after time.Duration, r dsar.Report) {
	p.t.Helper()
	r.RequestID = request
	p.do(after, func(now time.Time) core.Command { return core.TakeReport{Report: r, Now: now} })
}

func (p *play) tick(after time.Duration) {
	p.t.Helper()
	p.do(after, func(now time.Time) core.Command { return core.Tick{Now: now} })
}

func (p *play) facts() []journal.Fact {
	p.t.Helper()
	facts, err := p.journal.Facts(p.t.Context(), request, 1)
	if err != nil {
		p.t.Fatal(err)
	}
	return facts
}

func (p *play) trace() timeline.Trace {
	p.t.Helper()
	tr, err := timeline.Build(p.facts(), timeline.InUTC)
	if err != nil {
		p.t.Fatal(err)
	}
	return tr
}

// golden holds the trace as it is printed now.
func (p *play) golden(name string) {
	p.t.Helper()
	var b bytes.Buffer
	if err := timeline.Write(&b, p.trace(), p.now); err != nil {
		p.t.Fatal(err)
	}
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			p.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		p.t.Errorf("the trace differs from %s; read it, and run with -update if it is right:\n%s", path, b.String())
	}
}

// TestErasureInTrouble is an erasure to which happens what can: a system is
// resolved and found by another, parks, is lost and asked again, fails and is
// retried by a person, must keep some; and one has nothing to be asked by.
func TestErasureInTrouble(t *testing.T) {
	t.Parallel()
	p := begin(t, dsar.Erasure)
	p.heard(40*time.Millisecond, dsar.Report{System: "account", Action: dsar.Resolve, Attempt: 1, Kind: dsar.ReportEnded, Outcome: dsar.Found,
		Identifiers: []dsar.Identifier{{Type: "account_id", Fingerprint: "f2", Sealed: []byte("s"), FoundBy: "account", From: "f1", Assurance: dsar.AssuranceVerified}}})
	p.heard(60*time.Millisecond, dsar.Report{System: "account", Action: dsar.Plan, Attempt: 1, Kind: dsar.ReportEnded, Outcome: dsar.Found, Objects: []dsar.Object{{Name: "account/plan/1-a", SHA256: "h"}}, Counts: []dsar.Counts{{Dataset: "profile", Found: 1}}})
	p.heard(time.Second, dsar.Report{System: "billing", Action: dsar.Plan, Attempt: 1, Kind: dsar.ReportParked, Until: p.now.Add(4 * time.Hour), Code: "rate-limited", Reason: "the daily quota is spent",
		Notes: []string{"the table invoices has columns that the manifest doesn't declare: iban"}})
	p.golden("erasure-parked")

	p.tick(4 * time.Hour)
	p.tick(time.Hour) // nothing was heard
	p.heard(2*time.Second, dsar.Report{System: "billing", Action: dsar.Plan, Attempt: 3, Kind: dsar.ReportProgress, Records: 5})
	p.heard(2*time.Second, dsar.Report{System: "billing", Action: dsar.Plan, Attempt: 3, Kind: dsar.ReportFailed, Code: "no-permission", Reason: "the database refuses this user",
		Notes: []string{"the table invoices has columns that the manifest doesn't declare: iban"}})
	p.golden("erasure-attention")

	p.do(48*time.Hour, func(now time.Time) core.Command {
		return core.Retry{By: "lea", Reason: "permission granted", Now: now}
	})
	kept := []dsar.Retention{{Records: 6, Ground: "tax-records", Until: time.Date(2031, 4, 1, 0, 0, 0, 0, time.UTC)}}
	p.heard(2*time.Second, dsar.Report{System: "billing", Action: dsar.Plan, Attempt: 4, Kind: dsar.ReportEnded, Outcome: dsar.Found, Objects: []dsar.Object{{Name: "billing/plan/4-a", SHA256: "h"}}, Counts: []dsar.Counts{{Dataset: "invoices", Found: 13, Retained: kept}}})
	p.tick(40 * 24 * time.Hour) // overdue, and all tasks sent again
	p.golden("erasure-overdue")

	state, err := p.lifecycle.State(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	end := func(system string, action dsar.Action, outcome dsar.Outcome, counts dsar.Counts) {
		t.Helper()
		if state, err = p.lifecycle.State(t.Context(), request); err != nil {
			t.Fatal(err)
		}
		task := state.Task(system, action)
		if task == nil {
			t.Fatalf("%s was never asked to %s", system, action)
		}
		p.heard(100*time.Millisecond, dsar.Report{System: system, Action: action, Attempt: task.Attempt, Kind: dsar.ReportEnded, Outcome: outcome, Counts: []dsar.Counts{counts}})
	}
	end("account", dsar.Erase, dsar.Anonymised, dsar.Counts{Dataset: "profile", Found: 1, Anonymised: 1})
	end("billing", dsar.Erase, dsar.Retained, dsar.Counts{Dataset: "invoices", Found: 13, Erased: 7, Retained: kept})
	end("account", dsar.Prove, dsar.Proven, dsar.Counts{Dataset: "profile"})
	end("billing", dsar.Prove, dsar.Proven, dsar.Counts{Dataset: "invoices", Found: 6, Retained: kept})
	p.heard(time.Second, dsar.Report{System: dsar.Aggregator, Action: dsar.Assemble, Attempt: 1, Kind: dsar.ReportEnded, Outcome: dsar.Assembled,
		Objects: []dsar.Object{{Name: "certificate.zip", Bytes: 3 << 20, Records: 6}}})
	p.golden("erasure-completed")

	text, err := json.Marshal(p.trace())
	if err != nil {
		t.Fatal(err)
	}
	var again timeline.Trace
	if err := json.Unmarshal(text, &again); err != nil || !reflect.DeepEqual(again, p.trace()) {
		t.Errorf("its JSON is read back as another one (%v)", err)
	}
	if strings.Contains(string(text), "sealed") {
		t.Error("the trace holds what is sealed")
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	p := begin(t, dsar.Access)
	p.do(10*time.Minute, func(now time.Time) core.Command {
		return core.Cancel{By: "lea", Reason: "the person withdrew it", Now: now}
	})
	p.golden("cancelled")
}

// TestTamperedJournal: the trace shows what it can read, and says that the
// chain is broken.
func TestTamperedJournal(t *testing.T) {
	t.Parallel()
	p := begin(t, dsar.Access)
	facts := p.facts()
	facts[0].Data = bytes.Replace(facts[0].Data, []byte("EEA"), []byte("UK"), 1)
	tr, err := timeline.Build(facts, timeline.InUTC)
	if err != nil {
		t.Fatal(err)
	}
	if tr.Chain == "verified" || tr.Jurisdiction != "UK" {
		t.Errorf("chain %s, %s", tr.Chain, tr.Jurisdiction)
	}
	facts[0].Type = "request.imagined"
	if _, err := timeline.Build(facts, timeline.InUTC); err == nil {
		t.Error("a fact that nobody knows is read")
	}
	facts = p.facts()
	facts[0].Data = []byte("{")
	if _, err := timeline.Build(facts, timeline.InUTC); err == nil {
		t.Error("a fact that can't be read is read")
	}
}

// TestDueByTheLawsDays: when an answer is due is told by the days of its law, in the head of a
// trace and in its sentences.
func TestDueByTheLawsDays(t *testing.T) {
	t.Parallel()
	p := begin(t, dsar.Access)
	losAngeles, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	late := begin(t, dsar.Access)
	late.do(60*24*time.Hour, func(now time.Time) core.Command { return core.Tick{Now: now} })
	for _, facts := range [][]journal.Fact{p.facts(), late.facts()} {
		tr, err := timeline.Build(facts, func(law string, at time.Time) time.Time {
			if law != "EEA" {
				t.Errorf("the law is %q", law)
			}
			return at.Add(-10 * time.Hour).In(losAngeles) // 2026-12-19, in UTC as well
		})
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := timeline.Write(&out, tr, p.now); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), "due       2026-12-19 PST") || strings.Contains(out.String(), "2026-12-20") || tr.Overdue && !strings.Contains(out.String(), "was due by 2026-12-19") {
			t.Errorf("%s", out.String())
		}
	}
	if trace, _ := timeline.Build(late.facts(), timeline.InUTC); !trace.Overdue {
		t.Error("it isn't overdue")
	}
}

func TestCountWords(t *testing.T) {
	t.Parallel()
	for want, counts := range map[string][]dsar.Counts{
		"":                                   {{Dataset: "profile"}},
		"1 record: profile 1":                {{Dataset: "profile", Found: 1}, {Dataset: "empty"}},
		"14 records: profile 1, invoices 13": {{Dataset: "profile", Gathered: 1}, {Dataset: "invoices", Found: 13, Erased: 12}},
		"3 records: notes 3 (2 retained with no end known, legal-hold; 1 retained until 2031-04-01, tax)": {{Dataset: "notes", Retained: []dsar.Retention{
			{Records: 2, Ground: "legal-hold"}, {Records: 1, Ground: "tax", Until: time.Date(2031, 4, 1, 0, 0, 0, 0, time.UTC)}}}},
	} {
		if got := timeline.CountWords(counts); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestEarlierCount: a count that ended early says so, and no other does.
func TestEarlierCount(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{1: "1", core.MaxEarlierRequests - 1: "19", core.MaxEarlierRequests: "20+"} {
		if got := (timeline.Trace{EarlierRequests: n}).EarlierCount(); got != want {
			t.Errorf("%d: %s, not %s", n, got, want)
		}
	}
}

// TestDoubtfulAreListed: what a weak link has found is listed by fingerprint, for who
// says whether it is the person's, and no longer once they have.
func TestDoubtfulAreListed(t *testing.T) {
	t.Parallel()
	house := dsar.System{Name: "house", Abilities: []dsar.Action{dsar.Resolve, dsar.Gather}, Needs: []dsar.IdentifierType{"phone"}, Finds: []dsar.IdentifierType{"account_id"},
		Links: []dsar.Link{{Find: "account_id", By: "phone", Weak: true}}}
	found := []dsar.Identifier{{Type: "account_id", Fingerprint: "f2", Sealed: []byte("s"), From: "f1"}}
	var facts []journal.Fact
	for i, e := range []core.Event{
		core.Accepted{RequestID: request, Right: dsar.Access, Systems: []dsar.System{house},
			Identifiers: []dsar.Identifier{{Type: "phone", Fingerprint: "f1", Sealed: []byte("s"), Assurance: dsar.AssuranceVerified}}},
		core.TaskSent{System: "house", Action: dsar.Resolve, Attempt: 1},
		core.TaskFailed{System: "house", Action: dsar.Resolve, Attempt: 1, Identifiers: found, Code: core.CodeWeakLink},
		core.TaskEnded{System: "house", Action: dsar.Resolve, Attempt: 1, Outcome: dsar.NothingFound},
	} {
		typ, data, err := core.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		facts = append(facts, journal.Fact{Version: i + 1, Type: typ, Data: data})
	}
	want := []timeline.Doubtful{{Type: "account_id", Fingerprint: "f2"}}
	for n, want := range map[int][]timeline.Doubtful{2: nil, 3: want, 4: nil} {
		trace, err := timeline.Build(facts[:n], timeline.InUTC)
		if err != nil {
			t.Fatal(err)
		}
		if steps := trace.Systems[0].Steps; len(steps) != 1 || !slices.Equal(steps[0].Doubtful, want) {
			t.Errorf("after %d facts: %+v", n, steps)
		}
	}
}

// TestByteCount: a size has two figures at least, and one unit.
func TestByteCount(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 15 * 1024: "15.0 KiB", 200 << 20: "200 MiB", 3 << 30: "3.0 GiB"} {
		if got := timeline.ByteCount(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
