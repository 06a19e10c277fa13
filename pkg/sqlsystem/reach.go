package sqlsystem

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// way is how erasing rows of a dataset reaches rows of another table: by foreign
// keys, one after the other, or by a trigger or rule.
type way struct {
	from  *dataset
	steps []reference
	// trigger writes to the table to, where the last step is one; else nil.
	trigger *trigger
	to      relation
	end     *dataset // that of to; nil where no dataset is
	allowed bool     // the manifest's cascades have it
}

// takes reports whether the rows at the end are deleted; else they are changed.
func (w way) takes() bool {
	return w.trigger == nil && w.steps[len(w.steps)-1].onDelete == goes
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
		fmt.Fprintf(&b, " → %s → %s", w.trigger, w.to.name)
	}
	return b.String()
}

// ways finds all that erasing rows of a dataset reaches, over any number of tables,
// those to what must stay first. A way ends where a dataset begins: the rest of it is
// that dataset's.
func (s *System) ways(d *dataset) []way {
	deleting := d.SQL.Erases(manifest.EraseDelete)
	var out []way
	var follow func(table string, steps []reference)
	follow = func(table string, steps []reference) {
		triggers := s.catalogue().on(table, deleting || len(steps) > 0)
		if deleting && len(steps) == 0 && d.SQL.Erases(manifest.EraseAnonymise) {
			triggers = append(triggers, s.catalogue().on(table, false)...)
		}
		for _, t := range triggers {
			for _, name := range t.writes {
				w := way{from: d, steps: steps, trigger: &t, to: relation{name: name}}
				for _, o := range s.datasets {
					if strings.EqualFold(o.SQL.Table, name) {
						w.end, w.to = o, o.relation
					}
				}
				// What it does to a dataset's table, or to those of a view, settle measures.
				w.allowed = d.lets(name) || w.end != nil || s.reads(d, name)
				out = append(out, w)
			}
		}
		if !deleting && len(steps) == 0 {
			return // the row stays, and with it what refers to it
		}
		for _, r := range s.catalogue().to(table) {
			if r.onDelete == blocks || len(out) >= maxWays || slices.ContainsFunc(steps, func(o reference) bool { return sameReference(o, r) }) {
				continue
			}
			w := way{from: d, steps: append(slices.Clone(steps), r), to: r.from, end: s.datasetOf(r.from.id)}
			w.allowed = d.lets(w.to.name) || !w.takes() && has(d.SQL.Unlinks, w.to.name)
			out = append(out, w)
			if r.onDelete == goes && w.end == nil {
				follow(r.from.id, w.steps)
			}
		}
	}
	for _, table := range append([]string{d.relation.id}, s.catalogue().reads[d.relation.id]...) {
		follow(table, nil)
	}
	slices.SortStableFunc(out, func(a, b way) int { return a.rank() - b.rank() })
	return out
}

