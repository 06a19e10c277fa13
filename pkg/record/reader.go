package record

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Reader reads a stream of records. It is for one goroutine.
//
// It checks the frame (sections, the number of values in a row, the count at
// the end), and takes the JSON of the values as it is: a stream from the vault
// is as its [Writer] made it, or doesn't open.
type Reader struct {
	r       *bufio.Reader
	long    []byte // a line that is longer than r's buffer
	cells   []json.RawMessage
	section Section
	records int64
	state   readState
	next    Section // where state is atSection
	err     error
}

type readState int

const (
	atStart   readState = iota // nothing was read
	inRows                     // within a section
	atSection                  // next is read; the section before it is over
	atEnd
)

// NewReader reads a stream from r, in pieces of 32 KiB.
func NewReader(r io.Reader) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, flushAt)}
}

// Next goes on to the next section, past what is left of the one before.
// [io.EOF] at the end of the stream; [ErrTruncated] where it is cut short.
func (r *Reader) Next() (Section, error) {
	if r.err == nil && r.state == atStart {
		r.begin()
	}
	for r.err == nil && r.state == inRows {
		r.readLine()
	}
	switch {
	case r.err != nil:
		return Section{}, r.err
	case r.state == atEnd:
		return Section{}, io.EOF
	}
	r.section, r.next, r.state = r.next, Section{}, inRows
	return r.section, nil
}

// Row returns the next row of the section, one value a column; [io.EOF] at the
// section's end, [ErrTruncated] where the stream is cut short. The values are
// JSON, and valid until the next call.
func (r *Reader) Row() ([]json.RawMessage, error) {
	if r.err != nil {
		return nil, r.err
	}
	if r.state != inRows {
		return nil, io.EOF
	}
	row := r.readLine()
	switch {
	case r.err != nil:
		return nil, r.err
	case row == nil:
		return nil, io.EOF
	}
	if err := r.split(row); err != nil {
		r.err = err
		return nil, err
	}
	return r.cells, nil
}

// Records returns how many rows were read or passed over so far.
func (r *Reader) Records() int64 { return r.records }

func (r *Reader) begin() {
	line, err := r.line()
	if err == nil && string(line) != magic {
		err = fmt.Errorf("record: %w", ErrMalformed)
	}
	if err != nil {
		r.err = err
		return
	}
	if row := r.readLine(); row != nil && r.err == nil {
		r.err = fmt.Errorf("record: %w: a row before the first section", ErrMalformed)
	}
}

// readLine reads one line: a row is returned; a section or the end changes the
// state.
func (r *Reader) readLine() []byte {
	line, err := r.line()
	if err != nil {
		r.err = err
		return nil
	}
	if len(line) > 0 && line[0] == '[' {
		r.records++
		return line
	}
	if section, ok := plainSection(line); ok {
		r.next, r.state = section, atSection
		return nil
	}
	var head struct {
		Section
		End *int64 `json:"end"`
	}
	if err := json.Unmarshal(line, &head); err != nil || (head.End == nil) == (head.Dataset == "") {
		r.err = fmt.Errorf("record: %w", ErrMalformed)
		return nil
	}
	if head.End == nil {
		r.next, r.state = head.Section, atSection
		return nil
	}
	r.state = atEnd
	if *head.End != r.records {
		r.err = fmt.Errorf("record: %w: it counts %d records and holds %d", ErrMalformed, *head.End, r.records)
	} else if _, err := r.r.ReadByte(); err == nil {
		r.err = fmt.Errorf("record: %w: it goes on after its end", ErrMalformed)
	} else if !errors.Is(err, io.EOF) {
		// The store has the last word on whether what was read is whole.
		r.err = fmt.Errorf("record: read: %w", err)
	}
	return nil
}

// line returns the next line without its break, valid until the next call.
func (r *Reader) line() ([]byte, error) {
	line, err := r.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		r.long = append(r.long[:0], line...)
		for errors.Is(err, bufio.ErrBufferFull) {
			if len(r.long) > MaxRow {
				return nil, fmt.Errorf("record: %w: over %d bytes", ErrTooLong, MaxRow)
			}
			line, err = r.r.ReadSlice('\n')
			r.long = append(r.long, line...)
		}
		line = r.long
	}
	switch {
	case err == nil:
		return line[:len(line)-1], nil
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("record: %w", ErrTruncated)
	default:
		return nil, fmt.Errorf("record: read: %w", err)
	}
}

// split finds the values of a row. It knows JSON's frame only: strings, and
// brackets within brackets.
func (r *Reader) split(row []byte) error {
	r.cells = r.cells[:0]
	depth, start := 0, 1
	last := len(row) - 1
	for i := 0; i <= last; i++ {
		switch row[i] {
		case '"':
			end := endOfString(row, i)
			if end < 0 {
				return r.malformedRow()
			}
			i = end
		case '[', '{':
			depth++
		case ']', '}':
			depth--
			if depth < 0 || depth == 0 && i != last {
				return r.malformedRow()
			}
		case ',':
			if depth == 1 {
				r.cells = append(r.cells, json.RawMessage(row[start:i:i]))
				start = i + 1
			}
		}
	}
	if depth != 0 || row[last] != ']' {
		return r.malformedRow()
	}
	if last > 1 || len(r.section.Columns) > 0 {
		r.cells = append(r.cells, json.RawMessage(row[start:last:last]))
	}
	if len(r.cells) != len(r.section.Columns) {
		return r.malformedRow()
	}
	for _, c := range r.cells {
		if len(c) == 0 {
			return r.malformedRow()
		}
	}
	return nil
}

// endOfString returns where the string that begins at i ends, or -1.
func endOfString(row []byte, i int) int {
	for i++; i < len(row); i++ {
		switch row[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

func (r *Reader) malformedRow() error {
	return fmt.Errorf("record: %w: row %d, of dataset %s, isn't one value a column", ErrMalformed, r.records, r.section.Dataset)
}

// plainSection reads a section's line that is as [Writer] writes it and has no
// escapes, as nearly all do. Anything else is left to encoding/json, which costs
// ten times as much: for a few rows, more than the rows.
func plainSection(line []byte) (s Section, ok bool) {
	const head, list, end = `{"dataset":"`, `","columns":[`, `]}`
	text, ok := strings.CutPrefix(string(line), head)
	if !ok || strings.ContainsRune(text, '\\') {
		return s, false
	}
	if text, ok = strings.CutSuffix(text, end); !ok {
		return s, false
	}
	var columns string
	if s.Dataset, columns, ok = strings.Cut(text, list); !ok || s.Dataset == "" || strings.Contains(s.Dataset, `"`) {
		return s, false
	}
	if columns == "" {
		return s, true
	}
	if len(columns) < 2 || columns[0] != '"' || columns[len(columns)-1] != '"' {
		return s, false
	}
	s.Columns = strings.Split(columns[1:len(columns)-1], `","`)
	for _, c := range s.Columns {
		if strings.Contains(c, `"`) {
			return s, false
		}
	}
	return s, true
}
