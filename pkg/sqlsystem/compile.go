package sqlsystem

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// dataset is a dataset of the manifest, made ready for statements. In all of
// them the dataset's own table goes by the alias t, those of via by v0, v1, ….
type dataset struct {
	*manifest.Dataset
	own         *table   // what the database says of its table
	relation             // that table
	table       string   // quoted
	labels      []string // the joins of its columns, each without LEFT
	where       string   // the condition on its rows; empty: there is none
	lookups     []*lookup
	keys        []keyColumn
	order       string // the key, ordered by bytes
	subjects    []subject
	mentions    []subject // columns of free text
	columns     []field
	retention   []rule
	stored      *rule      // where the storage period is data
	storedWhere string     // the condition on the rows that it is of
	unstable    bool       // the key of a row is another once the row was changed
	beside      *beside    // where its files lie; nil: it has none
	siblings    []*dataset // others of its table
	with        []with     // how its rows lead to those that they go with
	uses        []use      // by rows of others, while which its own stay
	reads       []string   // what it reads, by the database's own names: its table, those that lead to it, those of uses
	leads       []*dataset // those by which its rows are found
	takes       []*dataset // those whose rows, deleted, take its own with them
	// known returns what people call the table that an error of the database names; empty where
	// the catalogue has none of that name: it may quote a row then.
	known func(name string) string
}

// field is a column of a dataset's records.
type field struct {
	name string
	expr string
	kind kind
	unit string // in which moments are counted; empty: they aren't
	// encoding is how it is written, the outermost first.
	encoding []string
}

// rule is a rule of retention.
type rule struct {
	ground string
	period manifest.Span
	// byLaw are the periods of laws that have their own; nil: none there.
	byLaw map[string]*manifest.Span
	raw   string // what a row holds
	day   string // the date of it, in UTC; NULL where it can't be read as one
	text  string // the same as a text, and [unreadable] where it can't be read
	// undatedGo says that a row without a date need not stay.
	undatedGo bool
	// led says that the date is in a row that leads to the record, and not in its own.
	led bool
}

// unreadable is the text of what isn't a date, which not every database keeps out of a
// column of dates. Such a row must stay: someone has to look.
const unreadable = "unreadable"

// finder is how one type of identifier is found.
type finder struct {
	find   dsar.IdentifierType
	called string // the table, as the manifest has it
	table  string // and as a statement has
	expr   string
	reads  []string // as a dataset's
	// own is how what it finds is compared; nil where its column can't be.
	own *subject
	// anew tells that the database gives what it finds anew when the row is gone.
	anew bool
	// datasets are those of its table, by name.
	datasets []string
	*lookup
	subjects []subject
}

// compile checks the manifest against the database and makes statements' parts.
func (s *System) compile(ctx context.Context) error {
	var err error
	if s.dialect, err = s.dialect.learn(ctx, s.db); err != nil {
		return fmt.Errorf("sqlsystem: %s: %w: %w", s.m.System, ErrUnreachable, err)
	}
	c := &compiler{System: s, seen: map[string]*table{}}
	if err := s.refresh(ctx, s.db); err != nil {
		return fmt.Errorf("sqlsystem: %s: %w: it doesn't tell its tables: %w", s.m.System, ErrUnreachable, err)
	}
	byName := map[string]*dataset{}
	for i := range s.m.Datasets {
		d, err := c.dataset(ctx, fmt.Sprintf("datasets[%d].sql", i), &s.m.Datasets[i])
		if err != nil {
			return err
		}
		for _, o := range s.datasets {
			if o.relation.id == d.relation.id {
				o.siblings, d.siblings = append(o.siblings, d), append(d.siblings, o)
			}
		}
		s.datasets = append(s.datasets, d)
		byName[d.Name] = d
	}
	for i, d := range s.datasets {
		for _, o := range s.datasets {
			if slices.Contains(c.catalogue().parts[o.relation.id], d.relation.id) {
				return c.wrong(fmt.Sprintf("datasets[%d].sql.table", i), fmt.Sprintf("dataset %s: the rows of %q are those of dataset %s already, whose table has it as a part", d.Name, d.SQL.Table, o.Name), "leave one of the datasets out: each row is counted once")
			}
		}
	}
	if err := c.together(byName); err != nil {
		return err
	}
	order, circle := s.m.EraseOrder()
	if circle != nil {
		return c.wrong("datasets", "datasets are to be erased in a circle: "+strings.Join(circle, " after "), "leave out one after:")
	}
	for _, name := range order {
		s.erasing = append(s.erasing, byName[name])
	}
	s.erasing = c.order(s.erasing)
	if err := c.lead(); err != nil {
		return err
	}
	for i := range s.m.SQL.Resolve {
		if err := c.finder(ctx, fmt.Sprintf("sql.resolve[%d]", i), &s.m.SQL.Resolve[i]); err != nil {
			return err
		}
	}
	if len(c.faults) > 0 {
		return errors.Join(c.faults...)
	}
	c.findLikenesses()
	return s.lookForFilters(ctx, s.db)
}

