package aggregator_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"gocloud.dev/secrets/localsecrets"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/vault/cloudvault"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/internal/blobtest"
	"habeas.dev/services/internal/core"
)

const (
	requestID = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	address   = "camille.o'brien@example.com"
	object    = "billing/gather/1-aaaaaaaa"
)

var received = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

// fixture is an aggregator with its vault and its outbox, both in memory.
type fixture struct {
	worker      *worker.Worker
	vault       *vault.Vault
	links       link.Memory
	keys        *vault.Keys
	vaultStore  *blobtest.Bucket
	outboxStore *blobtest.Bucket
	log         bytes.Buffer
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	w := &fixture{vaultStore: &blobtest.Bucket{}, outboxStore: &blobtest.Bucket{}}
	key, err := localsecrets.NewRandomKey()
	if err != nil {
		t.Fatal(err)
	}
	if w.vault, err = vault.New(t.Context(), cloudvault.Bucket(w.vaultStore.Open()), vault.KeysIn(cloudvault.Bucket(w.vaultStore.Open())), cloudvault.Master(localsecrets.NewKeeper(key))); err != nil {
		t.Fatal(err)
	}
	if w.keys, err = w.vault.CreateKeys(t.Context(), requestID); err != nil {
		t.Fatal(err)
	}
	a, err := aggregator.New(aggregator.Config{
		Outbox: w.outboxStore.Open(), Manifests: []*manifest.Manifest{billing()}, Software: "habeas test",
		Now: func() time.Time { return received.Add(time.Hour) },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.worker, err = aggregator.NewWorker(a, worker.WithLogger(slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// errRejected says that an event is no task of the aggregator's.
var errRejected = errors.New("rejected")

// Handle hands one event in, and returns the report; the error is the context's where
// there is none.
func (w *fixture) Handle(ctx context.Context, e event.Event) (event.Event, error) {
	hub := link.NewHub(w.vault, &w.links, time.Now)
	fault := w.vaultStore.Fault
	w.vaultStore.Fault = nil // the coordinator has no trouble
	if sealed, err := hub.SealTask(context.WithoutCancel(ctx), e.Data); err == nil {
		e.Data = sealed
	}
	w.vaultStore.Fault = fault
	key, err := w.links.Key(dsar.Aggregator)
	if err != nil {
		return e, err
	}
	switch answer := w.worker.Handle(ctx, worker.Access{Link: key, Objects: w.vault.Objects}, []event.Event{e})[0]; answer.Type {
	case "":
		return answer, context.Cause(ctx)
	case event.TypeRejected:
		return answer, fmt.Errorf("%w: %s", errRejected, answer.Data)
	default:
		about, err := link.Parse(answer.Data)
		if err != nil {
			return answer, err
		}
		r, err := hub.OpenReport(context.WithoutCancel(ctx), about)
		if err != nil {
			return answer, err
		}
		answer.Data, err = json.Marshal(r)
		return answer, err
	}
}

func billing() *manifest.Manifest {
	text := func(en, fr string) manifest.Text { return manifest.Text{"en": en, "fr": fr} }
	return &manifest.Manifest{
		System: "billing", Title: text("Billing", "Facturation"), Needs: []dsar.IdentifierType{"email"}, Abilities: []dsar.Action{dsar.Gather, dsar.Erase},
		Datasets: []manifest.Dataset{{
			Name: "invoices", Title: text("Invoices", "Factures"), Category: "commercial information", Origin: manifest.Observed,
			Purpose: text("To bill", "Facturer"), LegalBasis: "legal-obligation", Storage: text("Ten years", "Dix ans"),
			Columns: []manifest.Column{{Name: "number"}, {Name: "note"}},
			Retention: []manifest.Retention{{
				Ground: "accounting", Source: "Code de commerce, art. L123-22",
				Title: text("The law makes us keep our books", "La loi nous oblige à conserver nos comptes"), Column: "number", Period: "P10Y",
			}},
		}},
	}
}

// gathered leaves n records in the vault, and is their object's entry.
func (w *fixture) gathered(t *testing.T, n int, note string) dsar.Object {
	t.Helper()
	out, err := w.vault.Create(t.Context(), requestID, object)
	if err != nil {
		t.Fatal(err)
	}
	records := record.NewWriter(out)
	must(t, records.Begin(record.Section{Dataset: "invoices", Columns: []string{"number", "note"}}))
	for i := range n {
		must(t, records.Write(record.Record{"number": fmt.Sprintf("F-%05d", i), "note": note}))
	}
	must(t, records.Close())
	must(t, out.Close())
	return dsar.Object{Name: object, Bytes: out.Bytes(), Records: int64(n)}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// task returns the task of an access whose records are in an object.
func (w *fixture) task(t *testing.T, o dsar.Object, changes ...func(*core.AssembleTask)) core.AssembleTask {
	t.Helper()
	sealed, err := w.keys.Seal([]byte(address), vault.Identifier)
	must(t, err)
	task := core.AssembleTask{
		Task: dsar.Task{RequestID: requestID, System: dsar.Aggregator, Action: dsar.Assemble, Attempt: 1, Right: dsar.Access, Jurisdiction: "EEA", Locale: "en", ReceivedAt: received},
		Answer: &core.Answer{
			Source:      "test",
			Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "fp", Sealed: sealed, Assurance: dsar.AssuranceVerified}},
			Systems: []core.SystemAnswer{{System: "billing", Needs: []dsar.IdentifierType{"email"}, Ends: []core.ActionEnd{{
				Action: dsar.Gather, Outcome: dsar.Gathered, At: received.Add(time.Minute), Objects: []dsar.Object{o},
				Counts: []dsar.Counts{{Dataset: "invoices", Found: o.Records, Gathered: o.Records}},
			}}}},
		},
	}
	for _, change := range changes {
		change(&task)
	}
	return task
}

// cite gives each end its fact, as a journal has them.
func cite(a *core.Answer) {
	fact := max(1, a.Judged)
	for i := range a.Systems {
		for j := range a.Systems[i].Ends {
			fact++
			a.Systems[i].Ends[j].Fact = fact
		}
	}
	a.Facts = nil
	for _, seq := range a.Rests() {
		sum := sha256.Sum256([]byte(strconv.Itoa(seq)))
		a.Facts = append(a.Facts, core.Cited{Seq: seq, Hash: hex.EncodeToString(sum[:])})
	}
}

func taskEvent(t *testing.T, task core.AssembleTask) event.Event {
	t.Helper()
	if task.Answer != nil {
		cite(task.Answer)
	}
	data, err := json.Marshal(task)
	must(t, err)
	return event.Event{
		ID: event.TaskID(task.RequestID, task.System, task.Action, task.Attempt), Source: "habeas/coordinator", Type: event.TypeTask,
		Subject: task.RequestID, Time: received.Add(2 * time.Minute), Data: data,
	}
}

// do hands a task in and checks that its report is one by the schema.
func (w *fixture) do(t *testing.T, task core.AssembleTask) dsar.Report {
	t.Helper()
	e, err := w.Handle(t.Context(), taskEvent(t, task))
	must(t, err)
	validator, err := event.NewValidator()
	must(t, err)
	if err := validator.ValidateData(event.TypeReport, e.Data); err != nil || e.Type != event.TypeReport || e.Subject != task.RequestID {
		t.Errorf("%s about %s is no report: %v", e.Type, e.Subject, err)
	}
	var r dsar.Report
	must(t, json.Unmarshal(e.Data, &r))
	if r.RequestID != task.RequestID || r.System != dsar.Aggregator || r.Action != dsar.Assemble || r.Attempt != task.Attempt {
		t.Errorf("the report is of another task: %+v", r)
	}
	// Neither the address nor a record is in the open, whatever happened.
	for _, text := range []string{string(e.Data), w.log.String()} {
		if strings.Contains(text, "camille") || strings.Contains(text, "F-00") {
			t.Errorf("personal data in the open: %s", text)
		}
	}
	return r
}

// raw leaves an object of any content in the vault.
func (w *fixture) raw(t *testing.T, content string) dsar.Object {
	t.Helper()
	out, err := w.vault.Create(t.Context(), requestID, object)
	must(t, err)
	_, err = io.WriteString(out, content)
	must(t, err)
	must(t, out.Close())
	return dsar.Object{Name: object, Bytes: int64(len(content)), Records: 1}
}

// answer opens the bundle in the outbox: its payload by name.
func (w *fixture) answer(t *testing.T) map[string]string {
	t.Helper()
	content := w.bundle(t)
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	must(t, err)
	files := map[string]string{}
	for _, f := range archive.File {
		_, name, ok := strings.Cut(f.Name, "/data/")
		if !ok {
			continue
		}
		r, err := f.Open()
		must(t, err)
		text, err := io.ReadAll(r)
		must(t, err)
		files[name] = string(text)
	}
	return files
}

func (w *fixture) bundle(t *testing.T) []byte {
	t.Helper()
	r, err := aggregator.OpenBundle(t.Context(), w.vault, w.outboxStore.Open(), requestID)
	must(t, err)
	defer r.Close()
	content, err := io.ReadAll(r)
	must(t, err)
	return content
}
