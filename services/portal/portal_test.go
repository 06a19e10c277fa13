package portal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/mail"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/words"
	"habeas.dev/services/portal"
)

var start = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

const (
	theirs     = "camille.o'brien@example.com"
	passphrase = "a horse, some staples"
)

// site is a portal with a person's browser before it.
type site struct {
	from string // the address that a browser comes from; empty: this machine
	*testing.T
	URL      string
	http     *http.Client
	requests *lifecycle.Lifecycle
	journal  *memjournal.Store
	outbox   *blob.Bucket
	uploads  *blob.Bucket
	identity *age.X25519Identity
	door     *door
	mails    *mails
	portal   *portal.Portal

	mu  sync.Mutex
	now time.Time
}

// door is intake for tests: it takes in what the schema takes, and compares in the clear.
type door struct {
	*site
	fails   error
	taken   map[string]event.Submitted
	matches int
}

func (d *door) Submit(ctx context.Context, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fails != nil {
		return d.fails
	}
	v, err := event.NewValidator()
	if err != nil {
		return err
	}
	if err := v.ValidateData(event.TypeSubmitted, data); err != nil {
		d.Errorf("the portal submits what isn't a request: %v", err)
	}
	var s event.Submitted
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	d.taken[s.RequestID] = s
	a := core.Accepted{RequestID: s.RequestID, Right: s.Right, Jurisdiction: s.Jurisdiction, ReceivedAt: s.ReceivedAt, AcceptedAt: s.ReceivedAt, DueAt: s.ReceivedAt.AddDate(0, 1, 0), Source: s.Source, Locale: s.Subject.Locale, Recipient: s.Recipient, Digest: string(data), ToldBy: core.ChannelMail,
		Keep: &core.Keep{AnswerDays: 30, AccountabilityMonths: 24}, Systems: []dsar.System{{Name: "billing", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}, {Name: "events", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}}}
	for _, id := range s.Subject.Identifiers {
		assurance := dsar.AssuranceClaimed
		if id.Verified {
			assurance = dsar.AssuranceProven
		}
		a.Identifiers = append(a.Identifiers, dsar.Identifier{Type: id.Type, Fingerprint: "print of " + id.Value, Sealed: []byte("sealed"), Assurance: assurance})
	}
	if s.Right.Decided() {
		a.Systems = nil
	}
	if s.About != "" {
		a.About = &core.About{RequestID: s.About, Right: dsar.Access, DecidedBy: []string{"lea"}}
	}
	if s.Subject.OnBehalf != "" {
		a.Terms.Checks = []dsar.Check{s.Subject.OnBehalf}
	}
	_, err = d.requests.Accept(ctx, a)
	return err
}

func (d *door) Match(_ context.Context, id string, typ dsar.IdentifierType, value string) (dsar.Assurance, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.matches++
	for _, one := range d.taken[id].Subject.Identifiers {
		if one.Type == typ && one.Value == value {
			if one.Verified {
				return dsar.AssuranceProven, nil
			}
			return dsar.AssuranceClaimed, nil
		}
	}
	return "", nil
}

// mails keeps the mail that was sent.
type mails struct {
	sent chan mail.Message
}

func (m *mails) Send(_ context.Context, one mail.Message) error {
	m.sent <- one
	return nil
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{T: t, now: start, mails: &mails{make(chan mail.Message, 1000)}, journal: memjournal.New(memjournal.Config{}), outbox: memblob.OpenBucket(nil), uploads: memblob.OpenBucket(nil)}
	s.requests = lifecycle.New(s.journal)
	s.door = &door{site: s, taken: map[string]event.Submitted{}}
	book, err := policy.Load()
	s.must(err)
	s.identity, err = age.GenerateX25519Identity()
	s.must(err)
	s.portal, err = portal.New(portal.Config{Door: s.door, Requests: s.requests, Proofs: s.journal, Policy: book, Languages: (*words.Languages)(nil).Naming(book.Named()), Mailer: s.mails, Outbox: s.outbox, Uploads: s.uploads, Recipient: s.identity.Recipient(),
		Secret: bytes.Repeat([]byte("s"), 32), URL: "http://127.0.0.1", Brand: portal.Brand{Name: "Example Cloud SAS"}, Concepts: []string{"contact.postal_address", "own.concept"},
		Datasets: map[string]portal.Dataset{"billing.invoices": {Title: map[string]string{"en": "Invoices", "fr": "Factures"}, Concepts: []string{"contact.postal_address"}}, "billing.payments": {Title: map[string]string{"en": "Payments"}}}, Identifiers: []dsar.IdentifierType{"account_id", "phone"},
		Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Now: s.clock, Log: slog.New(slog.DiscardHandler)})
	s.must(err)
	server := httptest.NewServer(s.portal.Handler())
	s.URL = server.URL
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = s.portal.Run(ctx) })
	t.Cleanup(func() { server.Close(); cancel(); running.Wait(); _ = s.outbox.Close(); _ = s.uploads.Close() })
	s.http = s.browser()
	return s
}

