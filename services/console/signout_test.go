package console_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"habeas.dev/services/console"
)

// TestSignOut ends the session here, and leads to where the provider ends its own
// (OpenID Connect RP-Initiated Logout 1.0, section 2): with the address to come back
// to and a state, and with nothing that says who it is. Only who comes back with that
// state is told that both have ended.
func TestSignOut(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.ends = "/end?tenant=7"
	d.open()
	w := d.call(d.as(console.Viewer), "POST", "/sign-out", url.Values{}, "Accept-Language", "fr")
	to := leads(t, w)
	q := to.Query()
	if w.Code != http.StatusOK || !dropped(w, "session") || to.Scheme+"://"+to.Host != d.signIn.Issuer || to.Path != "/end" || q.Get("tenant") != "7" ||
		q.Get("client_id") != "console" || q.Get("post_logout_redirect_uri") != origin+"/signed-out" || len(q.Get("state")) < 20 || q.Get("ui_locales") != "fr" || len(q) != 5 {
		t.Fatalf("%d: %s", w.Code, to)
	}
	back := w.Result().Cookies()
	for state, everywhere := range map[string]bool{q.Get("state"): true, "another": false, "": false} {
		w := d.call(back, "GET", "/signed-out?state="+state, nil)
		if said := strings.Contains(w.Body.String(), "You are signed out of Habeas, and at "); w.Code != http.StatusOK || said != everywhere {
			t.Errorf("back with %q: %d %s", state, w.Code, w.Body)
		}
	}
}

// TestSignOutHere ends the session here only where the provider says nowhere, or
// nowhere safe, to end its own: and says so.
func TestSignOutHere(t *testing.T) {
	t.Parallel()
	for name, ends := range map[string]string{"nowhere": "", "no address": ":bad", "in the open": "@login.example.com/end"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.ends = ends
			d.open()
			w := d.call(d.as(console.Viewer), "POST", "/sign-out", url.Values{})
			if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/signed-out" || !dropped(w, "session") {
				t.Fatalf("%d %v", w.Code, w.Header())
			}
			if w := d.call(nil, "GET", "/signed-out", nil); !strings.Contains(w.Body.String(), "goes on") {
				t.Errorf("%s", w.Body)
			}
		})
	}
}

// dropped reports whether an answer takes a cookie away.
func dropped(w *httptest.ResponseRecorder, name string) bool {
	for _, c := range w.Result().Cookies() {
		if strings.HasSuffix(c.Name, "habeas-"+name) {
			return c.MaxAge < 0 && c.Value == ""
		}
	}
	return false
}

// leads returns where a page sends the browser at once.
func leads(t *testing.T, w *httptest.ResponseRecorder) *url.URL {
	t.Helper()
	found := regexp.MustCompile(`<meta http-equiv="refresh" content="0; url=([^"]+)">`).FindStringSubmatch(w.Body.String())
	if found == nil {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	to, err := url.Parse(html.UnescapeString(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return to
}
