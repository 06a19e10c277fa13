package letters_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/blobtest"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/letter"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/operator"
	"habeas.dev/services/internal/outbox"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/prints"
	"habeas.dev/services/letters"
)

const (
	requestID = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	address   = "kanarienvogel@example.com"
)

var start = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

// office writes letters about requests in memory.
type office struct {
	*letters.Letters
	journal  *memjournal.Store
	requests *lifecycle.Lifecycle
	outbox   *blobtest.Bucket
	vault    *vault.Vault
	log      *strings.Builder
}

func newOffice(t *testing.T, mailer func(*vault.Vault) letters.Mailer) *office {
	t.Helper()
	book, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	w := letter.NewWriter(book, operator.Operator{Name: "Example Cloud SAS"})
	v, err := vault.InMemory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	o := &office{journal: memjournal.New(memjournal.Config{}), outbox: &blobtest.Bucket{}, vault: v, log: &strings.Builder{}}
	o.requests = lifecycle.New(o.journal, lifecycle.WithPrints(prints.Prints{Vault: o.vault}))
	c := letters.Config{Requests: o.requests, Writer: w, Outbox: o.outbox.Open(), Vault: v, Now: func() time.Time { return start.Add(time.Minute) },
		Log: slog.New(slog.NewTextHandler(o.log, nil))}
	if mailer != nil {
		c.Mailer = mailer(v)
	}
	o.Letters = letters.New(c)
	keys, err := v.CreateKeys(t.Context(), requestID)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := keys.Seal([]byte(address), vault.Identifier)
	if err != nil {
		t.Fatal(err)
	}
	_, err = o.requests.Accept(t.Context(), core.Accepted{RequestID: requestID, Right: dsar.Access, Jurisdiction: "EEA", Locale: "fr", ReceivedAt: start, AcceptedAt: start, DueAt: start.AddDate(0, 1, 0),
		Source: "test", Digest: "d", Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "f", Sealed: sealed, Assurance: dsar.AssuranceVerified}}, Terms: core.Terms{Refusals: []string{"excessive"}},
		Systems: []dsar.System{{Name: "s", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}}})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *office) do(t *testing.T, c core.Command) {
	t.Helper()
	if _, err := o.requests.Do(t.Context(), requestID, c); err != nil {
		t.Fatal(err)
	}
}

func (o *office) sent(t *testing.T) []core.LetterSent {
	t.Helper()
	s, err := o.requests.State(t.Context(), requestID)
	if err != nil {
		t.Fatal(err)
	}
	return s.Letters
}

// TestWhateverComesTwice: each letter is written once, as a fact and as a file,
// however often it is asked for.
func TestWhateverComesTwice(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.do(t, core.AskProof{By: "lea", Now: start})
	for range 3 {
		if err := o.Handle(t.Context(), requestID); err != nil {
			t.Fatal(err)
		}
	}
	o.do(t, core.Refuse{By: "lea", Ground: "excessive", Now: start})
	for range 3 {
		if err := o.Handle(t.Context(), requestID); err != nil {
			t.Fatal(err)
		}
	}
	if got := o.sent(t); len(got) != 3 || got[0].Letter != core.LetterConfirmation || got[1].Letter != core.LetterProof || got[2].Letter != core.LetterRefusal || got[0].Language != "fr" || got[0].Channel != "outbox" {
		t.Errorf("%+v", got)
	}
	files := o.outbox.Blobs()
	if len(files) != 3 {
		t.Errorf("%d files", len(files))
	}
	confirmation := string(files["letters/"+requestID+".1-confirmation.fr.txt"])
	if !strings.HasPrefix(confirmation, "Nous avons reçu votre demande") || !strings.Contains(confirmation, "au plus tard le 20 décembre 2026") {
		t.Errorf("%s", confirmation)
	}
	for name, content := range files {
		if strings.Contains(name+string(content), address) {
			t.Errorf("%s holds the address", name)
		}
	}
}

