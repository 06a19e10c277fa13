package sqlsystem

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
)

// doing is what is done with a dataset, and may be forbidden.
type doing uint8

const (
	reading doing = iota
	deleting
	changing
	restricting // what has to stay of an erasure
	doings
)

// denied says that the database's user lacks a permission for one dataset. The
// other datasets can be dealt with.
type denied struct {
	d    *dataset
	what doing
	err  error
	// beside is the table that the database names, where it isn't one that the statement does;
	// else empty.
	beside string
	// hidden is the table of which policies of row security hide rows; empty where
	// it is a permission that is missing.
	hidden string
}

func (e *denied) Error() string { return e.err.Error() }
func (e *denied) Unwrap() error { return e.err }

// may looks at the error of a statement of a dataset: where a permission is missing, it is a
// denied, and where a row is refused, or a table isn't as it was, a rejected.
func (d *dataset) may(what doing, err error) error {
	if err == nil {
		return nil
	}
	switch reasonOf(err) {
	case forbidden:
		return &denied{d: d, what: what, err: err, beside: d.tableBeside(err)}
	case rowWrong, shape:
		return &rejected{d, what, err}
	default:
		return err
	}
}

// tableBeside returns the table of which an error says that it may not be used, where that is
// none of the statement's own: a trigger's, or one that a view reads.
func (d *dataset) tableBeside(err error) string {
	name := d.known(tableSaid(err))
	own := []string{d.SQL.Table}
	for _, v := range d.SQL.Joined() {
		own = append(own, v.Table)
	}
	if slices.ContainsFunc(own, func(o string) bool { return bareName(o) == bareName(name) }) {
		return ""
	}
	return name
}

// reason says to a support agent what is missing.
func (e *denied) reason() string {
	own := "the table " + e.d.SQL.Table
	if e.hidden != "" {
		return filteredReason(e.hidden)
	}
	if e.beside != "" {
		return fmt.Sprintf("the database's user may not use the table %s, which a trigger or view does when rows of %s are %s: grant it what that does there", e.beside, own, e.what.done())
	}
	switch e.what {
	case deleting:
		return "the database's user may not delete rows of " + own + ": grant it DELETE"
	case changing:
		return "the database's user may not change rows of " + own + ": grant it UPDATE"
	case restricting:
		return "the database's user may not restrict what must stay in " + own + ": grant it UPDATE"
	}
	if len(e.d.SQL.Joined()) == 0 {
		return "the database's user may not read " + own + ": grant it SELECT"
	}
	tables := []string{e.d.SQL.Table}
	for _, v := range e.d.SQL.Joined() {
		if !slices.Contains(tables, v.Table) {
			tables = append(tables, v.Table)
		}
	}
	return "the database's user may not read all of the tables " + strings.Join(tables, ", ") + ": grant it SELECT"
}

// cause says the same in fields.
func (e *denied) cause() *dsar.Cause {
	c := &dsar.Cause{Code: "no-permission", Dataset: e.d.Name, Table: e.d.SQL.Table, Permission: "SELECT"}
	switch {
	case e.hidden != "":
		c.Permission = "BYPASSRLS"
	case e.beside != "":
		c.Table, c.Permission = e.beside, ""
	case e.what == deleting:
		c.Permission = "DELETE"
	case e.what == changing || e.what == restricting:
		c.Permission = "UPDATE"
	}
	return c
}

// lacks is what the database was found not to allow, by dataset's name.
type lacks map[string]lack

type lack struct {
	no     [doings]bool
	reason string // the first
	cause  *dsar.Cause
}

// learn takes in an error. It tells whether that says something new, so that
// another try, without what is forbidden, gets further.
func (l lacks) learn(err error) bool {
	var e *denied
	if !errors.As(err, &e) || l[e.d.Name].no[e.what] {
		return false
	}
	known := l[e.d.Name]
	known.no[e.what] = true
	known.reason, known.cause = cmp.Or(known.reason, e.reason()), cmp.Or(known.cause, e.cause())
	l[e.d.Name] = known
	return true
}

// uncover says of the jobs of a chunk that may have something in a dataset that it
// could not be looked at.
func (c *chunk) uncover(d *dataset, jobs []*counted, lack lack) {
	for _, i := range c.concerned(d) {
		jobs[i].Counts = append(jobs[i].Counts, dsar.Counts{Dataset: d.Name, Uncovered: lack.reason, Cause: lack.cause})
	}
}

// concerned returns the jobs of a chunk that know an identifier by which a dataset
// is asked, in order.
func (c *chunk) concerned(d *dataset) []int {
	var jobs []int
	for _, s := range c.asked(d.subjects) {
		for _, hits := range c.wanted(s.match).hits {
			for _, h := range hits {
				jobs = append(jobs, h.job)
			}
		}
	}
	slices.Sort(jobs)
	return slices.Compact(jobs)
}
