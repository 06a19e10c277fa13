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
	"hash/maphash"
	"io"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"gocloud.dev/blob"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sync/errgroup"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/receipt"
	"habeas.dev/services/internal/rejected"
	"habeas.dev/services/internal/untaken"
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
	// Answer and Addendum read a request's answer, or a later certificate, as a whole and hold
	// it against the journal, and the second against its signature; nil: they are looked at
	// from outside only. With Answer, objects of the vault are opened too.
	Answer, Addendum func(ctx context.Context, requestID string, journalled dsar.Object) error
	// Mirror is where the log of receipts is mirrored, and Log the key that signs it.
	Mirror *blob.Bucket
	Log    note.Verifier
	// Now is the time by which what has an end is to be gone.
	Now time.Time
	// Parallel is how many requests are looked at at once; 0: one.
	Parallel int
	// Progress is told now and then how many requests have been looked at; may be nil.
	Progress func(done int64)
	// Export gets everything that was checked as JSON lines; nil: nobody does.
	Export io.Writer
}

// maxFindings is how many findings are named: whoever has so many needs no more.
const maxFindings = 1000

// maxMissing is of how many requests missing letters are remembered before they are looked up in
// the list of what erasures have deleted, which is read as a whole: some megabytes.
const maxMissing = 50_000

// Report is what an audit has found.
type Report struct {
	Requests int64 `json:"requests"`
	Facts    int64 `json:"facts"`
	Leaves   int64 `json:"leaves"`
	// Unowned is how many of them are of no request here. Those that the log's key hasn't
	// signed as taken in from the mirror are findings.
	Unowned int64 `json:"leaves_of_no_request"`
	// TakenIn are those that were, with when: what a person has agreed to have lost.
	TakenIn  receipt.TakenIn `json:"leaves_taken_in,omitempty"`
	Searches int64           `json:"searches"`
	// Unchained is how many searches have no place in the chain yet: they get it when
	// somebody searches next.
	Unchained int64 `json:"searches_unchained"`
	// Unlisted is how many requests have changed and wait for the list of heads, which a
	// coordinator adds to every ten seconds.
	Unlisted int64 `json:"requests_unlisted"`
	// LostHeads is what the list of heads lost when a restored journal was reconciled.
	LostHeads []receipt.LostHeads `json:"heads_lost,omitempty"`
	// Destroyed is how many requests have nothing left but that their keys were destroyed,
	// and aren't in the journal.
	Destroyed int64 `json:"destroyed_of_no_request"`
	// Untaken is how many requests have keys and weren't taken in, yet or at all: these end
	// after a day.
	Untaken  int64     `json:"keys_of_none_yet"`
	Findings []Finding `json:"findings"`
}

// audit is one audit on its way.
type audit struct {
	Config
	mu     sync.Mutex
	report Report
	again  []string // requests of which something was found
	// strangers are requests of which the vault has keys, and the journal had nothing; young
	// those of them whose keys were written lately.
	strangers []string
	young     map[string]bool
	missing   map[string][]int // letters, by request: of which versions
	heads     heads
	facts     atomic.Int64
	done      atomic.Int64
	export    *exporter
}

func (a *audit) find(code, request, format string, args ...any) {
	a.add(Finding{code, request, fmt.Sprintf(format, args...)})
}

func (a *audit) add(all ...Finding) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range all {
		switch n := len(a.report.Findings); {
		case n < maxFindings:
			a.report.Findings = append(a.report.Findings, f)
		case n == maxFindings:
			a.report.Findings = append(a.report.Findings, Finding{"too-many", "", "There is more than this."})
		}
	}
}

// Run audits. What is wrong is in the report; an error means that something could not be
// asked, and the report has what was found elsewhere. Requests that change meanwhile are looked at as they are at one moment, and those
// that come meanwhile may be left out. Memory grows by some 20 bytes a request, and else not with the journal.
func Run(ctx context.Context, c Config) (Report, error) {
	a := &audit{Config: c, report: Report{Findings: []Finding{}}, young: map[string]bool{}, missing: map[string][]int{}}
	if c.Export != nil {
		a.export = newExporter(c.Export)
	}
	var errs []error
	for _, part := range []struct {
		of   string
		look func(context.Context) error
	}{{"list of heads", a.headsFirst}, {"requests", a.requests}, {"list of heads", a.headsLast}, {"schema", a.reshaped}, {"rows of no request", a.strays}, {"log", a.log}, {"searches", a.searches}, {"vault", a.vault}, {"outbox", a.outbox}, {"letters", a.lost}, {"keys of no request", a.strange}} {
		if err := part.look(ctx); errors.Is(err, journal.ErrDamaged) {
			a.find("unreadable", "", "The audit of the %s ended early: %s.", part.of, unreadable(err))
		} else if err != nil {
			errs = append(errs, fmt.Errorf("audit of the %s: %w", part.of, err))
		}
	}
	a.report.Requests, a.report.Facts = a.done.Load(), a.facts.Load()
	if a.export != nil {
		errs = append(errs, a.export.flush())
	}
	return a.report, errors.Join(errs...)
}

// unreadable names what can't be read. What stands there isn't in it.
func unreadable(err error) string {
	var cell *journal.UnreadableError
	if !errors.As(err, &cell) {
		return "the store says that it is damaged"
	}
	return fmt.Sprintf("table %s, row %s: what stands in the column %s can't be read", cell.Table, cell.Key, cell.Column)
}

