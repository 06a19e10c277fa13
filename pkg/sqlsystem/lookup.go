package sqlsystem

import (
	"context"
	"fmt"
	"maps"
	"regexp"
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
	written       string // of an address, what is returned of it; see shown
	indexed       string // the column whose index narrows the search; empty: expr itself has one
	bare          string // the same of its table alone, in the form that compares most
	path          string // where the manifest names it
	table, column string
	held          column           // what the database says of the column
	made          []*regexp.Regexp // the forms of what an erasure puts there
	// Where it is each element of an array: what is compared of one, called e.value, and
	// where the manifest says it lies; of PostgreSQL's arrays of numbers and uuids also the
	// array and its type.
	element, source  string
	array, arrayType string
}

// lookup is a way by which rows are found: joins that lead from the table t to columns
// with identifiers, and what must be so of the rows.
type lookup struct {
	number int
	name   string   // by which plans know it
	joins  []string // each without INNER
	steps  []step   // what its joins come from
	// shared is how many of its joins are those of the dataset's columns, too.
	shared int
	where  string // a condition; empty: there is none
	many   bool   // a row may lead to several rows
	joint  bool   // a row may lead to several people
	// What an erasure does with a row that it leads to, by a column the values that it
	// sets, and where the manifest says so.
	deletes   bool
	sets      map[string]any
	erasePath string
	// corrects are the columns that may be corrected in a row that it leads to.
	corrects []string
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
	pinned                 bool // only to rows that hold one value, as those of one key
}

