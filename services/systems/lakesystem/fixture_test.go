package lakesystem

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
)

// web is a manifest of two tables.
const web = `
system: web
title: {en: Web}
abilities: [gather, erase]
needs: [account_id, cookie_id, email]
lake: {}
datasets:
  - name: clicks
    title: {en: Clicks}
    category: internet or network activity
    origin: observed
    purpose: {en: To know}
    legal_basis: consent
    storage: {en: A year}
    columns:
      - {name: click_id}
      - {name: account_id}
      - {name: cookie_id}
      - {name: page}
      - {name: at, type: datetime}
      - {name: weight, type: integer}
    lake: {table: web.clicks, key: [click_id], subject: {account_id: account_id, cookie_id: cookie_id}, columns: {page: url}}
  - name: letters
    title: {en: Letters}
    category: internet or network activity
    origin: observed
    purpose: {en: To know}
    legal_basis: contract
    storage: {en: A year}
    columns:
      - {name: number, type: integer}
      - {name: email}
      - {name: day, type: date}
    retention:
      - {ground: accounting, source: Code, title: {en: Accounting}, column: day, period: P1Y}
    lake: {table: web.letters, key: [number], subject: {email: email}}
`

// lake is a lake of a test's own: a catalogue in a SQLite file, and files beside it.
type lake struct {
	testing.TB
	cat catalog.Catalog
	dir string
}

func newLake(t testing.TB) *lake {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "catalogue.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cat, closing, err := OpenCatalogue(t.Context(), Address{URL: "sqlite://" + filepath.Join(dir, "catalogue.db"), Properties: map[string]string{"warehouse": "file://" + filepath.Join(dir, "files")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := closing(); err != nil {
			t.Error(err)
		}
	})
	if err := cat.CreateNamespace(t.Context(), table.Identifier{"web"}, nil); err != nil {
		t.Fatal(err)
	}
	return &lake{t, cat, dir}
}

// clicks and letters are the tables' columns.
func clicks() []iceberg.NestedField {
	return []iceberg.NestedField{
		{ID: 1, Name: "click_id", Type: iceberg.PrimitiveTypes.String, Required: true}, {ID: 2, Name: "account_id", Type: iceberg.PrimitiveTypes.String},
		{ID: 3, Name: "cookie_id", Type: iceberg.PrimitiveTypes.String}, {ID: 4, Name: "url", Type: iceberg.PrimitiveTypes.String},
		{ID: 5, Name: "at", Type: iceberg.PrimitiveTypes.TimestampTz}, {ID: 6, Name: "weight", Type: iceberg.PrimitiveTypes.Int64},
	}
}

func letters() []iceberg.NestedField {
	return []iceberg.NestedField{
		{ID: 1, Name: "number", Type: iceberg.PrimitiveTypes.Int64, Required: true}, {ID: 2, Name: "email", Type: iceberg.PrimitiveTypes.String},
		{ID: 3, Name: "day", Type: iceberg.PrimitiveTypes.Date},
	}
}

// create makes a table.
func (l *lake) create(name string, fields []iceberg.NestedField, options ...catalog.CreateTableOpt) {
	l.Helper()
	if _, err := l.cat.CreateTable(l.Context(), table.Identifier{"web", name}, iceberg.NewSchema(0, fields...), options...); err != nil {
		l.Fatal(err)
	}
}

func (l *lake) table(name string) *table.Table {
	l.Helper()
	tbl, err := l.cat.LoadTable(l.Context(), table.Identifier{"web", name})
	if err != nil {
		l.Fatal(err)
	}
	return tbl
}

// append adds rows to a table, in a file of their own: JSON as arrow reads it.
func (l *lake) append(name string, rows ...string) {
	l.Helper()
	tbl := l.table(name)
	schema, err := table.SchemaToArrowSchema(tbl.Schema(), nil, true, false)
	if err != nil {
		l.Fatal(err)
	}
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader("["+strings.Join(rows, ",")+"]"))
	if err != nil {
		l.Fatal(err)
	}
	reader, err := array.NewRecordReader(schema, []arrow.RecordBatch{batch})
	if err != nil {
		l.Fatal(err)
	}
	if _, err := tbl.Append(l.Context(), reader, nil); err != nil {
		l.Fatal(err)
	}
}

