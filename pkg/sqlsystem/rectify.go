package sqlsystem

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// Rectify changes the fields that people corrected, in all of a person's
// records of the dataset, in one transaction for the batch. A column that the
// manifest doesn't list in sql.rectify is left as it is (what an invoice said, it
// said); where none of a person's corrections concerns one that it lists, a
// person must see to it. A dataset that the database doesn't let be read or changed
// is named.
func (s *System) Rectify(ctx context.Context, all []*worker.RectifyJob) error {
	jobs := rectifyJobs(all)
	err := s.rectifyAll(ctx, jobs)
	for i, j := range jobs {
		all[i].Counts = j.Counts
	}
	return err
}

func (s *System) rectifyAll(ctx context.Context, jobs []*counted) error {
	updates := make(map[*counted][]update, len(jobs))
	for _, j := range jobs {
		u, err := s.updates(j.Changes)
		if err != nil {
			j.Err = err
			continue
		}
		updates[j] = u
	}
	return s.transact(ctx, jobs, func(ctx context.Context, tx *sql.Tx, jobs []*counted, lacking lacks) error {
		return s.keeping(ctx, tx, jobs, func(b *bound) error {
			for _, j := range jobs {
				if err := b.rectifyOne(ctx, j, updates[j], lacking); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// rectifyOne makes one job's updates, and says what they leave as it is.
func (b *bound) rectifyOne(ctx context.Context, j *counted, updates []update, lacking lacks) error {
	chunks, all, err := b.still(ctx, b.tx, []*worker.Task{&j.Task})
	if err != nil {
		return err
	}
	stays, err := b.staying(ctx, j, chunks, lacking)
	if err != nil {
		return err
	}
	before, err := b.leads(ctx, chunks, lacking)
	if err != nil {
		return err
	}
	for _, u := range updates {
		if err := b.rectify(ctx, u, j, chunks, lacking[u.d.Name]); err != nil {
			return err
		}
		for _, m := range all {
			m.uncover(u.d, []*counted{j})
		}
	}
	if err := b.leadsAsBefore(ctx, j, updates, before, lacking); err != nil {
		return err
	}
	for _, l := range stays {
		if err := b.stayed(ctx, j, l); err != nil {
			return err
		}
	}
	return nil
}

// leadsAsBefore returns an error where the person's identifiers, with what was corrected of
// them, lead to other rows than before (TestCorrectionsLeadNowhereElse).
func (b *bound) leadsAsBefore(ctx context.Context, j *counted, updates []update, before led, lacking lacks) error {
	chunks, _, err := b.still(ctx, b.tx, []*worker.Task{b.corrected(&j.Task, updates)})
	if err != nil {
		return err
	}
	after, err := b.leads(ctx, chunks, lacking)
	if err != nil {
		return err
	}
	if d := after.elsewhere(before, updates); d != nil {
		return &rerouted{d}
	}
	return nil
}

// update is what changes in one dataset.
type update struct {
	d       *dataset
	columns []string
	values  []any
	texts   []string // as the person gave them
	names   []string // of the columns, as the manifest has them
}

// updates checks corrections and puts those of a dataset together, in the order
// of the manifest.
func (s *System) updates(changes []worker.Change) ([]update, error) {
	var out []update
	for _, d := range s.datasets {
		u := update{d: d}
		for _, c := range changes {
			if c.Dataset != d.Name || !slices.Contains(d.SQL.Corrigible(), c.Column) {
				continue
			}
			i := slices.IndexFunc(d.columns, func(f field) bool { return f.name == c.Column })
			value, ok := d.columns[i].kind.parse(c.Value)
			if !ok {
				return nil, worker.Permanent("bad-correction", "the corrected value of "+d.Name+"."+c.Column+" isn't what the column holds: ask the person again", nil)
			}
			column := d.SQL.Source(c.Column)
			if at := slices.Index(u.columns, column); at >= 0 {
				u.values[at], u.texts[at] = value, c.Value // the last word
				continue
			}
			u.columns = append(u.columns, column)
			u.values = append(u.values, value)
			u.texts = append(u.texts, c.Value)
			u.names = append(u.names, c.Column)
		}
		if u.columns != nil {
			out = append(out, u)
		}
	}
	if out == nil {
		return nil, worker.Permanent("not-rectifiable", "none of the corrected fields is one that the manifest lets be corrected: correct it by hand, or say no with the reason", nil)
	}
	return out, nil
}

// parse makes a value of a column from the text of a correction.
func (k kind) parse(s string) (any, bool) {
	switch k {
	case kindInteger:
		n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
		return n, err == nil
	case kindNumber:
		n, ok := decimal(strings.TrimSpace(s))
		return string(n), ok
	case kindBoolean:
		b, err := strconv.ParseBool(strings.TrimSpace(s))
		return b, err == nil
	case kindDate:
		s = strings.TrimSpace(s)
		_, err := time.Parse(time.DateOnly, s) // a day that there is: SQLite takes 2021-02-31
		return s, err == nil
	case kindDatetime:
		t, ok := parseInstant(strings.TrimSpace(s))
		if !ok {
			return nil, false
		}
		return instant(t), true
	case kindObject:
		return s, json.Valid([]byte(s))
	default:
		return s, !strings.ContainsRune(s, 0)
	}
}

// correctable are rows in which the same of an update's columns may be corrected.
type correctable struct {
	columns []int // by place in the update
	keys    []string
}

// of returns what of the update concerns these rows.
func (c correctable) of(u update) update {
	out := update{d: u.d}
	for _, i := range c.columns {
		out.columns, out.values, out.names = append(out.columns, u.columns[i]), append(out.values, u.values[i]), append(out.names, u.names[i])
		out.texts = append(out.texts, u.texts[i])
	}
	return out
}

// corrects reports whether a column may be corrected in a row that some ways lead to: one of
// them says so ([manifest.Way]). By another the row may be somebody else's, and what it says
// of them.
func (d *dataset) corrects(found ways, column string) bool {
	return slices.ContainsFunc(d.lookups, func(l *lookup) bool { return l.in(found) && slices.Contains(l.corrects, column) })
}

// correctable finds a chunk's rows of an update's dataset, those together in which the same
// may be corrected, and how many there are of all.
func (s *System) correctable(ctx context.Context, tx *sql.Tx, u update, c *chunk) (out []correctable, total int64, err error) {
	err = s.find(ctx, tx, u.d, c, today(s.now()), false, func(r *row) error {
		total++
		var columns []int
		for i, name := range u.names {
			if slices.ContainsFunc(r.owners, func(o hit) bool { return u.d.corrects(o.ways, name) }) {
				columns = append(columns, i)
			}
		}
		if columns == nil {
			return nil
		}
		at := slices.IndexFunc(out, func(o correctable) bool { return slices.Equal(o.columns, columns) })
		if at < 0 {
			at, out = len(out), append(out, correctable{columns: columns})
		}
		out[at].keys = append(out[at].keys, r.key)
		return nil
	})
	return out, total, err
}

func (b *bound) rectify(ctx context.Context, u update, j *counted, chunks []*chunk, lack lack) error {
	for _, c := range chunks {
		if lack.no[reading] {
			c.uncover(u.d, []*counted{j}, lack)
			continue
		}
		groups, total, err := b.correctable(ctx, b.tx, u, c)
		if err != nil {
			return err
		}
		if total == 0 {
			continue
		}
		n := dsar.Counts{Dataset: u.d.Name, Found: total}
		if lack.no[changing] {
			n.Uncovered, n.Cause = lack.reason, lack.cause
			j.Counts = append(j.Counts, n)
			continue
		}
		for _, g := range groups {
			if err := b.correct(ctx, g.of(u), j, g.keys); err != nil {
				return err
			}
			n.Rectified += int64(len(g.keys))
		}
		for i, name := range u.names {
			if slices.ContainsFunc(groups, func(g correctable) bool { return slices.Contains(g.columns, i) }) {
				n.Changed = append(n.Changed, name)
			} else {
				n.Unchanged = append(n.Unchanged, name)
			}
		}
		j.Counts = append(j.Counts, n)
	}
	return nil
}

// correct makes an update in the rows of some keys, and looks what they hold then.
func (b *bound) correct(ctx context.Context, u update, j *counted, keys []string) error {
	before, err := b.other(ctx, b.tx, u, keys)
	if err != nil {
		return err
	}
	err = b.change(ctx, u.d, u.columns, keys, func(q *statement) {
		q.WriteString(q.dialect.updates(u.d.table, u.d.own))
		for i, column := range u.columns {
			if i > 0 {
				q.WriteString(", ")
			}
			q.add(q.dialect.quote(column), " = ")
			col, _ := u.d.own.column(column, q.dialect)
			q.arg(q.dialect.constant(u.values[i], col))
		}
	})
	if err != nil {
		return err
	}
	after, err := b.other(ctx, b.tx, u, keys)
	if err != nil {
		return err
	}
	if left := before.in(after); left > 0 {
		return &shortfall{u.d, changing, left, true}
	}
	return b.stands(ctx, b.tx, u, j, keys)
}

// others are, by row and column, what the columns of a correction hold other than it.
type others map[string][]string

// in counts the rows of which a column holds the same in both. A trigger may write a
// corrected value in another way, as in capitals; what it keeps isn't corrected.
func (o others) in(after others) (rows int64) {
	for key, held := range after {
		before, there := o[key]
		for i := range held {
			if there && held[i] != "" && held[i] == before[i] {
				rows++
				break
			}
		}
	}
	return rows
}

// other reads what rows hold in the columns of a correction; empty where that is as it is
// to be.
func (s *System) other(ctx context.Context, tx *sql.Tx, u update, keys []string) (others, error) {
	keys, err := u.d.rowKeys(keys)
	if err != nil {
		return nil, err
	}
	out := others{}
	for part := range slices.Chunk(keys, s.dialect.keysAtOnce()) {
		q := &statement{dialect: s.dialect}
		q.add("SELECT ", strings.Join(u.d.keyTexts(s.dialect, "t"), ", "))
		for i, column := range u.columns {
			col, _ := u.d.own.column(column, s.dialect)
			q.WriteString(", CASE WHEN ")
			s.holds(q, writing{col, u.values[i]})
			q.add(" THEN NULL ELSE coalesce(", s.dialect.text("t."+s.dialect.quote(column)), ", 'null') END")
		}
		q.add(" FROM ", u.d.table, " AS t WHERE ")
		if err := u.d.keyed(q, part); err != nil {
			return nil, err
		}
		err := s.scan(ctx, tx, q, len(u.d.keys)+len(u.columns), func(held []any) error {
			key, err := u.d.keyOf(s.dialect, held[:len(u.d.keys)])
			for _, v := range held[len(u.d.keys):] {
				text, other := textOf(v)
				if other { // what holds an empty text isn't as it is to be
					text = "=" + text
				}
				out[key] = append(out[key], text)
			}
			return err
		})
		if err != nil {
			return nil, u.d.may(reading, err)
		}
	}
	return out, nil
}
