package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/config"
)

type overdueDataCommand struct {
	installationFlags
	Fail bool `help:"Exit status 1 where anything is overdue."`
}

// Help implements kong.HelpProvider.
func (overdueDataCommand) Help() string {
	return `Counts what databases hold beyond its storage period: each dataset whose manifest says the period as
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
	fmt.Fprintln(w, "SYSTEM\tDATASET\tRECORDS\tOLDER THAN")
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
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", m.System, o.Dataset, overdueCount(o), o.Before.Format(time.DateOnly))
		}
	}
	if counted == 0 {
		_, err := fmt.Println("No manifest of a database says its storage period as data.")
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
func overdueCount(o sqlsystem.Overdue) string {
	if o.Records == sqlsystem.MaxOverdue {
		return fmt.Sprintf("%d or more", o.Records)
	}
	return fmt.Sprint(o.Records)
}

// overdueOf counts in the database of a system; nothing where it has none.
func overdueOf(ctx context.Context, cfg config.Config, m *manifest.Manifest) (out []sqlsystem.Overdue, err error) {
	dsn := cfg.Systems[m.System].DSN
	if dsn == "" || m.SQL == nil || !storedAsData(m) {
		return nil, nil
	}
	db, err := sqlsystem.Open(ctx, m, dsn, sqlsystem.WithoutFiles)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.Overdue(ctx)
}

func storedAsData(m *manifest.Manifest) bool {
	for _, d := range m.Datasets {
		if d.Stored != nil {
			return true
		}
	}
	return false
}
