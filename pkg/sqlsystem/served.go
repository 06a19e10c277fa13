package sqlsystem

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// served reports whether an index serves a look-up by an expression on a column, as
// the database's planner says, of rows that fulfil a condition. Where it doesn't say,
// the answer is yes: nothing is asked for in vain.
func (s *System) served(ctx context.Context, tableName string, as comparison, expr, where string) bool {
	query := "SELECT 1 FROM " + s.table(tableName) + " AS t WHERE " + and(where, expr)
	if s.dialect == SQLite {
		return s.planned(ctx, query+" = ?", "")
	}
	values := map[comparison]string{asInteger: "'{1}'::bigint[]", asUUID: "'{00000000-0000-0000-0000-000000000000}'::uuid[]"}
	return s.planned(ctx, query+" = ANY("+cmp.Or(values[as], "'{a}'::text[]")+")")
}

// planned reports whether the planner takes an index for a query. Where it doesn't say,
// it does.
func (s *System) planned(ctx context.Context, query string, args ...any) bool {
	var plan strings.Builder
	line := func(row []string) { plan.WriteString(strings.Join(row, " ") + "\n") }
	if s.dialect == SQLite {
		if each(ctx, s.db, "EXPLAIN QUERY PLAN "+query, line, args...) != nil {
			return true
		}
		return strings.Contains(plan.String(), "SEARCH ")
	}
	err := s.inTransaction(ctx, func(tx *sql.Tx) error {
		// Also where the table is so small that it is read whole.
		if _, err := tx.ExecContext(ctx, "SET LOCAL enable_seqscan = off"); err != nil {
			return err
		}
		return each(ctx, tx, "EXPLAIN "+query, line, args...)
	})
	return err != nil || strings.Contains(plan.String(), "Index Cond:")
}

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
	}
	var out []Advice
	for _, sub := range subjects {
		if sub.as == asText || sub.element != "" || s.served(ctx, sub.table, sub.as, sub.bare, sub.near()) {
			continue
		}
		a := Advice{
			Where: s.m.At(sub.path),
			What:  fmt.Sprintf("no index serves looking people up by the column %q of %s: each request reads the whole table", sub.column, sub.table),
			Cure:  fmt.Sprintf("CREATE INDEX %s ON %s (%s)", indexName(sub.table, sub.column, "compared"), s.table(sub.table), sub.bare),
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
				columns = append(columns, quote(name))
			}
			a := Advice{
				Where: s.m.At(step.path),
				What:  fmt.Sprintf("no index serves following rows of others to %s by %s: each request reads the whole table", step.table, strings.Join(step.columns, ", ")),
				Cure:  fmt.Sprintf("CREATE INDEX %s ON %s (%s)", indexName(step.table, strings.Join(step.columns, "_"), "led"), s.table(step.table), strings.Join(columns, ", ")),
			}
			if !slices.ContainsFunc(out, func(b Advice) bool { return b.Cure == a.Cure }) {
				out = append(out, a)
			}
		}
	}
	return out, ctx.Err()
}

// indexName returns a name for an index that is advised.
func indexName(table, columns, what string) string {
	return quote(strings.ReplaceAll(table, ".", "_") + "_" + columns + "_" + what)
}

// joined reports whether an index serves finding rows by the columns of a join, as
// [System.served] does.
func (s *System) joined(ctx context.Context, step step) bool {
	t, err := s.describe(ctx, step.table)
	if err != nil || t.view {
		return true
	}
	var conditions []string
	var args []any
	for _, name := range step.columns {
		col, _ := t.column(name, s.dialect)
		if s.dialect == SQLite {
			conditions, args = append(conditions, "t."+quote(name)+" = ?"), append(args, "")
		} else {
			conditions = append(conditions, "t."+quote(name)+" = (SELECT NULL::"+col.full+")")
		}
	}
	return s.planned(ctx, "SELECT 1 FROM "+s.table(step.table)+" AS t WHERE "+strings.Join(conditions, " AND "), args...)
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
			if name := sub.table + "." + sub.column; sub.as == asText && !slices.Contains(out, name) {
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
