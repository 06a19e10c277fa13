package sqlsystem

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Advice is something that a manifest and its database do worse together than they
// could, and what mends it.
type Advice struct{ Where, What, Cure string }

// String returns the advice in one line: file:line: what; cure.
func (a Advice) String() string { return a.Where + ": " + a.What + "; " + a.Cure }

// Advice looks at how people are looked up, and returns which indexes are missing.
func (s *System) Advice(ctx context.Context) ([]Advice, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var subjects []subject
	for _, d := range s.datasets {
		subjects = append(subjects, d.subjects...)
	}
	for _, f := range s.finders {
		subjects = append(subjects, f.subjects...)
		if f.own != nil && slices.Contains(s.m.Needs, f.find) { // it is told what it found, and looks whose it is
			subjects = append(subjects, *f.own)
		}
	}
	var out []Advice
	for _, sub := range subjects {
		if sub.as == asText || sub.element != "" || sub.indexed != "" || s.dialect.serves(ctx, s, sub.table, sub.held, sub.as, sub.bare, sub.near()) {
			continue
		}
		a := Advice{
			Where: s.m.At(sub.path),
			What:  fmt.Sprintf("no index serves looking people up by the column %q of %s: each request reads the whole table%s", sub.column, sub.table, s.sizedTable(ctx, sub.table)),
			Cure:  s.dialect.index(s, &sub),
		}
		if !slices.ContainsFunc(out, func(b Advice) bool { return b.Cure == a.Cure }) {
			out = append(out, a)
		}
	}
	for _, l := range lookupsOf(subjects) {
		for _, step := range l.steps {
			if s.joined(ctx, step) {
				continue
			}
			var columns []string
			for _, name := range step.columns {
				columns = append(columns, s.dialect.quote(name))
			}
			a := Advice{
				Where: s.m.At(step.path),
				What:  fmt.Sprintf("no index serves following rows of others to %s by %s: each request reads the whole table%s", step.table, strings.Join(step.columns, ", "), s.sizedTable(ctx, step.table)),
				Cure:  s.createIndex(step.table, strings.Join(step.columns, "_"), "led", strings.Join(columns, ", ")),
			}
			if !slices.ContainsFunc(out, func(b Advice) bool { return b.Cure == a.Cure }) {
				out = append(out, a)
			}
		}
	}
	return out, ctx.Err()
}

// createIndex returns the statement that makes an index which is advised.
func (s *System) createIndex(table, columns, what, of string) string {
	name := s.dialect.quote(strings.ReplaceAll(table, ".", "_") + "_" + columns + "_" + what)
	return fmt.Sprintf("CREATE INDEX %s ON %s (%s)", name, s.table(table), of)
}

// joined reports whether an index serves finding rows by the columns of a join.
func (s *System) joined(ctx context.Context, step step) bool {
	t, err := s.describe(ctx, step.table)
	return err != nil || t.view || s.dialect.follows(ctx, s, t, step.table, step.columns)
}

// near returns the condition on the rows of a subject's own table, which goes by t where
// no join leads to it.
func (s *subject) near() string {
	if len(s.joins) > 0 {
		return ""
	}
	return s.where
}

// AsStored returns the columns, as table.column, whose identifiers are compared as
// they are stored, since an index serves that and none serves more: who is stored
// with blanks around isn't found there. It is told at start.
func (s *System) AsStored() []string {
	var out []string
	add := func(subjects []subject) {
		for _, sub := range subjects {
			if name := sub.table + "." + sub.column; (sub.as == asText || sub.indexed != "") && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	for _, d := range s.datasets {
		add(d.subjects)
	}
	for _, f := range s.finders {
		add(f.subjects)
	}
	return out
}
