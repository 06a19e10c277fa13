package sqlsystem

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/manifest"
)

// The lengths of what is made, in characters.
const (
	randomLength = 32
	hashLength   = 64
)

// making is what an erasure needs to make values for rows: its time, the key under which
// it hashes, which is kept nowhere, and, where the database can't hash, the hashes of what
// a column holds, by column.
type making struct {
	now    time.Time
	salt   string
	hashes map[string]string
	// removes are the identifiers that are taken out of arrays, as they are compared.
	removes map[*lookup][]string
}

// making prepares what an act makes for the rows of some keys.
func (e *erasure) making(ctx context.Context, d *dataset, how act, keys []string) (making, error) {
	s, on := e.System, e.tx
	m := making{now: s.now().UTC(), salt: rand.Text(), hashes: map[string]string{}, removes: e.removes(d)}
	if s.dialect.hashes() || how.deletes {
		return m, nil
	}
	keys, err := d.rowKeys(keys)
	if err != nil {
		return m, err
	}
	values := d.values(how)
	for _, column := range slices.Sorted(maps.Keys(values)) {
		if !slices.ContainsFunc(d.SQL.Template(values[column]), func(p manifest.Part) bool { return p.Make == manifest.MakeHash }) {
			continue
		}
		hashes := map[string]string{}
		for part := range slices.Chunk(keys, s.dialect.keysAtOnce()) {
			q := &statement{dialect: s.dialect}
			q.add("SELECT DISTINCT ", s.dialect.text("t."+s.dialect.quote(column)), " FROM ", d.table, " AS t WHERE ")
			if err := d.keyed(q, part); err != nil {
				return m, err
			}
			err := s.scan(ctx, on, q, 1, func(held []any) error {
				if text, ok := textOf(held[0]); ok {
					sum := sha256.Sum256([]byte(m.salt + text))
					hashes[text] = hex.EncodeToString(sum[:])
				}
				return nil
			})
			if err != nil {
				return m, d.may(reading, err)
			}
		}
		text, err := json.Marshal(hashes)
		if err != nil {
			return m, err
		}
		m.hashes[column] = string(text)
	}
	return m, nil
}

// removes returns the identifiers of all jobs that are taken out of a dataset's arrays.
func (e *examination) removes(d *dataset) map[*lookup][]string {
	out := map[*lookup][]string{}
	for _, sub := range d.subjects {
		if sub.element == "" {
			continue
		}
		for _, c := range e.chunks {
			out[sub.lookup] = append(out[sub.lookup], c.wanted(sub.match).values...)
		}
	}
	return out
}

// set writes what an erasure sets a column to.
func (d *dataset) set(q *statement, column string, value any) {
	parts := d.SQL.Template(value)
	col, _ := d.own.column(column, q.dialect)
	if parts == nil {
		q.constant(value, col)
		return
	}
	cast := ""
	if !q.dialect.takesText(col) {
		cast = q.dialect.cast(col)
	}
	if cast != "" {
		q.WriteByte('(')
	}
	q.concat(parts, func(p manifest.Part) { d.part(q, column, p) })
	if cast != "" {
		q.add(")", cast)
	}
}

// part writes one part of a template.
func (d *dataset) part(q *statement, column string, p manifest.Part) {
	held := q.dialect.text(q.dialect.alias(d.own) + q.dialect.quote(column))
	switch {
	case p.Column != "":
		q.WriteString(q.dialect.text(q.dialect.alias(d.own) + q.dialect.quote(p.Column)))
	case p.Make == manifest.MakeRandom:
		q.dialect.random(q)
	case p.Make == manifest.MakeNow:
		q.text(q.making.now.Format(q.dialect.timeForm()))
	case p.Make == manifest.MakeFirst:
		q.add("substr(", held, fmt.Sprintf(", 1, %d)", p.Characters))
	case p.Make == manifest.MakeHash:
		q.dialect.hash(q, column, held)
	default:
		q.text(p.Text)
	}
}

