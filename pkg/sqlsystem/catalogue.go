package sqlsystem

import (
	"context"
	"encoding/json"
	"regexp"
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
}

// onDelete is what becomes of a row when the one that it refers to is deleted.
type onDelete uint8

const (
	blocks   onDelete = iota // the deletion is refused
	goes                     // it is deleted, too
	detaches                 // its reference becomes null, or the default
)

// trigger is a trigger, or a rule of PostgreSQL, that runs when rows of a table are
// deleted or updated.
type trigger struct {
	name, table      string // table is its relation's id
	rule             bool
	deletes, updates bool
	mayDrop          bool // it can make the statement skip rows without an error
	function, schema string
	writes           []string // tables that its text names as written, in lower case
	literals         []string // the texts in its body
}

func (t trigger) String() string {
	if t.rule {
		return "the rule " + t.name
	}
	return "the trigger " + t.name
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

// catalogueTries bounds how often the catalogue is read anew since something was
// dropped meanwhile: by whoever migrates a schema, mostly once.
const catalogueTries = 10

// undropped reads something of the catalogue, anew where a relation was dropped under
// it.
func undropped(read func() error) (err error) {
	for range catalogueTries {
		if err = read(); !dropped(err) {
			return err
		}
	}
	return err
}

func (s *System) readCatalogue(ctx context.Context, on executor) error {
	c := &catalogue{constraints: map[string][]string{}, parts: map[string][]string{}, reads: map[string][]string{}, names: map[string]string{}}
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

var (
	literalForm = regexp.MustCompile(`'((?:[^']|'')*)'`)
	writesForm  = regexp.MustCompile(`(?i)\b(?:insert\s+into|update(?:\s+or\s+\w+)?(?:\s+only)?|delete\s+from(?:\s+only)?|replace\s+into|truncate(?:\s+table)?|merge\s+into)\s+((?:["\x60][^"\x60]+["\x60]|[\w$]+)(?:\s*\.\s*(?:["\x60][^"\x60]+["\x60]|[\w$]+))?)`)
	commentForm = regexp.MustCompile(`(?s)/\*.*?\*/|--[^\n]*`)
)

// literals returns the texts that a body holds as constants.
func literals(body string) []string {
	var out []string
	for _, m := range literalForm.FindAllStringSubmatch(commentForm.ReplaceAllString(body, " "), -1) {
		out = append(out, strings.ReplaceAll(m[1], "''", "'"))
	}
	return out
}

// written returns the tables that a body names as written, in lower case and
// without their schema. What it does by texts made at run time isn't among them:
// [System.settle] finds that.
func written(body string) []string {
	body = literalForm.ReplaceAllString(commentForm.ReplaceAllString(body, " "), "''")
	var out []string
	for _, m := range writesForm.FindAllStringSubmatch(body, -1) {
		name := m[1]
		if i := strings.LastIndexByte(name, '.'); i >= 0 {
			name = name[i+1:]
		}
		name = strings.ToLower(strings.Trim(strings.TrimSpace(name), "\"`"))
		if name != "set" && name != "of" && name != "nowait" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}
