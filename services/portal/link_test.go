package portal_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"habeas.dev/services/internal/mail"
)

var (
	linkText  = regexp.MustCompile(`http://127\.0\.0\.1(/confirm\?by=\S+)`)
	codeField = regexp.MustCompile(`name="code" value="(\d+)"`)
)

// letter returns the next mail.
func (s *site) letter() mail.Message {
	s.Helper()
	select {
	case m := <-s.mails.sent:
		return m
	case <-time.After(time.Minute):
		s.Fatal("no mail")
		return mail.Message{}
	}
}

// linkOf returns the path of a mail's link; empty where it has none.
func linkOf(m mail.Message) string {
	if found := linkText.FindStringSubmatch(m.Text); found != nil {
		return found[1]
	}
	return ""
}

// pressed presses the button of a link's page.
func (s *site) pressed(page answer) answer {
	s.Helper()
	code := codeField.FindStringSubmatch(page.text)
	if code == nil {
		s.Fatalf("%d: no button: %s", page.status, page.text)
	}
	return s.post("/prove", url.Values{"draft": {page.draft(s.T)}, "code": {code[1]}, "passphrase": {passphrase}})
}

// TestLink: whoever opens a mail's link, however often, spends nothing and is told what is
// asked for; its button makes the request, in another browser than the one that asked; and
// then neither the link nor the code does anything.
func TestLink(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first := s.post("/ask", asks(nil))
	m := s.letter()
	link := linkOf(m)
	if link == "" {
		t.Fatalf("no link in %q", m.Text)
	}
	for _, secret := range []string{theirs, url.QueryEscape(theirs), "access"} {
		if strings.Contains(link, secret) {
			t.Errorf("the address has %q in the open", secret)
		}
	}
	s.http = s.browser()
	for _, method := range []string{http.MethodHead, http.MethodGet, http.MethodGet} {
		r, err := http.NewRequestWithContext(t.Context(), method, s.URL+link, nil)
		s.must(err)
		if a := s.do(r); a.status != http.StatusOK {
			t.Fatalf("%s: %d", method, a.status)
		}
	}
	page := s.get(link)
	if !strings.Contains(page.text, "Get a copy of my data") || !strings.Contains(page.text, "If it wasn’t you") || len(s.door.taken) > 0 {
		t.Errorf("%d requests; %s", len(s.door.taken), page.text)
	}
	made := s.pressed(page)
	if !strings.HasPrefix(made.path, "/r/") || len(s.door.taken) != 1 {
		t.Fatalf("%d %s: %s", made.status, made.path, made.text)
	}
	if again := s.pressed(s.get(link)); again.status != http.StatusForbidden || len(s.door.taken) != 1 {
		t.Errorf("the link twice: %d", again.status)
	}
	code := eight.FindStringSubmatch(m.Text)
	if typed := s.post("/prove", url.Values{"draft": {first.draft(t)}, "code": {code[1] + code[2]}, "passphrase": {passphrase}}); typed.status != http.StatusForbidden {
		t.Errorf("the code after the link: %d", typed.status)
	}
}

// TestLinkFollows: by a link a request is followed; that of another's request tells nobody.
func TestLinkFollows(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.made(nil)
	s.http = s.browser()
	for email, status := range map[string]int{theirs: http.StatusOK, "stranger@example.com": http.StatusForbidden} {
		s.post("/r/"+id+"/enter", url.Values{"email": {email}})
		page := s.get(linkOf(s.letter()))
		if !strings.Contains(page.text, id) || strings.Contains(page.text, "passphrase") {
			t.Errorf("%s", page.text)
		}
		if page = s.pressed(page); page.status != status {
			t.Errorf("%s: %d, want %d", email, page.status, status)
		}
	}
}

// TestBadLinks: a link that is old, altered or another thing's does nothing; and who has
// written much has none, and types the code.
func TestBadLinks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	draft := s.post("/ask", asks(nil)).draft(t)
	link := linkOf(s.letter())
	altered := []byte(link)
	altered[len(altered)-20] ^= 1
	for name, bad := range map[string]string{"altered": string(altered), "empty": "/confirm", "a draft": "/confirm?by=" + draft} {
		if page := s.get(bad); page.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, page.status)
		}
	}
	s.passes(11 * time.Minute)
	if page := s.pressed(s.get(link)); page.status != http.StatusForbidden || len(s.door.taken) > 0 {
		t.Errorf("after eleven minutes: %d", page.status)
	}
	s.passes(time.Hour)
	if page := s.get(link); page.status != http.StatusUnprocessableEntity {
		t.Errorf("after an hour: %d", page.status)
	}
	s.post("/ask", asks(url.Values{"law": {"South Korea"}, "right": {"automated-explanation"}, "message": {strings.Repeat("It lacks my invoices. ", 150)}}))
	if m := s.letter(); linkOf(m) != "" || !eight.MatchString(m.Text) {
		t.Errorf("a link of %d characters", len(linkOf(m)))
	}
}
