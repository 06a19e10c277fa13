package notify_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"habeas.dev/services/internal/mail"
	"habeas.dev/services/internal/words"
	"habeas.dev/services/notify"
)

var start = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

// secretFile makes a secret.
func secretFile(t *testing.T) (path, secret string) {
	t.Helper()
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	secret = "whsec_" + base64.StdEncoding.EncodeToString(key)
	path = filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, secret
}

func example() notify.Message {
	return notify.Message{ID: "5b1e8f0c-0000-4000-8000-000000000001", At: start, New: []notify.Matter{{Kind: notify.Attention, RequestID: "r1", Right: "access", Jurisdiction: "EEA", Status: "needs-attention", DueAt: start.AddDate(0, 0, 9), Waiting: []string{"billing"}}},
		Totals: []notify.Total{{Kind: notify.Attention, Count: 1}}, Console: "https://habeas.example.com"}
}

// TestWebhook is received by Standard Webhooks' own library, which takes the
// signature; another secret, or another body, it doesn't.
func TestWebhook(t *testing.T) {
	t.Parallel()
	path, secret := secretFile(t)
	_, another := secretFile(t)
	var mu sync.Mutex
	var got []byte
	var head http.Header
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		head = r.Header.Clone()
		got, _ = io.ReadAll(r.Body)
	}))
	t.Cleanup(server.Close)
	h := notify.Webhook{URL: server.URL + "/hook", SecretFile: path, Now: time.Now}
	if err := h.Check(); err != nil {
		t.Fatal(err)
	}
	if err := h.Deliver(t.Context(), example()); err != nil {
		t.Fatal(err)
	}
	for key, ok := range map[string]bool{secret: true, another: false} {
		verifier, err := webhooks.NewWebhook(key)
		if err != nil {
			t.Fatal(err)
		}
		if err := verifier.Verify(got, head); (err == nil) != ok {
			t.Errorf("verified: %v, want %t", err, ok)
		}
		if err := verifier.Verify(append(bytes.Clone(got), ' '), head); err == nil {
			t.Error("another body is taken")
		}
	}
	var event struct {
		Type string
		Data notify.Message
	}
	if err := json.Unmarshal(got, &event); err != nil || event.Type != "habeas.attention.v1" || event.Data.ID != head.Get("Webhook-Id") || len(event.Data.New) != 1 {
		t.Errorf("%s: %v", got, err)
	}
}

// TestWebhookAnswers tells what is to be tried again from what isn't, follows
// nobody elsewhere, and says nothing of the address.
func TestWebhookAnswers(t *testing.T) {
	t.Parallel()
	path, _ := secretFile(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was followed") }))
	t.Cleanup(elsewhere.Close)
	for status, refused := range map[int]bool{301: false, 302: false, 307: false, 400: false, 404: false, 410: true, 429: false, 500: false} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(status)
		}))
		err := notify.Webhook{URL: server.URL + "/token-in-the-path", SecretFile: path, Now: time.Now}.Deliver(t.Context(), example())
		if err == nil || errors.Is(err, notify.ErrRefused) != refused {
			t.Errorf("%d: %v", status, err)
		}
		server.Close()
	}
	err := notify.Webhook{URL: "http://127.0.0.1:1/token-in-the-path", SecretFile: path, Now: time.Now}.Deliver(t.Context(), example())
	if err == nil || strings.Contains(err.Error(), "token") {
		t.Errorf("%v", err)
	}
	for _, address := range []string{"", "hook", "ftp://example.com", "http://example.com/hook", "https://"} {
		if (notify.Webhook{URL: address, SecretFile: path}).Check() == nil {
			t.Errorf("%q is taken", address)
		}
	}
	for _, secret := range []string{"", "abcdefgh", "whsec_", "whsec_c2hvcnQ=", strings.Repeat("x", 32)} {
		bad := filepath.Join(t.TempDir(), "bad")
		if err := os.WriteFile(bad, []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := (notify.Webhook{URL: "https://example.com", SecretFile: bad}).Check(); err == nil || secret != "" && secret != "whsec_" && strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v", secret, err)
		}
	}
}

// mailbox is a mail server that keeps what it takes.
type mailbox struct {
	mu     sync.Mutex
	mails  []string
	to     []string
	answer error
}

func (b *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return session{b}, nil }

type session struct{ *mailbox }

func (s session) Mail(string, *smtp.MailOptions) error { return nil }
func (s session) Reset()                               {}
func (s session) Logout() error                        { return nil }

func (s session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = append(s.to, to)
	return s.answer
}

func (s session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, string(text))
	return err
}

func (b *mailbox) serve(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(b)
	server.Domain = "localhost"
	var done sync.WaitGroup
	done.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() { _ = server.Close(); done.Wait() })
	return l.Addr().String()
}

// TestMail is received by a mail server.
func TestMail(t *testing.T) {
	t.Parallel()
	b := &mailbox{}
	m := notify.Mail{Server: mail.Server{Address: b.serve(t), From: "Habeas <habeas@example.com>", Plain: true}, To: []string{"desk@example.com", "lea@example.com"}, Language: words.For("en")}
	if err := m.Deliver(t.Context(), example()); err != nil {
		t.Fatal(err)
	}
	if len(b.mails) != 1 || strings.Join(b.to, " ") != "desk@example.com lea@example.com" {
		t.Fatalf("%v to %v", b.mails, b.to)
	}
	got, err := netmail.ReadMessage(strings.NewReader(b.mails[0]))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
	text, bad := io.ReadAll(quotedprintable.NewReader(got.Body))
	if err != nil || bad != nil || subject != "Habeas: 1 needs attention" || got.Header.Get("Message-ID") != "<"+example().ID+"@example.com>" || !strings.Contains(string(text), "- r1: access, EEA, needs attention, due 29\u00a0November 2026, waits for billing") {
		t.Errorf("%q %v\n%s", subject, got.Header, text)
	}
	m.Language = words.For("fr")
	if err := m.Deliver(t.Context(), example()); err != nil {
		t.Fatal(err)
	}
	if got, err = netmail.ReadMessage(strings.NewReader(b.mails[1])); err != nil {
		t.Fatal(err)
	}
	if subject, err = new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject")); err != nil || subject != "Habeas\u00a0: 1 à traiter" || got.Header.Get("Content-Language") != "fr" {
		t.Errorf("%q %v", subject, got.Header)
	}
	b.answer = &smtp.SMTPError{Code: 550, Message: "no such mailbox as desk@example.com"}
	if err := m.Deliver(t.Context(), example()); !errors.Is(err, notify.ErrRefused) || strings.Contains(err.Error(), "desk@") {
		t.Errorf("%v", err)
	}
	b.answer = &smtp.SMTPError{Code: 451, Message: "later"}
	if err := m.Deliver(t.Context(), example()); err == nil || errors.Is(err, notify.ErrRefused) {
		t.Errorf("%v", err)
	}
	m.Server.Plain = false
	if err := m.Deliver(t.Context(), example()); err == nil || !strings.Contains(err.Error(), "TLS") {
		t.Errorf("in the open: %v", err)
	}
}
