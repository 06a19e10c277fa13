package sqlsystem

import (
	"context"
	"fmt"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/worker"
)

// moved is an identifier that resolve found for a job's person, and that is somebody else's
// by now: the row is gone that it came of, and its number was given anew.
type moved struct {
	job int
	id  worker.Identifier
	f   *finder
	// unsure tells that it isn't moved: rows hold it in a writing of which nobody knows whose it
	// is ([System.asWritten]).
	unsure bool
}

// still returns the chunks by which the tasks of a batch are asked, without the identifiers
// that moved, which it returns beside.
func (s *System) still(ctx context.Context, on executor, tasks []*worker.Task) ([]*chunk, []moved, error) {
	tasks, kin, unsure, err := s.asWritten(ctx, on, tasks)
	if err != nil {
		return nil, nil, err
	}
	all, err := s.moved(ctx, on, tasks)
	if err != nil {
		return nil, nil, err
	}
	all = kin.spread(tasks, all)
	return s.chunks(without(tasks, all)), append(all, unsure...), nil
}

// without returns tasks without the identifiers that moved.
func without(tasks []*worker.Task, all []moved) []*worker.Task {
	if len(all) == 0 {
		return tasks
	}
	tasks = slices.Clone(tasks)
	for _, m := range all {
		t := *tasks[m.job]
		t.Identifiers = slices.DeleteFunc(slices.Clone(t.Identifiers), func(id worker.Identifier) bool { return id == m.id })
		tasks[m.job] = &t
	}
	return tasks
}

// moved looks, of the identifiers that resolve found here, which the person's others don't
// lead to any more. The writings of each are among them ([System.asWritten]). Such a one is somebody else's where a row has it that holds another
// identifier, which isn't the person's. Where no row has it, or one from which an erasure took
// them, it is the person's last as far as anybody knows: what it leads to is left of theirs,
// and so on (TestChainOfNumbers).
func (s *System) moved(ctx context.Context, on executor, tasks []*worker.Task) ([]moved, error) {
	own := make([]*worker.Task, len(tasks))
	from := make([]*worker.ResolveJob, len(tasks))
	found := 0
	for i, t := range tasks {
		own[i], from[i] = &worker.Task{}, &worker.ResolveJob{}
		for _, id := range t.Identifiers {
			if id.FoundHere && s.tellsMoved(id.Type) {
				own[i].Identifiers = append(own[i].Identifiers, id)
				found++
			} else {
				from[i].Identifiers = append(from[i].Identifiers, id)
			}
		}
	}
	if found == 0 {
		return nil, nil
	}
	if err := s.resolveBy(ctx, on, resolveTasks(from), nil, from); err != nil {
		return nil, err
	}
	for i, t := range own {
		t.Identifiers = slices.DeleteFunc(t.Identifiers, func(id worker.Identifier) bool {
			return slices.ContainsFunc(from[i].Found, func(f worker.Found) bool { return f.Type == id.Type && f.Value == id.Value })
		})
	}
	held, err := s.companions(ctx, on, tasks, own)
	if err != nil {
		return nil, err
	}
	return ofOthers(held), nil
}

// companions returns what rows hold beside those identifiers of tasks that own has.
func (s *System) companions(ctx context.Context, on executor, tasks, own []*worker.Task) (held []companion, err error) {
	all := s.chunks(tasks)
	for _, c := range s.chunks(own) {
		for _, f := range s.finders {
			if f.own == nil {
				continue
			}
			err := s.heldBeside(ctx, on, f, c, func(m moved, sub *subject, text string) {
				b := companion{m, idsAsking(all, m.job, sub, text)}
				if !slices.ContainsFunc(held, b.same) {
					held = append(held, b)
				}
			})
			if err != nil {
				return nil, f.explain(s, err)
			}
		}
	}
	return held, nil
}

// companion is what a row holds beside an identifier that resolve found for a job's person: by
// which of the person's identifiers it is asked for, in order; none, where it is somebody else's.
// The text itself isn't kept: it may be a stranger's, and any number of rows may hold others.
type companion struct {
	moved
	by []worker.Identifier
}

// same reports whether a companion says what another does.
func (b companion) same(o companion) bool { return b.moved == o.moved && slices.Equal(b.by, o.by) }

// idsAsking returns the identifiers of a job's person that ask for a text in a subject.
func idsAsking(chunks []*chunk, job int, sub *subject, text string) (ids []worker.Identifier) {
	for _, c := range chunks {
		for _, h := range c.hits(sub, text) {
			if h.job == job {
				ids = append(ids, *h.id)
			}
		}
	}
	return ids
}

