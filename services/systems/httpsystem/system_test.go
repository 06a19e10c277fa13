package httpsystem

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/sandbox/conform"
)

// TestConformance holds the bridge to the kit, with one task a call and with many.
func TestConformance(t *testing.T) {
	t.Parallel()
	for _, batch := range []int{1, 10} {
		t.Run(fmt.Sprint("batch ", batch), func(t *testing.T) {
			t.Parallel()
			workertest.Run(t, func(t testing.TB, _ *slog.Logger) workertest.System {
				s := &service{}
				subjects := s.people()
				m := testManifestOf(t, batch)
				clock := conform.NewClock()
				timed := func(c *Config) { c.Now, c.Pause = clock.Now, clock.Pass }
				return workertest.System{
					Manifest: m, Worker: serve(t, s, m, timed), Subjects: subjects, Nobody: []worker.Identifier{{Type: "email", Value: "nobody@example.com"}},
					Break: func(how workertest.How) bool {
						s.mu.Lock()
						defer s.mu.Unlock()
						s.how = how
						return how != workertest.Working || clock.Pass(t.Context(), 2*time.Hour) == nil
					},
				}
			})
		})
	}
}

// asking makes a worker of a service that answers every action by a function.
func asking(t testing.TB, s *service, change ...func(*Config)) *worker.Worker {
	t.Helper()
	m := testManifestOf(t, 1)
	change = append([]func(*Config){func(c *Config) {
		c.Pause = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	}}, change...)
	w, err := worker.New(m, serve(t, s, m, change...), worker.WithPause(func(ctx context.Context, _ time.Duration) error { return ctx.Err() }))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// lines answers an action with given lines.
func lines(action string, text ...string) func(http.ResponseWriter, *http.Request, string) bool {
	return func(w http.ResponseWriter, _ *http.Request, asked string) bool {
		if asked != action {
			return false
		}
		w.Header().Set("Content-Type", typeLines)
		for _, l := range text {
			_, _ = io.WriteString(w, l+"\n")
		}
		return true
	}
}

const anna = "anna.berger@example.com"

// TestCutAnswer: an answer without its last line, or of another count, or that isn't of
// the contract, is nothing, however well the transport ended.
func TestCutAnswer(t *testing.T) {
	t.Parallel()
	record := `{"task":"1","dataset":"tickets","record":{"number":"A-1"}}`
	for name, text := range map[string][]string{
		"nothing":              {},
		"no end":               {record, `{"task":"1","done":true}`},
		"a smaller count":      {record, record, `{"task":"1","done":true}`, `{"end":{"lines":2}}`},
		"a larger count":       {record, `{"task":"1","done":true}`, `{"end":{"lines":3}}`},
		"lines after the end":  {record, `{"task":"1","done":true}`, `{"end":{"lines":2}}`, record},
		"a line that breaks":   {record, `{"task":"1","do`},
		"an unknown field":     {`{"task":"1","dataset":"tickets","rec":{"number":"A-1"}}`, `{"task":"1","done":true}`, `{"end":{"lines":2}}`},
		"another task":         {record, `{"task":"2","done":true}`, `{"end":{"lines":2}}`},
		"a task ended twice":   {`{"task":"1","done":true}`, `{"task":"1","done":true}`, `{"end":{"lines":2}}`},
		"a key for a record":   {`{"task":"1","dataset":"tickets","key":"A-1"}`, `{"task":"1","done":true}`, `{"end":{"lines":2}}`},
		"two objects a line":   {record + record, `{"task":"1","done":true}`, `{"end":{"lines":2}}`},
		"a record that ends":   {`{"task":"1","dataset":"tickets","record":{"number":"A-1"},"done":true}`, `{"end":{"lines":1}}`},
		"a note that ends":     {record, `{"task":"1","note":"n","done":true}`, `{"end":{"lines":2}}`},
		"done and an error":    {record, `{"task":"1","done":true,"error":{"code":"x","reason":"y"}}`, `{"end":{"lines":2}}`},
		"an end with a line":   {record, `{"task":"1","done":true,"end":{"lines":2}}`},
		"another's case":       {`{"Task":"1","done":true}`, `{"end":{"lines":1}}`},
		"a long s":             {`{"ta\u017fk":"1","done":true}`, `{"end":{"lines":1}}`},
		"two tasks":            {`{"task":"2","task":"1","done":true}`, `{"end":{"lines":1}}`},
		"two of one column":    {`{"task":"1","dataset":"tickets","record":{"number":"A-1","number":"A-2"}}`, `{"task":"1","done":true}`, `{"end":{"lines":2}}`},
		"a retry that isn't":   {`{"task":"1","error":{"code":"x","reason":"y","retry":"perhaps"}}`, `{"end":{"lines":1}}`},
		"a line without limit": {`{"task":"1","note":"` + strings.Repeat("x", MaxLine) + `"}`, `{"task":"1","done":true}`, `{"end":{"lines":2}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := asking(t, &service{answer: lines("gather", text...)})
			got := workertest.Ask(t, w, dsar.Gather, anna)
			if got.Kind != dsar.ReportParked || got.Code != broken || len(got.Records) != 0 {
				t.Fatalf("%s, with %d records", got, len(got.Records))
			}
		})
	}
}

// TestUnended: a task that the answer doesn't end is asked again; the others count.
func TestUnended(t *testing.T) {
	t.Parallel()
	w := asking(t, &service{answer: lines("gather", `{"task":"1","dataset":"tickets","record":{"number":"A-1"}}`, `{"end":{"lines":1}}`)})
	if got := workertest.Ask(t, w, dsar.Gather, anna); got.Kind != dsar.ReportParked || got.Code != "unended" {
		t.Fatal(got)
	}
}

// TestOrder: an erasure that doesn't answer each planned key, in its order, isn't believed.
func TestOrder(t *testing.T) {
	t.Parallel()
	erased := func(key string) string { return `{"task":"1","dataset":"tickets","key":"` + key + `","did":"erased"}` }
	const late = `{"task":"1","dataset":"tickets","key":"A-9","did":"erased","late":true}`
	for name, text := range map[string][]string{
		"one is missing":      {erased("A-1")},
		"another order":       {erased("A-2"), erased("A-1")},
		"one twice":           {erased("A-1"), erased("A-1"), erased("A-2")},
		"one that wasn't":     {erased("A-1"), erased("A-2"), erased("A-3")},
		"nothing was done":    {`{"task":"1","dataset":"tickets","key":"A-1"}`, erased("A-2")},
		"something else":      {`{"task":"1","dataset":"tickets","key":"A-1","did":"archived"}`, erased("A-2")},
		"kept without ground": {`{"task":"1","dataset":"tickets","key":"A-1","did":"retained"}`, erased("A-2")},
		"a late one twice":    {erased("A-1"), erased("A-2"), late, late},
		"a planned one late":  {erased("A-1"), erased("A-2"), strings.Replace(late, "A-9", "A-1", 1)},
		"a late one gone":     {erased("A-1"), erased("A-2"), `{"task":"1","dataset":"tickets","key":"A-9","did":"gone","late":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := append(text, `{"task":"1","done":true}`)
			text = append(text, fmt.Sprintf(`{"end":{"lines":%d}}`, len(text)))
			s := &service{}
			s.add("tickets", "A-1", anna, map[string]any{})
			s.add("tickets", "A-2", anna, map[string]any{})
			w := asking(t, s)
			r := workertest.NewRequest(t, w, anna)
			r.Ask(dsar.Plan)
			s.mu.Lock()
			s.answer = lines("erase", text...)
			s.mu.Unlock()
			if got := r.Ask(dsar.Erase); got.Kind != dsar.ReportParked || got.Code != broken {
				t.Fatal(got)
			}
		})
	}
}

// TestNamedTwice: a plan, or a proof, that names a record twice isn't believed: it would be
// counted twice.
func TestNamedTwice(t *testing.T) {
	t.Parallel()
	for _, action := range []dsar.Action{dsar.Plan, dsar.Prove} {
		t.Run(string(action), func(t *testing.T) {
			t.Parallel()
			s := &service{}
			s.add("tickets", "A-1", anna, map[string]any{})
			w := asking(t, s)
			r := workertest.NewRequest(t, w, anna)
			if action == dsar.Prove {
				r.Ask(dsar.Plan)
				r.Ask(dsar.Erase)
			}
			const one = `{"task":"1","dataset":"tickets","key":"A-1"}`
			s.mu.Lock()
			s.answer = lines(string(action), one, one, `{"task":"1","done":true}`, `{"end":{"lines":3}}`)
			s.mu.Unlock()
			if got := r.Ask(action); got.Kind != dsar.ReportParked || got.Code != broken {
				t.Fatal(got)
			}
		})
	}
}

// TestOtherFields: a service that tells of a field which wasn't to be corrected isn't believed.
func TestOtherFields(t *testing.T) {
	t.Parallel()
	for counts, kind := range map[string]dsar.ReportKind{
		`{"rectified":1,"changed":["name"]}`: dsar.ReportEnded, `{"rectified":5,"changed":["email"]}`: dsar.ReportParked, `{"found":1,"unchanged":["email"]}`: dsar.ReportParked,
	} {
		s := &service{answer: lines("rectify", `{"task":"1","dataset":"tickets","counts":`+counts+`}`, `{"task":"1","done":true}`, `{"end":{"lines":2}}`)}
		m := testManifestOf(t, 1)
		system := serve(t, s, m)
		j := &worker.RectifyJob{Job: worker.Job{Task: worker.Task{RequestID: "r", Action: dsar.Rectify, Right: dsar.Rectification, Attempt: 1, Identifiers: []worker.Identifier{{Type: "email", Value: anna}}}}, Changes: []worker.Change{{Dataset: "tickets", Column: "name", Value: "Anna"}}}
		err := system.Rectify(t.Context(), []*worker.RectifyJob{j})
		if err != nil {
			t.Fatal(err)
		}
		var e *worker.Error
		if got := errors.As(j.Err, &e) && e.Code == broken; got != (kind == dsar.ReportParked) {
			t.Errorf("%s: %v", counts, j.Err)
		}
	}
}

// TestKeptErased: a service that erases a record which had to stay, and keeps another, isn't
// taken at its sums; nor may it be where what kept the record is over.
func TestKeptErased(t *testing.T) {
	t.Parallel()
	long, over := dsar.Retention{Ground: "tax-records", Until: time.Now().Add(time.Hour)}, dsar.Retention{Ground: "tax-records", Until: time.Now().Add(-time.Hour)}
	answers := []string{`{"task":"1","dataset":"bills","key":"A-1","did":"erased"}`, `{"task":"1","dataset":"bills","key":"A-2","did":"retained","keep":{"ground":"tax-records"}}`, `{"task":"1","done":true}`, `{"end":{"lines":3}}`}
	for name, c := range map[string]struct {
		keep dsar.Retention
		held []string
		code string
	}{
		"it must stay":          {long, nil, codeKeptGone},
		"it has no end":         {dsar.Retention{Ground: "tax-records"}, nil, codeKeptGone},
		"its period is over":    {over, nil, ""},
		"it is held":            {dsar.Retention{Ground: dsar.LegalHold}, []string{"bills"}, codeKeptGone},
		"it was held":           {dsar.Retention{Ground: dsar.LegalHold}, nil, ""},
		"others referred to it": {dsar.Retention{Ground: dsar.GroundShared}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := testManifestOf(t, 1)
			writer := worker.NewPlanWriter(m)
			if err := errors.Join(writer.Keep("bills", "A-1", c.keep), writer.Erase("bills", "A-2")); err != nil {
				t.Fatal(err)
			}
			plan, err := writer.Plan()
			if err != nil {
				t.Fatal(err)
			}
			system := serve(t, &service{answer: lines("erase", answers...)}, m)
			j := &worker.EraseJob{Job: worker.Job{Task: worker.Task{RequestID: "r", Action: dsar.Erase, Right: dsar.Erasure, Attempt: 1, Identifiers: []worker.Identifier{{Type: "email", Value: "anna@example.com"}}, Holds: c.held}}, Plan: plan}
			if err := system.Erase(t.Context(), []*worker.EraseJob{j}); err != nil {
				t.Fatal(err)
			}
			var e *worker.Error
			if errors.As(j.Err, &e); (j.Err != nil) != (c.code != "") || e != nil && (e.Code != c.code || !e.Permanent() || e.Cause.Dataset != "bills") {
				t.Fatalf("%v, %+v", j.Err, j.Counts)
			}
			if len(j.Counts) != 1 || j.Counts[0].Erased != 1 || j.Counts[0].Kept() != 1 {
				t.Errorf("%+v", j.Counts)
			}
		})
	}
}

