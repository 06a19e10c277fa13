package console_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"habeas.dev/services/console"
	"habeas.dev/services/internal/browsertest"
)

// TestBrowserSignIn signs people in with a certified provider of OpenID Connect
// that runs beside it, which insists on PKCE and the client's secret: who may
// what by the claims, what becomes of a session that is over, of signing out,
// and of a form that another site sends.
func TestBrowserSignIn(t *testing.T) {
	browsertest.Skip(t)
	h := newFixture(t)
	h.now = time.Now().UTC().Truncate(time.Microsecond)
	id := h.ask("access", "EEA", camille, 3, nil)
	var later atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	server := httptest.NewUnstartedServer(nil)
	home := "http://" + server.Listener.Addr().String()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(browsertest.Secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	signIn, err := console.NewOIDC(console.OIDCConfig{Issuer: browsertest.Provider(t, home), ClientID: browsertest.ClientID, SecretFile: secret, URL: home, RolesClaim: "groups",
		Roles: map[string][]string{"viewer": {"dsar-readers"}, "agent": {"dsar-desk"}, "privacy-officer": {"dsar-officers"}},
		Signs: []byte(strings.Repeat("s", 32)), Encrypts: []byte(strings.Repeat("e", 32)), Now: now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	h.serve(server, signIn, now)
	b := browsertest.Start(t)

	// enter signs somebody in, on the way to a page.
	enter := func(name, page string) *browsertest.Page {
		p := b.Page(t)
		p.As(browsertest.Look{Width: 1280})
		p.Open(home + page)
		p.True(`document.querySelector("input[name=login]")`)
		p.Type("input[name=login]", name)
		p.Type("input[name=password]", "anything")
		p.Press(kb.Enter)
		p.True(`document.querySelector("input[name=prompt][value=consent]")`)
		p.Script(`document.querySelector("button[type=submit]").click()`)
		p.True(`location.origin === "` + home + `" && document.readyState === "complete"`)
		t.Cleanup(func() { p.Expect(signIn.Issuer); p.Expect("font") }) // what the provider's own pages complain of
		return p
	}
	request := "/requests/" + id

	vera := enter("vera", request)
	vera.Says(".who", "vera")
	vera.Says("#acts", "your role reads")
	if at := browsertest.Eval[string](vera, `location.pathname`); at != request {
		t.Errorf("after signing in one is at %s", at)
	}
	if code := browsertest.Eval[int](vera, fmt.Sprintf(`fetch(%q, {method: "POST", body: new URLSearchParams({reason: "why", acts: "0"})}).then(r => r.status)`, request+"/cancel")); code != http.StatusForbidden {
		t.Errorf("a viewer cancels: %d", code)
	}
	vera.Expect("403")

	lea := enter("lea", request)
	lea.Says("#acts", "cancel the request")
	if browsertest.Eval[bool](lea, `document.querySelector("form[action$='/refuse']") !== null`) {
		t.Error("an agent is offered what only a privacy officer may")
	}
	paul := enter("paul", request)
	paul.Says("#acts", "refuse")
	otto := enter("otto", "/")
	otto.Says("body", "have no role here")
	otto.Expect("403")

	// Nothing of a session can be read by a script, and no URL holds a token.
	if cookies := browsertest.Eval[string](lea, `document.cookie + location.href`); strings.Contains(cookies, "session") || strings.Contains(cookies, "code=") {
		t.Errorf("a script reads %s", cookies)
	}

	// Another site's form, sent by the agent's own browser with its cookies.
	trap := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><link rel="icon" href="data:,"><form method="post" action="%s%s/cancel"><input name="reason" value="gotcha"><input name="acts" value="0"><button>Win</button></form>`, home, request)
	}))
	defer trap.Close()
	lea.Open(trap.URL)
	lea.Click("button")
	lea.Says("body", "sent from another site")
	lea.Expect("403")
	if s := h.state(id); s.Status.Ended() {
		t.Error("another site has cancelled a request")
	}

	// A session ends by itself: a form is refused, and a page leads to the
	// provider and back.
	lea.Open(home + "/systems")
	later.Store(int64(31 * time.Minute))
	if code := browsertest.Eval[int](lea, `fetch("/language", {method: "POST", body: new URLSearchParams({language: "fr"})}).then(r => r.status)`); code != http.StatusUnauthorized {
		t.Errorf("a session that is over: %d", code)
	}
	lea.Expect("401")
	lea.Open(home + "/systems")
	lea.Says(".who", "lea") // the provider knows them still

	// Signing out.
	paul.Expect("401") // their open page's stream found its session over
	paul.Open(home + "/")
	paul.Says(".who", "paul")
	paul.Click(`form[action="/sign-out"] button`)
	paul.True(`location.origin === "` + signIn.Issuer + `" && document.querySelector("button[name=logout]")`)
	paul.Script(`document.querySelector("button[name=logout]").click()`)
	paul.True(`location.origin === "` + home + `" && document.readyState === "complete"`)
	paul.Says("h1", "signed out")
	paul.Says(".lead", "and at "+strings.TrimPrefix(signIn.Issuer, "http://"))
	if code := browsertest.Eval[int](paul, `fetch("/language", {method: "POST", body: new URLSearchParams({language: "fr"})}).then(r => r.status)`); code != http.StatusUnauthorized {
		t.Errorf("after signing out: %d", code)
	}
	paul.Open(home + "/")
	paul.True(`document.querySelector("input[name=login]")`) // the provider asks who it is
	for _, p := range []*browsertest.Page{vera, paul, lea} {
		p.Expect("401")
	}
}
