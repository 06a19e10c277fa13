package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/systems"
)

type lintCommand struct {
	installationFlags
	Strict bool     `help:"Warnings fail, too."`
	Files  []string `arg:"" optional:"" help:"Manifests; else those of the installation, or those built in." placeholder:"FILE" type:"path"`
}

// Help implements kong.HelpProvider.
func (*lintCommand) Help() string {
	return `The coverage gate. It fails where a dataset has no category, purpose, legal basis,
origin or storage period, and with it each of its columns; where a category is held
that no worker can gather and erase; and where a database has a table or a column
that no manifest declares, would refuse the values that an erasure sets, or would take
other rows with those that are erased. It warns of what lacks French, of systems that nothing
leads to, and of columns whose name says that they should never be shown.

Databases are looked at where the configuration names them; only their catalogue is
read. Exit status 0: no personal data is left out, as far as can be told; 1: a line
for each finding says where, what, and the cure.

  habeas lint services/systems/billing.yaml
  habeas lint --config habeas.yaml --strict`
}

// lintTime bounds the look at all databases.
const lintTime = time.Minute

// Run lints.
func (c *lintCommand) Run(ctx context.Context) error {
	var l lintReport
	var manifests []*manifest.Manifest
	var known config.Config
	switch cfg, err := c.config(); {
	case len(c.Files) > 0:
		for _, file := range c.Files {
			m, err := manifest.Load(file)
			if l.broken(err) {
				continue
			}
			manifests = append(manifests, m)
		}
	case c.Data == "" && c.Config == "":
		for _, name := range slices.Sorted(maps.Keys(systems.BuiltIn())) {
			m, err := systems.BuiltIn()[name]()
			if l.broken(err) {
				continue
			}
			manifests = append(manifests, m)
		}
	case err != nil:
		return err
	default:
		cfg = node.WithSandbox(cfg)
		for _, name := range slices.Sorted(maps.Keys(cfg.Systems)) {
			m, err := node.Manifest(cfg, name)
			if l.broken(err) {
				continue
			}
			manifests = append(manifests, m)
		}
		l.databases(ctx, cfg, manifests)
		known = cfg
	}
	if len(c.Files) == 0 { // a file alone may name systems that others describe
		_, err := manifest.Catalogue(manifests)
		l.broken(err)
	}
	for _, f := range append(manifest.Lint(manifests), manifest.LeadsLost(manifests, node.OneDatabase(known))...) {
		l.add(f.Error.Error(), f.Warning)
	}
	return l.tell(len(manifests), c.Strict)
}

// lintReport collects what was found. Notes are about what databases hold, and fail nothing.
type lintReport struct{ failures, warnings, notes []string }

func (l *lintReport) add(line string, warning bool) {
	if warning {
		l.warnings = append(l.warnings, line)
	} else {
		l.failures = append(l.failures, line)
	}
}

// broken reports whether there was an error, and adds every problem that it is of.
func (l *lintReport) broken(err error) bool {
	var e *manifest.Error
	switch {
	case err == nil:
		return false
	case errors.As(err, &e):
		for _, p := range e.All() {
			l.add(p.Error(), false)
		}
	default:
		if all, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range all.Unwrap() {
				l.broken(e)
			}
			return true
		}
		l.add(err.Error(), false)
	}
	return true
}

// databases asks the databases that the configuration names what else they hold.
func (l *lintReport) databases(ctx context.Context, cfg config.Config, manifests []*manifest.Manifest) {
	ctx, cancel := context.WithTimeout(ctx, lintTime)
	defer cancel()
	for _, m := range manifests {
		dsn := cfg.Systems[m.System].DSN
		if dsn == "" || m.SQL == nil {
			continue
		}
		if err := l.database(ctx, m, dsn); err != nil && !errors.Is(err, sqlsystem.ErrUnreachable) {
			l.broken(err)
		} else if err != nil {
			l.add(fmt.Sprintf("system %s: its database can't be looked at: %v", m.System, err), false)
		}
	}
}

func (l *lintReport) database(ctx context.Context, m *manifest.Manifest, dsn string) (err error) {
	db, err := sqlsystem.Open(ctx, m, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	advice, err := db.Advice(ctx)
	if err != nil {
		return err
	}
	for _, a := range advice {
		l.add(a.String(), true)
	}
	reaches, err := db.Reaches(ctx)
	if err != nil {
		return err
	}
	copies, err := db.Copies(ctx)
	if err != nil {
		return err
	}
	for _, a := range append(reaches, copies...) {
		l.add(a.String(), false)
	}
	undeclared, err := db.Undeclared(ctx)
	if err != nil {
		return err
	}
	for _, u := range undeclared {
		l.add(fmt.Sprintf("%s: %s; add them to a dataset's columns, or to its sql.technical", m.At("datasets"), u), false)
	}
	overdue, err := db.Overdue(ctx)
	if err != nil {
		return err
	}
	for _, o := range overdue {
		if o.Records > 0 {
			l.notes = append(l.notes, fmt.Sprintf("%s: dataset %s: %s records are older than %s, and so beyond their storage period; erase them, or mend the period", cmp.Or(m.At("datasets"), m.System), o.Dataset, overdueCount(o), o.Before.Format(time.DateOnly)))
		}
	}
	tables, err := db.Uncovered(ctx)
	for _, name := range tables {
		l.add(fmt.Sprintf("%s: no dataset is of the table %s; add one, or name the table in the system's sql.technical", cmp.Or(m.At("sql"), m.System), name), false)
	}
	return err
}

// tell prints the findings, failures first.
func (l *lintReport) tell(manifests int, strict bool) error {
	for _, line := range l.failures {
		fmt.Fprintln(os.Stdout, "fail", line)
	}
	for _, line := range l.warnings {
		fmt.Fprintln(os.Stdout, "warn", line)
	}
	for _, line := range l.notes {
		fmt.Fprintln(os.Stdout, "note", line)
	}
	fmt.Fprintf(os.Stdout, "%d manifests: %d failures, %d warnings\n", manifests, len(l.failures), len(l.warnings))
	if len(l.failures) > 0 || strict && len(l.warnings) > 0 {
		return errSilent
	}
	return nil
}
