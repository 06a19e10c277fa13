package portal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"habeas.dev/services/internal/core"
)

var errDown = errors.New("intake is down")

// TestGETChangesNothing: whatever opens or prefetches every address, with GET or HEAD, sends
// no mail, spends no code, opens no answer, and is told nothing of a request.
func TestGETChangesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	page := s.post("/ask", asks(nil))
	sent := s.letter()
	link, code := linkOf(sent), strings.Join(eight.FindStringSubmatch(sent.Text)[1:], " ")
	before, _ := s.journal.Facts(t.Context(), "none", 1)
	id := s.made(url.Values{"email": {"other@example.com"}})
	s.completed(id)
	person := s.http
	facts := func() int { all, _ := s.journal.Facts(t.Context(), id, 1); return len(all) + len(before) }
	then := facts()
	for _, browser := range []*http.Client{s.browser(), person} {
		s.http = browser
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			for _, path := range []string{"/", "/ask?law=EEA&right=access&email=a@example.com", "/prove?draft=" + page.draft(t) + "&code=" + url.QueryEscape(code), "/follow?number=" + id, "/r/" + id, "/r/" + id + "/enter?email=a@example.com", "/r/" + id + "/withdraw", "/r/" + id + "/receive?passphrase=" + url.QueryEscape(passphrase), "/r/" + id + "/send", "/r/" + id + "/no-passphrase", "/r/" + id + "/answer.zip.age", "/r/" + id + "/key.age", "/r/" + id + "/receipt.html.age", link} {
				r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, nil)
				s.must(err)
				a := s.do(r)
				if browser != person && strings.Contains(a.text, "2026") && strings.Contains(path, id) {
					t.Errorf("%s %s tells a stranger: %s", method, path, a.text)
				}
				if strings.Contains(a.header.Get("Content-Type"), "age-encryption") {
					t.Errorf("%s %s serves the answer", method, path)
				}
			}
		}
	}
	select {
	case m := <-s.mails.sent:
		t.Errorf("mail went to %v", m.To)
	default:
	}
	if facts() != then {
		t.Errorf("%d facts, then %d", then, facts())
	}
	if page := s.post("/prove", url.Values{"draft": {page.draft(t)}, "code": {code}, "passphrase": {passphrase}}); !strings.HasPrefix(page.path, "/r/") {
		t.Errorf("the code was spent: %d", page.status)
	}
}

// TestCodesOnce: a code that was used, is too old, is another page's or was guessed too
// often does nothing; and a draft can't be altered.
func TestCodesOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	prove := func(draft, code string) answer {
		return s.post("/prove", url.Values{"draft": {draft}, "code": {code}, "passphrase": {passphrase}})
	}
	first := s.post("/ask", asks(nil)).draft(t)
	code, _ := s.code()
	if page := prove(first, code); !strings.HasPrefix(page.path, "/r/") {
		t.Fatalf("%d", page.status)
	}
	s.http = s.browser()
	if page := prove(first, code); page.status != http.StatusForbidden || strings.HasPrefix(page.path, "/r/") {
		t.Errorf("replayed: %d", page.status)
	}
	second := s.post("/ask", asks(nil)).draft(t)
	other, _ := s.code()
	if page := prove(second, code); page.status != http.StatusForbidden {
		t.Errorf("another page's code: %d", page.status)
	}
	s.passes(11 * time.Minute)
	if page := prove(second, other); page.status != http.StatusForbidden {
		t.Errorf("too old: %d", page.status)
	}
	third := s.post("/ask", asks(nil)).draft(t)
	right, _ := s.code()
	for i := range 5 {
		if page := prove(third, fmt.Sprintf("0000 000%d", i)); page.status != http.StatusForbidden {
			t.Errorf("guess %d: %d", i, page.status)
		}
	}
	if page := prove(third, right); strings.HasPrefix(page.path, "/r/") {
		t.Error("right after five guesses")
	}
	fourth := s.post("/ask", asks(nil)).draft(t)
	code, _ = s.code()
	altered := []byte(fourth)
	altered[len(altered)/2] ^= 1
	if page := prove(string(altered), code); page.status != http.StatusUnprocessableEntity {
		t.Errorf("altered: %d", page.status)
	}
	if n := len(s.door.taken); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestWeakPassphraseUsesNoTry: a passphrase that is none is told of before the code is tried.
