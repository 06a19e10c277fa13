package httpsystem

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/internal/webhook"
)

const testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjU"

const testManifest = `
system: desk
title: {en: Help desk}
abilities: [resolve, gather, erase, rectify, restrict]
needs: [email]
finds: [customer]
scope: {customer: shared}
http: {batch: %d}
defaults: {category: commercial information, origin: provided, purpose: {en: To help you}, legal_basis: contract, storage: {en: A year}}
datasets:
  - name: tickets
    title: {en: Tickets}
    columns: [number, email, text, {votes: number}]
  - name: bills
    title: {en: Bills}
    columns: [number, email, text, {billed_on: date}]
    retention: [{ground: tax-records, column: billed_on, source: "Code de commerce, L123-22", title: {en: Tax records}, period: P10Y}]
`

func testManifestOf(t testing.TB, batch int) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Parse("desk.yaml", fmt.Appendf(nil, testManifest, batch))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// row is a record of the service; bills must stay.
type row struct {
	dataset, key, email string
	values              map[string]any
	restricted          bool
}

// service is a service of the contract, as one would be written in any language: it reads
// lines, and writes lines. It is the oracle as well: what it holds is looked at directly.
type service struct {
	mu    sync.Mutex
	rows  []*row
	calls []string // actions with their run's id
	how   workertest.How
	// answer replaces an answer where it isn't nil; it is told the action.
	answer  func(http.ResponseWriter, *http.Request, string) bool
	actions []string // nil: all
	// seen is told what was asked and what was answered; nil: nobody is.
	seen func(action string, body, answer []byte)
}

// serve starts a service and returns the system that calls it.
func serve(t testing.TB, s *service, m *manifest.Manifest, change ...func(*Config)) *System {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c := Config{URL: server.URL, Secret: vendorapi.SecretValue(testSecret), Manifest: m}
	for _, f := range change {
		f(&c)
	}
	system, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return system
}

func (s *service) add(dataset, key, email string, values map[string]any) *row {
	values["number"], values["email"] = key, email
	r := &row{dataset: dataset, key: key, email: email, values: values}
	s.rows = append(s.rows, r)
	return r
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	keys, _ := webhook.ParseSecrets(testSecret)
	want, _ := webhook.Sign(keys, r.Header.Get(webhook.HeaderID), r.Header.Get(webhook.HeaderTimestamp), func(to io.Writer) error {
		_, err := to.Write(body)
		return err
	})
	if err != nil || r.Header.Get(webhook.HeaderSignature) != want {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	action := strings.TrimPrefix(r.URL.Path, "/v1/")
	if r.URL.Path == "/v1" {
		actions := s.actions
		if actions == nil {
			actions = []string{"resolve", "gather", "plan", "erase", "prove", "rectify", "restrict"}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"contract": 1, "system": "desk", "actions": actions})
		return
	}
	s.mu.Lock()
	s.calls = append(s.calls, action+" "+r.Header.Get(webhook.HeaderID))
	how, answer := s.how, s.answer
	s.mu.Unlock()
	switch {
	case answer != nil && answer(w, r, action):
		return
	case how == workertest.Failing:
		w.WriteHeader(http.StatusInternalServerError)
		return
	case how == workertest.Refusing:
		w.WriteHeader(http.StatusForbidden)
		return
	case how == workertest.RateLimited:
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case how == workertest.Hanging:
		<-r.Context().Done()
		return
	}
	w.Header().Set("Content-Type", typeLines)
	var said bytes.Buffer
	s.reply(io.MultiWriter(w, &said), action, body)
	if s.seen != nil {
		s.seen(action, body, said.Bytes())
	}
}

// reply answers an action's lines.
func (s *service) reply(w io.Writer, action string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	put := func(v any) {
		n++
		_ = json.NewEncoder(w).Encode(v)
	}
	put(map[string]any{})
	in := bufio.NewScanner(bytes.NewReader(body))
	in.Buffer(nil, MaxLine)
	var order []string
	tasks, planned := map[string]asked{}, map[string][]key{}
	for in.Scan() {
		var l struct {
			asked
			Dataset, Key string
			Keep         *keep
			End          *end
		}
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			panic(err)
		}
		switch {
		case l.End != nil:
		case l.Key != "":
			planned[l.Task] = append(planned[l.Task], key{l.Task, l.Dataset, l.Key, l.Keep})
		default:
			order = append(order, l.Task)
			tasks[l.Task] = l.asked
		}
	}
	for _, id := range order {
		if s.act(action, tasks[id], planned[id], put) {
			return // broke off
		}
		put(line{Task: id, Done: true})
	}
	_ = json.NewEncoder(w).Encode(line{End: &end{int64(n)}})
}

