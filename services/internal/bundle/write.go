package bundle

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/statement"
	"habeas.dev/services/internal/words"
)

// Write writes the bundle of one request to w, as a stream. A program that
// writes many uses one [Writer] instead.
func Write(ctx context.Context, w io.Writer, in Input) (Summary, error) {
	return new(Writer).Write(ctx, w, in)
}

// Writer writes bundles, and keeps the costly parts of one for the next. The
// zero value is ready; it can be used by many goroutines at once.
type Writer struct {
	flates  sync.Pool // *flate.Writer
	buffers sync.Pool // *buffers
	plans   plans
}

// buffers are what one bundle collects before it writes.
type buffers struct {
	csv, json []byte // of a dataset
	preview   spool  // the page's records
	frame     bytes.Buffer
	page      []byte
	text      []byte       // of a JSON file
	scratch   bytes.Buffer // a deflated file
	reader    *bufio.Reader
	out       *bufio.Writer
}

// keepBuffers is how much of one buffer is kept for the next bundle. A few large
// ones shouldn't take memory for ever.
const keepBuffers = 1 << 20

// release makes the buffers ready for the next bundle.
func (b *buffers) release() {
	for _, p := range []*[]byte{&b.csv, &b.json, &b.page, &b.text} {
		if cap(*p) > keepBuffers {
			*p = nil
		}
		*p = (*p)[:0]
	}
	for _, p := range []*bytes.Buffer{&b.frame, &b.scratch} {
		if p.Cap() > keepBuffers {
			*p = bytes.Buffer{}
		}
		p.Reset()
	}
	b.preview.reset()
	b.reader.Reset(nil)
	b.out.Reset(nil)
}

// SourceError says that a system's records could not be read, or are not what
// the manifest and the system's own report say. The bundle is void. Its text
// holds no personal data as long as the wrapped error's doesn't.
type SourceError struct {
	System string
	Err    error
}

func (e *SourceError) Error() string { return "bundle: records of " + e.System + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *SourceError) Unwrap() error { return e.Err }

// ErrInput says that the input can't become a bundle: a name that can't be a
// file's, or a system without a manifest.
var ErrInput = telemetry.Constant("bundle: the input can't become a bundle")

// ErrUndeclared says that a record stream holds a dataset or a column that the
// system's manifest doesn't declare: nobody could say what it is, or whether it
// may be shown.
var ErrUndeclared = telemetry.Constant("the manifest doesn't declare it")

// Names become file names: without dots and slashes, so that they never unpack
// outside of the folder. Two that differ in capitals only are refused too, since
// they are one file to Windows and macOS.
var (
	fileName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)
	requestID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)
)

// build is one bundle on its way.
type build struct {
	in       *Input
	words    *words.Answer
	archive  *archive
	buffers  *buffers
	systems  []*systemPart
	plans    *plans
	persons  manifest.Person // see person
	attached []attached
}

// systemPart is what was read of one system.
type systemPart struct {
	*System
	name   string
	tables []*table
	// corrections are what was held before fields were corrected, by dataset; unread: that
	// couldn't be read.
	corrections map[string][]statement.Correction
	unread      bool
	// leftOut counts the records of the datasets that the right doesn't cover, or that are
	// refused.
	leftOut map[string]int64
}

// Write writes the bundle of one request to w, as a stream; see [Input]. What
// was written is void if it returns an error: a [*SourceError] where a system's
// records are the cause, [ErrInput], ctx's error, or w's.
func (wr *Writer) Write(ctx context.Context, w io.Writer, in Input) (Summary, error) {
	if err := in.check(); err != nil {
		return Summary{}, err
	}
	out := &hashed{w: w, ctx: ctx}
	buf, ok := wr.buffers.Get().(*buffers)
	if !ok {
		buf = &buffers{reader: bufio.NewReaderSize(nil, readerSize), out: bufio.NewWriterSize(nil, writerSize)}
	}
	defer func() {
		buf.release()
		wr.buffers.Put(buf)
	}()
	buf.out.Reset(out)
	b := &build{
		in: &in, words: &cmp.Or(in.Language, words.English()).Answer, buffers: buf, plans: &wr.plans,
		archive: newArchive(buf.out, cmp.Or(in.Folder, topPrefix+in.RequestID), in.ReceivedAt.UTC(), &wr.flates, &buf.scratch),
	}
	defer b.archive.abandon()
	sum := sha256.New()
	out.sum = sum
	if err := b.readMe(); err != nil {
		return Summary{}, err
	}
	for i := range in.Systems {
		if err := b.system(ctx, &in.Systems[i]); err != nil {
			return Summary{}, err
		}
	}
	if err := b.finish(); err != nil {
		return Summary{}, err
	}
	s := Summary{Bytes: out.n, SHA256: hex.EncodeToString(sum.Sum(nil))}
	s.PayloadFiles, s.PayloadBytes = b.archive.payloadTotals()
	for _, part := range b.systems {
		for _, t := range part.tables {
			s.Records += t.records
		}
		for _, n := range part.leftOut {
			s.LeftOut += n
		}
	}
	return s, nil
}

