// Package activitylake makes the lake of the sandbox's system activity: tables of Apache
// Iceberg on local files, with a catalogue in a SQLite file. Its tables are as a team would
// have them; the worker knows them by the manifest only. Clicks and calls are partitioned by
// buckets of accounts.
package activitylake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"habeas.dev/services/sandbox/people"
	"habeas.dev/services/systems/lakesystem"
)

// DefaultRows is how many rows the lake of a demo has.
const DefaultRows = 50_000

// perFile is how many rows are written at once: more wouldn't fit into memory beside a demo.
const perFile = 100_000

// column is a column of a table.
type column struct {
	name string
	typ  iceberg.Type
}

const namespace = people.Activity

// tables returns the columns of each dataset's table, the key first.
func tables() map[string][]column {
	text, number, moment := iceberg.PrimitiveTypes.String, iceberg.PrimitiveTypes.Int64, iceberg.PrimitiveTypes.TimestampTz
	return map[string][]column{
		"clicks":    {{"click_id", text}, {"account_id", text}, {"cookie_id", text}, {"session_id", text}, {"clicked_at", moment}, {"page", text}, {"seconds", number}},
		"api_calls": {{"call_id", text}, {"account_id", text}, {"called_at", moment}, {"operation", text}, {"status", number}, {"address", text}},
		"sessions":  {{"session_id", text}, {"account_id", text}, {"cookie_id", text}, {"began_at", moment}, {"ended_at", moment}, {"address", text}, {"place", text}},
		"downloads": {{"download_id", text}, {"account_id", text}, {"downloaded_at", moment}, {"file", text}, {"bytes", number}},
		"searches":  {{"search_id", text}, {"account_id", text}, {"cookie_id", text}, {"searched_at", moment}, {"words", text}, {"results", number}},
		"devices":   {{"cookie_id", text}, {"account_id", text}, {"kind", text}, {"system", text}, {"browser", text}, {"language", text}, {"seen_at", moment}},
	}
}

// bucketed returns the tables that are partitioned by buckets of accounts, with how many.
func bucketed() map[string]int { return map[string]int{"clicks": 4, "api_calls": 4} }

// Create makes the lake in a folder, unless it is there, and returns its address: what the
// population has done, and what strangers have, so many rows altogether. It is there
// whole or not at all: the catalogue gets its name last.
func Create(ctx context.Context, dir string, p *people.Population, seed int64, rows int) (lakesystem.Address, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return lakesystem.Address{}, fmt.Errorf("activitylake: %w", err)
	}
	file, below := filepath.Join(dir, namespace+".db"), filepath.Join(dir, namespace)
	at := lakesystem.Address{URL: "sqlite://" + filepath.ToSlash(file), Properties: map[string]string{"warehouse": "file://" + filepath.ToSlash(below)}}
	if _, err := os.Stat(file); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return at, err
	}
	temp := file + ".new"
	for _, old := range []string{temp, temp + "-wal", temp + "-shm", below} { // of one that was broken off
		if err := os.RemoveAll(old); err != nil {
			return at, fmt.Errorf("activitylake: %w", err)
		}
	}
	if err := os.WriteFile(temp, nil, 0o600); err != nil {
		return at, fmt.Errorf("activitylake: %w", err)
	}
	made := at
	made.URL = "sqlite://" + filepath.ToSlash(temp)
	if err := fill(ctx, made, p, seed, rows); err != nil {
		return at, fmt.Errorf("activitylake: %w", err)
	}
	return at, os.Rename(temp, file)
}

func fill(ctx context.Context, at lakesystem.Address, p *people.Population, seed int64, rows int) (err error) {
	cat, closing, err := lakesystem.OpenCatalogue(ctx, at)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closing()) }()
	if err := cat.CreateNamespace(ctx, table.Identifier{namespace}, nil); err != nil {
		return err
	}
	all := map[string]*writer{}
	for name, columns := range tables() {
		if all[name], err = create(ctx, cat, name, columns); err != nil {
			return err
		}
		defer all[name].rows.Release()
	}
	n := 0
	add := func(r people.Row) error {
		n++
		return all[r.Dataset].add(ctx, r.Values)
	}
	if p != nil {
		for r := range p.All(people.Activity) {
			if err := add(r); err != nil {
				return err
			}
		}
	}
	for i := int64(0); n < rows; i++ {
		if err := add(people.Stranger(seed, i)); err != nil {
			return err
		}
	}
	for _, w := range all {
		if err := w.flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

// writer writes rows of a table.
type writer struct {
	tbl     *table.Table
	columns []column
	schema  *arrow.Schema
	rows    *array.RecordBuilder
	n       int
}

func create(ctx context.Context, cat catalog.Catalog, name string, columns []column) (*writer, error) {
	var fields []iceberg.NestedField
	for i, c := range columns {
		fields = append(fields, iceberg.NestedField{ID: i + 1, Name: c.name, Type: c.typ, Required: i == 0})
	}
	var options []catalog.CreateTableOpt
	if n := bucketed()[name]; n > 0 {
		spec := iceberg.NewPartitionSpec(iceberg.PartitionField{SourceIDs: []int{2}, FieldID: 1000, Name: "account_bucket", Transform: iceberg.BucketTransform{NumBuckets: n}})
		options = append(options, catalog.WithPartitionSpec(&spec))
	}
	tbl, err := cat.CreateTable(ctx, table.Identifier{namespace, name}, iceberg.NewSchema(0, fields...), options...)
	if err != nil {
		return nil, err
	}
	schema, err := table.SchemaToArrowSchema(tbl.Schema(), nil, true, false)
	if err != nil {
		return nil, err
	}
	return &writer{tbl: tbl, columns: columns, schema: schema, rows: array.NewRecordBuilder(memory.DefaultAllocator, schema)}, nil
}

func (w *writer) add(ctx context.Context, values map[string]any) error {
	for i, c := range w.columns {
		switch v := values[c.name].(type) {
		case nil:
			w.rows.Field(i).AppendNull()
		case int64:
			w.rows.Field(i).(*array.Int64Builder).Append(v) //nolint:forcetypeassert // the column's type says so
		case string:
			if err := w.rows.Field(i).AppendValueFromString(v); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s: a value of type %T", c.name, v)
		}
	}
	if w.n++; w.n == perFile {
		return w.flush(ctx)
	}
	return nil
}

// flush writes what was added, in one commit.
func (w *writer) flush(ctx context.Context) error {
	if w.n == 0 {
		return nil
	}
	batch := w.rows.NewRecordBatch()
	defer batch.Release()
	w.n = 0
	reader, err := array.NewRecordReader(w.schema, []arrow.RecordBatch{batch})
	if err != nil {
		return err
	}
	defer reader.Release()
	w.tbl, err = w.tbl.Append(ctx, reader, nil)
	return err
}
