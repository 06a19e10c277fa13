package sqlsystem

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Rest looks for tables of which the datasets leave out rows that are there: those of a status that
// none of them names, or those that are deleted only in name. A table of which one dataset has
// some rows (where) is left, since the others may be nobody's, but for what is marked as
// deleted.
func (s *System) Rest(ctx context.Context) (out []Advice, failed error) {
	s.eachTable(func(_ string, d *dataset) {
		all := d.alike()
		if failed != nil || !s.leavesRows(all) {
			return
		}
		there, err := s.hasRest(ctx, all)
		if failed = err; !there {
			return
		}
		var names []string
		for _, o := range all {
			names = append(names, o.Name)
		}
		out = append(out, Advice{Where: s.m.At(fmt.Sprintf("datasets[%d].sql.where", slices.Index(s.datasets, d))),
			What: fmt.Sprintf("the table %s has rows that no dataset has, by their where (%s): they are in no answer, and no erasure", d.SQL.Table, strings.Join(names, ", ")),
			Cure: "add a dataset of the others" + restOf(all) + ", or take the where out of one"})
	})
	return out, failed
}

// hasRest reports whether a table has rows of the system that are none of its datasets'.
func (s *System) hasRest(ctx context.Context, all []*dataset) (there bool, err error) {
	d := all[0]
	c := &compiler{System: s, seen: map[string]*table{d.SQL.Table: d.own}}
	rest, err := c.where(ctx, fmt.Sprintf("datasets[%d].sql", slices.Index(s.datasets, d)), d.SQL.Table, "t", nil)
	if err != nil {
		return false, err
	}
	for _, o := range all {
		rest = and(rest, "CASE WHEN "+o.where+" THEN 1 ELSE 0 END = 0")
	}
	err = each(ctx, s.db, "SELECT 1 FROM "+d.table+" AS t WHERE "+rest+" LIMIT 1", func([]string) { there = true })
	return there, s.explain(d.may(reading, err))
}

// leavesRows reports whether the datasets of a table may leave out rows that are people's: several
// have some each, or one has what isn't marked as deleted.
func (s *System) leavesRows(all []*dataset) bool {
	if slices.ContainsFunc(all, func(d *dataset) bool { return len(d.SQL.Where) == 0 || d.where == "" }) {
		return false
	}
	if len(all) > 1 {
		return true
	}
	for _, c := range all[0].SQL.Where {
		if !c.Any && !c.Not && !slices.ContainsFunc(c.Values, func(v any) bool { return v != nil }) {
			return true
		}
	}
	return false
}

// restOf returns the where of what datasets leave out, where they look at one column.
func restOf(all []*dataset) string {
	column := slices.Collect(maps.Keys(all[0].SQL.Where))[0]
	var values []string
	for _, d := range all {
		c, there := d.SQL.Where[column]
		if len(d.SQL.Where) != 1 || !there || c.Not || c.Any {
			return ""
		}
		if c.Values == nil {
			values = append(values, "null")
		}
		for _, v := range c.Values {
			text := "null"
			if v != nil {
				text = fmt.Sprint(v)
			}
			values = append(values, text)
		}
	}
	slices.Sort(values)
	not := strings.Join(values, ", ")
	if len(values) > 1 {
		not = "[" + not + "]"
	}
	return ": where: {" + column + ": {not: " + not + "}}"
}
