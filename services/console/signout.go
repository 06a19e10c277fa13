package console

import (
	"bytes"
	"crypto/rand"
	"net/http"
	"net/url"
	"time"

	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/words"
)

// logout is what a cookie holds of a sign-out while the browser is at the provider.
type logout struct {
	State string
	Began time.Time
}

// farewell is the data of the page after signing out.
type farewell struct {
	Lang *words.Language
	Host string // the provider's
	// Next is the address where the provider ends its own session; empty where it
	// names none, or has ended it.
	Next string
	// Everywhere says that the provider has ended its session.
	Everywhere bool
}

// signOut ends all sessions of whoever signs out, at every console, and leads to where the provider ends its own
// (OpenID Connect RP-Initiated Logout 1.0): by a page that the browser leaves at
// once, since a form may lead to no other site. No id_token goes along as a hint of
// who it is: it would stand in the address, with their name; a provider that lacks it
// asks whether they mean it. Where the provider has no such place, the page says that
// its session goes on.
func (o *OIDC) signOut(w http.ResponseWriter, r *http.Request) {
	if s, ok := o.session(r); ok && o.ended != nil {
		if err := EndSessions(r.Context(), o.Ended, s.User.ID, o.Now()); err != nil {
			o.Log.ErrorContext(r.Context(), "sign-out: other sessions of the same person go on", "error", err)
		}
		o.ended.forget(s.User.ID)
	}
	o.cookies.drop(w, "session")
	w.Header().Set("Clear-Site-Data", `"cache"`)
	next, err := o.endOfSession(r)
	if err != nil {
		o.Log.WarnContext(r.Context(), "sign-out: the provider doesn't answer; its session goes on", "error", err)
	}
	if next == nil {
		http.Redirect(w, r, "/signed-out", http.StatusSeeOther)
		return
	}
	l := logout{State: rand.Text(), Began: o.Now()}
	if err := o.cookies.set(w, "logout", l, loginMax); err != nil {
		http.Redirect(w, r, "/signed-out", http.StatusSeeOther)
		return
	}
	q := next.Query()
	q.Set("client_id", o.ClientID)
	q.Set("post_logout_redirect_uri", o.URL+"/signed-out")
	q.Set("state", l.State)
	q.Set("ui_locales", languageOf(r).Tag)
	next.RawQuery = q.Encode()
	o.bye(w, r, farewell{Next: next.String()})
}

// signedOut is where the provider sends people back to.
func (o *OIDC) signedOut(w http.ResponseWriter, r *http.Request) {
	var l logout
	known := o.cookies.get(r, "logout", &l)
	if known {
		o.cookies.drop(w, "logout")
	}
	o.bye(w, r, farewell{Everywhere: known && o.Now().Sub(l.Began) <= loginMax && r.FormValue("state") == l.State})
}

// endOfSession returns the address where the provider ends its session, or nil.
func (o *OIDC) endOfSession(r *http.Request) (*url.URL, error) {
	if _, err := o.flow(r.Context()); err != nil {
		return nil, err
	}
	var says struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := o.known().Claims(&says); err != nil || says.EndSession == "" {
		return nil, err
	}
	u, err := url.Parse(says.EndSession)
	if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && callers.Loopback(u.Host)) {
		return nil, err // whoever listens could say that all has ended
	}
	return u, nil
}

func (o *OIDC) bye(w http.ResponseWriter, r *http.Request, f farewell) {
	f.Lang = languageOf(r)
	if issuer, err := url.Parse(o.Issuer); err == nil {
		f.Host = issuer.Host
	}
	var b bytes.Buffer
	if err := o.pages[f.Lang.Tag]["signed-out.html"].ExecuteTemplate(&b, "signed-out", f); err != nil {
		o.Log.ErrorContext(r.Context(), "a page couldn't be made", "error", err)
		http.Error(w, f.Lang.Say("this page can't be shown"), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", f.Lang.Tag)
	_, _ = b.WriteTo(w)
}
