package sqlsystem

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// catalogue is what the database says of itself beyond single tables, in all of its
// schemas: what a statement on one table does to others. The database's user needs
// no right on a table to read it.
type catalogue struct {
	version    string // of what it was read from
	references []reference
	triggers   []trigger
	// constraints are, by table, the names of what new values are held to.
	constraints map[string][]string
	// parts are, by table, the partitions and heirs that a statement on it reaches.
	parts map[string][]string
	// roots are those tables, by their id.
	roots map[string]relation
	// heirs are, by table, those that inherit from it: its key doesn't tell their rows apart.
	heirs map[string][]relation
	// reads are, by view, the tables that it reads, and names what those are called.
	reads map[string][]string
	names map[string]string
}

// relation is a table or view: the database's own name of it, how a statement
// writes it, and what people call it.
type relation struct{ id, sql, name string }

// reference is a foreign key: rows of from refer to rows of to by columns.
type reference struct {
	name             string // empty where the database doesn't tell
	from, to         relation
	columns, targets []string
	onDelete         onDelete
	onUpdate         onDelete // what becomes of it when what it refers to is changed
}

// onDelete is what becomes of a row when the one that it refers to is deleted.
type onDelete uint8

const (
	blocks   onDelete = iota // the deletion is refused
	goes                     // it is deleted, too
	detaches                 // its reference becomes null
	moves                    // its reference becomes a default that isn't null: another row
)

// onDeleteOf reads an action of a foreign key; hasDefault tells that a column of it has a default
// other than null.
func onDeleteOf(action string, hasDefault bool) onDelete {
	switch strings.ToUpper(action) {
	case "CASCADE":
		return goes
	case "SET NULL":
		return detaches
	case "SET DEFAULT":
		if hasDefault {
			return moves
		}
		return detaches
	default:
		return blocks
	}
}

// trigger is a trigger, or a rule of PostgreSQL, that runs when rows of a table are
// deleted, updated or inserted.
type trigger struct {
	name, table      string // table is its relation's id
	rule             bool
	of               string // what the table is called
	deletes, updates bool
	inserts          bool // and doesn't run when an erasure's own statement does
	mayDrop          bool // it can make the statement skip rows without an error
	instead          bool // it runs in place of the statement
	function, schema string
	deeds            []deed
	unread           []string // what it calls whose text may not be read
	literals         []string // the texts in its body
	touch            touch
	runs             bool   // it runs what its text doesn't show
	uncounts         string // the setting that it may change on which the count rests; empty: none
}

// touch is what a trigger does that writes to the row only which sets it off, as one that sets
// the time of the last change. The zero value is of any other.
type touch struct {
	column    string // that tells the row; rowid where it is the row's own number
	sometimes bool   // it doesn't for each row
}

// touches returns the triggers that write to the row only of a table which sets them off, when
// it is updated.
func (c *catalogue) touches(own *table) (out []trigger) {
	for _, t := range c.on(own.relation.id, false) {
		if t.touch.column == rowidName || t.touch.column != "" && own.tells([]string{t.touch.column}) {
			out = append(out, t)
		}
	}
	return out
}

// rowidName is SQLite's name of a row's own number.
const rowidName = "rowid"

// writesTo reports whether the trigger's text names a table as written.
func (t trigger) writesTo(table string) bool {
	return slices.ContainsFunc(t.deeds, func(d deed) bool { return d.table == bareName(table) })
}

func (t trigger) String() string {
	if t.rule {
		return "the rule " + t.name
	}
	return "the trigger " + t.name
}

// setOffBy returns the triggers and rules that writing to rows of some tables may set off, one
// after the other.
func (c *catalogue) setOffBy(tables []string) (out []trigger) {
	seen := map[string]bool{}
	var add func(t trigger)
	add = func(t trigger) {
		if seen[t.table+"\x00"+t.name] {
			return
		}
		seen[t.table+"\x00"+t.name] = true
		out = append(out, t)
		for _, d := range t.deeds {
			for _, next := range c.setOff(d) {
				add(next)
			}
		}
	}
	for _, t := range c.triggers {
		if slices.Contains(tables, t.table) {
			add(t)
		}
	}
	return out
}

// on returns the triggers and rules that run when rows of a table, or of a part of
// it, are deleted or, in place of that, updated.
func (c *catalogue) on(table string, deleting bool) []trigger {
	tables := append([]string{table}, c.parts[table]...)
	var out []trigger
	for _, t := range c.triggers {
		if slices.Contains(tables, t.table) && (deleting && t.deletes || !deleting && t.updates) {
			out = append(out, t)
		}
	}
	return out
}

