package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/portal"
	"habeas.dev/services/sandbox/people"
)

// postOffice is a mail server that speaks SMTP, and keeps what comes.
type postOffice struct {
	address string
	mails   chan *mail.Message
}

func newPostOffice(t *testing.T) *postOffice {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &postOffice{l.Addr().String(), make(chan *mail.Message, 100)}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { o.serve(c) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return o
}

// serve takes the mails of one connection.
func (o *postOffice) serve(c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	in := bufio.NewReader(c)
	say := func(line string) { _, _ = fmt.Fprintf(c, "%s\r\n", line) }
	say("220 post")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(strings.Fields(line + " ?")[0]); verb {
		case "EHLO", "HELO", "MAIL", "RCPT", "RSET", "NOOP":
			say("250 yes")
		case "QUIT":
			say("221 bye")
			return
		case "DATA":
			say("354 go on")
			var text bytes.Buffer
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				text.WriteString(line)
			}
			if m, err := mail.ReadMessage(&text); err == nil {
				o.mails <- m
			}
			say("250 taken")
		default:
			say("500 what")
		}
	}
}

// next returns the text of the next mail that says something.
func (o *postOffice) next(t *testing.T, says string) string {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		select {
		case m := <-o.mails:
			text, err := io.ReadAll(m.Body)
			if err != nil {
				t.Fatal(err)
			}
			// Quoted-printable breaks lines by "=", and writes "=" as "=3D".
			if plain := strings.ReplaceAll(strings.ReplaceAll(string(text), "=\r\n", ""), "=3D", "="); strings.Contains(plain, says) {
				return plain
			}
		case <-late.C:
			t.Fatalf("no mail says %q", says)
		}
	}
}

// visitor is a person's browser at the portal.
type visitor struct {
	*testing.T
	url    string
	client *http.Client
}

func newVisitor(t *testing.T, address string) visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return visitor{t, address, &http.Client{Jar: jar}}
}

