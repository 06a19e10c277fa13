package sqlsystem

import (
	"fmt"
	"slices"
)

// lead makes out which datasets lead to the rows of others: by a join of the
// manifest or a foreign key of the database, by being erased after them, or by
// holding an identifier that they are found by. While something of the others is
// out of reach, they stay: nobody could find it without them, and what a foreign
// key cascades to would go unseen.
func (c *compiler) lead() error {
	for _, d := range c.datasets {
		for _, p := range c.datasets {
			if p == d {
				continue
			}
			if c.after(p, d) || c.refers(d, p) || c.finds(p, d) {
				d.leads = append(d.leads, p)
			}
		}
		for _, w := range c.ways(d) {
			if w.end == nil || slices.Contains(w.end.alike(), d) || !w.takes() {
				continue
			}
			for _, end := range w.end.alike() {
				if !slices.Contains(end.takes, d) {
					end.takes = append(end.takes, d)
				}
			}
			if j := slices.Index(c.datasets, w.end); w.end.duties() {
				return c.wrong(fmt.Sprintf("datasets[%d].retention", j), fmt.Sprintf("dataset %s: the database deletes its rows with those of %s (ON DELETE CASCADE), also those that must stay: %s", w.end.Name, d.Name, w), "have "+d.Name+" made anonymous, or change the foreign key")
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
	if p == d {
		return false
	}
	// Also a view of p's table leads through p.
	for _, v := range d.SQL.Joined() {
		if far := c.seen[v.Table]; v.Table == p.SQL.Table || far != nil && c.catalogue().leads(p.relation.id, far.id) {
			return true
		}
	}
	return c.catalogue().leads(p.relation.id, d.relation.id)
}

// refers reports whether d's rows refer to p's by a foreign key.
func (c *compiler) refers(d, p *dataset) bool {
	return c.catalogue().refers(d.relation.id, p.relation.id)
}

// refersBack reports whether p's rows are referred to by d's.
func (c *compiler) refersBack(p, d *dataset) bool { return c.refers(d, p) }

// finds reports whether p has an identifier that d's rows are found by.
func (c *compiler) finds(p, d *dataset) bool {
	for _, r := range c.m.SQL.Resolve {
		if d.SQL.Finds(r.Find) && r.Table == p.SQL.Table {
			return true
		}
	}
	return false
}

// order has a dataset whose rows refer to another's erased before it, where the
// manifest doesn't say otherwise: what a foreign key cascades to is counted before
// it is gone (TestCascade). It takes datasets in the manifest's order.
func (c *compiler) order(left []*dataset) (order []*dataset) {
	first := func(after func(p, d *dataset) bool) int {
		return slices.IndexFunc(left, func(p *dataset) bool {
			return !slices.ContainsFunc(left, func(d *dataset) bool { return d != p && after(p, d) })
		})
	}
	for len(left) > 0 {
		next := first(func(p, d *dataset) bool { return c.after(p, d) || c.refers(d, p) })
		if next < 0 { // they go round in a circle: only what the database would refuse counts
			next = first(c.refersBack)
		}
		next = max(next, 0)
		order = append(order, left[next])
		left = slices.Delete(left, next, next+1)
	}
	return order
}
