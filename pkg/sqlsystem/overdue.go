package sqlsystem

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/worker"
)

// MaxOverdue is how many records beyond their storage period are counted of one dataset:
// more are at least so many.
const MaxOverdue = 100_000

// errEnough ends a count.
var errEnough = telemetry.Constant("enough")

// Overdue counts, of each dataset whose storage period is data ([manifest.Stored]), the
// records that lie beyond it and that no rule of retention has stay. What a hold keeps is
// counted too: the database doesn't know of holds. Records that were made anonymous are
// nobody's any more, and aren't counted.
func (s *System) Overdue(ctx context.Context) ([]worker.Overdue, error) {
	var out []worker.Overdue
	for _, d := range s.datasets {
		if d.stored == nil {
			continue
		}
		o := worker.Overdue{Dataset: d.Name, Before: d.stored.period.FirstKept(s.now())}
		q := &statement{dialect: s.dialect}
		columns := []string{"1"}
		for _, r := range d.retention {
			columns = append(columns, r.text)
		}
		q.add("SELECT ", strings.Join(columns, ", "), " FROM ")
		d.from(q)
		q.args = append(q.args, o.Before.Format(time.DateOnly))
		q.add(" WHERE ", d.stored.day, " < ", s.dialect.dayParameter(len(q.args)))
		for _, condition := range []string{d.storedWhere, d.somebodys()} {
			if condition != "" {
				q.add(" AND (", condition, ")")
			}
		}
		day, laws := today(s.now()), d.laws()
		err := s.scan(ctx, s.db, q, len(columns), func(held []any) error {
			if !d.retained(held[1:], day, laws).kept {
				o.Records++
			}
			if o.Records == MaxOverdue {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			return out, d.may(reading, err)
		}
		out = append(out, o)
	}
	return out, nil
}

// laws returns every law for which a rule of retention has a period of its own, and none,
// which has the others': who a record is of isn't known here, so that the longest counts.
func (d *dataset) laws() []string {
	laws := []string{""}
	for i := range d.retention {
		laws = append(laws, slices.Sorted(maps.Keys(d.retention[i].byLaw))...)
	}
	return laws
}

// somebodys returns the condition that a row is somebody's, where an erasure makes rows
// anonymous; else it is empty.
func (d *dataset) somebodys() string {
	if !d.SQL.Erases(manifest.EraseAnonymise) {
		return ""
	}
	var any []string
	for i := range d.subjects {
		any = append(any, d.subjects[i].alone()+" IS NOT NULL")
	}
	return strings.Join(any, " OR ")
}

// stored makes the rule of a storage period that is data.
func (c *compiler) stored(ctx context.Context, path string, d *dataset) error {
	if d.Stored == nil {
		return nil
	}
	r, err := c.rule(ctx, strings.TrimSuffix(path, ".sql")+".storage", d, d.Stored.Rule())
	if err != nil {
		return err
	}
	d.stored = &r
	d.storedWhere, err = c.where(ctx, path, d.SQL.Table, "t", d.SQL.Where)
	return err
}
