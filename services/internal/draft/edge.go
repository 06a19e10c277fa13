package draft

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"habeas.dev/pkg/sqlsystem"
)

// edge is a reference from a table's rows to those of another: by a foreign key, by a
// column's name, or by an owner of several kinds.
type edge struct {
	from, to *table
	on       [][2]string // columns of from, and those of to that they refer to
	declared bool        // by a foreign key
	onDelete string      // of a declared one: cascade, unlink, or empty
	role     int         // where to is a root: the person's part in the row
	// kind is the column that says of which kind the owner is, and is what it says where
	// it is one of to.
	kind, is string
}

// near returns the column of a reference by one.
func (e *edge) near() string { return e.on[0][0] }

// required reports whether the reference is never null.
func (e *edge) required() bool {
	return !slices.ContainsFunc(e.on, func(on [2]string) bool { return !e.from.column(on[0]).NotNull })
}

// edges finds what each table refers to.
func (d *Draft) edges(ctx context.Context) {
	for i, t := range d.tables {
		d.options.Progress("references", i+1, len(d.tables))
		for _, r := range t.Refers {
			if to := d.table(r.Table); to != nil && len(r.Columns) == len(r.Targets) {
				d.edge(t, to, r)
			}
		}
		for _, c := range t.columns {
			if !t.refersBy(c.Name) {
				d.named(t, c)
			}
		}
		d.kinds(ctx, t)
		d.once(t)
	}
}

func (d *Draft) edge(t, to *table, r sqlsystem.SurveyedReference) {
	e := &edge{from: t, to: to, declared: true, onDelete: r.OnDelete}
	for i := range r.Columns {
		e.on = append(e.on, [2]string{r.Columns[i], r.Targets[i]})
	}
	if to.root != nil {
		e.role = roleOf(t.column(r.Columns[0]).words, to.stem)
	}
	t.edges = append(t.edges, e)
}

// refersBy reports whether a column alone has a foreign key.
func (t *table) refersBy(column string) bool {
	return slices.ContainsFunc(t.edges, func(e *edge) bool { return len(e.on) == 1 && e.near() == column })
}

// named finds the table that a column's name refers to: shipping_address_id is of
// addresses.
func (d *Draft) named(t *table, c *column) {
	w := c.words
	for from := range len(w) - 1 {
		for _, to := range d.tables {
			target := to.target(w[from:], c)
			if target == nil || to == t && (from == 0 || slices.Contains(t.Key, c.Name)) {
				continue
			}
			if from > 0 && c.class() == classText && to.root == nil {
				continue // too little to go by
			}
			e := &edge{from: t, to: to, on: [][2]string{{c.Name, target.Name}}}
			if to.root != nil {
				e.role = roleOf(w, to.stem)
			}
			t.edges = append(t.edges, e)
			return
		}
	}
	if to, target := d.calledAfter(t, w, c); to != nil {
		t.edges = append(t.edges, &edge{from: t, to: to, on: [][2]string{{c.Name, target.Name}}})
		return
	}
	for _, r := range d.roots {
		if r.key == nil || !r.key.alike(c) || !namesPerson(w) || t.root == r || slices.Equal(t.Key, []string{c.Name}) {
			continue
		}
		t.edges = append(t.edges, &edge{from: t, to: r.table, on: [][2]string{{c.Name, r.key.Name}}, role: roleOf(w, r.table.stem)})
		return
	}
}

// calledAfter returns the one table whose name ends with what a column refers to, and the
// column that it refers to: order_id is of wc_orders.
func (d *Draft) calledAfter(t *table, w []string, c *column) (to *table, target *column) {
	if len(w) < 2 || len(t.Key) == 1 && t.Key[0] == c.Name {
		return nil, nil
	}
	stem := w[:len(w)-1]
	for _, o := range d.tables {
		n := len(o.stem) - len(stem)
		if n <= 0 || !equal(o.stem[n:], stem) || o == t {
			continue
		}
		for _, own := range o.columns {
			if o.unique(own.Name) && own.alike(c) && (equal(own.words, w[len(w)-1:]) || equal(own.words, w)) {
				if to != nil {
					return nil, nil // of two it is none
				}
				to, target = o, own
				break
			}
		}
	}
	return to, target
}

// target returns the column of a table to which a column of the given words refers: the
// table's stem, and what its own unique column is called.
func (t *table) target(w []string, c *column) *column {
	n := len(t.stem)
	if n == 0 || len(w) <= n || !equal(w[:n], t.stem) {
		return nil
	}
	for _, own := range t.columns {
		if !t.unique(own.Name) || !own.alike(c) {
			continue
		}
		if equal(own.words, w[n:]) || equal(own.words, w) {
			return own
		}
	}
	return nil
}

// maxKinds bounds the rows that are looked at for the kinds of owners that there are.
const maxKinds = 5000

