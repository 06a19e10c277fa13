package recipients_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/mail"
	"habeas.dev/services/internal/recipients"
	"habeas.dev/services/internal/webhook"
	"habeas.dev/services/internal/words"
	"habeas.dev/services/internal/words/wordstest"
)

const (
	requestID = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	canary    = "kanarienvogel@example.com"
)

// requests is one request.
type requests struct {
	mu    sync.Mutex
	state core.State
	facts []core.Event
}

func (r *requests) State(context.Context, string) (core.State, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state, nil
}

func (r *requests) Do(_ context.Context, id string, c core.Command) (core.State, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id != requestID {
		return core.State{}, core.ErrUnknown
	}
	facts, err := core.Decide(r.state, c)
	for _, f := range facts {
		r.state = core.Evolve(r.state, f)
	}
	r.facts = append(r.facts, facts...)
	return r.state, err
}

// post is a teller with its recipients: one by webhook, one by mail.
type post struct {
	*recipients.Teller
	requests *requests
	door     *httptest.Server
	key      *age.X25519Identity
	secret   []byte
	now      time.Time

	mu     sync.Mutex
	bodies [][]byte
	heads  []http.Header
	mails  []mail.Message
	down   bool
}

func (p *post) Send(_ context.Context, m mail.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mails = append(p.mails, m)
	return nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newPost(t *testing.T, right dsar.Right) *post {
	t.Helper()
	p := &post{requests: &requests{}, secret: []byte("0123456789abcdef01234567"), now: time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)}
	clock := func() time.Time { return p.now }
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.down {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		p.bodies, p.heads = append(p.bodies, body), append(p.heads, r.Header)
	}))
	t.Cleanup(hook.Close)
	p.door = httptest.NewServer(recipients.Door{Requests: p.requests, Now: clock}.Handler())
	t.Cleanup(p.door.Close)
	secret := filepath.Join(t.TempDir(), "secret")
	must(t, os.WriteFile(secret, []byte("whsec_"+base64.StdEncoding.EncodeToString(p.secret)), 0o600))
	var err error
	p.key, err = age.GenerateX25519Identity()
	must(t, err)
	v, err := vault.InMemory(t.Context())
	must(t, err)
	keys, err := v.CreateKeys(t.Context(), requestID)
	must(t, err)
	seal := func(text string, kind vault.Kind) []byte {
		sealed, err := keys.Seal([]byte(text), kind)
		must(t, err)
		return sealed
	}
	m := &manifest.Manifest{System: "shop", Datasets: []manifest.Dataset{
		{Name: "people", Title: manifest.Text{"en": "People", "fr": "Personnes"}, Columns: []manifest.Column{{Name: "addr", Concept: "contact.postal_address"}, {Name: "notes", Title: manifest.Text{"en": "Notes"}}}},
	}}
	p.Teller = &recipients.Teller{
		Requests: p.requests, Vault: v, Manifests: map[string]*manifest.Manifest{"shop": m}, Mail: p, Door: p.door.URL, Now: clock,
		Sender: func(string, string) string { return "Example Cloud SARL" },
		Recipients: manifest.Recipients{
			"hook": {Knows: []dsar.IdentifierType{"email"}, Told: manifest.Told{By: "webhook", URL: hook.URL, Secret: secret}},
			"post": {Knows: []dsar.IdentifierType{"email"}, Told: manifest.Told{By: "mail", Address: "dpo@example.net", Key: p.key.Recipient().String(), Secret: secret, Language: "fr"}},
			"deaf": {Knows: []dsar.IdentifierType{"passport"}, Told: manifest.Told{By: "webhook", URL: hook.URL, Secret: secret}},
		},
	}
	reached := []core.Reached{{System: "shop", Dataset: "people"}}
	a := core.Accepted{RequestID: requestID, Right: right, Jurisdiction: "EEA", ReceivedAt: p.now, AcceptedAt: p.now, Digest: "d1",
		Identifiers: []dsar.Identifier{
			{Type: "email", Fingerprint: "e", Sealed: seal(canary, vault.Identifier), Assurance: dsar.AssuranceVerified},
			{Type: "phone", Fingerprint: "p", Sealed: seal("+33123456789", vault.Identifier), Assurance: dsar.AssuranceVerified},
		},
		Systems:    []dsar.System{{Name: "shop", Abilities: []dsar.Action{dsar.Erase, dsar.Rectify}, Needs: []dsar.IdentifierType{"email"}}},
		Recipients: []core.Recipient{{ID: "hook", By: core.WayWebhook, Receives: reached}, {ID: "post", By: core.WayMail, Receives: reached}, {ID: "deaf", By: core.WayWebhook, Receives: reached}},
	}
	if right == dsar.Rectification {
		a.Details = seal(`{"corrections":[{"column":"contact.postal_address","value":"3, rue Neuve"},{"column":"salary","value":"1"}]}`, vault.RequestDetails)
	}
	do := func(c core.Command) {
		t.Helper()
		_, err := p.requests.Do(t.Context(), requestID, c)
		must(t, err)
	}
	do(core.Submit{Accepted: a})
	stages := right.Stages()
	for _, s := range stages {
		r := dsar.Report{RequestID: requestID, System: "shop", Action: s, Attempt: 1, Kind: dsar.ReportEnded}
		switch s {
		case dsar.Plan:
			r.Outcome, r.Counts, r.Objects = dsar.Found, []dsar.Counts{{Dataset: "people", Found: 1}}, []dsar.Object{{Name: "shop/plan/1-test", SHA256: strings.Repeat("0", 64)}}
		case dsar.Erase:
			r.Outcome, r.Counts = dsar.Erased, []dsar.Counts{{Dataset: "people", Found: 1, Erased: 1}}
		case dsar.Prove:
			r.Outcome = dsar.Proven
		case dsar.Rectify:
			r.Outcome, r.Counts = dsar.Rectified, []dsar.Counts{{Dataset: "people", Found: 1, Rectified: 1, Changed: []string{"addr"}}}
		case dsar.Assemble:
			r.System, r.Outcome, r.Objects = dsar.Aggregator, dsar.Assembled, []dsar.Object{{Name: "bundle"}}
		default:
			t.Fatalf("stage %s", s)
		}
		do(core.TakeReport{Report: r, Now: p.now})
	}
	return p
}

