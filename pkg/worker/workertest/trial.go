package workertest

import (
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
)

// trial is one check of one worker: it hands in tasks and reads the reports.
type trial struct {
	testing.TB
	system  System
	worker  *worker.Worker
	vault   *Desk
	log     *Log
	reports []dsar.Report // all that were given
	attempt int
	plans   map[string]*dsar.Object // by request
	byKeys  bool                    // erasures and proofs are
}

func newTrial(t testing.TB, open func(testing.TB, *slog.Logger) System) *trial {
	t.Helper()
	tr := &trial{TB: t, log: &Log{}, plans: map[string]*dsar.Object{}}
	log := slog.New(slog.NewTextHandler(tr.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	tr.system = open(t, log)
	if len(tr.system.Subjects) < 2 {
		t.Fatal("workertest: give at least two subjects, so that one's records can be told from the other's")
	}
	noPause := worker.WithPause(func(ctx context.Context, _ time.Duration) error { return ctx.Err() })
	var err error
	if tr.worker, err = worker.New(tr.system.Manifest, tr.system.Worker, append([]worker.Option{noPause, worker.WithLogger(log)}, tr.system.Options...)...); err != nil {
		t.Fatal(err)
	}
	tr.vault = NewDesk(t)
	return tr
}

// behave has the system behave in a way, or skips the check.
func (tr *trial) behave(how How) {
	tr.Helper()
	if tr.system.Break == nil || !tr.system.Break(how) {
		tr.Skipf("the system can't be made to be %s (System.Break)", how)
	}
}

// request returns the id of the request that a subject makes in a check.
func request(who any) string { return uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, who)).String() }

// task seals a task as the coordinator does.
func (tr *trial) task(id string, action dsar.Action, identifiers []worker.Identifier) event.Event {
	tr.Helper()
	tr.attempt++
	right := rightOf(action)
	t := dsar.Task{RequestID: id, System: tr.system.Manifest.System, Action: action, Attempt: tr.attempt, Right: right, Jurisdiction: "EEA", ReceivedAt: time.Now().UTC()}
	if action == dsar.Erase || action == dsar.Prove {
		t.Plan, t.ByKeys = tr.plans[id], tr.byKeys
	}
	return Seal(tr, tr.vault, t, identifiers)
}

// ask hands in tasks together and returns what was reported of each.
func (tr *trial) ask(ctx context.Context, tasks ...event.Event) []dsar.Report {
	tr.Helper()
	reports := make([]dsar.Report, len(tasks))
	for i, e := range tr.vault.Handle(ctx, tr.worker, tasks) {
		switch e.Type {
		case "": // the context was over
			continue
		case event.TypeReport:
		default:
			tr.Fatalf("the answer to a task is a %s: %s", e.Type, e.Data)
		}
		if err := json.Unmarshal(e.Data, &reports[i]); err != nil {
			tr.Fatal(err)
		}
		tr.reports = append(tr.reports, reports[i])
		switch r := reports[i]; {
		case r.Action != dsar.Plan || r.Kind != dsar.ReportEnded:
		case len(r.Objects) > 0:
			tr.plans[r.RequestID] = &r.Objects[0]
		default:
			tr.plans[r.RequestID] = tr.leavePlan(r.RequestID, nil)
		}
	}
	return reports
}

// do asks for one action for one subject, and expects it to end.
func (tr *trial) do(action dsar.Action, s Subject) dsar.Report {
	tr.Helper()
	return tr.ended(tr.ask(context.Background(), tr.task(request(s.Identifiers), action, s.known(action)))[0])
}

func (tr *trial) ended(r dsar.Report) dsar.Report {
	tr.Helper()
	if r.Kind != dsar.ReportEnded {
		tr.Fatalf("%s ended as %q: %s %s %s", r.Action, r.Kind, r.Code, r.Reason, Detail(tr.vault, r))
	}
	return r
}

// gathered returns the records that a report left in the vault, as lines.
func (tr *trial) gathered(r dsar.Report) []string {
	tr.Helper()
	lines := []string{}
	for _, r := range RecordsOf(tr, tr.vault, r) {
		lines = append(lines, r.Line(tr))
	}
	slices.Sort(lines)
	return lines
}

// seeded returns a subject's records as lines.
func (tr *trial) seeded(s Subject) []string {
	tr.Helper()
	lines := []string{}
	for _, r := range s.Records {
		lines = append(lines, r.Line(tr))
	}
	slices.Sort(lines)
	return lines
}

// same compares what was gathered with what is seeded.
func (tr *trial) same(who string, got, want []string) {
	tr.Helper()
	for _, line := range want {
		if !slices.Contains(got, line) {
			tr.Errorf("%s: a record is missing: %s", who, line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			tr.Errorf("%s: a record that isn't theirs: %s", who, line)
		}
	}
	if len(got) != len(want) {
		tr.Errorf("%s: %d records, seeded are %d", who, len(got), len(want))
	}
}

// leaksNothing looks for the subjects' data in the log and in whatever of the
// reports travels in the open.
func (tr *trial) leaksNothing() {
	tr.Helper()
	for _, secret := range tr.secrets() {
		if strings.Contains(tr.log.String(), secret) {
			tr.Errorf("the log holds personal data: %q", secret)
		}
		for _, r := range tr.reports {
			r.Detail, r.Identifiers = nil, nil // sealed
			open, err := json.Marshal(r)
			if err != nil {
				tr.Fatal(err)
			}
			if strings.Contains(string(open), secret) {
				tr.Errorf("a report of %s holds personal data in the open: %q", r.Action, secret)
			}
		}
	}
}

// shortSecret is below what can be told from a word that stands there anyway.
const shortSecret = 6

// secrets returns the texts by which a leak is known.
func (tr *trial) secrets() (texts []string) {
	add := func(s string) {
		if len(s) >= shortSecret && !slices.Contains(texts, s) {
			texts = append(texts, s)
		}
	}
	for _, s := range tr.system.Subjects {
		for _, i := range slices.Concat(s.Identifiers, s.Finds) {
			add(i.Value)
		}
		for _, r := range s.Records {
			for _, v := range r.Values {
				if text, ok := v.(string); ok {
					add(text)
				}
			}
		}
	}
	return texts
}
