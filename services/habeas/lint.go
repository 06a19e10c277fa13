package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/findings"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/words"
	"habeas.dev/services/systems"
)

type lintCommand struct {
	installationFlags
	Strict bool     `help:"Warnings fail, too."`
	Format string   `help:"text; json; sarif (2.1.0, for code scanning); github, which marks the lines of a change." enum:"text,json,sarif,github" default:"text"`
	DSN    string   `name:"dsn" env:"HABEAS_DSN" help:"Look at this database, where one manifest is named." placeholder:"SOURCE"`
	Try    bool     `negatable:"" default:"true" help:"Set what an erasure sets, in two rows of each dataset, in a transaction that is taken back."`
	Files  []string `arg:"" optional:"" help:"Manifests; else those of the installation, or those built in." placeholder:"FILE" type:"path"`
}

// Help implements kong.HelpProvider.
func (*lintCommand) Help() string {
	return `The coverage gate. It fails where a dataset has no category, purpose, legal basis,
origin or storage period, and with it each of its columns; where a category is held
that no worker can gather and erase; where a draft's TODO is still to be said; and where a
database has a table or a column that no manifest declares, would refuse the values that an
erasure sets, would take other rows with those that are erased, or keeps copies of them. It
warns of what lacks a language of the installation, of systems that nothing leads to, of missing indexes, with the
statement that makes each and what a request costs without, of rows that others refer to, that
may be several people's or that no dataset has, and of identifiers that find nobody, or several.

Databases are looked at where the configuration names them, or --dsn. Their catalogue is read,
and whether columns hold anything; what an erasure sets is tried in two rows of each dataset, in
a transaction that is taken back: triggers run, and the rows are locked for that moment.
--no-try leaves that out; no value is printed.

Each finding has its file and line, and a rule's name by which tools tell the kinds apart.
Exit status 0: no personal data is left out, as far as can be told; 1: something failed, or with
--strict was warned of: a line for each says where, what, and the cure; 2: the call is wrong.
It is the same in every format.

  habeas lint services/systems/billing.yaml
  habeas lint --config habeas.yaml --strict
  habeas lint --dsn postgres://dsar@db/shop --format github shop.yaml`
}

// lintTime bounds the look at all databases.
const lintTime = time.Minute

// Run lints.
func (c *lintCommand) Run(ctx context.Context) error {
	l := lintReport{try: c.Try}
	var manifests []*manifest.Manifest
	var known config.Config
	if c.DSN != "" && len(c.Files) != 1 {
		return errors.New("--dsn is the database of one manifest: name its file")
	}
	switch cfg, err := c.config(); {
	case len(c.Files) > 0:
		for _, file := range c.Files {
			m, err := manifest.Load(file)
			if l.broken(err) {
				continue
			}
			manifests = append(manifests, m)
			if c.DSN != "" {
				l.databases(ctx, config.Config{Identifiers: cfg.Identifiers, Systems: map[string]config.System{m.System: {DSN: c.DSN}}}, manifests)
			}
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
		l.broken(l.said(cfg, manifests, now()))
		known = cfg
	}
	if len(c.Files) == 0 { // a file alone may name systems that others describe
		_, err := manifest.Catalogue(manifests)
		l.broken(err)
	}
	languages, err := words.Load(known.Languages...)
	if err != nil {
		return err
	}
	for _, f := range slices.Concat(manifest.Lint(manifests, untold(languages)), manifest.LeadsLost(manifests, node.OneDatabase(known)), manifest.FilesMet(manifests, node.FilesAt(known))) {
		level := findings.Failure
		if f.Warning {
			level = findings.Warning
		}
		l.add(findings.Finding{Level: level, Rule: f.Rule, File: f.File, Line: f.Line, What: f.What, Cure: f.Cure})
	}
	l.Manifests = len(manifests)
	if err := l.Write(os.Stdout, c.Format); err != nil {
		return err
	}
	if l.Count(findings.Failure) > 0 || c.Strict && l.Count(findings.Warning) > 0 {
		return errSilent
	}
	return nil
}

// lintReport collects what was found.
type lintReport struct {
	findings.Report
	try bool // what an erasure sets is tried
}

func (l *lintReport) add(f findings.Finding) { l.Findings = append(l.Findings, f) }

// broken reports whether there was an error, and adds every problem that it is of.
func (l *lintReport) broken(err error) bool {
	var e *manifest.Error
	switch {
	case err == nil:
		return false
	case errors.As(err, &e):
		for _, p := range e.All() {
			l.add(findings.Finding{Level: findings.Failure, Rule: "manifest", File: p.File, Line: p.Line, What: p.What, Cure: p.Cure})
		}
	default:
		if all, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range all.Unwrap() {
				l.broken(e)
			}
			return true
		}
		// What sqlsystem refuses has the form file:line: what; cure.
		where, what, there := strings.Cut(err.Error(), ": ")
		if !there {
			where, what = "", err.Error()
		}
		what, cure, _ := strings.Cut(what, "; ")
		l.add(findings.At(findings.Failure, "database", where, what, cure))
	}
	return true
}

// databases asks the databases that the configuration names what else they hold.
func (l *lintReport) databases(ctx context.Context, cfg config.Config, manifests []*manifest.Manifest) {
	ctx, cancel := context.WithTimeout(ctx, lintTime)
	defer cancel()
	rules, err := identifier.New(cfg.Identifiers.Country)
	if l.broken(err) {
		return
	}
	for _, m := range manifests {
		dsn := cfg.Systems[m.System].DSN
		if dsn == "" || m.SQL == nil {
			continue
		}
		if err := l.database(ctx, m, dsn, rules, servedBeside(manifests, m, node.OneDatabase(cfg))); err != nil && !errors.Is(err, sqlsystem.ErrUnreachable) {
			l.broken(err)
		} else if err != nil {
			l.add(findings.Finding{Level: findings.Failure, Rule: "database", What: fmt.Sprintf("system %s: its database can't be looked at: %v", m.System, err)})
		}
	}
}

