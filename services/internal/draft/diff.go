package draft

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// Change is one difference between a manifest and its database.
type Change struct {
	Where string // file:line
	What  string
	// ByHand tells that it isn't written: a person must say what becomes of it.
	ByHand bool
}

// RootsOf returns the columns by which a manifest finds people, and what it calls the
// numbers that it finds by them.
func RootsOf(m *manifest.Manifest) (roots []string, found map[string]Found) {
	found = map[string]Found{}
	if m.SQL == nil {
		return nil, found
	}
	for _, r := range m.SQL.Resolve {
		for t, column := range r.By {
			name := r.Table + "." + column
			if slices.Contains(m.Finds, t) || len(r.Via) > 0 || strings.ContainsAny(column, ".>[") || slices.Contains(roots, name) {
				continue
			}
			roots = append(roots, name)
			found[name] = Found{Type: bare(t), As: bare(r.Find), Column: r.Column}
		}
	}
	if len(roots) == 0 {
		for i := range m.Datasets {
			if s := m.Datasets[i].SQL; s != nil && s.Subject["email"] != "" && len(s.Via) == 0 && !strings.ContainsAny(s.Subject["email"], ".>[") {
				name := s.Table + "." + s.Subject["email"]
				roots = append(roots, name)
				found[name] = Found{Type: "email"}
				break
			}
		}
	}
	slices.Sort(roots)
	return roots, found
}

// Found is what a manifest calls what it finds people by, and the number that it finds by
// that, which lies in a column; none, where it finds none.
type Found struct {
	Type, As dsar.IdentifierType
	Column   string
}

// bare returns a type without the name of the system whose own it is.
func bare(t dsar.IdentifierType) dsar.IdentifierType {
	return t[strings.LastIndexByte(string(t), '.')+1:]
}

// comparison compares a manifest with a draft of its database.
type comparison struct {
	m       *manifest.Manifest
	d       *Draft
	text    *text
	nodes   []*yaml.Node // of the datasets that stand in the file itself
	changes []Change
}

// Compare returns what has changed in a database since its manifest was written, and the
// manifest's text with it, as far as that can be written: comments, order and all that has
// not changed stay as they are. The draft is one of the manifest's own roots.
func Compare(m *manifest.Manifest, source []byte, d *Draft) (changes []Change, out []byte, err error) {
	c := &comparison{m: m, d: d, text: newText(source)}
	var doc yaml.Node
	if err := yaml.Unmarshal(source, &doc); err != nil {
		return nil, nil, err
	}
	if list := under(doc.Content[0], "datasets"); list != nil {
		c.nodes = list.Content
	}
	for i := range m.Datasets {
		c.dataset(i, &m.Datasets[i])
	}
	c.tables(under(doc.Content[0], "datasets"))
	out = c.text.edited()
	after, err := manifest.Parse("manifest.yaml", out)
	if err == nil && len(after.Datasets) < len(m.Datasets) {
		err = errors.New("it would lose datasets")
	}
	return c.changes, out, err
}

func (c *comparison) add(path string, byHand bool, what string) {
	c.changes = append(c.changes, Change{Where: c.m.At(path), What: what, ByHand: byHand})
}

// dataset compares one dataset with its table.
func (c *comparison) dataset(i int, ds *manifest.Dataset) {
	if ds.SQL == nil {
		return
	}
	path := fmt.Sprintf("datasets[%d]", i)
	t := c.d.table(ds.SQL.Table)
	if t == nil {
		if !strings.Contains(ds.SQL.Table, ".") {
			c.add(path+".sql.table", true, fmt.Sprintf("dataset %s: the database has no table %s any more: take the dataset out, or name the table that it is now", ds.Name, ds.SQL.Table))
		}
		return
	}
	var node, columns *yaml.Node
	for _, n := range c.nodes {
		if name := under(n, "name"); name != nil && name.Value == ds.Name {
			node, columns = n, under(n, "columns")
		}
	}
	for j, col := range ds.Columns {
		source := manifest.ParseSource(ds.SQL.Source(col.Name))
		if source.Table != "" {
			continue
		}
		held := t.column(source.Column)
		at := fmt.Sprintf("%s.columns[%d]", path, j)
		switch typ := typeOf(held); {
		case held == nil:
			used := c.used(ds, source.Column)
			written := columns != nil && !used && len(ds.Columns) > 1 && c.text.remove(columns, col.Name)
			c.add(at, !written, fmt.Sprintf("dataset %s: the table %s has no column %s any more", ds.Name, t.Name, source.Column))
		case col.Type != "" && col.Unit == "" && len(col.Encoding) == 0 && !source.Within() && held.class() != classText && typ != "" && typ != col.Type && !(col.Type == "number" && typ == "integer"):
			c.add(at, true, fmt.Sprintf("dataset %s: the column %s is of type %s by now: write %s, where it says %s", ds.Name, source.Column, held.Type, typ, col.Type))
		}
	}
	if known := !slices.ContainsFunc(ds.SQL.Key, func(k string) bool { return t.column(k) == nil }); known && len(t.Key) > 0 && !t.keyless() && !t.tells(ds.SQL.Key) {
		c.add(path+".sql.key", true, fmt.Sprintf("dataset %s: nothing keeps two rows of %s from having the same key any more: write key: [%s]", ds.Name, t.Name, join(t.Key)))
	}
	c.undeclared(path, ds, t, node, columns)
}

