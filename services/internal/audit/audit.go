// Package audit checks a journal as a whole against itself and against what lies beside
// it: chains of facts, heads, rows, fingerprints, the log of receipts and its mirror, the
// vault and the outbox. Each thing that was altered, deleted, reordered, cut off or
// exchanged is named (TestAlterations).
//
// What is consistent everywhere it can't see: who holds the journal, the vault, the keys
// that sign and the mirror can make another history of all of them. What a witness or
// anybody else has kept of the log's checkpoints is what that is found by.
package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	"gocloud.dev/blob"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sync/errgroup"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/journal"
)

// Finding is one thing that isn't as it should be. It holds no personal data.
type Finding struct {
	// Code is short and stable, for machines.
	Code string `json:"code"`
	// Request is the request's id; empty where none is meant.
	Request string `json:"request,omitempty"`
	// Text says what is wrong, as a sentence.
	Text string `json:"text"`
}

func (f Finding) String() string {
	if f.Request == "" {
		return f.Text
	}
	return f.Request + ": " + f.Text
}

// Config says what is audited. Journal MUST be set; what else is nil isn't looked at.
type Config struct {
	Journal journal.Store
	Vault   *vault.Vault
	Outbox  *blob.Bucket
	// Answer reads a request's answer as a whole and holds it against the journal; nil: it
	// is looked at from outside only.
	Answer func(ctx context.Context, requestID string, journalled dsar.Object) error
	// Mirror is where the log of receipts is mirrored, and Log the key that signs it.
	Mirror *blob.Bucket
	Log    note.Verifier
	// Parallel is how many requests are looked at at once; 0: one.
	Parallel int
	// Progress is told now and then how many requests have been looked at; may be nil.
	Progress func(done int64)
	// Export gets everything that was checked as JSON lines; nil: nobody does.
	Export io.Writer
}

// maxFindings is how many findings are named: whoever has so many needs no more.
const maxFindings = 1000

// Report is what an audit has found.
type Report struct {
	Requests int64     `json:"requests"`
	Facts    int64     `json:"facts"`
	Leaves   int64     `json:"leaves"`
	Findings []Finding `json:"findings"`
}

// audit is one audit on its way.
type audit struct {
	Config
	mu     sync.Mutex
	report Report
	facts  atomic.Int64
	done   atomic.Int64
	export *exporter
}

func (a *audit) find(code, request, format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch n := len(a.report.Findings); {
	case n < maxFindings:
		a.report.Findings = append(a.report.Findings, Finding{code, request, fmt.Sprintf(format, args...)})
	case n == maxFindings:
		a.report.Findings = append(a.report.Findings, Finding{"too-many", "", "There is more than this."})
	}
}

// Run audits. What is wrong is in the report; an error means that something could not be
// read. Requests that change meanwhile are looked at as they are at one moment, and those
// that come meanwhile may be left out. Memory doesn't grow with the journal.
func Run(ctx context.Context, c Config) (Report, error) {
	a := &audit{Config: c, report: Report{Findings: []Finding{}}}
	if c.Export != nil {
		a.export = newExporter(c.Export)
	}
	for _, part := range []func(context.Context) error{a.requests, a.strays, a.log, a.vault, a.outbox} {
		if err := part(ctx); err != nil {
			return a.report, fmt.Errorf("audit: %w", err)
		}
	}
	a.report.Requests, a.report.Facts = a.done.Load(), a.facts.Load()
	if a.export != nil {
		return a.report, a.export.flush()
	}
	return a.report, nil
}

// requests looks at every request that has a row.
func (a *audit) requests(ctx context.Context) error {
	var after journal.Cursor
	for {
		page, err := a.Journal.List(ctx, journal.Filter{Limit: journal.MaxList, After: after})
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return nil
		}
		after = page[len(page)-1].Cursor()
		turn, within := errgroup.WithContext(ctx)
		turn.SetLimit(max(1, a.Parallel))
		for _, row := range page {
			turn.Go(func() error { return a.request(within, row) })
		}
		if err := turn.Wait(); err != nil {
			return err
		}
		if a.Progress != nil {
			a.Progress(a.done.Load())
		}
	}
}

// strays names rows that belong to no request.
func (a *audit) strays(ctx context.Context) error {
	found, err := a.Journal.Strays(ctx)
	if err != nil {
		return err
	}
	for what, n := range found {
		if what == "missing" {
			a.find("request-missing", "", "%d requests were taken in that aren't in the journal any more: their rows were deleted.", n)
			continue
		}
		a.find("stray", "", "Rows of %s belong to %d requests that aren't there: those were deleted.", what, n)
	}
	return nil
}

// vault names keys of requests that the journal doesn't know.
func (a *audit) vault(ctx context.Context) error {
	if a.Vault == nil {
		return nil
	}
	err := a.Vault.EachRequest(ctx, func(id string) error {
		return a.known(ctx, id, "vault-stranger", "The vault has keys of a request that isn't in the journal: it was deleted, or was never taken in.")
	})
	if errors.Is(err, vault.ErrCantList) {
		return nil // nobody can look there
	}
	return err
}

// known names a request that the journal doesn't know.
func (a *audit) known(ctx context.Context, id, code, text string) error {
	_, err := a.Journal.Row(ctx, id)
	if errors.Is(err, journal.ErrNotFound) {
		a.find(code, id, "%s", text)
		return nil
	}
	return err
}

// outbox names objects of requests that the journal doesn't know, and of those that were
// forgotten.
func (a *audit) outbox(ctx context.Context) error {
	if a.Outbox == nil {
		return nil
	}
	list := a.Outbox.List(nil)
	for {
		o, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		id, _, _ := strings.Cut(strings.TrimPrefix(o.Key, "letters/"), ".")
		if err := a.known(ctx, id, "outbox-stranger", "The outbox has something of a request that isn't in the journal: it was deleted, or was never taken in."); err != nil {
			return err
		}
	}
}
