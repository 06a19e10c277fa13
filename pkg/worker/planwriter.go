package worker

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"slices"
	"unicode/utf8"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vault"
)

// PlanWriter takes the plan of an erasure: the key of every record that it is to
// touch, and of every one that must stay. It goes, sealed, into the vault as it
// comes, so that memory doesn't grow with it, and is counted on the way: a worker
// can't count otherwise. It is for one goroutine at a time, and of no use after the
// call that it was given to.
//
// Each record MUST be written once. Datasets may come in any order, and again. An
// error is final: every later call gives it again, and the task fails with it
// whatever the call returns (TestPlanWriter).
type PlanWriter struct {
	ctx      context.Context //nolint:containedctx // it is that of the call which the plan is part of
	system   string
	datasets map[string]*dataset

	others *others                   // what is held of them is planned to stay
	seen   func(dataset, key string) // what is written, where nobody keeps it
	// written are the records, where it must be known which they are.
	written map[recordKey]bool
	create  func() (io.Writer, error) // the object; nil where the plan is counted only
	out     io.Writer
	object  *vault.ObjectWriter // out, where it is the vault's
	name    string
	hash    hash.Hash
	size    int64
	buf     []byte
	last    planHead // of the last line

	entries   int64
	counts    []dsar.Counts
	mentions  []dsar.Counts // of others' records, one for each dataset
	uncovered gaps
	made      *Plan // by Plan
	err       error
}

// NewPlanWriter makes a plan in memory, for tests and for programs without a vault;
// [PlanWriter.Plan] is what was written.
func NewPlanWriter(m *manifest.Manifest) *PlanWriter {
	var b bytes.Buffer
	return &PlanWriter{ctx: context.Background(), system: m.System, datasets: datasetsOf(m), hash: sha256.New(),
		create: func() (io.Writer, error) { return &b, nil }}
}

// Erase plans that a record is erased or made anonymous. The key is the system's
// own, unique in the dataset, at most [MaxKey] bytes: see [Key].
func (p *PlanWriter) Erase(dataset, key string) error {
	return p.Add(Entry{Dataset: dataset, Key: key})
}

// Keep plans that a record must stay: on the retention's ground, a name such as
// tax-records, until its Until, the zero time where no end is known; nor is one that can't
// be written ([dsar.KnownEnd]).
func (p *PlanWriter) Keep(dataset, key string, r dsar.Retention) error {
	return p.Add(Entry{Dataset: dataset, Key: key, Keep: true, Ground: r.Ground, Until: r.Until})
}

// Uncovered says that a dataset could not be looked at, or not all of it, and why:
// see [Records.Uncovered]. What is written of it stays planned.
func (p *PlanWriter) Uncovered(dataset, reason string, cause dsar.Cause) {
	d, declared := p.datasets[dataset]
	switch {
	case p.err != nil:
	case !declared:
		p.err = undeclared(p.system, dataset)
	default:
		p.uncovered.add(d.section.Dataset, reason, cause)
	}
}

// Mentions adds records of others that mention the person in free text: an erasure leaves
// them, and the person is told how many there are.
func (p *PlanWriter) Mentions(dataset string, records int64) {
	d, declared := p.datasets[dataset]
	switch {
	case p.err != nil:
	case !declared:
		p.err = undeclared(p.system, dataset)
	case records < 0:
		p.err = Permanent("bad-counts", "the worker gave a negative count in dataset "+d.section.Dataset, nil)
	case records > 0:
		p.mentions = addMentions(p.mentions, d.section.Dataset, records)
	}
}

// Counts returns what was planned so far, by dataset: Found is every record, Retained
// those that must stay, and Mentions those of others that mention the person.
func (p *PlanWriter) Counts() []dsar.Counts {
	out := p.uncovered.in(p.counts)
	for _, m := range p.mentions {
		out = addMentions(out, m.Dataset, m.Mentions)
	}
	return out
}

func addMentions(counts []dsar.Counts, dataset string, records int64) []dsar.Counts {
	i := slices.IndexFunc(counts, func(c dsar.Counts) bool { return c.Dataset == dataset })
	if i < 0 {
		return append(counts, dsar.Counts{Dataset: dataset, Mentions: records})
	}
	counts[i].Mentions += records
	return counts
}

// Plan returns what was written to a plan in memory.
func (p *PlanWriter) Plan() (*Plan, error) {
	if p.made != nil {
		return p.made, nil
	}
	if err := p.close(p.err); err != nil {
		return nil, err
	}
	text := []byte(nil)
	if b, ok := p.out.(*bytes.Buffer); ok {
		text = b.Bytes()
	}
	open := func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }
	p.made = &Plan{open: open, counts: slices.Clone(p.counts), sum: p.sum()}
	return p.made, nil
}

