package portal

import (
	"net/http"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
)

const (
	// sessionTime is how long a request can be followed after a code, and openTime how long
	// the answer can be fetched after a passphrase.
	sessionTime = 2 * time.Hour
	openTime    = 30 * time.Minute
)

// session is what somebody at the other end has proven, for one request.
type session struct {
	RequestID string
	Until     time.Time
	Assurance dsar.Assurance // of the address that they proved, with the request
	Opened    time.Time      // when they had the passphrase
}

// cookieName returns the cookie's name. With __Secure- browsers send it over TLS only.
func (p *Portal) cookieName() string {
	if p.overTLS() {
		return "__Secure-habeas"
	}
	return "habeas-portal"
}

func (p *Portal) overTLS() bool { return strings.HasPrefix(p.URL, "https:") }

// begin writes a session's cookie. It goes with the pages of its request, and no others.
func (p *Portal) begin(w http.ResponseWriter, s session) error {
	text, err := seal(p.keys.sessions, s.RequestID, s)
	if err != nil {
		return err
	}
	http.SetCookie(w, &http.Cookie{Name: p.cookieName(), Value: text, Path: "/r/" + s.RequestID, MaxAge: int(s.Until.Sub(p.Now()).Seconds()), Secure: p.overTLS(), HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return nil
}

// session returns who is at the other end of a request's page; false where nobody has
// proven anything.
func (p *Portal) session(r *http.Request, requestID string) (s session, ok bool) {
	c, err := r.Cookie(p.cookieName())
	if err != nil || !unseal(p.keys.sessions, requestID, c.Value, &s) {
		return session{}, false
	}
	return s, s.RequestID == requestID && p.Now().Before(s.Until)
}

// fetches reports whether a session may fetch the answer now.
func (p *Portal) fetches(s session) bool {
	return !s.Opened.IsZero() && p.Now().Sub(s.Opened) < openTime
}

// leave ends a session.
func (p *Portal) leave(w http.ResponseWriter, r *http.Request) {
	id, ok := dsar.ReadRequestID(r.PathValue("id"))
	if !ok {
		p.fail(w, r, http.StatusNotFound, "error.number")
		return
	}
	http.SetCookie(w, &http.Cookie{Name: p.cookieName(), Path: "/r/" + id, MaxAge: -1, Secure: p.overTLS(), HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
