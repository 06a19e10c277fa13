package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/terminal"
)

type tryCommand struct {
	installationFlags
	System      string   `arg:"" help:"The system, by its name in the configuration."`
	Identifiers []string `arg:"" help:"Whom it is asked for, as type=value; - reads them from standard input, one a line." placeholder:"TYPE=VALUE"`
	JSON        bool     `help:"Print JSON."`
}

// Help implements kong.HelpProvider.
func (tryCommand) Help() string {
	return `Asks a live system what an erasure of one person would do, before any request: what is
found, what would go and what must stay, by dataset; in a database also the erasure itself, in a
transaction that is taken back, with all that it would take with it, or what refuses it and by
which name. Rows are locked for that moment, and triggers run. Of a vendor there is the plan only:
what it has deleted nobody takes back.

Nothing of it is a request: nothing is journalled, and no value is printed or kept. Exit status 1:
an erasure would be refused.

What stands on the command line others on the machine can see: - reads it from standard input.

  habeas try account email=anna@example.com --config habeas.yaml
  habeas try account - --config habeas.yaml < identifiers.txt`
}

// tryTime bounds a try.
const tryTime = 10 * time.Minute

// Run tries a system.
func (c *tryCommand) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	cfg, err := c.config()
	if err != nil {
		return err
	}
	if _, ok := cfg.Systems[c.System]; !ok {
		return fmt.Errorf("no system %q under systems: in the configuration", c.System)
	}
	m, err := node.Manifest(cfg, c.System)
	if err != nil {
		return err
	}
	ids, err := c.identifiers(m, os.Stdin)
	if err != nil {
		return err
	}
	t := &trial{System: c.System, m: m}
	if err := t.open(ctx, cfg); err != nil {
		return fmt.Errorf("%s: %w", c.System, err)
	}
	defer t.close()
	if err := t.run(ctx, ids); err != nil {
		return fmt.Errorf("%s: %w", c.System, err)
	}
	if c.JSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		err = out.Encode(t)
	} else {
		err = t.write(os.Stdout)
	}
	if err == nil && t.Refused != nil {
		return errSilent
	}
	return err
}