// kinds finds owners of several kinds: owner_type and owner_id.
func (d *Draft) kinds(ctx context.Context, t *table) {
	for _, kind := range t.columns {
		if lastWord(kind.words) != "type" || kind.class() != classText || len(kind.words) < 2 {
			continue
		}
		of := t.sibling(kind)
		if of == nil || t.refersBy(of.Name) && !t.byNameOnly(of.Name) || slices.Contains(t.Key, of.Name) && len(t.Key) == 1 {
			continue
		}
		t.edges = slices.DeleteFunc(t.edges, func(e *edge) bool { return !e.declared && len(e.on) == 1 && e.near() == of.Name })
		kinds := map[string]bool{}
		_ = d.survey.Sample(ctx, t.Name, []string{kind.Name}, maxKinds, func(v []string) { kinds[v[0]] = true })
		for _, to := range d.tables {
			target := to.keyLike(of)
			if target == nil {
				continue
			}
			for _, is := range to.classes() {
				// A kind is a word of the program's, and is told where it is that of a table.
				there := kinds[is]
				if !there && to.root != nil && len(kinds) > 0 {
					there, _ = d.survey.Holds(ctx, t.Name, kind.Name, is)
				}
				if !there && len(kinds) == 0 && to.root != nil && is == to.classes()[0] {
					there = true
					t.notes = append(t.notes, fmt.Sprintf("the table is empty: check what %s says of a person", kind.Name))
				}
				if there {
					e := &edge{from: t, to: to, on: [][2]string{{of.Name, target.Name}}, kind: kind.Name, is: is}
					if to.root != nil {
						e.role = roleOwner
					}
					t.edges = append(t.edges, e)
				}
			}
		}
	}
}

// sibling returns the column with the number of an owner whose kind a column says.
func (t *table) sibling(kind *column) *column {
	stem := kind.words[:len(kind.words)-1]
	for _, c := range t.columns {
		if n := len(c.words) - 1; n == len(stem) && equal(c.words[:n], stem) && slices.Contains([]string{"id", "uuid"}, c.words[n]) {
			return c
		}
	}
	return nil
}

func (t *table) byNameOnly(column string) bool {
	return !slices.ContainsFunc(t.edges, func(e *edge) bool { return e.declared && len(e.on) == 1 && e.near() == column })
}

// keyLike returns the key of a table, where a column can hold it, or where it is a text
// that holds numbers of several kinds.
func (t *table) keyLike(c *column) *column {
	if t.root != nil && t.root.key != nil && t.root.key.alike(c) {
		return t.root.key
	}
	if len(t.Key) == 1 {
		if key := t.column(t.Key[0]); key != nil && key.alike(c) {
			return key
		}
	}
	for _, own := range t.columns {
		if t.unique(own.Name) && own.alike(c) && own.class() != classText || t.unique(own.Name) && own.alike(c) && equal(own.words, []string{"id"}) {
			return own
		}
	}
	return nil
}

// selves finds the tables in which people have a second self: an account of a user, to
// whose number other tables refer.
func (d *Draft) selves() {
	for _, t := range d.tables {
		if t.root != nil || len(t.Key) != 1 || t.keyless() {
			continue
		}
		for _, e := range t.edges {
			if e.to.root == nil || e.to.root.key == nil || e.kind != "" || len(e.on) != 1 || e.on[0][1] != e.to.root.key.Name || e.role > roleOwner || !t.unique(e.near()) || t.Key[0] == e.near() {
				continue
			}
			referring := map[*table]bool{}
			for _, o := range d.onto(t) {
				referring[o.from] = true
			}
			if len(referring) < 2 {
				continue
			}
			r := &root{table: t, column: t.column(e.near()), typ: e.to.root.found, key: d.rootKey(t), derived: true}
			if r.key == nil || r.key == r.column {
				continue
			}
			r.found = identifierType(t.stem, r.key.Name)
			t.root = r
			d.roots = append(d.roots, r)
			for _, o := range d.onto(t) {
				if c := o.from.column(o.near()); c != nil {
					o.role = roleOf(c.words, t.stem)
				}
			}
			break
		}
	}
}

// classes returns what programs call the rows of a table: User, user, App\Models\User.
func (t *table) classes() []string {
	var camel strings.Builder
	for _, w := range t.stem {
		camel.WriteString(strings.ToUpper(w[:1]) + w[1:])
	}
	class, snake := camel.String(), strings.Join(t.stem, "_")
	out := []string{class, snake, t.Name, `App\Models\` + class, `App\` + class, `App\Entity\` + class, strings.ToUpper(snake), "#" + class}
	var once []string
	for _, o := range out {
		if !slices.Contains(once, o) {
			once = append(once, o)
		}
	}
	return once
}

// once leaves one of several references by which a row names the same person in the same
// way: account_id and account_record_id.
func (d *Draft) once(t *table) {
	for _, r := range d.roots {
		if r.key == nil {
			continue
		}
		toKey := func(e *edge) bool {
			return e.to == r.table && e.kind == "" && len(e.on) == 1 && e.on[0][1] == r.key.Name
		}
		if !slices.ContainsFunc(t.edges, toKey) {
			continue
		}
		t.edges = slices.DeleteFunc(t.edges, func(e *edge) bool { return e.to == r.table && e.kind == "" && !toKey(e) && !e.declared })
	}
}