func (c *compiler) dataset(ctx context.Context, path string, m *manifest.Dataset) (*dataset, error) {
	own, err := c.look(ctx, path+".table", m.SQL.Table)
	if err != nil {
		return nil, err
	}
	d := &dataset{Dataset: m, own: own, relation: own.relation, table: c.System.table(m.SQL.Table), known: c.tableNamed}
	if own.unfit != "" && (m.SQL.Erases(manifest.EraseDelete) || m.SQL.Erases(manifest.EraseAnonymise) || len(m.SQL.Corrigible()) > 0 || len(m.SQL.Restrict) > 0) {
		return nil, c.wrong(path+".table", fmt.Sprintf("dataset %s: rows of %q can't be erased: %s", m.Name, m.SQL.Table, own.unfit), own.cure)
	}
	if over := c.instead(d); over != nil {
		what, cure, _ := strings.Cut(over.reason, ": ")
		return nil, c.wrong(path+".table", fmt.Sprintf("dataset %s: %s", m.Name, what), cure)
	}
	if err := c.key(ctx, path, d); err != nil {
		return nil, err
	}
	if _, named := c.rowName(d); !named && !own.tells(m.SQL.Key) {
		return nil, c.wrong(path+".key", fmt.Sprintf("dataset %s: nothing keeps two rows of %q from having the same key", m.Name, m.SQL.Table), "name its primary key, or add a unique index; where the table has none, ctid in PostgreSQL and rowid in SQLite")
	}
	if err := c.inherited(ctx, path, d); err != nil {
		return nil, err
	}
	if err := c.beside(ctx, path, d); err != nil {
		return nil, err
	}
	if err := c.lookups(ctx, path, d); err != nil {
		return nil, err
	}
	if err := c.mentions(ctx, path, d); err != nil {
		return nil, err
	}
	if err := c.uses(ctx, path, d); err != nil {
		return nil, err
	}
	if d.reads, err = c.reads(ctx, path, m.SQL.Table, m.SQL.Joined()); err != nil {
		return nil, err
	}
	for _, u := range d.uses {
		d.reads = append(d.reads, u.id)
	}
	for i, col := range m.Columns {
		if d.inFile(col.Name) {
			continue
		}
		at := fmt.Sprintf("%s.columns[%d].name", strings.TrimSuffix(path, ".sql"), i)
		if _, ok := m.SQL.Columns[col.Name]; ok {
			at = path + ".columns." + col.Name
		}
		source := m.SQL.Source(col.Name)
		tableName, name := d.place(source)
		held, err := c.find(ctx, at, tableName, name)
		if err != nil {
			return nil, err
		}
		if err := c.labelled(at, d, source); err != nil {
			return nil, err
		}
		if err := c.holds(at, held, manifest.ParseSource(source)); err != nil {
			return nil, err
		}
		d.columns = append(d.columns, field{name: col.Name, expr: c.dialect.held(c.expr(d, source, held), held), kind: kindOf(col.Type), unit: col.Unit, encoding: col.Encoding})
	}
	for i := range m.Retention {
		r, err := c.rule(ctx, fmt.Sprintf("%s.retention[%d]", strings.TrimSuffix(path, ".sql"), i), d, &m.Retention[i])
		if err != nil {
			return nil, err
		}
		d.retention = append(d.retention, r)
	}
	if err := c.stored(ctx, path, d); err != nil {
		return nil, err
	}
	if err := c.written(ctx, path, d); err != nil {
		return nil, err
	}
	c.fits(ctx, path, d)
	return d, nil
}

// rowName returns the database's own name of a row, where the manifest takes that for
// the key of a table that has none.
func (c *compiler) rowName(d *dataset) (name string, there bool) {
	name, _ = c.dialect.rowName()
	_, column := d.own.column(name, c.dialect)
	return name, name != "" && len(d.SQL.Key) == 1 && d.SQL.Key[0] == name && !column && !d.own.view
}

