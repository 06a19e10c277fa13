package sqlsystem

import (
	"context"
	"slices"
	"strings"

	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// whose looks at rows that are there, and planned for somebody, and not found anew to be
// theirs: what they lead to now, by every way and through all of its joins, says whether
// somebody else has them by now. Of one that leads to nobody, what led to its person is
// gone; but where the person's own was deleted long ago, and never had to stay, one that has its
// number by now may never have been theirs.
func (e *examination) whose(ctx context.Context, h *holding, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	all, err := e.leadings(ctx, h.d, keys)
	if err != nil {
		return err
	}
	for _, key := range keys {
		r := h.rows[key]
		for i := range r.shares {
			s := &r.shares[i]
			if s.planned && !s.found && !s.met {
				s.others, s.several = e.somebodyElses(h.d, s.job, all[key])
				s.nobodys = e.jobs[s.job].ByKeys && s.keep == nil && !s.due && h.d.act(s.ways).deletes && all[key].leadsToNobody()
			}
		}
	}
	return nil
}

// isOthers reports whether a job's part in a row is somebody else's by now. One that leads to
// several people and must stay, as the plan or a fresh erasure has it, stays for the
// person, too: what led to them went with the erasure.
func (e *examination) isOthers(s share, stays *stay) bool {
	return s.others && !(s.several && stays != nil && (s.keep != nil || !e.jobs[s.job].ByKeys))
}

// leading is what a row leads to by the ways of its dataset.
type leading struct {
	held  [][]any // by subject; several, where joins or an array lead to several
	begun ways    // those through other tables whose joins the row has values for
	ended ways    // those that led to a row
}

// leadsToNobody reports whether a row leads to nobody at all.
func (l *leading) leadsToNobody() bool {
	return !slices.ContainsFunc(l.held, func(values []any) bool { return len(values) > 0 })
}

// leadings returns what rows lead to, by key.
func (e *examination) leadings(ctx context.Context, d *dataset, keys []string) (map[string]*leading, error) {
	rows, err := d.rowKeys(keys)
	if err != nil {
		return nil, err
	}
	all := make(map[string]*leading, len(keys))
	for _, key := range keys {
		all[key] = &leading{held: make([][]any, len(d.subjects))}
	}
	for part := range slices.Chunk(rows, e.dialect.keysAtOnce()) {
		for _, l := range lookupsOf(d.subjects) {
			if err := d.may(reading, e.leadBy(ctx, d, l, part, all)); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// leadBy adds what rows lead to by one way.
func (e *examination) leadBy(ctx context.Context, d *dataset, l *lookup, rows []string, all map[string]*leading) error {
	ask := func(selected []string, from func(*statement), conditions string, visit func(*leading, []any)) error {
		selected = append(selected, d.planned(e.dialect)...)
		q := &statement{dialect: e.dialect}
		q.add("SELECT ", strings.Join(selected, ", "), " FROM ")
		from(q)
		q.WriteString(" WHERE ")
		if err := d.keyed(q, rows); err != nil {
			return err
		}
		if conditions != "" {
			q.add(" AND ", conditions)
		}
		return e.scan(ctx, e.on, q, len(selected), func(held []any) error {
			key, err := d.planKey(e.dialect, held[len(held)-d.width():])
			if of := all[key]; of != nil {
				visit(of, held)
			}
			return err
		})
	}
	if len(l.steps) > 0 {
		conditions := l.where
		for _, near := range l.steps[0].columns {
			conditions = and(conditions, "t."+e.dialect.quote(near)+" IS NOT NULL")
		}
		if err := ask(nil, d.from, conditions, func(of *leading, _ []any) { of.begun |= 1 << l.number }); err != nil {
			return err
		}
	}
	var subjects []int
	var selected []string
	for i, sub := range d.subjects {
		if sub.lookup == l {
			subjects, selected = append(subjects, i), append(selected, sub.shown())
		}
	}
	return ask(selected, func(q *statement) { d.through(q, l) }, l.where, func(of *leading, held []any) {
		of.ended |= 1 << l.number
		for n, i := range subjects {
			if text, _ := textOf(held[n]); identifier.Trim(text) != "" && !d.subjects[i].couldMake(text) {
				of.held[i] = append(of.held[i], held[n])
			}
		}
	})
}

// somebodyElses reports whether a row leads to other identifiers than a job's, and to none
// of the job's. While an erasure is fresh, a way of the job's that breaks off says that the
// person's row, which led there, went first; long after it, that a number was given anew.
// A row that leads only to identifiers of types that the job doesn't know is somebody
// else's where the person's stood in the row itself and were taken out, other than by an
// erasure or a foreign key. Several tells that it leads there only by ways that lead to
// several rows: it may have led to both of them.
func (e *examination) somebodyElses(d *dataset, job int, row *leading) (is, several bool) {
	j := e.jobs[job]
	var others, unknown, stood, may, broken bool
	several = true
	for i := range d.subjects {
		sub := &d.subjects[i]
		several = several && (sub.many || len(row.held[i]) == 0)
		if !slices.ContainsFunc(j.known(), func(id worker.Identifier) bool { return id.Type == sub.typ && len(e.forms(sub.match, id.Value)) > 0 }) {
			unknown = unknown || len(row.held[i]) > 0
			continue
		}
		for _, value := range row.held[i] {
			if asksBy(e.chunks, job, d.subjects[i:i+1], value) {
				return false, false
			}
			others = true
		}
		stood, may = true, may || e.mayVanish(d, sub)
		broken = broken || sub.in(row.begun) && !sub.in(row.ended)
	}
	return others && (j.ByKeys || !broken) || unknown && stood && !may, several
}

// asksBy reports whether chunks ask, for a job, by what a row holds in a subject.
func asksBy(chunks []*chunk, job int, in []subject, held any) bool {
	return slices.ContainsFunc(chunks, func(c *chunk) bool {
		return slices.Contains(c.jobs, job) && slices.ContainsFunc(c.owners(nil, in, []any{held}), func(o hit) bool { return o.job == job })
	})
}

// mayVanish reports whether what a row holds in a subject may be gone though the row is
// its person's: it is in another table, or an erasure or a foreign key takes it out.
func (e *examination) mayVanish(d *dataset, sub *subject) bool {
	if len(sub.steps) > 0 {
		return true
	}
	for _, o := range d.alike() {
		for _, l := range o.lookups {
			for name := range l.sets {
				if manifest.ParseSource(name).Column == sub.column {
					return true
				}
			}
		}
	}
	return slices.ContainsFunc(e.catalogue().references, func(r reference) bool {
		return r.from.id == d.relation.id && r.onDelete == detaches && slices.Contains(r.columns, sub.column)
	})
}