func (l *lintReport) database(ctx context.Context, m *manifest.Manifest, dsn string, rules identifier.Rules, served func(table string) bool) (err error) {
	db, err := sqlsystem.Open(ctx, m, dsn, sqlsystem.WithoutFiles, sqlsystem.WithIdentifiers(rules))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	looks := []struct {
		level findings.Level
		rule  string
		look  func(context.Context) ([]sqlsystem.Advice, error)
	}{
		{findings.Warning, "index", db.Advice},
		{findings.Failure, "reach", db.Reaches},
		{findings.Failure, "copy", db.Copies},
		{findings.Warning, "blocker", db.Blockers},
		{findings.Warning, "identifier", db.Identifiers},
		{findings.Warning, "orphan", db.Orphans},
		{findings.Warning, "writing", db.Unlike},
		{findings.Warning, "joint-row", db.Joint},
		{findings.Warning, "rest", db.Rest},
		{findings.Warning, "number", db.Renumbered},
		{findings.Warning, "wide-user", db.Wide},
		{findings.Note, "other-database", db.Apart},
	}
	if l.try {
		looks = append(looks, looks[0])
		last := &looks[len(looks)-1]
		last.level, last.rule, last.look = findings.Failure, "set", db.TrySets
	}
	for _, c := range looks {
		advice, err := c.look(ctx)
		if err != nil {
			return err
		}
		for _, a := range advice {
			l.add(findings.At(c.level, c.rule, a.Where, a.What, a.Cure))
		}
	}
	undeclared, err := db.Undeclared(ctx)
	if err != nil {
		return err
	}
	for _, u := range undeclared {
		l.add(findings.At(findings.Failure, "undeclared-column", m.At("datasets"), u.String(), "add them to a dataset's columns, or to its sql.technical"))
	}
	overdue, err := db.Overdue(ctx)
	if err != nil {
		return err
	}
	for _, o := range overdue {
		if o.Records > 0 {
			l.add(findings.At(findings.Note, "overdue", cmp.Or(m.At("datasets"), m.System), fmt.Sprintf("dataset %s: %s records are older than %s, and so beyond their storage period", o.Dataset, overdueCount(o), o.Before.Format(time.DateOnly)), "erase them, or mend the period"))
		}
	}
	tables, err := db.Uncovered(ctx)
	for _, name := range tables {
		if served(name) {
			continue
		}
		cure := "add one, or name the table in the system's sql.technical"
		if schema, _, of := strings.Cut(name, "."); of {
			cure += fmt.Sprintf(", or %s.*, where all of that schema is no person's or another system's", schema)
		}
		l.add(findings.At(findings.Failure, "uncovered-table", cmp.Or(m.At("sql"), m.System), "no dataset is of the table "+name, cure))
	}
	return err
}

// servedBeside returns what tells of a table of a system's database whether another system's datasets
// are of it.
func servedBeside(manifests []*manifest.Manifest, m *manifest.Manifest, one func(a, b *manifest.Manifest) (is, known bool)) func(table string) bool {
	placed := func(m *manifest.Manifest, table string) string {
		if m.SQL.Schema == "" || strings.Contains(table, ".") {
			return table
		}
		return m.SQL.Schema + "." + table
	}
	served := map[string]bool{}
	for _, o := range manifests {
		if is, _ := one(m, o); !is || o == m || o.SQL == nil {
			continue
		}
		for _, d := range o.Datasets {
			served[placed(o, d.SQL.Table)] = true
		}
		for _, r := range o.SQL.Resolve {
			served[placed(o, r.Table)] = true
		}
	}
	return func(table string) bool { return served[placed(m, table)] }
}

// untold returns what finds the languages of an installation that have no words for a text:
// neither in the manifest nor in their own sentences.yaml.
func untold(languages *words.Languages) func(manifest.Text) []string {
	return func(t manifest.Text) (tags []string) {
		for _, l := range languages.All() {
			if l.Tag != "en" && t[l.Tag] == "" && l.Say(t["en"]) == t["en"] {
				tags = append(tags, l.Tag)
			}
		}
		return tags
	}
}

// said names what answers don't say since nobody has declared it, or no longer, and laws that
// manifests have articles or periods of and that there aren't.
func (l *lintReport) said(cfg config.Config, manifests []*manifest.Manifest, now time.Time) error {
	all, err := undeclared(cfg, now)
	if err != nil {
		return err
	}
	for _, one := range all {
		level := findings.Note
		if one.Lapses {
			level = findings.Warning
		}
		l.add(findings.At(level, "declaration", one.Where, one.What, one.Cure))
	}
	book, err := policy.Load(cfg.Laws...)
	if err != nil {
		return err
	}
	for _, m := range manifests {
		for _, d := range m.Datasets {
			for _, r := range d.Retention {
				for _, law := range slices.Sorted(maps.Keys(lawsOf(r))) {
					if _, ok := book.Jurisdiction(law); !ok {
						l.add(findings.At(findings.Warning, "unknown-law", cmp.Or(m.At("datasets"), m.System), fmt.Sprintf("dataset %s: retention %s names the law %q, which there isn't", d.Name, r.Ground, law), fmt.Sprintf("write one of %v", book.IDs())))
					}
				}
			}
		}
	}
	return nil
}

// lawsOf returns the laws that a rule of retention names.
func lawsOf(r manifest.Retention) map[string]string {
	out := maps.Clone(r.Sources)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, r.Periods)
	return out
}