// key makes the key, and the order of records, which is by bytes in every
// database.
func (c *compiler) key(ctx context.Context, path string, d *dataset) error {
	var order []string
	if name, there := c.rowName(d); there {
		d.keys = []keyColumn{{column: column{name: name, typ: "integer", full: "tid"}, expr: "t." + c.dialect.quote(name)}}
		d.order = d.keys[0].expr
		_, d.unstable = c.dialect.rowName()
		if len(c.catalogue().parts[d.relation.id]) > 0 {
			return c.wrong(path+".key", fmt.Sprintf("dataset %s: the table %q has parts, in which rows have the same %s", d.Name, d.SQL.Table, name), "name columns that tell its rows apart")
		}
		return nil
	}
	for i, k := range d.SQL.Key {
		col, err := c.find(ctx, fmt.Sprintf("%s.key[%d]", path, i), d.SQL.Table, k)
		if err != nil {
			return err
		}
		expr := "t." + c.dialect.quote(k)
		d.keys = append(d.keys, keyColumn{col, expr})
		order = append(order, c.dialect.ordered(expr, col))
	}
	d.order = strings.Join(order, ", ")
	return nil
}

// inherited adds to the key of a table from which others inherit in which of them a row is:
// its primary key is held by each of them for its own rows alone.
func (c *compiler) inherited(ctx context.Context, path string, d *dataset) error {
	for _, heir := range c.catalogue().heirs[d.relation.id] {
		t, err := c.look(ctx, path+".table", heir.name)
		if err != nil {
			return err
		}
		if !t.tells(d.SQL.Key) {
			return c.wrong(path+".key", fmt.Sprintf("dataset %s: nothing keeps two rows of %q, which inherits from %q, from having the same key", d.Name, heir.name, d.SQL.Table), "add a unique index on "+strings.Join(d.SQL.Key, ", ")+" to it")
		}
	}
	if len(c.catalogue().heirs[d.relation.id]) > 0 {
		expr := "t." + c.dialect.quote(tableOfRow)
		d.keys = append(d.keys, keyColumn{column{name: tableOfRow, typ: "regclass", full: "regclass", notNull: true}, expr})
		d.order += ", " + expr
	}
	return nil
}

// tableOfRow is PostgreSQL's name of the column that says in which table a row is.
const tableOfRow = "tableoid"

// tellsTables reports whether the dataset's key says in which of several tables a row is.
func (d *dataset) tellsTables() bool { return d.keys[len(d.keys)-1].name == tableOfRow }

func (c *compiler) rule(ctx context.Context, path string, d *dataset, r *manifest.Retention) (rule, error) {
	period, err := c.System.m.Span(r)
	if err != nil {
		return rule{}, c.wrong(path+".period", err.Error(), "write a period such as P10Y")
	}
	source := d.SQL.Source(r.Column)
	tableName, name := d.place(source)
	col, err := c.find(ctx, path+".column", tableName, name)
	if err != nil {
		return rule{}, err
	}
	if err := c.labelled(path+".column", d, source); err != nil {
		return rule{}, err
	}
	expr := c.expr(d, source, col)
	out := rule{ground: r.Ground, period: period, raw: expr, undatedGo: r.Undated == manifest.UndatedGo, led: manifest.ParseSource(source).Table != ""}
	for law := range r.Periods {
		own, applies, err := c.System.m.SpanUnder(r, law)
		if err != nil {
			return rule{}, c.wrong(path+".periods."+law, err.Error(), "write a period such as P10Y, or none")
		}
		if out.byLaw == nil {
			out.byLaw, c.System.byLaw = map[string]*manifest.Span{}, true
		}
		if out.byLaw[law] = nil; applies {
			out.byLaw[law] = &own
		}
	}
	if in := d.Column(r.Column); in != nil && in.Unit != "" {
		out.day = c.dialect.epochDay(expr, manifest.Units()[in.Unit])
	}
	if out.day == "" {
		day, ok := c.dialect.day(expr, col)
		if !ok {
			return rule{}, c.wrong(path+".column", fmt.Sprintf("dataset %s: retention runs from %q, which is of type %s in the database", d.Name, name, col.typ), "it must be date or timestamp")
		}
		out.day = day
	}
	out.text = c.dialect.dayText(expr, out.day)
	return out, nil
}

