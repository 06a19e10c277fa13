package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
)

// shop returns the manifest of the tests: a system with every ability.
func shop() *manifest.Manifest {
	en := func(s string) manifest.Text { return manifest.Text{"en": s} }
	return &manifest.Manifest{
		System:    "shop",
		Title:     en("Shop"),
		Abilities: []dsar.Action{dsar.Resolve, dsar.Gather, dsar.Erase, dsar.Rectify, dsar.Restrict},
		Needs:     []dsar.IdentifierType{"email", "account_id"},
		Finds:     []dsar.IdentifierType{"account_id"},
		Datasets: []manifest.Dataset{
			{Name: "profile", Title: en("Profile"), Category: "identifiers", Origin: manifest.Provided, Purpose: en("To sell"), LegalBasis: "contract",
				Storage: en("3 years"), Columns: []manifest.Column{{Name: "email"}, {Name: "city"}}},
			{Name: "scores", Title: en("Scores"), Category: "inferences", Origin: manifest.Derived, Purpose: en("To sell"), LegalBasis: "legitimate-interest",
				Storage: en("3 years"), Columns: []manifest.Column{{Name: "score", Type: "number"}, {Name: "city"}}},
		},
	}
}

const (
	anna    = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	bob     = "1f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a12"
	charlie = "2f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a13"
)

// impl is an implementation made of functions.
type impl struct {
	resolve  func(context.Context, worker.Task) ([]worker.Found, error)
	gather   func(context.Context, worker.Task, *worker.Records) error
	plan     func(context.Context, worker.Task) ([]dsar.Counts, error)
	erase    func(context.Context, worker.Task) ([]dsar.Counts, error)
	rectify  func(context.Context, worker.Task, []worker.Change) ([]dsar.Counts, error)
	restrict func(context.Context, worker.Task) ([]dsar.Counts, error)
}

func (i impl) Resolve(ctx context.Context, jobs []*worker.ResolveJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.ResolveJob) (err error) {
		j.Found, err = i.resolve(ctx, j.Task)
		return err
	})
}

func (i impl) Gather(ctx context.Context, jobs []*worker.GatherJob) error {
	if i.gather == nil { // nothing is held
		return nil
	}
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.GatherJob) error { return i.gather(ctx, j.Task, j.Records) })
}

// Plan writes as many keys as plan says.
func (i impl) Plan(ctx context.Context, jobs []*worker.PlanJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.PlanJob) error {
		counts, err := i.plan(ctx, j.Task)
		if err != nil {
			return err
		}
		return writePlan(j.Plan, counts)
	})
}

func writePlan(p *worker.PlanWriter, counts []dsar.Counts) error {
	for _, c := range counts {
		n := 0
		key := func() string { n++; return fmt.Sprint(c.Dataset, "-", n) }
		for range c.Found - c.Kept() {
			if err := p.Erase(c.Dataset, key()); err != nil {
				return err
			}
		}
		for _, r := range c.Retained {
			for range r.Records {
				if err := p.Keep(c.Dataset, key(), r); err != nil {
					return err
				}
			}
		}
		if c.Uncovered != "" {
			p.Uncovered(c.Dataset, c.Uncovered, dsar.Cause{})
		}
	}
	return nil
}

func (i impl) Erase(ctx context.Context, jobs []*worker.EraseJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.EraseJob) (err error) {
		j.Counts, err = i.erase(ctx, j.Task)
		return err
	})
}

func (i impl) Prove(ctx context.Context, jobs []*worker.EraseJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.EraseJob) (err error) {
		j.Counts, err = i.plan(ctx, j.Task)
		return err
	})
}

func (i impl) Rectify(ctx context.Context, jobs []*worker.RectifyJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.RectifyJob) (err error) {
		j.Counts, err = i.rectify(ctx, j.Task, j.Changes)
		return err
	})
}

func (i impl) Restrict(ctx context.Context, jobs []*worker.RestrictJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.RestrictJob) (err error) {
		j.Counts, err = i.restrict(ctx, j.Task)
		return err
	})
}

// batch is a gather of many at once, made of a function.
type batch func(context.Context, []*worker.GatherJob) error

func (b batch) Gather(ctx context.Context, jobs []*worker.GatherJob) error { return b(ctx, jobs) }

func gatherOnly() *manifest.Manifest {
	m := shop()
	m.Abilities = []dsar.Action{dsar.Gather}
	return m
}

// newVault returns a desk, whose vault holds the keys of anna, bob and
// charlie.
func newVault(tb testing.TB) *workertest.Desk {
	tb.Helper()
	ctx := context.Background()
	v := workertest.NewDesk(tb)
	for _, id := range []string{anna, bob, charlie} {
		if _, err := v.CreateKeys(ctx, id); err != nil {
			tb.Fatal(err)
		}
	}
	return v
}

