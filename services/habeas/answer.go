package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/manualrecords"
	"habeas.dev/services/internal/terminal"
)

type answerCommand struct {
	requestFlags
	System  string            `arg:"" help:"The system whose task was done by hand."`
	Outcome dsar.Outcome      `help:"How it ended: gathered, found, nothing-found, erased, anonymised, retained, proven, rectified, restricted; incomplete leaves it at what a worker could reach." placeholder:"OUTCOME" required:""`
	Action  dsar.Action       `help:"Which task, where several wait: gather, plan, erase, prove, rectify, restrict, resolve." placeholder:"ACTION"`
	Records map[string]int64  `help:"How many records of which dataset were found, erased, corrected or restricted." placeholder:"DATASET=N"`
	Ground  string            `help:"With retained: why they must stay." placeholder:"GROUND"`
	File    map[string]string `help:"With gathered: the records of a dataset, as CSV with column names or as a JSON list." placeholder:"DATASET=FILE"`
	Release bool              `help:"With gathered, after habeas review: show what the worker gathered as it is; else what the manifest names as being about other people is redacted."`
	Same    []string          `help:"With found, of a resolve that may lead to somebody else: the fingerprints of the identifiers that are the person's, as habeas trace --json lists them under doubtful; the others are somebody else's." placeholder:"FINGERPRINT"`
	Reason  string            `help:"What was done, for the trace: no personal data in it." placeholder:"TEXT" required:""`
}

// Help implements kong.HelpProvider.
func (answerCommand) Help() string {
	return "What no machine can do in a system, a person does: the trace shows it as manual, and the request waits. This command says that it was done, under your name. " +
		"Records that were gathered by hand are handed over as a file, which is sealed at once; an erasure is attested with the number of records. " +
		"Where a worker could not reach all of a system (incomplete), the rest is handed over in the same way, or left out with --outcome incomplete: the answer then names it.\n\n" +
		"Examples:\n  habeas answer ID archive --outcome gathered --file letters=letters.csv --reason \"copied from folder 12\"\n" +
		"  habeas answer ID archive --outcome erased --records letters=3 --reason \"folder 12 was shredded\""
}

func (c *answerCommand) Run(ctx context.Context) error {
	in, id, err := c.openRequest(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	attest := core.Attest{By: who(ctx), Reason: c.Reason, System: c.System, Action: c.Action, Outcome: c.Outcome, Release: c.Release, Same: c.Same, Now: now()}
	if len(c.File) > 0 {
		manifests, err := node.Manifests(in.Config)
		if err != nil {
			return err
		}
		if err := c.deposit(ctx, in, manifests, id, &attest); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Records)) {
		attest.Counts = append(attest.Counts, manualrecords.Counts(c.Outcome, name, c.Records[name], c.Ground))
	}
	state, err := do(ctx, in, id, attest)
	if err != nil {
		return err
	}
	if waits := core.Waiting(state); len(waits) > 0 {
		_, err = terminal.Printf(os.Stdout, "Noted. The request is %s and waits for %s.\n", state.Status, strings.Join(waits, ", "))
		return err
	}
	_, err = terminal.Printf(os.Stdout, "Noted. The request is %s.\n", state.Status)
	return err
}

// deposit seals the file of records. What is sealed for a task that then can't be
// ended is never disclosed: a bundle holds only what a fact names.
func (c *answerCommand) deposit(ctx context.Context, in *installation.Installation, manifests []*manifest.Manifest, id string, do *core.Attest) error {
	if c.Outcome != dsar.Gathered {
		return errors.New("--file goes with --outcome gathered")
	}
	state, err := in.Requests.State(ctx, id)
	if err != nil {
		return err
	}
	task := state.Task(c.System, dsar.Gather)
	if task == nil || task.Status != core.TaskIsFailed {
		return instead(ctx, in, id, core.ErrNothingToAttest)
	}
	for _, m := range manifests {
		if m.System != c.System {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(c.File)) {
			d := m.Dataset(name)
			if d == nil {
				return fmt.Errorf("system %s has no dataset %s in its manifest", c.System, name)
			}
			o, n, err := depositFile(ctx, in, id, c.System, task.Attempt, d, c.File[name])
			if err != nil {
				return err
			}
			do.Objects, do.Counts = append(do.Objects, o), append(do.Counts, n)
		}
		return nil
	}
	return fmt.Errorf("no system %s is configured here", c.System)
}

func depositFile(ctx context.Context, in *installation.Installation, id, system string, attempt int, d *manifest.Dataset, path string) (dsar.Object, dsar.Counts, error) {
	f, err := os.Open(path)
	if err != nil {
		return dsar.Object{}, dsar.Counts{}, err
	}
	defer f.Close()
	return manualrecords.Deposit(ctx, in.Vault, id, system, attempt, d, f)
}