func (p *post) tell(t *testing.T) {
	t.Helper()
	must(t, p.Tell(t.Context(), requestID))
}

func (p *post) status(recipient string) core.NoticeStatus {
	return p.requests.state.Notice(recipient).Status
}

// notice reads what the webhook got, after its signature.
func (p *post) notice(t *testing.T, i int) recipients.Notice {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.bodies) <= i {
		t.Fatalf("%d notices came", len(p.bodies))
	}
	h, body := p.heads[i], p.bodies[i]
	mac := hmac.New(sha256.New, p.secret)
	fmt.Fprintf(mac, "%s.%s.%s", h.Get("Webhook-Id"), h.Get("Webhook-Timestamp"), body)
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); h.Get("Webhook-Signature") != want {
		t.Errorf("the signature is %s, want %s", h.Get("Webhook-Signature"), want)
	}
	var e struct {
		Type string            `json:"type"`
		Data recipients.Notice `json:"data"`
	}
	must(t, json.Unmarshal(body, &e))
	if strings.Contains(string(body), `"law"`) || strings.Contains(string(body), "GDPR") {
		t.Errorf("the notice tells where the person lives: %s", body)
	}
	if e.Type != recipients.EventType || e.Data.ID != h.Get("Webhook-Id") {
		t.Errorf("%s, %s", e.Type, e.Data.ID)
	}
	return e.Data
}

