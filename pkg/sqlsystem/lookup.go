package sqlsystem

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// subject is a column that holds an identifier.
type subject struct {
	match
	*lookup
	expr          string // what of a row is compared with the identifiers
	bare          string // the same of its table alone, in the form that compares most
	path          string // where the manifest names it
	table, column string
}

// lookup is a way by which rows are found: joins that lead from the table t to columns
// with identifiers, and what must be so of the rows.
type lookup struct {
	number int
	joins  []string // each without INNER
	steps  []step   // what its joins come from
	// shared is how many of its joins are those of the dataset's columns, too.
	shared int
	where  string // a condition; empty: there is none
	many   bool   // a row may lead to several rows
	// What an erasure does with a row that it leads to, by a column the values that it
	// sets, and where the manifest says so.
	deletes   bool
	sets      map[string]any
	erasePath string
}

// step is where a join comes from: the columns of a table that rows are found by.
type step struct {
	path, table string
	columns     []string
}

// join is a join of a list, as statements write it.
type join struct {
	step
	name, far, alias, text string
	one                    bool // a row leads to one at most
}

// lookups makes the ways by which a dataset's rows are found.
func (c *compiler) lookups(ctx context.Context, path string, d *dataset) error {
	where, err := c.where(ctx, path, d.SQL.Table, "t", d.SQL.Where)
	if err != nil {
		return err
	}
	labels, err := c.joins(ctx, path, d.SQL.Table, d.SQL.Via, "v")
	if err != nil {
		return err
	}
	one := !slices.ContainsFunc(labels, func(j join) bool { return !j.one })
	if one {
		d.labels = texts(labels)
	}
	for i, w := range d.SQL.AllWays() {
		at, joins, condition := path, labels, where
		own := i == 0 && len(d.SQL.Subject) > 0
		if !own {
			at = fmt.Sprintf("%s.ways[%d]", path, i-len(d.SQL.AllWays())+len(d.SQL.Ways))
			if joins, err = c.joins(ctx, at, d.SQL.Table, w.Via, fmt.Sprintf("w%d_", i)); err != nil {
				return err
			}
			more, err := c.conditions(ctx, at+".where", d.SQL.Table, "t", w.Where)
			if err != nil {
				return err
			}
			condition = and(where, more)
		}
		// Those that lie as many joins away are looked up together: each way of finding
		// a row is a way of its own, whatever became of what another leads through.
		byJoins := map[int]*lookup{}
		for _, t := range slices.Sorted(maps.Keys(w.Subject)) {
			sub, err := c.subjectAt(ctx, at+".subject."+string(t), t, d.SQL.Table, w.Subject[t], joins)
			if err != nil {
				return err
			}
			n := len(joins)
			if own { // the others may be of the columns only
				n = 1 + slices.IndexFunc(joins, func(j join) bool { return strings.HasPrefix(w.Subject[t], j.name+".") })
			}
			l := byJoins[n]
			if l == nil {
				l = &lookup{number: len(d.lookups), joins: texts(joins[:n]), steps: steps(joins[:n]), where: condition, deletes: w.Erase == manifest.EraseDelete, erasePath: at}
				l.many = slices.ContainsFunc(joins[:n], func(j join) bool { return !j.one })
				if w.Erase == manifest.EraseAnonymise {
					l.sets = w.Anonymise
				}
				if !own && d.SQL.Ways[i-len(d.SQL.AllWays())+len(d.SQL.Ways)].Erase == "" {
					l.erasePath = path
				}
				if own && one {
					l.shared = n
				}
				if err := c.inScope(ctx, at, d.SQL.Table, joins[:n], d.SQL.Where); err != nil {
					return err
				}
				byJoins[n] = l
				d.lookups = append(d.lookups, l)
			}
			sub.lookup = l
			d.subjects = append(d.subjects, sub)
		}
	}
	if len(d.lookups) > maxLookups {
		return c.wrong(path+".ways", fmt.Sprintf("dataset %s: %d ways are too many", d.Name, len(d.lookups)), fmt.Sprintf("at most %d", maxLookups))
	}
	return nil
}

