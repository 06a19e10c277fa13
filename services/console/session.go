package console

import (
	"net/http"
	"time"

	"github.com/gorilla/securecookie"
)

const (
	// sessionIdle and sessionMax are when a session ends: by itself after a
	// while without a page, and at the latest after a working day.
	sessionIdle = 30 * time.Minute
	sessionMax  = 10 * time.Hour
	// sessionRenew is how old a cookie may get before it is written anew.
	sessionRenew = time.Minute
	// rolesAsked is how old what the provider said of somebody's roles may be when they
	// open a page, and rolesMax when they send a form or a page asks for something: what
	// was being written isn't lost, and who has lost a role has it no longer than that.
	rolesAsked = 5 * time.Minute
	rolesMax   = 15 * time.Minute
	// loginMax bounds how long a sign-in may take at the provider.
	loginMax = 10 * time.Minute
)

// session is the content of the session cookie, encrypted: every console with the
// same keys reads it, and none has to store it.
type session struct {
	User     User
	Began    time.Time
	LastSeen time.Time
	// Asked is when the provider last said who this is, and what they are.
	Asked time.Time
}

// stale reports whether the provider must be asked again before the session serves.
func (s session) stale(now time.Time, opens bool) bool {
	age := now.Sub(s.Asked)
	return age > rolesMax || opens && age > rolesAsked
}

// login is what a cookie holds of a sign-in while the browser is at the provider.
type login struct {
	State, Nonce, Verifier, Page string
	Began                        time.Time
}

// cookies writes and reads the cookies of sessions and sign-ins.
type cookies struct {
	codec  *securecookie.SecureCookie
	secure bool // only over TLS
	now    func() time.Time
}

func newCookies(signs, encrypts []byte, secure bool, now func() time.Time) cookies {
	// Their age is checked here, against one clock.
	return cookies{securecookie.New(signs, encrypts).MaxAge(0).SetSerializer(securecookie.JSONEncoder{}), secure, now}
}

// name returns a cookie's name. With __Host- a browser takes it from this host over
// TLS only.
func (c cookies) name(of string) string {
	if c.secure {
		return "__Host-habeas-" + of
	}
	return "habeas-" + of
}

func (c cookies) set(w http.ResponseWriter, of string, value any, lasts time.Duration) error {
	text, err := c.codec.Encode(of, value)
	if err != nil {
		return err
	}
	http.SetCookie(w, &http.Cookie{Name: c.name(of), Value: text, Path: "/", MaxAge: int(lasts.Seconds()), Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return nil
}

func (c cookies) get(r *http.Request, of string, value any) bool {
	cookie, err := r.Cookie(c.name(of))
	return err == nil && c.codec.Decode(of, cookie.Value, value) == nil
}

func (c cookies) drop(w http.ResponseWriter, of string) {
	http.SetCookie(w, &http.Cookie{Name: c.name(of), Path: "/", MaxAge: -1, Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// begin starts a session, or has one go on that began before.
func (c cookies) begin(w http.ResponseWriter, u User, began time.Time) error {
	now := c.now()
	return c.set(w, "session", session{User: u, Began: began, LastSeen: now, Asked: now}, sessionMax-now.Sub(began))
}

// session returns the session of a request's cookie, unless its time is over.
func (c cookies) session(r *http.Request) (session, bool) {
	var s session
	now := c.now()
	ok := c.get(r, "session", &s) && now.Sub(s.Began) <= sessionMax && now.Sub(s.LastSeen) <= sessionIdle
	return s, ok
}

// renew writes down that somebody uses their session. A stream that a page holds open by
// itself is no sign that anybody looks at it, and renews nothing.
func (c cookies) renew(w http.ResponseWriter, r *http.Request, s session) bool {
	now := c.now()
	if now.Sub(s.LastSeen) <= sessionRenew || r.Header.Get("Accept") == "text/event-stream" {
		return true
	}
	s.LastSeen = now
	return c.set(w, "session", s, sessionMax-now.Sub(s.Began)) == nil
}
