package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vault"
)

// Records takes what a gather finds and carries it, sealed, into the vault.
// Memory doesn't grow with the number of records. It is for one goroutine at a
// time, and of no use after the call that it was given to.
//
// The vault's object is made with the first record: where nothing is found,
// there is none. It is kept only where the gather succeeds.
type Records struct {
	ctx      context.Context //nolint:containedctx // it is that of the call which the records are part of
	system   string
	datasets map[string]*dataset
	subject  []Identifier
	// create makes what takes the records, with the first of them.
	create func() (stream, error)
	out    stream // nil while there is none

	portability bool
	only        map[string]bool // the datasets that are wanted; nil: all
	current     *dataset
	staying     []string // columns of the record that is written, which a correction leaves
	others      []string // the datasets at which a person must look
	person      manifest.Person
	counts      []dsar.Counts
	uncovered   gaps
	written     atomic.Int64 // read by progress reports
	err         error        // the first; every later call gives it again
}

// stream takes records in order, and ends by being kept or removed.
type stream interface {
	Begin(record.Section) error
	Write(record.Record) error
	Close() error
	Abort()
}

// NewRecords hands each record to write, for tests and for programs without a
// vault. Everything else is as with a task of the right: undeclared datasets and
// columns are refused, portability leaves out what it doesn't reach. write may keep
// the record. subject is whom it is about, by which what is about others is told.
func NewRecords(m *manifest.Manifest, right dsar.Right, subject []Identifier, write func(dataset string, r record.Record) error) *Records {
	return &Records{ctx: context.Background(), system: m.System, datasets: datasetsOf(m), subject: subject, portability: right == dsar.Portability,
		create: func() (stream, error) { return &handed{write: write}, nil }}
}

// handed hands records to a function.
type handed struct {
	write   func(string, record.Record) error
	dataset string
	check   *record.Writer // refuses what no record can hold
}

func (h *handed) Begin(s record.Section) error {
	if h.dataset = s.Dataset; h.check == nil {
		h.check = record.NewWriter(io.Discard)
	}
	return h.check.Begin(s)
}

func (h *handed) Write(r record.Record) error {
	if err := h.check.Write(r); err != nil {
		return err
	}
	return h.write(h.dataset, maps.Clone(r))
}

func (h *handed) Close() error { return nil }
func (h *handed) Abort()       {}

// sealed is an object in the vault.
type sealed struct {
	*record.Writer
	name   string
	object *vault.ObjectWriter
	size   counter
}

func (s *sealed) Close() error {
	if err := s.Writer.Close(); err != nil {
		s.object.Abort()
		return err
	}
	return s.object.Close()
}

func (s *sealed) Abort() { s.object.Abort() }

// counter counts the bytes on their way.
type counter struct {
	to io.Writer
	n  int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n += int64(n)
	return n, err
}

// records makes what a job's records go to: an object in the vault.
func (w *Worker) records(ctx context.Context, j *job) *Records {
	r := &Records{ctx: ctx, system: w.system, datasets: w.datasets, subject: j.open.Identifiers, portability: j.task.Right == dsar.Portability}
	r.create = func() (stream, error) {
		s := &sealed{name: w.objectName(j)}
		var err error
		if s.object, err = w.create(r.ctx, j, s.name); err != nil {
			return nil, err
		}
		s.size.to = s.object
		s.Writer = record.NewWriter(&s.size)
		return s, nil
	}
	return r
}

// objectName returns a name for what an attempt leaves in the vault.
func (w *Worker) objectName(j *job) string {
	return w.system + "/" + string(j.task.Action) + "/" + strconv.Itoa(j.task.Attempt) + "-" + w.name()
}

// Wants reports whether records of a dataset are kept for this task. Portability
// reaches only what the person provided or what was observed of them, on consent or
// contract (GDPR art. 20), and a correction the datasets that it changes; [Records.Write]
// drops the rest. A gather can spare itself the query.
func (r *Records) Wants(dataset string) bool {
	d, ok := r.datasets[dataset]
	return ok && (!r.portability || d.portable) && (r.only == nil || r.only[d.section.Dataset])
}

// Skips reports whether a dataset needn't be read: before a correction all but those that it
// changes. Portability reads every dataset, and says how many records it leaves out.
func (r *Records) Skips(dataset string) bool { return r.only != nil && !r.Wants(dataset) }

// Write adds one record to a dataset. The records of a dataset MUST come
// together: a dataset that was left for another can't be taken up again. The
// record's columns are among those that the manifest declares; those that it
// lacks are null. The map may be used again after Write has returned.
//
// An error is final: every later Write gives it again, and the task fails with
// it whatever the gather returns. An undeclared dataset or column is a
// permanent one, naming it (TestRecordsUndeclared).
func (r *Records) Write(dataset string, rec record.Record) error {
	if r.err != nil {
		return r.err
	}
	if err := r.ctx.Err(); err != nil {
		return r.fail(err)
	}
	if r.current == nil || r.current.section.Dataset != dataset {
		if err := r.begin(dataset); err != nil {
			return r.fail(err)
		}
	}
	n := &r.counts[len(r.counts)-1]
	n.Found++
	if !r.Wants(dataset) {
		return nil
	}
	if err := r.out.Write(rec); err != nil {
		return r.fail(r.explain(rec, err))
	}
	if len(r.current.others) > 0 {
		r.lookForOthers(rec)
	}
	n.Gathered++
	r.written.Add(1)
	return nil
}