// tells reports whether some columns tell the table's rows apart.
func (t *table) tells(columns []string) bool {
	return slices.ContainsFunc(t.Unique, func(u []string) bool {
		return !slices.ContainsFunc(u, func(name string) bool { return !slices.Contains(columns, name) })
	})
}

func typeOf(c *column) string {
	if c == nil {
		return ""
	}
	typ, _ := c.typ()
	return typ
}

// used reports whether a dataset says more of a column than that it is shown.
func (c *comparison) used(ds *manifest.Dataset, column string) bool {
	s := ds.SQL
	used := slices.Concat(s.Key, s.Corrigible(), s.Overwritten())
	for _, w := range s.AllWays() {
		for _, source := range w.Subject {
			used = append(used, manifest.ParseSource(source).Column)
		}
		for k := range w.Where {
			used = append(used, k)
		}
		for _, v := range w.Via {
			for near := range v.On {
				used = append(used, near)
			}
		}
	}
	for k := range s.Where {
		used = append(used, k)
	}
	for _, r := range ds.Retention {
		used = append(used, r.Column)
	}
	for _, o := range ds.Others {
		used = append(used, o.Columns...)
	}
	return slices.Contains(used, column) || s.Columns[column] != "" || ds.Stored != nil && ds.Stored.From == column
}

// undeclared adds the columns that a table has and the manifest doesn't name.
func (c *comparison) undeclared(path string, ds *manifest.Dataset, t *table, node, columns *yaml.Node) {
	named := map[string]bool{}
	for i := range c.m.Datasets { // several may be of one table
		o := &c.m.Datasets[i]
		if o.SQL == nil || o.SQL.Table != ds.SQL.Table {
			continue
		}
		if o.Name != ds.Name && o.Name < ds.Name && i < slices.IndexFunc(c.m.Datasets, func(d manifest.Dataset) bool { return d.Name == ds.Name }) {
			return // it was said of the first
		}
		for _, col := range o.Columns {
			named[manifest.ParseSource(o.SQL.Source(col.Name)).Column] = true
		}
		for _, name := range slices.Concat(o.SQL.Key, o.SQL.Technical, o.SQL.Overwritten()) {
			named[name] = true
		}
		for _, r := range o.SQL.Restrict {
			named[r.Column] = true
		}
	}
	if node != nil {
		scalars(node, named)
	}
	if c.m.SQL != nil {
		for k := range c.m.SQL.Where {
			named[k] = true
		}
	}
	for _, col := range t.columns {
		if named[col.Name] || col.searched() {
			continue
		}
		text, renamed := t.columnText(col)
		written := columns != nil && renamed == "" && c.text.append(columns, text)
		what := fmt.Sprintf("dataset %s: the table %s has a further column %s", ds.Name, t.Name, col.Name)
		if col.secret.Hides() {
			what += ", by its name or form a secret"
		}
		c.add(path+".columns", !written, what)
	}
}

// scalars collects the words of a part of a document.
func scalars(n *yaml.Node, into map[string]bool) {
	if n.Kind == yaml.ScalarNode {
		into[n.Value] = true
		source := manifest.ParseSource(n.Value)
		if source.Table == "" {
			into[source.Column] = true
		}
	}
	for _, child := range n.Content {
		scalars(child, into)
	}
}

// tables adds the tables that the manifest doesn't name: as datasets, those to which
// something leads.
func (c *comparison) tables(list *yaml.Node) {
	named := map[string]bool{}
	for i := range c.m.Datasets {
		if s := c.m.Datasets[i].SQL; s != nil {
			named[s.Table] = true
			for _, v := range s.Joined() {
				named[v.Table] = true
			}
		}
	}
	for _, name := range c.m.SQL.Technical {
		named[name] = true
	}
	for _, r := range c.m.SQL.Resolve {
		named[r.Table] = true
	}
	var more strings.Builder
	for _, t := range c.d.reached() {
		if !named[t.Name] {
			c.d.dataset(&more, t, common{})
			c.add("datasets", list == nil, fmt.Sprintf("the table %s leads to people and is no dataset", t.Name))
		}
	}
	for _, t := range c.d.tables {
		if !named[t.Name] && t.state != dataset && !slices.Contains(ofTools, strings.ToLower(t.Name)) {
			c.add("datasets", true, fmt.Sprintf("the table %s is new, and nothing leads from a person to it: name it in sql.technical, or make a dataset of it", t.Name))
		}
	}
	if more.Len() > 0 && list != nil {
		todo := fmt.Sprintf("    purposes: [%s]\n    storage: {en: %s}\n    columns:", manifest.TodoPurpose, manifest.Todo)
		c.text.appendEntries(list, strings.ReplaceAll(more.String(), "    columns:", todo))
	}
}

// under returns what a mapping has under a key; nil where it has nothing.
func under(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}