// lookup makes the way by which rows of a table are found by others' columns.
func (c *compiler) lookup(ctx context.Context, path, table string, w manifest.Where, via []manifest.Via, prefix string) (*lookup, []join, error) {
	where, err := c.where(ctx, path, table, "t", w)
	if err != nil {
		return nil, nil, err
	}
	joins, err := c.joins(ctx, path, table, via, prefix)
	if err != nil {
		return nil, nil, err
	}
	if err := c.inScope(ctx, path, table, joins, w); err != nil {
		return nil, nil, err
	}
	return &lookup{joins: texts(joins), steps: steps(joins), where: where, many: true}, joins, nil
}

func steps(joins []join) []step {
	out := make([]step, len(joins))
	for i, j := range joins {
		out[i] = j.step
	}
	return out
}

func texts(joins []join) []string {
	out := make([]string, len(joins))
	for i, j := range joins {
		out[i] = j.text
	}
	return out
}

// joins makes the joins of a list that begins at a table.
func (c *compiler) joins(ctx context.Context, path, own string, via []manifest.Via, prefix string) ([]join, error) {
	var out []join
	for i, v := range via {
		at := fmt.Sprintf("%s.via[%d]", path, i)
		j := join{step: step{path: at + ".on"}, name: v.Name(), far: v.Table, alias: fmt.Sprintf("%s%d", prefix, i)}
		far, err := c.look(ctx, at+".table", v.Table)
		if err != nil {
			return nil, err
		}
		from, fromTable := "t", own
		if near := manifest.From(via, i); near != "" {
			k := slices.IndexFunc(out, func(o join) bool { return o.name == near })
			from, fromTable = out[k].alias, out[k].far
		}
		var on, unique []string
		for _, near := range slices.Sorted(maps.Keys(v.On)) {
			if _, err := c.find(ctx, at+".on", fromTable, near); err != nil {
				return nil, err
			}
			if _, err := c.find(ctx, at+".on", v.Table, v.On[near]); err != nil {
				return nil, err
			}
			on = append(on, j.alias+"."+quote(v.On[near])+" = "+from+"."+quote(near))
			unique = append(unique, v.On[near])
			j.columns = append(j.columns, near)
		}
		j.table = fromTable
		condition, err := c.where(ctx, at, v.Table, j.alias, v.Where)
		if err != nil {
			return nil, err
		}
		if condition != "" {
			on = append(on, condition)
		}
		for column, w := range v.Where {
			if w.Pins() {
				unique = append(unique, column)
			}
		}
		for column, w := range c.m.SQL.Where {
			if w.Pins() {
				unique = append(unique, column)
			}
		}
		j.one = far.tells(unique)
		j.text = "JOIN " + c.System.table(v.Table) + " AS " + j.alias + " ON " + strings.Join(on, " AND ")
		out = append(out, j)
	}
	return out, nil
}

// labelled checks that a column in another table is one: a row leads to one row at most.
func (c *compiler) labelled(path string, d *dataset, source string) error {
	if table, _, there := strings.Cut(source, "."); there && d.labels == nil {
		return c.wrong(path, fmt.Sprintf("dataset %s: a row can lead to several rows of %q", d.Name, table), "join by its primary key, or add a unique index, or make of it a dataset of its own")
	}
	return nil
}

// subjectAt makes the comparison of an identifier with a column, of a table or, as
// table.column, of one that joins lead to.
func (c *compiler) subjectAt(ctx context.Context, path string, t dsar.IdentifierType, table, source string, joins []join) (subject, error) {
	alias, name := "t", source
	if of, column, there := strings.Cut(source, "."); there {
		k := slices.IndexFunc(joins, func(j join) bool { return j.name == of })
		alias, table, name = joins[k].alias, joins[k].far, column
	}
	col, err := c.find(ctx, path, table, name)
	if err != nil {
		return subject{}, err
	}
	return c.subject(ctx, path, t, table, alias+"."+quote(name), col)
}

// alone returns what a row holds in a subject as far as it shows without joins of the
// way's own, where the way is one for the row.
func (s *subject) alone() string {
	switch {
	case len(s.joins) > s.shared:
		return "NULL"
	case s.where != "":
		return "CASE WHEN " + s.where + " THEN " + s.expr + " END"
	default:
		return s.expr
	}
}