// task returns a task of the shop for a request, by an address made of its id.
func task(tb testing.TB, v *workertest.Desk, request string, action dsar.Action, change ...func(*dsar.Task)) event.Event {
	tb.Helper()
	keys, err := v.Keys(context.Background(), request)
	if err != nil {
		tb.Fatal(err)
	}
	t := dsar.Task{
		RequestID: request, System: "shop", Action: action, Attempt: 1, Right: dsar.Access, Jurisdiction: "EEA",
		ReceivedAt: time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC),
	}
	for typ, value := range map[dsar.IdentifierType]string{"email": address(request), "phone": "+33123456789"} {
		sealed, err := keys.Seal([]byte(value), vault.Identifier)
		if err != nil {
			tb.Fatal(err)
		}
		t.Identifiers = append(t.Identifiers, dsar.Identifier{Type: typ, Fingerprint: v.Fingerprint(typ, value), Sealed: sealed, Assurance: dsar.AssuranceVerified})
	}
	if action == dsar.Erase {
		t.Plan = workertest.LeavePlan(tb, v, "shop", request)
	}
	for _, c := range change {
		c(&t)
	}
	data, err := json.Marshal(t)
	if err != nil {
		tb.Fatal(err)
	}
	return event.Event{ID: event.TaskID(t.RequestID, t.System, t.Action, t.Attempt), Source: "habeas/coordinator", Type: event.TypeTask,
		Subject: t.RequestID, Time: t.ReceivedAt, Data: data, TraceParent: "00-9f0d6c0e6f0f4b439f0f3a9c3c0f7a11-00f067aa0ba902b7-01"}
}

func address(request string) string { return "canary-" + request[:8] + "@example.com" }

// details seals what a request says beside its subject.
func details(tb testing.TB, v *workertest.Desk, request string, d event.Details) []byte {
	tb.Helper()
	keys, err := v.Keys(context.Background(), request)
	if err != nil {
		tb.Fatal(err)
	}
	plain, err := json.Marshal(d)
	if err != nil {
		tb.Fatal(err)
	}
	sealed, err := keys.Seal(plain, vault.RequestDetails)
	if err != nil {
		tb.Fatal(err)
	}
	return sealed
}

func newWorker(tb testing.TB, m *manifest.Manifest, i any, opts ...worker.Option) *worker.Worker {
	tb.Helper()
	noPause := worker.WithPause(func(ctx context.Context, _ time.Duration) error { return ctx.Err() })
	w, err := worker.New(m, i, append([]worker.Option{noPause}, opts...)...)
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

// handle hands in tasks and reads the reports, which must all be there.
func handle(tb testing.TB, w *worker.Worker, v *workertest.Desk, tasks ...event.Event) []dsar.Report {
	tb.Helper()
	reports := make([]dsar.Report, len(tasks))
	for i, e := range v.Handle(context.Background(), w, tasks) {
		if e.Type != event.TypeReport {
			tb.Fatalf("answer %d is of type %q: %s", i, e.Type, e.Data)
		}
		reports[i] = parse(tb, e)
	}
	return reports
}

func parse(tb testing.TB, e event.Event) dsar.Report {
	tb.Helper()
	var r dsar.Report
	if err := json.Unmarshal(e.Data, &r); err != nil {
		tb.Fatal(err)
	}
	return r
}

// plain opens a report's detail.
func plain(tb testing.TB, v *workertest.Desk, r dsar.Report) string {
	tb.Helper()
	keys, err := v.Keys(context.Background(), r.RequestID)
	if err != nil {
		tb.Fatal(err)
	}
	text, err := keys.Open(r.Detail, vault.ReportDetail)
	if err != nil {
		tb.Fatalf("detail: %v", err)
	}
	return string(text)
}

// object reads what a report left in the vault, as text.
func object(tb testing.TB, v *workertest.Desk, r dsar.Report) string {
	tb.Helper()
	if len(r.Objects) != 1 {
		tb.Fatalf("the report names %d objects", len(r.Objects))
	}
	in, err := v.OpenObject(context.Background(), r.RequestID, r.Objects[0].Name)
	if err != nil {
		tb.Fatal(err)
	}
	defer in.Close()
	text, err := io.ReadAll(in)
	if err != nil {
		tb.Fatal(err)
	}
	if int64(len(text)) != r.Objects[0].Bytes {
		tb.Errorf("the object has %d bytes, the report says %d", len(text), r.Objects[0].Bytes)
	}
	return string(text)
}

// email returns the subject's address.
func email(t worker.Task) string {
	for _, id := range t.Identifiers {
		if id.Type == "email" {
			return id.Value
		}
	}
	return ""
}

var errVendor = errors.New("vendor says: no such thing as canary@example.com")

func contains(s string, parts ...string) error {
	for _, p := range parts {
		if !strings.Contains(s, p) {
			return fmt.Errorf("%q doesn't hold %q", s, p)
		}
	}
	return nil
}
