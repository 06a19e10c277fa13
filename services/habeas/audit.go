package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/internal/audit"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/receipt"
	"habeas.dev/services/internal/signkey"
	"habeas.dev/services/internal/terminal"
)

type auditCommand struct {
	installationFlags
	Key     []string `help:"The log's public key, where its file isn't here: a verifier's key, or a file with one a line." placeholder:"KEY"`
	Answers bool     `help:"Also open every answer, later certificate and letter in the outbox, and every object of the vault, and hold their hashes against the journal."`
	Export  string   `help:"Write everything that is checked to a file, as JSON lines, for tools of your own." placeholder:"FILE"`
	Force   bool     `help:"Replace that file where it exists."`
	JSON    bool     `help:"Print JSON."`
}

// Help implements kong.HelpProvider.
func (auditCommand) Help() string {
	return `Checks the journal as a whole: each request's chain of facts, its head, its row and its
fingerprints, the log of receipts with its tree, its signature and its mirror, the journal
of searches, the vault's keys and the outbox, each against the others. Everything that was altered, deleted,
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
		terminal.Printf(os.Stderr, "habeas: the log's signature isn't checked: there is no key for it here; give its public key with --key\n")
	}
	cfg := audit.Config{Journal: in.Journal, Vault: in.Vault, Outbox: in.Outbox, Mirror: mirror, Log: key, Parallel: runtime.NumCPU(), Now: now()}
	began := time.Now()
	cfg.Progress = func(done int64) {
		terminal.Printf(os.Stderr, "\r%d requests, %.0f/s ", done, float64(done)/time.Since(began).Seconds())
	}
	if c.Answers {
		cfg.Answer = func(ctx context.Context, id string, journalled dsar.Object) error {
			return readAnswer(ctx, in, id, journalled, io.Discard)
		}
		cfg.Addendum = func(ctx context.Context, id string, journalled dsar.Object) error {
			return readAddendum(ctx, in, id, journalled)
		}
	}
	report, err := c.run(ctx, cfg)
	terminal.Printf(os.Stderr, "\n")
	if err := c.say(report, err == nil); err != nil {
		return err
	}
	if err != nil {
		return fmt.Errorf("the audit isn't complete: %w", err)
	}
	if !c.JSON {
		c.notLookedAt(cfg)
	}
	if len(report.Findings) > 0 {
		return errSilent
	}
	return nil
}

// say prints a report.
func (c *auditCommand) say(report audit.Report, complete bool) error {
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(report)
	}
	for _, f := range report.Findings {
		terminal.Printf(os.Stdout, "%s\n", f)
	}
	for _, h := range report.LostHeads {
		sayLostHeads(h)
	}
	if len(report.Findings) > 0 || !complete {
		return nil
	}
	terminal.Printf(os.Stdout, "Nothing was altered: %d requests, %d facts, %d leaves of the log, %d searches.\n", report.Requests, report.Facts, report.Leaves, report.Searches)
	if report.Unowned > 0 {
		terminal.Printf(os.Stdout, "%d of the leaves are of no request here: the log's key has signed that a restored journal took them in.\n", report.Unowned)
		sayTakenIn(report.TakenIn)
	}
	if report.Destroyed > 0 {
		terminal.Printf(os.Stdout, "%d requests have left nothing but that their keys are destroyed: they were refused because they are too large when sealed, or destroyed by habeas forget --never-taken.\n", report.Destroyed)
	}
	if report.Untaken > 0 {
		terminal.Printf(os.Stdout, "%d requests have keys and aren't in the journal, since taking them in broke off lately: they come again, or a coordinator destroys the keys after a day.\n", report.Untaken)
	}
	if report.Unlisted > 0 {
		terminal.Printf(os.Stdout, "%d requests have changed since their heads were listed: a coordinator does that every ten seconds.\n", report.Unlisted)
	}
	if report.Unchained > 0 {
		terminal.Printf(os.Stdout, "%d searches more have no place in their chain yet: they were added by a version before v0.2.0, and get it when somebody searches next.\n", report.Unchained)
	}
	return nil
}

// maxTakenIn is how many ranges of leaves are printed: --json has all.
const maxTakenIn = 20

// sayTakenIn prints which leaves were taken in, and when: whoever asks can be told why.
func sayTakenIn(all receipt.TakenIn) {
	for i, r := range all {
		if i == maxTakenIn {
			terminal.Printf(os.Stdout, "  and %d ranges more (--json)\n", len(all)-i)
			return
		}
		when := "by a version that asked nobody"
		if !r.At.IsZero() {
			when = "by habeas reconcile on " + r.At.UTC().Format(time.RFC3339)
		}
		terminal.Printf(os.Stdout, "  leaves %d to %d, %s\n", r.From, r.To-1, when)
	}
}

// sayLostHeads prints what a restored journal lost of the list of heads, and who has looked.
func sayLostHeads(h receipt.LostHeads) {
	between := ""
	if !h.From.IsZero() && !h.Until.IsZero() {
		between = fmt.Sprintf(" between %s and %s", h.From.UTC().Format(time.RFC3339), h.Until.UTC().Format(time.RFC3339))
	}
	terminal.Printf(os.Stdout, "Of the list of heads %d places were lost%s, with a journal that was restored and reconciled on %s: %d requests were named that lack facts, and of %d places nobody knows whose they are.\n",
		h.Signed-h.Has, between, h.At.UTC().Format(time.RFC3339), h.Requests, h.Unread)
	if h.By == "" {
		terminal.Printf(os.Stdout, "  Nobody has confirmed that it was looked for holds and erasures that were lost with them: habeas reconcile --confirm.\n")
		return
	}
	terminal.Printf(os.Stdout, "  %s has confirmed on %s that it was looked for what was lost: %s\n", h.By, h.Confirmed.UTC().Format(time.RFC3339), h.Reason)
}

// notLookedAt prints what an audit leaves out.
func (c *auditCommand) notLookedAt(cfg audit.Config) {
	not := []string{"letters that were written before v0.2.0", "objects of the vault that no fact names"}
	if !c.Answers {
		not = append(not, "what is in answers, letters and the vault's objects (--answers)")
	}
	if cfg.Log == nil {
		not = append(not, "what the log's key has signed, and the mirror (--key)")
	}
	terminal.Printf(os.Stdout, "Not looked at: %s.\n", strings.Join(not, "; "))
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

// readAddendum reads a later certificate, and holds it against the journal and its signature.
func readAddendum(ctx context.Context, in *installation.Installation, id string, journalled dsar.Object) error {
	r, err := aggregator.OpenAddendum(ctx, in.Vault, in.Outbox, id, journalled)
	if err != nil {
		return err
	}
	defer r.Close()
	whole, err := io.ReadAll(r) // it holds counts, and no records
	if err != nil {
		return err
	}
	text, signature := bundle.SplitAddendum(whole)
	if signature == nil {
		return nil
	}
	if problems := bundle.VerifyAddendum(text, signature).Problems; len(problems) > 0 {
		return fmt.Errorf("%s", problems[0])
	}
	return nil
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
