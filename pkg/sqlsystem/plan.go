package sqlsystem

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// Plan writes the keys of what is held of many people, and of what of it must stay:
// one query for each dataset. A dataset that the database doesn't let be read is
// named.
func (s *System) Plan(ctx context.Context, jobs []*worker.PlanJob) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	day := today(s.now())
	tasks := make([]*worker.Task, len(jobs))
	for i, j := range jobs {
		tasks[i] = &j.Task
	}
	chunks := s.chunks(tasks)
	for _, d := range s.datasets {
		for _, c := range chunks {
			err := d.may(reading, s.planDataset(ctx, d, c, day, jobs))
			var no *denied
			if errors.As(err, &no) {
				for _, i := range c.concerned(d) {
					jobs[i].Plan.Uncovered(d.Name, no.reason())
				}
			} else if err != nil {
				return s.explain(err)
			}
		}
	}
	return nil
}

// planDataset plans one dataset for the jobs of a chunk.
func (s *System) planDataset(ctx context.Context, d *dataset, c *chunk, day time.Time, jobs []*worker.PlanJob) error {
	asked := c.asked(d.subjects)
	if len(asked) == 0 {
		return nil
	}
	var columns []string
	for _, sub := range asked {
		columns = append(columns, sub.expr)
	}
	for _, r := range d.retention {
		columns = append(columns, r.text)
	}
	for _, k := range d.key {
		columns = append(columns, "CAST("+k+" AS TEXT)")
	}
	q := &statement{dialect: s.dialect}
	q.add("SELECT ", strings.Join(columns, ", "))
	c.whose(q, d, asked)
	q.WriteString(" ORDER BY ")
	if len(asked) == 1 { // person by person: see gatherDataset
		q.add("1, ")
	}
	q.WriteString(d.order)
	rows, err := s.query(ctx, s.db, q)
	if err != nil {
		return err
	}
	defer rows.Close()
	held := make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range held {
		into[i] = &held[i]
	}
	dated := len(asked) + len(d.retention)
	key := make([]string, len(d.key))
	var owners []hit
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if owners = c.owners(owners[:0], asked, held); len(owners) == 0 {
			if c.loose(asked) {
				continue
			}
			return errNobody(d.Name)
		}
		for i := range key {
			key[i], _ = textOf(held[dated+i])
		}
		ground, until, kept := d.retained(held[len(asked):dated], day)
		for _, o := range owners {
			j := jobs[o.job]
			if j.Err != nil {
				continue
			}
			switch {
			case kept:
				j.Err = j.Plan.Keep(d.Name, worker.Key(key...), dsar.Retention{Ground: ground, Until: until})
			case slices.Contains(j.Holds, d.Name):
				j.Err = j.Plan.Keep(d.Name, worker.Key(key...), dsar.Retention{Ground: dsar.LegalHold})
			default:
				j.Err = j.Plan.Erase(d.Name, worker.Key(key...))
			}
		}
	}
	return rows.Err()
}
