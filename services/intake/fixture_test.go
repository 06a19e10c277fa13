package intake_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"gocloud.dev/secrets/localsecrets"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	rules "habeas.dev/pkg/identifier"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/vault/cloudvault"
	"habeas.dev/services/intake"
	"habeas.dev/services/internal/blobtest"
	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/remarks"
)

const (
	requestID = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	// canary stands in every personal value: it is to be found nowhere in the
	// open.
	canary  = "kanarienvogel"
	address = canary + "@example.com"
)

var now = time.Date(2026, 11, 20, 9, 30, 1, 0, time.UTC)

// fixture is an intake with both doors, on stores in memory that can fail. It has no master
// key; vault opens what it seals.
type fixture struct {
	t *testing.T
	*intake.Intake
	contract *contract
	journal  journal.Store
	vault    *vault.Vault
	bucket   *blobtest.Bucket
	log      bytes.Buffer

	mu       sync.Mutex
	down     error // what the stores say
	deaf     error // what the topic of the rejected says
	rejected []event.Event
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	w := &fixture{t: t, contract: newContract(t)}
	w.journal = memjournal.New(memjournal.Config{Fault: func(memjournal.Op, bool) error { return w.fault() }})
	w.start()
	return w
}

// start builds the intake on the fixture's journal.
func (w *fixture) start() {
	t := w.t
	key, err := localsecrets.NewRandomKey()
	must(t, err)
	w.bucket = &blobtest.Bucket{}
	w.vault, err = vault.New(t.Context(), cloudvault.Bucket(w.bucket.Open()), vault.KeysIn(cloudvault.Bucket(w.bucket.Open())), cloudvault.Master(localsecrets.NewKeeper(key)))
	must(t, err)
	sealing, err := w.vault.MakeSealingKey(t.Context(), false)
	must(t, err)
	sealer, err := vault.NewSealer(t.Context(), vault.KeysIn(cloudvault.Bucket(w.bucket.Open())), sealing, rules.Rules{})
	must(t, err)
	book, err := policy.Load("../internal/policy/testdata/laws")
	must(t, err)
	w.Intake, err = intake.New(intake.Config{
		Requests: lifecycle.New(w.journal, lifecycle.WithRemarks(remarks.Sealing{Vault: sealer})), Rows: w.journal, Vault: sealer, Policy: book, Validator: w.contract.validator,
		Catalogue: []dsar.System{{Name: "billing", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email", "loyalty_no"}}},
		Columns:   []string{"name", "phone"}, Rejected: w, Now: func() time.Time { return now },
		Log: slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	must(t, err)
}

// Submit submits as whoever calls a door that knows no callers.
func (w *fixture) Submit(ctx context.Context, data []byte) (intake.Receipt, error) {
	return w.Intake.Submit(ctx, callers.Local(), data)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *fixture) fault() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.down
}

// set has the stores, or the topic of the rejected, fail from here on.
func (w *fixture) set(down, deaf error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down, w.deaf = down, deaf
	w.bucket.Fault = func(blobtest.Op, bool) error { return down }
}

// Send implements intake.Publisher: each event is held against the contract.
func (w *fixture) Send(_ context.Context, topic string, e event.Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.deaf != nil {
		return w.deaf
	}
	if topic != event.TopicRejected {
		return errors.New("another topic")
	}
	if err := w.contract.event(e.Headers(), e.Data); err != nil {
		w.t.Errorf("on %s: %v", topic, err)
	}
	if len(e.Data) > 1<<20-1024 {
		w.t.Errorf("an event of %d bytes doesn't fit a record", len(e.Data))
	}
	w.discreet("what was rejected", string(e.Data), e.Subject, e.ID)
	w.rejected = append(w.rejected, e)
	return nil
}

// discreet fails the test where a text has personal data in it.
func (w *fixture) discreet(where string, texts ...string) {
	w.t.Helper()
	for _, text := range texts {
		if strings.Contains(text, canary) {
			w.t.Errorf("personal data in %s: %.300s", where, text)
		}
	}
}

// newRequest returns a call as one on the door's own machine sends it.
func newRequest(method, path string, body io.Reader) *http.Request {
	r := httptest.NewRequest(method, path, body)
	r.RemoteAddr, r.Host = "127.0.0.1:5000", "localhost:8420"
	return r
}

// do asks the door over HTTP and holds the answer against the contract.
func (w *fixture) do(method, path, template string, body []byte, headers ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := newRequest(method, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return w.ask(r, template)
}

func (w *fixture) ask(r *http.Request, template string) *httptest.ResponseRecorder {
	w.t.Helper()
	answer := httptest.NewRecorder()
	w.Handler().ServeHTTP(answer, r)
	if err := w.contract.answer(r.Method, template, answer); err != nil {
		w.t.Errorf("%v\n%.500s", err, answer.Body)
	}
	w.discreet("an answer", answer.Body.String(), answer.Header().Get("Location"))
	w.discreet("the log", w.log.String())
	return answer
}

func (w *fixture) post(body []byte) *httptest.ResponseRecorder {
	w.t.Helper()
	return w.do(http.MethodPost, "/v1/requests", "/v1/requests", body)
}

// code returns the code of a problem.
func code(t *testing.T, r *httptest.ResponseRecorder) string {
	t.Helper()
	var p struct{ Code string }
	must(t, json.Unmarshal(r.Body.Bytes(), &p))
	return p.Code
}

// publish hands a record to the topic's door.
func (w *fixture) publish(key string, payload []byte, changes ...func(map[string]string)) error {
	e := event.Event{ID: "1", Source: "signup-page", Type: event.TypeSubmitted, Data: payload}
	headers := e.Headers()
	for _, change := range changes {
		change(headers)
	}
	err := w.HandleMessage(w.t.Context(), headers, key, payload)
	w.discreet("the log", w.log.String())
	return err
}

// lastRejected takes the one event that was rejected since.
func (w *fixture) lastRejected() event.Rejected {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rejected) != 1 {
		w.t.Fatalf("%d records were rejected, want 1", len(w.rejected))
	}
	var r event.Rejected
	must(w.t, json.Unmarshal(w.rejected[0].Data, &r))
	w.rejected = nil
	return r
}

// reads opens the record that an event of a rejected one has sealed.
func (w *fixture) reads(r event.Rejected) event.Record {
	w.t.Helper()
	keys, err := w.vault.Keys(w.t.Context(), r.KeySet)
	must(w.t, err)
	plain, err := keys.Open(r.Sealed, vault.Rejected)
	must(w.t, err)
	var record event.Record
	must(w.t, json.Unmarshal(plain, &record))
	return record
}

// accepted returns the first fact of a request; the zero one where there is none.
// Its messages are held against the contract, and all of it must be sealed.
func (w *fixture) accepted(id string) core.Accepted {
	w.t.Helper()
	facts, err := w.journal.Facts(w.t.Context(), id, 1)
	must(w.t, err)
	if len(facts) == 0 {
		return core.Accepted{}
	}
	for _, f := range facts {
		w.discreet("the journal", string(f.Data))
	}
	pending, err := w.journal.Pending(w.t.Context(), 1000)
	must(w.t, err)
	for _, m := range pending {
		if err := w.contract.event(m.Headers, m.Payload); err != nil {
			w.t.Errorf("on %s: %v", m.Topic, err)
		}
		w.discreet("a message", string(m.Payload), m.Key)
	}
	first, err := core.Decode(facts[0].Type, facts[0].Data)
	must(w.t, err)
	return first.(core.Accepted)
}

// values opens the identifiers of an accepted request.
func (w *fixture) values(a core.Accepted) []string {
	w.t.Helper()
	keys, err := w.vault.Keys(w.t.Context(), a.RequestID)
	must(w.t, err)
	var values []string
	for _, id := range a.Identifiers {
		plain, err := keys.Open(id.Sealed, vault.Identifier)
		must(w.t, err)
		values = append(values, string(plain))
	}
	return values
}

// request returns a good request, as data that can be changed.
func request(changes ...func(map[string]any)) map[string]any {
	data := map[string]any{
		"request_id": requestID, "right": "access", "jurisdiction": "EEA", "received_at": "2026-11-20T09:30:00Z", "source": "signup-page",
		"subject": map[string]any{"identifiers": []any{map[string]any{"type": "email", "value": address, "verified": true}}, "locale": "fr"},
	}
	for _, change := range changes {
		change(data)
	}
	return data
}

func text(t testing.TB, data any) []byte {
	t.Helper()
	b, err := json.Marshal(data)
	must(t, err)
	return b
}

// with changes one member, or one of the subject's.
func with(name string, value any) func(map[string]any) {
	return func(m map[string]any) {
		if name == "identifiers" || name == "locale" {
			m = m["subject"].(map[string]any)
		}
		m[name] = value
	}
}

func identifier(typ, value string) map[string]any {
	return map[string]any{"type": typ, "value": value}
}

// plain asks for what isn't in the document's form.
func (w *fixture) plain(path string) *httptest.ResponseRecorder {
	w.t.Helper()
	answer := httptest.NewRecorder()
	w.Handler().ServeHTTP(answer, newRequest(http.MethodGet, path, nil))
	if answer.Code != http.StatusOK {
		w.t.Errorf("%s: %d", path, answer.Code)
	}
	return answer
}
