package sqlsystem

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// dataset is a dataset of the manifest, made ready for statements. In all of
// them the dataset's own table goes by the alias t, those of via by v0, v1, ….
type dataset struct {
	*manifest.Dataset
	own       *table   // what the database says of its table
	relation           // that table
	table     string   // quoted
	joins     []string // those of via, each without LEFT
	key       []string
	keys      []keyColumn
	order     string // the key, ordered by bytes
	subjects  []subject
	columns   []field
	retention []rule
	leads     []*dataset // those by which its rows are found
	takes     []*dataset // those whose rows, deleted, take its own with them
}

// subject is a column that holds an identifier.
type subject struct {
	match
	expr          string // what of a row is compared with the identifiers
	bare          string // the same of its table alone, in the form that compares most
	path          string // where the manifest names it
	table, column string
	// way is how many joins of via lead to it.
	way int
}

// field is a column of a dataset's records.
type field struct {
	name string
	expr string
	kind kind
}

// rule is a rule of retention.
type rule struct {
	ground string
	period manifest.Period
	raw    string // what a row holds
	day    string // the date of it, in UTC; NULL where it can't be read as one
	text   string // the same as a text, and [unreadable] where it can't be read
	// undatedGo says that a row without a date need not stay.
	undatedGo bool
}

// unreadable is the text of what isn't a date, which only SQLite lets into a
// column of dates. Such a row must stay: someone has to look.
const unreadable = "unreadable"

// finder is how one type of identifier is found.
type finder struct {
	find     dsar.IdentifierType
	table    string
	expr     string
	subjects []subject
}

