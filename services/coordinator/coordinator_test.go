package coordinator_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/coordinator"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/lifecycle"
)

const requestID = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"

var start = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

// office is a coordinator on a journal in memory.
type office struct {
	*coordinator.Coordinator
	journal  *memjournal.Store
	requests *lifecycle.Lifecycle
	now      time.Time
}

// newOffice has one request: an access that reaches two systems, one of which
// finds what the other needs.
func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{journal: memjournal.New(memjournal.Config{}), now: start}
	o.requests = lifecycle.New(o.journal)
	o.Coordinator = coordinator.New(coordinator.Config{Requests: o.requests, Timers: o.journal, Links: plain{}, Now: func() time.Time { return o.now }, Log: slog.New(slog.DiscardHandler)})
	_, err := o.requests.Accept(t.Context(), core.Accepted{
		RequestID: requestID, Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: start, AcceptedAt: start, DueAt: start.AddDate(0, 1, 0), Source: "test", Digest: "d",
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "fp-email", Sealed: []byte("x"), Assurance: dsar.AssuranceVerified}},
		Systems: []dsar.System{
			{Name: "account", Abilities: []dsar.Action{dsar.Resolve, dsar.Gather}, Needs: []dsar.IdentifierType{"email"}, Finds: []dsar.IdentifierType{"account_id"}},
			{Name: "billing", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"account_id"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *office) state(t *testing.T) core.State {
	t.Helper()
	s, err := o.requests.State(t.Context(), requestID)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func reportEvent(r dsar.Report) event.Event {
	if r.RequestID == "" {
		r.RequestID = requestID
	}
	if r.Kind == "" {
		r.Kind = dsar.ReportEnded
	}
	if r.Attempt == 0 {
		r.Attempt = 1
	}
	return eventOf(r)
}

// eventOf is a report as plain opens it.
func eventOf(r dsar.Report) event.Event {
	data, err := json.Marshal(r)
	if err == nil {
		data, err = json.Marshal(link.Envelope{RequestID: r.RequestID, System: r.System, Action: r.Action, Attempt: r.Attempt, Sealed: data})
	}
	if err != nil {
		panic(err)
	}
	return event.Event{ID: event.ReportID(r.RequestID, r.System, r.Action, r.Attempt, r.Kind, 0), Source: "test", Type: event.TypeReport, Subject: r.RequestID, Data: data}
}

// plain opens reports that aren't sealed.
type plain struct{}

func (plain) OpenReport(_ context.Context, e link.Envelope) (r dsar.Report, err error) {
	if json.Unmarshal(e.Sealed, &r) != nil {
		return r, link.ErrNotPlain
	}
	return r, nil
}

func reports() []event.Event {
	return []event.Event{
		reportEvent(dsar.Report{System: "account", Action: dsar.Resolve, Outcome: dsar.Found, Identifiers: []dsar.Identifier{{Type: "account_id", Fingerprint: "fp-account", Sealed: []byte("y"), From: "fp-email", Assurance: dsar.AssuranceVerified}}}),
		reportEvent(dsar.Report{System: "account", Action: dsar.Gather, Kind: dsar.ReportProgress, Records: 10}),
		reportEvent(dsar.Report{System: "account", Action: dsar.Gather, Outcome: dsar.Gathered}),
		reportEvent(dsar.Report{System: "billing", Action: dsar.Gather, Outcome: dsar.NothingFound}),
		reportEvent(dsar.Report{System: dsar.Aggregator, Action: dsar.Assemble, Outcome: dsar.Assembled, Objects: []dsar.Object{{Name: requestID + ".zip.age"}}}),
	}
}

// TestReportsComeTwiceLateAndOutOfOrder plays the reports of a request in every
// kind of disorder that a bus can make of them. One that comes before its task
// was sent is a stray; once it can be used, it is, and only once.
func TestReportsComeTwiceLateAndOutOfOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		o := newOffice(t)
		rng := rand.New(rand.NewPCG(seed, 1))
		waiting := reports()
		waiting = append(waiting, waiting...)
		for n := 0; len(waiting) > 0; n++ {
			if n > 1000 {
				t.Fatalf("seed %d: it doesn't end: %+v", seed, o.state(t))
			}
			i := rng.IntN(len(waiting))
			switch err := o.Handle(t.Context(), waiting[i]); {
			case err == nil:
				waiting = append(waiting[:i], waiting[i+1:]...)
			case !errors.Is(err, coordinator.ErrUnreadable):
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		facts, err := o.journal.Facts(t.Context(), requestID, 1)
		if err != nil {
			t.Fatal(err)
		}
		ends := map[string]int{}
		for _, f := range facts {
			e, err := core.Decode(f.Type, f.Data)
			if err != nil {
				t.Fatal(err)
			}
			if end, ok := e.(core.TaskEnded); ok {
				ends[end.System+" "+string(end.Action)]++
			}
		}
		if s := o.state(t); s.Status != core.StatusCompleted || len(ends) != 4 {
			t.Errorf("seed %d: %s, after %v", seed, s.Status, ends)
		}
		for what, n := range ends {
			if n != 1 {
				t.Errorf("seed %d: %s ended %d times", seed, what, n)
			}
		}
	}
}

// TestTimers: a task that nothing is heard of is sent again when its lease is
// over, not before, and its late report still counts.
func TestTimers(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.now = start.Add(dsar.DefaultLease - time.Second)
	if n, err := o.Tick(t.Context()); n != 0 || err != nil {
		t.Errorf("before the lease is over: %d, %v", n, err)
	}
	o.now = start.Add(dsar.DefaultLease)
	if n, err := o.Tick(t.Context()); n != 1 || err != nil {
		t.Errorf("when it is over: %d, %v", n, err)
	}
	if got := o.state(t).Task("account", dsar.Gather); got.Attempt != 2 {
		t.Errorf("attempt %d", got.Attempt)
	}
	if err := o.Handle(t.Context(), reports()[2]); err != nil || o.state(t).Task("account", dsar.Gather).Status != core.TaskIsEnded {
		t.Errorf("the first attempt's report doesn't count: %v", err)
	}
}

// TestStoreIsDown: while the journal doesn't answer, a report is neither applied
// nor rejected.
func TestStoreIsDown(t *testing.T) {
	t.Parallel()
	down := true
	j := memjournal.New(memjournal.Config{Fault: func(memjournal.Op, bool) error {
		if down {
			return journal.ErrUnavailable
		}
		return nil
	}})
	c := coordinator.New(coordinator.Config{Requests: lifecycle.New(j), Timers: j, Links: plain{}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err := c.Handle(t.Context(), reports()[0]); !errors.Is(err, journal.ErrUnavailable) || errors.Is(err, coordinator.ErrUnreadable) {
		t.Errorf("reports: %v", err)
	}
	if _, err := c.Tick(t.Context()); !errors.Is(err, journal.ErrUnavailable) {
		t.Errorf("timers: %v", err)
	}
}

// TestReportThatCannotBeJournalled fails the task instead of coming for ever:
// an identifier without a fingerprint, as of a worker that doesn't use the SDK.
func TestReportThatCannotBeJournalled(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]dsar.Identifier{
		"no fingerprint":  {Type: "account_id"},
		"too large a one": {Type: "account_id", Fingerprint: strings.Repeat("f", journal.MaxName+1), Assurance: dsar.AssuranceVerified},
	} {
		o := newOffice(t)
		r := reportEvent(dsar.Report{System: "account", Action: dsar.Resolve, Outcome: dsar.Found, Identifiers: []dsar.Identifier{id}})
		if err := o.Handle(t.Context(), r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := o.state(t).Task("account", dsar.Resolve); got.Status != core.TaskIsFailed || got.End.Code != "bad-report" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// unread opens no report, and says of which attempt it is.
type unread struct{ told bool }

func (u unread) OpenReport(_ context.Context, e link.Envelope) (r dsar.Report, err error) {
	if u.told {
		r = dsar.Report{RequestID: e.RequestID, System: e.System, Action: e.Action, Attempt: e.Attempt}
	}
	return r, link.ErrNotPlain
}

// TestReportThatCannotBeRead: where the task's own worker sent it, the task has failed: no
// other report would come. A stranger's leaves it be. Both are told in the trace.
func TestReportThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for told, want := range map[bool]core.TaskStatus{true: core.TaskIsFailed, false: core.TaskIsSent} {
		o := newOffice(t)
		o.Links = unread{told}
		err := o.Handle(t.Context(), reportEvent(dsar.Report{System: "account", Action: dsar.Gather}))
		var lie *coordinator.NotBelievedError
		if !errors.As(err, &lie) || lie.Code != "not-json" {
			t.Errorf("%t: %v", told, err)
		}
		s := o.state(t)
		if got := s.Task("account", dsar.Gather); got.Status != want || s.Rejections != 1 || told && got.End.Code != "bad-report" {
			t.Errorf("%t: %+v, %d rejections", told, got, s.Rejections)
		}
	}
	o := newOffice(t)
	o.Links = unread{true}
	var lie *coordinator.NotBelievedError
	if err := o.Handle(t.Context(), reportEvent(dsar.Report{System: "account", Action: dsar.Gather, Attempt: 7})); !errors.As(err, &lie) {
		t.Errorf("of an attempt never made: %v", err)
	}
}

// topics is a bus of one topic, and who takes what is rejected.
type topics struct {
	in   chan *message.Message
	sent []event.Event
}

func (b *topics) Subscribe(context.Context, string) (<-chan *message.Message, error) {
	return b.in, nil
}

func (b *topics) Send(_ context.Context, topic string, e event.Event) error {
	if topic != event.TopicRejected {
		return errors.New("another topic")
	}
	b.sent = append(b.sent, e)
	return nil
}

// TestStrangersOnTheTopicOfReports: what can't be used is put aside with a
// reason that fits the schema and repeats nothing of what came.
func TestStrangersOnTheTopicOfReports(t *testing.T) {
	t.Parallel()
	const canary = "kanarienvogel@example.com"
	validator, err := event.NewValidator()
	if err != nil {
		t.Fatal(err)
	}
	typed := reports()[0]
	typed.Type = canary
	other := reports()[0]
	other.Subject = canary
	for name, m := range map[string]struct {
		e   event.Event
		key string
	}{
		"another type":             {typed, requestID},
		"not JSON":                 {event.Event{ID: "1", Source: "x", Type: event.TypeReport, Subject: requestID, Data: []byte(`{"request_id":"` + canary)}, requestID},
		"a value of another type":  {event.Event{ID: "1", Source: "x", Type: event.TypeReport, Subject: requestID, Data: []byte(`{"attempt":"` + canary + `"}`)}, requestID},
		"another subject":          {other, canary},
		"of no request":            {reportEvent(dsar.Report{RequestID: canary, System: "account", Action: dsar.Gather}), canary},
		"of a system unasked":      {reportEvent(dsar.Report{System: canary, Action: dsar.Gather}), requestID},
		"of a task never sent":     {reportEvent(dsar.Report{System: "billing", Action: dsar.Gather}), requestID},
		"of an attempt never made": {reportEvent(dsar.Report{System: "account", Action: dsar.Gather, Attempt: 7}), requestID},
		"not an event":             {event.Event{Type: canary, Data: []byte(canary)}, canary},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			b := &topics{in: make(chan *message.Message, 1)}
			msg := message.NewMessage(m.e.ID, m.e.Data)
			msg.Metadata = m.e.Headers()
			bus.SetKey(msg, m.key)
			b.in <- msg
			close(b.in)
			ctx, cancel := context.WithCancel(t.Context())
			context.AfterFunc(t.Context(), cancel)
			go func() { <-msg.Acked(); cancel() }()
			if err := o.Run(ctx, b, b); err != nil {
				t.Fatal(err)
			}
			if len(b.sent) != 1 {
				t.Fatalf("%d messages were rejected", len(b.sent))
			}
			got := b.sent[0]
			if err := validator.ValidateData(event.TypeRejected, got.Data); err != nil {
				t.Errorf("%s: %v", got.Data, err)
			}
			if text := string(got.Data) + got.Subject + got.ID; strings.Contains(text, canary) {
				t.Errorf("it repeats what came: %s", text)
			}
			if s := o.state(t); s.Status != core.StatusGathering {
				t.Errorf("the request is %s", s.Status)
			}
		})
	}
}

// TestWhatAReportMayNotSay: a report that opens and says what can't be is not taken in, is
// told in the trace, and leaves its task to a person.
func TestWhatAReportMayNotSay(t *testing.T) {
	t.Parallel()
	for code, r := range map[string]dsar.Report{
		"false-outcome": {Outcome: dsar.Proven},
		"false-counts":  {Outcome: dsar.Gathered, Counts: []dsar.Counts{{Dataset: "profile", Found: -5}}},
		"false-objects": {Outcome: dsar.Gathered, Objects: []dsar.Object{{Name: "billing/gather/1-aaaaaaaa"}}},
		"false-words":   {Outcome: dsar.Gathered, Code: "<script>"},
	} {
		o := newOffice(t)
		r.System, r.Action = "account", dsar.Gather
		err := o.Handle(t.Context(), reportEvent(r))
		var lie *coordinator.NotBelievedError
		if !errors.Is(err, coordinator.ErrUnreadable) || !errors.As(err, &lie) || lie.Code != code {
			t.Errorf("%s: %v", code, err)
		}
		s := o.state(t)
		if got := s.Task("account", dsar.Gather); got.Status != core.TaskIsFailed || got.End.Code != "bad-report" || len(got.End.Counts)+len(got.End.Objects) > 0 || s.Rejections != 1 {
			t.Errorf("%s: %+v, %d rejections", code, got, s.Rejections)
		}
	}
}

// TestConstraintsAreLookedUp: a constraint's name stands in the open where the manifest lists
// it, or has its words; any other is left out of it, and the rest of the report is taken in.
func TestConstraintsAreLookedUp(t *testing.T) {
	t.Parallel()
	m := &manifest.Manifest{System: "account", Title: manifest.Text{"en": "Anna Meyer and her books"}, Constraints: []string{"keep_books_sane"}, Datasets: []manifest.Dataset{{Name: "profile", Columns: []manifest.Column{{Name: "email"}}, SQL: &manifest.DatasetSQL{Table: "crm.users"}}}}
	for name, open := range map[string]bool{
		"users_email_key": true, "crm_users_email_fkey1": true, "keep_books_sane": true, "TRG_users_before_delete": true, "users_ibfk_2": true,
		"anna_meyer": false, "users_anna_key": false, "smuggled": false, "users_20260830_key": false, "users_email_key_12": true,
	} {
		o := newOffice(t)
		o.Coordinator = coordinator.New(coordinator.Config{Requests: o.requests, Timers: o.journal, Links: plain{}, Manifests: []*manifest.Manifest{m}, Now: func() time.Time { return o.now }, Log: slog.New(slog.DiscardHandler)})
		cause := dsar.Cause{Table: "users", Constraint: name, SQLState: "23505"}
		r := dsar.Report{System: "account", Action: dsar.Gather, Kind: dsar.ReportFailed, Outcome: dsar.Failed, Code: "refused", Cause: &cause}
		if err := o.Handle(t.Context(), reportEvent(r)); err != nil {
			t.Fatal(err)
		}
		want := ""
		if open {
			want = name
		}
		end := o.state(t).Task("account", dsar.Gather).End
		if end.Code != "refused" || end.Cause == nil || end.Cause.Constraint != want || end.Cause.SQLState != "23505" {
			t.Errorf("%s: %+v", name, end)
		}
	}
}

// TestCausesAreLookedUp: what a worker says in fields stays in the open only where the
// manifest has the name, or the field's form is kept; any other report isn't taken in.
func TestCausesAreLookedUp(t *testing.T) {
	t.Parallel()
	m := &manifest.Manifest{System: "account", Datasets: []manifest.Dataset{{Name: "profile", Columns: []manifest.Column{{Name: "email"}},
		Retention: []manifest.Retention{{Ground: "tax-records"}}, SQL: &manifest.DatasetSQL{Table: "crm.users"}}}}
	ok := dsar.Cause{Dataset: "profile", Table: "users", Columns: []string{"email"}, Constraint: "users_email_key", SQLState: "23505", Permission: "UPDATE", Answer: "NO_ACCESS", Status: 403}
	for name, c := range map[string]struct {
		change func(*dsar.Report)
		taken  bool
	}{
		"all of it is known":  {func(*dsar.Report) {}, true},
		"another's dataset":   {func(r *dsar.Report) { r.Cause.Dataset = "invoices" }, false},
		"another's table":     {func(r *dsar.Report) { r.Cause.Table = "accounts" }, false},
		"an address":          {func(r *dsar.Report) { r.Cause.Columns = []string{"anna@example.com"} }, false},
		"words":               {func(r *dsar.Report) { r.Cause.Constraint = "call 0900 now" }, false},
		"no SQLSTATE":         {func(r *dsar.Report) { r.Cause.SQLState = "23-05" }, false},
		"no permission":       {func(r *dsar.Report) { r.Cause.Permission = "everything" }, false},
		"a vendor's sentence": {func(r *dsar.Report) { r.Cause.Answer = "anna is unknown" }, false},
		"no status":           {func(r *dsar.Report) { r.Cause.Status = 7 }, false},
		"of another system":   {func(r *dsar.Report) { r.Cause.System = "billing" }, false},
		"a finding": {func(r *dsar.Report) {
			r.Findings = []dsar.Cause{{Code: dsar.CodeUndeclaredColumn, Table: "users", Columns: []string{"shoe_size"}}}
		}, true},
		"a finding of a table": {func(r *dsar.Report) { r.Findings = []dsar.Cause{{Code: dsar.CodeUndeclaredColumn, Table: "spies"}} }, false},
		"a finding of nothing": {func(r *dsar.Report) { r.Findings = []dsar.Cause{{Table: "users"}} }, false},
		"a ground": {func(r *dsar.Report) {
			r.Counts = []dsar.Counts{{Dataset: "profile", Retained: []dsar.Retention{{Records: 1, Ground: "tax-records"}}}}
		}, true},
		"a ground of its own": {func(r *dsar.Report) {
			r.Counts = []dsar.Counts{{Dataset: "profile", Retained: []dsar.Retention{{Records: 1, Ground: "we-like-it"}}}}
		}, false},
		"a table that went": {func(r *dsar.Report) {
			r.Counts = []dsar.Counts{{Dataset: "profile", Taken: []dsar.Taken{{Table: "payroll", Records: 3}}}}
		}, false},
	} {
		o := newOffice(t)
		o.Coordinator = coordinator.New(coordinator.Config{Requests: o.requests, Timers: o.journal, Links: plain{}, Manifests: []*manifest.Manifest{m}, Now: func() time.Time { return o.now }, Log: slog.New(slog.DiscardHandler)})
		cause := ok
		r := dsar.Report{System: "account", Action: dsar.Gather, Kind: dsar.ReportFailed, Outcome: dsar.Failed, Code: "refused", Cause: &cause}
		c.change(&r)
		err := o.Handle(t.Context(), reportEvent(r))
		end := o.state(t).Task("account", dsar.Gather).End
		if taken := err == nil && end.Code == "refused" && end.Cause != nil; taken != c.taken || !taken && (end.Code != "bad-report" || end.Cause != nil) {
			t.Errorf("%s: %v, %+v", name, err, end)
		}
	}
}
