package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/policy"
)

// installationFlags say which installation a command is about.
type installationFlags struct {
	Data   string `help:"The data folder of a demo or of habeas up." env:"HABEAS_DATA" placeholder:"DIR" type:"path"`
	Config string `help:"The configuration file." env:"HABEAS_CONFIG" placeholder:"FILE" type:"path"`
}

func (f installationFlags) config() (config.Config, error) {
	switch {
	case f.Config != "":
		return config.Load(f.Config)
	case f.Data != "":
		return config.ForData(f.Data)
	default:
		return config.Config{}, errors.New("which installation? name its folder with --data DIR, or its configuration with --config FILE (or in HABEAS_DATA, HABEAS_CONFIG)")
	}
}

func (f installationFlags) open(ctx context.Context) (*installation.Installation, error) {
	c, err := f.config()
	if err != nil {
		return nil, err
	}
	return installation.Open(ctx, c)
}

// openToAct opens the installation for who changes something of requests, or looks at what
// keys open: not before a journal or keys that come from a backup were reconciled.
func (f installationFlags) openToAct(ctx context.Context) (*installation.Installation, error) {
	in, err := f.open(ctx)
	if err != nil {
		return nil, err
	}
	if err := node.CheckRestored(ctx, in); err != nil {
		_ = in.Close() // nothing was written
		return nil, err
	}
	return in, nil
}

// openJournal opens the journal alone, and makes it where it is missing.
func (f installationFlags) openJournal(ctx context.Context) (*installation.Installation, error) {
	c, err := f.config()
	if err != nil {
		return nil, err
	}
	return installation.Make(ctx, c, installation.Parts{Journal: true})
}

// laws reads the laws that the installation goes by.
func (f installationFlags) laws() (*policy.Book, error) {
	c, err := f.config()
	if err != nil {
		return nil, err
	}
	return policy.Load(c.Laws...)
}

// now returns the time as the journal keeps it.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// actorKey is the key of a context's [actor].
type actorKey struct{}

// who returns what facts call the person at the keyboard: who signed in, by habeas login,
// else the machine's user, and that nobody but this machine says so.
func who(ctx context.Context) string {
	if a, ok := ctx.Value(actorKey{}).(actor); ok {
		return a.by
	}
	host, _ := os.Hostname() // where it has no name, none is said
	return core.Actor(localUser(), core.LocalUser(host))
}

// signedIn returns a context that has who signed in by habeas login, where anybody has.
// A sign-in that is over, or that the provider doesn't vouch for, is an error: nobody
// acts under another name than they think.
func (f installationFlags) signedIn(ctx context.Context) (context.Context, error) {
	l, ok := savedLogin()
	if !ok {
		return ctx, nil
	}
	cfg, err := f.config()
	if err != nil || cfg.Console.OIDC.Issuer == "" {
		return ctx, nil //nolint:nilerr // the command says so itself; nobody signs in at this installation
	}
	a, err := l.actor(ctx, cfg)
	if err != nil {
		return ctx, err
	}
	return context.WithValue(ctx, actorKey{}, a), nil
}

// opens returns why who calls may not open what is sealed of a request. Where people sign
// in at the installation, they do here as well, and have the role that the console wants
// for it. It keeps nobody away who has the master key and another program.
func (f installationFlags) opens(ctx context.Context, verb core.Verb) error {
	need := core.RoleFor(verb)
	a, ok := ctx.Value(actorKey{}).(actor)
	if ok && a.role < need {
		return fmt.Errorf("this opens what is sealed: it takes the role %s, and %s has the role %s", need, core.ActorName(a.by), a.role)
	}
	if ok {
		return nil
	}
	cfg, err := f.config()
	if err == nil && cfg.Console.OIDC.Issuer != "" {
		err = fmt.Errorf("this opens what is sealed: sign in by habeas login, with the role %s", need)
	}
	return err
}

// localUser names the person at the keyboard.
func localUser() string {
	for _, name := range []string{"HABEAS_USER", "USER", "LOGNAME"} {
		if v := os.Getenv(name); v != "" {
			return v
		}
	}
	return "command line"
}

// nodeOptions returns what a node is told beside its configuration.
func nodeOptions() node.Options {
	return node.Options{Logs: os.Stderr, Version: builtFrom().version, Operator: localUser()}
}
