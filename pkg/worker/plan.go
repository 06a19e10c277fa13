package worker

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
)

// Plan is what an erasure is to touch, and what must stay, as it was planned. It
// was checked against the hash that the journal has before the worker sees it; a
// plan that is another fails the task (TestAnotherPlanIsRefused), and so does an erasure
// that has none. A nil Plan is an empty one: a proof has it where nothing was planned. It
// is safe for many goroutines.
type Plan struct {
	open   func(context.Context) (io.ReadCloser, error)
	counts []dsar.Counts
	sum    string
}

// maxHeldPlan is the longest plan that is held in memory rather than read from the
// vault each time: that of nearly everybody.
const maxHeldPlan = 16 << 10

// Counts returns what was planned, by dataset: Found is every record, Retained
// those that must stay.
func (p *Plan) Counts() []dsar.Counts {
	if p == nil {
		return nil
	}
	return slices.Clone(p.counts)
}

// Sum returns the hash of the plan, as a name for it: hexadecimal, empty for a nil Plan.
func (p *Plan) Sum() string {
	if p == nil {
		return ""
	}
	return p.sum
}

// Entries goes through the plan, in the order in which it was written, as a
// stream; it may be called again. An error ends it, and MUST fail the call: what
// was read until then isn't the whole plan.
func (p *Plan) Entries(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if p == nil || len(p.counts) == 0 {
			return
		}
		err := p.read(ctx, func(e Entry) bool { return yield(e, nil) })
		if err != nil {
			yield(Entry{}, err)
		}
	}
}

// read reads the plan, and says at its end whether it was the one.
func (p *Plan) read(ctx context.Context, f func(Entry) bool) error {
	in, err := p.open(ctx)
	if err != nil {
		return planFault(err)
	}
	defer in.Close()
	h := sha256.New()
	stopped, err := readEntries(io.TeeReader(in, h), func(e Entry) bool { return ctx.Err() == nil && f(e) })
	switch {
	case err != nil:
		return planFault(err)
	case ctx.Err() != nil:
		return ctx.Err()
	case !stopped && hex.EncodeToString(h.Sum(nil)) != p.sum:
		return errMismatch(nil)
	}
	return nil
}

// openPlan finds a task's plan and checks it. Its error is one of this package's.
func (w *Worker) openPlan(ctx context.Context, j *job) (*Plan, error) {
	o := j.task.Plan
	if o == nil {
		return nil, nil //nolint:nilnil // nothing was planned
	}
	ofSystem := func(name string) bool { return strings.HasPrefix(o.Name, name+"/"+string(dsar.Plan)+"/") }
	if !ofSystem(w.system) && !slices.ContainsFunc(j.task.Formerly, ofSystem) {
		return nil, errMismatch(nil)
	}
	return w.openObjectPlan(ctx, j, *o)
}

// openObjectPlan opens the plan that an object of the vault is, and checks it.
func (w *Worker) openObjectPlan(ctx context.Context, j *job, o dsar.Object) (*Plan, error) {
	if o.SHA256 == "" {
		return nil, errMismatch(nil)
	}
	open := func(ctx context.Context) (io.ReadCloser, error) {
		return j.openObject(ctx, o.Name)
	}
	if o.Bytes <= maxHeldPlan {
		text, err := readPlan(ctx, open)
		if err != nil {
			return nil, planFault(err)
		}
		open = func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }
	}
	p := &Plan{open: open, sum: o.SHA256}
	err := p.read(ctx, func(e Entry) bool {
		p.counts = countEntry(p.counts, &e)
		return true
	})
	if err != nil {
		return nil, err
	}
	w.sortCounts(p.counts)
	return p, nil
}

func readPlan(ctx context.Context, open func(context.Context) (io.ReadCloser, error)) ([]byte, error) {
	in, err := open(ctx)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return io.ReadAll(io.LimitReader(in, maxHeldPlan+1))
}

// planFault says what a plan that can't be read means.
func planFault(err error) error {
	switch {
	case errors.Is(err, vault.ErrNoObject):
		return Permanent(dsar.CodePlanMissing, "the plan of this erasure is not in the vault any more: retry, and it is planned anew", err)
	case errors.Is(err, vault.ErrCorrupt), errors.Is(err, errPlanMalformed):
		return errMismatch(err)
	case errors.Is(err, vault.ErrShredded):
		return Permanent("shredded", "the request's keys are destroyed: its plan can't be read any more", err)
	default:
		return Transient("vault", "the plan could not be read from the vault", err)
	}
}

func errMismatch(err error) error {
	return Permanent(dsar.CodePlanMismatch, "the plan in the vault is not the one that was made: nothing was erased by it; retry, and it is planned anew", err)
}

// gaps are the datasets that were not covered, and why: each once, the first reason
// counts.
type gaps []dsar.Counts

func (g *gaps) add(dataset, reason string, cause dsar.Cause) {
	if !slices.ContainsFunc(*g, func(c dsar.Counts) bool { return c.Dataset == dataset }) {
		*g = append(*g, dsar.Counts{Dataset: dataset, Uncovered: reason, Cause: causeOf(cause)})
	}
}

// causeOf returns a cause's address; nil where it says nothing.
func causeOf(c dsar.Cause) *dsar.Cause {
	if c.IsZero() {
		return nil
	}
	return &c
}

// in adds the gaps to counts.
func (g gaps) in(counts []dsar.Counts) []dsar.Counts {
	out := slices.Clone(counts)
	for _, gap := range g {
		if i := slices.IndexFunc(out, func(c dsar.Counts) bool { return c.Dataset == gap.Dataset }); i >= 0 {
			out[i].Uncovered, out[i].Cause = gap.Uncovered, gap.Cause
		} else {
			out = append(out, gap)
		}
	}
	return out
}
