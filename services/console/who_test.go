package console_test

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"habeas.dev/services/console"
	"habeas.dev/services/internal/core/coretest"
	"habeas.dev/services/internal/journal"
)

// everyone are the roles, the least first.
var everyone = []console.Role{console.Nobody, console.Viewer, console.Agent, console.Officer}

// may is one row of who may do what: who may make a call at least, on a request
// at which place of its life, with which form, and which fact it leaves.
type may struct {
	pattern string
	least   console.Role
	on      func(*desk) string
	form    func(d *desk, id string) url.Values
	fact    string // empty: none
	status  int    // of whoever may
}

// plain returns the form that has a reason and nothing else.
func plain(d *desk, id string) url.Values { return d.form(id) }

func with(pairs ...string) func(*desk, string) url.Values {
	return func(d *desk, id string) url.Values { return d.form(id, pairs...) }
}

func mayDo() []may {
	page := func(pattern string, least console.Role) may {
		return may{pattern: pattern, least: least, on: (*desk).running, status: http.StatusOK}
	}
	act := func(path string, least console.Role, on func(*desk) string, form func(*desk, string) url.Values, fact string) may {
		return may{pattern: "POST /requests/{id}/" + path, least: least, on: on, form: form, fact: fact, status: http.StatusSeeOther}
	}
	many := func(path, fact string, form func(*desk, string) url.Values) may {
		return may{pattern: "POST /" + path, least: console.Agent, on: (*desk).failed, form: func(d *desk, id string) url.Values {
			f := form(d, id)
			f.Set("id", id)
			return f
		}, fact: fact, status: http.StatusSeeOther}
	}
	return []may{
		page("GET /{$}", console.Viewer),
		page("GET /requests.csv", console.Viewer),
		page("GET /systems", console.Viewer),
		page("GET /figures", console.Viewer),
		page("GET /overview", console.Officer),
		page("GET /register?law=EEA", console.Officer),
		page("GET /requests/{id}", console.Viewer),
		page("GET /requests/{id}/trace.json", console.Viewer),
		page("GET /requests/{id}/evidence.zip", console.Officer),
		page("GET /new", console.Agent),
		{"POST /new/known", console.Agent, (*desk).running, func(*desk, string) url.Values { return url.Values{"email": {"nobody@example.com"}} }, "", http.StatusOK},
		{"POST /new", console.Agent, (*desk).running, func(d *desk, _ string) url.Values { return newForm(d, uuid.NewString()+"@example.com") }, "", http.StatusSeeOther},
		{"POST /requests/{id}/preview", console.Agent, (*desk).running, with("letter", "extend", "to_person", "Il y a beaucoup de dossiers."), "", http.StatusOK},
		{"POST /find", console.Viewer, (*desk).running, func(*desk, string) url.Values { return url.Values{"for": {canary}} }, "", http.StatusOK},
		{"POST /language", console.Viewer, (*desk).running, func(*desk, string) url.Values { return url.Values{"language": {"fr"}, "page": {"/systems"}} }, "", http.StatusSeeOther},
		{"POST /requests/{id}/reveal", console.Agent, (*desk).running, plain, "identifiers.revealed", http.StatusOK},
		{"POST /requests/{id}/corrections", console.Agent, (*desk).toCorrect, plain, "identifiers.revealed", http.StatusOK},
		{"POST /requests/{id}/open-plan", console.Officer, (*desk).planned, plain, "plan.opened", http.StatusOK},
		act("prove-again", console.Agent, (*desk).planned, with("system", "billing", "erase", "yes"), "erasure.asked-again"),
		act("settle-notice", console.Agent, (*desk).planned, with("recipient", "auditors", "status", "sent"), "notice.settled"),
		many("retry", "request.retried", plain),
		many("assign", "request.assigned", with("to", "paul")),
		many("retry-cause", "request.retried", with("need", "task/billing/no-permission")),
		act("retry", console.Agent, (*desk).failed, with("system", "billing"), "request.retried"),
		act("accept-plan", console.Officer, (*desk).tooLarge, plain, "request.retried"),
		act("try-now", console.Agent, (*desk).parked, with("system", "billing"), "request.retried"),
		act("gather-again", console.Agent, (*desk).lost, with("system", "billing"), "request.retried"),
		act("extend", console.Agent, (*desk).running, plain, "request.extended"),
		act("ask-proof", console.Agent, (*desk).running, with("check", "identity"), "proof.asked"),
		act("judge-proof", console.Agent, (*desk).proofAsked, with("verdict", "accept"), "proof.judged"),
		act("judge-earlier", console.Agent, (*desk).doubted, with("request", coretest.Other, "verdict", "another"), "earlier.judged"),
		act("ask-clarification", console.Agent, (*desk).running, plain, "clarification.asked"),
		act("clarify", console.Agent, (*desk).clarificationAsked, plain, "clarification.given"),
		act("deliver", console.Agent, (*desk).completed, plain, "delivery.asked"),
		{"POST /requests/{id}/new-passphrase", console.Agent, (*desk).completed, plain, "answer.key-changed", http.StatusOK},
		act("revoke-answer", console.Agent, (*desk).completed, plain, "answer.key-changed"),
		{"POST /requests/{id}/sent", console.Agent, (*desk).proofSent, with("object", "proof"), "identifiers.revealed", http.StatusOK},
		act("cancel", console.Agent, (*desk).running, plain, "request.cancelled"),
		act("assign", console.Agent, (*desk).running, with("to", "paul"), "request.assigned"),
		act("note", console.Agent, (*desk).running, plain, "request.noted"),
		act("merge", console.Agent, (*desk).running, func(d *desk, id string) url.Values { return d.form(id, "into", d.running()) }, "request.merged"),
		act("refuse", console.Officer, (*desk).running, with("ground", "excessive"), "request.refused"),
		act("refuse-part", console.Officer, (*desk).running, with("system", "billing", "dataset", "invoices", "ground", "rights-of-others"), "part.refused"),
		act("give-part", console.Officer, (*desk).refusedInPart, with("system", "billing", "dataset", "invoices"), "part.refused"),
		act("refuse-field", console.Officer, (*desk).toApprove, with("field", "billing/invoices.note", "ground", "rights-of-others"), "field.refused"),
		act("approve", console.Agent, (*desk).toApprove, plain, "correction.approved"),
		act("second", console.Officer, (*desk).secondAsked, func(d *desk, id string) url.Values {
			return d.form(id, "asked", fmt.Sprint(askedOf(d, id)), "verdict", "decline")
		}, "second.judged"),
		act("decide", console.Officer, (*desk).appealed, with("finding", "dismissed"), "grievance.decided"),
		act("hold", console.Officer, (*desk).running, with("reach", "billing"), "hold.placed"),
		act("lift", console.Officer, (*desk).held, with("system", "billing"), "hold.lifted"),
		{"POST /requests/{id}/look", console.Agent, (*desk).toldOfOthers, with("system", "billing"), "identifiers.revealed", http.StatusOK},
		act("redact", console.Agent, (*desk).toldOfOthers, with("system", "billing", "value:1:note", "staff"), "task.ended"),
		act("answer", console.Agent, (*desk).failed, with("system", "billing", "action", "gather", "outcome", "nothing-found"), "task.ended"),
	}
}