// check refuses what could not be named in a ZIP.
func (in *Input) check() error {
	if !requestID.MatchString(in.RequestID) {
		return fmt.Errorf("%w: the request id can't be a folder's name", ErrInput)
	}
	if in.Folder != "" && (!safePath(in.Folder) || strings.ContainsAny(in.Folder, "/<>\"|?*%") || strings.TrimRight(in.Folder, ". ") != in.Folder) {
		return fmt.Errorf("%w: the folder's name can't be one", ErrInput)
	}
	var seen []string
	for i := range in.Systems {
		m := in.Systems[i].Manifest
		if m == nil {
			return fmt.Errorf("%w: system %d has no manifest", ErrInput, i+1)
		}
		if !fileName.MatchString(m.System) {
			return fmt.Errorf("%w: system %q can't be a folder's name", ErrInput, m.System)
		}
		if slices.ContainsFunc(seen, func(s string) bool { return strings.EqualFold(s, m.System) }) {
			return fmt.Errorf("%w: system %s comes twice", ErrInput, m.System)
		}
		seen = append(seen, m.System)
	}
	return nil
}

// system copies the records of one system into the archive.
func (b *build) system(ctx context.Context, sys *System) error {
	part := &systemPart{System: sys, name: sys.Manifest.System}
	b.systems = append(b.systems, part)
	if err := b.allFormer(ctx, part); err != nil {
		return err
	}
	for _, src := range sys.Sources {
		first := len(part.tables)
		if err := b.firstPass(ctx, part, src); err != nil {
			return b.blame(ctx, part, err)
		}
		if slices.ContainsFunc(part.tables[first:], func(t *table) bool { return t.jsonLater }) {
			if err := b.secondPass(ctx, part, src); err != nil {
				return b.blame(ctx, part, err)
			}
		}
		if slices.ContainsFunc(part.tables[first:], func(t *table) bool { return t.apps.later }) {
			if err := b.appsAgain(ctx, part, src); err != nil {
				return b.blame(ctx, part, err)
			}
		}
		if slices.ContainsFunc(part.tables[first:], func(t *table) bool { return t.files > 0 }) {
			if err := b.attach(ctx, part, src); err != nil {
				return b.blame(ctx, part, err)
			}
		}
	}
	return nil
}

// writeError marks an error as the destination's, so that it isn't blamed on a
// system's records.
type writeError struct{ err error }

func (e *writeError) Error() string { return "bundle: write: " + e.err.Error() }
func (e *writeError) Unwrap() error { return e.err }

// blame makes an error the system's, unless it is the destination's or ctx's.
func (b *build) blame(ctx context.Context, part *systemPart, err error) error {
	var w *writeError
	if errors.As(err, &w) {
		return err
	}
	if cause := ctx.Err(); cause != nil {
		return fmt.Errorf("bundle: %w", cause)
	}
	return &SourceError{System: part.name, Err: err}
}

// firstPass writes every dataset's CSV, and its JSON where that is small.
func (b *build) firstPass(ctx context.Context, part *systemPart, src Source) error {
	return b.eachSection(ctx, src, func(rd *record.Reader, sec record.Section) error { return b.section(part, rd, sec) })
}

