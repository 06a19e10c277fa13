package sqlsystem

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"habeas.dev/pkg/manifest"
)

// where makes the condition on the rows of a table that goes by an alias: what the
// system says of every table that has the column, unless the part of the manifest at
// path does itself, and what that says.
func (c *compiler) where(ctx context.Context, path, table, alias string, own manifest.Where) (string, error) {
	t, err := c.look(ctx, path+".table", table)
	if err != nil {
		return "", err
	}
	all := manifest.Where{}
	for column, condition := range c.m.SQL.Where {
		if _, there := t.column(column, c.dialect); there {
			all[column] = condition
		}
	}
	for column := range own {
		delete(all, column)
	}
	scope, err := c.conditions(ctx, "sql.where", table, alias, all)
	if err != nil {
		return "", err
	}
	mine, err := c.conditions(ctx, path+".where", table, alias, own)
	return and(scope, mine), err
}

// conditions makes a condition of what columns must hold.
func (c *compiler) conditions(ctx context.Context, path, table, alias string, w manifest.Where) (string, error) {
	out := ""
	for _, name := range slices.Sorted(maps.Keys(w)) {
		if w[name].Any {
			continue
		}
		at := path + "." + name
		col, err := c.find(ctx, at, table, name)
		if err != nil {
			return "", err
		}
		text := c.condition(alias+"."+c.dialect.quote(name), w[name])
		if text != "" && c.refuses(ctx, "SELECT 1 FROM "+c.System.table(table)+" AS "+alias+" WHERE "+text+" LIMIT 1") {
			return "", c.wrong(at, fmt.Sprintf("%sthe column %q of type %s can't hold the value", c.of(at), name, col.full), "write one that its type takes")
		}
		out = and(out, text)
	}
	return out, nil
}

// condition makes the condition on one column. The values are the manifest's: written
// out, they match the conditions of partial indexes.
func (s *System) condition(expr string, c manifest.Condition) string {
	null := false
	var values []string
	for _, v := range c.Values {
		if v == nil {
			null = true
		} else {
			values = append(values, s.dialect.literal(v))
		}
	}
	is := ""
	switch {
	case len(values) == 1 && !c.Not:
		is = expr + " = " + values[0]
	case len(values) == 1:
		is = expr + " <> " + values[0]
	case len(values) > 1 && !c.Not:
		is = expr + " IN (" + strings.Join(values, ", ") + ")"
	case len(values) > 1:
		is = expr + " NOT IN (" + strings.Join(values, ", ") + ")"
	}
	switch {
	case is == "" && c.Not:
		return expr + " IS NOT NULL"
	case is == "":
		return expr + " IS NULL"
	case null == c.Not: // what is null is no value, and so none of them
		return is
	default:
		return "(" + is + " OR " + expr + " IS NULL)"
	}
}

// inScope checks that a way leads through a table of the system's own rows, where
// sql.where says which those are.
func (c *compiler) inScope(ctx context.Context, path, table string, joins []join, own manifest.Where) error {
	for _, column := range slices.Sorted(maps.Keys(c.m.SQL.Where)) {
		if _, said := own[column]; said {
			continue
		}
		tables := []string{table}
		for _, j := range joins {
			tables = append(tables, j.far)
		}
		in := false
		for _, name := range tables {
			t, err := c.look(ctx, path+".table", name)
			if err != nil {
				return err
			}
			_, there := t.column(column, c.dialect)
			in = in || there
		}
		if !in {
			return c.wrong(path, fmt.Sprintf("%ssql.where is about %s, and %s has no such column, nor has a table that it is found through", c.of(path), column, table),
				fmt.Sprintf("add a via to a table that has it, or where: {%s: {any: true}} if the rows of all are meant", column))
		}
	}
	return nil
}

func and(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " AND " + b
}
