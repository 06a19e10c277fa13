package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/terminal"
	"habeas.dev/services/systems/httpsystem/conform"
)

type conformCommand struct {
	URL      string   `arg:"" optional:"" help:"The service's address; the manifest's http.url where left out."`
	Manifest string   `required:"" help:"The system's manifest, which says http." placeholder:"FILE" type:"path"`
	Secret   string   `name:"secret-file" required:"" help:"The file of the secret that signs what the service is asked." placeholder:"FILE" type:"path"`
	Subject  []string `required:"" sep:"none" help:"Identifiers of a person of whom the service holds something, as email=anna@example.com or email=…,account=…; once for each of two people at least." placeholder:"TYPE=VALUE"`
	Erase    bool     `help:"Erase the first person's records as well, which can't be undone."`
	Output   string   `enum:"table,json" default:"table" help:"table or json."`
}

// Help implements kong.HelpProvider.
func (*conformCommand) Help() string {
	return `Asks a worker that is written in another language, over HTTP, what it must answer: it
refuses what isn't signed by us, gives the same again, keeps two people apart, answers each
key of a plan. Ask one with seeded data, never one with real people's.

Exit status 0: everything that was looked at is as it must be; 1: something isn't.

  habeas conform http://127.0.0.1:8400 --manifest manifest.yaml --secret-file secret --subject email=anna@example.com --subject email=bob@example.com --erase`
}

// Run checks the service.
func (c *conformCommand) Run(ctx context.Context) error {
	m, err := manifest.Load(c.Manifest)
	if err != nil {
		return err
	}
	if m.HTTP == nil {
		return errors.New(c.Manifest + " doesn't say http: {url: …}: it isn't served over HTTP")
	}
	secret, err := os.ReadFile(c.Secret)
	if err != nil {
		return err
	}
	with := conform.Config{URL: c.URL, Secret: string(secret), Manifest: m, Erase: c.Erase}
	for _, text := range c.Subject {
		s, err := subjectOf(text, m)
		if err != nil {
			return err
		}
		with.Subjects = append(with.Subjects, s)
	}
	wrong := 0
	err = conform.Run(ctx, with, func(r conform.Result) {
		if r.Err != nil {
			wrong++
		}
		c.tell(r)
	})
	if err != nil {
		return err
	}
	if wrong > 0 {
		return fmt.Errorf("%d of what was looked at isn't as it must be", wrong)
	}
	return nil
}

// tell prints what came of one check, as it comes.
func (c *conformCommand) tell(r conform.Result) {
	if c.Output == "json" {
		line := struct {
			Check   string `json:"check"`
			Result  string `json:"result"`
			Because string `json:"because,omitempty"`
		}{r.Check, "passed", r.Skipped}
		switch {
		case r.Skipped != "":
			line.Result = "skipped"
		case r.Err != nil:
			line.Result, line.Because = "failed", r.Err.Error()
		}
		_ = json.NewEncoder(os.Stdout).Encode(line)
		return
	}
	switch {
	case r.Skipped != "":
		terminal.Printf(os.Stdout, "-       %s (%s)\n", r.Check, r.Skipped)
	case r.Err != nil:
		terminal.Printf(os.Stdout, "FAILED  %s\n        %s\n", r.Check, r.Err)
	default:
		terminal.Printf(os.Stdout, "ok      %s\n", r.Check)
	}
}

// subjectOf reads one person's identifiers: email=…,account=….
func subjectOf(text string, m *manifest.Manifest) (conform.Subject, error) {
	var s conform.Subject
	for part := range strings.SplitSeq(text, ",") {
		typ, value, ok := strings.Cut(part, "=")
		if !ok || value == "" {
			return nil, fmt.Errorf("--subject: write an identifier as TYPE=VALUE, of a type that %s needs: %v", m.System, m.Needs)
		}
		s = append(s, worker.Identifier{Type: dsar.IdentifierType(typ), Value: value, Assurance: dsar.AssuranceVerified})
	}
	return s, nil
}
