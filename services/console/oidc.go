package console

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/jose"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/words"
)

// providerTime bounds each call of the provider.
const providerTime = 15 * time.Second

// OIDCConfig is a provider of OpenID Connect, and what its claims mean here.
type OIDCConfig struct {
	Issuer   string
	ClientID string
	// SecretFile holds the client's secret; read at every sign-in, so that a new
	// one is used at once. Empty: a public client.
	SecretFile string
	// URL is the console's own address, as browsers reach it; the provider sends
	// people back to URL/signed-in. It MUST be https, but on loopback.
	URL string
	// NameClaim is the claim with the name that the journal records:
	// preferred_username, unless set; where it is missing, sub.
	NameClaim string
	// RolesClaim is the claim that lists what somebody is: roles, unless set. Roles
	// says which of its values gives which role; one in no list is let in nowhere.
	RolesClaim string
	Roles      map[string][]string
	// Scopes are asked for beside openid and profile.
	Scopes []string
	// Signs and Encrypts are the session cookies' keys, of 32 bytes each: the
	// same in all consoles behind one address.
	Signs, Encrypts []byte
	// Languages are those of its pages; nil: those that are built in.
	Languages *words.Languages
	// Ended are the notes in which it is remembered whose sessions were ended; the
	// journal's. Nil: a session ends by itself alone.
	Ended journal.Notes
	Now   func() time.Time
	Log   *slog.Logger
}

// OIDC signs people in with a provider of OpenID Connect: the code flow with
// PKCE (RFC 7636), a state and a nonce.
type OIDC struct {
	OIDCConfig
	cookies cookies
	ended   *ended // nil: nobody remembers
	pages   map[string]pages

	mu       sync.Mutex
	provider *oidc.Provider // nil until the provider was reached
}

// NewOIDC returns the sign-in. The provider needn't be there yet.
func NewOIDC(c OIDCConfig) (*OIDC, error) {
	own, err := url.Parse(c.URL)
	switch {
	case err != nil || own.Host == "":
		return nil, fmt.Errorf("console: url %q is not the console's address, as https://habeas.example.com", c.URL)
	case own.Scheme != "https" && !callers.Loopback(own.Host):
		return nil, fmt.Errorf("console: url %q is not https: sessions would go in the open", c.URL)
	case c.Issuer == "" || c.ClientID == "":
		return nil, errors.New("console: sign-in needs an issuer and a client_id")
	}
	for name := range c.Roles {
		if RoleOf(name) == Nobody {
			return nil, fmt.Errorf("console: roles: %q is none of viewer, agent, privacy-officer", name)
		}
	}
	if len(c.Roles) == 0 {
		return nil, errors.New("console: roles: say which values of the claim give which role, else nobody is let in")
	}
	if c.NameClaim == "" {
		c.NameClaim = "preferred_username"
	}
	if c.RolesClaim == "" {
		c.RolesClaim = "roles"
	}
	c.URL = strings.TrimSuffix(c.URL, "/")
	pages, err := parsePages(c.Languages)
	if err != nil {
		return nil, err
	}
	o := &OIDC{OIDCConfig: c, pages: pages, cookies: newCookies(c.Signs, c.Encrypts, own.Scheme == "https", c.Now)}
	if c.Ended != nil {
		o.ended = &ended{notes: c.Ended, now: c.Now, known: map[string]endedAt{}}
	}
	return o, nil
}

// User implements SignIn. Whoever opens a page whose role was last asked for some
// minutes ago is led to the provider, which knows them, and back (TestRolesAreAskedAgain).
func (o *OIDC) User(w http.ResponseWriter, r *http.Request) (User, bool) {
	s, ok := o.session(r)
	if !ok || s.stale(o.Now(), opens(r)) {
		return User{}, false
	}
	return s.User, o.cookies.renew(w, r, s)
}

// session returns the session that a request belongs to, unless it is over.
func (o *OIDC) session(r *http.Request) (session, bool) {
	s, ok := o.cookies.session(r)
	if !ok || o.ended == nil {
		return s, ok
	}
	over, err := o.ended.over(r.Context(), s.User.ID, s.Began)
	if err != nil {
		o.Log.ErrorContext(r.Context(), "whether a session was ended can't be told", "error", err)
	}
	return s, !over
}

// opens reports whether a browser opens a page, and can be led elsewhere and back: not a
// form that is sent, nor what a page asks for by itself.
func opens(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header.Get("HX-Request") == "" && r.Header.Get("Accept") != "text/event-stream"
}

// CanSignOut implements SignIn.
func (*OIDC) CanSignOut() bool { return true }

// Routes implements SignIn.
func (o *OIDC) Routes() map[string]http.Handler {
	return map[string]http.Handler{
		"GET /signed-in":  http.HandlerFunc(o.back),
		"POST /sign-out":  http.HandlerFunc(o.signOut),
		"GET /signed-out": http.HandlerFunc(o.signedOut),
	}
}

// Begin redirects the browser to the provider.
func (o *OIDC) Begin(w http.ResponseWriter, r *http.Request, page string) {
	flow, err := o.flow(r.Context())
	if err != nil {
		o.Log.WarnContext(r.Context(), "sign-in: the provider doesn't answer", "error", err)
		http.Error(w, languageOf(r).Say("Signing in is not possible now: the identity provider doesn't answer. Try again in a minute."), http.StatusServiceUnavailable)
		return
	}
	l := login{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Page: page, Began: o.Now()}
	if err := o.cookies.set(w, "login", l, loginMax); err != nil {
		http.Error(w, languageOf(r).Say("signing in is not possible now"), http.StatusInternalServerError)
		return
	}
	http.Redirect(w, r, flow.AuthCodeURL(l.State, oidc.Nonce(l.Nonce), oauth2.S256ChallengeOption(l.Verifier)), http.StatusFound)
}

