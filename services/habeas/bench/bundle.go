package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/core"
)

// largeBundle is what the assembly of one large bundle took.
type largeBundle struct {
	payload, zipped, records int64 // bytes, bytes, number
	took                     time.Duration
	memory, restMemory       int64
}

// payloadPerRecord is about how many bytes of payload one record of this
// measurement becomes: in CSV and in JSON.
const payloadPerRecord = 288

// measureLargeBundle has a system's records sealed into the vault, and times the
// aggregator that makes a bundle of them.
func measureLargeBundle(ctx context.Context, t *target, n *node.Node, size int64) (largeBundle, error) {
	id := upstream.NewID()
	if _, err := n.Installation.Vault.CreateKeys(ctx, id); err != nil {
		return largeBundle{}, err
	}
	m := clickstream()
	object, err := fill(ctx, n.Installation.Vault, id, m, size/payloadPerRecord)
	if err != nil {
		return largeBundle{}, err
	}
	a, err := aggregator.New(aggregator.Config{Outbox: n.Installation.Outbox, Manifests: []*manifest.Manifest{m}, Now: now})
	if err != nil {
		return largeBundle{}, err
	}
	w, err := aggregator.NewWorker(a)
	if err != nil {
		return largeBundle{}, err
	}
	task, err := json.Marshal(core.AssembleTask{
		Task: dsar.Task{RequestID: id, System: dsar.Aggregator, Action: dsar.Assemble, Attempt: 1, Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: now()},
		Answer: &core.Answer{
			Systems: []core.SystemAnswer{{System: m.System, Ends: []core.ActionEnd{{Action: dsar.Gather, Outcome: dsar.Gathered, At: now(), Objects: []dsar.Object{object}, Fact: 2}}}},
			Facts:   []core.Cited{{Seq: 1, Hash: strings.Repeat("0", 64)}, {Seq: 2, Hash: strings.Repeat("0", 64)}},
		},
	})
	if err != nil {
		return largeBundle{}, err
	}
	hub := link.NewHub(n.Installation.Vault, n.Installation.Links, now)
	if task, err = hub.SealTask(ctx, task); err != nil {
		return largeBundle{}, err
	}
	key, err := n.Installation.Links.Key(dsar.Aggregator)
	if err != nil {
		return largeBundle{}, err
	}
	access := worker.Access{Link: key, Objects: n.Installation.Objects}
	debug.FreeOSMemory()
	l := largeBundle{restMemory: residentMemory()}
	var report dsar.Report
	began := time.Now()
	l.memory, err = t.peak(func() error {
		answers := w.Handle(ctx, access, []event.Event{{ID: "bench", Type: event.TypeTask, Subject: id, Time: now(), Data: task}})
		if err := ctx.Err(); err != nil {
			return err
		}
		about, err := link.Parse(answers[0].Data)
		if err != nil {
			return err
		}
		report, err = hub.OpenReport(ctx, about)
		return err
	})
	l.took = time.Since(began)
	if err != nil {
		return l, err
	}
	if report.Kind != dsar.ReportEnded {
		return l, errors.New("the large bundle failed: " + report.Code)
	}
	l.records = report.Objects[0].Records
	return l, l.check(ctx, n, id)
}

// clickstream returns a system that holds a great deal of everyone.
func clickstream() *manifest.Manifest {
	text := func(s string) manifest.Text { return manifest.Text{"en": s} }
	return &manifest.Manifest{System: "clickstream", Title: text("Clickstream"), Datasets: []manifest.Dataset{{
		Name: "clicks", Title: text("Clicks"), Category: "internet or network activity", Origin: manifest.Observed, Purpose: text("Security"),
		LegalBasis: "legitimate-interest", Storage: text("One year"),
		Columns: []manifest.Column{{Name: "at", Type: "datetime"}, {Name: "session"}, {Name: "address"}, {Name: "page"}, {Name: "millis", Type: "integer"}},
	}}}
}

// fill seals a stream of records into the vault.
func fill(ctx context.Context, v *vault.Vault, id string, m *manifest.Manifest, records int64) (dsar.Object, error) {
	const name = "clickstream/gather/1"
	sealed, err := v.Create(ctx, id, name)
	if err != nil {
		return dsar.Object{}, err
	}
	w := record.NewWriter(sealed)
	ds := m.Datasets[0]
	columns := make([]string, len(ds.Columns))
	for i, c := range ds.Columns {
		columns[i] = c.Name
	}
	if err := w.Begin(record.Section{Dataset: ds.Name, Columns: columns}); err != nil {
		return dsar.Object{}, err
	}
	at, row := now(), record.Record{}
	for i := range records {
		at = at.Add(time.Second)
		row["at"], row["session"], row["millis"] = at, "session-"+strconv.FormatInt(i/40, 36), i*31%1000
		row["address"], row["page"] = "203.0.113."+strconv.FormatInt(i%256, 10), "/products/"+strconv.FormatInt(i*7919%100_003, 10)+"?from=search"
		if err := w.Write(row); err != nil {
			return dsar.Object{}, err
		}
	}
	if err := w.Close(); err != nil {
		return dsar.Object{}, err
	}
	if err := sealed.Close(); err != nil {
		return dsar.Object{}, err
	}
	return dsar.Object{Name: name, Bytes: sealed.Bytes(), Records: w.Records()}, nil
}

// check decrypts the bundle into a file, verifies it, and says how large its
// payload is.
func (l *largeBundle) check(ctx context.Context, n *node.Node, id string) error {
	f, err := os.CreateTemp(n.Config.Data, "large-*.zip")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	r, err := aggregator.OpenBundle(ctx, n.Installation.Vault, n.Installation.Outbox, id)
	if err != nil {
		return err
	}
	defer r.Close()
	size, err := io.Copy(f, r)
	if err != nil {
		return err
	}
	report, err := bundle.Verify(ctx, f, size)
	if err == nil && len(report.Problems) > 0 {
		err = fmt.Errorf("the large bundle: %s", report.Problems[0])
	}
	l.payload, l.zipped = report.Bytes, size
	return err
}

func (l largeBundle) report(r *results) {
	s, seconds := r.section(fmt.Sprintf("A bundle of %.2f GB", float64(l.payload)/1e9)), l.took.Seconds()
	s.add(line{what: "written in", value: seconds, unit: "s", note: fmt.Sprintf("%d records, a ZIP of %.2f GB", l.records, float64(l.zipped)/1e9)})
	s.add(line{what: "payload per second", value: float64(l.payload) / 1e6 / seconds, unit: "MB"})
	s.add(line{what: "memory over that at rest", value: mib(l.memory - l.restMemory), unit: "MiB", aim: "64 MiB"})
}

// now returns the time as facts have it.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
