package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"habeas.dev/pkg/manifest"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/article30"
	"habeas.dev/services/internal/operator"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/words"
	"habeas.dev/services/systems"
)

type recordsCommand struct {
	installationFlags
	Format   string `help:"csv or html." default:"csv" enum:"csv,html"`
	Law      string `help:"Of the region where this law holds: its controller and its periods." default:"EEA" placeholder:"LAW"`
	Language string `help:"A language that Habeas speaks: en, fr." default:"en"`
	Output   string `help:"Write to this file; else to standard output." short:"o" placeholder:"FILE" type:"path"`
}

// Help implements kong.HelpProvider.
func (*recordsCommand) Help() string {
	return `The record of processing activities that article 30 of the GDPR asks for, made from
the manifests of the installation (or of the built-in systems): a line for each
dataset, as a table for a spreadsheet or as a page to read and print. Controllers and
periods differ by region: name its law.

  habeas records --config habeas.yaml --format html -o records.html
  habeas records --config habeas.yaml --law California`
}

// Run writes the record.
func (c *recordsCommand) Run() (err error) {
	var said operator.Operator
	var laws []string
	var languages *words.Languages
	var manifests []*manifest.Manifest
	if c.Data == "" && c.Config == "" {
		known := systems.BuiltIn()
		for _, name := range slices.Sorted(maps.Keys(known)) {
			m, err := known[name]()
			if err != nil {
				return err
			}
			manifests = append(manifests, m)
		}
	} else {
		cfg, err := c.config()
		if err != nil {
			return err
		}
		said, laws = operator.Operator{Name: cfg.Controller, Controllers: cfg.Controllers}, cfg.Laws
		if languages, err = words.Load(cfg.Languages...); err != nil {
			return err
		}
		if manifests, err = node.Manifests(node.WithSandbox(cfg)); err != nil {
			return err
		}
	}
	spoken := languages.Get(c.Language)
	if spoken == nil {
		return fmt.Errorf("--language: Habeas speaks no %q", c.Language)
	}
	var out io.Writer = os.Stdout
	if c.Output != "" {
		f, err := os.OpenFile(c.Output, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		out = f
	}
	book, err := policy.Load(laws...)
	if err != nil {
		return err
	}
	j, ok := book.Jurisdiction(c.Law)
	if !ok {
		return fmt.Errorf("--law: there is no %q; there are %s", c.Law, strings.Join(book.IDs(), ", "))
	}
	r := article30.RecordOf(j, said, spoken, manifests)
	if c.Format == "html" {
		return article30.WriteHTML(out, r)
	}
	return article30.WriteCSV(out, r)
}