// requests looks at every request that has a row. One of which something was found is
// looked at once more at the end, and what is found then counts: while requests move, a key
// can be destroyed a moment before the fact that says so.
func (a *audit) requests(ctx context.Context) error {
	after := int64(math.MinInt64)
	for {
		page, err := a.Journal.RequestKeys(ctx, after, journal.MaxList)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		after = page[len(page)-1].Num
		turn, within := errgroup.WithContext(ctx)
		turn.SetLimit(max(1, a.Parallel))
		for _, key := range page {
			turn.Go(func() error { return a.first(within, key.ID) })
		}
		if err := turn.Wait(); err != nil {
			return err
		}
		if len(a.heads.late) >= journal.MaxHeads {
			if err := a.headsLate(ctx); err != nil {
				return err
			}
		}
		if len(a.again) >= maxFindings {
			if err := a.lookAgain(ctx); err != nil {
				return err
			}
		}
		if len(a.missing) >= maxMissing {
			if err := a.lost(ctx); err != nil {
				return err
			}
		}
		if a.Progress != nil {
			a.Progress(a.done.Load())
		}
	}
	return a.lookAgain(ctx)
}

// lookAgain looks once more at requests of which something was found, and lets them go. It
// MUST NOT run while requests are looked at for the first time.
func (a *audit) lookAgain(ctx context.Context) error {
	again := a.again
	a.again = nil
	for _, id := range again {
		if len(a.report.Findings) > maxFindings {
			return nil // more are named by nobody, and that there are is said
		}
		second := look{audit: a}
		if err := second.at(ctx, id); err != nil {
			return err
		}
		a.add(second.findings...)
	}
	return nil
}

// first looks at a request for the first time.
func (a *audit) first(ctx context.Context, id string) error {
	l := look{audit: a, first: true}
	err := l.at(ctx, id)
	a.done.Add(1)
	if len(l.findings) == 0 {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.again = append(a.again, id)
	return err
}

// reshaped names what of the journal's schema isn't as this program makes it: what is appended
// there may go nowhere, and what is read may be something else.
func (a *audit) reshaped(ctx context.Context) error {
	found, err := a.Journal.Reshaped(ctx)
	for _, what := range found {
		a.find("schema", "", "The journal's schema isn't as Habeas makes it: %q was added, altered or taken away. Rows may vanish as they are written, or be shown as others.", what)
	}
	return err
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
	mistimed, err := a.Journal.Mistimed(ctx, maxFindings+1)
	for _, id := range mistimed {
		a.find("timer", id, "Its timer was altered or deleted: what is due of it, forgetting too, is done late or never, until a coordinator starts, which mends it.")
	}
	return err
}

// vault names keys of requests that the journal doesn't know. Those that are destroyed
// open nothing, and are counted: a request that is too large when sealed has them, and one
// that was forgotten, whose leaf is in the log.
func (a *audit) vault(ctx context.Context) error {
	if a.Vault == nil {
		return nil
	}
	err := a.Vault.EachWritten(ctx, func(id string, written time.Time) error {
		if day, ok := rejected.Day(id); ok {
			return a.rejected(ctx, id, day)
		}
		known, err := a.known(ctx, id)
		if known || err != nil {
			return err
		}
		if _, err := a.Vault.Keys(ctx, id); errors.Is(err, vault.ErrShredded) {
			a.report.Destroyed++
			return nil
		}
		a.strangers = append(a.strangers, id)
		a.young[id] = dsar.ValidRequestID(id) && !untaken.Late(written, a.Now)
		if len(a.strangers) < maxFindings {
			return nil
		}
		return a.strange(ctx)
	})
	if errors.Is(err, vault.ErrCantList) {
		return nil // nobody can look there
	}
	return err
}

// strange names requests of which the vault has keys, and the journal still nothing: keys are
// made a moment before a request is journalled. Those that were left lately are counted, but for
// one that the list of heads names: that was in the journal.
func (a *audit) strange(ctx context.Context) error {
	defer func() { a.strangers, a.young = nil, map[string]bool{} }()
	for _, id := range a.strangers {
		known, err := a.known(ctx, id)
		if err != nil {
			return err
		}
		_, listed := a.heads.listed[maphash.String(a.heads.seed, id)]
		switch {
		case known:
		case a.young[id] && !listed:
			a.report.Untaken++
		default:
			a.find("vault-stranger", id, "The vault has keys of a request that isn't in the journal: it was deleted; or taking it in broke off, and it wasn't sent again: then a coordinator destroys them after a day, or habeas forget --never-taken where it can't tell that.")
		}
	}
	return nil
}

// rejected names keys of rejected records that outlive their time, by more than the interval
// at which that is looked for.
func (a *audit) rejected(ctx context.Context, keySet string, day time.Time) error {
	if !day.Before(rejected.LastOver(a.Now)) {
		return nil
	}
	_, err := a.Vault.Keys(ctx, keySet)
	if err == nil {
		a.find("rejected", "", "The keys of the records that were rejected on %s are there, and their time is over.", day.Format(time.DateOnly))
	}
	if errors.Is(err, vault.ErrShredded) || errors.Is(err, vault.ErrNoKeys) || errors.Is(err, vault.ErrCorrupt) {
		return nil // they open nothing
	}
	return err
}

// known reports whether the journal has a request.
func (a *audit) known(ctx context.Context, id string) (bool, error) {
	if !dsar.ValidRequestID(id) {
		return false, nil
	}
	_, err := a.Journal.Row(ctx, id)
	switch {
	case errors.Is(err, journal.ErrNotFound):
		return false, nil
	case errors.Is(err, journal.ErrDamaged):
		return true, nil // it can't be read, and was named
	}
	return err == nil, err
}