// eachSection reads a source, and hands each of its sections to f with the reader
// that stands at its first row.
func (b *build) eachSection(ctx context.Context, src Source, f func(*record.Reader, record.Section) error) error {
	r, err := src(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	rd := b.reader(r)
	for {
		sec, err := rd.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f(rd, sec); err != nil {
			return err
		}
	}
}

// section takes one dataset of a system, or skips it where the right doesn't cover it, or
// it is refused.
func (b *build) section(part *systemPart, rd *record.Reader, sec record.Section) error {
	ds, err := part.declared(sec.Dataset)
	if err != nil {
		return err
	}
	portability := b.in.Right == dsar.Portability
	if portability && !ds.Portable() || slices.Contains(part.Refused, ds.Name) {
		return part.skip(rd, ds)
	}
	pl, err := b.plans.of(part.Manifest, ds, sec, b.words, portability)
	if err != nil {
		return err
	}
	t := newTable(pl)
	t.released, t.reviewed = part.Released, part.Reviewed
	t.csv, t.json = b.buffers.csv[:0], b.buffers.json[:0]
	if err := t.copy(b, rd); err != nil {
		return err
	}
	b.buffers.csv, b.buffers.json = t.csv, t.json
	t.csv, t.json = nil, nil
	if err := b.endApp(t); err != nil {
		return err
	}
	part.tables = append(part.tables, t)
	return nil
}

// readerSize is at least what pkg/record reads in: it then uses this reader as
// it is, and makes none of its own.
const readerSize = 64 << 10

// writerSize is what age encrypts at once. archive/zip uses such a writer as it is,
// and makes none of its own; its Close flushes it.
const writerSize = 64 << 10

func (b *build) reader(r io.Reader) *record.Reader {
	b.buffers.reader.Reset(r)
	return record.NewReader(b.buffers.reader)
}

// copy takes all rows of a section.
func (t *table) copy(b *build, rd *record.Reader) error {
	for {
		row, err := rd.Row()
		if err == io.EOF {
			return t.end(b.archive)
		}
		if err != nil {
			return err
		}
		if err := t.row(b, row); err != nil {
			return err
		}
	}
}

// declared finds a dataset in the manifest: one that isn't declared has no
// purpose, ground or period that the person could be told.
func (p *systemPart) declared(name string) (*manifest.Dataset, error) {
	for i := range p.Manifest.Datasets {
		if ds := &p.Manifest.Datasets[i]; ds.Name == name {
			if !fileName.MatchString(name) {
				return nil, fmt.Errorf("dataset %q can't be a file's name", name)
			}
			if slices.ContainsFunc(p.tables, func(t *table) bool { return strings.EqualFold(t.dataset.Name, name) }) {
				return nil, fmt.Errorf("dataset %s comes twice", name)
			}
			return ds, nil
		}
	}
	return nil, fmt.Errorf("dataset %q: %w", name, ErrUndeclared)
}

// skip counts the records of a dataset that the right doesn't cover, or that is refused.
func (p *systemPart) skip(rd *record.Reader, ds *manifest.Dataset) error {
	for {
		_, err := rd.Row()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if p.leftOut == nil {
			p.leftOut = map[string]int64{}
		}
		p.leftOut[ds.Name]++
	}
}

// secondPass writes the JSON of the datasets that were too large for memory.
func (b *build) secondPass(ctx context.Context, part *systemPart, src Source) error {
	err := b.eachSection(ctx, src, func(rd *record.Reader, sec record.Section) error {
		at := slices.IndexFunc(part.tables, func(t *table) bool { return t.dataset.Name == sec.Dataset })
		if at < 0 || !part.tables[at].jsonLater {
			return nil
		}
		t := part.tables[at]
		t.json = b.buffers.json[:0]
		if err := t.copyJSON(b, rd); err != nil {
			return err
		}
		b.buffers.json, t.json = t.json, nil
		return nil
	})
	if err != nil {
		return err
	}
	for _, t := range part.tables {
		if t.jsonLater {
			return errChanged
		}
	}
	return nil
}

var errChanged = telemetry.Constant("the record stream changed between its two passes")

// copyJSON writes a large dataset's JSON as it comes.
func (t *table) copyJSON(b *build, rd *record.Reader) error {
	e, err := b.archive.openPayload(t.jsonName())
	if err != nil {
		return err
	}
	var n int64
	for {
		row, err := rd.Row()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if len(row) != len(t.names) {
			return errChanged
		}
		row = t.withFile(t.covered(t.withoutOthers(b, row)), n)
		if n == 0 {
			t.json = append(t.json, '[', '\n')
		} else {
			t.json = append(t.json, ',', '\n')
		}
		t.appendObject(row)
		n++
		if len(t.json) >= flushAt {
			if err := e.write(t.json); err != nil {
				return err
			}
			t.json = t.json[:0]
		}
	}
	if n != t.records {
		return errChanged
	}
	t.json = append(t.json, '\n', ']', '\n')
	if err := e.write(t.json); err != nil {
		return err
	}
	t.json = t.json[:0]
	t.jsonLater = false
	t.jsonFile, err = e.close()
	return err
}

// finish writes what tells of the data, and the bag around it.
func (b *build) finish() error {
	d := b.in.Tell(b.readings())
	d.Statements = statement.Worded(d.Statements, func(s statement.Said) string { return b.words.Say(&d, s) })
	name := AnswerFile(b.in.Right)
	text, err := encode(b.buffers.text[:0], &d)
	if err != nil {
		return err
	}
	told, err := b.archive.addPayload(name, text)
	if err != nil {
		return err
	}
	var letter *Letter
	if b.in.Letter != nil {
		if letter, err = b.in.Letter(&d); err != nil {
			return err
		}
	}
	if err := b.page(&d, letter, name); err != nil {
		return err
	}
	if text, err = b.dataPackage(text[:0], told); err != nil {
		return err
	}
	b.buffers.text = text
	if _, err := b.archive.addPayload(packageFile, text); err != nil {
		return err
	}
	return b.archive.closeBag(b.in.RequestID, b.in.Run)
}

// hashed counts and hashes the ZIP on its way out, and stops when ctx ends.
type hashed struct {
	w   io.Writer
	ctx context.Context
	sum io.Writer
	n   int64
}

func (h *hashed) Write(p []byte) (int, error) {
	if err := h.ctx.Err(); err != nil {
		return 0, &writeError{err}
	}
	n, err := h.w.Write(p)
	h.n += int64(n)
	_, _ = h.sum.Write(p[:n]) // never fails
	if err != nil {
		return n, &writeError{err}
	}
	return n, nil
}
