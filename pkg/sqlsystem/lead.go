package sqlsystem

import (
	"fmt"
	"slices"

	"habeas.dev/pkg/manifest"
)

// lead makes out which datasets lead to the rows of others: by a join of the
// manifest or a foreign key of the database, by being erased after them, or by
// holding an identifier that they are found by. While something of the others is
// out of reach, they stay: nobody could find it without them, and what a foreign
// key cascades to would go unseen.
func (c *compiler) lead() error {
	for i, d := range c.datasets {
		for _, p := range c.datasets {
			if p == d {
				continue
			}
			if c.after(p, d) || c.refers(d, p) || c.finds(p, d) {
				d.leads = append(d.leads, p)
			}
			if p.SQL.Erase != manifest.EraseDelete || !c.cascades(d, p) {
				continue
			}
			if d.takes = append(d.takes, p); len(d.retention) > 0 {
				return c.wrong(fmt.Sprintf("datasets[%d].retention", i), fmt.Sprintf("dataset %s: the database deletes its rows with those of %s (ON DELETE CASCADE), also those that must stay", d.Name, p.Name), "have "+p.Name+" made anonymous, or change the foreign key")
			}
		}
	}
	return nil
}

// after reports whether the manifest has p erased after d.
func (c *compiler) after(p, d *dataset) bool {
	if slices.Contains(p.SQL.After, d.Name) {
		return true
	}
	for _, v := range d.SQL.Via {
		if v.Table == p.SQL.Table {
			return true
		}
	}
	return false
}

// refers reports whether d's rows refer to p's by a foreign key.
func (c *compiler) refers(d, p *dataset) bool {
	return c.catalogue().refers(d.relation.id, p.relation.id)
}

// cascades reports whether the database deletes d's rows with those of p.
func (c *compiler) cascades(d, p *dataset) bool {
	return slices.ContainsFunc(c.catalogue().to(p.relation.id), func(r reference) bool { return r.from.id == d.relation.id && r.onDelete == goes })
}

// finds reports whether p has an identifier that d's rows are found by.
func (c *compiler) finds(p, d *dataset) bool {
	for _, r := range c.m.SQL.Resolve {
		if _, found := d.SQL.Subject[r.Find]; found && r.Table == p.SQL.Table {
			return true
		}
	}
	return false
}

// order has a dataset whose rows refer to another's erased before it, where the
// manifest doesn't say otherwise: what a foreign key cascades to is counted before
// it is gone (TestCascade). It takes datasets in the manifest's order.
func (c *compiler) order(left []*dataset) (order []*dataset) {
	for len(left) > 0 {
		next := slices.IndexFunc(left, func(p *dataset) bool {
			return !slices.ContainsFunc(left, func(d *dataset) bool { return d != p && (c.after(p, d) || c.refers(d, p)) })
		})
		next = max(next, 0) // they go round in a circle: the manifest's first is next
		order = append(order, left[next])
		left = slices.Delete(left, next, next+1)
	}
	return order
}
