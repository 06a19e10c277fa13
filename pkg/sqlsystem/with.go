package sqlsystem

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"habeas.dev/pkg/manifest"
)

// with is how the rows of a dataset lead to those of another, with which they go or stay.
type with struct {
	*dataset
	joins []string
	alias string // of the other's table
}

// goesWith notes how the rows of a dataset that goes with another lead to that one's.
func (d *dataset) goesWith(other *manifest.Dataset, via []manifest.Via, joins []join) {
	for i, v := range via {
		if other != nil && other.SQL != nil && v.Table == other.SQL.Table {
			d.with = append(d.with, with{joins: texts(joins[:i+1]), alias: joins[i].alias})
		}
	}
}

// together gives the datasets that go with another that one, and orders all by when it can be
// decided on their rows.
func (c *compiler) together(byName map[string]*dataset) error {
	for i, m := range c.m.Datasets {
		d := byName[m.Name]
		if m.GoesWith == "" {
			continue
		}
		if len(d.with) == 0 {
			return c.wrong(fmt.Sprintf("datasets[%d].goes_with", i), fmt.Sprintf("dataset %s goes with %s, and no way leads to its rows through that one's table", d.Name, m.GoesWith), "add it to via, so that rows stay with those that stay")
		}
		for n := range d.with {
			d.with[n].dataset = byName[m.GoesWith]
		}
	}
	return c.decide()
}

// decidedBefore returns the datasets on whose rows it is decided before a dataset's: that with
// which they go, and those whose rows have them stay.
func (s *System) decidedBefore(d *dataset) (before []*dataset) {
	for _, w := range d.with {
		before = append(before, w.dataset)
	}
	for _, u := range d.uses {
		before = append(before, s.datasetOf(u.id).alike()...)
	}
	return slices.DeleteFunc(before, func(o *dataset) bool { return o.relation.id == d.relation.id })
}

// decide orders the datasets by when it can be decided on their rows. Where the rows of two, or
// more, wait for each other, it can't.
func (c *compiler) decide() error {
	left := slices.Clone(c.datasets)
	waitsFor := func(d *dataset) *dataset {
		before := c.decidedBefore(d)
		if i := slices.IndexFunc(before, func(o *dataset) bool { return slices.Contains(left, o) }); i >= 0 {
			return before[i]
		}
		return nil
	}
	for len(left) > 0 {
		next := slices.IndexFunc(left, func(d *dataset) bool { return waitsFor(d) == nil })
		if next < 0 {
			return c.circle(left[0], waitsFor)
		}
		c.deciding = append(c.deciding, left[next])
		left = slices.Delete(left, next, next+1)
	}
	return nil
}

// circle returns the error of datasets of which each waits for the next, and the last for the
// first; a dataset leads there.
func (c *compiler) circle(d *dataset, waitsFor func(*dataset) *dataset) error {
	var met []*dataset
	for !slices.Contains(met, d) {
		met = append(met, d)
		d = waitsFor(d)
	}
	met = met[slices.Index(met, d):]
	var says []string
	path, cure := "", "take one of these out of the manifest"
	for i, d := range met {
		next := met[(i+1)%len(met)]
		if slices.ContainsFunc(d.with, func(w with) bool { return w.dataset == next }) {
			says = append(says, fmt.Sprintf("%s goes_with %s", d.Name, next.Name))
			path, cure = fmt.Sprintf("datasets[%d].goes_with", slices.Index(c.datasets, d)), "take goes_with out of "+d.Name+": its rows go by themselves, before those that they keep"
			continue
		}
		says = append(says, fmt.Sprintf("%s stays unless_shared with %s", d.Name, next.Name))
		if path == "" {
			path = fmt.Sprintf("datasets[%d].sql.unless_shared", slices.Index(c.datasets, d))
		}
	}
	return c.wrong(path, "datasets wait for each other, so that it can't be decided which rows go: "+strings.Join(says, ", "), cure)
}

