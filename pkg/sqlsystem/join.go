package sqlsystem

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// side is a table of a join, as the manifest has it, and its alias.
type side struct{ table, alias string }

// joinOn writes that rows of two tables hold the same, by near's columns the far ones; missed says
// what becomes of rows that are compared otherwise than the database does.
func (c *compiler) joinOn(ctx context.Context, path string, near, far side, columns map[string]string, missed string) (on []string, err error) {
	nearTable, err := c.look(ctx, path, near.table)
	if err != nil {
		return nil, err
	}
	farTable, err := c.look(ctx, path, far.table)
	if err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(columns))
	var others []string
	for _, name := range names {
		others = append(others, columns[name])
	}
	for _, name := range names {
		col, err := c.find(ctx, path, near.table, name)
		if err != nil {
			return nil, err
		}
		other, err := c.find(ctx, path, far.table, columns[name])
		if err != nil {
			return nil, err
		}
		alike, sure := c.joinedBy(col, nearTable.keeps(names), other, farTable.keeps(others))
		if !sure {
			c.unlike(path, fmt.Sprintf("the columns %q of %s and %q of %s are joined by their bytes, although the database takes texts for equal there that aren't written alike: rows with another writing of the same %s", name, near.table, columns[name], far.table, missed))
		}
		on = append(on, c.dialect.equal(far.alias+"."+c.dialect.quote(columns[name]), other, near.alias+"."+c.dialect.quote(name), col, alike))
	}
	return on, nil
}

// joinedBy returns by what texts of two columns that are joined are compared: as that one compares
// them in which no two rows have the same (once), since a row of the other can mean no other row of
// it; empty: by their bytes. It is sure unless the database takes more for equal somewhere, so that
// a row may be meant that isn't led to.
func (c *compiler) joinedBy(a column, once bool, b column, otherOnce bool) (alike string, sure bool) {
	if a.alike == "" && b.alike == "" {
		return "", true
	}
	for _, col := range []column{a, b} {
		if as, must := c.dialect.compares(col); must != "" || as != asTrimmed {
			return "", true // a number's digits are written in one way
		}
	}
	switch {
	case once && otherOnce && a.alike != b.alike, !once && !otherOnce:
		return "", false
	case once:
		return a.alike, a.alike != ""
	default:
		return b.alike, b.alike != ""
	}
}
