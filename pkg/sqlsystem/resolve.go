package sqlsystem

import (
	"context"
	"strconv"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// Resolve finds more identifiers of many people: one query for each entry
// of sql.resolve, and again by what was found so, as long as that finds more
// (TestOwnFinds). What is found comes in the order of its bytes.
func (s *System) Resolve(ctx context.Context, jobs []*worker.ResolveJob) error {
	if err := s.lookForFilters(ctx, s.db); err != nil {
		return s.explain(err)
	}
	tasks := resolveTasks(jobs)
	written, kin, _, err := s.asWritten(ctx, s.db, tasks)
	if err != nil {
		return err
	}
	all, err := s.moved(ctx, s.db, written)
	if err != nil {
		return err
	}
	if len(all) > 0 { // what is written as one that moved is left, too
		written, kin, _, err = s.asWritten(ctx, s.db, without(tasks, kin.spread(written, all)))
		if err != nil {
			return err
		}
	}
	return s.resolveBy(ctx, s.db, written, kin, jobs)
}

func resolveTasks(jobs []*worker.ResolveJob) []*worker.Task {
	tasks := make([]*worker.Task, len(jobs))
	for i, j := range jobs {
		tasks[i] = &j.Task
	}
	return tasks
}

// resolveBy finds more identifiers by those of tasks, whose writings are among them, and by
// what it finds, whoever has by now what was found before, as a connection or transaction
// sees it.
func (s *System) resolveBy(ctx context.Context, on executor, tasks []*worker.Task, kin kin, jobs []*worker.ResolveJob) error {
	seen := make([]int, len(jobs)) // how many of a job's finds were asked by
	for range maxRounds {
		if err := s.resolveOnce(ctx, on, tasks, kin, jobs); err != nil {
			return err
		}
		more := false
		tasks = make([]*worker.Task, len(jobs))
		for i, j := range jobs {
			tasks[i] = &worker.Task{}
			for _, f := range j.Found[seen[i]:] {
				tasks[i].Identifiers = append(tasks[i].Identifiers, worker.Identifier{Type: f.Type, Value: f.Value})
			}
			seen[i] = len(j.Found)
			more = more || len(tasks[i].Identifiers) > 0
		}
		if !more {
			return nil
		}
		var err error
		if tasks, kin, _, err = s.asWritten(ctx, on, tasks); err != nil {
			return err
		}
	}
	return nil
}

func (s *System) resolveOnce(ctx context.Context, on executor, tasks []*worker.Task, kin kin, jobs []*worker.ResolveJob) error {
	for _, c := range s.chunks(tasks) {
		for _, f := range s.finders {
			if hidden := s.filteredOf(f.reads); hidden != "" && len(c.asked(f.subjects)) > 0 {
				return worker.Because(dsar.Cause{Table: f.called, Permission: "BYPASSRLS"}, worker.Permanent("no-permission", filteredReason(hidden), nil))
			}
			if err := s.resolve(ctx, on, f, c, kin, jobs); err != nil {
				return f.explain(s, err)
			}
		}
	}
	return nil
}

// explain words a database's error for a support agent.
func (f *finder) explain(s *System, err error) error {
	if reasonOf(err) == forbidden {
		return worker.Because(dsar.Cause{Table: f.called, Permission: "SELECT"}, worker.Permanent("no-permission", "the database's user may not read the table "+strconv.Quote(f.called)+", in which "+string(f.find)+" is found: grant it SELECT", err))
	}
	return s.explain(err)
}

func (s *System) resolve(ctx context.Context, on executor, f *finder, c *chunk, kin kin, jobs []*worker.ResolveJob) error {
	asked := c.asked(f.subjects)
	if len(asked) == 0 {
		return nil
	}
	q := &statement{dialect: s.dialect}
	q.add("SELECT DISTINCT ", f.expr)
	for _, sub := range asked {
		q.add(", ", sub.shown())
	}
	q.add(" FROM ", f.table, " AS t")
	for _, join := range f.joins {
		q.add(" ", join)
	}
	q.add(" WHERE ", f.expr, " IS NOT NULL AND ")
	c.where(q, asked)
	if f.where != "" {
		q.add(" AND ", f.lookup.where)
	}
	q.WriteString(" ORDER BY 1")
	rows, err := s.query(ctx, on, q)
	if err != nil {
		return err
	}
	defer rows.Close()
	held := make([]any, 1+len(asked))
	into := make([]any, len(held))
	for i := range held {
		into[i] = &held[i]
	}
	var owners []hit
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		owners = c.owners(owners[:0], asked, held[1:])
		if len(owners) == 0 {
			if c.loose(asked) {
				continue
			}
			return errNobody("sql.resolve")
		}
		value, ok := textOf(held[0])
		if !ok || value == "" {
			continue
		}
		for _, o := range owners {
			j := jobs[o.job]
			// A job that finds more than a person has fails in the SDK; it need not
			// be told of all of it.
			if len(j.Found) <= worker.MaxFound && !found(j.Found, f, value) {
				j.Found = append(j.Found, worker.Found{Type: f.find, Value: value, From: kin.of(o.job, *o.id)})
			}
		}
	}
	return rows.Err()
}

func found(list []worker.Found, f *finder, value string) bool {
	for _, have := range list {
		if have.Type == f.find && have.Value == value {
			return true
		}
	}
	return false
}