// staysWith returns, of some rows of a dataset, those that lead to one of the other dataset's
// that stays, and why that does.
func (s *System) staysWith(ctx context.Context, on executor, d *dataset, keys []string, kept func(key string) *stay) (map[string]stay, error) {
	rows, err := d.rowKeys(keys)
	if err != nil {
		return nil, err
	}
	planned := make(map[string]string, len(keys)) // by the table's key
	for i, key := range rows {
		planned[key] = keys[i]
	}
	out := map[string]stay{}
	for _, w := range d.with {
		for part := range slices.Chunk(rows, s.dialect.keysAtOnce()) {
			columns := slices.Concat(d.keyTexts(s.dialect, "t"), w.keyTexts(s.dialect, w.alias))
			q := &statement{dialect: s.dialect}
			q.add("SELECT ", strings.Join(columns, ", "), " FROM ", d.table, " AS t ", strings.Join(w.joins, " "), " WHERE ")
			if err := d.keyed(q, part); err != nil {
				return nil, err
			}
			err := s.scan(ctx, on, q, len(columns), func(held []any) error {
				key, err := d.keyOf(s.dialect, held[:len(d.keys)])
				if err != nil {
					return err
				}
				other, err := w.keyOf(s.dialect, held[len(d.keys):])
				if err != nil {
					return err
				}
				is, key := kept(other), planned[key]
				if was, there := out[key]; is != nil && (!there || is.longer(was)) {
					out[key] = *is
				}
				return nil
			})
			if err != nil {
				return nil, d.may(reading, err)
			}
		}
	}
	return out, nil
}

// keepWith has those rows of a dataset stay that lead to one of another holding that stays.
func (e *examination) keepWith(ctx context.Context, h, other *holding) error {
	kept := map[string]*stay{}
	for key, r := range other.rows {
		if is := r.stays(e, other.d); r.there && is != nil {
			key, err := other.d.rowKey(key)
			if err != nil {
				return err
			}
			kept[key] = is
		}
	}
	var keys []string
	for _, key := range h.keys {
		if r := h.rows[key]; r.there && !r.done {
			keys = append(keys, key)
		}
	}
	if len(kept) == 0 || len(keys) == 0 {
		return nil
	}
	with, err := e.staysWith(ctx, e.on, h.d, keys, func(key string) *stay { return kept[key] })
	for key, is := range with {
		if r := h.rows[key]; !r.is.kept || r.lost || is.longer(r.is) {
			r.is, r.lost = is, false
			r.is.kept = true
		}
	}
	return err
}

// Orphans looks for datasets that are deleted though the rows by way of which theirs are found
// may have to stay: the lines of an invoice that is kept. It asks nothing of the database.
func (s *System) Orphans(context.Context) ([]Advice, error) {
	var out []Advice
	for i, d := range s.datasets {
		if o := s.keptLead(d); o != nil {
			out = append(out, Advice{
				Where: s.m.At(fmt.Sprintf("datasets[%d]", i)),
				What:  fmt.Sprintf("dataset %s: its rows are deleted also where those of %s stay that lead to them", d.Name, o.Name),
				Cure:  fmt.Sprintf("add goes_with: %s to it, or a retention of its own", o.Name),
			})
		}
	}
	return out, nil
}

// keptLead returns a dataset of which some rows must stay and by way of which those of another are
// found that is deleted and says nothing of that itself.
func (s *System) keptLead(d *dataset) *dataset {
	if len(d.with) > 0 || len(d.retention) > 0 {
		return nil
	}
	for _, w := range d.SQL.AllWays() {
		for _, v := range w.Via {
			i := slices.IndexFunc(s.datasets, func(o *dataset) bool { return o != d && o.SQL.Table == v.Table && len(o.retention) > 0 })
			if w.Erase == manifest.EraseDelete && i >= 0 {
				return s.datasets[i]
			}
		}
	}
	return nil
}