// others are served to everyone, or have a test of their own.
var others = map[string]string{
	"GET /assets/{file}": "for everyone: what pages need (TestAssets)",
	"GET /signed-in":     "for who comes from the provider (the browser's tests)",
	"POST /sign-out":     "ends whatever session there is (TestSignOut)",
	"GET /signed-out":    "for who has signed out (TestSignOut)",
	"GET /requests/{id}/letters/{cause}/{kind}": "a letter (TestLetters)",
	"GET /requests/{id}/live":                   "a stream (TestLiveIsForViewers)",
}

// TestWhoMayDoWhat has everybody make every call: who may is answered, and what
// they did is a fact under their name; who may not is refused, and nothing has
// happened. Every route that is served is in the table.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	tested := map[string]bool{}
	for _, m := range mayDo() {
		pattern, _, _ := strings.Cut(m.pattern, "?")
		tested[pattern] = true
		for _, role := range everyone {
			t.Run(m.pattern+" by "+role.String(), func(t *testing.T) { d.try(t, m, role) })
		}
	}
	for _, pattern := range console.Patterns(d.Console) {
		if !tested[pattern] && others[pattern] == "" {
			t.Errorf("%s is served, and nothing here says who may", pattern)
		}
	}
}

// try has somebody make a call that all else allows.
func (d *desk) try(t *testing.T, m may, role console.Role) {
	id := m.on(d)
	before := d.version(id)
	var form url.Values
	if m.form != nil {
		form = m.form(d, id)
	}
	method, path, _ := strings.Cut(m.pattern, " ")
	path = strings.ReplaceAll(strings.ReplaceAll(path, "{id}", id), "{$}", "")
	somebody := d.as(role)
	if role != console.Nobody {
		somebody = d.session(console.User{Name: "a." + role.String(), Role: role, ID: "https://login.example.com#" + role.String()})
	}
	var w *httptest.ResponseRecorder
	if strings.HasSuffix(path, "/answer") {
		w = d.send(somebody, multipartForm(t, path, form))
	} else {
		w = d.call(somebody, method, path, form)
	}
	types, texts := d.facts(id, before+1)
	switch may := role >= m.least; {
	case role == console.Nobody && method == http.MethodGet:
		if w.Code != http.StatusFound || !strings.Contains(w.Header().Get("Location"), "/authorize") {
			t.Errorf("%d to %q, not to the provider", w.Code, w.Header().Get("Location"))
		}
	case role == console.Nobody && w.Code != http.StatusUnauthorized:
		t.Errorf("%d", w.Code)
	case role != console.Nobody && !may && w.Code != http.StatusForbidden:
		t.Errorf("%d", w.Code)
	case may && w.Code != m.status:
		t.Fatalf("%d: %s", w.Code, w.Body)
	case may && m.fact != "":
		i := slices.Index(types, m.fact)
		if i < 0 {
			t.Fatalf("no %s in %v", m.fact, types)
		}
		if !strings.Contains(texts[i], `"by":"a.`+role.String()+` \u003chttps://login.example.com#`+role.String()+`\u003e"`) || !strings.Contains(texts[i], `"reason":"because of ticket 4711"`) {
			t.Errorf("who did it, and why? %s", texts[i])
		}
	}
	if (role < m.least || m.fact == "") && len(types) > 0 {
		t.Errorf("this happened: %v", types)
	}
	reveals := m.pattern == "POST /requests/{id}/reveal" || m.pattern == "POST /requests/{id}/look"
	if revealed := reveals && role >= m.least; strings.Contains(w.Body.String(), canary) != revealed {
		t.Errorf("what identifies the person: %t, want %t", !revealed, revealed)
	}
}