// to returns the foreign keys that refer to a table or a part of it.
func (c *catalogue) to(table string) []reference {
	tables := append([]string{table}, c.parts[table]...)
	var out []reference
	for _, r := range c.references {
		if slices.Contains(tables, r.to.id) {
			out = append(out, r)
		}
	}
	return out
}

// wholes returns, by table, the first of all that are parts of one whole, by way of any: a
// statement on a whole reaches rows of each. A table that is of none isn't among them.
func (c *catalogue) wholes() map[string]string {
	first := map[string]string{}
	var find func(id string) string
	find = func(id string) string {
		if up, there := first[id]; there && up != id {
			return find(up)
		}
		return id
	}
	for _, whole := range slices.Sorted(maps.Keys(c.parts)) {
		for _, part := range c.parts[whole] {
			a, b := find(whole), find(part)
			first[max(a, b)], first[min(a, b)] = min(a, b), min(a, b)
		}
	}
	out := make(map[string]string, len(first))
	for id := range first {
		out[id] = find(id)
	}
	return out
}

// refers reports whether rows of one table refer to another's by a foreign key.
func (c *catalogue) refers(from, to string) bool {
	return slices.ContainsFunc(c.references, func(r reference) bool { return r.from.id == from && r.to.id == to })
}

// leads reports whether a table is what a view reads, or the view itself.
func (c *catalogue) leads(table, view string) bool {
	return table == view || slices.Contains(c.reads[view], table)
}

// reference returns the foreign key of a name on a table, if there is one.
func (c *catalogue) reference(name string) (reference, bool) {
	i := slices.IndexFunc(c.references, func(r reference) bool { return r.name == name })
	if i < 0 || name == "" {
		return reference{}, false
	}
	return c.references[i], true
}

// catalogue returns what was last read of the database's catalogue: nothing, before the
// first time.
func (s *System) catalogue() *catalogue {
	if c := s.known.Load(); c != nil {
		return c
	}
	return &catalogue{}
}

// refresh reads the catalogue anew.
func (s *System) refresh(ctx context.Context, on executor) error {
	if on != executor(s.db) { // a transaction is over with its first error
		return s.readCatalogue(ctx, on)
	}
	return undropped(func() error { return s.readCatalogue(ctx, on) })
}

// catalogueTries bounds how often the catalogue is read, alone or in a transaction, since
// something was dropped meanwhile: by whoever migrates a schema, mostly once.
const catalogueTries = 10

// undropped runs what reads the catalogue, anew where a relation was dropped under it.
func undropped(read func() error) (err error) {
	for range catalogueTries {
		if err = read(); !dropped(err) {
			return err
		}
	}
	return err
}

func (s *System) readCatalogue(ctx context.Context, on executor) error {
	c := &catalogue{constraints: map[string][]string{}, parts: map[string][]string{}, roots: map[string]relation{}, heirs: map[string][]relation{}, reads: map[string][]string{}, names: map[string]string{}}
	var err error
	if c.version, err = s.dialect.version(ctx, on); err != nil {
		return err
	}
	if err := s.dialect.read(ctx, on, s.m.SQL.Schema, c); err != nil {
		return err
	}
	s.known.Store(c)
	return nil
}

// freshen reads the catalogue anew where it has changed.
func (s *System) freshen(ctx context.Context, on executor) error {
	version, err := s.dialect.version(ctx, on)
	if err != nil || version == s.catalogue().version {
		return err
	}
	return s.refresh(ctx, on)
}

// each calls row with the columns of each row of a query, as texts; NULL is "".
func each(ctx context.Context, on executor, query string, row func(columns []string), args ...any) error {
	rows, err := on.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	held, into := make([]any, len(names)), make([]any, len(names))
	for i := range held {
		into[i] = &held[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		columns := make([]string, len(names))
		for i := range held {
			columns[i], _ = textOf(held[i])
		}
		row(columns)
	}
	return rows.Err()
}

// list reads a JSON array of texts.
func list(text string) []string {
	var out []string
	_ = json.Unmarshal([]byte(text), &out) // the database wrote it; NULL is none
	return out
}

// yes reads a boolean of any database.
func yes(text string) bool { return text == "true" || text == "t" || text == "1" }
