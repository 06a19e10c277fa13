package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
)

type previewCommand struct {
	requestFlags
	Reason string `help:"Why you look, for the trace: no personal data in it." placeholder:"TEXT" default:"preview of corrections"`
}

// Help implements kong.HelpProvider.
func (previewCommand) Help() string {
	return `Asks the systems of a correction what they hold now, and prints it beside what the person wants it to
be: system, dataset, field, old, new. Nothing is changed, and nothing of it is kept: it is printed in the
clear, and that you looked is a fact of the trace. While a proof or an answer of the person is awaited,
it is what will happen; afterwards old and new are alike. Systems that run elsewhere aren't asked.

  habeas preview 3cf5cf5f`
}

// previewTime bounds a preview.
const previewTime = 10 * time.Minute

// Run prints what a correction changes.
func (c *previewCommand) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, previewTime)
	defer cancel()
	cfg, err := c.config()
	if err != nil {
		return err
	}
	in, id, err := c.openRequest(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	state, err := in.Requests.State(ctx, id)
	if err != nil {
		return err
	}
	if state.Exists() && state.Right != dsar.Rectification {
		return fmt.Errorf("request %s corrects nothing: it is for %s", id, state.Right)
	}
	if _, err := do(ctx, in, id, core.Reveal{By: who(ctx), Reason: c.Reason, Now: now()}); err != nil {
		return err
	}
	p := preview{out: os.Stdout}
	if err := p.opens(ctx, in, state); err != nil {
		return fmt.Errorf("request %s: %w", id, err)
	}
	return p.systems(ctx, node.WithSandbox(cfg), state)
}

// preview is what a correction changes.
type preview struct {
	out         io.Writer
	corrections []event.Correction
	ids         []worker.Identifier
}

// opens reads what is sealed: whom it is about, and the corrections.
func (p *preview) opens(ctx context.Context, in *installation.Installation, s core.State) error {
	keys, err := in.Vault.Keys(ctx, s.Accepted.RequestID)
	if err != nil {
		return err
	}
	plain, err := keys.Open(s.Accepted.Details, vault.RequestDetails)
	if err != nil {
		return err
	}
	var d event.Details
	if json.Unmarshal(plain, &d) != nil {
		return errors.New("its corrections can't be read")
	}
	p.corrections = d.Corrections
	for _, i := range s.Usable() {
		value, err := keys.Open(i.Sealed, vault.Identifier)
		if err != nil {
			return err
		}
		p.ids = append(p.ids, worker.Identifier{Type: i.Type, Value: string(value), Assurance: i.Assurance})
	}
	return nil
}

// systems asks each system of the request, in its order.
func (p *preview) systems(ctx context.Context, cfg config.Config, s core.State) error {
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SYSTEM\tDATASET\tFIELD\tOLD\tNEW")
	for _, sys := range s.Accepted.Systems {
		m, err := node.Manifest(cfg, sys.Name)
		if err != nil {
			return err
		}
		if cfg.Systems[sys.Name].Elsewhere || !p.concerns(m) {
			continue
		}
		if err := p.system(ctx, cfg, m, w); err != nil {
			return fmt.Errorf("%s: %w", sys.Name, err)
		}
	}
	return w.Flush()
}

// concerns reports whether a system has a field that is to be corrected.
func (p *preview) concerns(m *manifest.Manifest) bool {
	return slices.ContainsFunc(m.Datasets, func(d manifest.Dataset) bool {
		return slices.ContainsFunc(d.Columns, func(c manifest.Column) bool { _, is := p.correction(m, &d, &c); return is })
	})
}

// correction returns what a column is to be, where it is to be corrected and may be.
func (p *preview) correction(m *manifest.Manifest, d *manifest.Dataset, col *manifest.Column) (string, bool) {
	if d.SQL != nil && !slices.Contains(d.SQL.Rectify, col.Name) || !m.Can(dsar.Rectify) {
		return "", false
	}
	for _, c := range p.corrections {
		if (c.Column == col.Name || c.Column == col.Concept && col.Concept != "") && (c.System == "" || c.System == m.System) && (c.Dataset == "" || c.Dataset == d.Name) {
			return c.Value, true
		}
	}
	return "", false
}

// system gathers the person's records in one system, as its worker would, and prints the
// fields that are to be corrected.
func (p *preview) system(ctx context.Context, cfg config.Config, m *manifest.Manifest, w io.Writer) error {
	t := &trial{System: m.System, m: m}
	if err := t.open(ctx, cfg); err != nil {
		return err
	}
	defer t.close()
	gatherer, ok := t.impl.(worker.Gatherer)
	if !ok || !m.Can(dsar.Gather) {
		return nil
	}
	ids := slices.DeleteFunc(slices.Clone(p.ids), func(id worker.Identifier) bool { return !slices.Contains(m.Needs, id.Type) })
	if len(ids) == 0 {
		fmt.Fprintf(w, "%s\t\t\tnot asked: nothing is known yet by which it knows people\t\n", m.System)
		return nil
	}
	records := worker.NewRecords(m, dsar.Access, ids, func(dataset string, r record.Record) error {
		d := m.Dataset(dataset)
		for i := range d.Columns {
			if to, is := p.correction(m, d, &d.Columns[i]); is {
				fmt.Fprintf(w, "%s\t%s\t%s\t%v\t%s\n", m.System, dataset, d.Columns[i].Name, asText(r[d.Columns[i].Name]), to)
			}
		}
		return nil
	})
	job := &worker.GatherJob{Job: worker.Job{Task: worker.Task{RequestID: "preview", Action: dsar.Gather, Right: dsar.Access, Attempt: 1, Identifiers: ids}}, Records: records}
	if err := gatherer.Gather(ctx, []*worker.GatherJob{job}); err != nil {
		return err
	}
	return job.Err
}

// asText returns a value as a line has it.
func asText(v any) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprint(v)
}
