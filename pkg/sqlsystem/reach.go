package sqlsystem

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// reach is what a plan or an erasure would reach beyond its own rows.
type reach struct {
	*System
	ways   map[*dataset][]way
	ends   map[*dataset]bool           // datasets that ways end at
	erased map[*dataset]map[string]int // by key, one of the jobs that erase it
	of     map[*dataset]map[int][]string
	gone   map[gone]bool // rows of datasets whose rows keep others'
	// loses are, by dataset and key, the rows that lose their reference to what is erased, or
	// follow it.
	loses  map[*dataset]map[string]bool
	unread map[string]bool // tables of which the database's user can't count the rows that refer, in lower case
	// detached is how many rows that are erased themselves may lose a reference to another
	// such before: some databases count that as a change.
	detached int
}

// gone is a row that a job erases.
type gone struct {
	d   *dataset
	job int
	key string
}

// reach looks up what erasing reaches, in the catalogue as it is now. It fails where that
// is more than is looked at: nothing else would notice the rest on MariaDB.
func (s *System) reach(ctx context.Context, on executor) (*reach, error) {
	if err := s.freshen(ctx, on); err != nil {
		return nil, err
	}
	if err := s.dialect.keepsCount(ctx, on); err != nil {
		return nil, err
	}
	r := &reach{System: s, ways: map[*dataset][]way{}, ends: map[*dataset]bool{}, erased: map[*dataset]map[string]int{}, of: map[*dataset]map[int][]string{}, gone: map[gone]bool{}, loses: map[*dataset]map[string]bool{}, unread: map[string]bool{}}
	for _, d := range s.datasets {
		if !d.SQL.Erases(manifest.EraseDelete) && !d.SQL.Erases(manifest.EraseAnonymise) {
			continue
		}
		if over := s.instead(d); over != nil {
			return nil, over
		}
		if err := s.countable(d); err != nil {
			return nil, err
		}
		for _, set := range d.settings() {
			if over := s.rewrites(d, set); over != nil {
				return nil, over
			}
		}
		r.ways[d] = s.ways(d)
		if len(r.ways[d]) >= maxWays {
			return nil, &overreach{fmt.Sprintf("foreign keys and triggers lead from the rows of %s to others in %d ways or more, and not all can be looked at: have %s made anonymous, or change the foreign keys", d.Name, maxWays, d.Name), dsar.Cause{Dataset: d.Name, Table: d.SQL.Table}}
		}
		if len(r.ways[d]) > 0 {
			r.erased[d] = map[string]int{}
		}
		for _, w := range r.ways[d] {
			for _, end := range w.end.alike() {
				r.ends[end] = true
			}
		}
	}
	return r, nil
}

// erases notes that a job erases a row, where that matters: what refers to a row that
// stays, stays.
func (r *reach) erases(d *dataset, job int, planned string, how act) {
	key, err := d.rowKey(planned)
	if err != nil {
		return // it was refused where the row was looked for by it
	}
	if r.keepsOthers(d) {
		r.gone[gone{d, job, key}] = true
	}
	if len(r.ways[d]) == 0 && !r.ends[d] {
		return
	}
	if r.erased[d] == nil {
		r.erased[d] = map[string]int{}
	}
	r.erased[d][key] = job
	if !how.deletes && d.SQL.Erases(manifest.EraseDelete) {
		return
	}
	if r.of[d] == nil {
		r.of[d] = map[int][]string{}
	}
	r.of[d][job] = append(r.of[d][job], key)
}

// keepsOthers reports whether rows of another dataset stay while one of the dataset's
// refers to them.
func (s *System) keepsOthers(d *dataset) bool {
	return slices.ContainsFunc(s.datasets, func(o *dataset) bool {
		return slices.ContainsFunc(o.uses, func(u use) bool { return u.id == d.relation.id })
	})
}

