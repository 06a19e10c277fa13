package manualrecords

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
	"habeas.dev/services/internal/core"
)

// Cell is one value of what a worker has gathered: the number of its record as [Look] counts
// them, and its column.
type Cell struct {
	Record int64
	Column string
}

// Redact seals copies of what a worker has gathered in which the given values aren't, each
// for a reason, and tells how many of which column. It fails where one of them isn't there,
// before it seals anything.
func Redact(ctx context.Context, v openCreator, requestID, system string, attempt int, objects []dsar.Object, cells map[Cell]core.RedactReason) (out []dsar.Object, told []core.Redaction, err error) {
	switch n, err := missing(ctx, v, requestID, objects, cells); {
	case err != nil:
		return nil, nil, err
	case n > 0:
		return nil, nil, fmt.Errorf("%w: %d values that are to be redacted aren't there", ErrFile, n)
	}
	r := redaction{cells: cells}
	for _, o := range objects {
		name := system + "/" + string(dsar.Gather) + "/" + strconv.Itoa(attempt) + "-" + random()
		copied, err := r.copy(ctx, v, requestID, o, name)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, copied)
	}
	slices.SortFunc(r.told, func(a, b core.Redaction) int {
		return cmp.Or(cmp.Compare(a.Dataset, b.Dataset), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Reason, b.Reason))
	})
	return out, r.told, nil
}

// missing returns how many of the values aren't there.
func missing(ctx context.Context, v Opener, requestID string, objects []dsar.Object, cells map[Cell]core.RedactReason) (int, error) {
	left := maps.Clone(cells)
	err := Look(ctx, v, requestID, objects, func(s record.Section, n int64, _ []json.RawMessage) error {
		for _, column := range s.Columns {
			if at := (Cell{n, column}); left[at] != "" {
				delete(left, at)
			}
		}
		return nil
	})
	return len(left), err
}

type openCreator interface {
	Vault
	Opener
}

// redaction copies records without some of their values.
type redaction struct {
	cells   map[Cell]core.RedactReason
	records int64 // seen so far
	told    []core.Redaction
}

// copy seals a copy of one object.
func (r *redaction) copy(ctx context.Context, v openCreator, requestID string, from dsar.Object, name string) (o dsar.Object, err error) {
	out, err := v.Create(ctx, requestID, name)
	if err != nil {
		return o, fmt.Errorf("by hand: %w", err)
	}
	defer func() {
		if err != nil {
			out.Abort()
		}
	}()
	stream := record.NewWriter(out)
	dataset := ""
	if err := lookAt(ctx, v, requestID, from, func(s record.Section, row []json.RawMessage) error {
		if s.Dataset != dataset {
			dataset = s.Dataset
			if err := stream.Begin(s); err != nil {
				return err
			}
		}
		return stream.Write(r.without(s, row))
	}); err != nil {
		return o, err
	}
	if err := stream.Close(); err != nil {
		return o, fmt.Errorf("by hand: %w", err)
	}
	return dsar.Object{Name: name, Bytes: out.Bytes(), Records: stream.Records()}, out.Close()
}

// without returns the next record without those of its values that are redacted.
func (r *redaction) without(s record.Section, row []json.RawMessage) record.Record {
	out := make(record.Record, len(row))
	for i, column := range s.Columns {
		out[column] = row[i]
		if reason := r.cells[Cell{r.records, column}]; reason != "" {
			out[column] = record.AboutOthers
			r.told = count(r.told, core.Redaction{Dataset: s.Dataset, Column: column, Reason: reason})
		}
	}
	r.records++
	return out
}

// count adds one value to those of its column and reason.
func count(told []core.Redaction, one core.Redaction) []core.Redaction {
	for i := range told {
		if told[i].Dataset == one.Dataset && told[i].Column == one.Column && told[i].Reason == one.Reason {
			told[i].Values++
			return told
		}
	}
	one.Values = 1
	return append(told, one)
}
