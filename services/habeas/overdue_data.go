package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/terminal"
	"habeas.dev/services/systems"
)

type overdueDataCommand struct {
	installationFlags
	Fail bool `help:"Exit status 1 where anything is overdue."`
}

// Help implements kong.HelpProvider.
func (overdueDataCommand) Help() string {
	return `Counts what systems hold beyond its storage period: each dataset of a database, and of Salesforce, whose manifest says the period as
data (storage: {en: Six months, period: P6M, from: called_at}). What a rule of retention has stay isn't counted.
Nothing is erased: who deletes by the clock is the system itself.

  habeas overdue-data --config habeas.yaml`
}

// overdueTime bounds the count in all databases.
const overdueTime = 10 * time.Minute

// Run counts.
func (c *overdueDataCommand) Run(ctx context.Context) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	cfg = node.WithSandbox(cfg)
	manifests, err := node.Manifests(cfg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, overdueTime)
	defer cancel()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	terminal.Printf(w, "SYSTEM\tDATASET\tRECORDS\tOLDER THAN\n")
	var counted, late int
	for _, m := range manifests {
		all, err := overdueOf(ctx, cfg, m)
		if err != nil {
			return fmt.Errorf("system %s: %w", m.System, err)
		}
		for _, o := range all {
			if counted++; o.Records > 0 {
				late++
			}
			terminal.Printf(w, "%s\t%s\t%s\t%s\n", m.System, o.Dataset, overdueCount(o), o.Before.Format(time.DateOnly))
		}
	}
	if counted == 0 {
		_, err := terminal.Printf(os.Stdout, "No manifest of a database or of Salesforce says its storage period as data.\n")
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if c.Fail && late > 0 {
		return errSilent
	}
	return nil
}

// overdueCount says how many records are overdue.
func overdueCount(o worker.Overdue) string {
	if o.Records >= sqlsystem.MaxOverdue {
		return fmt.Sprintf("%d or more", sqlsystem.MaxOverdue)
	}
	return fmt.Sprint(o.Records)
}

// overdueOf counts in a system; nothing where its manifest says no storage period as data, or
// it can't count.
func overdueOf(ctx context.Context, cfg config.Config, m *manifest.Manifest) (out []worker.Overdue, err error) {
	at := cfg.Systems[m.System]
	if !m.StoredAsData() || at.DSN == "" && at.URL == "" {
		return nil, nil
	}
	var impl any
	closer := func() error { return nil }
	if at.DSN != "" {
		db, err := sqlsystem.Open(ctx, m, at.DSN, sqlsystem.WithoutFiles)
		if err != nil {
			return nil, err
		}
		impl, closer = db, db.Close
	} else {
		rules, err := identifier.New(cfg.Identifiers.Country)
		if err != nil {
			return nil, err
		}
		if impl, closer, err = systems.Open(ctx, at, m, rules, vendorapi.Host{}); err != nil {
			return nil, err
		}
	}
	defer func() { err = errors.Join(err, closer()) }()
	counter, ok := impl.(worker.OverdueCounter)
	if !ok {
		return nil, nil
	}
	return counter.Overdue(ctx)
}