// check fails where what a job's erasure reaches is neither its own nor allowed.
// held are the datasets of which a hold keeps something. It returns how many rows go with
// its own that the manifest lets go, by table and way; each row once, by the shortest way.
func (r *reach) check(ctx context.Context, on executor, job int, held map[string]bool) (all map[taken]int, err error) {
	counted := map[string][]way{} // by table
	queue := r.waysOf(job)
	for i := 0; i < len(queue); i++ {
		w := queue[i]
		switch {
		case w.trigger != nil && !w.allowed, w.from.own.view && !w.allowed && !r.dialect.measures(byForeignKeys):
			return nil, errOverreach(w, 0)
		case w.trigger != nil || w.from.own.view: // a view's rows aren't what the foreign keys refer to; settle measures
			continue
		case w.takes() && slices.ContainsFunc(w.over, func(o *dataset) bool { return o != nil && held[o.Name] }):
			continue // it is held, and what would take it is left
		}
		outside, some, err := r.follow(ctx, on, job, w, counted[w.to.id])
		switch {
		case reasonOf(err) == forbidden && w.allowed:
			r.unread[strings.ToLower(w.to.name)] = true
			continue
		case reasonOf(err) == forbidden:
			return nil, &overreach{fmt.Sprintf("the database's user may not read %s, so what would go with the rows of %s can't be told (%s): grant it SELECT", w.to.name, w.from.Name, w), w.cause()}
		case err != nil:
			return nil, err
		case outside > 0 && !w.allowed:
			return nil, errOverreach(w, outside)
		case !w.takes() && some > outside:
			r.detached += some - outside
		}
		if some == 0 || !w.allowed {
			continue
		}
		if all == nil {
			all = map[taken]int{}
		}
		all[taken{w.from.Name, w.to.name, w.String(), !w.takes()}] += outside
		counted[w.to.id] = append(counted[w.to.id], w)
		if queue, err = r.further(queue, w); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// further adds to the ways that are followed those which go on from the end of one that takes
// rows, and come by a foreign key a second time: the answers to answers of a tree. Others are
// among [System.ways].
func (r *reach) further(queue []way, w way) ([]way, error) {
	if !w.takes() {
		return queue, nil
	}
	for _, ref := range r.catalogue().to(w.to.id) {
		if ref.onDelete == blocks || !w.again && !slices.ContainsFunc(w.steps, func(o reference) bool { return sameReference(o, ref) }) {
			continue
		}
		if len(w.steps) >= maxSteps || len(queue) >= maxWays {
			return nil, &overreach{fmt.Sprintf("with the rows of %s the database would delete others over more foreign keys than are looked at (%s): have %s made anonymous, or change the foreign keys", w.from.Name, w, w.from.Name), w.cause()}
		}
		next := r.step(w, ref)
		next.again = true
		queue = append(queue, next)
	}
	return queue, nil
}

// waysOf returns the ways from what a job erases: those that take rows before those that
// change them, the worst first, and the short before the long.
func (r *reach) waysOf(job int) []way {
	var out []way
	for _, d := range r.System.erasing {
		if len(r.of[d][job]) > 0 {
			out = append(out, r.ways[d]...)
		}
	}
	changes := func(w way) int {
		if w.trigger == nil && !w.takes() {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(out, func(a, b way) int {
		return cmp.Or(changes(a)-changes(b), a.rank()-b.rank(), len(a.steps)-len(b.steps))
	})
	return out
}

// follow counts the rows at the end of a way from those that a job erases, and those of
// them that aren't erased themselves; without the rows that lie at the end of other ways.
func (r *reach) follow(ctx context.Context, on executor, job int, w way, others []way) (outside, all int, err error) {
	for part := range slices.Chunk(r.of[w.from][job], r.dialect.keysAtOnce()) {
		q := &statement{dialect: r.dialect}
		texts := []string{"COUNT(*)"}
		if w.end != nil {
			texts = w.end.keyTexts(r.dialect, "e")
		}
		q.add("SELECT ", strings.Join(texts, ", "), " FROM ", w.from.table, " AS t")
		for i := range w.steps {
			q.add(" JOIN ", w.steps[i].from.sql, " AS ", w.alias(i), " ON ")
			w.refers(q, i)
		}
		q.WriteString(" WHERE ")
		if err := w.from.keyed(q, part); err != nil {
			return 0, 0, err
		}
		if w.from.tellsTables() { // a foreign key leads to no rows of heirs
			q.add(" AND t.", r.dialect.quote(tableOfRow), " = ", w.steps[0].to.id)
		}
		for _, o := range others {
			if err := r.without(q, job, o); err != nil {
				return 0, 0, err
			}
		}
		err := r.scan(ctx, on, q, len(texts), func(found []any) error {
			if w.end == nil {
				n, _ := found[0].(int64)
				outside, all = outside+int(n), all+int(n)
				return nil
			}
			key, err := w.end.keyOf(r.dialect, found)
			if err != nil {
				return err
			}
			all++
			if !w.takes() {
				if r.loses[w.end] == nil {
					r.loses[w.end] = map[string]bool{}
				}
				r.loses[w.end][key] = true
			}
			if !slices.ContainsFunc(w.end.alike(), func(d *dataset) bool { _, own := r.erased[d][key]; return own }) {
				outside++
			}
			return nil
		})
		if err != nil {
			return 0, 0, err
		}
	}
	return outside, all, nil
}

// bounded returns the tables to which foreign keys lead from what is erased, in lower case,
// but for those to which the manifest lets a trigger alone lead from a dataset.
func (r *reach) bounded() map[string]bool {
	keys, triggers := map[string]bool{}, map[string]bool{}
	for d, ways := range r.ways {
		if len(r.of[d]) == 0 || d.own.view { // of a view's rows those that refer aren't counted
			continue
		}
		own := map[string]bool{}
		for _, w := range ways {
			if name := strings.ToLower(w.to.name); w.trigger == nil && !r.unread[name] {
				own[name], keys[name] = true, true
			}
		}
		for _, w := range ways {
			if name := strings.ToLower(w.to.name); w.trigger != nil && !own[name] {
				triggers[name] = true
			}
		}
	}
	maps.DeleteFunc(keys, func(name string, _ bool) bool { return triggers[name] })
	return keys
}

// without writes the condition that the row e doesn't lie at the end of a way from what a
// job erases.
func (r *reach) without(q *statement, job int, w way) error {
	for part := range slices.Chunk(r.of[w.from][job], r.dialect.keysAtOnce()) {
		q.add(" AND NOT EXISTS (SELECT 1 FROM ", w.from.table, " AS t")
		last := len(w.steps) - 1
		for i := range w.steps[:last] {
			q.add(" JOIN ", w.steps[i].from.sql, " AS ", w.alias(i), " ON ")
			w.refers(q, i)
		}
		q.WriteString(" WHERE ")
		w.refers(q, last)
		q.WriteString(" AND ")
		if err := w.from.keyed(q, part); err != nil {
			return err
		}
		q.WriteString(")")
	}
	return nil
}