// TestAccepted: a service that is at work is asked again by the same id, and answers with
// the lines when it has ended.
func TestAccepted(t *testing.T) {
	t.Parallel()
	s := &service{}
	s.people()
	var asked atomic.Int64
	s.answer = func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		if asked.Add(1) > 1 {
			return false
		}
		w.Header().Set("Retry-After", "90")
		w.WriteHeader(http.StatusAccepted)
		return true
	}
	w := asking(t, s)
	r := workertest.NewRequest(t, w, anna)
	got := r.Ask(dsar.Gather)
	if until := time.Until(got.Until); got.Kind != dsar.ReportParked || got.Code != "accepted" || until < time.Minute || until > 2*time.Minute {
		t.Fatal(got)
	}
	if got = r.Ask(dsar.Gather); got.Kind != dsar.ReportEnded || len(got.Records) != 4 {
		t.Fatal(got)
	}
	if len(s.calls) != 2 || s.calls[0] != s.calls[1] {
		t.Fatalf("asked by %q", s.calls)
	}
}

// TestStatuses: what each status means for the task.
func TestStatuses(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]struct {
		kind dsar.ReportKind
		code string
	}{
		400: {dsar.ReportFailed, codeRefused}, 413: {dsar.ReportFailed, codeRefused}, 415: {dsar.ReportFailed, codeRefused}, 422: {dsar.ReportFailed, codeRefused},
		401: {dsar.ReportFailed, codeNotSetUp}, 403: {dsar.ReportFailed, codeNotSetUp}, 404: {dsar.ReportFailed, codeNotSetUp}, 405: {dsar.ReportFailed, codeNotSetUp},
		301: {dsar.ReportFailed, codeNotSetUp}, 307: {dsar.ReportFailed, codeNotSetUp}, 410: {dsar.ReportFailed, "gone"},
		409: {dsar.ReportParked, "at-work"}, 429: {dsar.ReportParked, "come-later"}, 503: {dsar.ReportParked, "come-later"},
		500: {dsar.ReportParked, "unavailable"}, 501: {dsar.ReportParked, "unavailable"}, 502: {dsar.ReportParked, "unavailable"}, 418: {dsar.ReportParked, "unknown-code"},
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			w := asking(t, &service{answer: func(w http.ResponseWriter, _ *http.Request, _ string) bool {
				w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
				w.WriteHeader(status)
				return true
			}})
			if got := workertest.Ask(t, w, dsar.Gather, anna); got.Kind != want.kind || got.Code != want.code {
				t.Fatal(got)
			}
		})
	}
}