// browser returns another browser, which has no cookies.
func (s *site) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	s.must(err)
	return &http.Client{Jar: jar}
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *site) clock() time.Time { s.mu.Lock(); defer s.mu.Unlock(); return s.now }

func (s *site) passes(d time.Duration) { s.mu.Lock(); defer s.mu.Unlock(); s.now = s.now.Add(d) }

// answer is a page that came.
type answer struct {
	status int
	path   string
	text   string
	header http.Header
}

func (s *site) do(r *http.Request) answer {
	s.Helper()
	if s.from != "" {
		r.Header.Set("X-Forwarded-For", s.from)
	}
	resp, err := s.http.Do(r)
	s.must(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	s.must(err)
	return answer{resp.StatusCode, resp.Request.URL.Path, string(text), resp.Header}
}

func (s *site) get(path string) answer {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.URL+path, nil)
	s.must(err)
	return s.do(r)
}

func (s *site) post(path string, form url.Values) answer {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.URL+path, strings.NewReader(form.Encode()))
	s.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.do(r)
}

var hidden = regexp.MustCompile(`name="draft" value="([^"]+)"`)

// draft returns what a page keeps of what was asked.
func (a answer) draft(t *testing.T) string {
	t.Helper()
	found := hidden.FindStringSubmatch(a.text)
	if found == nil {
		t.Fatalf("%d: no draft in the page: %s", a.status, a.text)
	}
	return found[1]
}

var eight = regexp.MustCompile(`\b(\d{4})((?: \d{4})+)\b`)

// code returns the code of the next mail, and whom it went to.
func (s *site) code() (code, to string) {
	s.Helper()
	select {
	case m := <-s.mails.sent:
		found := eight.FindStringSubmatch(m.Text)
		if found == nil {
			s.Fatalf("no code in %q", m.Text)
		}
		return found[1] + found[2], m.To[0]
	case <-time.After(time.Minute):
		s.Fatal("no mail")
		return "", ""
	}
}

func asks(more url.Values) url.Values {
	f := url.Values{"law": {"EEA"}, "right": {"access"}, "email": {theirs}}
	for k, v := range more {
		f[k] = v
	}
	return f
}

// made asks, proves and returns the number of the request.
func (s *site) made(more url.Values) string {
	s.Helper()
	page := s.post("/ask", asks(more))
	code, _ := s.code()
	page = s.post("/prove", url.Values{"draft": {page.draft(s.T)}, "code": {code}, "passphrase": {passphrase}})
	if page.status != http.StatusOK || !strings.HasPrefix(page.path, "/r/") {
		s.Fatalf("%d %s: %s", page.status, page.path, page.text)
	}
	return strings.TrimPrefix(page.path, "/r/")
}

// completed has a request answered, and its person told.
func (s *site) completed(id string) {
	s.Helper()
	s.available(id)
	s.told(id, core.ChannelMail)
}

// told notes the letter that the answer is there.
func (s *site) told(id string, by core.Channel) {
	s.Helper()
	state, err := s.requests.State(s.Context(), id)
	s.must(err)
	_, err = s.requests.Do(s.Context(), id, core.NoteLetter{LetterSent: core.LetterSent{Letter: core.LetterAnswer, Language: "en", Cause: state.ToTell, Channel: by, Moment: core.Moment{At: s.clock()}}})
	s.must(err)
}

// available has the answer to a request made: its bundle is encrypted to the recipient that
// came with it.
func (s *site) available(id string) {
	s.Helper()
	state, err := s.requests.State(s.Context(), id)
	s.must(err)
	r, err := age.ParseX25519Recipient(state.Accepted.Recipient)
	s.must(err)
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, r)
	s.must(err)
	_, _ = io.WriteString(w, "the answer")
	s.must(w.Close())
	s.must(s.outbox.WriteAll(s.Context(), id+".zip.age", sealed.Bytes(), nil))
	for _, task := range state.Tasks {
		_, err := s.requests.Do(s.Context(), id, core.TakeReport{Now: s.clock(), Report: dsar.Report{RequestID: id, System: task.System, Action: task.Action, Attempt: task.Attempt, Kind: dsar.ReportEnded, Outcome: dsar.NothingFound}})
		s.must(err)
	}
	if state, err = s.requests.State(s.Context(), id); err != nil || state.Status != core.StatusAssembling {
		s.Fatalf("%s, %v", state.Status, err)
	}
	_, err = s.requests.Do(s.Context(), id, core.TakeReport{Now: s.clock(), Report: dsar.Report{RequestID: id, System: dsar.Aggregator, Action: dsar.Assemble, Attempt: 1, Kind: dsar.ReportEnded, Outcome: dsar.Assembled,
		Objects: []dsar.Object{{Name: id + ".zip.age", Bytes: int64(sealed.Len()), SHA256: strings.Repeat("a", 64)}}}})
	s.must(err)
}