// TestNotices: each recipient is told with no more than it needs, by its way, and acknowledges
// with the notice's token; who knows the person by nothing that is known waits for a person.
func TestNotices(t *testing.T) {
	t.Parallel()
	p := newPost(t, dsar.Erasure)
	p.tell(t)
	n := p.notice(t, 0)
	if n.Do != dsar.Erase || n.By != "Example Cloud SARL" || fmt.Sprint(n.Data, n.Person) != "[People] [{email "+canary+"}]" || len(n.Corrections) != 0 || n.Number != 1 {
		t.Errorf("the webhook got %+v", n)
	}
	if p.status("hook") != core.NoticeIsSent || p.status("post") != core.NoticeIsSent || !p.requests.state.Notice("deaf").Waits() {
		t.Errorf("%+v", p.requests.state.Notices)
	}
	m := p.mails[0]
	if strings.Contains(m.Text, canary) || !strings.Contains(m.Text, "Personnes") || !strings.Contains(m.Text, "Veuillez les effacer") || m.To[0] != "dpo@example.net" {
		t.Errorf("the mail says %s", m.Text)
	}
	sealed := m.Text[strings.Index(m.Text, "-----BEGIN AGE"):]
	r, err := age.Decrypt(armor.NewReader(strings.NewReader(sealed)), p.key)
	must(t, err)
	plain, err := io.ReadAll(r)
	must(t, err)
	var signed webhook.Message
	must(t, json.Unmarshal(plain, &signed))
	var posted struct {
		Type string
		Data recipients.Notice
	}
	must(t, json.Unmarshal([]byte(signed.Body), &posted))
	if posted.Type != recipients.EventType || fmt.Sprint(posted.Data.Person) != "[{email "+canary+"}]" || posted.Data.Do != dsar.Erase {
		t.Errorf("sealed is %+v", posted)
	}
	// It is signed as a webhook's is: by the recipient's secret, over id, time and body.
	keys := [][]byte{p.secret}
	for body, right := range map[string]bool{signed.Body: true, strings.Replace(signed.Body, "erase", "restrict", 1): false} {
		want, err := webhook.Sign(keys, signed.ID, signed.Timestamp, func(to io.Writer) error { _, err := io.WriteString(to, body); return err })
		must(t, err)
		if (want == signed.Signature) != right {
			t.Errorf("the signature is right: %v, want %v", !right, right)
		}
	}
	text := fmt.Sprintf("%+v", p.requests.facts[1:])
	if strings.Contains(text, canary) {
		t.Error("a fact has the address")
	}
	answer := func(url, token string) int {
		t.Helper()
		resp, err := http.Post(url, "text/plain", strings.NewReader(token))
		must(t, err)
		defer resp.Body.Close()
		return resp.StatusCode
	}
	for what, bad := range map[string][2]string{
		"another token":   {n.Acknowledge.URL, base64.RawURLEncoding.EncodeToString(make([]byte, 32))},
		"no token":        {n.Acknowledge.URL, ""},
		"another notice":  {p.door.URL + recipients.Path + requestID + "/post", n.Acknowledge.Token},
		"another request": {p.door.URL + recipients.Path + "0f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11/hook", n.Acknowledge.Token},
	} {
		if got := answer(bad[0], bad[1]); got != http.StatusNotFound {
			t.Errorf("%s: %d", what, got)
		}
	}
	if p.status("hook") != core.NoticeIsSent {
		t.Error("acknowledged by a stranger")
	}
	for range 2 {
		if got := answer(n.Acknowledge.URL, n.Acknowledge.Token); got != http.StatusNoContent || p.status("hook") != core.NoticeIsAnswered {
			t.Errorf("%d, %s", got, p.status("hook"))
		}
	}
	// The link of the mail opens a page with one button.
	link := regexp.MustCompile(`http://\S+`).FindString(m.Text)
	resp, err := http.Get(link)
	must(t, err)
	page, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	token := regexp.MustCompile(`name="token" value="([^"]+)"`).FindStringSubmatch(string(page))
	if token == nil || p.status("post") != core.NoticeIsSent || resp.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Fatalf("%s", page)
	}
	at, _, _ := strings.Cut(link, "?")
	resp, err = http.PostForm(at, map[string][]string{"token": {token[1]}})
	must(t, err)
	resp.Body.Close()
	if p.status("post") != core.NoticeIsAnswered {
		t.Error("the button does nothing")
	}
	p.now = p.now.Add(core.RemindRecipient)
	p.tell(t)
	if len(p.bodies) != 1 || len(p.mails) != 1 {
		t.Error("who has answered is reminded")
	}
}

