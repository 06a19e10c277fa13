package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/vendorapi/ledger"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/policy"
)

type consoleCommand struct {
	Config  string `help:"The configuration file." env:"HABEAS_CONFIG" placeholder:"FILE" type:"path" required:""`
	Listen  string `help:"Where its pages are; else as configured under console:." placeholder:"HOST:PORT"`
	Monitor string `help:"Where /healthz, /readyz and /metrics are; nowhere without it." placeholder:"HOST:PORT"`
}

// Help implements kong.HelpProvider.
func (consoleCommand) Help() string {
	return "Support agents find requests, follow them and act on them here. Who they are is said by a provider of OpenID Connect, configured under console: (see docs/support.md). " +
		"Any number of consoles may run behind one address."
}

// Run serves the console's pages.
func (c *consoleCommand) Run(ctx context.Context) error {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	if c.Listen != "" {
		cfg.Console.Listen = c.Listen
	}
	if cfg.Console.Listen == "" {
		return errors.New("where? name an address with --listen, or under console: in the configuration")
	}
	cfg.Listen = c.Monitor
	n, err := startNode(ctx, cfg, outlets{logs: os.Stderr}, roles{console: true})
	if err != nil {
		return err
	}
	defer n.stop()
	health := ""
	if n.address != "" {
		health = ", health " + n.url()
	}
	fmt.Printf("habeas console is up: http://%s%s\n", n.console, health)
	return n.wait(ctx)
}

func (n *node) startConsole(ctx context.Context, book *policy.Book) error {
	signIn, err := n.signIn()
	if err != nil {
		return err
	}
	accounts, err := n.vendorAccounts(ctx)
	if err != nil {
		return err
	}
	c, err := console.New(console.Config{Requests: n.in.Requests, Journal: n.in.Journal, Vault: n.in.Vault, Manifests: n.manifests, Policy: book,
		SignIn: signIn, Traces: n.cfg.Console.Traces, Tasks: n.tasksWaiting, Accounts: accounts, Now: now, Log: n.log})
	if err != nil {
		return err
	}
	l, err := n.listen(ctx, n.cfg.Console.Listen)
	if err != nil {
		return err
	}
	n.console = l.Addr().String()
	n.serve("console", c.Server(), l)
	return nil
}

// tasksWaiting is how many tasks a system's worker has yet to take.
func (n *node) tasksWaiting(ctx context.Context, system string) (int64, error) {
	return bus.Lag(ctx, n.busConfig("console"), "habeas.worker."+system, event.TopicTasks(system))
}

// vendorAccounts reads how things stand with vendors; nil where none is called.
func (n *node) vendorAccounts(ctx context.Context) (func(context.Context) ([]vendorapi.Account, error), error) {
	for _, s := range n.cfg.Systems {
		if s.URL == "" {
			continue
		}
		store, err := ledger.Open(ctx, n.cfg.Limits)
		if err != nil {
			return nil, err
		}
		n.onStop(store.Close)
		return func(ctx context.Context) ([]vendorapi.Account, error) { return vendorapi.Accounts(ctx, store) }, nil
	}
	return nil, nil
}

// signIn is how the console knows people.
func (n *node) signIn() (console.SignIn, error) {
	c := n.cfg.Console
	if c.Local {
		return console.Local{Name: who()}, nil
	}
	return console.NewOIDC(oidcOf(c, n.in.Vault.Secret("console sessions: signature"), n.in.Vault.Secret("console sessions: encryption"), n.log))
}

func oidcOf(c config.Console, signs, encrypts []byte, log *slog.Logger) console.OIDCConfig {
	return console.OIDCConfig{Issuer: c.OIDC.Issuer, ClientID: c.OIDC.ClientID, SecretFile: c.OIDC.ClientSecretFile, URL: c.URL,
		NameClaim: c.OIDC.NameClaim, RolesClaim: c.OIDC.RolesClaim, Roles: c.OIDC.Roles, Scopes: c.OIDC.Scopes,
		Signs: signs, Encrypts: encrypts, Now: now, Log: log}
}