func click(id, account, cookie string) string {
	text := func(s string) string {
		if s == "" {
			return "null"
		}
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf(`{"click_id": %q, "account_id": %s, "cookie_id": %s, "url": "/p", "at": "2026-01-02T03:04:05Z", "weight": 7}`, id, text(account), text(cookie))
}

func letter(number int, email, day string) string {
	return fmt.Sprintf(`{"number": %d, "email": %q, "day": %q}`, number, email, day)
}

// ids returns the keys of a table's rows, sorted.
func (l *lake) ids(name, column string) []string {
	l.Helper()
	_, batches, err := l.table(name).Scan(table.WithSelectedFields(column)).ToArrowRecords(l.Context())
	if err != nil {
		l.Fatal(err)
	}
	var out []string
	for b, err := range batches {
		if err != nil {
			l.Fatal(err)
		}
		for i := range int(b.NumRows()) {
			s, _ := text(b.Column(0), i)
			out = append(out, s)
		}
		b.Release()
	}
	slices.Sort(out)
	return out
}

// paths returns the data files of a table as it is.
func (l *lake) paths(name string) []string {
	l.Helper()
	tasks, err := files(l.Context(), l.table(name), iceberg.AlwaysTrue{})
	if err != nil {
		l.Fatal(err)
	}
	var out []string
	for _, t := range tasks {
		out = append(out, t.File.FilePath())
	}
	slices.Sort(out)
	return out
}

func webManifest(t testing.TB, changes ...string) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Parse("web.yaml", []byte(strings.NewReplacer(changes...).Replace(web)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// serve opens the worker of a lake.
func (l *lake) serve(m *manifest.Manifest, opts ...Option) *System {
	l.Helper()
	s, err := New(l.Context(), m, l.cat, opts...)
	if err != nil {
		l.Fatal(err)
	}
	return s
}

func account(id string) worker.Job {
	return worker.Job{Task: worker.Task{Right: dsar.Erasure, Identifiers: []worker.Identifier{{Type: "account_id", Value: id}}}}
}

// plan plans for one person.
func (l *lake) plan(s *System, who worker.Job) *worker.Plan {
	l.Helper()
	j := &worker.PlanJob{Job: who, Plan: worker.NewPlanWriter(s.m)}
	if err := s.Plan(l.Context(), []*worker.PlanJob{j}); err != nil || j.Err != nil {
		l.Fatal(err, j.Err)
	}
	p, err := j.Plan.Plan()
	if err != nil {
		l.Fatal(err)
	}
	return p
}

// erase plans and erases for one person, and returns what it says of a dataset.
func (l *lake) erase(s *System, who worker.Job) dsar.Counts {
	l.Helper()
	j := &worker.EraseJob{Job: who, Plan: l.plan(s, who)}
	if err := s.Erase(l.Context(), []*worker.EraseJob{j}); err != nil || j.Err != nil {
		l.Fatal(err, j.Err)
	}
	if unmet := dsar.Unmet(j.Plan.Counts(), j.Counts); unmet != "" {
		l.Error(unmet)
	}
	return of(j.Counts, "clicks")
}

func (l *lake) prove(s *System, who worker.Job, p *worker.Plan) dsar.Counts {
	l.Helper()
	j := &worker.EraseJob{Job: who, Plan: p}
	if err := s.Prove(l.Context(), []*worker.EraseJob{j}); err != nil || j.Err != nil {
		l.Fatal(err, j.Err)
	}
	return of(j.Counts, "clicks")
}

func of(counts []dsar.Counts, dataset string) dsar.Counts {
	for _, c := range counts {
		if c.Dataset == dataset {
			return c
		}
	}
	return dsar.Counts{}
}

// gather returns the keys that are gathered of one person, by dataset.
func (l *lake) gather(s *System, who worker.Job) (out []record.Record) {
	l.Helper()
	j := &worker.GatherJob{Job: who, Records: worker.NewRecords(s.m, dsar.Access, who.Identifiers, func(_ string, r record.Record) error {
		out = append(out, r)
		return nil
	})}
	if err := s.Gather(context.Background(), []*worker.GatherJob{j}); err != nil || j.Err != nil {
		l.Fatal(err, j.Err)
	}
	return out
}

func same(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s are %v, want %v", what, got, want)
	}
}
