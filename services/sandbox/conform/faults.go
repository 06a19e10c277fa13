package conform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"gocloud.dev/blob/memblob"
	"gocloud.dev/secrets/localsecrets"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/sandbox/fault"
)

// Faulty is a vendor's worker and the stand-in that it calls, freshly seeded.
type Faulty struct {
	Manifest *manifest.Manifest
	Worker   any
	// Subjects are at least two people of whom the vendor holds records.
	Subjects []workertest.Subject
	// Set changes what goes wrong from the next call on.
	Set func(fault.Config)
	// Holds tells whether the vendor holds anything of a subject that an erasure
	// must not leave.
	Holds func(subject int) bool
	// Repeated is how many deletions were asked of what was gone.
	Repeated func() int64
	// Knows tells that the worker or its vendor knows a deletion again whose answer
	// was lost, though the record is still shown.
	Knows bool
	// Forbid takes a permission away, which a person must give back; nil where
	// that can't be played.
	Forbid func()
}

// Config is what a case asks of a stand-in and its worker.
type Config struct {
	Clock *Clock // of both
	// Settle is how long the stand-in still shows what is deleted.
	Settle time.Duration
}

// faultCase is one line of the table.
type faultCase struct {
	name   string
	faults fault.Config
	settle time.Duration
	// parks tells that some task must have been parked on the way.
	parks bool
	// knows tells that it is played where [Faulty.Knows] only.
	knows bool
}

// faultCases are what real vendors do.
func faultCases() []faultCase {
	worst := fault.Config{Throttle: 0.05, ServerError: 0.05, ErrorAfter: 0.05, Cut: 0.05, Half: 0.05, Revoke: 0.05, Lock: 0.2}
	return []faultCase{
		{name: "nothing"},
		{name: "too many calls", faults: fault.Config{Throttle: 0.3}},
		{name: "the quota is spent for an hour", faults: fault.Config{Quota: time.Hour}, parks: true},
		{name: "5xx at 20 %", faults: fault.Config{ServerError: 0.2}},
		{name: "answers are lost", faults: fault.Config{ErrorAfter: 0.2}},
		{name: "connections are cut in mid-answer", faults: fault.Config{Cut: 0.2}},
		{name: "answers are half", faults: fault.Config{Half: 0.2}},
		{name: "the token is revoked in mid-run", faults: fault.Config{Revoke: 0.3}},
		{name: "page tokens expire", faults: fault.Config{ExpirePages: 0.05}},
		{name: "records are locked, then free", faults: fault.Config{Lock: 0.5}},
		{name: "deleted, and shown for a minute", settle: time.Minute, parks: true},
		{name: "all of it", faults: worst},
		{name: "all of it, and shown for a minute", faults: worst, settle: time.Minute, knows: true},
	}
}

// maxRounds is how often a task is sent again before it is said not to end.
const maxRounds = 60

// Faults plays the table on a vendor's worker, some seeds for each line. Whatever
// goes wrong: nothing that is held is missing from a copy; what is said to be
// erased is gone; nothing is deleted again that is gone already; and whenever a
// task waits or fails, code and reason say so without anybody's data.
func Faults(t *testing.T, open func(t testing.TB, c Config) Faulty) {
	t.Helper()
	for _, c := range faultCases() {
		for seed := range int64(2) {
			t.Run(fmt.Sprintf("%s/%d", c.name, seed), func(t *testing.T) {
				t.Parallel()
				d := newDesk(t, Config{NewClock(), c.settle}, open)
				if c.knows && !d.Knows {
					t.Skip("a deletion whose answer is lost isn't known again while the record is shown")
				}
				faults := c.faults
				faults.Seed = seed
				d.Set(faults)
				d.gathers()
				d.Set(faults)
				d.erases()
				if c.parks && d.parked == 0 {
					t.Error("no task was parked")
				}
				d.leaksNothing()
			})
		}
	}
	t.Run("a permission is missing", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, Config{Clock: NewClock()}, open)
		if d.Forbid == nil {
			t.Skip("the stand-in can't play it")
		}
		d.Forbid()
		for i, r := range d.ask(dsar.Gather, 1, d.everyone()...) {
			if r.Kind != dsar.ReportFailed || r.Code == "" || r.Reason == "" {
				t.Errorf("subject %d: %s %s %q; a person must act", i, r.Kind, r.Code, r.Reason)
			}
		}
		d.leaksNothing()
	})
}

