package sqlsystem

import (
	"fmt"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// way is how erasing rows of a dataset reaches rows of another table: by foreign
// keys, one after the other, or by a trigger or rule.
type way struct {
	from  *dataset
	steps []reference
	// over is, for each step, the dataset whose rows it leads to; nil where it is of none.
	over []*dataset
	// trigger writes to the table to, where the last step is one, and does what; else nil. It
	// was set off by what others before it wrote to the tables of then.
	trigger *trigger
	then    []string
	does    deed
	to      relation
	end     *dataset // that of to; nil where no dataset is
	allowed bool     // the cascades of a dataset on the way have it
	// mixed are foreign keys that lead there, too, where the cascades have it for a trigger:
	// allowed is false then.
	mixed []reference
	again bool // a foreign key is in it twice
	moves bool // the rows would refer to another, by a default: nothing lets that
	keeps bool // what is done to the rows that it begins at deletes none, and lets none be deleted
}

// takes reports whether the rows at the end are deleted; else they are changed.
func (w way) takes() bool {
	return w.trigger == nil && w.steps[len(w.steps)-1].onDelete == goes
}

// setOffBy returns the dataset whose rows set the trigger off; nil where they are of none.
func (w way) setOffBy() *dataset {
	if len(w.over) == 0 {
		return w.from
	}
	return w.over[len(w.over)-1]
}

// String returns the way as people read it: customers ← subscriptions (customer_id)
// ← invoices (subscription_id).
func (w way) String() string {
	var b strings.Builder
	b.WriteString(w.from.relation.name)
	for _, r := range w.steps {
		fmt.Fprintf(&b, " ← %s (%s)", r.from.name, strings.Join(r.columns, ", "))
	}
	if w.trigger != nil {
		for _, table := range w.then {
			b.WriteString(" → " + table)
		}
		fmt.Fprintf(&b, " → %s → %s", w.trigger, w.to.name)
	}
	return b.String()
}

// isToo reports whether another way says the same of what a trigger does.
func (w way) isToo(o way) bool {
	return o.trigger != nil && w.allowed == o.allowed && w.String() == o.String() && w.does == o.does
}

// rank puts first what is worst.
func (w way) rank() int {
	switch {
	case w.end != nil && w.end.duties():
		return 0
	case w.end != nil:
		return 1
	default:
		return 2
	}
}

// cause says in fields by which foreign key or trigger the way leads on.
func (w way) cause() dsar.Cause {
	c := dsar.Cause{Dataset: w.from.Name, Table: w.from.SQL.Table}
	switch {
	case w.trigger != nil:
		c.Constraint = w.trigger.name
	case len(w.steps) > 0:
		c.Constraint = w.steps[len(w.steps)-1].name
	}
	return c
}

// ways finds all that erasing rows of a dataset reaches, over any number of tables,
// those to what must stay first. It goes on beyond a dataset's rows where the manifest
// lets those go: they may be somebody else's, whose own ways nobody looks at.
func (s *System) ways(d *dataset) []way {
	deleting := d.SQL.Erases(manifest.EraseDelete)
	var out []way
	var follow func(table string, steps []reference, over []*dataset)
	follow = func(table string, steps []reference, over []*dataset) {
		triggers := s.catalogue().on(table, deleting || len(steps) > 0)
		if deleting && len(steps) == 0 && d.SQL.Erases(manifest.EraseAnonymise) {
			triggers = append(triggers, s.catalogue().on(table, false)...)
		}
		for _, t := range triggers {
			out = append(out, s.triggered(way{from: d, steps: steps, over: over}, t)...)
		}
		if !deleting && len(steps) == 0 {
			return // the row stays, and with it what refers to it
		}
		for _, r := range s.catalogue().to(table) {
			if r.onDelete == blocks || len(out) >= maxWays || slices.ContainsFunc(steps, func(o reference) bool { return sameReference(o, r) }) {
				continue
			}
			w := s.step(way{from: d, steps: steps, over: over}, r)
			out = append(out, w)
			if r.onDelete == goes && (w.end == nil || w.allowed) {
				follow(r.from.id, w.steps, w.over)
			}
		}
	}
	for _, table := range append([]string{d.relation.id}, s.catalogue().reads[d.relation.id]...) {
		follow(table, nil, nil)
	}
	if !s.dialect.measures(byTable) { // what a foreign key may take isn't let to a trigger: neither is counted by itself
		for i, w := range out {
			if !w.allowed || w.trigger == nil || !w.does.updates && !w.does.deletes || s.isTouch(d, *w.trigger, w.does.table) {
				continue
			}
			for _, o := range out {
				if o.trigger == nil && strings.EqualFold(o.to.name, w.to.name) {
					out[i].allowed, out[i].mixed = false, append(out[i].mixed, o.steps[len(o.steps)-1])
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b way) int { return a.rank() - b.rank() })
	return out
}

// step returns a way that goes on from the end of another by a foreign key.
func (s *System) step(w way, ref reference) way {
	next := way{from: w.from, steps: append(slices.Clone(w.steps), ref), to: ref.from, end: s.datasetOf(ref.from.id)}
	next.moves = ref.onDelete == moves
	next.allowed = !next.moves && (w.from.letsOver(w.over, next.to.name) || !next.takes() && has(w.from.SQL.Unlinks, next.to.name))
	next.over = append(slices.Clone(w.over), next.end)
	return next
}

// setOff returns the triggers and rules that a deed of another sets off. Where several tables
// have its table's name, it isn't known which is meant.
func (c *catalogue) setOff(d deed) (out []trigger) {
	for _, t := range c.triggers {
		if bareName(t.of) == d.table && (t.inserts && d.inserts || t.updates && d.updates || t.deletes && d.deletes) {
			if len(out) > 0 && out[0].table != t.table {
				return nil
			}
			out = append(out, t)
		}
	}
	return out
}

// triggered returns the ways that begin with a trigger, over those that it sets off in turn and
// foreign keys of what it deletes, one after the other. It goes on beyond tables that the
// manifest lets be written to.
func (s *System) triggered(base way, t trigger) (out []way) {
	type written struct {
		by string
		deed
	}
	seen := map[written]bool{}
	reach := func(t trigger, does deed, then []string) bool {
		w, let := s.writes(base, t, does, then)
		out = append(out, w)
		return let && len(out) < maxWays
	}
	var follow func(t trigger, then []string)
	var write func(t trigger, does deed, then []string)
	write = func(t trigger, does deed, then []string) {
		this := written{t.String(), does}
		if seen[this] {
			return
		}
		seen[this] = true
		if !reach(t, does, then) {
			return
		}
		further := append(slices.Clone(then), does.table)
		for _, next := range s.catalogue().setOff(does) {
			if next.table != t.table || next.name != t.name {
				follow(next, further)
			}
		}
		for _, ref := range s.catalogue().references {
			if does.deletes && bareName(ref.to.name) == does.table && ref.onDelete != blocks {
				at := len(out)
				write(t, deed{table: bareName(ref.from.name), deletes: ref.onDelete == goes, updates: ref.onDelete != goes}, further)
				if len(out) > at && ref.onDelete == moves {
					out[at].moves, out[at].allowed = true, false
				}
			}
		}
	}
	follow = func(t trigger, then []string) {
		for _, name := range t.unread {
			w := base
			w.trigger, w.then, w.to = &t, then, relation{name: name + "()"}
			w.allowed = s.measures(deed{inserts: true, updates: true, deletes: true})
			out = append(out, w)
		}
		for _, does := range t.deeds {
			write(t, does, then)
		}
	}
	follow(t, nil)
	return out
}

// writes returns a way that ends with what a trigger does to a table, and whether the manifest
// lets rows of that go with those of a dataset on the way.
func (s *System) writes(base way, t trigger, does deed, then []string) (w way, let bool) {
	w, d := base, base.from
	w.trigger, w.then, w.does, w.to = &t, then, does, relation{name: does.table}
	for _, o := range s.datasets {
		if bareName(o.SQL.Table) == does.table {
			w.end, w.to = o, o.relation
		}
	}
	let = d.letsOver(base.over, does.table) || d.letsOver(base.over, w.to.name)
	// What it does to a dataset's table, or to those of a view, settle measures.
	w.allowed = !does.empties && (!w.keeps || !does.deletes || s.isFree(w) || s.countsDeleted()) && (let || (w.end != nil || s.reads(d, does.table)) && s.measures(does) || len(then) == 0 && s.isTouch(d, t, does.table))
	return w, let
}

// isFree reports whether a way leads to a table that no dataset is of: what is kept lies in others.
func (s *System) isFree(w way) bool { return w.end == nil && !s.reads(w.from, w.does.table) }

// isTouch reports whether a trigger writes to a row only of the dataset's table which sets it
// off, so that it may.
func (s *System) isTouch(d *dataset, t trigger, name string) bool {
	return strings.EqualFold(d.relation.id, name) && slices.ContainsFunc(s.catalogue().touches(d.own), func(o trigger) bool { return o.name == t.name })
}

func sameReference(a, b reference) bool {
	return a.from.id == b.from.id && a.to.id == b.to.id && slices.Equal(a.columns, b.columns)
}

// foreignKeys names foreign keys, each once, by the table that has them.
func foreignKeys(all []reference) string {
	var names []string
	for _, r := range all {
		if name := fmt.Sprintf("%s (%s) to %s", r.from.name, strings.Join(r.columns, ", "), r.to.name); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 1 {
		return "the foreign key of " + names[0]
	}
	return "the foreign keys of " + strings.Join(names, ", of ")
}

// reads reports whether a dataset's table is a view that reads the table of a name.
func (s *System) reads(d *dataset, name string) bool {
	c := s.catalogue()
	return slices.ContainsFunc(c.reads[d.relation.id], func(id string) bool { return strings.EqualFold(c.names[id], name) })
}

// lets reports whether the manifest lets rows of a table go with those of a
// dataset.
func (d *dataset) lets(table string) bool {
	return has(d.SQL.Cascades, table)
}

// letsOver reports whether the manifest lets rows of a table go with those of a dataset, or
// with those of another on the way there.
func (d *dataset) letsOver(over []*dataset, table string) bool {
	return d.lets(table) || slices.ContainsFunc(over, func(o *dataset) bool { return o != nil && o.lets(table) })
}

// datasetOf returns the dataset of a table, or of the whole that it is a part of.
func (s *System) datasetOf(table string) *dataset {
	for _, d := range s.datasets {
		if d.relation.id == table || slices.Contains(s.catalogue().parts[d.relation.id], table) {
			return d
		}
	}
	return nil
}

// alike returns the datasets of the dataset's table: others have other rows of it.
func (d *dataset) alike() []*dataset {
	if d == nil {
		return nil
	}
	return append([]*dataset{d}, d.siblings...)
}

// duties reports whether rows of the dataset's table may have to stay.
func (d *dataset) duties() bool {
	return slices.ContainsFunc(d.alike(), func(d *dataset) bool { return len(d.retention) > 0 || d.SQL.Erases(manifest.EraseKeep) })
}

// alias returns what a statement calls the table that a step leads to: the last e, and
// t where the way begins.
func (w way) alias(step int) string {
	switch step {
	case -1:
		return "t"
	case len(w.steps) - 1:
		return "e"
	default:
		return fmt.Sprintf("x%d", step)
	}
}

// refers writes the condition by which rows of a step refer to those of the one before.
func (w way) refers(q *statement, step int) {
	for i, column := range w.steps[step].columns {
		if i > 0 {
			q.WriteString(" AND ")
		}
		q.add(w.alias(step), ".", q.dialect.quote(column), " = ", w.alias(step-1), ".", q.dialect.quote(w.steps[step].targets[i]))
	}
}
