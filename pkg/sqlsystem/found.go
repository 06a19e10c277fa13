package sqlsystem

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/manifest"
)

// Identifiers looks whether people can be found: columns of identifiers that hold nothing
// although their tables have rows, or addresses and telephone numbers that are found by no
// other writing, and rules of resolve that lead from one identifier to several people. Each
// look ends after 20 seconds, and says nothing then.
func (s *System) Identifiers(ctx context.Context) ([]Advice, error) {
	var out []Advice
	add := func(a Advice) {
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	looked := map[string]bool{}
	var subjects []subject
	for _, d := range s.datasets {
		subjects = append(subjects, d.subjects...)
	}
	for _, f := range s.finders {
		subjects = append(subjects, f.subjects...)
	}
	for _, sub := range subjects {
		if sub.element != "" {
			continue
		}
		from, column := " FROM "+s.table(sub.table), s.dialect.quote(sub.column)
		if s.any(ctx, "SELECT 1"+from+" LIMIT 1") && !s.any(ctx, "SELECT 1"+from+" WHERE "+column+" IS NOT NULL LIMIT 1") {
			add(Advice{s.m.At(sub.path), fmt.Sprintf("the column %q of %s holds nothing in any row: nobody is found by it", sub.column, sub.table), "name another, or leave it out"})
		}
		if looked[sub.table+"."+sub.column] || !isWritten(sub.typ) || sub.held.part {
			continue
		}
		looked[sub.table+"."+sub.column] = true
		if n, all := s.notFindable(ctx, &sub); n > 0 {
			add(Advice{s.m.At(sub.path), fmt.Sprintf("of %d values of the column %q of %s that were looked at, %d are found by no other writing of the same %s: there is a name or another beside it, it has letters that databases don't bring together, or no country is known", all, sub.column, sub.table, n, kindOfIdentifier(sub.typ)), "write one address, or one number with + and its country, in each; set identifiers.country where numbers are written as in one country"})
		}
	}
	for i, f := range s.finders {
		r := s.m.SQL.Resolve[i]
		if r.One || r.Strength == "weak" || len(f.joins) > 0 {
			continue
		}
		for _, sub := range f.subjects {
			t, err := s.describe(ctx, sub.table)
			if err != nil || sub.element != "" || t.tells([]string{sub.column}) {
				continue
			}
			condition := "t." + s.dialect.quote(sub.column) + " IS NOT NULL"
			query := "SELECT 1 FROM " + f.table + " AS t WHERE " + and(condition, f.where) + " GROUP BY " + sub.expr + " HAVING count(DISTINCT " + f.expr + ") > 1 LIMIT 1"
			if s.any(ctx, query) {
				add(Advice{s.m.At(sub.path), fmt.Sprintf("several people of %s have one %s: whoever asks by it is taken for all of them", sub.table, sub.typ), "add one: true, and a person decides which is meant; or strength: weak"})
			}
		}
	}
	return out, ctx.Err()
}

// maxWritten is how many values of a column are looked at for how they are written.
const maxWritten = 100_000

// notFindable counts the values of a column that no other writing of the same identifier
// finds, of so many. What an erasure puts there is none.
func (s *System) notFindable(ctx context.Context, sub *subject) (n, all int) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	column := s.dialect.quote(sub.column)
	query := "SELECT " + s.dialect.text(column) + " FROM " + s.table(sub.table) + " WHERE " + column + " IS NOT NULL LIMIT " + strconv.Itoa(maxWritten)
	_ = s.looking(ctx, func(tx *sql.Tx) error {
		return each(ctx, tx, query, func(row []string) {
			value := identifier.Trim(row[0])
			if value == "" || sub.couldMake(value) {
				return
			}
			all++
			patterned := identifier.Malformed(sub.typ, value) == "" && len(s.patterns(sub.match, value)) > 0
			if !patterned && !s.identifiers.Findable(sub.typ, value) {
				n++
			}
		})
	})
	return n, all
}

// any reports whether a query returns a row, as far as it is answered.
func (s *System) any(ctx context.Context, query string, args ...any) (there bool) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	_ = s.looking(ctx, func(tx *sql.Tx) error { return each(ctx, tx, query, func([]string) { there = true }, args...) })
	return there
}

// triedRows is in how many rows of a dataset values are tried: two, since the second may
// collide with the first.
const triedRows = 2