// call returns where a call led, with its status and body.
func (v visitor) call(method, path string, form url.Values) (at string, status int, body []byte) {
	v.Helper()
	r, err := http.NewRequestWithContext(v.Context(), method, v.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := v.client.Do(r)
	if err != nil {
		v.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil {
		v.Fatal(err)
	}
	return resp.Request.URL.Path, resp.StatusCode, body
}

var (
	draftInPage = regexp.MustCompile(`name="draft" value="([^"]+)"`)
	codeInMail  = regexp.MustCompile(`\b(\d{4} \d{4})\b`)
)

// proves types the code of the next mail into a page.
func (v visitor) proves(o *postOffice, page []byte, passphrase string) (at string) {
	v.Helper()
	draft := draftInPage.FindSubmatch(page)
	if draft == nil {
		v.Fatalf("no draft in %s", page)
	}
	code := codeInMail.FindStringSubmatch(o.next(v.T, "code"))
	if code == nil {
		v.Fatal("no code in the mail")
	}
	at, status, body := v.call("POST", "/prove", url.Values{"draft": {string(draft[1])}, "code": {code[1]}, "passphrase": {passphrase}})
	if status != http.StatusOK {
		v.Fatalf("%d: %s", status, body)
	}
	return at
}

// fetches gives the passphrase, and returns the answer's ZIP.
func (v visitor) fetches(at, passphrase string) *zip.Reader {
	v.Helper()
	if _, status, body := v.call("POST", at+"/receive", url.Values{"passphrase": {passphrase}}); status != http.StatusOK {
		v.Fatalf("%d: %s", status, body)
	}
	_, _, key := v.call("GET", at+"/key.age", nil)
	_, _, sealed := v.call("GET", at+"/answer.zip.age", nil)
	must := func(err error) {
		v.Helper()
		if err != nil {
			v.Fatal(err)
		}
	}
	unlocks, err := age.NewScryptIdentity(passphrase)
	must(err)
	text, err := age.Decrypt(bytes.NewReader(key), unlocks)
	must(err)
	ids, err := age.ParseIdentities(text)
	must(err)
	plain, err := age.Decrypt(bytes.NewReader(sealed), ids...)
	must(err)
	all, err := io.ReadAll(plain)
	must(err)
	z, err := zip.NewReader(bytes.NewReader(all), int64(len(all)))
	must(err)
	return z
}

// throughHTTP has the portal's door be that of another process.
func throughHTTP(t *testing.T, n *node.Node, id, who string) {
	t.Helper()
	token, _, err := callers.CreateToken(t.Context(), n.Installation.Journal, portal.Source, "test", now(), now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	door := portal.NewHTTPDoor(n.URL(), token)
	for value, want := range map[string]dsar.Assurance{who: dsar.AssuranceProven, "nobody@example.com": ""} {
		if got, err := door.Match(t.Context(), id, "email", value); err != nil || got != want {
			t.Errorf("%q, %v", got, err)
		}
	}
	r := upstream.Request{ID: upstream.NewID(), Right: dsar.OptOut, Jurisdiction: "EEA", Locale: "fr", Source: portal.Source, Email: who, ReceivedAt: now()}
	if err := door.Submit(t.Context(), r.JSON()); err != nil {
		t.Error(err)
	}
	if err := door.Submit(t.Context(), []byte("{}")); !errors.Is(err, portal.ErrRefused) {
		t.Errorf("%v", err)
	}
	if err := portal.NewHTTPDoor(n.URL(), "habeas_none_none").Submit(t.Context(), r.JSON()); err == nil || errors.Is(err, portal.ErrRefused) {
		t.Errorf("a token that isn't good: %v", err)
	}
}

// pageOf returns the page of an answer.
func pageOf(t *testing.T, z *zip.Reader) []byte {
	t.Helper()
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, "/index.html") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	t.Fatal("the answer has no page")
	return nil
}

// TestPortal goes from asking to receiving with everything real: a mail server, the node with
// all services, nine systems. The person's copy opens by their passphrase, and by another one
// that an agent makes; neither the address nor a passphrase is in a log.
func TestPortal(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t)
	cfg, err := config.ForData(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listen, cfg.Controller, cfg.Log.Level = "127.0.0.1:0", "Example Cloud SAS", "debug"
	cfg.Sandbox = &config.Sandbox{Seed: 1, People: 200}
	cfg.Callers = map[string]config.Caller{portal.Source: {Believed: true, Proves: true}}
	cfg.Portal.Listen, cfg.Portal.Local = "127.0.0.1:0", true
	cfg.Letters = config.Letters{SMTP: office.address, From: "privacy@example.com", Plain: true}
	logs := &workertest.Log{}
	n, err := node.Start(t.Context(), cfg, node.Options{Logs: logs}, node.Everything())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	who := people.Generate(people.Config{Seed: 1, People: 200}).Person(people.Camille).Email
	const passphrase = "a horse, some staples"

	v := newVisitor(t, n.PortalURL())
	_, _, page := v.call("POST", "/ask", url.Values{"law": {"EEA"}, "right": {"access"}, "email": {who}})
	at := v.proves(office, page, passphrase)
	id := strings.TrimPrefix(at, "/r/")
	if row := waitFor(t, n.Installation.Journal, id); row.Status != core.StatusCompleted {
		t.Fatalf("%s", row.Status)
	}
	state, err := n.Installation.Requests.State(t.Context(), id)
	if err != nil || state.Identifiers[0].Assurance != dsar.AssuranceProven {
		t.Fatalf("%+v, %v", state.Identifiers, err)
	}
	letter := office.next(t, "This is our answer of")
	if !strings.Contains(letter, n.PortalURL()+"/r/"+id) || strings.Contains(letter, passphrase) {
		t.Errorf("the letter: %s", letter)
	}

	another := newVisitor(t, n.PortalURL()) // on another day, at another machine
	_, _, page = another.call("POST", at+"/enter", url.Values{"email": {who}})
	another.proves(office, page, "")
	z := another.fetches(at, passphrase)
	if text := pageOf(t, z); !bytes.Contains(text, []byte("Camille")) {
		t.Errorf("the page isn't Camille's: %s", text)
	}
	if _, err := n.Installation.Requests.Do(t.Context(), id, core.ChangeAnswerKey{By: "lea", Reason: "it was lost", Now: now()}); err != nil {
		t.Fatal(err)
	}
	made, err := newPassphrase(t.Context(), n.Installation, id)
	if err != nil {
		t.Fatal(err)
	}
	if _, status, _ := another.call("POST", at+"/receive", url.Values{"passphrase": {passphrase}}); status != http.StatusForbidden {
		t.Errorf("the old passphrase: %d", status)
	}
	if same := another.fetches(at, made); len(same.File) != len(z.File) {
		t.Errorf("%d files, then %d", len(z.File), len(same.File))
	}
	if state, err = n.Installation.Requests.State(t.Context(), id); err != nil || len(state.Opened) != 1 {
		t.Errorf("opened %v by the new one, %v", state.Opened, err)
	}
	throughHTTP(t, n, id, who)
	n.Stop()
	for _, secret := range []string{who, passphrase, made} {
		if strings.Contains(logs.String(), secret) {
			t.Errorf("a log has %q", secret)
		}
	}
}
