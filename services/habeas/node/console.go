package node

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/vendorapi/ledger"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/correction"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/topics"
)

func (n *Node) startConsole(ctx context.Context, book *policy.Book, catalogue []dsar.System) error {
	signIn, err := n.signIn()
	if err != nil {
		return err
	}
	accounts, err := n.vendorAccounts(ctx)
	if err != nil {
		return err
	}
	sent, err := n.openSent(ctx)
	if err != nil {
		return err
	}
	takeIn, err := n.takesInForAgents(book, catalogue)
	if err != nil {
		return err
	}
	proves, err := n.evidence()
	if err != nil {
		return err
	}
	phrases := console.Phrases{}
	if path := n.Config.Console.PhrasesFile; path != "" {
		if phrases, err = console.ReadPhrases(path); err != nil {
			return fmt.Errorf("console.phrases_file: %w", err)
		}
	}
	c, err := console.New(console.Config{TakeIn: takeIn, Letters: writtenLetters{n.Installation}, Writer: n.writer(book), Operator: n.said(), Evidence: proves, Phrases: phrases, Answers: handedOver{n.Installation}, Sent: sent,
		Requests: n.Installation.Requests, Journal: n.Installation.Journal, Vault: n.Installation.Vault, Corrections: n.previews(), Manifests: n.Manifests, Policy: book, Languages: n.languages,
		SignIn: signIn, Traces: n.Config.Console.Traces, Tasks: n.tasksWaiting, Accounts: accounts, Now: now, Log: n.log})
	if err != nil {
		return err
	}
	l, err := n.listen(ctx, n.Config.Console.Listen)
	if err != nil {
		return err
	}
	n.ConsoleAddress = l.Addr().String()
	if l, _, err = n.overTLS(l, n.Config.Console.TLS, true); err != nil {
		return fmt.Errorf("console.tls: %w", err)
	}
	n.serve("console", c.Server(), l)
	return nil
}

// lookTime bounds how long one system is asked what a correction would change before a page is
// shown.
const lookTime = 5 * time.Second

// previews returns what looks up what a correction would change, in the systems that this
// process is configured to reach.
func (n *Node) previews() func(context.Context, core.State) ([]correction.System, error) {
	return func(ctx context.Context, s core.State) ([]correction.System, error) {
		return Preview(ctx, n.Installation, n.Config, s, lookTime)
	}
}

// tasksWaiting returns how many tasks a system's worker has yet to take.
func (n *Node) tasksWaiting(ctx context.Context, system string) (int64, error) {
	return bus.Lag(ctx, n.As(topics.UserConsole), topics.WorkerGroup(system), event.TopicTasks(system))
}

// vendorAccounts returns what reads how things stand with vendors; nil where none is called.
func (n *Node) vendorAccounts(ctx context.Context) (func(context.Context) ([]vendorapi.Account, error), error) {
	for _, s := range n.Config.Systems {
		if s.URL == "" {
			continue
		}
		store, err := ledger.Open(ctx, n.Config.Limits)
		if err != nil {
			return nil, err
		}
		n.onStop(store.Close)
		return func(ctx context.Context) ([]vendorapi.Account, error) { return vendorapi.Accounts(ctx, store) }, nil
	}
	return nil, nil
}

// signIn returns how the console knows people.
func (n *Node) signIn() (console.SignIn, error) {
	c := n.Config.Console
	if c.Local {
		// Whoever acts has a name: what nobody did is no act (core.State.Acts).
		return console.Local{Name: cmp.Or(n.options.Operator, "operator")}, nil
	}
	signs, encrypts, err := cookieKeys(n.Config)
	if err != nil {
		return nil, err
	}
	o := oidcOf(c, signs, encrypts, n.log)
	o.Ended, o.Languages = n.Installation.Journal, n.languages
	return console.NewOIDC(o)
}

// minCookieKey is the least that the secret of cookies may have, in bytes.
const minCookieKey = 32

// cookieKeys returns the keys of sessions' cookies: made of the console's own secret,
// which the file has that is configured; without one it is made in the data folder.
func cookieKeys(cfg config.Config) (signs, encrypts []byte, err error) {
	path := cfg.Console.CookieKeyFile
	if path == "" {
		path = filepath.Join(cfg.Data, "console.key")
		fresh := []byte(rand.Text() + rand.Text() + "\n")
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = f.Write(fresh)
			err = errors.Join(err, f.Close())
		}
		if err != nil && !errors.Is(err, os.ErrExist) {
			return nil, nil, fmt.Errorf("the console's key: %w; name one under console.cookie_key_file", err)
		}
	}
	secret, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("console.cookie_key_file: %w", err)
	}
	if secret = bytes.TrimSpace(secret); len(secret) < minCookieKey {
		return nil, nil, fmt.Errorf("console.cookie_key_file: %s has %d bytes, at least %d: openssl rand -base64 48", path, len(secret), minCookieKey)
	}
	if signs, err = hkdf.Key(sha256.New, secret, nil, "habeas console sessions: signature", 32); err != nil {
		return nil, nil, err
	}
	encrypts, err = hkdf.Key(sha256.New, secret, nil, "habeas console sessions: encryption", 32)
	return signs, encrypts, err
}

func oidcOf(c config.Console, signs, encrypts []byte, log *slog.Logger) console.OIDCConfig {
	return console.OIDCConfig{Issuer: c.OIDC.Issuer, ClientID: c.OIDC.ClientID, SecretFile: c.OIDC.ClientSecretFile, URL: c.URL,
		NameClaim: c.OIDC.NameClaim, RolesClaim: c.OIDC.RolesClaim, Roles: c.OIDC.Roles, Scopes: c.OIDC.Scopes,
		Signs: signs, Encrypts: encrypts, Now: now, Log: log}
}
