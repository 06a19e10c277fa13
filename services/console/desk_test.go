package console_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/core/coretest"
	"habeas.dev/services/internal/correction"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/letter"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/operator"
	"habeas.dev/services/internal/policy"
)

// canary identifies the person of every request; it MUST be on no page but the
// one that reveals it, and in no log.
const canary = "kanarienvogel@example.com"

// origin is the console's own address, as browsers say it.
const origin = "https://habeas.example.com"

var start = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

const billingYAML = `
system: billing
title: {en: Billing, fr: Facturation}
abilities: [gather, erase]
needs: [email]
datasets:
  - name: invoices
    title: {en: Invoices, fr: Factures}
    category: commercial information
    origin: observed
    purpose: {en: To bill, fr: Facturer}
    legal_basis: contract
    storage: {en: Ten years, fr: Dix ans}
    columns:
      - {name: number, title: {en: Number, fr: Numéro}}
      - {name: amount, title: {en: Amount, fr: Montant}}
      - {name: payer, title: {en: Payer, fr: Payeur}}
      - {name: note, title: {en: Note, fr: Note}}
      - {name: card, title: {en: Card, fr: Carte}, secret: payment-card}
    others: [{columns: [payer, note, card], unless: {email: payer}, then: person}]
`

// desk is a console on requests in memory, and the clock that it goes by.
type desk struct {
	law   string    // of requests; empty: EEA
	email string    // of who makes them; empty: the canary
	due   time.Time // when their answers are; zero: in a month
	about string    // the request that the next appeal is about; empty: one that was refused
	*console.Console
	t        testing.TB
	handler  http.Handler
	signIn   *console.OIDC
	journal  journal.Store
	systems  []string     // beside billing
	toldBy   core.Channel // of requests that come in
	fourEyes []core.FourEyes
	review   core.CorrectionReview // when its corrections wait
	// looksFirst has requests wait until it was looked for others of the person.
	looksFirst bool
	carried    []core.HoldPlaced // holds that come over to what comes in
	ends       string            // where the provider ends its session, after its own address
	tasks      func(ctx context.Context, system string) (int64, error)
	accounts   func(ctx context.Context) ([]vendorapi.Account, error)
	letters    map[string]string // by the names of their objects
	phrases    console.Phrases
	signer     note.Signer
	requests   *lifecycle.Lifecycle
	vault      *vault.Vault
	book       *policy.Book
	log        *workertest.Log

	mu  sync.Mutex
	now time.Time
}

func newDesk(t testing.TB) *desk {
	d := &desk{t: t, journal: memjournal.New(memjournal.Config{}), log: &workertest.Log{}, now: start.Add(time.Hour)}
	d.requests = lifecycle.New(d.journal)
	var err error
	if d.vault, err = vault.InMemory(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.vault.Close() })
	if d.book, err = policy.Load(); err != nil {
		t.Fatal(err)
	}
	d.open()
	return d
}

// open has one more console on the same journal and vault.
func (d *desk) open() {
	billing, err := manifest.Parse("billing.yaml", []byte(billingYAML))
	if err != nil {
		d.t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(d.log, nil))
	d.signIn, err = console.NewOIDC(console.OIDCConfig{Issuer: provider(d.t, d.ends), ClientID: "console", URL: origin, Roles: map[string][]string{"viewer": {"v"}},
		Signs: d.vault.Secret("signs"), Encrypts: d.vault.Secret("encrypts"), Ended: d.journal, Now: d.clock, Log: logger})
	if err != nil {
		d.t.Fatal(err)
	}
	manifests := []*manifest.Manifest{billing}
	for _, name := range d.systems {
		m := *billing
		if m.System = name; name != billing.System {
			manifests = append(manifests, &m)
		}
	}
	d.Console, err = console.New(console.Config{Requests: d.requests, Journal: d.journal, Vault: d.vault, Manifests: manifests, Policy: d.book, Answers: answers{}, Sent: sentThings{}, Corrections: d.corrections,
		SignIn: d.signIn, TakeIn: d.takeIn, Evidence: console.Evidence{Signer: d.signer, Receipt: d.receipt}, Letters: d, Writer: letter.NewWriter(d.book, operator.Operator{}), Phrases: d.phrases, Traces: "https://traces.example.com/{trace}", Tasks: d.tasks, Accounts: d.accounts, Now: d.clock, Log: logger})
	if err != nil {
		d.t.Fatal(err)
	}
	d.handler = d.Handler()
}