// desk hands in tasks and reads the reports.
type desk struct {
	testing.TB
	Faulty
	clock   *Clock
	worker  *worker.Worker
	vault   *vault.Vault
	log     *lockedBuffer
	reports []dsar.Report
	parked  int
}

func newDesk(t *testing.T, c Config, open func(testing.TB, Config) Faulty) *desk {
	t.Helper()
	d := &desk{TB: t, Faulty: open(t, c), clock: c.Clock, log: &lockedBuffer{}}
	var err error
	d.worker, err = worker.New(d.Manifest, d.Worker, worker.WithClock(c.Clock.Now), worker.WithPause(c.Clock.Pass),
		worker.WithLogger(slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	if err != nil {
		t.Fatal(err)
	}
	key, err := localsecrets.NewRandomKey()
	if err != nil {
		t.Fatal(err)
	}
	bucket := memblob.OpenBucket(nil)
	if d.vault, err = vault.New(t.Context(), bucket, localsecrets.NewKeeper(key)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.vault.Close(); _ = bucket.Close() })
	return d
}

func (d *desk) everyone() []int {
	var all []int
	for i := range d.Subjects {
		all = append(all, i)
	}
	return all
}

// ask hands in one task for each of some subjects, in one batch.
func (d *desk) ask(action dsar.Action, attempt int, subjects ...int) []dsar.Report {
	d.Helper()
	var tasks []event.Event
	for _, i := range subjects {
		tasks = append(tasks, d.task(action, attempt, i))
	}
	reports := make([]dsar.Report, len(tasks))
	for i, e := range d.worker.Handle(context.Background(), d.vault, tasks) {
		if err := json.Unmarshal(e.Data, &reports[i]); err != nil {
			d.Fatal(err)
		}
	}
	d.reports = append(d.reports, reports...)
	return reports
}

// task seals a task as the coordinator does.
func (d *desk) task(action dsar.Action, attempt, subject int) event.Event {
	d.Helper()
	id := uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, subject)).String()
	keys, err := d.vault.CreateKeys(context.Background(), id)
	if err != nil {
		d.Fatal(err)
	}
	right := dsar.Erasure
	if action == dsar.Gather {
		right = dsar.Access
	}
	t := dsar.Task{RequestID: id, System: d.Manifest.System, Action: action, Attempt: attempt, Right: right, Jurisdiction: "EEA", ReceivedAt: d.clock.Now()}
	for _, i := range d.Subjects[subject].Identifiers {
		sealed, err := keys.Seal([]byte(i.Value), "identifier")
		if err != nil {
			d.Fatal(err)
		}
		t.Identifiers = append(t.Identifiers, dsar.Identifier{Type: i.Type, Verified: i.Verified, Fingerprint: d.vault.Fingerprint(i.Type, i.Value), Sealed: sealed})
	}
	data, err := json.Marshal(t)
	if err != nil {
		d.Fatal(err)
	}
	return event.Event{ID: event.TaskID(id, t.System, action, attempt), Source: "conform", Type: event.TypeTask, Subject: id, Time: t.ReceivedAt, Data: data}
}

// untilEnded asks for one action for everyone, and again for those who are parked
// when their time has come, as the coordinator does.
func (d *desk) untilEnded(action dsar.Action, each func(subject int, r dsar.Report)) {
	d.Helper()
	open := d.everyone()
	for round := 1; len(open) > 0; round++ {
		if round > maxRounds {
			d.Fatalf("%s of %d subjects doesn't end: %s %s", action, len(open), d.reports[len(d.reports)-1].Code, d.reports[len(d.reports)-1].Reason)
		}
		var again []int
		var until time.Time
		for i, r := range d.ask(action, round, open...) {
			switch r.Kind {
			case dsar.ReportEnded:
				each(open[i], r)
				continue
			case dsar.ReportParked:
				d.parked++
				if len(strings.Fields(r.Reason)) < 3 || r.Code == "" {
					d.Errorf("nothing says in plain words why %s waits: %q %q", action, r.Code, r.Reason)
				}
				if r.Until.After(until) {
					until = r.Until
				}
			default:
				d.Errorf("%s of subject %d: %s %s %s: what may pass must not need a person%s", action, open[i], r.Kind, r.Code, r.Reason, d.detail(r))
				continue
			}
			again = append(again, open[i])
		}
		open = again
		d.clock.Until(until)
	}
}