// back completes a sign-in, when the browser comes back from the provider.
func (o *OIDC) back(w http.ResponseWriter, r *http.Request) {
	var l login
	if !o.cookies.get(r, "login", &l) || o.Now().Sub(l.Began) > loginMax || r.FormValue("state") != l.State {
		http.Error(w, languageOf(r).Say("This sign-in has lapsed, or began elsewhere. Open the console again."), http.StatusBadRequest)
		return
	}
	o.cookies.drop(w, "login")
	u, err := o.exchange(r.Context(), l, r.FormValue("code"))
	if err != nil {
		o.Log.WarnContext(r.Context(), "sign-in failed", "error", err)
		http.Error(w, languageOf(r).Say("The identity provider didn't let you in."), http.StatusForbidden)
		return
	}
	if u.Role == Nobody {
		http.Error(w, languageOf(r).Say("You are signed in, and have no role here. Ask for one where your roles are kept."), http.StatusForbidden)
		return
	}
	began := o.Now()
	if before, ok := o.session(r); ok && before.User.ID == u.ID {
		began = before.Began // it was asked again: the session goes on
	}
	if err := o.cookies.begin(w, u, began); err != nil {
		http.Error(w, languageOf(r).Say("signing in is not possible now"), http.StatusInternalServerError)
		return
	}
	http.Redirect(w, r, ownPage(l.Page), http.StatusSeeOther)
}

// exchange exchanges a code for the user.
func (o *OIDC) exchange(ctx context.Context, l login, code string) (User, error) {
	if code == "" {
		return User{}, errors.New("the provider sent no code")
	}
	flow, err := o.flow(ctx)
	if err != nil {
		return User{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, providerTime)
	defer cancel()
	token, err := flow.Exchange(ctx, code, oauth2.VerifierOption(l.Verifier))
	if err != nil {
		var refused *oauth2.RetrieveError
		if errors.As(err, &refused) { // its body may hold anything
			return User{}, fmt.Errorf("the provider refused the code: %s", refused.ErrorCode)
		}
		return User{}, errors.New("the provider refused the code")
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return User{}, errors.New("the provider sent no id_token")
	}
	if _, _, err := jose.ReadToken(raw); err != nil { // the library reads it more leniently
		return User{}, fmt.Errorf("id_token: %w", err)
	}
	id, err := o.known().Verifier(&oidc.Config{ClientID: o.ClientID, Now: o.Now}).Verify(ctx, raw)
	if err != nil {
		return User{}, fmt.Errorf("id_token: %w", err)
	}
	if id.Nonce != l.Nonce {
		return User{}, errors.New("the id_token is of another sign-in")
	}
	var claims map[string]any
	if err := id.Claims(&claims); err != nil {
		return User{}, fmt.Errorf("id_token: %w", err)
	}
	return o.user(claims, id.Subject), nil
}

// user returns the user that the claims describe, with the highest role that they
// give.
func (o *OIDC) user(claims map[string]any, subject string) User {
	u := User{Name: subject, ID: o.Issuer + "#" + subject}
	if name, ok := claims[o.NameClaim].(string); ok && name != "" {
		u.Name = name
	}
	u.Name = core.ActorName(core.Actor(u.Name, u.ID)) // in the form of a name
	u.Role = RoleIn(o.Roles, claims[o.RolesClaim])
	return u
}

// RoleIn returns the highest role that a claim gives: roles says which of its values give
// which.
func RoleIn(roles map[string][]string, claim any) (highest Role) {
	for name, values := range roles {
		if slices.ContainsFunc(listed(claim), func(v string) bool { return slices.Contains(values, v) }) {
			highest = max(highest, RoleOf(name))
		}
	}
	return highest
}

// listed returns the strings of a claim that is a string or a list of strings.
func listed(claim any) []string {
	switch v := claim.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, one := range v {
			if s, ok := one.(string); ok {
				out = append(out, s)
			}
		}
		return out
	default:
		return nil
	}
}

// flow returns the code flow with the provider, which is asked for its addresses
// once.
func (o *OIDC) flow(ctx context.Context) (*oauth2.Config, error) {
	secret := ""
	if o.SecretFile != "" {
		text, err := os.ReadFile(o.SecretFile)
		if err != nil {
			return nil, fmt.Errorf("client secret: %w", err)
		}
		secret = strings.TrimSpace(string(text))
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.provider == nil {
		// The provider keeps the client for its keys: it must outlive the call.
		client := &http.Client{Timeout: providerTime}
		p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), client), o.Issuer)
		if err != nil {
			return nil, err
		}
		o.provider = p
	}
	return &oauth2.Config{ClientID: o.ClientID, ClientSecret: secret, Endpoint: o.provider.Endpoint(), RedirectURL: o.URL + "/signed-in",
		Scopes: append([]string{oidc.ScopeOpenID, "profile"}, o.Scopes...)}, nil
}

func (o *OIDC) known() *oidc.Provider {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.provider
}

// ownPage returns page if it is a page of this console, else the list's.
func ownPage(page string) string {
	u, err := url.Parse(page)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(page, "//") || strings.Contains(page, `\`) {
		return "/"
	}
	return page
}
