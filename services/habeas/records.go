package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"habeas.dev/pkg/manifest"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/article30"
	"habeas.dev/services/internal/operator"
	"habeas.dev/services/internal/words"
	"habeas.dev/services/systems"
)

type recordsCommand struct {
	installationFlags
	Format   string `help:"csv or html." default:"csv" enum:"csv,html"`
	Language string `help:"A language that Habeas speaks: en, fr." default:"en"`
	Output   string `help:"Write to this file; else to standard output." short:"o" placeholder:"FILE" type:"path"`
}

// Help implements kong.HelpProvider.
func (*recordsCommand) Help() string {
	return `The record of processing activities that article 30 of the GDPR asks for, made from
the manifests of the installation (or of the built-in systems): a line for each
dataset, as a table for a spreadsheet or as a page to read and print.

  habeas records --config habeas.yaml --format html -o records.html`
}

// Run writes the record.
func (c *recordsCommand) Run() (err error) {
	who := operator.Controller{Name: "the controller"}
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
		if said := (operator.Operator{Name: cfg.Controller, Controllers: cfg.Controllers}).For("EEA"); said.Name != "" { // the article is of the GDPR
			who = said
		}
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
	r := article30.RecordOf(who, spoken, manifests)
	if c.Format == "html" {
		return article30.WriteHTML(out, r)
	}
	return article30.WriteCSV(out, r)
}