func TestWeakPassphraseUsesNoTry(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	draft := s.post("/ask", asks(nil)).draft(t)
	code, _ := s.code()
	for range 8 {
		page := s.post("/prove", url.Values{"draft": {draft}, "code": {code}, "passphrase": {"short"}})
		if page.status != http.StatusUnprocessableEntity {
			t.Fatalf("%d", page.status)
		}
	}
	if page := s.post("/prove", url.Values{"draft": {draft}, "code": {code}, "passphrase": {passphrase}}); !strings.HasPrefix(page.path, "/r/") {
		t.Errorf("%d", page.status)
	}
}

// TestThousandAsks: whoever asks in somebody's name from one network has five mails a day sent
// to them and, alone, keeps nobody elsewhere from asking; from one origin there come sixty an hour, to
// one mailbox ten a day. The page says the same with mail and without.
func TestThousandAsks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var pages []string
	refused := 0
	for range 1000 {
		page := s.post("/ask", asks(nil))
		switch page.status {
		case http.StatusOK:
			pages = append(pages, hidden.ReplaceAllString(shown(page.text), ""))
		case http.StatusTooManyRequests:
			refused++
		default:
			t.Fatalf("%d", page.status)
		}
	}
	if refused < 930 || len(pages) < 60 {
		t.Errorf("%d refused, %d pages", refused, len(pages))
	}
	for _, p := range pages {
		if p != pages[0] {
			t.Fatalf("a page says another thing than the first:\n%s\n%s", pages[0], p)
		}
	}
	for range 5 {
		s.code()
	}
	for i, from := range []string{"203.0.113.1", "2001:db8::1", "203.0.113.2", "203.0.113.3", "203.0.113.4", "203.0.113.5", "203.0.113.6"} {
		s.from = from
		page := s.post("/ask", asks(nil))
		if again := hidden.ReplaceAllString(shown(page.text), ""); again != pages[0] {
			t.Errorf("from %s the page says another thing", from)
		}
		if i < 5 {
			if code, to := s.code(); to != theirs || len(digits.ReplaceAllString(code, "")) != 8 {
				t.Errorf("from %s: %s to %s", from, code, to)
			}
		}
	}
	s.passes(time.Hour)
	s.post("/ask", asks(url.Values{"email": {"other@example.com"}}))
	if _, to := s.code(); to != "other@example.com" {
		t.Error("an eleventh mail")
	}
}

// digits are all but those.
var digits = regexp.MustCompile(`[^0-9]`)

// TestMissesBlockNobody: whoever guesses at somebody's codes for days keeps them from nothing:
// their codes become longer, and prove the mailbox as before.
func TestMissesBlockNobody(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for n := range 10 {
		if s.from = fmt.Sprintf("203.0.113.%d", n); n == 9 {
			s.passes(25 * time.Hour)
		}
		draft := s.post("/ask", asks(nil)).draft(t)
		s.code()
		for i := range 6 {
			s.post("/prove", url.Values{"draft": {draft}, "code": {fmt.Sprintf("0000 000%d", i)}, "passphrase": {passphrase}})
		}
	}
	s.from = "198.51.100.1"
	draft := s.post("/ask", asks(nil)).draft(t)
	code, _ := s.code()
	if n := len(digits.ReplaceAllString(code, "")); n != 16 {
		t.Errorf("a code of %d digits, after fifty misses", n)
	}
	if page := s.post("/prove", url.Values{"draft": {draft}, "code": {code}, "passphrase": {passphrase}}); !strings.HasPrefix(page.path, "/r/") {
		t.Errorf("%d", page.status)
	}
}