// Add plans a record as an entry has it: as [PlanWriter.Keep] does where it must stay, else
// as [PlanWriter.Erase] does.
func (p *PlanWriter) Add(e Entry) error {
	if p.err == nil {
		p.err = p.write(&e)
	}
	return p.err
}

func (p *PlanWriter) write(e *Entry) error {
	if err := p.ctx.Err(); err != nil {
		return err
	}
	d, ok := p.datasets[e.Dataset]
	switch {
	case !ok:
		return undeclared(p.system, e.Dataset)
	case e.Key == "" || len(e.Key) > MaxKey || !utf8.ValidString(e.Key):
		return Permanent("bad-key", "the worker planned a record of dataset "+d.section.Dataset+" by a key that is empty, too long, or not a text", nil)
	case e.Keep && !isSlug(e.Ground):
		return Permanent("bad-ground", "the worker retains records of dataset "+d.section.Dataset+" on a ground that is not a name such as tax-records", nil)
	case len(e.Ways) > MaxPlanWays || !utf8.ValidString(e.Ways):
		return Permanent("bad-ways", "the worker planned a record of dataset "+d.section.Dataset+" by ways that are too long, or not a text", nil)
	case p.entries == MaxEntries:
		return Permanent("plan-too-long", "the worker planned more records than any person has", nil)
	}
	e.Dataset, e.Until = d.section.Dataset, dsar.KnownEnd(e.Until)
	if !e.Keep && p.others.has(e.Dataset, e.Key) {
		e.Keep, e.Ground = true, dsar.LegalHold
	}
	if p.written != nil {
		p.written[recordKey{e.Dataset, e.Key}] = true
	}
	if p.seen != nil {
		p.seen(e.Dataset, e.Key)
	}
	p.entries++
	if p.counts = countEntry(p.counts, e); p.create == nil {
		return nil
	}
	if p.out == nil {
		if err := p.begin(); err != nil {
			return err
		}
	}
	if head := headOf(e); p.last != head {
		p.buf, p.last = appendHead(p.buf, head), head
	}
	p.buf = appendEntry(p.buf, e)
	return p.flush(planFlush)
}

// begin makes the object, with the plan's first line.
func (p *PlanWriter) begin() error {
	out, err := p.create()
	if err != nil {
		return Transient("vault", "the plan could not be written to the vault", err)
	}
	p.out = out
	p.buf = append(append(p.buf, planMagic...), '\n')
	return nil
}

func (p *PlanWriter) flush(above int) error {
	if len(p.buf) <= above {
		return nil
	}
	p.hash.Write(p.buf) // never fails
	n, err := p.out.Write(p.buf)
	p.size += int64(n)
	if p.buf = p.buf[:0]; err != nil {
		return Transient("vault", "the plan could not be written to the vault", err)
	}
	return nil
}

// close ends the plan: it is kept where the call succeeded, else removed.
func (p *PlanWriter) close(err error) error {
	if err == nil {
		err = p.err
	}
	if err == nil {
		err = p.ctx.Err()
	}
	p.err = errPlanClosed // for what comes after the call
	if err == nil && p.out == nil && p.create != nil && len(p.uncovered) > 0 {
		err = p.begin() // an empty one, by which the rest may be erased
	}
	if p.out == nil {
		return err
	}
	if err == nil {
		p.buf = appendEnd(p.buf, p.entries)
		err = p.flush(0)
	}
	if p.object == nil {
		return err
	}
	if err != nil {
		p.object.Abort()
		return err
	}
	if e := p.object.Close(); e != nil {
		return Transient("vault", "the plan could not be written to the vault", e)
	}
	return nil
}

var errPlanClosed = Permanent("plan-closed", "the worker wrote into a plan after its call had returned", nil)

func (p *PlanWriter) sum() string { return hex.EncodeToString(p.hash.Sum(nil)) }

// objects returns what a report names of the plan.
func (p *PlanWriter) objects() []dsar.Object {
	if p == nil || p.object == nil {
		return nil
	}
	return []dsar.Object{{Name: p.name, Bytes: p.size, Records: p.entries, SHA256: p.sum()}}
}

// plan makes the writer of a job's plan. Only an erasure's is kept.
func (w *Worker) plan(ctx context.Context, j *job) *PlanWriter {
	p := &PlanWriter{ctx: ctx, system: w.system, datasets: w.datasets}
	if j.task.Right != dsar.Erasure {
		return p
	}
	p.hash = sha256.New()
	p.create = func() (io.Writer, error) {
		p.name = w.objectName(j)
		var err error
		p.object, err = w.create(ctx, j, p.name)
		return p.object, err
	}
	return p
}