// TrySets sets, in two rows of each dataset, what an erasure sets, and takes it back: what
// the database refuses of it, by a trigger or a constraint that the catalogue doesn't show.
// Triggers run, and what they do outside of the database isn't taken back. What its user may
// not change isn't tried.
func (s *System) TrySets(ctx context.Context) ([]Advice, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var out []Advice
	for _, d := range s.datasets {
		if d.own.view {
			continue
		}
		for _, l := range d.lookups {
			if l.sets == nil || d.setters(1<<l.number) != 1<<l.number {
				continue
			}
			err := s.trySet(ctx, d, l)
			if err == nil {
				for _, column := range s.heldAlready(ctx, d, l) {
					out = append(out, Advice{s.m.At(l.erasePath + ".anonymise." + column), fmt.Sprintf("dataset %s: what an erasure sets in %s of one row is another row's already, and the column is unique: that person's erasure is refused", d.Name, column), `set one that nobody else has, as "erased-{random}"`})
				}
			}
			if err == nil || reasonOf(err) == forbidden || !refused(err) {
				continue
			}
			what, _, _ := strings.Cut(s.explain(err).Error(), "\n")
			out = append(out, Advice{s.m.At(l.erasePath + ".anonymise"), fmt.Sprintf("dataset %s: the database refuses what an erasure sets: %s", d.Name, what), "set what it takes, or have the trigger or constraint let it"})
		}
	}
	return out, ctx.Err()
}

// trySet sets what one way sets, and takes it back.
func (s *System) trySet(ctx context.Context, d *dataset, l *lookup) error {
	ctx, cancel := context.WithTimeout(ctx, lookTime) // a row that somebody holds isn't waited for long
	defer cancel()
	tx, err := s.db.BeginTx(ctx, s.begin())
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it is to be taken back
	keys, err := s.someKeys(ctx, tx, d, l)
	if err != nil || len(keys) == 0 {
		return err
	}
	e := &erasure{bound: s.examination(tx, nil, nil, []*dataset{d}, lacks{}).bound(tx)}
	how := act{sets: 1 << l.number}
	made, err := e.making(ctx, d, how, keys)
	if err != nil {
		return err
	}
	_, err = e.write(ctx, tx, d, changing, keys, func(q *statement) {
		q.making = made
		d.erasing(q, how)
	})
	if err == nil {
		err = s.dialect.beforeCommit(ctx, tx)
	}
	var no *denied
	if errors.As(err, &no) {
		return nil
	}
	return err
}

// heldAlready returns the unique columns of which rows hold what an erasure sets in others: who
// may choose a name may call themselves erased-17.
func (s *System) heldAlready(ctx context.Context, d *dataset, l *lookup) (columns []string) {
	for _, column := range slices.Sorted(maps.Keys(l.sets)) {
		parts := d.SQL.Template(l.sets[column])
		unique := slices.ContainsFunc(d.own.indexes, func(x index) bool {
			return x.partial == "" && x.text == "" && len(x.columns) == 1 && s.dialect.same(x.columns[0], column)
		})
		if !unique || parts == nil || slices.ContainsFunc(parts, func(p manifest.Part) bool { return p.Make != "" }) {
			continue
		}
		q := &statement{dialect: s.dialect}
		q.add("SELECT 1 FROM ", d.table, " AS t JOIN ", d.table, " AS o ON o.", s.dialect.quote(column), " = ")
		d.set(q, column, l.sets[column])
		q.WriteString(" WHERE NOT (")
		for i, k := range d.keys {
			if i > 0 {
				q.WriteString(" AND ")
			}
			q.add(k.expr, " = o.", s.dialect.quote(k.name))
		}
		q.WriteString(") LIMIT 1")
		if s.any(ctx, q.String(), q.args...) {
			columns = append(columns, column)
		}
	}
	return columns
}

// someKeys returns the keys of two rows of a dataset.
func (s *System) someKeys(ctx context.Context, tx *sql.Tx, d *dataset, l *lookup) (keys []string, err error) {
	q := &statement{dialect: s.dialect}
	texts := d.planned(s.dialect)
	q.add("SELECT ", strings.Join(texts, ", "), " FROM ", d.table, " AS t")
	if len(l.joins) == 0 && l.where != "" {
		q.add(" WHERE ", l.where)
	}
	q.add(" LIMIT ", fmt.Sprint(triedRows))
	err = s.scan(ctx, tx, q, len(texts), func(held []any) error {
		key, err := d.planKey(s.dialect, held)
		keys = append(keys, key)
		return err
	})
	return keys, err
}
