// Package secret finds the secrets that a configuration names: in a file, in an
// environment variable, or in a cloud's secret store. Wherever it is, a secret is
// read anew each time that it is needed, and printed never.
package secret

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"gocloud.dev/runtimevar"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/services/internal/config"
)

// readTimeout bounds the wait for a store that hasn't answered yet. Once it has,
// its last good answer is there at once; it is asked again every half minute, or
// as the URL's wait= says.
const readTimeout = 10 * time.Second

// Place is where a secret is: one of the three, or none.
type Place struct{ File, Env, Store string }

// PlacesOf returns the places of a system's secrets, by the field that names them: what
// it signs in with, and its private key, where it has one.
func PlacesOf(s config.System) (secret, key Place) {
	return Place{s.ClientSecretFile, s.ClientSecretEnv, s.ClientSecretStore}, Place{s.Options["key_file"], s.Options["key_env"], s.Options["key_store"]}
}

// IsZero reports whether no place is named.
func (p Place) IsZero() bool { return p == Place{} }

// Check tells what is wrong with a place as far as can be told without asking a
// store. fields begins the names of its fields: systems.marketo.client_secret.
func (p Place) Check(fields string) error {
	named := 0
	for _, at := range []string{p.File, p.Env, p.Store} {
		if at != "" {
			named++
		}
	}
	switch {
	case named > 1:
		return fmt.Errorf("%s_file, %s_env, %s_store: leave one; a secret is in one place", fields, fields, fields)
	case p.File != "":
		if err := Readable(p.File); err != nil {
			return fmt.Errorf("%s_file: %w", fields, err)
		}
	case p.Env != "":
		if !isName(p.Env) {
			return fmt.Errorf("%s_env: %w", fields, errNoName)
		}
		if strings.TrimSpace(os.Getenv(p.Env)) == "" {
			return fmt.Errorf("%s_env: the environment has no variable %s, or it is empty; set it for the worker's process", fields, p.Env)
		}
	case p.Store != "":
		if _, err := parse(p.Store, runtimevar.DefaultURLMux()); err != nil {
			return fmt.Errorf("%s_store: %w", fields, err)
		}
	}
	return nil
}

// Readable opens a secret's file and reads none of it.
func Readable(path string) error {
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return f.Close()
}

// Open opens a place. closer ends what watches it. A store isn't waited for: it
// is asked when the secret is read.
func Open(ctx context.Context, p Place) (s vendorapi.Secret, closer func() error, err error) {
	return open(ctx, p, runtimevar.DefaultURLMux())
}

func open(ctx context.Context, p Place, stores *runtimevar.URLMux) (s vendorapi.Secret, closer func() error, err error) {
	nothing := func() error { return nil }
	switch {
	case p.File != "":
		return vendorapi.SecretFile(p.File), nothing, nil
	case p.Env != "" && !isName(p.Env):
		return s, nothing, errNoName
	case p.Env != "":
		return vendorapi.SecretEnv(p.Env), nothing, nil
	case p.Store == "":
		return vendorapi.Secret{}, nothing, nil
	}
	u, err := parse(p.Store, stores)
	if err != nil {
		return s, nothing, err
	}
	v, err := stores.OpenVariableURL(ctx, u)
	if err != nil {
		return s, nothing, fmt.Errorf("secret store %s: %w", u.Scheme, err)
	}
	read := func() (string, error) {
		ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
		defer cancel()
		latest, err := v.Latest(ctx)
		if err != nil {
			return "", err
		}
		text, ok := latest.Value.(string)
		if !ok {
			return "", errors.New("the secret isn't a text: leave decoder= out of its address")
		}
		return text, nil
	}
	return vendorapi.SecretStore(u.Scheme+"://"+u.Host+u.Path, read), v.Close, nil
}

// parse reads a store's address. Its errors repeat no more of it than the scheme:
// somebody may have written the secret itself.
func parse(address string, stores *runtimevar.URLMux) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return nil, errors.New("it is not the address of a secret store; write one such as awssecretsmanager://habeas/marketo?region=eu-west-1")
	}
	if !stores.ValidVariableScheme(u.Scheme) {
		return nil, fmt.Errorf("there is no driver for %s:// in this program; the clouds' are in one that is built with -tags clouds", u.Scheme)
	}
	q := u.Query()
	if !q.Has("decoder") {
		q.Set("decoder", "string")
		u.RawQuery = q.Encode()
	}
	return u, nil
}

// errNoName doesn't repeat what was written: it may be the secret itself.
var errNoName = telemetry.Constant("write the name of an environment variable: capitals, digits and _")

// isName reports whether a text is the name of an environment variable, as POSIX
// has programs use them.
func isName(text string) bool {
	for i, r := range text {
		if r != '_' && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return true
}