// ofOthers returns those of the identifiers that a row holds beside another that isn't the
// person's: neither told of them nor found for them, or found and moved itself, so that what
// it led to is looked at anew.
func ofOthers(held []companion) (out []moved) {
	for before := -1; before < len(out); {
		before = len(out)
		for _, b := range held {
			told := func(id worker.Identifier) bool {
				return slices.ContainsFunc(out, func(o moved) bool { return o.job == b.job && o.id == id })
			}
			if !told(b.id) && !slices.ContainsFunc(b.by, func(id worker.Identifier) bool { return !told(id) }) {
				out = append(out, b.moved)
			}
		}
	}
	return out
}

// tellsMoved reports whether it can be told of identifiers of a type that they moved: tasks
// are told all that those are found by.
func (s *System) tellsMoved(t dsar.IdentifierType) bool {
	finds := false
	for _, f := range s.finders {
		if f.find != t {
			continue
		}
		finds = true
		for _, sub := range f.subjects {
			if !slices.Contains(s.m.Needs, sub.typ) {
				return false
			}
		}
	}
	return finds
}

// heldBeside calls visit with what rows of a finder's table hold beside each identifier of a
// chunk, by which people are found.
func (s *System) heldBeside(ctx context.Context, on executor, f *finder, c *chunk, visit func(m moved, sub *subject, text string)) error {
	own := []subject{*f.own}
	if len(c.asked(own)) == 0 {
		return nil
	}
	q := &statement{dialect: s.dialect}
	q.add("SELECT ", f.own.shown())
	for _, sub := range f.subjects {
		q.add(", ", sub.shown())
	}
	q.add(" FROM ", f.table, " AS t")
	for _, join := range f.joins {
		q.add(" ", join)
	}
	q.WriteString(" WHERE ")
	c.where(q, own)
	if f.where != "" {
		q.add(" AND ", f.lookup.where)
	}
	return s.scan(ctx, on, q, 1+len(f.subjects), func(held []any) error {
		for i := range f.subjects {
			sub := &f.subjects[i]
			text, there := textOf(held[1+i])
			if !there || identifier.Trim(text) == "" || sub.couldMake(text) {
				continue
			}
			for _, o := range c.owners(nil, own, held[:1]) {
				for _, id := range c.tasks[slices.Index(c.jobs, o.job)].Identifiers {
					if id.Type == o.id.Type && s.identifiers.Normalise(id.Type, id.Value) == s.identifiers.Normalise(id.Type, o.id.Value) {
						visit(moved{job: o.job, id: id, f: f}, sub, text)
					}
				}
			}
		}
		return nil
	})
}

// reason says to a support agent what was left of what an identifier finds that moved.
func (m moved) reason() string {
	if m.unsure {
		return fmt.Sprintf("a %s of the person's is written in several ways where people's own are, and rows that have yet another were left: look whose they are", kindOfIdentifier(m.id.Type))
	}
	return fmt.Sprintf("a %s that was found for the person leads to somebody else by now, and what is found by it was left: look whether any of it is the person's", kindOfIdentifier(m.id.Type))
}

// cause says the same in fields.
func (m moved) cause(d *dataset) dsar.Cause {
	return dsar.Cause{Dataset: d.Name, Table: m.f.own.table, Columns: []string{m.f.own.column}}
}

// leaves reports whether rows of a dataset are found by identifiers of the type that moved.
func (m moved) leaves(d *dataset) bool {
	return slices.ContainsFunc(d.subjects, func(sub subject) bool { return sub.typ == m.id.Type })
}

// uncoverMoved names what an erasure or its proof leaves of a dataset, since what it was to
// be found by moved. Where the row that this came of is in the job's plan, so is all that was
// found by it, and nothing is missing.
func uncoverMoved(all []moved, d *dataset, jobs []*counted) {
	for _, m := range all {
		j := jobs[m.job]
		planned := slices.ContainsFunc(j.planned, func(e worker.Entry) bool { return slices.Contains(m.f.datasets, e.Dataset) })
		if (!planned || m.unsure) && !j.ByKeys {
			m.uncover(d, jobs)
		}
	}
}

// uncover names what was left of a dataset.
func (m moved) uncover(d *dataset, jobs []*counted) {
	if !m.leaves(d) {
		return
	}
	j, cause := jobs[m.job], m.cause(d)
	i := slices.IndexFunc(j.Counts, func(c dsar.Counts) bool { return c.Dataset == d.Name })
	if i < 0 {
		i, j.Counts = len(j.Counts), append(j.Counts, dsar.Counts{Dataset: d.Name})
	}
	if n := &j.Counts[i]; n.Uncovered == "" {
		n.Uncovered, n.Cause = m.reason(), &cause
	}
}
