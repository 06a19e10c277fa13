package vendorbench

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/sandbox/people"
)

// limits are what a scene is played under: none, or the vendor's own, with the
// time that an answer takes.
type limits struct {
	real    bool
	latency time.Duration
}

// scene is a vendor's worker, by way of the SDK, and the stand-in that it calls
// without a network.
type scene struct {
	testing.TB
	vendor vendor
	people *people.Population
	can    func(dsar.Action) bool
	worker *worker.Worker
	vault  *workertest.Desk
	count  func() map[string]int64
	keys   map[string]*vault.Keys
	plans  map[int]*dsar.Object // by person
	tried  map[string]int       // by request and action
}

func open(t testing.TB, v vendor, p *people.Population, l limits) *scene {
	t.Helper()
	s := &scene{TB: t, vendor: v, people: p, keys: map[string]*vault.Keys{}, plans: map[int]*dsar.Object{}, tried: map[string]int{}}
	standIn, count := v.standIn(t, p, l)
	s.count = count
	m, impl := v.worker(t, &http.Client{Transport: wire{standIn, l.latency}}, l)
	s.can = m.Can
	var err error
	if s.worker, err = worker.New(m, impl, worker.WithLogger(slog.New(slog.DiscardHandler))); err != nil {
		t.Fatal(err)
	}
	s.vault = workertest.NewDesk(t)
	return s
}

// calls returns how many calls count, and apart from them those for files' bytes. A
// token's don't count.
func (s *scene) calls() (n, files int64) {
	for kind, calls := range s.count() {
		switch kind {
		case "token":
		case s.vendor.files:
			files += calls
		default:
			n += calls
		}
	}
	return n, files
}

// until does an action for some people, together, and takes up what is
// parked until all have ended, as the coordinator does.
func (s *scene) until(a dsar.Action, from, to int) {
	s.Helper()
	var open []int
	for n := from; n <= to; n++ {
		open = append(open, n)
	}
	for range maxRounds {
		var left []int
		var next time.Time
		for i, r := range s.ask(a, open) {
			if r.Kind != dsar.ReportParked {
				continue
			}
			left = append(left, open[i])
			if next.IsZero() || r.Until.Before(next) {
				next = r.Until
			}
		}
		if left == nil {
			return
		}
		if err := pass(s.Context(), max(time.Until(next), time.Second)); err != nil {
			s.Fatal(err)
		}
		open = left
	}
	s.Fatal("some tasks are parked for ever")
}

func (s *scene) ask(a dsar.Action, who []int) []dsar.Report {
	s.Helper()
	var tasks []event.Event
	var asked []int // by place of its task
	reports := make([]dsar.Report, len(who))
	for i, n := range who {
		nothing := a == dsar.Erase && s.plans[n] == nil // what nothing is planned of isn't erased
		if ids := s.vendor.identifiers(s.people, n); len(ids) > 0 && !nothing {
			tasks, asked = append(tasks, s.task(a, n, ids)), append(asked, i)
		} else {
			reports[i].Kind = dsar.ReportEnded
		}
	}
	for i, e := range s.vault.Handle(s.Context(), s.worker, tasks) {
		r := &reports[asked[i]]
		if err := json.Unmarshal(e.Data, r); err != nil {
			s.Fatal(err)
		}
		if a == dsar.Plan && len(r.Objects) > 0 {
			s.plans[who[asked[i]]] = &r.Objects[0]
		}
		if r.Kind == dsar.ReportFailed && r.Code != "not-restrictable" { // a person sees to the rest
			s.Fatalf("%s: %s failed: %s: %s", s.vendor.name, a, r.Code, r.Reason)
		}
	}
	return reports
}

// task seals a task as the coordinator does.
func (s *scene) task(a dsar.Action, n int, identifiers []worker.Identifier) event.Event {
	s.Helper()
	id := uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, n)).String()
	keys := s.keys[id]
	if keys == nil {
		var err error
		if keys, err = s.vault.CreateKeys(s.Context(), id); err != nil {
			s.Fatal(err)
		}
		s.keys[id] = keys
	}
	right := map[dsar.Action]dsar.Right{dsar.Gather: dsar.Access, dsar.Restrict: dsar.Restriction}[a]
	if right == "" {
		right = dsar.Erasure
	}
	s.tried[id+string(a)]++
	t := dsar.Task{RequestID: id, System: s.worker.System(), Action: a, Attempt: s.tried[id+string(a)], Right: right, Jurisdiction: "EEA", ReceivedAt: time.Now().UTC()}
	if a == dsar.Erase || a == dsar.Prove {
		t.Plan = s.plans[n]
	}
	for _, i := range identifiers {
		sealed, err := keys.Seal([]byte(i.Value), vault.Identifier)
		if err != nil {
			s.Fatal(err)
		}
		t.Identifiers = append(t.Identifiers, dsar.Identifier{Type: i.Type, Fingerprint: s.vault.Fingerprint(i.Type, i.Value), Sealed: sealed, Assurance: dsar.AssuranceVerified})
	}
	data, err := json.Marshal(t)
	if err != nil {
		s.Fatal(err)
	}
	return event.Event{ID: event.TaskID(id, t.System, a, t.Attempt), Source: "vendorbench", Type: event.TypeTask, Subject: id, Time: t.ReceivedAt, Data: data}
}

// wire hands calls to a stand-in, and has time pass.
type wire struct {
	to      http.Handler
	latency time.Duration
}

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	// Callers wait for a token behind a lock, behind which virtual time stands.
	if w.latency > 0 && !strings.Contains(r.URL.Path, "token") {
		if err := pass(r.Context(), w.latency); err != nil {
			return nil, err
		}
	}
	r = r.Clone(r.Context())
	r.RequestURI = r.URL.RequestURI()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	rec := httptest.NewRecorder()
	w.to.ServeHTTP(rec, r)
	return rec.Result(), nil
}