// identifiers reads whom the system is asked for. Its errors quote no value.
func (c *tryCommand) identifiers(m *manifest.Manifest, in io.Reader) ([]worker.Identifier, error) {
	known := slices.Concat(m.Needs, m.Definition().ResolvesBy())
	texts := c.Identifiers
	if len(texts) == 1 && texts[0] == "-" {
		text, err := io.ReadAll(io.LimitReader(in, worker.MaxFound*worker.MaxIdentifier))
		if err != nil {
			return nil, err
		}
		texts = strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' || r == '\r' })
	}
	var out []worker.Identifier
	for _, text := range texts {
		typ, value, ok := strings.Cut(text, "=")
		switch id := dsar.IdentifierType(strings.TrimSpace(typ)); {
		case !ok || value == "":
			return nil, errors.New("an identifier is written as type=value, as in email=anna@example.com")
		case !slices.Contains(known, id):
			return nil, fmt.Errorf("%s can't be asked by %s; it can by %s", c.System, id, listed(slices.Compact(slices.Sorted(slices.Values(known)))))
		default:
			out = append(out, worker.Identifier{Type: id, Value: value, Assurance: dsar.AssuranceVerified})
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no identifier: write one as type=value")
	}
	return out, nil
}

// trial is what a try has found. Its JSON is what `habeas try --json` prints.
type trial struct {
	System string `json:"system"`
	// Asked are the types of identifiers that it was asked by, Found what of them the
	// system led to, and Doubtful what it would ask a person about.
	Asked    []dsar.IdentifierType `json:"asked_by"`
	Found    []tryFound            `json:"found,omitempty"`
	Doubtful []tryFound            `json:"doubtful,omitempty"`
	// Planned is what an erasure would touch and keep.
	Planned []dsar.Counts `json:"planned"`
	// Rehearsed tells that the erasure itself was tried, and Erased what it did.
	Rehearsed bool          `json:"rehearsed"`
	Erased    []dsar.Counts `json:"erased,omitempty"`
	Notes     []string      `json:"notes,omitempty"`
	// Refused is why an erasure would fail.
	Refused *tryRefusal `json:"refused,omitempty"`

	m     *manifest.Manifest
	impl  any
	close func()
}

// tryFound counts identifiers of one type that were found by another.
type tryFound struct {
	Type  dsar.IdentifierType `json:"type"`
	From  dsar.IdentifierType `json:"from"`
	Count int                 `json:"count"`
}

type tryRefusal struct {
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// rehearser is a system that can erase and take it back.
type rehearser interface {
	Rehearse(ctx context.Context, jobs []*worker.EraseJob) error
}

// open connects to the system as its worker does.
func (t *trial) open(ctx context.Context, cfg config.Config) error {
	impl, shut, err := node.OpenSystem(ctx, cfg, t.m)
	if err != nil {
		return err
	}
	t.impl, t.close = impl, shut
	return nil
}

// run asks: what more is found of the person, what is planned, and, where it can be
// taken back, what erasing does. What would fail a task is told; an error is what kept
// the system from being asked.
func (t *trial) run(ctx context.Context, ids []worker.Identifier) error {
	for _, id := range ids {
		if !slices.Contains(t.Asked, id.Type) {
			t.Asked = append(t.Asked, id.Type)
		}
	}
	ids, err := t.resolve(ctx, ids)
	if err != nil || t.Refused != nil {
		return err
	}
	if ids = slices.DeleteFunc(ids, func(id worker.Identifier) bool { return !slices.Contains(t.m.Needs, id.Type) }); len(ids) == 0 {
		t.Notes = append(t.Notes, "none of the identifiers that it can be asked by is known: nothing would be found ("+listed(t.m.Needs)+")")
		return nil
	}
	eraser, ok := t.impl.(worker.Eraser)
	if !ok || !t.m.Can(dsar.Erase) {
		t.Notes = append(t.Notes, "no worker can erase here: a person does it by hand")
		return nil
	}
	task := worker.Task{RequestID: "try", Right: dsar.Erasure, Attempt: 1, Identifiers: ids}
	plan := &worker.PlanJob{Job: worker.Job{Task: task}, Plan: worker.NewPlanWriter(t.m)}
	err = eraser.Plan(ctx, []*worker.PlanJob{plan})
	t.Planned, t.Notes = plan.Plan.Counts(), append(t.Notes, plan.Notes()...)
	if refused, err := t.refused(plan.Err, err); refused || err != nil {
		return err
	}
	made, err := plan.Plan.Plan()
	if err != nil {
		return err
	}
	rehearse, ok := t.impl.(rehearser)
	if !ok {
		t.Notes = append(t.Notes, "a vendor's deletion can't be taken back: only the plan was made")
		return nil
	}
	job := &worker.EraseJob{Job: worker.Job{Task: task}, Plan: made}
	err = rehearse.Rehearse(ctx, []*worker.EraseJob{job})
	refused, err := t.refused(job.Err, err)
	if t.Notes = append(t.Notes, job.Notes()...); !refused && err == nil {
		t.Rehearsed, t.Erased = true, job.Counts
	}
	return err
}

// resolve adds what the system finds of the person by itself, but for what a person
// would be asked about.
func (t *trial) resolve(ctx context.Context, ids []worker.Identifier) ([]worker.Identifier, error) {
	resolver, ok := t.impl.(worker.Resolver)
	if !ok || !t.m.Can(dsar.Resolve) {
		return ids, nil
	}
	job := &worker.ResolveJob{Job: worker.Job{Task: worker.Task{RequestID: "try", Action: dsar.Resolve, Right: dsar.Erasure, Attempt: 1, Identifiers: ids}}}
	err := resolver.Resolve(ctx, []*worker.ResolveJob{job})
	if refused, err := t.refused(job.Err, err); refused || err != nil {
		return ids, err
	}
	for _, f := range job.Found {
		n := 0
		for _, other := range job.Found {
			if other.Type == f.Type && other.From == f.From {
				n++
			}
		}
		if t.doubtful(f, n) {
			t.Doubtful = countFound(t.Doubtful, f)
			continue
		}
		t.Found = countFound(t.Found, f)
		ids = append(ids, worker.Identifier{Type: f.Type, Value: f.Value, Assurance: dsar.AssuranceFound})
	}
	return ids, nil
}

// doubtful reports whether a person would be asked about what was found, one of n of
// its type by the same identifier.
func (t *trial) doubtful(f worker.Found, n int) bool {
	return slices.ContainsFunc(t.m.Definition().Links, func(l dsar.Link) bool {
		return l.Find == f.Type && l.By == f.From.Type && (l.Weak || l.One && n > 1)
	})
}

func countFound(all []tryFound, f worker.Found) []tryFound {
	for i := range all {
		if all[i].Type == f.Type && all[i].From == f.From.Type {
			all[i].Count++
			return all
		}
	}
	return append(all, tryFound{f.Type, f.From.Type, 1})
}

// refused takes up the error with which a task would fail; another is returned.
func (t *trial) refused(errs ...error) (bool, error) {
	for _, err := range errs {
		var typed *worker.Error
		switch {
		case err == nil:
		case errors.As(err, &typed) && !typed.Permanent():
			return false, typed // such as a database that is down
		case typed != nil:
			t.Refused = &tryRefusal{typed.Code, typed.Reason}
			return true, nil //nolint:nilerr // the refusal is what was asked for
		default:
			return false, errors.New("it could not be asked; its worker's log would say why") // the text may quote the person
		}
	}
	return false, nil
}

// write prints what was found.
func (t *trial) write(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	terminal.Printf(out, "%s, asked by %s. Nothing was changed.\n", t.System, listed(t.Asked))
	for _, f := range t.Found {
		terminal.Printf(out, "Found by the %s: %d × %s.\n", f.From, f.Count, f.Type)
	}
	for _, f := range t.Doubtful {
		terminal.Printf(out, "Not gone on with: %d × %s, found by the %s; a person would be asked whose they are.\n", f.Count, f.Type, f.From)
	}
	if len(t.Planned) > 0 {
		terminal.Printf(out, "\nDATASET\tFOUND\tWOULD GO\tWOULD STAY\n")
		for _, c := range t.Planned {
			terminal.Printf(out, "%s\t%d\t%d\t%s\n", c.Dataset, c.Found, c.Found-c.Kept(), stays(c))
		}
	} else if t.Refused == nil {
		terminal.Printf(out, "Nothing is held of this person that an erasure would touch.\n")
	}
	terminal.Printf(out, "\n")
	for _, c := range t.Erased {
		terminal.Printf(out, "%s\terased %d, anonymised %d, kept %d\n", c.Dataset, c.Erased, c.Anonymised, c.Kept())
		if c.Uncovered != "" {
			terminal.Printf(out, "\tnot covered: %s\n", c.Uncovered)
		}
	}
	for _, note := range t.Notes {
		terminal.Printf(out, "Note: %s.\n", note)
	}
	switch {
	case t.Refused != nil:
		terminal.Printf(out, "An erasure would be refused (%s): %s\n", t.Refused.Code, t.Refused.Reason)
	case t.Rehearsed && slices.ContainsFunc(t.Erased, func(c dsar.Counts) bool { return c.Uncovered != "" }):
		terminal.Printf(out, "The erasure was done and taken back: it would be incomplete, and wait for a person.\n")
	case t.Rehearsed:
		terminal.Printf(out, "The erasure was done and taken back: it would succeed, and nothing but what must stay would be found afterwards.\n")
	}
	return out.Flush()
}

// stays says what must stay of a dataset, and why.
func stays(c dsar.Counts) string {
	var parts []string
	for _, r := range c.Retained {
		part := fmt.Sprintf("%d: %s", r.Records, r.Ground)
		if !r.Until.IsZero() {
			part += ", until " + r.Until.Format(time.DateOnly)
		}
		parts = append(parts, part)
	}
	if c.Uncovered != "" {
		parts = append(parts, "not looked at: "+c.Uncovered)
	}
	if len(parts) == 0 {
		return "0"
	}
	return strings.Join(parts, "; ")
}