// TestReminded: who doesn't answer is told again, under another id and with the same token.
func TestReminded(t *testing.T) {
	t.Parallel()
	p := newPost(t, dsar.Erasure)
	p.tell(t)
	p.tell(t) // at once: nothing
	p.now = p.now.Add(core.RemindRecipient)
	p.tell(t)
	first, second := p.notice(t, 0), p.notice(t, 1)
	if len(p.bodies) != 2 || first.ID == second.ID || second.Number != 2 || first.Acknowledge.Token != second.Acknowledge.Token {
		t.Errorf("%d: %+v, %+v", len(p.bodies), first, second)
	}
	if !strings.Contains(p.mails[1].Text, "Nous vous avons déjà écrit") {
		t.Error(p.mails[1].Text)
	}
}

// TestCorrectionsAreTold: a recipient gets the new values of the fields that it has, and no
// others.
func TestCorrectionsAreTold(t *testing.T) {
	t.Parallel()
	p := newPost(t, dsar.Rectification)
	p.tell(t)
	if n := p.notice(t, 0); n.Do != dsar.Rectify || fmt.Sprint(n.Corrections) != "[{contact.postal_address 3, rue Neuve}]" {
		t.Errorf("%+v", n)
	}
}

// TestReceiverIsDown: what can't be delivered is tried again later, and holds up no other.
func TestReceiverIsDown(t *testing.T) {
	t.Parallel()
	p := newPost(t, dsar.Erasure)
	p.down = true
	p.tell(t)
	n := p.requests.state.Notice("hook")
	if n.Status != core.NoticeIsOwed || n.Waits() || n.Until.IsZero() || p.status("post") != core.NoticeIsSent {
		t.Errorf("%+v", n)
	}
	p.mu.Lock()
	p.down = false
	p.mu.Unlock()
	p.now = n.Until
	p.tell(t)
	if p.status("hook") != core.NoticeIsSent || len(p.mails) != 1 {
		t.Errorf("%+v", p.requests.state.Notices)
	}
}

// TestForgottenPerson: once whom it was about is destroyed, nobody is told any more.
func TestForgottenPerson(t *testing.T) {
	t.Parallel()
	p := newPost(t, dsar.Erasure)
	v, ok := p.Vault.(*vault.Vault)
	if !ok {
		t.Fatal("no vault")
	}
	must(t, v.Shred(t.Context(), requestID))
	p.tell(t)
	if n := p.requests.state.Notice("hook"); !n.Waits() || n.Code != "recipient-forgotten" || len(p.bodies) != 0 {
		t.Errorf("%+v", n)
	}
	if _, err := p.requests.Do(t.Context(), "another", core.Tick{}); !errors.Is(err, core.ErrUnknown) {
		t.Error(err)
	}
}

// TestNoticeInALanguageOfAFolder: a recipient is told in a language that the installation has
// as a folder, with the titles of its sentences, and its page to confirm is in that language.
func TestNoticeInALanguageOfAFolder(t *testing.T) {
	t.Parallel()
	p := newPost(t, dsar.Erasure)
	languages, err := words.Load(wordstest.Folder(t, "../words/en", "de", map[string]string{
		"Please erase personal data that you had from us": "Bitte löschen Sie Daten, die Sie von uns haben", "button: Confirm": "button: Bestätigen"}))
	must(t, err)
	p.Languages = languages
	german := p.Recipients["post"]
	german.Told.Language = "de-AT"
	p.Recipients["post"] = german
	p.Manifests["shop"].Datasets[0].Title = manifest.Text{"en": "Customers", "fr": "Clients"}
	p.tell(t)
	if m := p.mails[0]; m.Language != "de" || !strings.HasPrefix(m.Subject, "Bitte löschen Sie") || !strings.Contains(m.Text, "Kundinnen und Kunden") {
		t.Errorf("%s: %s\n%s", m.Language, m.Subject, m.Text)
	}
	door := recipients.Door{Requests: p.requests, Languages: languages, Now: p.Now}.Handler()
	r := httptest.NewRequest(http.MethodGet, recipients.Path+requestID+"/post?token=abc", nil)
	r.Header.Set("Accept-Language", "de-AT,de;q=0.9")
	page := httptest.NewRecorder()
	door.ServeHTTP(page, r)
	if text := page.Body.String(); !strings.Contains(text, `lang="de"`) || !strings.Contains(text, "Bestätigen") {
		t.Errorf("%s", text)
	}
}