// written checks the columns that statements set. Ways that lead to one row all set what
// they set, so that two can't set one column to different values.
func (c *compiler) written(ctx context.Context, path string, d *dataset) error {
	values := map[string]any{} // by the database's name of the column, and what of it is set
	for _, l := range d.lookups {
		for _, name := range slices.Sorted(maps.Keys(l.sets)) {
			at, source := l.erasePath+".anonymise."+name, manifest.ParseSource(name)
			col, err := c.find(ctx, at, d.SQL.Table, source.Column)
			if err != nil {
				return err
			}
			if err := c.holds(at, col, source); err != nil {
				return err
			}
			written := col.name + strings.TrimPrefix(name, source.Column)
			if other, there := values[written]; there && !reflect.DeepEqual(other, l.sets[name]) {
				return c.wrong(at, fmt.Sprintf("dataset %s: two ways set %s to different values, and a row may be led to by both", d.Name, name), "write one value, or make datasets of their own of rows that are apart")
			}
			values[written] = l.sets[name]
			if source.Each && d.taken(name) == nil {
				return c.wrong(at, fmt.Sprintf("dataset %s: nobody is found by the elements of %s", d.Name, name), "name those by which a way finds the person, or take all of it out")
			}
		}
	}
	for i, r := range d.SQL.Restrict {
		if _, err := c.find(ctx, fmt.Sprintf("%s.restrict[%d].column", path, i), d.SQL.Table, r.Column); err != nil {
			return err
		}
	}
	return nil
}

func (c *compiler) finder(ctx context.Context, path string, r *manifest.SQLResolve) error {
	source := manifest.ParseSource(r.Column)
	col, err := c.find(ctx, path+".column", r.Table, source.Column)
	if err != nil {
		return err
	}
	if err := c.holds(path+".column", col, source); err != nil {
		return err
	}
	l, joins, err := c.lookup(ctx, path, r.Table, r.Where, r.Via, "v")
	if err != nil {
		return err
	}
	held, bare := "t."+c.dialect.quote(source.Column), c.dialect.quote(source.Column)
	switch {
	case source.Each:
		l.joins = append(l.joins, c.dialect.elements(held, col, source.Path, "f"))
		held, bare, col = "f.value", "f.value", element(col)
	case len(source.Path) > 0:
		held, bare, col = c.dialect.jsonText(held, col, source.Path), c.dialect.jsonText(bare, col, source.Path), element(column{name: col.name})
	}
	f := &finder{find: r.Find, called: r.Table, table: c.System.table(r.Table), expr: c.dialect.ordered(held, col), lookup: l}
	if own, err := c.subject(ctx, path+".column", r.Find, r.Table, held, bare, col); err == nil {
		f.own, f.anew = &own, col.anew
		if f.own.lookup = l; source.Each {
			f.own.element = held
		}
	}
	for _, t := range slices.Sorted(maps.Keys(r.By)) {
		sub, each, err := c.subjectAt(ctx, path+".by."+string(t), t, r.Table, r.By[t], joins)
		if err != nil {
			return err
		}
		if each != "" && len(r.By) > 1 {
			return c.wrong(path+".by", "an array is looked up by itself", "write an entry of sql.resolve for each")
		}
		if each != "" {
			l.joins = append(l.joins, each)
		}
		sub.lookup = l
		for _, d := range c.datasets {
			if err := d.makes(&sub); err != nil {
				return err
			}
		}
		f.subjects = append(f.subjects, sub)
	}
	if f.reads, err = c.reads(ctx, path, r.Table, r.Via); err != nil {
		return err
	}
	for _, d := range c.datasets {
		if d.SQL.Table == r.Table {
			f.datasets = append(f.datasets, d.Name)
		}
	}
	c.finders = append(c.finders, f)
	return nil
}

// place returns the table and the column of a source of the dataset's columns.
func (d *dataset) place(text string) (tableName, name string) {
	source := manifest.ParseSource(text)
	if source.Table == "" {
		return d.SQL.Table, source.Column
	}
	for _, v := range d.SQL.Via {
		if v.Name() == source.Table {
			return v.Table, source.Column
		}
	}
	return source.Table, source.Column
}

// expr returns a source of the dataset's columns in a statement, which is in a column.
func (c *compiler) expr(d *dataset, text string, col column) string {
	source, expr := manifest.ParseSource(text), "t."
	if source.Table != "" {
		expr = fmt.Sprintf("v%d.", slices.IndexFunc(d.SQL.Via, func(v manifest.Via) bool { return v.Name() == source.Table }))
	}
	expr += c.dialect.quote(source.Column)
	if len(source.Path) > 0 {
		return c.dialect.jsonText(expr, col, source.Path)
	}
	return expr
}