// TestHalves: where a service refuses several together, it is asked for each half, so that
// one task doesn't fail the others.
func TestHalves(t *testing.T) {
	t.Parallel()
	s := &service{}
	s.people()
	s.answer = func(w http.ResponseWriter, r *http.Request, _ string) bool {
		if r.ContentLength < 600 {
			return false
		}
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return true
	}
	m := testManifestOf(t, 10)
	w, err := worker.New(m, serve(t, s, m))
	if err != nil {
		t.Fatal(err)
	}
	desk := workertest.NewDesk(t)
	var tasks []event.Event
	for i := range 5 {
		tasks = append(tasks, workertest.Seal(t, desk, dsar.Task{
			RequestID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i), System: "desk", Action: dsar.Gather, Attempt: 1, Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: time.Now(),
		}, []worker.Identifier{{Type: "email", Value: anna}}))
	}
	for _, e := range desk.Handle(t.Context(), w, tasks) {
		var got dsar.Report
		if err := json.Unmarshal(e.Data, &got); err != nil || got.Kind != dsar.ReportEnded || len(got.Counts) == 0 {
			t.Fatalf("%s %v", e.Data, err)
		}
	}
}

// TestLongPlan: a plan of many records comes and goes as lines, each in its place.
func TestLongPlan(t *testing.T) {
	t.Parallel()
	const many = 20_000
	count := func(w http.ResponseWriter, action string, put func(io.Writer, int) string) bool {
		w.Header().Set("Content-Type", typeLines)
		out := bufio.NewWriter(w)
		for i := range many {
			_, _ = out.WriteString(put(out, i))
		}
		fmt.Fprintf(out, "{\"task\":\"1\",\"done\":true}\n{\"end\":{\"lines\":%d}}\n", many+1)
		_ = out.Flush()
		return true
	}
	s := &service{answer: func(w http.ResponseWriter, _ *http.Request, action string) bool {
		did := ""
		if action == "erase" {
			did = `,"did":"erased"`
		}
		return count(w, action, func(_ io.Writer, i int) string {
			return fmt.Sprintf("{\"task\":\"1\",\"dataset\":\"tickets\",\"key\":\"T-%d\"%s}\n", i, did)
		})
	}}
	got := workertest.Ask(t, asking(t, s), dsar.Erase, anna)
	if got.Kind != dsar.ReportEnded || len(got.Counts) != 1 || got.Counts[0].Erased != many {
		t.Fatal(got)
	}
}