// multipartForm returns a form as a browser sends it that has files.
func multipartForm(t *testing.T, path string, form url.Values, files ...string) *http.Request {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, values := range form {
		for _, v := range values {
			if err := w.WriteField(name, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := 0; i+1 < len(files); i += 2 {
		part, err := w.CreateFormFile(files[i], "records.csv")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, origin+path, &b)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

// TestOtherSites has another site send every form: nothing happens, whoever is
// signed in.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, m := range mayDo() {
		method, path, _ := strings.Cut(m.pattern, " ")
		if method != http.MethodPost {
			continue
		}
		id := m.on(d)
		before := d.version(id)
		for _, from := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Sec-Fetch-Site", "", "Origin", "https://evil.example.com"}} {
			w := d.call(d.as(console.Officer), method, strings.ReplaceAll(path, "{id}", id), m.form(d, id), from...)
			if w.Code != http.StatusForbidden {
				t.Errorf("%s from %v: %d", m.pattern, from, w.Code)
			}
		}
		if types, _ := d.facts(id, before+1); len(types) > 0 {
			t.Errorf("%s: %v", m.pattern, types)
		}
	}
}

// TestSecuredAnswers looks at the headers of every kind of answer: pages,
// refusals, redirects, errors, files.
func TestSecuredAnswers(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.running()
	for _, c := range []struct {
		who          console.Role
		method, path string
		form         url.Values
	}{
		{console.Viewer, "GET", "/", nil}, {console.Nobody, "GET", "/", nil}, {console.Viewer, "GET", "/nowhere", nil}, {console.Viewer, "GET", "/requests/" + id, nil},
		{console.Viewer, "GET", "/requests/none", nil}, {console.Viewer, "GET", "/requests/" + id + "/trace.json", nil}, {console.Viewer, "GET", "/assets/console.css", nil},
		{console.Viewer, "DELETE", "/requests/" + id, nil}, {console.Viewer, "POST", "/requests/" + id + "/cancel", d.form(id)}, {console.Nobody, "POST", "/requests/" + id + "/cancel", d.form(id)},
		{console.Agent, "POST", "/requests/" + id + "/cancel", url.Values{}}, {console.Agent, "POST", "/requests/" + id + "/extend", d.form(id)}, {console.Viewer, "GET", "/?view=none", nil},
		{console.Nobody, "GET", "/signed-in", nil}, {console.Nobody, "POST", "/sign-out", url.Values{}}, {console.Nobody, "GET", "/signed-out", nil},
	} {
		w := d.call(d.as(c.who), c.method, c.path, c.form)
		h := w.Result().Header
		policy := h.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s %s (%d): %q lacks %q", c.method, c.path, w.Code, policy, part)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
			t.Errorf("%s %s: %q", c.method, c.path, policy)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s %s: %v", c.method, c.path, h)
		}
		if !strings.HasPrefix(c.path, "/assets/") && h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s may be kept: %q", c.method, c.path, h.Get("Cache-Control"))
		}
		if body := w.Body.String(); strings.Contains(body, "<script>") || strings.Contains(body, "style=\"") || strings.Contains(body, "onclick") {
			t.Errorf("%s %s has what the policy forbids", c.method, c.path)
		}
	}
}

