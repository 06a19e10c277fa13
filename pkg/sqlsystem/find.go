package sqlsystem

import (
	"context"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// row is a row of a dataset that is somebody's of those asked for.
type row struct {
	key    string
	owners []hit // of this row only, until the next
	stay
}

// stay says whether a row must stay, on which ground and until when; the zero time
// where no end is known.
type stay struct {
	kept   bool
	ground string
	until  time.Time
}

// find hands the rows of a dataset that belong to a chunk's jobs to visit, each once
// with all whose it is; in the order of their keys where that is asked for.
func (s *System) find(ctx context.Context, on executor, d *dataset, c *chunk, day time.Time, ordered bool, visit func(*row) error) (err error) {
	defer func() { err = d.may(reading, err) }()
	asked := c.asked(d.subjects)
	if len(asked) == 0 {
		return nil
	}
	sr := &search{asked: asked, columns: d.judged(s.dialect), keyed: true, ordered: ordered}
	keys := len(asked) + len(d.retention)
	var r row
	return s.search(ctx, on, d, c, sr, func(held []any, owners []hit) error {
		key, err := d.planKey(s.dialect, held[keys:])
		if err != nil {
			return err
		}
		r.key, r.owners, r.stay = key, owners, d.retained(held[len(asked):keys], day, c.laws())
		return visit(&r)
	})
}

// judged returns what is selected of a row to judge it: the dates of its retention,
// its key.
func (d *dataset) judged(dialect Dialect) []string {
	var columns []string
	for _, r := range d.retention {
		columns = append(columns, r.text)
	}
	return append(columns, d.planned(dialect)...)
}

// scan runs a query of so many columns and hands each row to visit.
func (s *System) scan(ctx context.Context, on executor, q *statement, columns int, visit func(held []any) error) error {
	rows, err := s.query(ctx, on, q)
	if err != nil {
		return err
	}
	defer rows.Close()
	held, into := make([]any, columns), make([]any, columns)
	for i := range held {
		into[i] = &held[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := visit(held); err != nil {
			return err
		}
	}
	return rows.Err()
}

// byKey hands the rows of the given keys to visit, with whether they must stay and the
// ways whose values are set. Lost tells of a row that
// the row is gone which had the date of its retention: whether it must stay is as planned.
func (s *System) byKey(ctx context.Context, on executor, d *dataset, m making, keys []string, day time.Time, laws func(key string) []string, visit func(key string, is stay, lost bool, set ways)) (err error) {
	defer func() { err = d.may(reading, err) }()
	if keys, err = d.rowKeys(keys); err != nil {
		return err
	}
	for part := range slices.Chunk(keys, s.dialect.keysAtOnce()) {
		q := &statement{dialect: s.dialect, making: m}
		selected := d.judged(s.dialect)
		columns := len(selected)
		q.add("SELECT ", strings.Join(selected, ", "))
		setters := d.asErased(q)
		q.WriteString(" FROM ")
		d.from(q)
		q.WriteString(" WHERE ")
		if err := d.keyed(q, part); err != nil {
			return err
		}
		err := s.scan(ctx, on, q, columns+len(setters), func(held []any) error {
			key, err := d.planKey(s.dialect, held[columns-d.width():columns])
			if err != nil {
				return err
			}
			var set ways
			for i, l := range setters {
				if is, _ := textOf(held[columns+i]); yes(is) {
					set |= 1 << l.number
				}
			}
			dates := held[:columns-d.width()]
			visit(key, d.retained(dates, day, laws(key)), d.lost(dates), set)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// retained reports whether a record must stay on a day under any of some laws, on which
// ground (that of the rule that holds longest) and until when. Dates are as the rules'
// text has them; one that is missing, unless the rule says otherwise, or can't be read has
// no end; nor has one whose period ends beyond what can be written, the usual sign of "for
// ever" ([dsar.KnownEnd]).
func (d *dataset) retained(dates []any, day time.Time, laws []string) (is stay) {
	for i := range d.retention {
		r := &d.retention[i]
		text, dated := textOf(dates[i])
		// PostgreSQL's dates before the year 1.
		if !dated && r.undatedGo || strings.HasSuffix(text, " BC") || text == "-infinity" {
			continue
		}
		from, err := time.Parse(time.DateOnly, text)
		for _, law := range laws {
			period, applies := r.under(law)
			if !applies {
				continue
			}
			if err != nil {
				return stay{true, r.ground, time.Time{}}
			}
			end := period.After(from)
			if !end.After(day) {
				continue
			}
			if now := (stay{true, r.ground, dsar.KnownEnd(end)}); !is.kept || now.longer(is) {
				is = now
			}
		}
	}
	return is
}

// under returns for how long a rule has records stay where a person asks under a law; false
// where it has them stay for none.
func (r *rule) under(law string) (manifest.Span, bool) {
	own, differs := r.byLaw[law]
	switch {
	case !differs:
		return r.period, true
	case own == nil:
		return manifest.Span{}, false
	default:
		return *own, true
	}
}

// lost reports whether a date is missing that another row had.
func (d *dataset) lost(dates []any) bool {
	for i, r := range d.retention {
		if _, dated := textOf(dates[i]); r.led && !dated {
			return true
		}
	}
	return false
}

func today(now time.Time) time.Time {
	y, m, d := now.UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// noLaw returns no law: it doesn't matter why a row stays.
func noLaw(string) []string { return nil }

// longer reports whether a row must stay longer by s than by other. What has no end stays
// longest.
func (s stay) longer(other stay) bool {
	switch {
	case !s.kept:
		return false
	case !other.kept:
		return true
	default:
		return !other.until.IsZero() && (s.until.IsZero() || s.until.After(other.until))
	}
}
