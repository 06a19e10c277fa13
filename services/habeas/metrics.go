package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"habeas.dev/services/internal/figures"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/words"
)

type metricsCommand struct {
	installationFlags
	Law      string `help:"The law, by its id: California." required:"" placeholder:"LAW"`
	Year     int    `help:"The calendar year in which the requests were received." required:"" placeholder:"YEAR"`
	Format   string `help:"csv or html." default:"csv" enum:"csv,html"`
	Language string `help:"A language that Habeas speaks: en, fr." default:"en"`
	Output   string `help:"Write to this file; else to standard output." short:"o" placeholder:"FILE" type:"path"`
}

// Help implements kong.HelpProvider.
func (metricsCommand) Help() string {
	return `What California wants published each year by 1 July (11 CCR 7102), and the same for any
other law: how many requests of each right were received in the year, complied with in
whole or in part, and denied, and the mean and the median of the days that took. A
request that is still open, was withdrawn or is answered by another is counted as that.

  habeas metrics --law California --year 2026 --format html -o metrics.html`
}

// Run counts.
func (c *metricsCommand) Run(ctx context.Context) (err error) {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	book, err := policy.Load(cfg.Laws...)
	if err != nil {
		return err
	}
	j, ok := book.Jurisdiction(c.Law)
	if !ok {
		return fmt.Errorf("--law: there is no %q; there are %s", c.Law, strings.Join(book.IDs(), ", "))
	}
	languages, err := words.Load(cfg.Languages...)
	if err != nil {
		return err
	}
	l := languages.Naming(book.Named()).Get(c.Language)
	if l == nil {
		return fmt.Errorf("--language: Habeas speaks no %q", c.Language)
	}
	in, err := c.openJournal(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	f, err := figures.Of(ctx, in.Journal, in.Requests, j, c.Year)
	if err != nil {
		return err
	}
	var out io.Writer = os.Stdout
	if c.Output != "" {
		file, err := os.OpenFile(c.Output, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = file
	}
	if c.Format == "html" {
		return figures.WriteHTML(out, f, l.Text(j.Law.Name), l)
	}
	return figures.WriteCSV(out, f, l)
}
