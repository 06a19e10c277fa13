package sqlsystem

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// rejected is an error about a row, of a statement on one dataset.
type rejected struct {
	d    *dataset
	what doing
	err  error
}

func (e *rejected) Error() string { return e.err.Error() }
func (e *rejected) Unwrap() error { return e.err }

// shortfall says that a statement touched fewer rows, or others, than the same
// transaction had found, and that the database gave no error.
type shortfall struct {
	d    *dataset
	what doing
	left int64 // how many rows are as they were
	// rewritten says that the database took the change, and the rows don't hold it.
	rewritten bool
}

func (e *shortfall) Error() string {
	return fmt.Sprintf("%d rows of %s are left, and the database gave no error", e.left, e.d.Name)
}

// refusal says in a sentence for a support agent why the database refuses a row,
// and what to do. It names trigger, rule or constraint, and nothing that the
// database says unless the catalogue has it too: an error's text may quote a row
// (TestRefusals).
func (s *System) refusal(err error) string {
	var at rejected
	if r := (*rejected)(nil); errors.As(err, &r) {
		at = *r
	}
	if short := (*shortfall)(nil); errors.As(err, &short) {
		return s.silent(short)
	}
	if text, known := s.dialect.refusal(s, at, err); known {
		return text
	}
	return at.sentence("the database refuses the change")
}

// cause says in fields what the database's error is about: its SQLSTATE, and the table,
// the column and the constraint or trigger that the catalogue has under the name which
// the error gives.
func (s *System) cause(err error) dsar.Cause {
	if over := (*overreach)(nil); errors.As(err, &over) {
		return over.cause
	}
	var c dsar.Cause
	at := rejected{}
	if r := (*rejected)(nil); errors.As(err, &r) {
		at = *r
	}
	if short := (*shortfall)(nil); errors.As(err, &short) {
		at = rejected{d: short.d, what: short.what}
	}
	if at.d != nil {
		c.Dataset, c.Table = at.d.Name, at.d.SQL.Table
	}
	if !s.dialect.cause(s, at, err, &c) {
		c.Constraint = s.onlyTrigger(at, "")
	}
	if len(c.Columns) == 0 {
		return c
	}
	// Others are words that no report may say: a trigger may write to any column.
	declared := s.declared()[c.Table]
	c.Columns = slices.DeleteFunc(slices.Clone(c.Columns), func(name string) bool {
		return !slices.ContainsFunc(declared, func(d string) bool { return s.dialect.same(d, name) })
	})
	return c
}

// onlyTrigger returns the name of the trigger or rule that refuses rows, where it can be
// no other.
func (s *System) onlyTrigger(at rejected, function string) string {
	if suspects := s.suspects(at, function); len(suspects) == 1 {
		return suspects[0].name
	}
	return ""
}