func sameReference(a, b reference) bool {
	return a.from.id == b.from.id && a.to.id == b.to.id && slices.Equal(a.columns, b.columns)
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

// reach is what a plan or an erasure would reach beyond its own rows.
type reach struct {
	*System
	ways   map[*dataset][]way
	ends   map[*dataset]bool           // datasets that ways end at
	erased map[*dataset]map[string]int // by key, one of the jobs that erase it
	of     map[*dataset]map[int][]string
	gone   map[gone]bool // rows of datasets whose rows keep others'
}

// gone is a row that a job erases.
type gone struct {
	d   *dataset
	job int
	key string
}

// reach looks up what erasing reaches, in the catalogue as it is now.
func (s *System) reach(ctx context.Context, on executor) (*reach, error) {
	if err := s.freshen(ctx, on); err != nil {
		return nil, err
	}
	r := &reach{System: s, ways: map[*dataset][]way{}, ends: map[*dataset]bool{}, erased: map[*dataset]map[string]int{}, of: map[*dataset]map[int][]string{}, gone: map[gone]bool{}}
	for _, d := range s.datasets {
		if !d.SQL.Erases(manifest.EraseDelete) && !d.SQL.Erases(manifest.EraseAnonymise) {
			continue
		}
		if r.ways[d] = s.ways(d); len(r.ways[d]) > 0 {
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

// overreach is the error of an erasure that would take rows outside of its plan.
type overreach struct {
	reason string
	cause  dsar.Cause
}

func (e *overreach) Error() string { return e.reason }

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

func errOverreach(w way, rows int) error {
	what := fmt.Sprintf("%d rows of %s", rows, w.to.name)
	if rows == 0 {
		what = "rows of " + w.to.name
	}
	verb, cure := "delete", "have "+w.from.Name+" made anonymous, change what does it, or, where they may go, add "+w.to.name+" to the dataset's cascades"
	switch {
	case w.trigger != nil: // what it does to them isn't looked at
		verb, cure = "write, change or delete", "change what does it, or, where that may be, add "+w.to.name+" to the dataset's cascades"
	case !w.takes():
		verb, cure = "change", "have "+w.from.Name+" made anonymous, change what does it, or, where they may lose their reference, add "+w.to.name+" to the dataset's unlinks"
	}
	why := "which are nobody's in this erasure"
	switch {
	case w.end != nil && w.end.duties():
		if why = "of which some must stay"; w.takes() {
			cure = "have " + w.from.Name + " made anonymous, or change the foreign key"
		}
	case w.end != nil:
		why = "which are somebody else's, or are to be kept"
	}
	return &overreach{fmt.Sprintf("with the rows of %s the database would %s %s, %s (%s): %s", w.from.Name, verb, what, why, w, cure), w.cause()}
}

// check fails where what a job's erasure reaches is neither its own nor allowed.
// held are the datasets of which a hold keeps something. It returns how many rows go with
// its own that the manifest lets go, by table and way.
func (r *reach) check(ctx context.Context, on executor, job int, held map[string]bool) (all map[taken]int, err error) {
	for _, d := range r.System.erasing {
		keys := r.of[d][job]
		if len(keys) == 0 {
			continue
		}
		for _, w := range r.ways[d] {
			if w.trigger != nil {
				if !w.allowed {
					return nil, errOverreach(w, 0)
				}
				continue
			}
			if d.own.view { // its rows aren't what the foreign keys refer to; settle measures
				continue
			}
			if w.end != nil && w.takes() && held[w.end.Name] {
				continue // it is held, and what would take it is left
			}
			outside, some, err := r.follow(ctx, on, w, keys)
			switch {
			case reasonOf(err) == forbidden && w.allowed:
				continue
			case reasonOf(err) == forbidden:
				return nil, &overreach{fmt.Sprintf("the database's user may not read %s, so what would go with the rows of %s can't be told (%s): grant it SELECT", w.to.name, d.Name, w), w.cause()}
			case err != nil:
				return nil, err
			case outside > 0 && !w.allowed:
				return nil, errOverreach(w, outside)
			case some > 0 && w.allowed:
				if all == nil {
					all = map[taken]int{}
				}
				all[taken{d.Name, w.to.name, w.String(), !w.takes()}] += outside
			}
		}
	}
	return all, nil
}

// follow counts the rows at the end of a way from the given rows, and those of them
// that aren't erased themselves.
func (r *reach) follow(ctx context.Context, on executor, w way, keys []string) (outside, all int, err error) {
	for part := range slices.Chunk(keys, r.dialect.keysAtOnce()) {
		q := &statement{dialect: r.dialect}
		last := fmt.Sprintf("x%d", len(w.steps)-1)
		q.WriteString("SELECT ")
		columns := 1
		if w.end == nil {
			q.WriteString("COUNT(*)")
		} else {
			texts := w.end.keyTexts(r.dialect, last)
			columns = len(texts)
			q.WriteString(strings.Join(texts, ", "))
		}
		q.add(" FROM ", w.from.table, " AS t")
		near := "t"
		for i, step := range w.steps {
			alias := fmt.Sprintf("x%d", i)
			q.add(" JOIN ", step.from.sql, " AS ", alias, " ON ")
			for j := range step.columns {
				if j > 0 {
					q.WriteString(" AND ")
				}
				q.add(alias, ".", r.dialect.quote(step.columns[j]), " = ", near, ".", r.dialect.quote(step.targets[j]))
			}
			near = alias
		}
		q.WriteString(" WHERE ")
		if err := w.from.keyed(q, part); err != nil {
			return 0, 0, err
		}
		err := r.scan(ctx, on, q, columns, func(held []any) error {
			if w.end == nil {
				n, _ := held[0].(int64)
				outside, all = outside+int(n), all+int(n)
				return nil
			}
			key, err := w.end.keyOf(held)
			if err != nil {
				return err
			}
			all++
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

// tallies are what a connection's transaction has done so far, as the database itself
// counts it: by table, or, under the empty name, the sum of all.
type tallies map[string]tally

type tally struct {
	name             string
	deleted, changed int64
}

// settle holds an erasure, before it is committed, against what the database itself
// counted in the same transaction, since before: whatever foreign keys, triggers and
// rules did, also such as the catalogue doesn't show. Where the server doesn't count
// (track_counts), nothing is known.
func (e *erasure) settle(ctx context.Context, before tallies, lets []string) error {
	after, err := e.dialect.tallies(ctx, e.tx, e.m.SQL.Schema)
	if err != nil {
		return err
	}
	if sum, all := after[""]; all {
		return e.settleSum(sum.changed-before[""].changed, lets)
	}
	for _, id := range slices.Sorted(maps.Keys(after)) {
		t := after[id]
		deleted, changed := t.deleted-before[id].deleted, t.changed-before[id].changed
		ours, own := e.doneTo(id)
		switch {
		case has(lets, t.name):
			if extra := deleted - ours - e.takenFrom(t.name); extra > 0 {
				if err := e.letGo(t.name, extra); err != nil {
					return err
				}
			}
		case own && deleted > ours:
			return &overreach{fmt.Sprintf("the database deleted %d rows of %s where %d were to go; a foreign key, trigger or rule took the others with it, and all of it was undone: name %s in the cascades of the dataset that takes them, where they may go", deleted, t.name, ours, t.name), dsar.Cause{}}
		case !own && deleted+changed > 0:
			return &overreach{fmt.Sprintf("the database changed %d rows of %s, of which no dataset is; a foreign key, trigger or rule did, and all of it was undone: name %s in the cascades of the dataset with whose rows they go, where they may", deleted+changed, t.name, t.name), dsar.Cause{}}
		}
	}
	return nil
}

// takenFrom returns how many rows of a table were to go by foreign keys that the manifest lets.
func (e *erasure) takenFrom(table string) (rows int64) {
	for _, j := range e.jobs {
		for t, n := range j.taken {
			if t.table == table && !t.changes {
				rows += int64(n)
			}
		}
	}
	return rows
}

// letGo counts rows that a trigger or rule deleted from a table as the manifest lets it. Of
// several people's nobody knows whose row took them: each gets a transaction of their own
// (TestCase07ATriggerThatIsLet). Rows that may lose their reference may not go.
func (e *erasure) letGo(table string, rows int64) error {
	for _, h := range e.holdings {
		if len(h.erase) == 0 || !h.d.lets(table) {
			continue
		}
		if len(e.jobs) > 1 {
			break
		}
		j := e.jobs[0]
		if j.taken == nil {
			j.taken = map[taken]int{}
		}
		j.taken[taken{from: h.d.Name, table: table, way: h.d.Name + " → " + table}] += int(rows)
		return nil
	}
	return &overreach{fmt.Sprintf("the database deleted %d rows more of %s than foreign keys take; a trigger or rule did, and all of it was undone: name %s in the cascades of the dataset that takes them, where they may go", rows, table, table), dsar.Cause{}}
}

// doneTo returns how many rows of a table were to be deleted, and whether it is one
// that an erasure may touch: a dataset's, a part of it, or what its view reads.
func (e *erasure) doneTo(table string) (rows int64, own bool) {
	c := e.catalogue()
	for _, h := range e.holdings {
		id := h.d.relation.id
		if id == table || slices.Contains(c.parts[id], table) || slices.Contains(c.reads[id], table) {
			rows, own = rows+e.done[h.d], true
		}
	}
	return rows, own
}

// settleSum settles where the database counts all tables together.
func (e *erasure) settleSum(all int64, lets []string) error {
	ours := e.changed
	for _, n := range e.done {
		ours += n
	}
	ours += int64(e.taken)
	if all > ours && !e.triggered(lets) {
		return &overreach{fmt.Sprintf("the database changed %d rows more than were to be erased; a foreign key or trigger did, and all of it was undone: name the table in the dataset's cascades, where they may go", all-ours), dsar.Cause{}}
	}
	return nil
}

// triggered reports whether a trigger writes to one of the tables that may be
// reached: how often, only the trigger knows.
func (s *System) triggered(lets []string) bool {
	return slices.ContainsFunc(s.catalogue().triggers, func(t trigger) bool {
		return slices.ContainsFunc(t.writes, func(name string) bool { return has(lets, name) })
	})
}

// taken is a kind of rows that go, or change, with a dataset's as the manifest lets them.
type taken struct {
	from    string // the dataset
	table   string
	way     string
	changes bool // they stay, and lose their reference to what goes
}

// noteTaken tells a job what goes, or went, with its rows that the manifest lets go, and
// by which way.
func noteTaken(j *worker.Job, all map[taken]int, goes, changes string) {
	for _, t := range sortedTaken(all) {
		switch n := all[t]; {
		case n > 0 && t.changes:
			j.Note(worker.Note{Text: fmt.Sprintf("%d rows of %s (%s) %s, as the manifest lets them (unlinks, cascades)", n, t.table, t.way, changes)})
		case n > 0:
			j.Note(worker.Note{Text: fmt.Sprintf("%d rows of %s (%s) %s, as the manifest lets them (cascades)", n, t.table, t.way, goes)})
		}
	}
}

func sortedTaken(all map[taken]int) []taken {
	return slices.SortedFunc(maps.Keys(all), func(a, b taken) int { return cmp.Or(cmp.Compare(a.table, b.table), cmp.Compare(a.way, b.way)) })
}

// withTaken adds what went with a job's rows to the counts of the dataset that took it, by
// table.
func (s *System) withTaken(counts []dsar.Counts, all map[taken]int) []dsar.Counts {
	counts = slices.Clone(counts)
	for _, t := range sortedTaken(all) {
		if all[t] == 0 {
			continue
		}
		i := slices.IndexFunc(counts, func(c dsar.Counts) bool { return c.Dataset == t.from })
		if i < 0 {
			i, counts = len(counts), append(counts, dsar.Counts{Dataset: t.from})
		}
		counts[i].Taken = append(slices.Clip(counts[i].Taken), dsar.Taken{Table: t.table, Records: int64(all[t]), Changed: t.changes})
	}
	return counts
}

// Reaches looks at what erasing reaches beyond the datasets' own rows, by the
// catalogue alone, and returns what the manifest doesn't let go: an erasure that
// meets such rows is refused.
func (s *System) Reaches(ctx context.Context) ([]Advice, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	r, err := s.reach(ctx, s.db)
	if err != nil {
		return nil, err
	}
	var out []Advice
	for i, d := range s.datasets {
		for _, w := range r.ways[d] {
			if w.allowed || w.end != nil {
				continue
			}
			var over *overreach
			errors.As(errOverreach(w, 0), &over)
			what, cure, _ := strings.Cut(over.reason, "): ")
			out = append(out, Advice{Where: s.m.At(fmt.Sprintf("datasets[%d].sql", i)), What: what + ")", Cure: cure})
		}
	}
	return out, nil
}

// whole reads a whole number that the database wrote.
func whole(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}
