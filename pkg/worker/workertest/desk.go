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
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker"
)

// desk is where one check is made: it hands in tasks and reads the reports.
type desk struct {
	testing.TB
	system  System
	worker  *worker.Worker
	vault   *vault.Vault
	log     *Log
	reports []dsar.Report // all that were given
	attempt int
}

func newDesk(t testing.TB, open func(testing.TB, *slog.Logger) System) *desk {
	t.Helper()
	d := &desk{TB: t, log: &Log{}}
	log := slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	d.system = open(t, log)
	if len(d.system.Subjects) < 2 {
		t.Fatal("workertest: give at least two subjects, so that one's records can be told from the other's")
	}
	noPause := worker.WithPause(func(ctx context.Context, _ time.Duration) error { return ctx.Err() })
	var err error
	if d.worker, err = worker.New(d.system.Manifest, d.system.Worker, append([]worker.Option{noPause, worker.WithLogger(log)}, d.system.Options...)...); err != nil {
		t.Fatal(err)
	}
	d.vault = NewVault(t)
	return d
}

// behave has the system behave in a way, or skips the check.
func (d *desk) behave(how How) {
	d.Helper()
	if d.system.Break == nil || !d.system.Break(how) {
		d.Skipf("the system can't be made to be %s (System.Break)", how)
	}
}

// request is the id of the request that a subject makes in a check.
func request(who any) string { return uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, who)).String() }

// task seals a task as the coordinator does.
func (d *desk) task(id string, action dsar.Action, identifiers []worker.Identifier) event.Event {
	d.Helper()
	d.attempt++
	right := dsar.Erasure
	if action == dsar.Gather {
		right = dsar.Access
	}
	t := dsar.Task{RequestID: id, System: d.system.Manifest.System, Action: action, Attempt: d.attempt, Right: right, Jurisdiction: "EEA", ReceivedAt: time.Now().UTC()}
	return Seal(d, d.vault, t, identifiers)
}

// ask hands in tasks together and returns what was reported of each.
func (d *desk) ask(ctx context.Context, tasks ...event.Event) []dsar.Report {
	d.Helper()
	reports := make([]dsar.Report, len(tasks))
	for i, e := range d.worker.Handle(ctx, d.vault, tasks) {
		switch e.Type {
		case "": // the context was over
			continue
		case event.TypeReport:
		default:
			d.Fatalf("the answer to a task is a %s: %s", e.Type, e.Data)
		}
		if err := json.Unmarshal(e.Data, &reports[i]); err != nil {
			d.Fatal(err)
		}
		d.reports = append(d.reports, reports[i])
	}
	return reports
}

// do asks for one action for one subject, and expects it to end.
func (d *desk) do(action dsar.Action, s Subject) dsar.Report {
	d.Helper()
	return d.ended(d.ask(context.Background(), d.task(request(s.Identifiers), action, s.known(action)))[0])
}

func (d *desk) ended(r dsar.Report) dsar.Report {
	d.Helper()
	if r.Kind != dsar.ReportEnded {
		d.Fatalf("%s ended as %q: %s %s %s", r.Action, r.Kind, r.Code, r.Reason, Detail(d.vault, r))
	}
	return r
}

// gathered are the records that a report left in the vault, as lines.
func (d *desk) gathered(r dsar.Report) []string {
	d.Helper()
	lines := []string{}
	for _, r := range Left(d, d.vault, r) {
		lines = append(lines, r.Line(d))
	}
	slices.Sort(lines)
	return lines
}

// seeded are a subject's records as lines.
func (d *desk) seeded(s Subject) []string {
	d.Helper()
	lines := []string{}
	for _, r := range s.Records {
		lines = append(lines, r.Line(d))
	}
	slices.Sort(lines)
	return lines
}

// same compares what was gathered with what is seeded.
func (d *desk) same(who string, got, want []string) {
	d.Helper()
	for _, line := range want {
		if !slices.Contains(got, line) {
			d.Errorf("%s: a record is missing: %s", who, line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			d.Errorf("%s: a record that isn't theirs: %s", who, line)
		}
	}
	if len(got) != len(want) {
		d.Errorf("%s: %d records, seeded are %d", who, len(got), len(want))
	}
}

// leaksNothing looks for the subjects' data in the log and in whatever of the
// reports travels in the open.
func (d *desk) leaksNothing() {
	d.Helper()
	for _, secret := range d.secrets() {
		if strings.Contains(d.log.String(), secret) {
			d.Errorf("the log holds personal data: %q", secret)
		}
		for _, r := range d.reports {
			r.Detail, r.Identifiers = nil, nil // sealed
			open, err := json.Marshal(r)
			if err != nil {
				d.Fatal(err)
			}
			if strings.Contains(string(open), secret) {
				d.Errorf("a report of %s holds personal data in the open: %q", r.Action, secret)
			}
		}
	}
}

// shortSecret is below what can be told from a word that stands there anyway.
const shortSecret = 6

// secrets are the texts by which a leak is known.
func (d *desk) secrets() (texts []string) {
	add := func(s string) {
		if len(s) >= shortSecret && !slices.Contains(texts, s) {
			texts = append(texts, s)
		}
	}
	for _, s := range d.system.Subjects {
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