// compile checks the manifest against the database and makes statements' parts.
func (s *System) compile(ctx context.Context) error {
	c := &compiler{System: s, seen: map[string]*table{}}
	if err := s.refresh(ctx, s.db); err != nil {
		return fmt.Errorf("sqlsystem: %s: %w: it doesn't tell its tables: %w", s.m.System, ErrUnreachable, err)
	}
	if s.dialect == PostgreSQL {
		var encoding string
		if err := s.db.QueryRowContext(ctx, `SELECT current_setting('server_encoding')`).Scan(&encoding); err != nil {
			return fmt.Errorf("sqlsystem: %s: %w: %w", s.m.System, ErrUnreachable, err)
		}
		s.narrow = encoding != "UTF8"
	}
	byName := map[string]*dataset{}
	for i := range s.m.Datasets {
		d, err := c.dataset(ctx, fmt.Sprintf("datasets[%d].sql", i), &s.m.Datasets[i])
		if err != nil {
			return err
		}
		s.datasets = append(s.datasets, d)
		byName[d.Name] = d
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
	return errors.Join(c.faults...)
}

func (c *compiler) dataset(ctx context.Context, path string, m *manifest.Dataset) (*dataset, error) {
	d := &dataset{Dataset: m, table: c.System.table(m.SQL.Table)}
	own, err := c.look(ctx, path+".table", m.SQL.Table)
	if err != nil {
		return nil, err
	}
	d.own, d.relation = own, own.relation
	if err := c.key(ctx, path, d); err != nil {
		return nil, err
	}
	if !own.tells(m.SQL.Key) {
		return nil, c.wrong(path+".key", fmt.Sprintf("dataset %s: nothing keeps two rows of %q from having the same key", m.Name, m.SQL.Table), "name its primary key, or add a unique index")
	}
	if err := c.via(ctx, path, d); err != nil {
		return nil, err
	}
	for _, t := range slices.Sorted(maps.Keys(m.SQL.Subject)) {
		at := path + ".subject." + string(t)
		tableName, name := d.place(m.SQL.Subject[t])
		col, err := c.find(ctx, at, tableName, name)
		if err != nil {
			return nil, err
		}
		sub, err := c.subject(ctx, at, t, tableName, d.expr(m.SQL.Subject[t]), col)
		if err != nil {
			return nil, err
		}
		sub.way = d.way(m.SQL.Subject[t])
		d.subjects = append(d.subjects, sub)
	}
	for i, col := range m.Columns {
		at := fmt.Sprintf("%s.columns[%d].name", strings.TrimSuffix(path, ".sql"), i)
		if _, ok := m.SQL.Columns[col.Name]; ok {
			at = path + ".columns." + col.Name
		}
		source := m.SQL.Source(col.Name)
		tableName, name := d.place(source)
		if _, err := c.find(ctx, at, tableName, name); err != nil {
			return nil, err
		}
		d.columns = append(d.columns, field{name: col.Name, expr: d.expr(source), kind: kindOf(col.Type)})
	}
	for i := range m.Retention {
		if err := c.rule(ctx, fmt.Sprintf("%s.retention[%d]", strings.TrimSuffix(path, ".sql"), i), d, &m.Retention[i]); err != nil {
			return nil, err
		}
	}
	if err := c.written(ctx, path, d); err != nil {
		return nil, err
	}
	c.fits(ctx, path, d)
	return d, nil
}

// key makes the key, and the order of records, which is by bytes in both
// databases.
func (c *compiler) key(ctx context.Context, path string, d *dataset) error {
	var order []string
	for i, k := range d.SQL.Key {
		col, err := c.find(ctx, fmt.Sprintf("%s.key[%d]", path, i), d.SQL.Table, k)
		if err != nil {
			return err
		}
		expr := "t." + quote(k)
		d.key = append(d.key, expr)
		d.keys = append(d.keys, keyColumn{col, expr})
		if c.dialect == PostgreSQL && isText(col.typ) {
			expr += ` COLLATE "C"`
		}
		order = append(order, expr)
	}
	d.order = strings.Join(order, ", ")
	return nil
}

// via makes the joins. A row leads to one row at most, else it would be counted
// twice.
func (c *compiler) via(ctx context.Context, path string, d *dataset) error {
	from, fromTable := "t", d.SQL.Table
	for i, v := range d.SQL.Via {
		at := fmt.Sprintf("%s.via[%d]", path, i)
		alias := fmt.Sprintf("v%d", i)
		far, err := c.look(ctx, at+".table", v.Table)
		if err != nil {
			return err
		}
		var on, unique []string
		for _, near := range slices.Sorted(maps.Keys(v.On)) {
			if _, err := c.find(ctx, at+".on", fromTable, near); err != nil {
				return err
			}
			if _, err := c.find(ctx, at+".on", v.Table, v.On[near]); err != nil {
				return err
			}
			on = append(on, alias+"."+quote(v.On[near])+" = "+from+"."+quote(near))
			unique = append(unique, v.On[near])
		}
		if !far.tells(unique) {
			return c.wrong(at+".on", fmt.Sprintf("dataset %s: a row can lead to several rows of %q", d.Name, v.Table), "join by its primary key, or add a unique index")
		}
		d.joins = append(d.joins, "JOIN "+c.System.table(v.Table)+" AS "+alias+" ON "+strings.Join(on, " AND "))
		from, fromTable = alias, v.Table
	}
	return nil
}

func (c *compiler) rule(ctx context.Context, path string, d *dataset, r *manifest.Retention) error {
	period, err := manifest.ParsePeriod(r.Period)
	if err != nil {
		return c.wrong(path+".period", err.Error(), "write a period such as P10Y")
	}
	source := d.SQL.Source(r.Column)
	tableName, name := d.place(source)
	col, err := c.find(ctx, path+".column", tableName, name)
	if err != nil {
		return err
	}
	expr := d.expr(source)
	out := rule{ground: r.Ground, period: period, raw: expr, undatedGo: r.Undated == manifest.UndatedGo}
	if c.dialect == SQLite {
		out.day = "date(" + expr + ")"
		out.text = "CASE WHEN " + expr + " IS NOT NULL THEN coalesce(" + out.day + ", '" + unreadable + "') END"
	} else {
		switch col.typ {
		case "date":
			out.day = expr
		case "timestamp without time zone":
			out.day = expr + "::date"
		case "timestamp with time zone":
			out.day = "(" + expr + " AT TIME ZONE 'UTC')::date"
		default:
			return c.wrong(path+".column", fmt.Sprintf("dataset %s: retention runs from %q, which is of type %s in the database", d.Name, name, col.typ), "it must be date or timestamp")
		}
		out.text = "(" + out.day + ")::text"
	}
	d.retention = append(d.retention, out)
	return nil
}

// written checks the columns that statements set.
func (c *compiler) written(ctx context.Context, path string, d *dataset) error {
	for _, name := range slices.Sorted(maps.Keys(d.SQL.Anonymise)) {
		if _, err := c.find(ctx, path+".anonymise."+name, d.SQL.Table, name); err != nil {
			return err
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
	f := &finder{find: r.Find, table: c.System.table(r.Table), expr: "t." + quote(r.Column)}
	if _, err := c.find(ctx, path+".column", r.Table, r.Column); err != nil {
		return err
	}
	for _, t := range slices.Sorted(maps.Keys(r.By)) {
		at := path + ".by." + string(t)
		col, err := c.find(ctx, at, r.Table, r.By[t])
		if err != nil {
			return err
		}
		sub, err := c.subject(ctx, at, t, r.Table, "t."+quote(r.By[t]), col)
		if err != nil {
			return err
		}
		f.subjects = append(f.subjects, sub)
	}
	c.finders = append(c.finders, f)
	return nil
}

// place returns the table and the column of a source, which is a column or
// table.column.
func (d *dataset) place(source string) (tableName, name string) {
	if tableName, name, there := strings.Cut(source, "."); there {
		return tableName, name
	}
	return d.SQL.Table, source
}

// expr returns a source in a statement.
func (d *dataset) expr(source string) string {
	_, name := d.place(source)
	if way := d.way(source); way > 0 {
		return fmt.Sprintf("v%d.%s", way-1, quote(name))
	}
	return "t." + quote(name)
}

// way returns how many joins of via lead to a source: 0 for a column of the
// dataset's own table.
func (d *dataset) way(source string) int {
	tableName, _, there := strings.Cut(source, ".")
	if !there {
		return 0
	}
	return 1 + slices.IndexFunc(d.SQL.Via, func(v manifest.Via) bool { return v.Table == tableName })
}
