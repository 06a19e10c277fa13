// Package draft drafts a manifest from a live database: it walks foreign keys and names
// from the column that holds people's addresses, and writes what it finds, with a comment
// wherever a person has to decide.
//
// Of what the tables hold it looks at samples, to tell an address from a name. No value
// leaves the process (TestNoValueLeaves): what is written are names of tables and columns,
// and words of the code, as the kind of an owner is ("User") and the key of a value
// ("_billing_email"), where they have the form of such.
package draft

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/sqlsystem"
)

// Options say what is drafted.
type Options struct {
	// Roots are the columns by which people are found, as table.column: users.email.
	Roots []string
	// System is the system's name; Schema PostgreSQL's schema, where it isn't the
	// connection's own.
	System, Schema string
	// Found says what a manifest that is there already calls what it finds, by root.
	Found map[string]Found
	// Progress is told of each step, where it isn't nil.
	Progress func(what string, done, all int)
}

// Draft is a manifest as far as a database can tell it.
type Draft struct {
	options Options
	roots   []*root
	tables  []*table // all of the schema, by name
	prefix  string   // that all tables' names begin with
	beside  []string // further schemas
	survey  *sqlsystem.Survey
}

// root is where people are found.
type root struct {
	table  *table
	column *column
	// typ is the type of identifier that the column holds, and found that of the key,
	// which other tables refer to; key is its column.
	typ, found dsar.IdentifierType
	key        *column
	// leads are the references by which its rows are those of another root's people.
	leads []*edge
	// derived tells that its own rows are found by another root's: a second self.
	derived bool
}

// Make looks at a database and drafts its manifest.
func Make(ctx context.Context, survey *sqlsystem.Survey, o Options) (*Draft, error) {
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	d := &Draft{options: o, survey: survey}
	surveyed, err := survey.Tables(ctx, func(done, all int) { o.Progress("tables", done, all) })
	if err != nil {
		return nil, err
	}
	if len(surveyed) == 0 {
		return nil, errors.New("the database shows no table; name its schema, or grant its user to see it")
	}
	if d.beside, err = survey.Beside(ctx); err != nil {
		return nil, err
	}
	for _, s := range surveyed {
		d.tables = append(d.tables, newTable(s))
	}
	d.prefix = commonPrefix(d.tables)
	for _, t := range d.tables {
		t.stem = stem(strings.TrimPrefix(t.Name, d.prefix))
	}
	for i, t := range d.tables {
		o.Progress("samples", i+1, len(d.tables))
		d.sample(ctx, t)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	for _, name := range o.Roots {
		if err := d.root(name); err != nil {
			return nil, err
		}
	}
	d.edges(ctx)
	d.selves()
	d.walk()
	d.erasures()
	return d, nil
}

// root takes in a column by which people are found.
func (d *Draft) root(name string) error {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return fmt.Errorf("%s is no column: write table.column, such as users.email", name)
	}
	t := d.table(name[:dot])
	if t == nil {
		return fmt.Errorf("the database has no table %q; it has %s", name[:dot], d.names())
	}
	c := t.column(name[dot+1:])
	if c == nil {
		return fmt.Errorf("the table %s has no column %q; it has %s", t.Name, name[dot+1:], t.columnNames())
	}
	r := &root{table: t, column: c, typ: c.identifies()}
	if r.key = d.rootKey(t); r.key == c {
		r.key = nil
	}
	if r.key != nil {
		r.found = identifierType(t.stem, r.key.Name)
		if r.found == r.typ {
			r.found += "_id"
		}
	}
	if f, ok := d.options.Found[name]; ok {
		r.typ, r.found = f.Type, f.As
		if r.key = t.column(f.Column); f.As == "" {
			r.key = nil
		}
	}
	t.root = r
	d.roots = append(d.roots, r)
	return nil
}

// rootKey returns the column of a table that tells people apart and to which most of the
// other tables refer; nil where several columns do so together only.
func (d *Draft) rootKey(t *table) *column {
	var best *column
	most := -1
	for _, c := range t.columns {
		if !t.unique(c.Name) {
			continue
		}
		n := 0
		for _, o := range d.tables {
			for _, r := range o.Refers {
				if r.Table == t.Name && slices.Equal(r.Targets, []string{c.Name}) {
					n += 2
				}
			}
			for _, far := range o.columns {
				if o != t && equal(far.words, append(slices.Clone(t.stem), lastWord(c.words))) && c.alike(far) {
					n++
				}
			}
		}
		if isKey := len(t.Key) == 1 && t.Key[0] == c.Name; n > most || n == most && isKey {
			best, most = c, n
		}
	}
	return best
}

func (d *Draft) table(name string) *table {
	i := slices.IndexFunc(d.tables, func(t *table) bool { return t.Name == name })
	if i < 0 {
		i = slices.IndexFunc(d.tables, func(t *table) bool { return strings.EqualFold(t.Name, name) })
	}
	if i < 0 {
		return nil
	}
	return d.tables[i]
}

func (d *Draft) names() string {
	names := make([]string, len(d.tables))
	for i, t := range d.tables {
		names[i] = t.Name
	}
	return strings.Join(names, ", ")
}

// Datasets returns how many datasets the draft has, and NotReached the tables that
// nothing leads to and that may hold something of a person.
func (d *Draft) Datasets() int { return len(d.reached()) }

// NotReached returns the tables to which nothing leads.
func (d *Draft) NotReached() []string {
	var out []string
	for _, t := range d.tables {
		if t.state == unreached {
			out = append(out, t.Name)
		}
	}
	return out
}

// reached returns the tables that are datasets, the roots first.
func (d *Draft) reached() []*table {
	var out []*table
	for _, t := range d.tables {
		if len(t.ways) > 0 {
			out = append(out, t)
		}
	}
	slices.SortStableFunc(out, func(a, b *table) int { return a.depth - b.depth })
	return out
}

// Manifest returns the draft as it is read back.
func (d *Draft) Manifest() (*manifest.Manifest, error) {
	return manifest.Parse("draft.yaml", []byte(d.YAML()))
}
