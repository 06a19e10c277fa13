package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"golang.org/x/term"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/schemas"
	"habeas.dev/services/internal/draft"
	"habeas.dev/services/internal/terminal"
)

type manifestCommand struct {
	Init   manifestInitCommand   `cmd:"" help:"Draft a manifest from a live database."`
	Diff   manifestDiffCommand   `cmd:"" help:"Say what has changed in a database since its manifest was written, and write it."`
	Schema manifestSchemaCommand `cmd:"" help:"Print the JSON Schema of manifests, for editors."`
}

// surveyFlags say which database is looked at.
type surveyFlags struct {
	DSN    string `name:"dsn" required:"" env:"HABEAS_DSN" help:"The database, as in the configuration: postgres://user@host/database, or a SQLite file. On the command line others on the machine can see it: HABEAS_DSN they can't."`
	Schema string `help:"PostgreSQL's schema, where it isn't the connection's own." placeholder:"NAME"`
}

type manifestInitCommand struct {
	surveyFlags
	Root   []string `required:"" help:"The column by which people are found, as users.email; again for others." placeholder:"TABLE.COLUMN"`
	System string   `help:"The system's name; else the database's." placeholder:"NAME"`
	Out    string   `short:"o" help:"Write to this file, which must not exist; else to standard output." placeholder:"FILE" type:"path"`
}

// Help implements kong.HelpProvider.
func (manifestInitCommand) Help() string {
	return `Looks at a database and drafts its manifest: from the column by which people are found it
follows foreign keys and names (author_id, owner_type, created_by), and writes tables, keys,
columns and their types, the ways to a person's rows and what an erasure does with them,
likely secrets, and categories, in a few lines a table. Of what the tables hold it looks at
200 rows each, to tell an address from a name: no value is printed or kept.

What only a person knows (purposes, storage periods) says TODO, which habeas lint fails and no
worker serves; what it guesses says "decide". At the end stand the tables to which nothing leads.
Nothing is changed in the database. Its user needs SELECT.

  habeas manifest init --dsn postgres://dsar@db/shop --root users.email -o shop.yaml
  habeas lint --dsn postgres://dsar@db/shop shop.yaml`
}

// initTime bounds a draft.
const initTime = 10 * time.Minute

// Run drafts.
func (c *manifestInitCommand) Run(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, initTime)
	defer cancel()
	if c.Out != "" { // before minutes of work
		if _, err := os.Stat(c.Out); err == nil {
			return fmt.Errorf("%s is there already; name another file, or habeas manifest diff it", c.Out)
		}
	}
	survey, err := sqlsystem.NewSurvey(ctx, c.DSN, c.Schema)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, survey.Close()) }()
	line := newProgress(os.Stderr)
	d, err := draft.Make(ctx, survey, draft.Options{Roots: c.Root, System: systemName(c.System, c.DSN), Schema: c.Schema, Progress: line.tell})
	line.end()
	if err != nil {
		return err
	}
	m, err := d.Manifest()
	if err != nil {
		return fmt.Errorf("what was drafted isn't a manifest, which is a fault of ours: %w", err)
	}
	if c.Out == "" {
		_, err = io.WriteString(os.Stdout, d.YAML())
	} else {
		err = os.WriteFile(c.Out, []byte(d.YAML()), 0o644) //nolint:gosec // a manifest holds nothing of anybody
	}
	if err != nil {
		return err
	}
	terminal.Printf(os.Stderr, "%d datasets; %d tables not reached.\n", d.Datasets(), len(d.NotReached()))
	s, err := sqlsystem.Open(ctx, m, c.DSN, sqlsystem.WithoutFiles)
	if err == nil {
		return s.Close()
	}
	terminal.Printf(os.Stderr, "The database would refuse what was drafted; mend first:\n")
	for line := range strings.Lines(err.Error()) {
		terminal.Printf(os.Stderr, "  %s\n", strings.TrimSuffix(strings.TrimPrefix(line, "draft.yaml"), "\n"))
	}
	return nil
}

type manifestDiffCommand struct {
	surveyFlags
	Write bool   `help:"Write what can be written: further columns and tables, and columns that are gone."`
	File  string `arg:"" help:"The manifest." placeholder:"FILE" type:"path"`
}

