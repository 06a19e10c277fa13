package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"habeas.dev/services/console"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/jose"
	"habeas.dev/services/internal/terminal"
)

const (
	// loginLife is how long a sign-in of the command line holds: a working day.
	loginLife = 10 * time.Hour
	// loginTime bounds how long somebody may take at the provider.
	loginTime = 10 * time.Minute
	// loginCall bounds each call of the provider.
	loginCall = 15 * time.Second
)

type loginCommand struct{ installationFlags }

// Help implements kong.HelpProvider.
func (loginCommand) Help() string {
	return `With it, what you do on the command line is yours in the facts: issuer and subject beside
your name, as at the console. It goes by the device flow (RFC 8628): open the address that
is printed, on whatever device, and confirm the code. The provider is that of console.oidc,
whose client MUST be allowed the device flow, or the client under console.oidc.device_client_id.
It holds for ten hours; habeas logout ends it. Without it, facts have the machine's user
and say that it is local.

  habeas login --config habeas.yaml`
}

// login is what is kept of a sign-in, in the user's own folder: the provider's word,
// which is verified by its keys each time that it is used.
type login struct {
	IDToken string    `json:"id_token"`
	At      time.Time `json:"at"`
}

// Run signs in.
func (c *loginCommand) Run(ctx context.Context) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	o := cfg.Console.OIDC
	if o.Issuer == "" {
		return errors.New("the configuration has no console.oidc: there is nobody to sign in with")
	}
	ctx = oidc.ClientContext(ctx, &http.Client{Timeout: loginCall})
	provider, err := oidc.NewProvider(ctx, o.Issuer)
	if err != nil {
		return fmt.Errorf("the provider doesn't answer: %w", err)
	}
	if provider.Endpoint().DeviceAuthURL == "" {
		return fmt.Errorf("%s has no device flow (no device_authorization_endpoint in its discovery)", o.Issuer)
	}
	flow := &oauth2.Config{ClientID: deviceClient(o), Endpoint: provider.Endpoint(), Scopes: append([]string{oidc.ScopeOpenID, "profile"}, o.Scopes...)}
	ctx, cancel := context.WithTimeout(ctx, loginTime)
	defer cancel()
	device, err := flow.DeviceAuth(ctx)
	if err != nil {
		return providersWord(err)
	}
	address := device.VerificationURIComplete
	if address == "" {
		address = device.VerificationURI
	}
	terminal.Printf(os.Stderr, "Open %s and confirm the code %s.\n", address, device.UserCode)
	token, err := flow.DeviceAccessToken(ctx, device)
	if err != nil {
		return providersWord(err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return errors.New("the provider sent no id_token")
	}
	l := login{IDToken: raw, At: now()}
	who, err := l.actor(ctx, cfg)
	if err != nil {
		return err
	}
	if err := l.save(); err != nil {
		return err
	}
	_, err = terminal.Printf(os.Stdout, "Signed in as %s until %s.\n", who.by, l.At.Add(loginLife).Local().Format(time.TimeOnly))
	return err
}

// deviceClient returns the client of the device flow.
func deviceClient(o config.OIDC) string {
	if o.DeviceClientID != "" {
		return o.DeviceClientID
	}
	return o.ClientID
}

// providersWord returns what a provider says is wrong, by its code alone: the rest of
// its answer may hold anything.
func providersWord(err error) error {
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused) && refused.ErrorCode != "":
		return fmt.Errorf("the provider refuses: %s", refused.ErrorCode)
	case errors.As(err, &refused) && refused.Response != nil: // its text is the answer's body
		return fmt.Errorf("the provider answers with status %d, and no error of OAuth's", refused.Response.StatusCode)
	}
	return fmt.Errorf("the provider doesn't answer: %w", err)
}

// actor is who has signed in: what facts call them, and the role that they have at the
// console.
type actor struct {
	by   string
	role core.Role
}

// actor returns who signed in. The token's own end isn't looked at: it is the sign-in that
// ends, after [loginLife].
func (l login) actor(ctx context.Context, cfg config.Config) (actor, error) {
	o := cfg.Console.OIDC
	ctx = oidc.ClientContext(ctx, &http.Client{Timeout: loginCall})
	provider, err := oidc.NewProvider(ctx, o.Issuer)
	if err != nil {
		return actor{}, fmt.Errorf("the provider, which must vouch for who you are, doesn't answer: %w; habeas logout goes on as the machine's user", err)
	}
	if _, _, err := jose.ReadToken(l.IDToken); err != nil { // the library reads it more leniently
		return actor{}, fmt.Errorf("the sign-in can't be read: %w; habeas login again, or habeas logout", err)
	}
	id, err := provider.Verifier(&oidc.Config{ClientID: deviceClient(o), SkipExpiryCheck: true}).Verify(ctx, l.IDToken)
	if err != nil {
		return actor{}, errors.New("the sign-in isn't this provider's: habeas login again, or habeas logout")
	}
	if now().Sub(id.IssuedAt) > loginLife {
		return actor{}, errors.New("the sign-in is over: habeas login again, or habeas logout")
	}
	var claims map[string]any
	if err := id.Claims(&claims); err != nil {
		return actor{}, err
	}
	claim := o.NameClaim
	if claim == "" {
		claim = "preferred_username"
	}
	name, _ := claims[claim].(string)
	if name == "" {
		name = id.Subject
	}
	return actor{core.Actor(name, o.Issuer+"#"+id.Subject), console.RoleIn(o.Roles, claims[cmp.Or(o.RolesClaim, "roles")])}, nil
}

// loginFile returns where a sign-in is kept: HABEAS_LOGIN, else the user's own folder.
func loginFile() (string, error) {
	if path := os.Getenv("HABEAS_LOGIN"); path != "" {
		return path, nil
	}
	dir, err := os.UserConfigDir()
	return filepath.Join(dir, "habeas", "login.json"), err
}

func (l login) save() error {
	path, err := loginFile()
	if err != nil {
		return err
	}
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// savedLogin returns the sign-in that is kept; false where there is none.
func savedLogin() (l login, ok bool) {
	path, err := loginFile()
	if err != nil {
		return l, false
	}
	text, err := os.ReadFile(path)
	return l, err == nil && json.Unmarshal(text, &l) == nil && l.IDToken != ""
}

type logoutCommand struct{}

// Help implements kong.HelpProvider.
func (logoutCommand) Help() string {
	return "What is kept of habeas login is removed; facts have the machine's user again. The provider's own session goes on.\n\n  habeas logout"
}

// Run removes the sign-in.
func (logoutCommand) Run() error {
	path, err := loginFile()
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	_, err = terminal.Printf(os.Stdout, "Signed out.\n")
	return err
}
