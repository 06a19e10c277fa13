// Package manualrecords takes in what a person gathered by hand, where no worker can: a
// file with the records of one dataset becomes an object in the vault, as a
// worker would have left it.
package manualrecords

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/vault"
)

// MaxRecords bounds one file: more than a person gathers by hand of one subject.
const MaxRecords = 1_000_000

// Vault makes objects; vault.Vault does.
type Vault interface {
	Create(ctx context.Context, requestID, name string) (*vault.ObjectWriter, error)
}

// ErrFile says that a file can't be taken in. Its text names columns and lines,
// never a value.
var ErrFile = telemetry.Constant("the file can't be used")

// Deposit seals the records of a file into the vault, for a gathering of one
// system. The file is CSV with a line of column names, or a JSON array of
// objects; the columns are those of the dataset in the manifest.
func Deposit(ctx context.Context, v Vault, requestID, system string, attempt int, d *manifest.Dataset, file io.Reader) (o dsar.Object, n dsar.Counts, err error) {
	name := system + "/" + string(dsar.Gather) + "/" + strconv.Itoa(attempt) + "-" + random()
	out, err := v.Create(ctx, requestID, name)
	if err != nil {
		return o, n, fmt.Errorf("by hand: %w", err)
	}
	defer func() {
		if err != nil {
			out.Abort()
		}
	}()
	stream := record.NewWriter(out)
	section := record.Section{Dataset: d.Name}
	for _, c := range d.Columns {
		section.Columns = append(section.Columns, c.Name)
	}
	if err := stream.Begin(section); err != nil {
		return o, n, fmt.Errorf("by hand: %w", err)
	}
	if err := read(file, d, func(r record.Record) error {
		if stream.Records() >= MaxRecords {
			return fmt.Errorf("%w: more than %d records", ErrFile, MaxRecords)
		}
		err := stream.Write(r)
		if errors.Is(err, record.ErrTooLong) {
			return fmt.Errorf("%w: record %d is longer than %d bytes", ErrFile, stream.Records()+1, record.MaxRow)
		}
		return err
	}); err != nil {
		return o, n, err
	}
	if err := stream.Close(); err != nil {
		return o, n, fmt.Errorf("by hand: %w", err)
	}
	o = dsar.Object{Name: name, Bytes: out.Bytes(), Records: stream.Records()}
	n = dsar.Counts{Dataset: d.Name, Found: o.Records, Gathered: o.Records}
	return o, n, out.Close()
}

// random tells two deposits of one attempt apart.
func random() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	return "hand" + hex.EncodeToString(b[:])
}

// read hands on the records of a file; its first character tells its form.
func read(file io.Reader, d *manifest.Dataset, each func(record.Record) error) error {
	in := bufio.NewReader(file)
	for {
		c, err := in.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return fmt.Errorf("%w: it is empty", ErrFile)
		case err != nil:
			return err
		case c == ' ' || c == '\n' || c == '\r' || c == '\t':
			continue
		}
		if err := in.UnreadByte(); err != nil {
			return err
		}
		if c == '[' {
			return readJSON(in, d, each)
		}
		return readCSV(in, d, each)
	}
}

func readJSON(in io.Reader, d *manifest.Dataset, each func(record.Record) error) error {
	decoder := json.NewDecoder(in)
	decoder.UseNumber()
	if _, err := decoder.Token(); err != nil {
		return fmt.Errorf("%w: it is no JSON", ErrFile)
	}
	for i := 1; decoder.More(); i++ {
		var r record.Record
		if decoder.Decode(&r) != nil { // its words may quote a value
			return fmt.Errorf("%w: record %d is no JSON object", ErrFile, i)
		}
		if err := declared(r, d); err != nil {
			return err
		}
		if err := each(r); err != nil {
			return err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return fmt.Errorf("%w: it ends within the list", ErrFile)
	}
	return nil
}

func declared(r record.Record, d *manifest.Dataset) error {
	for name := range r {
		if d.Column(name) == nil {
			return fmt.Errorf("%w: dataset %s has no such column as one of the file's; the columns are those of its manifest", ErrFile, d.Name)
		}
	}
	return nil
}

func readCSV(in io.Reader, d *manifest.Dataset, each func(record.Record) error) error {
	rows := csv.NewReader(in)
	head, err := rows.Read()
	if err != nil {
		return fmt.Errorf("%w: no line of column names", ErrFile)
	}
	columns := make([]*manifest.Column, len(head))
	for i, name := range head {
		if columns[i] = d.Column(name); columns[i] == nil {
			return fmt.Errorf("%w: dataset %s has no such column as no. %d of the file's; the columns are those of its manifest", ErrFile, d.Name, i+1)
		}
	}
	for {
		row, err := rows.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			var at *csv.ParseError
			if errors.As(err, &at) {
				return fmt.Errorf("%w: line %d is no CSV", ErrFile, at.Line)
			}
			return err
		}
		r := make(record.Record, len(row))
		for i, text := range row {
			r[columns[i].Name] = value(columns[i].Type, text)
		}
		if err := each(r); err != nil {
			return err
		}
	}
}

// value returns a cell as its column's type has it; what doesn't fit stays a text,
// so that nothing that the person gathered is lost.
func value(typ, text string) any {
	switch {
	case text == "":
		return nil
	case typ == "integer" || typ == "number":
		if _, err := strconv.ParseFloat(text, 64); err == nil && json.Valid([]byte(text)) {
			return json.Number(text)
		}
	case typ == "boolean":
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	case typ == "object":
		if json.Valid([]byte(text)) {
			return json.RawMessage(text)
		}
	}
	return text
}

// Counts says what a person did by hand to a dataset's records.
func Counts(o dsar.Outcome, dataset string, records int64, ground string) dsar.Counts {
	n := dsar.Counts{Dataset: dataset, Found: records}
	switch o {
	case dsar.Erased:
		n.Erased = records
	case dsar.Anonymised:
		n.Anonymised = records
	case dsar.Rectified:
		n.Rectified = records
	case dsar.Restricted:
		n.Restricted = records
	case dsar.Retained:
		n.Retained = []dsar.Retention{{Records: records, Ground: ground}}
	default:
	}
	return n
}
