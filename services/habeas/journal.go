package main

import (
	"context"
	"fmt"
	"strings"

	"habeas.dev/services/internal/journal/pgjournal"
)

type journalCommand struct {
	Migrate journalMigrateCommand `cmd:"" help:"Bring the tables up to date, and grant the roles that there are what they may do."`
}

type journalMigrateCommand struct{ installationFlags }

// Help implements kong.HelpProvider.
func (journalMigrateCommand) Help() string {
	return `In PostgreSQL each service that has the journal signs in as a role of its own, and none may
alter or delete a fact: habeas_intake, habeas_coordinator, habeas_letters and
habeas_console. Workers and the aggregator have no role there. Make the roles
(deploy/postgres/roles.sql), and run this as the tables' owner before the services start,
and with each new version of Habeas: it can be run again.

  habeas journal migrate --config owner.yaml`
}

// Run migrates and grants.
func (c *journalMigrateCommand) Run(ctx context.Context) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	in, err := c.openJournal(ctx)
	if err != nil {
		return err
	}
	if err := in.Close(); err != nil {
		return err
	}
	if !strings.HasPrefix(cfg.Journal, "postgres:") && !strings.HasPrefix(cfg.Journal, "postgresql:") {
		_, err := fmt.Println("The tables are up to date. SQLite has no roles: who has the file has all of it.")
		return err
	}
	found, err := pgjournal.Grant(ctx, cfg.Journal)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		_, err := fmt.Println("The tables are up to date. None of the roles is there: every service signs in as the owner. deploy/postgres/roles.sql makes them.")
		return err
	}
	_, err = fmt.Printf("The tables are up to date; %s may do what they need.\n", strings.Join(found, ", "))
	return err
}
