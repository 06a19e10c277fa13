package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/manualrecords"
	"habeas.dev/services/internal/terminal"
)

type reviewCommand struct {
	requestFlags
	System string `arg:"" optional:"" help:"The system whose records wait for a person; none with what a person decides, such as a complaint."`
	Output string `short:"o" required:"" help:"Where the records go, a JSON object a line; - writes them to standard output." placeholder:"FILE"`
	Force  bool   `help:"Replace the file where it exists."`
	Reason string `help:"Why you look, for the trace: no personal data in it." placeholder:"TEXT" default:"records that may tell of other people"`
}

// Help implements kong.HelpProvider.
func (reviewCommand) Help() string {
	return "Where a manifest says that records may tell of other people and that a person must look, the request waits for it (the trace says others). " +
		"This command lays the records that the worker gathered before you, in the clear; that you looked is a fact of the trace. Then say how they are answered:\n\n" +
		"  habeas answer ID support --outcome gathered --reason \"...\"             what the manifest names is redacted\n" +
		"  habeas answer ID support --outcome gathered --release --reason \"...\"   they are shown as they are\n" +
		"  habeas answer ID support --outcome gathered --file messages=edited.json --reason \"...\"   the file is the answer\n\n" +
		"Of what a person decides, such as a complaint, it prints what was written:\n\n" +
		"  habeas review ID -o -"
}

// Run looks, once that is noted.
func (c *reviewCommand) Run(ctx context.Context) error {
	in, id, err := c.openRequest(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	state, err := in.Requests.State(ctx, id)
	if err != nil {
		return err
	}
	if state.Right.Decided() {
		return c.message(ctx, in, id, state)
	}
	task := state.Task(c.System, dsar.Gather)
	switch {
	case c.System == "":
		return errors.New("name the system whose records wait for a person")
	case !state.Exists():
		return about(id, core.ErrUnknown)
	case task == nil || task.Status != core.TaskIsFailed || len(task.End.Objects) == 0:
		return fmt.Errorf("request %s: nothing that %s gathered waits for a person; habeas trace %s tells what does", id, c.System, id)
	}
	if _, err := do(ctx, in, id, core.Reveal{By: who(ctx), Reason: c.Reason, Gathered: c.System, Now: now()}); err != nil {
		return err
	}
	records, done := io.Pipe()
	go func() { done.CloseWithError(printRecords(ctx, done, in, id, task.End.Objects)) }()
	defer func() { _ = records.Close() }() // the writer stops
	if c.Output == "-" {
		_, err = io.Copy(os.Stdout, records)
		return err
	}
	if _, err := save(c.Output, c.Force, records); err != nil {
		return err
	}
	_, err = terminal.Printf(os.Stdout, "%s holds personal data in the clear, maybe other people's: read it, and delete it when done.\n", filepath.Clean(c.Output))
	return err
}

// message prints what the person wrote with an appeal or a complaint, once it is noted
// that somebody looked.
func (c *reviewCommand) message(ctx context.Context, in *installation.Installation, id string, state core.State) error {
	if len(state.Accepted.Details) == 0 {
		return fmt.Errorf("request %s: the person wrote nothing with it", id)
	}
	if _, err := do(ctx, in, id, core.Reveal{By: who(ctx), Reason: c.Reason, Now: now()}); err != nil {
		return err
	}
	keys, err := in.Vault.Keys(ctx, id)
	if err != nil {
		return err
	}
	plain, err := keys.Open(state.Accepted.Details, vault.RequestDetails)
	if err != nil {
		return err
	}
	var details event.Details
	if err := json.Unmarshal(plain, &details); err != nil {
		return fmt.Errorf("request %s: what the person wrote can't be read", id)
	}
	if c.Output == "-" {
		_, err = terminal.Printf(os.Stdout, "%s\n", terminal.Lines(details.Message))
		return err
	}
	if _, err := save(c.Output, c.Force, strings.NewReader(details.Message+"\n")); err != nil {
		return err
	}
	_, err = terminal.Printf(os.Stdout, "%s holds personal data in the clear: read it, and delete it when done.\n", filepath.Clean(c.Output))
	return err
}

// printRecords writes the records of some objects, a JSON object a line.
func printRecords(ctx context.Context, out io.Writer, in *installation.Installation, id string, objects []dsar.Object) error {
	w := bufio.NewWriter(out)
	if err := manualrecords.Look(ctx, in.Vault, id, objects, func(s record.Section, _ int64, row []json.RawMessage) error {
		return printRow(w, s, row)
	}); err != nil {
		return err
	}
	return w.Flush()
}

// printRow writes one record with its columns in the manifest's order.
func printRow(w *bufio.Writer, section record.Section, row []json.RawMessage) error {
	name, err := json.Marshal(section.Dataset)
	if err != nil {
		return err
	}
	_, _ = w.WriteString(`{"_dataset":` + string(name))
	for i, value := range row {
		column, err := json.Marshal(section.Columns[i])
		if err != nil {
			return err
		}
		if len(value) == 0 {
			value = json.RawMessage("null")
		}
		_, _ = w.WriteString("," + string(column) + ":" + string(value))
	}
	_, err = w.WriteString("}\n") // a writer that failed before fails again
	return err
}
