package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"
	"time"

	"habeas.dev/services/internal/journal/migration"
	"habeas.dev/services/internal/journal/open"
	"habeas.dev/services/internal/journal/pgjournal"
	"habeas.dev/services/internal/terminal"
	"habeas.dev/services/internal/timeline"
)

type journalCommand struct {
	Migrate journalMigrateCommand `cmd:"" help:"Bring the tables up to date, and grant the roles that there are what they may do."`
}

type journalMigrateCommand struct {
	installationFlags
	Plan   bool   `help:"Only print which migrations would run, what each does and whom it holds up; exit status 1 where there are any."`
	Output string `help:"With --plan: table or json." enum:"table,json" default:"table"`
}

// Help implements kong.HelpProvider.
func (journalMigrateCommand) Help() string {
	return `In PostgreSQL each service that has the journal signs in as a role of its own, and none may
alter or delete a fact: habeas_intake, habeas_coordinator, habeas_letters and
habeas_console. Workers and the aggregator have no role there. Make the roles
(deploy/postgres/roles.sql), and run this as the tables' owner before the services start,
and with each new version of Habeas: it can be run again.

  habeas journal migrate --config owner.yaml --plan
  habeas journal migrate --config owner.yaml

--plan reads the schema's version and the tables' sizes, and changes nothing. For each migration it says
whether it only adds, so that processes of the version before that run meanwhile go on, and which tables it
locks for whom, and about how long: rather too long than too short. Exit status with --plan: 0 where
nothing would run, 1 where something would, or where it can't be told, which is then said.`
}

// Run migrates and grants.
func (c *journalMigrateCommand) Run(ctx context.Context) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	if c.Plan {
		return c.plan(ctx, cfg.Journal)
	}
	in, err := c.openJournal(ctx)
	if err != nil {
		return err
	}
	if err := in.Close(); err != nil {
		return err
	}
	if !strings.HasPrefix(cfg.Journal, "postgres:") && !strings.HasPrefix(cfg.Journal, "postgresql:") {
		_, err := terminal.Printf(os.Stdout, "The tables are up to date. SQLite has no roles: who has the file has all of it.\n")
		return err
	}
	found, err := pgjournal.Grant(ctx, cfg.Journal)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		_, err := terminal.Printf(os.Stdout, "The tables are up to date. None of the roles is there: every service signs in as the owner. deploy/postgres/roles.sql makes them.\n")
		return err
	}
	_, err = terminal.Printf(os.Stdout, "The tables are up to date; %s may do what they need.\n", strings.Join(found, ", "))
	return err
}

// plan prints what would run.
func (c *journalMigrateCommand) plan(ctx context.Context, where string) error {
	p, err := open.PlanMigrations(ctx, where)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		err = json.NewEncoder(os.Stdout).Encode(p)
	} else {
		err = writeMigrations(os.Stdout, p)
	}
	if err == nil && len(p.Steps) > 0 {
		return errSilent
	}
	return err
}

// waiting says whom a lock has wait.
var waiting = map[migration.Mode]string{
	migration.Rows: "who writes the same rows waits", migration.Write: "who writes it waits", migration.All: "who reads or writes it waits",
}

// writeMigrations prints a plan.
func writeMigrations(w io.Writer, p migration.Plan) error {
	if len(p.Steps) == 0 {
		_, err := terminal.Printf(w, "Nothing would run: the schema has version %d, which is this program's.\n", p.Schema)
		return err
	}
	adds := true
	for _, s := range p.Steps {
		adds = adds && s.Adds
		terminal.Printf(w, "%d %s: %s\n", s.Number, s.Name, s.What)
		if s.Adds {
			terminal.Printf(w, "    it only adds\n")
		} else {
			terminal.Printf(w, "    it changes what there is: %s\n", strings.Join(s.Changes, "; "))
		}
		for _, l := range s.Locks {
			terminal.Printf(w, "    %s (%d rows, %s): %s, %s\n", l.Table, l.Rows, timeline.ByteCount(l.Bytes), waiting[l.Mode], lasting(l.Seconds))
		}
	}
	what := "processes of the version before that run meanwhile go on; none starts anew"
	if !adds {
		what = "stop all processes of the version before first"
	}
	_, err := terminal.Printf(w, "\nFrom version %d to %d. Nothing is done yet; without --plan it is: %s.\n", p.Schema, p.Newest, what)
	return err
}

// lasting says about how long a lock is held.
func lasting(seconds float64) string {
	if seconds < 0.1 {
		return "for a moment"
	}
	return "for up to about " + time.Duration(seconds*float64(time.Second)).String()
}
