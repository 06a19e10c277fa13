package draft

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
)

// maxDepth bounds the tables that lie between a row and the person.
const maxDepth = 6

// maxWays bounds the ways to a dataset's rows, as the manifest does.
const maxWays = 20

// way is one way to a dataset's rows.
type way struct {
	via   []via
	where map[string]string
	typ   dsar.IdentifierType
	// source is the column that holds the identifier: the dataset's own, or table.column.
	source string
	// other tells that the person isn't the row's own: its recipient, who worked on it.
	other bool
	edge  *edge // the first step; nil: the table's own column holds an identifier
	// set and keep are what an erasure does, where it isn't what the dataset says.
	set  map[string]string
	keep bool
}

// via is a join.
type via struct {
	table, as string
	on        [][2]string
	where     map[string]string
}

func (v via) name() string { return cmp.Or(v.as, v.table[strings.LastIndexByte(v.table, '.')+1:]) }

// short reports whether a way fits the short form, subject: {…}, with others.
func (w *way) short() bool {
	return len(w.via) == 0 && len(w.where) == 0 && w.set == nil && !w.keep
}

// walk finds the ways to all tables: first those that name a person themselves, then those
// that hang on them, and then what they refer to that is only theirs.
func (d *Draft) walk() {
	for _, r := range d.roots {
		t := r.table
		if r.key != nil {
			t.ways = append(t.ways, &way{typ: r.found, source: r.key.Name})
		}
		t.ways = append(t.ways, &way{typ: r.typ, source: r.column.Name})
		t.state = dataset
	}
	for _, t := range d.tables {
		if slices.Contains(ofTools, strings.ToLower(t.Name)) {
			t.state = technical
		} else if t.root == nil {
			d.direct(t)
		} else {
			d.second(t)
		}
	}
	d.follow()
	for range 2 { // what hangs on what was referred to, too
		for _, t := range d.tables {
			if t.state == unreached {
				d.referredTo(t)
			}
		}
		d.follow()
	}
	for _, t := range d.tables {
		if len(t.Key) == 0 { // nothing tells its rows apart
			t.state, t.ways = unreached, nil
		}
		if t.state == unreached && !t.personal() && !t.hasKinds() && d.touched(t) {
			t.state = technical
		}
	}
}

// direct finds the ways by columns of the table itself.
func (d *Draft) direct(t *table) {
	var people []*edge
	for _, e := range t.edges {
		if e.to.root != nil && e.to.root.key != nil && len(e.on) == 1 && e.on[0][1] == e.to.root.key.Name {
			people = append(people, e)
		} else if e.to.root != nil && len(e.on) == 1 && e.to.unique(e.on[0][1]) {
			d.through(t, e) // by another column of the person's
		}
	}
	slices.SortStableFunc(people, func(a, b *edge) int { return cmp.Or(a.role-b.role, strings.Compare(a.kind, b.kind)) })
	pair := len(people) == 2 && t.inUnique(people[0].near()) && t.inUnique(people[1].near()) && len(t.columns) < 10
	strong := slices.ContainsFunc(t.edges, func(e *edge) bool { return e.part() })
	hasKinds := slices.ContainsFunc(t.edges, func(e *edge) bool { return e.kind != "" })
	for i, e := range people {
		w := &way{typ: e.to.root.found, source: e.near(), edge: e}
		if e.kind != "" {
			w.where = map[string]string{e.kind: e.is}
		}
		made := e.role == roleCreator && (strong || hasKinds || d.used(t))
		w.other = !pair && (e.role == roleOther || made || e.kind != "" && people[0].kind == "" && people[0].role < roleOther || i > 0 && e.role >= roleOwner && e.kind == "" && people[0].role < roleOther && people[0].kind == "")
		t.ways = append(t.ways, w)
	}
	for _, c := range t.columns {
		if c.isEmail() && d.known("email") && len(t.ways) < maxWays {
			t.ways = append(t.ways, &way{typ: "email", source: c.Name})
		}
	}
	if len(t.ways) > 0 {
		t.state, t.depth = dataset, 1
	}
}

// second finds the ways to a root's table by which its rows are those of another root's
// people: somebody's further addresses. What is only their creator, it leaves out.
func (d *Draft) second(t *table) {
	for _, e := range t.edges {
		if e.to == t || e.to.root == nil || e.kind != "" || e.role > roleOwner || e.to.root.key == nil || len(e.on) != 1 || e.on[0][1] != e.to.root.key.Name {
			continue
		}
		named := slices.ContainsFunc(t.ways, func(w *way) bool { return w.source == e.near() })
		if !named && len(t.ways) < maxWays {
			t.ways = append(t.ways, &way{typ: e.to.root.found, source: e.near(), edge: e})
			t.root.leads = append(t.root.leads, e)
		}
	}
}