// Help implements kong.HelpProvider.
func (manifestDiffCommand) Help() string {
	return `After a migration: says which tables and columns are new or gone, and which types and keys have
changed, a line each. --write adds and takes out in the file what can be; comments and order stay,
and what a person must say of a new table is TODO. What is marked "by hand" isn't written.

  habeas manifest diff --dsn postgres://dsar@db/shop shop.yaml --write

Exit status 0: nothing has changed, or all of it is written; 1: something has, or is left by hand.`
}

// Run compares.
func (c *manifestDiffCommand) Run(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, initTime)
	defer cancel()
	m, err := manifest.Load(c.File)
	if err != nil {
		return err
	}
	source, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	roots, found := draft.RootsOf(m)
	if m.SQL == nil || len(roots) == 0 {
		return fmt.Errorf("%s: nothing says by which column people are found: sql.resolve by an address, or a dataset whose subject is one", c.File)
	}
	if c.Schema == "" {
		c.Schema = m.SQL.Schema
	}
	survey, err := sqlsystem.NewSurvey(ctx, c.DSN, c.Schema)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, survey.Close()) }()
	line := newProgress(os.Stderr)
	d, err := draft.Make(ctx, survey, draft.Options{Roots: roots, Found: found, System: m.System, Schema: c.Schema, Progress: line.tell})
	line.end()
	if err != nil {
		return err
	}
	changes, text, err := draft.Compare(m, source, d)
	if err != nil {
		return fmt.Errorf("%s: the changes can't be written as the file stands; make them by hand: %w", c.File, err)
	}
	left := 0
	for _, change := range changes {
		what := change.What
		if change.ByHand {
			what += " (by hand)"
		}
		if change.ByHand || !c.Write {
			left++
		}
		terminal.Printf(os.Stdout, "%s: %s\n", change.Where, what)
	}
	if c.Write && len(changes) > 0 {
		if err := os.WriteFile(c.File, text, 0o644); err != nil { //nolint:gosec // a manifest holds nothing of anybody
			return err
		}
	}
	if left > 0 {
		return errSilent
	}
	return nil
}

var notSystem = regexp.MustCompile(`[^a-z0-9_-]+`)

// systemName returns the name that was given, or that of the database.
func systemName(given, dsn string) string {
	if given != "" {
		return given
	}
	name := strings.TrimSuffix(filepath.Base(dsn), filepath.Ext(dsn))
	if u, err := url.Parse(dsn); err == nil && u.Scheme != "" {
		name = strings.TrimSuffix(filepath.Base(u.Path), filepath.Ext(u.Path))
	}
	name = strings.Trim(notSystem.ReplaceAllString(strings.ToLower(name), "_"), "_-0123456789")
	if name == "" || name == "habeas" || name == "aggregator" {
		return "database"
	}
	return name[:min(len(name), 63)]
}

// progress tells of long work in one line of a terminal.
type progress struct {
	w    io.Writer
	told bool
	last time.Time
}

func newProgress(f *os.File) *progress {
	if !term.IsTerminal(int(f.Fd())) {
		return &progress{}
	}
	return &progress{w: f}
}

// progressEvery is how often the line is written anew.
const progressEvery = 100 * time.Millisecond

func (p *progress) tell(what string, done, all int) {
	if p.w == nil || time.Since(p.last) < progressEvery {
		return
	}
	p.told, p.last = true, time.Now()
	_, _ = terminal.Printf(p.w, "\r\x1b[K%s: %d of %d", what, done, all)
}

func (p *progress) end() {
	if p.told {
		_, _ = terminal.Printf(p.w, "\r\x1b[K")
	}
}

type manifestSchemaCommand struct{}

// Help implements kong.HelpProvider.
func (manifestSchemaCommand) Help() string {
	return `Prints the JSON Schema of manifests, by which editors complete and check them. Write it beside
the manifests and say in each one's first line where it is:

  habeas manifest schema > manifest.schema.json
  # yaml-language-server: $schema=manifest.schema.json`
}

// Run prints the schema.
func (manifestSchemaCommand) Run() error {
	text, err := schemas.Read("manifest.schema.json")
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(text)
	return err
}
