package node

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/vendorapi/ledger"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/policy"
)

func (n *Node) startConsole(ctx context.Context, book *policy.Book) error {
	signIn, err := n.signIn()
	if err != nil {
		return err
	}
	accounts, err := n.vendorAccounts(ctx)
	if err != nil {
		return err
	}
	c, err := console.New(console.Config{Requests: n.Installation.Requests, Journal: n.Installation.Journal, Vault: n.Installation.Vault, Manifests: n.Manifests, Policy: book,
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

// tasksWaiting returns how many tasks a system's worker has yet to take.
func (n *Node) tasksWaiting(ctx context.Context, system string) (int64, error) {
	return bus.Lag(ctx, n.BusConfig("console"), "habeas.worker."+system, event.TopicTasks(system))
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
	return console.NewOIDC(oidcOf(c, n.Installation.Vault.Secret("console sessions: signature"), n.Installation.Vault.Secret("console sessions: encryption"), n.log))
}

func oidcOf(c config.Console, signs, encrypts []byte, log *slog.Logger) console.OIDCConfig {
	return console.OIDCConfig{Issuer: c.OIDC.Issuer, ClientID: c.OIDC.ClientID, SecretFile: c.OIDC.ClientSecretFile, URL: c.URL,
		NameClaim: c.OIDC.NameClaim, RolesClaim: c.OIDC.RolesClaim, Roles: c.OIDC.Roles, Scopes: c.OIDC.Scopes,
		Signs: signs, Encrypts: encrypts, Now: now, Log: log}
}