// lookups makes the ways by which a dataset's rows are found.
func (c *compiler) lookups(ctx context.Context, path string, d *dataset) error {
	where, err := c.where(ctx, path, d.SQL.Table, "t", d.SQL.Where)
	if err != nil {
		return err
	}
	d.where = where
	labels, err := c.joins(ctx, path, d.SQL.Table, d.SQL.Via, "v")
	if err != nil {
		return err
	}
	one := !slices.ContainsFunc(labels, func(j join) bool { return !j.one })
	if one {
		d.labels = texts(labels)
	}
	if len(d.SQL.Subject) == 0 {
		d.goesWith(c.System.m.Dataset(d.GoesWith), d.SQL.Via, labels)
	}
	for i, w := range d.SQL.AllWays() {
		at, joins, condition := path, labels, where
		own := i == 0 && len(d.SQL.Subject) > 0
		if !own {
			at = fmt.Sprintf("%s.ways[%d]", path, i-len(d.SQL.AllWays())+len(d.SQL.Ways))
			if joins, err = c.joins(ctx, at, d.SQL.Table, w.Via, "w"); err != nil {
				return err
			}
			more, err := c.conditions(ctx, at+".where", d.SQL.Table, "t", w.Where)
			if err != nil {
				return err
			}
			condition = and(where, more)
		}
		d.goesWith(c.System.m.Dataset(d.GoesWith), w.Via, joins)
		// Those that lie as many joins away are looked up together: each way of finding
		// a row is a way of its own, whatever became of what another leads through.
		byJoins := map[string]*lookup{}
		for _, t := range slices.Sorted(maps.Keys(w.Subject)) {
			sub, each, err := c.subjectAt(ctx, at+".subject."+string(t), t, d.SQL.Table, w.Subject[t], joins)
			if err != nil {
				return err
			}
			n := len(joins)
			if own { // the others may be of the columns only
				n = 1 + slices.IndexFunc(joins, func(j join) bool { return j.name == manifest.ParseSource(w.Subject[t]).Table })
			}
			together := fmt.Sprint(n, " ", sub.source)
			l := byJoins[together]
			if l == nil {
				l = &lookup{number: len(d.lookups), joins: texts(joins[:n]), steps: steps(joins[:n]), where: condition, deletes: w.Erase == manifest.EraseDelete, erasePath: at, corrects: w.Rectify}
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
				if each != "" {
					l.joins, l.many = append(slices.Clip(l.joins), each), true
				}
				if err := c.inScope(ctx, at, d.SQL.Table, joins[:n], d.SQL.Where); err != nil {
					return err
				}
				if l.many && len(l.corrects) > 0 {
					return c.wrong(at+".rectify", fmt.Sprintf("dataset %s: by this way a row may be several people's, and what one of them had corrected would be overwritten for the others", d.Name), "leave rectify out, so that a person sees to it; or, where a row is one person's, add a unique index on the columns that the joins end at")
				}
				byJoins[together] = l
				d.lookups = append(d.lookups, l)
			}
			l.joint = l.joint || each != "" || c.joint(joins[:n], sub.column)
			sub.lookup = l
			d.subjects = append(d.subjects, sub)
		}
	}
	d.nameWays()
	for i := range d.subjects {
		if len(d.subjects[i].steps) > 0 {
			continue
		}
		if err := d.makes(&d.subjects[i]); err != nil {
			return err
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
		var unique []string
		on, err := c.joinOn(ctx, at+".on", side{fromTable, from}, side{v.Table, j.alias}, v.On, "are neither shown nor erased")
		if err != nil {
			return nil, err
		}
		for _, near := range slices.Sorted(maps.Keys(v.On)) {
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
				unique, j.pinned = append(unique, column), true
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
	if table := manifest.ParseSource(source).Table; table != "" && d.labels == nil {
		return c.wrong(path, fmt.Sprintf("dataset %s: a row can lead to several rows of %q", d.Name, table), "join by its primary key, or add a unique index, or make of it a dataset of its own")
	}
	return nil
}

// subjectAt makes the comparison of an identifier with what a source holds, of a table or
// of one that joins lead to. Each is a join with the elements, where it is an array.
func (c *compiler) subjectAt(ctx context.Context, path string, t dsar.IdentifierType, table, text string, joins []join) (sub subject, each string, err error) {
	source, alias := manifest.ParseSource(text), "t"
	if source.Table != "" {
		k := slices.IndexFunc(joins, func(j join) bool { return j.name == source.Table })
		alias, table = joins[k].alias, joins[k].far
	}
	col, err := c.find(ctx, path, table, source.Column)
	if err != nil {
		return sub, "", err
	}
	if err := c.holds(path, col, source); err != nil {
		return sub, "", err
	}
	held := alias + "." + c.dialect.quote(source.Column)
	switch {
	case source.Each:
		array := col
		each = c.dialect.elements(held, col, source.Path, "e")
		col = element(col)
		if sub, err = c.subject(ctx, path, t, table, "e.value", "e.value", col); err != nil {
			return sub, "", err
		}
		sub.source, sub.element = text, sub.expr
		if isArray(array) && (sub.as == asInteger || sub.as == asUUID) {
			sub.array, sub.arrayType = held, array.full
		}
		return sub, each, nil
	case len(source.Path) > 0:
		text := c.dialect.jsonText(held, col, source.Path)
		bare := c.dialect.jsonText(c.dialect.quote(source.Column), col, source.Path)
		sub, err = c.subject(ctx, path, t, table, text, bare, column{name: col.name, typ: "text", full: "text", part: true})
		return sub, "", err
	default:
		sub, err = c.subject(ctx, path, t, table, held, c.dialect.quote(source.Column), col)
		return sub, "", err
	}
}

// holds checks that a column can hold what a source says of it.
func (c *compiler) holds(path string, col column, source manifest.Source) error {
	if source.Within() && !c.dialect.holdsJSON(col) && !(source.Each && isArray(col) && len(source.Path) == 0) {
		return c.wrong(path, fmt.Sprintf("%sthe column %q of type %s holds neither JSON nor an array", c.of(path), col.name, col.full), "name a part of a column of type json, jsonb or text, or the elements of an array")
	}
	return nil
}

// alone returns what a row holds in a subject as far as it shows without joins of the
// way's own, where the way is one for the row.
func (s *subject) alone() string {
	switch {
	case len(s.joins) > s.shared:
		return "NULL"
	case s.where != "":
		return "CASE WHEN " + s.where + " THEN " + s.shown() + " END"
	default:
		return s.shown()
	}
}