// about says of which table an error is, or for which dataset it was asked; empty where neither
// is known.
func (s *System) about(err error) string {
	var parts []string
	name := s.tableNamed(tableSaid(err))
	if r := (*rejected)(nil); errors.As(err, &r) {
		parts = append(parts, "dataset "+r.d.Name)
		name = cmp.Or(name, r.d.SQL.Table)
	}
	if name != "" {
		parts = append(parts, "table "+name)
	}
	if parts == nil {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// tableSaid returns the table that a database names in its error, by which nothing may be said
// unless the catalogue has it; empty where it names none.
func tableSaid(err error) string {
	for _, d := range dialects() {
		if name := d.tableOf(err); name != "" {
			return name
		}
	}
	return ""
}

// tableNamed returns what people call the table of a name; empty where the catalogue has none.
func (s *System) tableNamed(name string) string {
	if name == "" {
		return ""
	}
	c, found := s.catalogue(), ""
	is := func(called string) {
		if found == "" && bareName(called) == bareName(name) {
			found = called
		}
	}
	for _, d := range s.datasets {
		is(d.relation.name)
	}
	for _, r := range c.references {
		is(r.from.name)
		is(r.to.name)
	}
	for _, r := range c.roots {
		is(r.name)
	}
	for _, called := range c.names {
		is(called)
	}
	for _, t := range c.triggers {
		is(t.of)
		for _, does := range t.deeds {
			is(does.table)
		}
	}
	return found
}

// ofTable says in which table it is that a database's error is about, where that isn't the
// dataset's own: a trigger's.
func (s *System) ofTable(at rejected, err error) string {
	name := s.tableNamed(tableSaid(err))
	if name == "" || at.d != nil && bareName(name) == bareName(at.d.SQL.Table) {
		return ""
	}
	return " of " + name
}

// sentence returns what was refused, and what is known of the obstacle.
func (e rejected) sentence(obstacle string, cure ...string) string {
	if e.d != nil {
		table := ""
		if e.d.SQL.Table != e.d.Name {
			table = " (table " + e.d.SQL.Table + ")"
		}
		obstacle = fmt.Sprintf("rows of %s%s can't be %s: %s", e.d.Name, table, e.what.done(), obstacle)
	}
	if len(cure) > 0 && cure[0] != "" {
		obstacle += "; " + strings.Join(cure, ", ")
	}
	return obstacle
}

func (w doing) done() string {
	switch w {
	case deleting:
		return "deleted"
	case reading:
		return "read"
	default:
		return "changed"
	}
}

// Cures that several refusals share.
const (
	cureReference = "erase those first (a dataset of them, after:), or change the foreign key"
	cureValue     = "correct the value in the manifest's anonymise"
	cureTaken     = `set one that nobody else has, as "erased-{random}"; where the person asked for it, ask them for another`
	cureBeside    = "change what writes there with them: a trigger, or a foreign key's ON DELETE SET NULL or SET DEFAULT"
	cureTrigger   = "have it let the erasure pass, or erase by hand"
)

// value says what is wrong with a value. Where rows are deleted, it isn't the manifest's: a
// trigger, or a foreign key, sets it elsewhere.
func (s *System) value(at rejected, what, cure string) string {
	if at.d != nil && at.what == deleting {
		return at.sentence(what+s.culprits(at), cureBeside)
	}
	return at.sentence(what, cure)
}

// columnNamed returns a column's name where the dataset's table has such a one.
func (s *System) columnNamed(d *dataset, name string) string {
	if d != nil {
		if c, ok := d.own.column(name, s.dialect); ok {
			return " " + c.name
		}
	}
	return ""
}

// constraintNamed returns a constraint's name where a table has such a one: a trigger may
// break that of another table than the dataset's.
func (s *System) constraintNamed(name string) string {
	for _, names := range s.catalogue().constraints {
		if name != "" && slices.Contains(names, name) {
			return " (" + name + ")"
		}
	}
	return ""
}

// suspects returns the triggers and rules one of which may have refused: those of the
// function that the database names, or those that the statement set off.
func (s *System) suspects(at rejected, function string) (suspects []trigger) {
	for _, t := range s.catalogue().triggers {
		if function != "" && t.function == function || function == "" && at.d != nil && slices.Contains(s.reached(at.d), t.table) {
			suspects = append(suspects, t)
		}
	}
	return suspects
}

// raised says that a trigger raised an error. Its words are said where they are a
// text of its function's as it stands there: what is put together at run time may
// quote a row.
func (s *System) raised(at rejected, message, function string) string {
	suspects := s.suspects(at, function)
	for _, t := range suspects {
		if message != "" && !strings.Contains(message, "%") && slices.Contains(t.literals, message) {
			return at.sentence(fmt.Sprintf("%s says: %s", t, message), cureTrigger)
		}
	}
	switch len(suspects) {
	case 0:
		return at.sentence("the database, by a trigger or a rule, refuses", cureTrigger)
	case 1:
		return at.sentence(suspects[0].String()+" refuses", cureTrigger)
	default:
		return at.sentence("one of these refuses: "+names(suspects), cureTrigger)
	}
}

// culprits names the triggers and rules that a statement on a dataset sets off.
func (s *System) culprits(at rejected) string {
	if at.d == nil {
		return ""
	}
	var all []trigger
	for _, id := range s.reached(at.d) {
		all = append(all, s.catalogue().on(id, at.what == deleting)...)
	}
	if len(all) == 0 {
		return ""
	}
	return " (" + names(all) + ")"
}

// silent says why rows may be left although the database gave no error.
func (s *System) silent(e *shortfall) string {
	at := rejected{d: e.d, what: e.what}
	if e.rewritten {
		obstacle := fmt.Sprintf("%d rows don't hold what was written to them, and the database gave no error", e.left)
		if all := s.catalogue().on(e.d.relation.id, false); len(all) > 0 {
			obstacle += ", which " + names(all) + " does"
		}
		return at.sentence(obstacle, "have it let the change be as it is written, or make it by hand")
	}
	var may []trigger
	for _, t := range s.catalogue().on(e.d.relation.id, e.d.SQL.Erases(manifest.EraseDelete) && e.what != changing || e.what == deleting) {
		if t.mayDrop {
			may = append(may, t)
		}
	}
	switch {
	case len(may) > 0:
		return at.sentence(fmt.Sprintf("%d rows are left as they were without an error, which %s does", e.left, names(may)), cureTrigger)
	default:
		what, cure := s.dialect.hides()
		return at.sentence(strings.TrimSuffix(fmt.Sprintf("%d rows are left as they were without an error, %s", e.left, what), ", "), cure)
	}
}

func names(triggers []trigger) string {
	var out []string
	for _, t := range triggers {
		if !slices.Contains(out, t.String()) {
			out = append(out, t.String())
		}
	}
	return strings.Join(out, ", ")
}

// reached returns the tables that a statement on a dataset's table reaches by
// foreign keys, itself first.
func (s *System) reached(d *dataset) []string {
	out := []string{d.relation.id}
	for i := 0; i < len(out); i++ {
		for _, r := range s.catalogue().to(out[i]) {
			if r.onDelete != blocks && !slices.Contains(out, r.from.id) {
				out = append(out, r.from.id)
			}
		}
		for _, id := range append(slices.Clone(s.catalogue().parts[out[i]]), s.catalogue().reads[out[i]]...) {
			if !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out
}