// TestOneMailbox: the writings of one address are one mailbox, which has ten mails a day.
func TestOneMailbox(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for n := range 10 {
		s.from = fmt.Sprintf("203.0.113.%d", n/5)
		s.post("/ask", asks(url.Values{"email": {"anna@bücher.example"}}))
		s.code()
	}
	s.from = "203.0.113.77"
	for _, other := range []string{"anna@xn--bcher-kva.example", "ANNA@Bücher.Example"} {
		s.post("/ask", asks(url.Values{"email": {other}}))
	}
	s.post("/ask", asks(url.Values{"email": {"other@example.com"}}))
	if _, to := s.code(); to != "other@example.com" {
		t.Error("an eleventh mail, by another writing")
	}
}

// shown leaves out of a page what is made up for each.
func shown(text string) string {
	at := strings.Index(text, `id="passphrase"`)
	if at < 0 {
		return text
	}
	end := strings.Index(text[at:], ">")
	return text[:at] + text[at+end:]
}

// TestNobodyIsTold: whether there is a request, and whose it is, is told to nobody who hasn't
// proven the mailbox: the pages are the same, and so is what is done for them.
func TestNobodyIsTold(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.made(nil)
	s.http = s.browser()
	const none = "0b6fd3a2-1d7c-4c53-8f53-70d5f2f0a9c4"
	same := func(a, b answer) {
		t.Helper()
		if one, other := hidden.ReplaceAllString(strings.ReplaceAll(a.text, id, "X"), ""), hidden.ReplaceAllString(strings.ReplaceAll(b.text, none, "X"), ""); one != other || a.status != b.status {
			t.Errorf("%d and %d:\n%s\n%s", a.status, b.status, one, other)
		}
	}
	same(s.get("/r/"+id), s.get("/r/"+none))
	matched := s.door.matches
	same(s.post("/r/"+id+"/enter", url.Values{"email": {theirs}}), s.post("/r/"+none+"/enter", url.Values{"email": {"nobody@example.com"}}))
	if s.door.matches != matched {
		t.Error("it was looked before the mailbox was proven")
	}
	s.code()
	s.code()
	same(s.entered(id, "nobody@example.com"), s.entered(none, "nobody@example.com"))
	for _, path := range []string{"withdraw", "send", "receive", "no-passphrase"} {
		if page := s.post("/r/"+id+"/"+path, url.Values{"passphrase": {passphrase}}); page.status != http.StatusForbidden {
			t.Errorf("%s without a session: %d", path, page.status)
		}
	}
}

// TestSessionsAreOfOneRequest: a session's cookie opens no other request, nor one that was
// made by somebody without the portal's secret.
func TestSessionsAreOfOneRequest(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	mine := s.made(nil)
	at, err := url.Parse(s.URL + "/r/" + mine)
	s.must(err)
	cookies := s.http.Jar.Cookies(at)
	s.http = s.browser()
	yours := s.made(url.Values{"email": {"other@example.com"}})
	s.http = s.browser()
	to, err := url.Parse(s.URL + "/r/" + yours)
	s.must(err)
	for _, c := range cookies {
		c.Path = "/r/" + yours
	}
	s.http.Jar.SetCookies(to, cookies)
	if page := s.get("/r/" + yours); strings.Contains(page.text, "systems have answered") {
		t.Error("another request's cookie opens it")
	}
	s.passes(3 * time.Hour)
	s.http = s.browser()
	s.http.Jar.SetCookies(at, cookies)
	if page := s.get("/r/" + mine); strings.Contains(page.text, "systems have answered") {
		t.Error("a session of three hours ago")
	}
}

// TestFromElsewhere: a form on another site does nothing.
func TestFromElsewhere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.made(nil)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/r/"+id+"/withdraw", nil)
	s.must(err)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if page := s.do(r); page.status != http.StatusForbidden {
		t.Errorf("%d", page.status)
	}
	if state, _ := s.requests.State(t.Context(), id); state.Status == core.StatusCancelled {
		t.Error("withdrawn")
	}
}

// upload sends a form of several parts.
func (s *site) upload(path, field, name string, content []byte) answer {
	s.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormField(field)
	if field == "file" {
		form = multipart.NewWriter(&body)
		body.Reset()
		part, err = form.CreateFormFile(field, name)
	}
	s.must(err)
	_, _ = part.Write(content)
	s.must(form.Close())
	r, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.URL+path, &body)
	s.must(err)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return s.do(r)
}