// TestSilence: a service that says nothing any more is left, and asked again.
func TestSilence(t *testing.T) {
	t.Parallel()
	s := &service{answer: func(w http.ResponseWriter, r *http.Request, _ string) bool {
		w.Header().Set("Content-Type", typeLines)
		_, _ = io.WriteString(w, "{}\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return true
	}}
	w := asking(t, s, func(c *Config) { c.Silence = 50 * time.Millisecond })
	if got := workertest.Ask(t, w, dsar.Gather, anna); got.Kind != dsar.ReportParked || got.Code != "silent" {
		t.Fatal(got)
	}
}

// TestAnotherSystem: a service that isn't what the manifest says is asked for nothing.
func TestAnotherSystem(t *testing.T) {
	t.Parallel()
	s := &service{actions: []string{"gather", "plan", "erase"}}
	if got := workertest.Ask(t, asking(t, s), dsar.Gather, anna); got.Kind != dsar.ReportFailed || got.Code != codeNotSetUp || !strings.Contains(got.Reason, "resolve, prove, rectify, restrict") {
		t.Fatal(got)
	}
	if len(s.calls) != 0 {
		t.Fatal(s.calls)
	}
}

// TestCanary: what a service answers beside its lines, and what it says of errors in
// detail, is in nothing that is open.
func TestCanary(t *testing.T) {
	t.Parallel()
	const canary = "CANARY-anna-berger"
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request, string) bool{
		"an error's page": func(w http.ResponseWriter, _ *http.Request, _ string) bool {
			w.Header().Set("X-Request-Id", canary)
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, canary)
			return true
		},
		"an error's detail": lines("gather", `{"task":"1","error":{"code":"broken","reason":"it broke","detail":"`+canary+`"}}`, `{"end":{"lines":1}}`),
		"a broken line":     lines("gather", `{"task":"1","`+canary+`":1}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := workertest.Ask(t, asking(t, &service{answer: answer}), dsar.Gather, anna)
			got.Report.Detail = nil
			open, err := json.Marshal(got.Report)
			if err != nil || strings.Contains(string(open), canary) || got.Kind == dsar.ReportEnded {
				t.Fatalf("%s %v", open, err)
			}
		})
	}
}

// TestAddress: people's data goes over TLS, or over no network.
func TestAddress(t *testing.T) {
	t.Parallel()
	m := testManifestOf(t, 1)
	for url, ok := range map[string]bool{
		"https://desk.example.com": true, "https://desk.example.com/habeas/": true, "http://127.0.0.1:8080": true, "http://[::1]:8080/x": true, "http://localhost": true,
		"": false, "http://desk.example.com": false, "http://127.0.0.1.example.com": false, "ftp://desk.example.com": false, "https://": false,
		"https://user:secret@desk.example.com": false, "https://desk.example.com?token=1": false, "desk.example.com": false,
	} {
		_, err := New(Config{URL: url, Secret: vendorapi.SecretValue(testSecret), Manifest: m})
		if (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := New(Config{URL: "https://desk.example.com", Manifest: m}); err == nil {
		t.Error("without a secret")
	}
}