// gathers copies everyone's records, each exactly.
func (d *desk) gathers() {
	d.Helper()
	if !d.Manifest.Can(dsar.Gather) {
		return
	}
	d.untilEnded(dsar.Gather, func(i int, r dsar.Report) {
		want := map[string]int64{}
		var lines []string
		for _, rec := range d.Subjects[i].Records {
			want[rec.Dataset]++
			lines = append(lines, d.line(rec.Dataset, rec.Values))
		}
		slices.Sort(lines)
		if got := d.gathered(r); !slices.Equal(got, lines) {
			d.Errorf("subject %d: %d records were copied, %d are held", i, len(got), len(lines))
		}
	})
}

// erases plans, erases and proves, and looks at what the vendor holds then.
func (d *desk) erases() {
	d.Helper()
	d.untilEnded(dsar.Count, func(int, dsar.Report) {})
	d.untilEnded(dsar.Erase, func(int, dsar.Report) {})
	d.untilEnded(dsar.Erase, func(int, dsar.Report) {}) // which comes twice, as every message may
	d.untilEnded(dsar.Prove, func(i int, r dsar.Report) {
		switch held := d.Holds(i); {
		case r.Outcome == dsar.Proven && held:
			d.Errorf("subject %d is said to be erased, and is held", i)
		case r.Outcome != dsar.Proven:
			d.Errorf("subject %d: the proof is %s", i, r.Outcome)
		}
	})
	if n := d.Repeated(); n > 0 {
		d.Errorf("%d deletions of what was gone", n)
	}
}

// gathered are the records that a report left in the vault, as lines.
func (d *desk) gathered(r dsar.Report) (lines []string) {
	d.Helper()
	for _, o := range r.Objects {
		in, err := d.vault.OpenObject(context.Background(), r.RequestID, o.Name)
		if err != nil {
			d.Fatal(err)
		}
		reader := record.NewReader(in)
		for {
			section, err := reader.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				d.Fatal(err)
			}
			for {
				row, err := reader.Row()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					d.Fatal(err)
				}
				values := map[string]any{}
				for i, column := range section.Columns {
					values[column] = json.RawMessage(bytes.Clone(row[i]))
				}
				lines = append(lines, d.line(section.Dataset, values))
			}
		}
		in.Close()
	}
	slices.Sort(lines)
	return lines
}

// line is a record in a form in which two are compared.
func (d *desk) line(dataset string, values map[string]any) string {
	d.Helper()
	text, err := json.Marshal(values)
	if err != nil {
		d.Fatal(err)
	}
	var plain any // numbers and escapes in one form
	if err := json.Unmarshal(text, &plain); err != nil {
		d.Fatal(err)
	}
	if text, err = json.Marshal(plain); err != nil {
		d.Fatal(err)
	}
	return dataset + " " + string(text)
}

// detail is what the worker's error said, for whoever mends it.
func (d *desk) detail(r dsar.Report) string {
	keys, err := d.vault.Keys(context.Background(), r.RequestID)
	if err != nil || len(r.Detail) == 0 {
		return ""
	}
	text, err := keys.Open(r.Detail, "detail")
	if err != nil {
		return ""
	}
	return " (" + string(text) + ")"
}

// leaksNothing looks for the subjects' identifiers in the log and in what of the
// reports travels in the open.
func (d *desk) leaksNothing() {
	d.Helper()
	for _, s := range d.Subjects {
		for _, id := range s.Identifiers {
			if strings.Contains(d.log.String(), id.Value) {
				d.Errorf("the log holds %s of a subject", id.Type)
			}
			for _, r := range d.reports {
				r.Detail, r.Identifiers = nil, nil // sealed
				text, err := json.Marshal(r)
				if err != nil {
					d.Fatal(err)
				}
				if bytes.Contains(text, []byte(id.Value)) {
					d.Errorf("a report of %s holds %s of a subject", r.Action, id.Type)
				}
			}
		}
	}
}

// lockedBuffer is a log that many may write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