// png is how a picture begins.
var png = append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte{7}, 100)...)

// TestUploads: proof is taken when it is awaited, of a few kinds and up to a size, sealed
// before it is stored, bounded in number, and gone once it was judged; its name goes nowhere.
func TestUploads(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.made(nil)
	if page := s.upload("/r/"+id+"/send", "file", "x.png", png); page.status != http.StatusConflict {
		t.Errorf("when nothing is awaited: %d", page.status)
	}
	_, err := s.requests.Do(t.Context(), id, core.AskProof{By: "lea", Now: s.clock()})
	s.must(err)
	for name, content := range map[string][]byte{"page.html": []byte("<script>alert(1)</script>"), "x.svg": []byte("<svg xmlns='http://www.w3.org/2000/svg'/>"), "x.exe": []byte("MZ\x90\x00"), "empty": nil, "zip": []byte("PK\x03\x04aaaa"), "large.png": append(bytes.Clone(png), make([]byte, 11<<20)...)} {
		if page := s.upload("/r/"+id+"/send", "file", name, content); page.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, page.status)
		}
	}
	if page := s.upload("/r/"+id+"/send", "file", "../../camille.png", png); page.status != http.StatusOK || !strings.Contains(page.text, "We have what you sent") {
		t.Errorf("%d: %s", page.status, page.text)
	}
	state, err := s.requests.State(t.Context(), id)
	s.must(err)
	if len(state.Sent) != 1 || strings.Contains(state.Sent[0].Object, "camille") {
		t.Fatalf("%+v", state.Sent)
	}
	sealed, err := s.uploads.ReadAll(t.Context(), state.Sent[0].Object)
	s.must(err)
	if bytes.Contains(sealed, png[:20]) {
		t.Error("it isn't sealed")
	}
	if _, err := age.Decrypt(bytes.NewReader(sealed), s.identity); err != nil {
		t.Error(err)
	}
	for range 2 * core.MaxSent {
		s.upload("/r/"+id+"/send", "file", "x.png", png)
	}
	if n := s.stored(); n > core.MaxSent {
		t.Errorf("%d are stored", n)
	}
	s.must(s.portal.Sweep(t.Context()))
	if s.stored() == 0 {
		t.Error("gone before it was judged")
	}
	_, err = s.requests.Do(t.Context(), id, core.JudgeProof{By: "lea", Accepted: true, Now: s.clock()})
	s.must(err)
	s.must(s.portal.Sweep(t.Context()))
	if n := s.stored(); n != 0 {
		t.Errorf("%d are there after judging", n)
	}
}

// stored counts what lies among the uploads.
func (s *site) stored() (n int) {
	list := s.uploads.List(nil)
	for {
		if _, err := list.Next(context.Background()); err != nil {
			return n
		}
		n++
	}
}

// TestHostileForms: nothing that a form can hold breaks a page, or stands in it as markup.
func TestHostileForms(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, text := range []string{"<script>alert(1)</script>", "\x00", "\xff\xfe", strings.Repeat("x", 1000), "a@b\r\nBcc: c@d", "\"><img src=x>@example.com", strings.Repeat("y", 70<<10)} {
		for _, field := range []string{"law", "right", "email", "behalf", "theirs", "id:account_id", "correct", "value"} {
			page := s.post("/ask", asks(url.Values{field: {text}}))
			if page.status >= 500 || strings.Contains(page.text, "<script>alert") || strings.Contains(page.text, "<img src=x") {
				t.Errorf("%s %.20q: %d", field, text, page.status)
			}
		}
		for _, path := range []string{"/prove", "/language", "/r/9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11/enter"} {
			if page := s.post(path, url.Values{"draft": {text}, "code": {text}, "language": {text}, "email": {text}}); page.status >= 500 {
				t.Errorf("%s %.20q: %d", path, text, page.status)
			}
		}
		if page := s.get("/follow?number=" + url.QueryEscape(text)); page.status >= 500 {
			t.Errorf("%.20q: %d", text, page.status)
		}
	}
	if page := s.get("/assets/..%2fportal.go"); page.status != http.StatusNotFound {
		t.Errorf("%d", page.status)
	}
}
