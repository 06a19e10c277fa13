package sqlsystem

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"habeas.dev/pkg/telemetry"
)

// table is what the database says of a table or view.
type table struct {
	relation
	columns []column
	indexes []index
	checks  []check
	view    bool // of a view nothing is known to be unique
	// unfit says why rows can't be erased as they must be, and cure what helps; empty where
	// they can.
	unfit, cure string
	// hides are others of its name in further schemas of the search path, which it hides.
	hides []string
}

// placed is a table and the schema that it lies in.
type placed struct {
	id           string // the database's own name of it
	schema, name string
	own          bool // that schema is the system's
	bare         bool // its name alone leads to it
	apart        bool // that schema is a database of its own: MariaDB's
	foreign      bool // its rows lie in another database: PostgreSQL's foreign tables
}

// String returns what people call the table: a manifest may, too.
func (p placed) String() string {
	if p.own {
		return p.name
	}
	return p.schema + "." + p.name
}

// isNamed reports whether a name of the manifest's is the table's, or schema.* its schema's.
func (p placed) isNamed(d Dialect, name string) bool {
	if schema, table, there := strings.Cut(name, "."); there {
		return d.same(schema, p.schema) && (table == "*" || d.same(table, p.name))
	}
	return p.bare && d.same(name, p.name)
}

// column is what the database says of a column.
type column struct {
	name, typ string // the type below any domains
	full      string // the type as a cast has it, with its length
	length    int    // how many characters it takes; 0: any number
	notNull   bool
	// collated tells that its texts may be compared otherwise than byte by byte: in
	// SQLite, where its table names a collation, and in every view; in PostgreSQL, where its
	// own isn't deterministic.
	collated bool
	// made says why no value can be given to it: the database makes it. Empty where
	// one can.
	made string
	part bool // it is a part of one: no index on the column serves it
	// collation is that by which its texts are compared, and selfSet tells that the database
	// sets it whenever a row changes: MariaDB's.
	collation string
	selfSet   bool
	virtual   bool // it is worked out whenever it is read
	// alike is by what texts are equal in it that aren't alike byte by byte, in the database's own
	// words: a collation, or PostgreSQL's type citext. Empty where none are.
	alike string
	// anew tells that the database gives its highest number again when the row is gone.
	anew bool
}

// index is a unique index, or the primary key.
type index struct {
	name    string
	primary bool
	columns []string // those that it names plainly
	// text is the whole definition, where it has expressions; else empty.
	text string
	// partial is the condition of the rows that it covers; empty: all.
	partial string
	// nullsEqual tells that one row may have null.
	nullsEqual bool
	// overlaps tells that rows mustn't overlap, as well as mustn't be alike: an
	// exclusion constraint's.
	overlaps bool
	// otherwise tells that it may take texts for equal otherwise than its columns do.
	otherwise bool
}

// check is a CHECK constraint of a table.
type check struct {
	name, expr string
	columns    []string // those that it looks at; nil: not known
}

// column finds a column by name.
func (t *table) column(name string, d Dialect) (column, bool) {
	i := slices.IndexFunc(t.columns, func(c column) bool {
		return c.name == name || d.same(c.name, name)
	})
	if i < 0 {
		return column{}, false
	}
	return t.columns[i], true
}

func (t *table) names() string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	return strings.Join(names, ", ")
}

// tells reports whether columns tell the rows apart.
func (t *table) tells(columns []string) bool {
	if t.view {
		return true // taken on trust
	}
	return slices.ContainsFunc(t.indexes, func(u index) bool {
		return u.text == "" && u.partial == "" && !u.overlaps && len(u.columns) > 0 && !slices.ContainsFunc(u.columns, func(name string) bool { return !has(columns, name) })
	})
}

// keeps reports whether no two rows have the same in columns, as these compare it.
func (t *table) keeps(columns []string) bool {
	one := *t
	one.indexes = slices.DeleteFunc(slices.Clone(t.indexes), func(u index) bool { return u.otherwise })
	return !t.view && one.tells(columns)
}

// has reports whether names has one, without regard to case.
func has(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

var errNoTable = telemetry.Constant("no such table")

// describe asks the database about a table.
func (s *System) describe(ctx context.Context, name string) (t *table, err error) {
	err = undropped(func() (err error) {
		t, err = s.dialect.describe(ctx, s.db, s.m.SQL.Schema, name)
		return err
	})
	return t, err
}

// table returns a table's name in a statement: with the schema in which it was found, so that none
// that is made later in a schema before it takes its place.
func (s *System) table(name string) string {
	if found := s.found[name]; found != "" {
		return found
	}
	return qualified(s.dialect, s.m.SQL.Schema, name)
}

// qualified returns a table of a schema in a statement; schema.table is of its own.
func qualified(d Dialect, schema, name string) string {
	if own, table, there := strings.Cut(name, "."); there {
		return d.quote(own) + "." + d.quote(table)
	}
	return d.qualified(schema, name)
}

// compiler looks at tables once, and words what they lack.
type compiler struct {
	*System
	seen   map[string]*table
	faults []error
}

// look returns a table; path is the part of the manifest that names it.
func (c *compiler) look(ctx context.Context, path, name string) (*table, error) {
	if t := c.seen[name]; t != nil {
		return t, nil
	}
	t, err := c.describe(ctx, name)
	switch {
	case errors.Is(err, errNoTable):
		return nil, c.wrong(path, fmt.Sprintf("%sthe database has no table %q", c.of(path), name), "create it, or correct the name")
	case err != nil:
		return nil, fmt.Errorf("sqlsystem: %s: %w: it doesn't tell its tables: %w", c.m.System, ErrUnreachable, err)
	}
	if len(t.hides) > 0 {
		return nil, c.wrong(path, fmt.Sprintf("%sthe search path leads to several tables %q, and only the first, %s, would be looked at: it hides %s", c.of(path), name, t.sql, strings.Join(t.hides, ", ")), "write schema.table, and have a dataset of each, or sql.schema")
	}
	c.seen[name], c.System.found[name] = t, t.sql
	return t, nil
}

// find returns a column of a table.
func (c *compiler) find(ctx context.Context, path, tableName, name string) (column, error) {
	t, err := c.look(ctx, path, tableName)
	if err != nil {
		return column{}, err
	}
	col, ok := t.column(name, c.dialect)
	if !ok {
		return col, c.wrong(path, fmt.Sprintf("%stable %q has no column %q", c.of(path), tableName, name), "it has "+t.names())
	}
	return col, nil
}

func (c *compiler) wrong(path, what, cure string) error {
	return fmt.Errorf("%s: %s; %s", c.m.At(path), what, cure)
}

// of names the dataset that a path is part of.
func (c *compiler) of(path string) string {
	var i int
	if n, err := fmt.Sscanf(path, "datasets[%d]", &i); n == 1 && err == nil && i < len(c.m.Datasets) {
		return "dataset " + c.m.Datasets[i].Name + ": "
	}
	return ""
}