// isSet writes the condition that a row has the values of an erasure, or, of what was
// made for it, such as it makes.
func (d *dataset) isSet(q *statement, values map[string]any) {
	for i, name := range slices.Sorted(maps.Keys(values)) {
		if i > 0 {
			q.WriteString(" AND ")
		}
		value := values[name]
		col, whole := d.own.column(name, q.dialect)
		parts := d.SQL.Template(value)
		switch {
		case !whole:
			d.isChanged(q, name, value)
		case value == nil:
			q.add("t.", q.dialect.quote(name), " IS NULL")
		case slices.ContainsFunc(parts, func(p manifest.Part) bool { return p.Make != "" }):
			d.likeMade(q, col, parts)
		default:
			q.dialect.isValue(q, d, col, value)
		}
	}
}

// likeMade writes the condition that a column holds what a template could have made.
func (d *dataset) likeMade(q *statement, col column, parts []manifest.Part) {
	held := q.dialect.text("t." + q.dialect.quote(col.name))
	if len(parts) == 1 && parts[0].Make == manifest.MakeFirst {
		q.add("coalesce(", q.dialect.length(held), fmt.Sprintf(", 0) <= %d", parts[0].Characters))
		return
	}
	q.WriteByte('(')
	if slices.ContainsFunc(parts, func(p manifest.Part) bool { return p.Make == manifest.MakeHash || p.Make == manifest.MakeFirst }) {
		q.add(held, " IS NULL OR ") // of nothing, nothing is made
	}
	q.add(held, " LIKE ")
	q.concat(parts, func(p manifest.Part) {
		switch {
		case p.Column != "":
			d.part(q, col.name, p)
		case p.Make == manifest.MakeRandom && q.dialect.takesText(col):
			q.text(strings.Repeat("_", randomLength))
		case p.Make == manifest.MakeHash:
			q.text(strings.Repeat("_", hashLength))
		case p.Make != "":
			q.text("%")
		default:
			q.text(strings.NewReplacer(likeEscape, likeEscape+likeEscape, `%`, likeEscape+`%`, `_`, likeEscape+`_`).Replace(p.Text))
		}
	})
	q.add(" ESCAPE '", likeEscape, "')")
}

// couldMake reports whether what a row holds in a subject is what an erasure puts there,
// and so nobody's.
func (s *subject) couldMake(held string) bool {
	return slices.ContainsFunc(s.made, func(form *regexp.Regexp) bool { return form.MatchString(held) })
}

// makes compiles, for a subject that is a column of the dataset's own table, the forms of
// what its ways put there: constants, and what templates make around a text of their own.
func (d *dataset) makes(sub *subject) error {
	if sub.table != d.SQL.Table || sub.element != "" || sub.held.part {
		return nil
	}
	for _, l := range d.lookups {
		form, own := d.made(l.sets[sub.column])
		if !own {
			continue
		}
		is, err := regexp.Compile(form)
		if err != nil {
			return fmt.Errorf("dataset %s: what %s is set to: %w", d.Name, sub.column, err)
		}
		sub.made = append(sub.made, is)
	}
	return nil
}

// made returns the form of what is made of a value of the manifest, and whether it has a
// text of its own.
func (d *dataset) made(value any) (form string, own bool) {
	if value == nil {
		return "", false
	}
	parts := d.SQL.Template(value)
	if parts == nil {
		parts = []manifest.Part{{Text: fmt.Sprint(value)}}
	}
	var b strings.Builder
	for _, p := range parts {
		own = own || p.Text != ""
		switch {
		case p.Text != "":
			b.WriteString(regexp.QuoteMeta(p.Text))
		case p.Make == manifest.MakeRandom:
			fmt.Fprintf(&b, ".{%d}", randomLength)
		case p.Make == manifest.MakeHash:
			fmt.Fprintf(&b, ".{%d}", hashLength)
		default:
			b.WriteString(".*")
		}
	}
	return "(?is)^" + b.String() + "$", own
}

// madeWhole reports whether a template is one thing that is made and that other types
// than texts may take: a time, a uuid.
func madeWhole(parts []manifest.Part) bool {
	return len(parts) == 1 && (parts[0].Make == manifest.MakeNow || parts[0].Make == manifest.MakeRandom)
}

// sampleOf returns what a part could make.
func sampleOf(p manifest.Part) string {
	switch p.Make {
	case manifest.MakeRandom:
		return strings.Repeat("a", randomLength)
	case manifest.MakeHash:
		return strings.Repeat("a", hashLength)
	case manifest.MakeFirst:
		return strings.Repeat("a", p.Characters)
	case manifest.MakeNow:
		return "2020-01-31T12:00:00Z"
	default:
		return ""
	}
}