// An occasion of long ago, read anew, is nobody's letter any more.
func TestNobodyIsWrittenToYearsLater(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.Now = func() time.Time { return start.AddDate(2, 0, 0) }
	if err := o.Handle(t.Context(), requestID); err != nil || len(o.sent(t)) > 0 || len(o.outbox.Blobs()) > 0 {
		t.Errorf("%v, %v", err, o.sent(t))
	}
}

// server is a mail server that speaks as much SMTP as a client needs.
type server struct {
	net.Listener
	mu     sync.Mutex
	refuse string // its answer to RCPT
	mails  []string
}

func newServer(t *testing.T) *server {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Listener: l}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return s
}

func (s *server) serve(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	say := func(line string) { _, _ = fmt.Fprintf(c, "%s\r\n", line) }
	say("220 mail.example.com")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		s.mu.Lock()
		refuse := s.refuse
		s.mu.Unlock()
		switch verb, _, _ := strings.Cut(strings.TrimSpace(line), " "); strings.ToUpper(verb) {
		case "RCPT":
			if refuse != "" {
				say(refuse)
				continue
			}
			say("250 ok")
		case "DATA":
			say("354 go on")
			var b strings.Builder
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				b.WriteString(strings.TrimPrefix(line, "."))
			}
			s.mu.Lock()
			s.mails = append(s.mails, b.String())
			s.mu.Unlock()
			say("250 ok")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (s *server) mailer(t *testing.T, c letters.SMTP) func(*vault.Vault) letters.Mailer {
	return func(v *vault.Vault) letters.Mailer {
		t.Helper()
		c.Address, c.From = s.Addr().String(), "Example Cloud <privacy@example.com>"
		m, err := letters.NewMailer(c, v, func() time.Time { return start })
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
}

func TestMail(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	o := newOffice(t, s.mailer(t, letters.SMTP{Plain: true}))
	if err := o.Handle(t.Context(), requestID); err != nil {
		t.Fatal(err)
	}
	if got := o.sent(t); len(got) != 1 || got[0].Channel != "smtp" || len(s.mails) != 1 {
		t.Fatalf("%+v, %d mails", got, len(s.mails))
	}
	m, err := mail.ReadMessage(strings.NewReader(s.mails[0]))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || !strings.HasPrefix(subject, "Nous avons reçu votre demande") {
		t.Errorf("subject %q, %v", subject, err)
	}
	if to := m.Header.Get("To"); to != "<"+address+">" {
		t.Errorf("to %q", to)
	}
	if id := m.Header.Get("Message-ID"); id != "<"+requestID+".1.confirmation@example.com>" {
		t.Errorf("id %q", id)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil || !strings.Contains(string(body), "au plus tard le 20 décembre 2026") {
		t.Errorf("%s, %v", body, err)
	}
}

// TestMailInTrouble: a server that is down is tried again; one that will never
// take the letter leaves it in the outbox; none of its words are repeated.
func TestMailInTrouble(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for name, c := range map[string]struct {
		smtp    letters.SMTP
		refuse  string
		again   bool
		channel string
	}{
		"no TLS":             {letters.SMTP{}, "", true, ""},
		"for now":            {letters.SMTP{Plain: true}, "450 " + address + " is busy", true, ""},
		"for ever":           {letters.SMTP{Plain: true}, "550 " + address + " is unknown", false, "outbox"},
		"a password is lost": {letters.SMTP{Plain: true, User: "u", PasswordFile: "nowhere"}, "", true, ""},
	} {
		s.mu.Lock()
		s.refuse = c.refuse
		s.mu.Unlock()
		o := newOffice(t, s.mailer(t, c.smtp))
		err := o.Handle(t.Context(), requestID)
		if (err != nil) != c.again {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), address) || strings.Contains(o.log.String(), address) {
			t.Errorf("%s: the address is told: %v %s", name, err, o.log)
		}
		sent := o.sent(t)
		if c.channel == "" && len(sent) > 0 || c.channel != "" && (len(sent) != 1 || string(sent[0].Channel) != c.channel) {
			t.Errorf("%s: %+v", name, sent)
		}
	}
	down := func(*vault.Vault) letters.Mailer { return failing{} }
	if err := newOffice(t, down).Handle(t.Context(), requestID); !errors.Is(err, errDown) {
		t.Errorf("%v", err)
	}
	for _, bad := range []letters.SMTP{{Address: "example.com", From: "a@b.c"}, {Address: "example.com:25", From: "nobody"}} {
		if _, err := letters.NewMailer(bad, nil, time.Now); err == nil {
			t.Errorf("%+v", bad)
		}
	}
}

var errDown = errors.New("down")

type failing struct{}

func (failing) Send(context.Context, core.State, letter.Letter, int) error { return errDown }

// TestOften: however many requests claim an address, it has so many letters a day; the
// others stay in the outbox. The day after it is written to again, and about requests in
// which it is proven it is all along, so many a day.
func TestOften(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	o := newOffice(t, s.mailer(t, letters.SMTP{Plain: true}))
	at := start
	o.Earlier, o.Vault, o.Now = o.journal, o.vault, func() time.Time { return at }
	assurance := dsar.AssuranceClaimed
	ask := func(n int) string {
		t.Helper()
		id := fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", n)
		keys, err := o.vault.CreateKeys(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := keys.Seal([]byte(address), vault.Identifier)
		if err != nil {
			t.Fatal(err)
		}
		print := o.vault.Fingerprint("email", address) // half of them came before fingerprints were a request's own
		if n%2 == 0 {
			if print, err = keys.Fingerprint("email", address); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := o.requests.Accept(t.Context(), core.Accepted{RequestID: id, Right: dsar.Access, Jurisdiction: "EEA", Locale: "fr", ReceivedAt: at, AcceptedAt: at, DueAt: at.AddDate(0, 1, 0),
			Source: "test", Digest: "d", OwnPrints: n%2 == 0, Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: print, Sealed: sealed, Assurance: assurance}},
			Systems: []dsar.System{{Name: "s", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}}}); err != nil {
			t.Fatal(err)
		}
		if err := o.Handle(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		state, err := o.requests.State(t.Context(), id)
		if err != nil || len(state.Letters) != 1 {
			t.Fatalf("%v %+v", err, state.Letters)
		}
		return string(state.Letters[0].Channel)
	}
	for n := range letters.MaxPerDay + 5 {
		want := "smtp"
		if n >= letters.MaxPerDay {
			want = "outbox"
		}
		if got := ask(n); got != want {
			t.Errorf("letter %d: %s, want %s", n+1, got, want)
		}
	}
	assurance = dsar.AssuranceProven
	for n := range letters.MaxPerDay {
		if got := ask(100 + n); got != "smtp" {
			t.Errorf("letter %d to who has proven the address: %s", n+1, got)
		}
	}
	if ask(200) != "outbox" {
		t.Error("who has proven the address has more letters a day than may be")
	}
	assurance = dsar.AssuranceClaimed
	if at = at.Add(25 * time.Hour); ask(1000) != "smtp" {
		t.Error("the day after it isn't written to")
	}
	if len(s.mails) != 2*letters.MaxPerDay+1 || strings.Contains(o.log.String(), address) {
		t.Errorf("%d mails", len(s.mails))
	}
}

// TestInternalWordsStayInternal (case 29): what an agent writes for colleagues stands in no
// letter; what they write to the person does, as it is.
func TestInternalWordsStayInternal(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.do(t, core.AskClarification{By: "lea", Reason: "he has called three times", ToPerson: "Parlez-vous du compte de 2019 ?", Now: start})
	if err := o.Handle(t.Context(), requestID); err != nil {
		t.Fatal(err)
	}
	var letter string
	for name, content := range o.outbox.Blobs() {
		if strings.Contains(name, "-clarification.") {
			letter = string(content)
		}
	}
	if !strings.Contains(letter, "Parlez-vous du compte de 2019") || strings.Contains(letter, "three times") {
		t.Errorf("%s", letter)
	}
}

// TestRefusalIsWrittenAgain: who lost the letter that refuses their request, or never had it, gets
// the same words once more.
func TestRefusalIsWrittenAgain(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.do(t, core.Refuse{By: "lea", Ground: "excessive", Now: start})
	o.do(t, core.DeliverAgain{By: "lea", Reason: "the mail came back", Now: start.Add(time.Hour)})
	if err := o.Handle(t.Context(), requestID); err != nil {
		t.Fatal(err)
	}
	var refusals []string
	for name, text := range o.outbox.Blobs() {
		if strings.Contains(name, "-refusal.") {
			refusals = append(refusals, string(text))
		}
	}
	if len(refusals) != 2 || refusals[0] != refusals[1] || !strings.Contains(refusals[0], requestID) {
		t.Errorf("%d letters: %q", len(refusals), refusals)
	}
}

// TestDigest: the fact of a letter holds a hash of what was left in the outbox, keyed by the
// request.
func TestDigest(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	if err := o.Handle(t.Context(), requestID); err != nil {
		t.Fatal(err)
	}
	keys, err := o.vault.Keys(t.Context(), requestID)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range o.sent(t) {
		text := o.outbox.Blobs()[outbox.LetterName(requestID, l.Cause, l.Letter, l.Language)]
		if want, err := keys.Digest(text); err != nil || len(text) == 0 || l.Digest != want {
			t.Errorf("%+v of %d bytes, want %s, %v", l, len(text), want, err)
		}
	}
	if len(o.sent(t)) == 0 {
		t.Error("nothing was written")
	}
}

// TestMailedAreSealed: a letter that was mailed lies in the outbox so that nobody reads it there
// without its request's keys, and nobody once those are destroyed; one that isn't mailed is
// there to be read by whoever posts it.
func TestMailedAreSealed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		refuse string
		sealed bool
	}{{"", true}, {"550 no such mailbox", false}} {
		s := newServer(t)
		s.refuse = c.refuse
		o := newOffice(t, s.mailer(t, letters.SMTP{Plain: true}))
		if err := o.Handle(t.Context(), requestID); err != nil {
			t.Fatal(err)
		}
		sent := o.sent(t)
		if len(sent) != 1 {
			t.Fatalf("%+v", sent)
		}
		lies := o.outbox.Blobs()[outbox.LetterName(requestID, sent[0].Cause, sent[0].Letter, sent[0].Language)]
		if sealed := !strings.Contains(string(lies), "demande"); sealed != c.sealed {
			t.Errorf("%q: sealed %v, want %v", c.refuse, sealed, c.sealed)
		}
		text, err := letter.Open(t.Context(), o.vault, requestID, lies)
		if err != nil || !strings.HasPrefix(string(text), "Nous avons reçu votre demande") {
			t.Errorf("%q, %v", text, err)
		}
		keys, err := o.vault.Keys(t.Context(), requestID)
		if err != nil {
			t.Fatal(err)
		}
		if want, err := keys.Digest(text); err != nil || sent[0].Digest != want {
			t.Errorf("its digest is %s, %v", sent[0].Digest, err)
		}
		if c.sealed {
			altered := append([]byte(nil), lies...)
			altered[len(altered)-1] ^= 1
			if _, err := letter.Open(t.Context(), o.vault, requestID, altered); !errors.Is(err, vault.ErrCorrupt) {
				t.Errorf("altered: %v", err)
			}
		}
		if err := o.vault.End(t.Context(), requestID, vault.SubjectRoot); err != nil {
			t.Fatal(err)
		}
		if _, err := letter.Open(t.Context(), o.vault, requestID, lies); (err != nil) != c.sealed || err != nil && !errors.Is(err, vault.ErrShredded) {
			t.Errorf("once it is forgotten: %v", err)
		}
	}
}
