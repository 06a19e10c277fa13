package sqlsystem

import "strings"

// from writes the tables of a dataset: its own, and those of via. A row whose lead
// is gone stays a row, unless the first ways of its joins are asked by.
func (d *dataset) from(q *statement, ways int) {
	q.add(d.table, " AS t")
	for i, join := range d.joins {
		if i < ways {
			q.add(" ", join)
		} else {
			q.add(" LEFT ", join)
		}
	}
}

// whose writes FROM and WHERE: the dataset's rows that hold, in one of the asked
// subjects, what the chunk asks for. Each way of finding a row is a way of its own:
// a message that the person wrote is theirs, whatever became of the conversation.
func (c *chunk) whose(q *statement, d *dataset, asked []subject) {
	q.WriteString(" FROM ")
	if way, one := oneWay(asked); one {
		d.from(q, way)
		q.WriteString(" WHERE ")
		c.where(q, asked)
		return
	}
	d.from(q, 0)
	key := strings.Join(d.key, ", ")
	q.add(" WHERE (", key, ") IN (")
	for way, first := 0, true; way <= len(d.joins); way++ {
		var same []subject
		for _, s := range asked {
			if s.way == way {
				same = append(same, s)
			}
		}
		if same == nil {
			continue
		}
		if !first {
			q.WriteString(" UNION ")
		}
		first = false
		q.add("SELECT ", key, " FROM ", d.table, " AS t")
		for _, join := range d.joins[:way] {
			q.add(" ", join)
		}
		q.WriteString(" WHERE ")
		c.where(q, same)
	}
	q.WriteByte(')')
}

// oneWay reports whether all subjects lie in one table, and how many joins lead to
// it.
func oneWay(asked []subject) (way int, one bool) {
	for _, s := range asked {
		if s.way != asked[0].way {
			return 0, false
		}
	}
	return asked[0].way, true
}
