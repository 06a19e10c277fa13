package sqlsystem

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"habeas.dev/pkg/manifest"
)

// ownFiles returns the files of rows that no row names which stays, each once. gone returns the
// keys of a dataset's rows whose files go, too.
func (e *examination) ownFiles(ctx context.Context, d *dataset, keys []string, gone func(*holding) []string) ([]string, error) {
	var names []string
	for _, key := range keys {
		its, err := d.fileNames(key)
		if err != nil {
			return nil, err
		}
		names = append(names, slices.DeleteFunc(its, func(name string) bool { return name == "" })...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	leaving := map[string]bool{}
	for _, h := range e.holdings {
		if h.d.beside == nil {
			continue
		}
		rows, err := h.d.rowKeys(gone(h))
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			leaving[h.d.rowOf(row)] = true
		}
	}
	others := map[string]bool{}
	for _, o := range e.System.datasets {
		if o.beside == nil || o.beside.In != d.beside.In {
			continue
		}
		for path := range o.beside.paths {
			if err := e.named(ctx, o, path, names, leaving, others); err != nil {
				return nil, err
			}
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return others[name] }), nil
}

// rowOf tells a row by its table and its key, whichever dataset it is of.
func (d *dataset) rowOf(key string) string {
	return d.relation.id + " " + strings.Join(d.SQL.Key, " ") + " " + key
}

// named adds those of some files that a path of a dataset makes of rows of its table, but for
// those that are leaving. It asks by what the columns can hold then, so that an index serves.
func (e *examination) named(ctx context.Context, d *dataset, path int, names []string, leaving, out map[string]bool) error {
	texts := d.planned(e.dialect)
	for part := range slices.Chunk(names, e.dialect.keysAtOnce()) {
		held, may := map[string][]string{}, false
		for _, name := range part {
			its, ok := manifest.HeldBy(d.beside.paths[path], name)
			if may = may || ok; ok {
				for column, values := range its {
					held[column] = append(held[column], values...)
				}
			}
		}
		if !may {
			continue
		}
		q := &statement{dialect: e.dialect}
		q.add("SELECT ", strings.Join(texts, ", "), " FROM ", d.table, " AS t WHERE 1 = 1")
		for i, name := range d.beside.names {
			if values := held[name]; len(values) > 0 {
				q.WriteString(" AND ")
				if err := d.holds(q, d.beside.columns[i], values); err != nil {
					return err
				}
			}
		}
		err := e.scan(ctx, e.on, q, len(texts), func(row []any) error {
			key, err := d.keyOf(e.dialect, row[:len(d.keys)])
			if err != nil || leaving[d.rowOf(key)] {
				return err
			}
			its, ok := d.beside.Name(d.beside.paths[path], func(column string) string {
				text, _ := textOf(row[len(d.keys)+slices.Index(d.beside.names, column)])
				return text
			})
			if ok {
				out[its] = true
			}
			return nil
		})
		if err != nil {
			return d.may(reading, err)
		}
	}
	return nil
}

// holds writes a condition that is true where a column is written as one of some values: as a
// key where its type is a text's or a whole number's, so that an index on it serves.
func (d *dataset) holds(q *statement, col keyColumn, values []string) error {
	slices.Sort(values)
	values = slices.Compact(values)
	typ := strings.ToLower(col.typ)
	keys, texts := values, []string(nil)
	switch {
	case strings.Contains(typ, "int") && !strings.Contains(typ, "point") && !strings.Contains(typ, "interval"):
		keys, texts = wholes(typ, values)
	case !strings.Contains(typ, "char") && typ != "text":
		keys, texts = nil, values
	}
	q.WriteString("(1 = 0")
	if len(keys) > 0 {
		q.WriteString(" OR ")
		alike := &dataset{Dataset: d.Dataset, own: d.own, table: d.table, keys: []keyColumn{col}}
		for i := range keys {
			keys[i] = q.dialect.keyBytes(keys[i])
		}
		if err := alike.keyed(q, keys); err != nil {
			return err
		}
	}
	if len(texts) > 0 {
		q.add(" OR ", q.dialect.nameText(col.expr, col.column), " IN (")
		for i, value := range texts {
			if i > 0 {
				q.WriteString(", ")
			}
			q.arg(value)
		}
		q.WriteString(")")
	}
	q.WriteString(")")
	return nil
}

// wholes returns those of some values that are whole numbers: those that a type of the name
// holds in every database, and larger ones.
func wholes(typ string, values []string) (fit, larger []string) {
	bits := map[string]int{"smallint": 16, "int2": 16, "integer": 32, "int": 32, "int4": 32}
	for _, value := range values {
		n, err := strconv.ParseInt(value, 10, cmp.Or(bits[typ], 64))
		switch {
		case err == nil:
			fit = append(fit, strconv.FormatInt(n, 10))
		case errors.Is(err, strconv.ErrRange):
			larger = append(larger, value)
		}
	}
	return fit, larger
}