// part reports whether rows are a part of what they refer to: ticket_articles of tickets.
func (e *edge) part() bool {
	n := len(e.to.stem)
	if e.to == e.from || e.to.root != nil || e.kind != "" || !e.required() || n == 0 || len(e.from.stem) <= n {
		return false
	}
	for i, w := range e.to.stem {
		if singular(e.from.stem[i]) != w {
			return false
		}
	}
	return true
}

// used reports whether rows of other kinds refer to a table's, which are then more than
// what somebody once made.
func (d *Draft) used(t *table) bool {
	return slices.ContainsFunc(d.onto(t), func(e *edge) bool { return e.from != t && !e.part() })
}

// through adds the way through a root's table.
func (d *Draft) through(t *table, e *edge) {
	for _, w := range e.to.ways {
		t.ways = append(t.ways, &way{typ: w.typ, edge: e, other: e.role == roleOther, source: e.to.Name + "." + w.source, via: []via{{table: e.to.Name, on: e.on}}})
		return
	}
}

// known reports whether people are found by a type of identifier.
func (d *Draft) known(typ dsar.IdentifierType) bool {
	return slices.ContainsFunc(d.roots, func(r *root) bool { return r.typ == typ })
}

// owned reports whether rows of a table are somebody's own.
func (t *table) owned() bool {
	return slices.ContainsFunc(t.ways, func(w *way) bool { return !w.other })
}

// follow goes from what was reached to what hangs on it.
func (d *Draft) follow() {
	for depth := 1; depth < maxDepth; depth++ {
		var found []*table
		for _, t := range d.tables {
			if t.state == technical || t.parent != nil || t.root != nil {
				continue
			}
			if e := d.hangsOn(t, depth); e != nil && (!t.owned() || e.part() && !t.tagged(e)) {
				found = append(found, t)
				t.parent = e
			}
		}
		for _, t := range found {
			d.hang(t, depth+1)
		}
		d.keyed(depth + 1)
	}
	for _, t := range d.tables {
		d.otherKinds(t)
	}
}

// otherKinds adds, to a table whose rows are those of owners of several kinds and of
// nobody else, the ways through those kinds that are people's themselves.
func (d *Draft) otherKinds(t *table) {
	if !t.owned() || slices.ContainsFunc(t.ways, func(w *way) bool { return !w.other && (w.edge == nil || w.edge.kind == "") }) {
		return
	}
	for _, e := range t.edges {
		used := slices.ContainsFunc(t.ways, func(w *way) bool { return w.edge == e })
		if e.kind == "" || used || e.to == t || !e.to.owned() {
			continue
		}
		for _, w := range e.to.ways {
			if !w.other && len(t.ways) < maxWays {
				t.ways = append(t.ways, d.chain(t, e, w))
				t.depth = max(t.depth, e.to.depth+1)
			}
		}
	}
}

// tagged reports whether rows are found already by the people of what they hang on.
func (t *table) tagged(e *edge) bool {
	return slices.ContainsFunc(t.ways, func(w *way) bool { return w.edge == e })
}

// hangsOn returns the reference by which a table's rows are a part of another's that was
// reached; nil where there is none. Of several it is the one whose table it is called
// after, or that is never null, or that the database deletes it with.
func (d *Draft) hangsOn(t *table, depth int) *edge {
	var best *edge
	rank := func(e *edge) int {
		n := 0
		switch {
		case e.part():
			n += 8
		case len(e.to.stem) > 0 && len(t.stem) > 0 && strings.HasPrefix(t.stem[len(t.stem)-1], e.to.stem[0]):
			n += 8 // usermeta
		}
		if e.onDelete == "cascade" {
			n += 4
		}
		if e.kind != "" {
			n += 3
		}
		if e.required() {
			n += 2
		}
		if slices.Contains(t.Key, e.near()) {
			n++
		}
		return n
	}
	for _, e := range t.edges {
		if e.to == t || !e.to.owned() || e.to.depth > depth || e.to.root != nil && e.kind == "" {
			continue
		}
		if best == nil || rank(e) > rank(best) {
			best = e
		}
	}
	if best != nil && rank(best) == 0 && best.to.depth == depth && !best.declared {
		return nil
	}
	return best
}