// OpenLetter opens a letter that was written.
func (d *desk) OpenLetter(_ context.Context, object string) (io.ReadCloser, error) {
	if text, ok := d.letters[object]; ok {
		return io.NopCloser(strings.NewReader(text)), nil
	}
	return nil, fs.ErrNotExist
}

// receipt returns a receipt that says nothing.
func (d *desk) receipt(context.Context, string) (document, proof []byte, ok bool, err error) {
	return []byte("{}"), []byte("proof"), true, nil
}

// takeIn takes in a request as intake does: by an id once, by the law, and so many of a
// person.
func (d *desk) takeIn(ctx context.Context, data []byte) error {
	var s event.Submitted
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	switch {
	case s.Right == dsar.OptOut:
		return &console.RefusedError{Code: "right-not-granted"}
	case s.Subject.Identifiers[0].Value == "often@example.com":
		return &console.RefusedError{Code: "rate"}
	case s.Subject.Identifiers[0].Verified || s.Source != "console":
		return errors.New("what an agent is told is a claim")
	}
	keys, err := d.vault.CreateKeys(ctx, s.RequestID)
	if err != nil {
		return err
	}
	a := core.Accepted{RequestID: s.RequestID, Right: s.Right, Jurisdiction: s.Jurisdiction, Locale: s.Subject.Locale, ReceivedAt: s.ReceivedAt, AcceptedAt: d.clock(), DueAt: d.clock().AddDate(0, 1, 0),
		Source: s.Source, Digest: s.RequestID, Systems: []dsar.System{{Name: "billing", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}}}
	for _, id := range s.Subject.Identifiers {
		sealed, err := keys.Seal([]byte(id.Value), vault.Identifier)
		if err != nil {
			return err
		}
		a.Identifiers = append(a.Identifiers, dsar.Identifier{Type: id.Type, Fingerprint: d.vault.Fingerprint(id.Type, id.Value), Sealed: sealed, Assurance: dsar.AssuranceVerified})
	}
	_, err = d.requests.Accept(ctx, a)
	return err
}

// provider says where people sign in, and where its own session is ended; nobody
// goes there in these tests.
func provider(t testing.TB, ends string) string {
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		says := map[string]any{"issuer": server.URL, "authorization_endpoint": server.URL + "/authorize",
			"token_endpoint": server.URL + "/token", "jwks_uri": server.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"}}
		if ends != "" {
			says["end_session_endpoint"] = server.URL + ends
		}
		_ = json.NewEncoder(w).Encode(says)
	})
	return server.URL
}

func (d *desk) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *desk) later(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(by)
}

// as returns the session of somebody with a role; none for nobody.
func (d *desk) as(role console.Role) []*http.Cookie {
	if role == console.Nobody {
		return nil
	}
	w := httptest.NewRecorder()
	if err := d.signIn.Mint(w, console.User{Name: "a." + role.String(), Role: role}); err != nil {
		d.t.Fatal(err)
	}
	return w.Result().Cookies()
}

// session returns the session of somebody.
func (d *desk) session(u console.User) []*http.Cookie {
	w := httptest.NewRecorder()
	if err := d.signIn.Mint(w, u); err != nil {
		d.t.Fatal(err)
	}
	return w.Result().Cookies()
}

// askAgain returns a session after the provider was asked again; nil where it is over.
func (d *desk) askAgain(session []*http.Cookie) []*http.Cookie {
	r, w := httptest.NewRequest(http.MethodGet, origin, nil), httptest.NewRecorder()
	for _, c := range session {
		r.AddCookie(c)
	}
	if d.signIn.AskAgain(w, r) != nil {
		return nil
	}
	return w.Result().Cookies()
}

