package draft

import (
	"fmt"
	"slices"
	"strings"
)

// erasure is what the draft has an erasure do with a table's rows.
type erasure struct {
	set       map[string]string // else, where it isn't nil, columns are set
	cascades  []string
	unlinks   []string
	shared    []*edge // those of rows that keep these
	byValues  bool    // found by keys and values
	tombstone bool    // the rows stay, and their key with them
}

// erasures decides what becomes of the rows of each dataset: they are deleted unless the
// database, or rows of others, stand against it.
func (d *Draft) erasures() {
	for _, t := range d.reached() {
		d.others(t)
	}
	for _, t := range d.reached() {
		if t.root == nil {
			d.decide(t)
		}
	}
	for _, r := range d.roots {
		d.decideRoot(r.table)
	}
}

// others says what becomes of rows in which the person has another's part. Who worked on a
// row that must go on naming somebody isn't shown it: it is another's.
func (d *Draft) others(t *table) {
	var worked []string
	for _, w := range t.ways {
		if !w.other {
			continue
		}
		c := t.column(w.edge.near())
		if !c.NotNull && !slices.Contains(t.Key, c.Name) && len(w.via) == 0 {
			w.set = map[string]string{c.Name: "null"}
			continue
		}
		w.keep = true
		d.tombstone(w.edge)
		if t.owned() && w.edge.role != roleCreator && !said(c.words, recipientWords...) {
			worked = append(worked, c.Name)
		}
	}
	t.ways = slices.DeleteFunc(t.ways, func(w *way) bool { return w.keep && slices.Contains(worked, w.source) })
	if len(worked) > 0 {
		t.notes = append(t.notes, "decide: "+strings.Join(worked, ", ")+" name people, too, to whom these rows aren't shown")
	}
	if !t.owned() && len(t.ways) > 0 {
		t.notes = append(t.notes, "decide: nobody's own, by the names of its columns; who worked on a row is taken out of it")
	}
}

// tombstone has the rows of people stay, without anything of the person, where others'
// rows must go on referring to them.
func (d *Draft) tombstone(e *edge) {
	if e.declared && e.to.root != nil {
		e.to.erasure.tombstone = true
	}
}

// decide says what becomes of a dataset's rows.
func (d *Draft) decide(t *table) {
	if !t.owned() {
		return
	}
	for _, e := range d.onto(t) {
		if slices.Contains(t.shared, e) {
			continue
		}
		if d.goesFirst(e.from, t) {
			continue
		}
		switch {
		case !e.declared:
		case e.onDelete == "cascade":
			t.cascades = append(t.cascades, e.from.Name)
			t.notes = append(t.notes, fmt.Sprintf("decide: the database deletes rows of %s with these, also those of others", e.from.Name))
		case e.onDelete == "unlink":
			t.unlinks = append(t.unlinks, e.from.Name)
		default:
			d.stay(t, e)
		}
	}
	for _, name := range d.below(t) {
		if !slices.Contains(t.cascades, name) {
			t.cascades = append(t.cascades, name)
		}
	}
	slices.Sort(t.cascades)
	t.cascades = slices.Compact(t.cascades)
	slices.Sort(t.unlinks)
	t.unlinks = slices.Compact(t.unlinks)
}

// onto returns the references to a table.
func (d *Draft) onto(t *table) []*edge {
	var out []*edge
	for _, from := range d.tables {
		for _, e := range from.edges {
			if e.to == t && e.kind == "" {
				out = append(out, e)
			}
		}
	}
	return out
}

// goesFirst reports whether all rows of one table that refer to another's are erased with
// those: they are found through them alone.
func (d *Draft) goesFirst(t, with *table) bool {
	if t == with || len(t.ways) == 0 || slices.ContainsFunc(t.ways, func(w *way) bool { return w.other }) || t.erasure.set != nil {
		return false
	}
	return t.parent != nil && t.parent.to == with
}

// below returns the tables that no dataset is of and of which the database deletes rows
// with a table's.
func (d *Draft) below(t *table) []string {
	var out []string
	seen := map[*table]bool{t: true}
	var visit func(*table)
	visit = func(of *table) {
		for _, e := range d.onto(of) {
			if e.declared && e.onDelete == "cascade" && e.from.state != dataset && !seen[e.from] {
				seen[e.from] = true
				out = append(out, e.from.Name)
				visit(e.from)
			}
		}
	}
	visit(t)
	return out
}