func (s *service) of(t asked) (rows []*row) {
	for _, r := range s.rows {
		if r.has(t.Identifiers) {
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b *row) int { return -bytes.Compare([]byte(a.dataset), []byte(b.dataset)) })
	return rows
}

// has reports whether a record has one of some identifiers.
func (r *row) has(ids []identifier) bool {
	return slices.ContainsFunc(ids, func(i identifier) bool { return i.Value == r.email || i.Type == "customer" && i.Value == "C-"+r.email })
}

func (s *service) act(action string, t asked, planned []key, put func(any)) (broke bool) {
	stays := func(r *row) *keep {
		if r.dataset == "bills" {
			return &keep{Ground: "tax-records"}
		}
		return nil
	}
	rows := s.of(t)
	switch action {
	case "resolve":
		if len(rows) > 0 {
			put(line{Task: t.Task, Found: &found{Type: "customer", Value: "C-" + rows[0].email}})
		}
	case "gather":
		for _, r := range rows {
			put(line{Task: t.Task, Dataset: r.dataset, Record: r.values})
		}
	case "plan":
		for _, r := range rows {
			put(line{Task: t.Task, Dataset: r.dataset, Key: r.key, Keep: stays(r)})
		}
	case "erase", "prove":
		done := map[string]bool{}
		say := func(dataset, key string, late bool) {
			done[dataset+key] = true
			i := slices.IndexFunc(s.rows, func(r *row) bool { return r.dataset == dataset && r.key == key })
			l := line{Task: t.Task, Dataset: dataset, Key: key, Late: late && action == "erase"}
			switch {
			case i < 0:
				l.Did = didGone
			case !late && !slices.Contains(rows, s.rows[i]) && !s.rows[i].has(t.Owner):
				l.Did = didReassign
			case stays(s.rows[i]) != nil:
				l.Did, l.Keep = didRetain, stays(s.rows[i])
			default:
				l.Did = didErase
			}
			if action == "prove" {
				if l.Did == didGone || l.Did == didReassign {
					return
				}
				l.Did = ""
			} else if l.Did == didErase {
				s.rows = slices.Delete(s.rows, i, i+1)
			}
			put(l)
		}
		for i, k := range planned {
			if action == "erase" && s.how == workertest.Halfway && i == len(planned)/2 {
				return true
			}
			say(k.Dataset, k.Key, false)
		}
		for _, r := range rows {
			if !done[r.dataset+r.key] {
				say(r.dataset, r.key, true)
			}
		}
	case "rectify":
		for _, c := range t.Changes {
			n := int64(0)
			for _, r := range rows {
				if r.dataset == c.Dataset {
					r.values[c.Column] = c.Value
					n++
				}
			}
			put(line{Task: t.Task, Dataset: c.Dataset, Counts: &counts{Rectified: n, Changed: []string{c.Column}}})
		}
	case "restrict":
		n := int64(0)
		for _, r := range rows {
			r.restricted = !t.Lift
			n++
		}
		put(line{Task: t.Task, Dataset: "tickets", Counts: &counts{Restricted: n}})
	}
	return false
}

// people seeds a service with two people, and says what it holds of each.
func (s *service) people() []workertest.Subject {
	out := make([]workertest.Subject, 2)
	for i, email := range []string{"anna.berger@example.com", "bob.castle@example.com"} {
		subject := &out[i]
		subject.Identifiers = []worker.Identifier{{Type: "email", Value: email}}
		subject.Finds = []worker.Identifier{{Type: "customer", Value: "C-" + email}}
		subject.Stay = map[string]int64{"bills": 1}
		for n := range 4 + i {
			dataset := []string{"tickets", "bills"}[min(n/3*(1-n/4), 1)]
			r := s.add(dataset, fmt.Sprintf("%s-%d-%d", dataset, i, n), email, map[string]any{"text": fmt.Sprintf("what %s said, %d", email, n)})
			if dataset == "tickets" {
				r.values["votes"] = json.Number("7")
			}
			values := map[string]any{"number": r.key, "email": email, "text": r.values["text"]}
			if dataset == "tickets" {
				values["votes"] = float64(7)
			} else {
				values["billed_on"] = nil
			}
			subject.Records = append(subject.Records, workertest.Record{Dataset: dataset, Values: values})
		}
	}
	return out
}
