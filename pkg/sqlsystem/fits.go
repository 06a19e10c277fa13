package sqlsystem

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"habeas.dev/pkg/manifest"
)

// sampleKey stands for a key's value where a template is tried.
const sampleKey = "1"

// fits holds the values that an erasure and a restriction set against what the
// catalogue says of the columns, and asks the database about its types and
// constraints, so that none is refused when the first person is erased. It notes all
// that it finds.
func (c *compiler) fits(ctx context.Context, path string, d *dataset) {
	for _, set := range d.settings() {
		c.fitsAll(ctx, set)
	}
	c.followed(d)
	c.fitsCorrections(path, d, d.SQL.Rectify)
	for i, w := range d.SQL.Ways {
		c.fitsCorrections(fmt.Sprintf("%s.ways[%d]", path, i), d, w.Rectify)
	}
	for i, r := range d.SQL.Restrict {
		if col, ok := d.own.column(r.Column, c.dialect); ok {
			c.fit(ctx, fmt.Sprintf("%s.restrict[%d].value", path, i), d, col, r.Value)
			if lift := r.Lift(); lift != nil {
				c.fit(ctx, fmt.Sprintf("%s.restrict[%d].lifted", path, i), d, col, lift)
			}
		}
	}
}

// fitsCorrections notes which columns can't be corrected, of those that the manifest says at a path.
func (c *compiler) fitsCorrections(path string, d *dataset, names []string) {
	for i, name := range names {
		if table, column := d.place(d.SQL.Source(name)); table == d.SQL.Table {
			if col, ok := d.own.column(column, c.dialect); ok {
				c.takesAny(fmt.Sprintf("%s.rectify[%d]", path, i), d, col)
			}
		}
	}
}

// setting is what an erasure sets of rows that a way leads to.
type setting struct {
	*dataset
	path   string // where the manifest says it
	values map[string]any
}

// settings returns what an erasure sets of a dataset's rows, each once.
func (d *dataset) settings() []setting {
	var out []setting
	for _, l := range d.lookups {
		if l.sets != nil && !slices.ContainsFunc(out, func(s setting) bool { return s.path == l.erasePath }) {
			out = append(out, setting{d, l.erasePath, l.sets})
		}
	}
	return out
}

func (c *compiler) fitsAll(ctx context.Context, d setting) {
	for _, name := range slices.Sorted(maps.Keys(d.values)) {
		at, value := d.path+".anonymise."+name, d.values[name]
		col, ok := d.own.column(name, c.dialect)
		if !ok { // said already, or a part of one
			if whole, ok := d.own.column(manifest.ParseSource(name).Column, c.dialect); ok {
				c.takesAny(at, d.dataset, whole)
			}
			continue
		}
		switch parts := d.SQL.Template(value); {
		case value == nil && col.made == "":
			if col.notNull {
				c.fault(at, fmt.Sprintf("dataset %s: the column %q takes no null", d.Name, name), "give it a value, or one of its own for each row: "+d.example())
			}
		case parts != nil && col.made == "" && !c.dialect.takesText(col) && !madeWhole(parts):
			c.fault(at, fmt.Sprintf("dataset %s: the column %q is of type %s, and the value is a text", d.Name, name, col.full), "write null, a constant, {now} into a time, or {random} into a uuid")
		default:
			c.fit(ctx, at, d.dataset, col, value)
		}
	}
	c.collides(ctx, d)
	c.checked(ctx, d)
	c.referring(ctx, d)
}

// example returns a value of its own for each row of a dataset.
func (d *dataset) example() string {
	return `"erased-{` + strings.Join(d.SQL.Key, "}-{") + `}"`
}

// fit tries one value against its column's type.
func (c *compiler) fit(ctx context.Context, at string, d *dataset, col column, value any) {
	text := d.sample(value)
	switch {
	case !c.takesAny(at, d, col):
	case col.length > 0 && utf8.RuneCountInString(text) > col.length:
		c.fault(at, fmt.Sprintf("dataset %s: the column %q takes %d characters, the value has more", d.Name, col.name, col.length), "write a shorter one")
	case c.dialect.trial(col) != "" && c.refuses(ctx, c.dialect.trial(col), text):
		c.fault(at, fmt.Sprintf("dataset %s: the column %q of type %s doesn't take the value", d.Name, col.name, col.full), "write one that its type takes")
	}
}

// takesAny reports whether a value can be given to a column, and notes where none can, since the
// database makes it.
func (c *compiler) takesAny(at string, d *dataset, col column) bool {
	if col.made != "" {
		c.fault(at, fmt.Sprintf("dataset %s: no value can be given to the column %q: %s", d.Name, col.name, col.made), "leave it out, and set the columns that it is made of")
	}
	return col.made == ""
}

// sample returns a value as a row may get it, as a text.
func (d *dataset) sample(value any) string {
	parts := d.SQL.Template(value)
	if parts == nil {
		return fmt.Sprint(value)
	}
	var b strings.Builder
	for _, p := range parts {
		if p.Column != "" {
			b.WriteString(sampleKey)
		}
		b.WriteString(sampleOf(p))
		b.WriteString(p.Text)
	}
	return b.String()
}

// refuses reports whether the database refuses a query for the values in it. Where
// it doesn't say, it doesn't.
func (s *System) refuses(ctx context.Context, query string, args ...any) bool {
	err := s.looking(ctx, func(tx *sql.Tx) error { return each(ctx, tx, query, func([]string) {}, args...) })
	return err != nil && refused(err)
}