// call makes a call, from the console's own page unless a header says otherwise.
func (d *desk) call(session []*http.Cookie, method, target string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequestWithContext(context.Background(), method, origin+target, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return d.send(session, r, headers...)
}

func (d *desk) send(session []*http.Cookie, r *http.Request, headers ...string) *httptest.ResponseRecorder {
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	for _, c := range session {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w
}

// submit has a request come in, of the canary.
func (d *desk) submit(right dsar.Right) string { return d.submitTo(right, "billing") }

// submitTo has a request come in, of the canary, which is asked of some systems.
func (d *desk) submitTo(right dsar.Right, systems ...string) string {
	id := uuid.NewString()
	keys, err := d.vault.CreateKeys(context.Background(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	sealed, err := keys.Seal([]byte(cmp.Or(d.email, canary)), vault.Identifier)
	if err != nil {
		d.t.Fatal(err)
	}
	law, ok := d.book.Jurisdiction(cmp.Or(d.law, "EEA"))
	if !ok {
		d.t.Fatal("no such law")
	}
	a := core.Accepted{RequestID: id, Right: right, Jurisdiction: law.ID, Locale: "fr", ReceivedAt: start, AcceptedAt: start, DueAt: cmp.Or(d.due, start.AddDate(0, 1, 0)),
		Source: "test", Digest: id, ToldBy: d.toldBy, FourEyes: d.fourEyes, CorrectionReview: d.review, LooksBack: d.looksFirst, LooksFirst: d.looksFirst, Terms: core.Terms{Refusals: []string{"excessive"}, PartRefusals: []string{"rights-of-others"}},
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: d.vault.Fingerprint("email", cmp.Or(d.email, canary)), Sealed: sealed, Assurance: dsar.AssuranceVerified}},
		Recipients:  []core.Recipient{{ID: "auditors", By: core.WayHand, Receives: []core.Reached{{System: "billing", Dataset: "invoices"}}}}}
	for _, name := range systems {
		a.Systems = append(a.Systems, dsar.System{Name: name, Abilities: []dsar.Action{dsar.Gather, dsar.Erase, dsar.Rectify}, Needs: []dsar.IdentifierType{"email"}, MaxRecords: 10})
	}
	if right.Decided() {
		refused := d.about
		if refused == "" {
			refused = d.submit(dsar.Access)
			d.do(refused, core.Refuse{By: "lea", Ground: "excessive", Now: start})
		}
		a.Systems, a.Recipients, a.About = nil, nil, &core.About{RequestID: refused, Right: dsar.Access, DecidedBy: []string{"lea"}}
		if a.Details, err = keys.Seal([]byte(`{"message":"look again, says `+canary+`"}`), vault.RequestDetails); err != nil {
			d.t.Fatal(err)
		}
	}
	d.do(id, core.Submit{Accepted: a, Holds: d.carried})
	return id
}

func (d *desk) do(id string, c core.Command) {
	if _, err := d.requests.Do(context.Background(), id, c); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) hear(id string, r dsar.Report) {
	r.RequestID = id
	r.Attempt = max(r.Attempt, 1)
	d.do(id, core.TakeReport{Report: r, Now: start.Add(time.Minute)})
}

// Requests at the places of their life at which somebody acts.

func (d *desk) running() string { return d.submit(dsar.Access) }

func (d *desk) failed() string {
	id := d.submit(dsar.Access)
	d.hear(id, dsar.Report{System: "billing", Action: dsar.Gather, Kind: dsar.ReportFailed, Code: "no-permission", Reason: "billing says no"})
	return id
}

func (d *desk) parked() string {
	id := d.submit(dsar.Access)
	d.hear(id, dsar.Report{System: "billing", Action: dsar.Gather, Kind: dsar.ReportParked, Until: start.AddDate(0, 0, 1), Code: "rate-limited", Reason: "the quota is used up"})
	return id
}

func (d *desk) lost() string {
	id := d.submit(dsar.Access)
	d.hear(id, dsar.Report{System: "billing", Action: dsar.Gather, Kind: dsar.ReportEnded, Outcome: dsar.Gathered, Objects: []dsar.Object{{Name: "billing/gather/1"}}})
	d.hear(id, dsar.Report{System: dsar.Aggregator, Action: dsar.Assemble, Kind: dsar.ReportFailed, Code: dsar.CodeObjectMissing})
	return id
}

func (d *desk) tooLarge() string {
	id := d.submit(dsar.Erasure)
	d.hear(id, dsar.Report{System: "billing", Action: dsar.Plan, Kind: dsar.ReportEnded, Outcome: dsar.Found, Counts: []dsar.Counts{{Dataset: "invoices", Found: 5000}}})
	return id
}

// erasedTooMuch has an erasure report far more as erased than its plan has.
func (d *desk) erasedTooMuch() string {
	id := d.submit(dsar.Erasure)
	d.hear(id, dsar.Report{System: "billing", Action: dsar.Plan, Kind: dsar.ReportEnded, Outcome: dsar.Found, Counts: []dsar.Counts{{Dataset: "invoices", Found: 2}}, Objects: []dsar.Object{{Name: "billing/plan/1-test", SHA256: strings.Repeat("0", 64)}}})
	d.hear(id, dsar.Report{System: "billing", Action: dsar.Erase, Kind: dsar.ReportEnded, Outcome: dsar.Erased, Counts: []dsar.Counts{{Dataset: "invoices", Found: 5002, Erased: 5002, Late: 5000}}})
	return id
}

func (d *desk) proofAsked() string {
	id := d.submit(dsar.Access)
	d.do(id, core.AskProof{By: "upstream", Now: start.Add(time.Minute)})
	return id
}

// toCorrect wants something corrected, and waits for a proof.
func (d *desk) toCorrect() string {
	id := d.submit(dsar.Rectification)
	d.do(id, core.AskProof{By: "upstream", Now: start.Add(time.Minute)})
	return id
}

// toApprove wants something corrected, of which nothing is before somebody has looked.
func (d *desk) toApprove() string {
	d.review = core.ReviewAlways
	defer func() { d.review = "" }()
	return d.submit(dsar.Rectification)
}

// corrections returns what a correction would change.
func (d *desk) corrections(context.Context, core.State) ([]correction.System, error) {
	return []correction.System{
		{Name: "billing", Fields: []correction.Field{
			{System: "billing", Dataset: "invoices", Column: "note", Was: "Dupond-before", Is: "Dupont-after"},
			{System: "billing", Dataset: "invoices", Column: "pin", Secret: "password"},
		}},
		{Name: "shop", Why: "it runs elsewhere"},
	}, nil
}

func (d *desk) clarificationAsked() string {
	id := d.submit(dsar.Access)
	d.do(id, core.AskClarification{By: "upstream", Now: start.Add(time.Minute)})
	return id
}

// secondAsked has somebody want a request refused that a second person must agree to.
func (d *desk) secondAsked() string {
	d.fourEyes = core.FourEyesKinds()
	id := d.submit(dsar.Access)
	d.fourEyes = nil
	d.do(id, core.AskSecond{Act: core.Refuse{By: "lea <https://id.example.com#7>", Ground: "excessive", Reason: "the sixth in a month", Now: start.Add(time.Minute)}})
	return id
}

// doubted has another request of which nobody knows whether it is of the same person.
func (d *desk) doubted() string {
	d.looksFirst = true
	id := d.submit(dsar.Access)
	d.looksFirst = false
	d.do(id, core.DoubtEarlier{Doubts: []core.EarlierDoubted{{Request: coretest.Other, Why: core.DoubtShared}}, Now: start.Add(time.Minute)})
	return id
}

func (d *desk) appealed() string { return d.submit(dsar.Appeal) }

func (d *desk) completed() string {
	id := d.submit(dsar.Access)
	d.hear(id, dsar.Report{System: "billing", Action: dsar.Gather, Kind: dsar.ReportEnded, Outcome: dsar.NothingFound})
	d.hear(id, dsar.Report{System: dsar.Aggregator, Action: dsar.Assemble, Kind: dsar.ReportEnded, Outcome: dsar.Assembled, Objects: []dsar.Object{{Name: "bundle"}}})
	return id
}

// untold has an answer that is there, and whose letter couldn't be mailed.
func (d *desk) untold() string {
	d.toldBy = core.ChannelMail
	id := d.completed()
	d.toldBy = ""
	s, err := d.requests.State(context.Background(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	d.do(id, core.NoteLetter{LetterSent: core.LetterSent{Letter: core.LetterAnswer, Language: "fr", Cause: s.ToTell, Channel: core.ChannelOutbox, Moment: core.Moment{At: start.Add(time.Minute)}}})
	return id
}

func (d *desk) held() string {
	id := d.submit(dsar.Erasure)
	d.do(id, core.Hold{By: "legal", Reason: "a lawsuit", System: "billing", Now: start.Add(time.Minute)})
	return id
}

// refusedInPart is a copy that is refused of one dataset.
func (d *desk) refusedInPart() string {
	id := d.running()
	d.do(id, core.RefusePart{By: "ana", Reason: "others wrote them", System: "billing", Dataset: "invoices", Ground: "rights-of-others", Now: start.Add(time.Minute)})
	return id
}

// acts returns what people have done to a request.
func (d *desk) acts(id string) int {
	s, err := d.requests.State(context.Background(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	return s.Acts
}

// facts returns a request's, from a version on: type and JSON.
func (d *desk) facts(id string, from int) (types, texts []string) {
	facts, err := d.journal.Facts(context.Background(), id, from)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, f := range facts {
		types, texts = append(types, f.Type), append(texts, string(f.Data))
	}
	return types, texts
}

// version returns how many facts a request has.
func (d *desk) version(id string) int {
	types, _ := d.facts(id, 1)
	return len(types)
}

// form returns an act's form, as the page of a request makes it.
func (d *desk) form(id string, pairs ...string) url.Values {
	f := url.Values{"reason": {"because of ticket 4711"}, "acts": {fmt.Sprint(d.acts(id))}}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Set(pairs[i], pairs[i+1])
	}
	return f
}
