package conform

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
)

// desk hands in tasks and reads the reports.
type desk struct {
	testing.TB
	Faulty
	clock   *Clock
	worker  *worker.Worker
	vault   *workertest.Desk
	log     *workertest.Log
	reports []dsar.Report
	parked  int
	plans   map[int]*dsar.Object // by subject
}

func newDesk(t *testing.T, c Config, open func(testing.TB, Config) Faulty) *desk {
	t.Helper()
	d := &desk{TB: t, Faulty: open(t, c), clock: c.Clock, log: &workertest.Log{}, plans: map[int]*dsar.Object{}}
	var err error
	d.worker, err = worker.New(d.Manifest, d.Worker, worker.WithClock(c.Clock.Now), worker.WithPause(c.Clock.Pass),
		worker.WithLogger(slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	if err != nil {
		t.Fatal(err)
	}
	d.vault = workertest.NewDesk(t)
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
	for i, e := range d.vault.Handle(context.Background(), d.worker, tasks) {
		if err := json.Unmarshal(e.Data, &reports[i]); err != nil {
			d.Fatal(err)
		}
	}
	for i, r := range reports {
		if r.Action == dsar.Plan && len(r.Objects) > 0 {
			d.plans[subjects[i]] = &r.Objects[0]
		}
	}
	d.reports = append(d.reports, reports...)
	return reports
}

// task seals a task as the coordinator does.
func (d *desk) task(action dsar.Action, attempt, subject int) event.Event {
	d.Helper()
	id := uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, subject)).String()
	right := dsar.Erasure
	if action == dsar.Gather {
		right = dsar.Access
	}
	t := dsar.Task{RequestID: id, System: d.Manifest.System, Action: action, Attempt: attempt, Right: right, Jurisdiction: "EEA", ReceivedAt: d.clock.Now()}
	if action == dsar.Erase || action == dsar.Prove {
		t.Plan = d.plans[subject]
	}
	return workertest.Seal(d, d.vault, t, d.Subjects[subject].Identifiers)
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
				d.Errorf("%s of subject %d: %s %s %s: what may pass must not need a person %s", action, open[i], r.Kind, r.Code, r.Reason, workertest.Detail(d.vault, r))
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
			lines = append(lines, d.line(rec))
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
	d.untilEnded(dsar.Plan, func(int, dsar.Report) {})
	d.untilEnded(dsar.Erase, d.keepsToThePlan)
	d.untilEnded(dsar.Erase, d.keepsToThePlan) // which comes twice, as every message may
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

// keepsToThePlan checks that an erasure accounts for what was planned.
func (d *desk) keepsToThePlan(i int, r dsar.Report) {
	d.Helper()
	if r.Code == dsar.CodePlanUnmet {
		d.Errorf("the erasure of subject %d doesn't keep to its plan: %s", i, r.Reason)
	}
}

// planned counts what an erasure of everyone is to touch, by subject and dataset.
func (d *desk) planned() map[string]int64 {
	d.Helper()
	counts := map[string]int64{}
	d.untilEnded(dsar.Plan, func(i int, r dsar.Report) {
		for _, c := range r.Counts {
			counts[fmt.Sprint(i, " ", c.Dataset)] = c.Found
		}
	})
	return counts
}

// gathered returns the records that a report left in the vault, as lines.
func (d *desk) gathered(r dsar.Report) (lines []string) {
	d.Helper()
	for _, rec := range workertest.RecordsOf(d, d.vault, r) {
		lines = append(lines, d.line(rec))
	}
	slices.Sort(lines)
	return lines
}

// line returns a record in a form in which two are compared: with numbers and
// escapes as they are in the vault.
func (d *desk) line(r workertest.Record) string {
	d.Helper()
	text, err := json.Marshal(r.Values)
	if err != nil {
		d.Fatal(err)
	}
	var plain map[string]any
	if err := json.Unmarshal(text, &plain); err != nil {
		d.Fatal(err)
	}
	return workertest.Record{Dataset: r.Dataset, Values: plain}.Line(d)
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