// WriteStaying writes a record of which a correction leaves some columns as they are, though
// it corrects them in others: by how this one is the person's, they may be somebody else's.
func (r *Records) WriteStaying(dataset string, rec record.Record, columns []string) error {
	r.staying = columns
	err := r.Write(dataset, rec)
	r.staying = nil
	return err
}

// Stays reports whether a correction leaves a column of the record that is being written.
func (r *Records) Stays(column string) bool { return slices.Contains(r.staying, column) }

// Uncovered says that a dataset could not be reached, or not all of it, and why: a
// permission is missing, which a person must give. What is written is kept, and
// the task is [dsar.Incomplete]. The reason is a sentence for a support agent that
// says what to do; the rules of [Permanent] hold for it. Of a dataset that the task
// doesn't want ([Records.Wants]) it says nothing.
//
// The cause says in fields what is missing, and stays in the open where the reason is
// sealed.
func (r *Records) Uncovered(dataset, reason string, cause dsar.Cause) {
	d, declared := r.datasets[dataset]
	switch {
	case r.err != nil:
	case !declared:
		_ = r.fail(undeclared(r.system, dataset))
	case r.Wants(dataset):
		r.uncovered.add(d.section.Dataset, reason, cause)
	}
}

// Counts returns what was written so far, by dataset: Found is every record,
// Gathered those that are kept; and what was not covered.
func (r *Records) Counts() []dsar.Counts { return r.uncovered.in(r.counts) }

func undeclared(system, dataset string) error {
	return Permanent("undeclared-dataset", "the manifest of "+system+" has no dataset "+quoteName(dataset)+": declare it", nil)
}

// lookForOthers notes that a person must look at the dataset, where the record
// holds something that is about other people.
func (r *Records) lookForOthers(rec record.Record) {
	if slices.Contains(r.others, r.current.section.Dataset) {
		return
	}
	if r.person == nil {
		r.person = manifest.Person{}
		for _, id := range r.subject {
			r.person.Add(id.Type, id.Value)
		}
	}
	text := func(column string) string {
		switch v := rec[column].(type) {
		case nil:
			return ""
		case string:
			return v
		default:
			return fmt.Sprint(v)
		}
	}
	for _, o := range r.current.others {
		if o.Concern(r.person, text) && slices.ContainsFunc(o.Columns, func(c string) bool { return text(c) != "" }) {
			r.others = append(r.others, r.current.section.Dataset)
			return
		}
	}
}

// begin starts a dataset, and the object with the first that is kept.
func (r *Records) begin(name string) error {
	d, ok := r.datasets[name]
	if !ok {
		return undeclared(r.system, name)
	}
	for i := range r.counts {
		if r.counts[i].Dataset == name {
			return Permanent("dataset-twice", "the worker took up dataset "+name+" a second time: the records of a dataset must come together", nil)
		}
	}
	r.counts = append(r.counts, dsar.Counts{Dataset: d.section.Dataset})
	r.current = d
	if !r.Wants(name) {
		return nil
	}
	if r.out == nil {
		out, err := r.create()
		if err != nil {
			return Transient("vault", "an object could not be made in the vault", err)
		}
		r.out = out
	}
	if err := r.out.Begin(d.section); err != nil {
		return Transient("vault", "the records could not be written to the vault", err)
	}
	return nil
}

// explain tells a record that can't be written from a vault that can't.
func (r *Records) explain(rec record.Record, err error) error {
	in := r.current.section.Dataset
	switch {
	case errors.Is(err, record.ErrColumn):
		first := ""
		for c := range rec {
			if _, declared := r.current.columns[c]; !declared && (first == "" || c < first) {
				first = c
			}
		}
		return Permanent("undeclared-column", "the manifest of "+r.system+" has no column "+quoteName(first)+
			" in dataset "+in+": declare it, or don't gather it", err)
	case errors.Is(err, record.ErrValue):
		return Permanent("bad-value", "the worker gave a value in dataset "+in+" that a record can't hold", err)
	case errors.Is(err, record.ErrTooLong):
		return Permanent("record-too-long", "a record of dataset "+in+" is too long", err)
	default:
		return Transient("vault", "a record could not be written to the vault", err)
	}
}

func (r *Records) fail(err error) error {
	r.err = err
	return err
}

// close ends the object: it is kept where the gather succeeded, else removed.
func (r *Records) close(err error) error {
	if err == nil {
		err = r.err
	}
	if err == nil {
		err = r.ctx.Err()
	}
	_ = r.fail(errClosed) // for a Write that comes after the call
	if r.out == nil {
		return err
	}
	if err != nil {
		r.out.Abort()
		r.out = nil
		return err
	}
	if e := r.out.Close(); e != nil {
		r.out = nil
		return Transient("vault", "the records could not be written to the vault", e)
	}
	return nil
}

var errClosed = Permanent("records-closed", "the worker wrote a record after its gather had returned", nil)

// objects returns what a report names of these records.
func (r *Records) objects() []dsar.Object {
	if r == nil {
		return nil
	}
	if s, ok := r.out.(*sealed); ok {
		return []dsar.Object{{Name: s.name, Bytes: s.size.n, Records: r.written.Load()}}
	}
	return nil
}

// quoteName returns a dataset's or column's name for an open text. A name that
// isn't one is not repeated: it may be data.
func quoteName(name string) string {
	if name == "" || len(name) > maxName {
		return "of the name that was given"
	}
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' && c != '.' {
			return "of the name that was given"
		}
	}
	return name
}