// stay has rows stay without the person, since others' refer to them and the database
// refuses to delete them.
func (d *Draft) stay(t *table, e *edge) {
	set := map[string]string{}
	for _, w := range t.ways {
		if w.other {
			continue
		}
		if len(w.via) > 0 {
			set = nil
			break
		}
		c := t.column(w.source)
		if value, ok := t.without(c); ok {
			set[c.Name] = value
			continue
		}
		if w.edge == nil || w.edge.to.root == nil || w.edge.to.root.derived {
			set = nil
			break
		}
		d.tombstone(w.edge) // the number stays, and is nobody's
	}
	if set == nil {
		if !slices.Contains(t.shared, e) {
			t.shared = append(t.shared, e)
			t.notes = append(t.notes, fmt.Sprintf("decide: a row stays as it is while one of %s that isn't erased refers to it", e.from.Name))
		}
		return
	}
	if t.set == nil {
		if t.set = t.overwritten(set); len(t.set) == 0 {
			t.set = nil
			t.shared = append(t.shared, e)
			return
		}
		t.notes = append(t.notes, fmt.Sprintf("decide: rows of %s refer to these, so they stay, without the person", e.from.Name))
	}
}

// overwritten adds to what is set the columns that say something of the person.
func (t *table) overwritten(set map[string]string) map[string]string {
	for _, c := range t.columns {
		if _, ok := set[c.Name]; ok || c.Made || slices.Contains(t.Key, c.Name) || c.searched() {
			continue
		}
		if !c.personal() && !c.free() && !c.special() && !c.names() {
			continue
		}
		if value, ok := t.without(c); ok {
			set[c.Name] = value
		}
	}
	return set
}

// names reports whether a column is a person's or thing's name.
func (c *column) names() bool {
	return c.class() == classText && equalAny(c.words, "name", "title", "nick", "alias", "label", "url", "website", "filename", "file name")
}

// without returns the value that a column gets where nothing of the person is to be left.
func (t *table) without(c *column) (value string, ok bool) {
	own := "{" + strings.Join(t.Key, "}-{") + "}"
	if t.keyless() || slices.ContainsFunc(t.ways, func(w *way) bool { return slices.Contains(t.Key, w.source) }) {
		own = "{random}"
	}
	typ, _ := c.typ()
	switch {
	case !c.NotNull:
		return "null", true
	case c.class() == classUUID && !slices.ContainsFunc(t.edges, func(e *edge) bool { return len(e.on) == 1 && e.near() == c.Name }):
		return "\"{random}\"", true
	case typ == "object":
		return "\"{}\"", true
	case c.class() != classText:
		return "", false
	case c.isEmail():
		return "\"erased-" + own + "@erased.invalid\"", true
	case t.inUnique(c.Name):
		return "\"erased-" + own + "\"", true
	case c.free():
		return "(removed)", true
	default:
		return "\"\"", true
	}
}

// decideRoot says what becomes of the rows of people.
func (d *Draft) decideRoot(t *table) {
	stays := t.tombstone
	for _, e := range d.onto(t) {
		switch {
		case !e.declared:
		case e.from == t && e.onDelete == "unlink":
			t.unlinks = append(t.unlinks, t.Name)
		case e.from == t, e.from.state == dataset && len(e.from.erasure.shared) > 0 && e.onDelete != "cascade":
			stays = true
		case e.from.state != dataset && e.onDelete == "unlink":
			t.unlinks = append(t.unlinks, e.from.Name)
		}
	}
	if !stays {
		t.cascades = append(t.cascades, d.below(t)...)
		slices.Sort(t.cascades)
		t.cascades = slices.Compact(t.cascades)
		return
	}
	t.unlinks = nil
	set := map[string]string{}
	if value, ok := t.without(t.root.column); ok {
		set[t.root.column.Name] = value
	}
	t.set, t.tombstone = t.overwritten(set), true
	t.notes = append(t.notes, "decide: rows of others must go on referring to these, so they stay, without the person")
}