// TestAssets has pages' files for everyone, and nothing else from there.
func TestAssets(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for path, want := range map[string]int{"/assets/console.css": 200, "/assets/console.js": 200, "/assets/htmx.min.js": 200, "/assets/none": 404,
		"/assets/..%2fconsole.go": 404, "/assets/%2e%2e/console.go": 404, "/assets/": 404} {
		if w := d.call(nil, "GET", path, nil); w.Code != want {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// TestSessionEnds has a session end by itself: half an hour after the last page,
// and after a working day whatever was done; a stream that a page holds open
// keeps nobody signed in.
func TestSessionEnds(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	in := func(w *httptest.ResponseRecorder) bool { return w.Code == http.StatusOK }
	session := d.as(console.Viewer)
	d.later(console.SessionIdle - 1)
	if d.askAgain(session) == nil {
		t.Fatal("out too early")
	}
	d.later(2)
	if d.askAgain(session) != nil {
		t.Fatal("still in, with the cookie that was never renewed")
	}

	session = d.as(console.Viewer)
	began := d.clock()
	for d.clock().Sub(began) < console.SessionMax-console.SessionIdle {
		d.later(console.SessionIdle / 2)
		if session = d.askAgain(session); !in(d.call(session, "GET", "/systems", nil)) {
			t.Fatalf("out after %v", d.clock().Sub(began))
		}
	}
	for d.clock().Sub(began) <= console.SessionMax {
		d.later(console.SessionIdle / 2)
		if renewed := d.askAgain(session); renewed != nil {
			session = renewed
		}
	}
	if d.askAgain(session) != nil || in(d.call(session, "GET", "/systems", nil)) {
		t.Error("still in after a working day")
	}

	session = d.as(console.Viewer)
	d.later(console.RolesAsked)
	if w := d.call(session, "GET", "/systems", nil, "Accept", "text/event-stream"); len(w.Result().Cookies()) > 0 {
		t.Error("a stream renewed the session")
	}

	// A cookie that was altered, or is of other keys, is none.
	session = d.as(console.Officer)
	broken := *session[0]
	broken.Value = "A" + broken.Value[1:]
	if in(d.call([]*http.Cookie{&broken}, "GET", "/systems", nil)) {
		t.Error("an altered cookie is taken")
	}
	if c := session[0]; !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || !strings.HasPrefix(c.Name, "__Host-") || strings.Contains(c.Value, "officer") {
		t.Errorf("the cookie: %v", c)
	}
}

// TestLocalIsLocal lets everyone in on this machine, and nobody from elsewhere:
// neither another machine nor a page whose name resolves to this one.
func TestLocalIsLocal(t *testing.T) {
	t.Parallel()
	l := console.Local{Name: "somebody"}
	for _, c := range []struct {
		remote, host string
		in           bool
	}{
		{"127.0.0.1:5000", "localhost:8421", true}, {"127.0.0.1:5000", "127.0.0.1:8421", true}, {"[::1]:5000", "[::1]:8421", true}, {"127.8.8.8:1", "localhost", true},
		{"192.0.2.1:5000", "localhost:8421", false}, {"127.0.0.1:5000", "rebound.example.com", false}, {"127.0.0.1:5000", "localhost.example.com:8421", false},
		{"192.0.2.1:5000", "192.0.2.1:8421", false}, {"", "", false},
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.RemoteAddr, r.Host = c.remote, c.host
		u, ok := l.User(httptest.NewRecorder(), r)
		if ok != c.in || ok && (u.Role != console.Officer || u.Name != "somebody") {
			t.Errorf("%q %q: %v %v", c.remote, c.host, u, ok)
		}
	}
}

// TestRoles names them, and knows no other.
func TestRoles(t *testing.T) {
	t.Parallel()
	for _, role := range everyone[1:] {
		if console.RoleOf(role.String()) != role {
			t.Errorf("%s", role)
		}
	}
	for _, name := range []string{"", "nobody", "admin", "Agent", "viewer "} {
		if console.RoleOf(name) != console.Nobody {
			t.Errorf("%q is %s", name, console.RoleOf(name))
		}
	}
}

// TestRolesAreAskedAgain: what somebody may do is as old as some minutes: opening a page
// leads to the provider, and a form, which is served a while longer so that nothing
// written is lost, isn't for ever.
func TestRolesAreAskedAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	session := d.as(console.Viewer)
	french := url.Values{"language": {"fr"}, "page": {"/systems"}}
	d.later(console.RolesAsked)
	if w := d.call(session, "GET", "/systems", nil); w.Code != http.StatusOK {
		t.Errorf("too early: %d", w.Code)
	}
	d.later(1)
	if w := d.call(session, "GET", "/systems", nil); w.Code != http.StatusFound || !strings.HasPrefix(w.Header().Get("Location"), d.signIn.Issuer+"/authorize") {
		t.Errorf("a page: %d %s", w.Code, w.Header().Get("Location"))
	}
	if w := d.call(session, "POST", "/language", french); w.Code != http.StatusSeeOther {
		t.Errorf("a form: %d", w.Code)
	}
	d.later(console.RolesMax - console.RolesAsked)
	for _, c := range []struct{ method, path, accept string }{{"POST", "/language", ""}, {"GET", "/requests/" + d.running() + "/live", "text/event-stream"}} {
		if w := d.call(session, c.method, c.path, french, "Accept", c.accept); w.Code != http.StatusUnauthorized {
			t.Errorf("%s %s after a quarter of an hour: %d", c.method, c.path, w.Code)
		}
	}
	if w := d.call(d.askAgain(session), "GET", "/systems", nil); w.Code != http.StatusOK {
		t.Errorf("asked again: %d", w.Code)
	}
}

// TestSessionsEndEverywhere: who signs out at one console is out at all of them, with
// every session; and who runs Habeas can end somebody's, or everybody's.
func TestSessionsEndEverywhere(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	lea, paul := console.User{Name: "lea", Role: console.Agent, ID: "https://login.example.com#1"}, console.User{Name: "lea", Role: console.Agent, ID: "https://login.example.com#2"}
	one, two, other := d.session(lea), d.session(lea), d.session(paul)
	in := func(who []*http.Cookie) bool { return d.call(who, "GET", "/systems", nil).Code == http.StatusOK }
	away := d.handler // one console, and another on the same journal
	if !in(one) || !in(two) || !in(other) {
		t.Fatal("not in")
	}
	d.open()
	d.later(time.Second)
	d.call(one, "POST", "/sign-out", url.Values{})
	if in(two) || !in(other) {
		t.Errorf("at the console where they signed out: their other session %v, another person %v", in(two), in(other))
	}
	d.later(5 * time.Second)
	d.handler = away
	if in(one) || in(two) || !in(other) {
		t.Errorf("at another console: %v %v %v", in(one), in(two), in(other))
	}
	d.later(time.Second)
	if again := d.session(lea); !in(again) {
		t.Error("they can't sign in again")
	}
	if err := console.EndSessions(t.Context(), d.journal, "", d.clock()); err != nil {
		t.Fatal(err)
	}
	if d.later(6 * time.Second); in(other) {
		t.Error("everybody's sessions were ended, and one goes on")
	}
}

// TestSearches: who searched for whom is written down, without what they are known by;
// somebody who searches for very many is told to go on later, and others aren't.
func TestSearches(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.running()
	lea, paul := d.session(console.User{Name: "lea", Role: console.Viewer, ID: "x#1"}), d.session(console.User{Name: "paul", Role: console.Viewer, ID: "x#2"})
	find := func(who []*http.Cookie, what string) int {
		return d.call(who, "POST", "/find", url.Values{"for": {what}}).Code
	}
	find(lea, id) // a request's number is no person
	for range console.MaxSearches - 1 {
		find(lea, "nobody@example.com")
	}
	if got := find(lea, canary); got != http.StatusOK {
		t.Errorf("%d", got)
	}
	if one, other := find(lea, canary), find(paul, canary); one != http.StatusTooManyRequests || other != http.StatusOK {
		t.Errorf("one more: %d, another person: %d", one, other)
	}
	list, err := d.journal.Searches(t.Context(), journal.SearchFilter{Hash: console.SearchHash(d.vault, canary)})
	if err != nil || len(list) != 2 || list[1].By != "lea <x#1>" || list[0].By != "paul <x#2>" || list[0].Found != 1 || strings.Contains(list[0].Hash, canary) {
		t.Errorf("%+v %v", list, err)
	}
	d.later(10 * time.Minute)
	lea = d.askAgain(lea)
	if got := find(lea, canary); got != http.StatusTooManyRequests {
		t.Errorf("ten minutes later: %d", got)
	}
	d.later(51 * time.Minute)
	if got := find(d.session(console.User{Name: "lea", Role: console.Viewer, ID: "x#1"}), canary); got != http.StatusOK {
		t.Errorf("an hour later: %d", got)
	}
}

// TestActsAreOfOne: a fact has the identity of who acted beside the name, and pages have
// the name.
func TestActsAreOfOne(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.running()
	lea := d.session(console.User{Name: "lea", Role: console.Agent, ID: "https://login.example.com#00u1"})
	if w := d.call(lea, "POST", "/requests/"+id+"/cancel", d.form(id)); w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	facts, err := d.journal.Facts(t.Context(), id, 1)
	if err != nil || !bytes.Contains(facts[len(facts)-1].Data, []byte(`lea \u003chttps://login.example.com#00u1\u003e`)) {
		t.Errorf("%v %s", err, facts[len(facts)-1].Data)
	}
	if page := d.call(lea, "GET", "/requests/"+id, nil).Body.String(); !strings.Contains(page, "cancelled by lea") || strings.Contains(page, "00u1") {
		t.Errorf("%s", page)
	}
}

// askedOf returns the fact that asks a second person first; 0 where that was judged, which no
// form is taken with.
func askedOf(d *desk, id string) int {
	s, err := d.requests.State(context.Background(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, one := range s.Unjudged() {
		return one.Asked
	}
	return 0
}
