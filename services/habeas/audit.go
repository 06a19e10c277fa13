package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"golang.org/x/mod/sumdb/note"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/audit"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/signkey"
)

type auditCommand struct {
	installationFlags
	Key     []string `help:"The log's public key, where its file isn't here: a verifier's key, or a file with one a line." placeholder:"KEY"`
	Answers bool     `help:"Also open every answer in the outbox, and hold its hash against the journal."`
	Export  string   `help:"Write everything that is checked to a file, as JSON lines, for tools of your own." placeholder:"FILE"`
	Force   bool     `help:"Replace that file where it exists."`
	JSON    bool     `help:"Print JSON."`
}

// Help implements kong.HelpProvider.
func (auditCommand) Help() string {
	return `Checks the journal as a whole: each request's chain of facts, its head, its row and its
fingerprints, the log of receipts with its tree, its signature and its mirror, the vault's
keys and the outbox, each against the others. Everything that was altered, deleted,
reordered, cut off or exchanged is named. It reads only, and can run beside the services.
Exit status 0: nothing was found; 1: a line for each thing.

  habeas audit --data ./habeas-data
  habeas audit --config habeas.yaml --export journal.jsonl`
}

// Run audits.
func (c *auditCommand) Run(ctx context.Context) error {
	in, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	mirror, err := installation.OpenMirror(ctx, in.Config)
	if err != nil {
		return err
	}
	defer func() { _ = mirror.Close() }()
	key, err := c.logKey(in)
	if err != nil {
		return err
	}
	if key == nil {
		fmt.Fprintln(os.Stderr, "habeas: the log's signature isn't checked: there is no key for it here; give its public key with --key")
	}
	cfg := audit.Config{Journal: in.Journal, Vault: in.Vault, Outbox: in.Outbox, Mirror: mirror, Log: key, Parallel: runtime.NumCPU()}
	began := time.Now()
	cfg.Progress = func(done int64) {
		fmt.Fprintf(os.Stderr, "\r%d requests, %.0f/s ", done, float64(done)/time.Since(began).Seconds())
	}
	if c.Answers {
		cfg.Answer = func(ctx context.Context, id string, journalled dsar.Object) error {
			return readAnswer(ctx, in, id, journalled, io.Discard)
		}
	}
	report, err := c.run(ctx, cfg)
	fmt.Fprintln(os.Stderr)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
			return err
		}
	} else {
		for _, f := range report.Findings {
			fmt.Println(f)
		}
	}
	if len(report.Findings) > 0 {
		return errSilent
	}
	if !c.JSON {
		fmt.Printf("Nothing was altered: %d requests, %d facts, %d leaves of the log.\n", report.Requests, report.Facts, report.Leaves)
	}
	return nil
}

// run audits, and exports where that is asked for.
func (c *auditCommand) run(ctx context.Context, cfg audit.Config) (report audit.Report, err error) {
	if c.Export == "" {
		return audit.Run(ctx, cfg)
	}
	r, w := io.Pipe()
	cfg.Export = w
	done := make(chan struct{})
	go func() {
		defer close(done)
		report, err = audit.Run(ctx, cfg)
		w.CloseWithError(err)
	}()
	_, saveErr := save(c.Export, c.Force, r)
	r.CloseWithError(saveErr)
	<-done
	if err == nil {
		err = saveErr
	}
	return report, err
}

// logKey returns the key that verifies the log; nil where there is none.
func (c *auditCommand) logKey(in *installation.Installation) (note.Verifier, error) {
	name := signkey.Name(in.Config.Receipts.Name, signkey.Log)
	keys := c.Key
	if len(keys) == 0 {
		key, err := installation.OpenSigningKey(in.Config, signkey.Log, false)
		if key == nil || err != nil {
			return nil, err
		}
		keys = []string{key.Verifier}
	}
	all, err := signkey.Verifiers(keys)
	if err != nil {
		return nil, err
	}
	for _, v := range all {
		if v.Name() == name {
			return v, nil
		}
	}
	return nil, fmt.Errorf("none of the keys is of the log %s", name)
}