// looking runs do in a transaction that changes nothing.
func (s *System) looking(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, s.dialect.looking())
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // nothing was done
	return do(tx)
}

// ownValue reports whether a value differs from row to row.
func (d *dataset) ownValue(value any) bool {
	parts := d.SQL.Template(value)
	if slices.ContainsFunc(parts, func(p manifest.Part) bool { return p.Make == manifest.MakeRandom || p.Make == manifest.MakeHash }) {
		return true
	}
	for _, k := range d.SQL.Key {
		if !slices.ContainsFunc(parts, func(p manifest.Part) bool { return p.Column == k }) {
			return false
		}
	}
	return true
}

// collides finds the unique indexes in which a second erased row meets the first.
func (c *compiler) collides(ctx context.Context, d setting) {
	for _, x := range d.own.indexes {
		column, left, safe := "", []string(nil), false
		for _, col := range d.own.columns {
			if !has(x.columns, col.name) && !(x.text != "" && wordsHave(x.text, col.name)) {
				continue
			}
			name, value, set := d.given(col.name)
			switch {
			case !set:
				left = append(left, col.name)
			case value == nil && !x.nullsEqual, value != nil && d.ownValue(value):
				safe = true
			case column == "":
				column = name
			}
		}
		if column == "" || safe || c.apart(d.dataset, x, left) {
			continue
		}
		if x.partial != "" && c.tried(ctx, d, x.partial) == answeredNo {
			continue // erased rows aren't in it
		}
		c.fault(d.path+".anonymise."+column, fmt.Sprintf("dataset %s: the column %q is unique (%s): the second person that is erased would meet the first", d.Name, column, x.called()),
			"give each row a value of its own: "+d.example())
	}
}

func (x index) called() string {
	if x.name == "" {
		return "primary key"
	}
	return x.name
}

// given returns what an erasure sets a column to.
func (d setting) given(column string) (name string, value any, set bool) {
	for name, value := range d.values {
		if strings.EqualFold(name, column) {
			return name, value, true
		}
	}
	return "", nil, false
}

// apart reports whether the columns of an index that stay tell rows apart without
// the others.
func (c *compiler) apart(d *dataset, x index, left []string) bool {
	others := &table{}
	for _, o := range d.own.indexes {
		if o.name != x.name {
			others.indexes = append(others.indexes, o)
		}
	}
	return others.tells(left)
}

// checked finds the CHECK constraints that a value breaks, where they look at
// nothing else.
func (c *compiler) checked(ctx context.Context, d setting) {
	for _, k := range d.own.checks {
		if len(k.columns) == 0 || c.tried(ctx, d, k.expr) != answeredNo {
			continue
		}
		column := ""
		for _, name := range slices.Sorted(maps.Keys(d.values)) {
			if has(k.columns, name) {
				column = name
				break
			}
		}
		c.fault(d.path+".anonymise."+column, fmt.Sprintf("dataset %s: the value of %q breaks the constraint %s", d.Name, column, k.name), "write one that it takes")
	}
}

type answer uint8

const (
	unanswered answer = iota
	answeredNo
	answeredYes
)

// tried asks the database whether a condition holds for the values that an erasure
// sets. It is unanswered where it looks at columns that keep theirs.
func (c *compiler) tried(ctx context.Context, d setting, condition string) answer {
	q := &statement{dialect: c.dialect}
	q.add("SELECT CASE WHEN (", condition, ") THEN 'y' WHEN NOT (", condition, ") THEN 'n' END FROM (SELECT ")
	first := true
	for _, col := range d.own.columns {
		_, value, set := d.given(col.name)
		if !set {
			if wordsHave(condition, col.name) {
				return unanswered
			}
			continue
		}
		if !first {
			q.WriteString(", ")
		}
		first = false
		typ := c.dialect.cast(col)
		if value == nil {
			q.add("NULL", typ)
		} else if typ != "" {
			q.arg(d.sample(value))
			q.WriteString(typ)
		} else if _, text := value.(string); text {
			q.arg(d.sample(value))
		} else {
			q.arg(value)
		}
		q.add(" AS ", c.dialect.quote(col.name))
	}
	q.WriteString(") AS t")
	if first {
		return unanswered
	}
	out := unanswered
	_ = c.looking(ctx, func(tx *sql.Tx) error {
		return each(ctx, tx, q.String(), func(row []string) {
			switch row[0] {
			case "y":
				out = answeredYes
			case "n":
				out = answeredNo
			}
		}, q.args...)
	})
	return out
}

// referring finds the foreign keys that a constant breaks: it refers to no row.
func (c *compiler) referring(ctx context.Context, d setting) {
	for _, r := range c.catalogue().references {
		if r.from.id != d.relation.id || len(r.columns) != 1 {
			continue
		}
		name, value, set := d.given(r.columns[0])
		if !set || value == nil {
			continue
		}
		q := &statement{dialect: c.dialect}
		q.add("SELECT 1 FROM ", r.to.sql, " WHERE ", c.dialect.text(c.dialect.quote(r.targets[0])), " = ")
		q.text(d.sample(value))
		found := false
		err := each(ctx, c.db, q.String(), func([]string) { found = true }, q.args...)
		if err == nil && !found {
			c.fault(d.path+".anonymise."+name, fmt.Sprintf("dataset %s: the column %q refers to rows of %s, and the value is none of them", d.Name, name, r.to.name), "write null, or the key of a row that stands for nobody")
		}
	}
}

// fault notes something that is wrong, so that all of it is told at once.
func (c *compiler) fault(path, what, cure string) {
	c.faults = append(c.faults, c.wrong(path, what, cure))
}
