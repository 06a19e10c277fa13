package record

import (
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Writer writes a stream of records. It is for one goroutine.
type Writer struct {
	w       io.Writer
	buf     []byte
	section Section
	known   map[string]struct{}
	begun   map[string]struct{}
	records int64
	err     error // of w; final
	closed  bool
}

// flushAt is when rows are passed on: often enough to need no memory, seldom
// enough for each to be worth a call.
const flushAt = 32 << 10

// NewWriter writes a stream to w, in few and large pieces.
func NewWriter(w io.Writer) *Writer {
	buf := make([]byte, 0, 4<<10)
	return &Writer{w: w, buf: append(append(buf, magic...), '\n'), begun: make(map[string]struct{})}
}

// Begin ends the section before and begins the next. A dataset can be begun
// once only: its records come together.
func (w *Writer) Begin(s Section) error {
	if err := w.ready(); err != nil {
		return err
	}
	if s.Dataset == "" {
		return fmt.Errorf("record: %w: it has no dataset", ErrSection)
	}
	if _, twice := w.begun[s.Dataset]; twice {
		return fmt.Errorf("record: %w: dataset %s was begun before", ErrSection, s.Dataset)
	}
	if len(s.Columns) > maxColumns {
		return fmt.Errorf("record: %w: dataset %s has more than %d columns", ErrSection, s.Dataset, maxColumns)
	}
	known := make(map[string]struct{}, len(s.Columns))
	for _, c := range s.Columns {
		if _, twice := known[c]; twice {
			return fmt.Errorf("record: %w: dataset %s has the column %s twice", ErrSection, s.Dataset, c)
		}
		known[c] = struct{}{}
	}
	w.begun[s.Dataset] = struct{}{}
	w.section = Section{Dataset: s.Dataset, Columns: append([]string(nil), s.Columns...)}
	w.known = known

	w.buf = append(w.buf, `{"dataset":`...)
	w.buf = appendString(w.buf, s.Dataset)
	w.buf = append(w.buf, `,"columns":[`...)
	for i, c := range s.Columns {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.buf = appendString(w.buf, c)
	}
	w.buf = append(w.buf, "]}\n"...)
	return w.flush(flushAt)
}

// Write adds a row to the section. A record that is refused ([ErrColumn],
// [ErrValue], [ErrTooLong]) leaves the stream as it was; an error of the
// underlying writer is final.
func (w *Writer) Write(r Record) error {
	if err := w.ready(); err != nil {
		return err
	}
	if w.known == nil {
		return fmt.Errorf("record: %w: a record before the first section", ErrSection)
	}
	start := len(w.buf)
	buf := append(w.buf, '[')
	found := 0
	for i, c := range w.section.Columns {
		if i > 0 {
			buf = append(buf, ',')
		}
		v, ok := r[c]
		if !ok {
			buf = append(buf, "null"...)
			continue
		}
		found++
		var err error
		if buf, err = appendValue(buf, v); err != nil {
			return fmt.Errorf("record: column %s of dataset %s: %w (%T)", c, w.section.Dataset, err, v)
		}
	}
	if found < len(r) {
		return w.unknown(r)
	}
	buf = append(buf, ']', '\n')
	if len(buf)-start > MaxRow {
		return fmt.Errorf("record: dataset %s: %w: over %d bytes", w.section.Dataset, ErrTooLong, MaxRow)
	}
	w.buf = buf
	w.records++
	return w.flush(flushAt)
}

func (w *Writer) unknown(r Record) error {
	first := ""
	for c := range r {
		if _, ok := w.known[c]; !ok && (first == "" || c < first) {
			first = c
		}
	}
	return fmt.Errorf("record: dataset %s: %w: %q", w.section.Dataset, ErrColumn, first)
}

// Records returns how many were written so far, over all datasets.
func (w *Writer) Records() int64 { return w.records }

// Close ends the stream. Without it, readers take the stream for cut short. It
// doesn't close the underlying writer.
func (w *Writer) Close() error {
	if w.closed {
		return w.err
	}
	w.closed = true
	if w.err != nil {
		return w.err
	}
	w.buf = append(w.buf, `{"end":`...)
	w.buf = strconv.AppendInt(w.buf, w.records, 10)
	w.buf = append(w.buf, "}\n"...)
	return w.flush(0)
}

func (w *Writer) ready() error {
	if w.err != nil {
		return w.err
	}
	if w.closed {
		return errors.New("record: the stream is closed")
	}
	return nil
}

// flush passes the buffer on where it holds more than a number of bytes.
func (w *Writer) flush(above int) error {
	if len(w.buf) <= above {
		return nil
	}
	_, err := w.w.Write(w.buf)
	if err != nil {
		w.err = fmt.Errorf("record: write: %w", err)
		return w.err
	}
	if cap(w.buf) > 4*flushAt { // one long row needn't be remembered
		w.buf = nil
	}
	w.buf = w.buf[:0]
	return nil
}
