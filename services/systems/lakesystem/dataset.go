package lakesystem

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// dataset is a dataset and its table.
type dataset struct {
	*manifest.Dataset
	ident     table.Identifier
	subjects  []subject // in the order of their types
	retention []rule
	// judged are the columns by which a row is judged: of whom it is, its key, the dates of
	// its retention. all are those and what the person is told.
	judged, all []string
}

// subject is a column that holds identifiers of a type.
type subject struct {
	typ    dsar.IdentifierType
	column string
	// exact tells that an identifier's writings can be listed, so that files can be passed over.
	exact bool
	// uuid tells that the column holds UUIDs, which are written in small letters.
	uuid bool
}

// compile checks a dataset against its table.
func (s *System) compile(ctx context.Context, i int) (*dataset, error) {
	at := "datasets[" + strconv.Itoa(i) + "].lake"
	d := &dataset{Dataset: &s.m.Datasets[i], ident: strings.Split(s.m.Datasets[i].Lake.Table, ".")}
	l := d.Lake
	tbl, err := s.table(ctx, d.ident)
	if errors.Is(err, catalog.ErrNoSuchTable) {
		return nil, fmt.Errorf("%s: the catalogue has no table %s; name one that it has, or the catalogue as Spark does (lake.name)", s.m.At(at+".table"), l.Table)
	}
	if err != nil {
		return nil, fmt.Errorf("lakesystem: %s: %w: the table %s: %w", s.m.System, ErrUnreachable, l.Table, unsaid(err))
	}
	if s.m.Can(dsar.Erase) {
		if err := erasable(d, tbl); err != nil {
			return nil, fmt.Errorf("%s: %s", s.m.At(at+".table"), err.Reason)
		}
	}
	schema := tbl.Schema()
	column := func(path, name string, primitive bool) error {
		field, there := schema.FindFieldByName(name)
		if !there {
			return fmt.Errorf("%s: the table %s has no column %s; it has %s", s.m.At(path), l.Table, name, columnsOf(schema))
		}
		if _, nested := field.Type.(iceberg.NestedType); nested && primitive {
			return fmt.Errorf("%s: the column %s of %s holds more than one value; name one of texts, numbers, dates or UUIDs", s.m.At(path), name, l.Table)
		}
		return nil
	}
	for _, t := range slices.Sorted(maps.Keys(l.Subject)) {
		if err := column(at+".subject."+string(t), l.Subject[t], true); err != nil {
			return nil, err
		}
		field, _ := schema.FindFieldByName(l.Subject[t])
		_, isUUID := field.Type.(iceberg.UUIDType)
		d.subjects = append(d.subjects, subject{t, l.Subject[t], exact(t), isUUID})
		d.judged = append(d.judged, l.Subject[t])
	}
	for _, k := range l.Key {
		if err := column(at+".key", k, true); err != nil {
			return nil, err
		}
	}
	d.judged = append(d.judged, l.Key...)
	if d.retention, err = s.rules(d); err != nil {
		return nil, err
	}
	for _, r := range d.retention {
		if err := column(at+".columns", r.column, true); err != nil {
			return nil, err
		}
		d.judged = append(d.judged, r.column)
	}
	d.judged = distinct(d.judged)
	d.all = slices.Clone(d.judged)
	for j, c := range d.Columns {
		if err := column("datasets["+strconv.Itoa(i)+"].columns["+strconv.Itoa(j)+"]", l.Column(c.Name), false); err != nil {
			return nil, err
		}
		d.all = append(d.all, l.Column(c.Name))
	}
	d.all = distinct(d.all)
	return d, nil
}

// exact reports whether all writings of an identifier of a type can be listed: it has one, or a
// UUID's.
func exact(t dsar.IdentifierType) bool {
	base := t[strings.LastIndexByte(string(t), '.')+1:]
	return base != identifier.Email && base != identifier.Phone
}

// erasable returns why nothing can be erased in a table; nil where it can.
func erasable(d *dataset, tbl *table.Table) *worker.Error {
	refused := func(code, reason string) *worker.Error {
		var e *worker.Error
		_ = errors.As(worker.Because(dsar.Cause{Code: code, Dataset: d.Name, Table: d.Lake.Table}, worker.Permanent(code, reason, nil)), &e)
		return e
	}
	if v := tbl.Metadata().Version(); v > 2 {
		return refused("lake-format", "the table "+d.Lake.Table+" is of format version "+strconv.Itoa(v)+", in which nothing is erased here: keep it in version 2, or leave erase out of abilities and have its own engine erase")
	}
	if snap := tbl.CurrentSnapshot(); snap != nil && snap.Summary != nil {
		if n := snap.Summary.Properties["total-equality-deletes"]; n != "" && n != "0" {
			return refused("lake-equality-deletes", "the table "+d.Lake.Table+" has equality deletes, which hold values of what they delete: have its own engine rewrite its data files first (Spark: CALL system.rewrite_data_files)")
		}
	}
	return nil
}

func columnsOf(schema *iceberg.Schema) string {
	var names []string
	for _, f := range schema.Fields() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// distinct returns each of names once, in their order.
func distinct(names []string) []string {
	var out []string
	for _, n := range names {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}