// hang adds the ways to a table that hangs on others: those of what it is a part of, and,
// of owners of several kinds, those of each.
func (d *Draft) hang(t *table, depth int) {
	parents := []*edge{t.parent}
	if t.owned() {
		t.notes = append(t.notes, fmt.Sprintf("decide: rows go with those of %s, also where others wrote them", t.parent.to.Name))
	}
	if t.parent.kind != "" {
		for _, e := range t.edges {
			if e != t.parent && e.kind == t.parent.kind && e.to.owned() && e.to != t {
				parents = append(parents, e)
			}
		}
	}
	for _, e := range parents {
		for _, w := range e.to.ways {
			if w.other || len(t.ways) >= maxWays {
				continue
			}
			if own := d.chain(t, e, w); own != nil {
				t.ways = append(t.ways, own)
			}
		}
	}
	if t.owned() {
		t.state = dataset
		t.depth = max(t.depth, depth)
	}
	var also []string
	for _, e := range t.edges {
		if e != t.parent && e.kind == "" && e.to.owned() && e.to.root == nil && e.to != t && !slices.Contains(also, e.to.Name) && e.to != t.parent.to {
			also = append(also, e.to.Name)
		}
	}
	if len(also) > 0 {
		t.notes = append(t.notes, fmt.Sprintf("decide: these rows are taken for those of %s; they refer to %s as well", t.parent.to.Name, strings.Join(also, ", ")))
	}
}

// chain returns the way to a table through one of what it refers to.
func (d *Draft) chain(t *table, e *edge, w *way) *way {
	out := &way{typ: w.typ, edge: e}
	if e.kind != "" {
		out.where = map[string]string{e.kind: e.is}
	}
	taken := map[string]bool{via{table: t.Name}.name(): true}
	first := via{table: e.to.Name, on: e.on, where: w.where}
	first.as = free(first.name(), taken, first.as)
	taken[first.name()] = true
	out.via = append(out.via, first)
	renamed := map[string]string{"": first.name()}
	for _, v := range w.via {
		was := v.name()
		v.as = free(was, taken, v.as)
		taken[v.name()] = true
		renamed[was] = v.name()
		out.via = append(out.via, v)
	}
	if table, column, there := strings.Cut(w.source, "."); there {
		out.source = renamed[table] + "." + column
	} else {
		out.source = first.name() + "." + w.source
	}
	if e.kind != "" && len(w.where) == 0 {
		out.via[0].where = nil
	}
	return out
}

// free returns the name that a join goes by, where its own is taken.
func free(name string, taken map[string]bool, as string) string {
	if !taken[name] {
		return as
	}
	for n := 2; ; n++ {
		if other := fmt.Sprintf("%s%d", name, n); !taken[other] {
			return other
		}
	}
}

// keyed finds the rows to which values lead that are told by keys: an order's
// _billing_email.
func (d *Draft) keyed(depth int) {
	for _, t := range d.tables {
		key, value := t.keyAndValue()
		if value == nil || len(value.keyed) == 0 {
			continue
		}
		for _, e := range t.edges {
			if e.to.root != nil || e.kind != "" || len(e.on) != 1 || e.to.byValues {
				continue
			}
			e.to.byValues = true
			for _, k := range value.keyed {
				if len(e.to.ways) < maxWays {
					e.to.ways = append(e.to.ways, &way{typ: "email", edge: e, source: via{table: t.Name}.name() + "." + value.Name,
						via: []via{{table: t.Name, on: [][2]string{{e.on[0][1], e.near()}}, where: map[string]string{key.Name: k}}}})
				}
			}
			e.to.state, e.to.depth = dataset, max(e.to.depth, depth)
		}
	}
}

// maxReferred bounds the references to a table that is reached by what refers to it: what
// more refer to, as tenants, is of nobody.
const maxReferred = 5

// referredTo reaches a table that rows of people refer to, and that says something of
// them: an order's delivery address.
func (d *Draft) referredTo(t *table) {
	if !t.personal() || len(d.onto(t)) > maxReferred {
		return
	}
	for _, from := range d.tables {
		if !from.owned() || from == t {
			continue
		}
		for _, e := range from.edges {
			if e.to != t || e.kind != "" {
				continue
			}
			back := &edge{from: t, to: from}
			for _, on := range e.on {
				back.on = append(back.on, [2]string{on[1], on[0]})
			}
			for _, w := range from.ways {
				if w.other || len(t.ways) >= maxWays {
					continue
				}
				t.ways = append(t.ways, d.chain(t, back, w))
			}
			t.shared = append(t.shared, e)
			t.state, t.depth = dataset, from.depth+1
		}
	}
	if t.state == dataset {
		for _, from := range d.tables { // rows of nobody's may refer to it, too
			for _, e := range from.edges {
				if e.to == t && e.kind == "" && from != t && !slices.Contains(t.shared, e) {
					t.shared = append(t.shared, e)
				}
			}
		}
	}
}

// touched reports whether a table that was reached refers to one.
func (d *Draft) touched(t *table) bool {
	return slices.ContainsFunc(d.tables, func(o *table) bool {
		return o.state == dataset && slices.ContainsFunc(o.edges, func(e *edge) bool { return e.to == t })
	})
}

// hasKinds reports whether a table has owners of several kinds.
func (t *table) hasKinds() bool {
	return slices.ContainsFunc(t.columns, func(c *column) bool {
		return lastWord(c.words) == "type" && len(c.words) > 1 && t.sibling(c) != nil
	})
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
