package sqlsystem

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/worker"
)

// likeness is the columns that hold identifiers of a type which the database itself takes
// for equal in several writings: Ann and ann, by COLLATE NOCASE, citext or a collation of
// MariaDB's. Rows are found by the bytes of an identifier; by which other bytes the same is
// written is asked before, so that a row of the person isn't passed over, and nobody else's is
// taken: the columns in which people's own are found (sql.resolve) say what is equal, and
// nothing is wider than they are.
type likeness struct {
	typ dsar.IdentifierType
	// alike are the ways in which the owners' columns take texts for equal ([column]): a
	// writing is one by all of them.
	alike  []string
	finder *finder // the first that finds them
	owners []place // where they are found
	all    []place // where they are looked for, and the owners
}

// place is a column of a table.
type place struct {
	table string // as the manifest has it
	held  column
	owner bool
	path  string
}

// findLikenesses makes out, of each type, which columns take several writings for equal, and
// which comparisons don't fit each other.
func (c *compiler) findLikenesses() {
	subjects := map[dsar.IdentifierType][]*subject{}
	var types []dsar.IdentifierType
	add := func(sub *subject) {
		// An address and a telephone number have rules of their own ([identifier.Rules]).
		if sub.as != asTrimmed && sub.as != asText || isWritten(sub.typ) {
			return
		}
		if subjects[sub.typ] == nil {
			types = append(types, sub.typ)
		}
		subjects[sub.typ] = append(subjects[sub.typ], sub)
	}
	for _, d := range c.datasets {
		for i := range d.subjects {
			add(&d.subjects[i])
		}
	}
	for _, f := range c.finders {
		for i := range f.subjects {
			add(&f.subjects[i])
		}
	}
	for _, typ := range types {
		c.zeros(typ, subjects[typ])
		w := &likeness{typ: typ}
		exact := false // an owner tells texts apart by their bytes
		for _, f := range c.finders {
			if f.find != typ || f.own == nil {
				continue
			}
			if w.finder == nil {
				w.finder = f
			}
			w.add(place{f.own.table, f.own.held, true, f.own.path})
			if exact = exact || f.own.held.alike == "" || f.own.as != asTrimmed && f.own.as != asText; !slices.Contains(w.alike, f.own.held.alike) {
				w.alike = append(w.alike, f.own.held.alike)
			}
		}
		for _, sub := range subjects[typ] {
			switch {
			case sub.element != "" || sub.held.part:
				if len(w.owners) > 0 && !exact {
					c.unlike(sub.path, fmt.Sprintf("a %s is looked for in a part of the column %q of %s by its bytes, although the column in which it is found takes texts for equal that aren't written alike", kindOfIdentifier(typ), sub.column, sub.table))
				}
			case sub.held.alike == "":
				w.add(place{sub.table, sub.held, false, sub.path})
			case len(w.owners) == 0:
				c.unlike(sub.path, fmt.Sprintf("a %s is looked for in the column %q of %s by its bytes, although the database takes texts for equal there that aren't written alike: rows with another writing of the same are neither shown nor erased", kindOfIdentifier(typ), sub.column, sub.table))
			case exact:
				c.unlike(sub.path, fmt.Sprintf("a %s is looked for in the column %q of %s by its bytes, as the column compares it in which it is found, although the database takes texts for equal here that aren't written alike", kindOfIdentifier(typ), sub.column, sub.table))
			default:
				w.add(place{sub.table, sub.held, false, sub.path})
			}
		}
		if len(w.owners) > 0 && !exact {
			c.likenesses = append(c.likenesses, w)
		}
	}
}

// zeros notes the texts that are looked for by the digits of a number which its column writes with
// zeros in front.
func (c *compiler) zeros(typ dsar.IdentifierType, texts []*subject) {
	for _, f := range c.finders {
		if f.find != typ || f.own == nil || !strings.Contains(strings.ToLower(f.own.held.full), "zerofill") {
			continue
		}
		for _, sub := range texts {
			c.unlikes = append(c.unlikes, Advice{c.m.At(sub.path), fmt.Sprintf("a %s is looked for in the column %q of %s by its digits alone, although the column in which it is found writes zeros in front (ZEROFILL): rows that have it with them are neither shown nor erased", kindOfIdentifier(typ), sub.column, sub.table),
				"find those rows by a join (via), which takes both, or make the column a number"})
		}
	}
}

func (w *likeness) add(p place) {
	same := func(o place) bool { return o.table == p.table && o.held.name == p.held.name }
	if !slices.ContainsFunc(w.all, same) {
		w.all = append(w.all, p)
	}
	if p.owner && !slices.ContainsFunc(w.owners, same) {
		w.owners = append(w.owners, p)
	}
}

// unlike notes a comparison by bytes that the database makes otherwise.
func (c *compiler) unlike(path, what string) {
	a := Advice{c.m.At(path), what, "give the columns one collation that tells texts apart, or find the identifier by sql.resolve in a column that compares it so"}
	if !slices.Contains(c.unlikes, a) {
		c.unlikes = append(c.unlikes, a)
	}
}

// Unlike names the columns that take texts for equal which aren't written alike, and in which
// identifiers are looked for, or which joins compare, by their bytes: nobody knows whose the
// rows are. It asks nothing of the database.
func (s *System) Unlike(context.Context) ([]Advice, error) { return slices.Clone(s.unlikes), nil }

// kin are, of each task by its place, the identifiers of which others were added as writings.
type kin []map[worker.Identifier]worker.Identifier

// of returns the identifier of which one is a writing; itself, where it is none that was added.
func (k kin) of(task int, id worker.Identifier) worker.Identifier {
	if k != nil {
		if of, is := k[task][id]; is {
			return of
		}
	}
	return id
}

// spread has all writings of an identifier moved of which one is.
func (k kin) spread(tasks []*worker.Task, all []moved) []moved {
	if k == nil {
		return all
	}
	for _, m := range slices.Clone(all) {
		for _, id := range tasks[m.job].Identifiers {
			if k.of(m.job, id) == k.of(m.job, m.id) && !slices.ContainsFunc(all, func(o moved) bool { return o.job == m.job && o.id == id }) {
				all = append(all, moved{job: m.job, id: id, f: m.f})
			}
		}
	}
	return all
}

// asWritten returns tasks with the writings of their identifiers that columns hold. Where the
// columns in which people's own are found hold several, and not all of them are the task's, the
// database doesn't keep them unique, and they may be several people's: nothing is added then,
// and unsure are those of which others hold yet another, so that a person looks whose that is.
func (s *System) asWritten(ctx context.Context, on executor, tasks []*worker.Task) (_ []*worker.Task, _ kin, unsure []moved, _ error) {
	if len(s.likenesses) == 0 {
		return tasks, nil, nil, nil
	}
	tasks = slices.Clone(tasks)
	added := make(kin, len(tasks))
	for _, w := range s.likenesses {
		asked := w.asked(tasks)
		if len(asked) == 0 {
			continue
		}
		owned, all := map[string][]string{}, map[string][]string{}
		for _, p := range w.all {
			err := s.writingsIn(ctx, on, w, p, asked, func(value, text string) {
				if p.owner && !slices.Contains(owned[value], text) {
					owned[value] = append(owned[value], text)
				}
				if !slices.Contains(all[value], text) {
					all[value] = append(all[value], text)
				}
			})
			if err != nil {
				return nil, nil, nil, err
			}
		}
		for i, t := range tasks {
			var doubts []worker.Identifier
			tasks[i], doubts = w.extend(t, &added[i], owned, all)
			for _, id := range doubts {
				unsure = append(unsure, moved{job: i, id: id, f: w.finder, unsure: true})
			}
		}
	}
	return tasks, added, unsure, nil
}

// asked returns the values of the type that tasks ask for, as they are compared.
func (w *likeness) asked(tasks []*worker.Task) []string {
	var out []string
	seen := map[string]bool{}
	for _, t := range tasks {
		for _, id := range t.Identifiers {
			v := identifier.Trim(id.Value)
			if id.Type == w.typ && !seen[v] && v != "" && utf8.ValidString(v) && !strings.ContainsRune(v, 0) {
				seen[v], out = true, append(out, v)
			}
		}
	}
	return out
}

// extend adds to a task the writings of its identifiers that there are, and returns those that
// may be several people's.
func (w *likeness) extend(t *worker.Task, added *map[worker.Identifier]worker.Identifier, owned, all map[string][]string) (*worker.Task, []worker.Identifier) {
	var doubts []worker.Identifier
	has := func(ids []worker.Identifier, text string) bool {
		return slices.ContainsFunc(ids, func(id worker.Identifier) bool { return id.Type == w.typ && identifier.Trim(id.Value) == text })
	}
	out := *t
	for _, id := range t.Identifiers {
		if id.Type != w.typ {
			continue
		}
		v := identifier.Trim(id.Value)
		owners := owned[v]
		several := len(owners) > 1 && slices.ContainsFunc(owners, func(o string) bool { return !has(t.Identifiers, identifier.Trim(o)) })
		if several {
			if slices.ContainsFunc(all[v], func(text string) bool { return !slices.Contains(owners, text) && identifier.Trim(text) != v }) {
				doubts = append(doubts, id)
			}
			continue
		}
		for _, text := range all[v] {
			if text = identifier.Trim(text); text == "" || has(out.Identifiers, text) {
				continue
			}
			if *added == nil {
				*added = map[worker.Identifier]worker.Identifier{}
			}
			other := id
			other.Value = text
			(*added)[other] = id
			out.Identifiers = append(slices.Clip(out.Identifiers), other)
		}
	}
	return &out, doubts
}

// writingsIn hands to visit, of the values that are asked for, what a column holds that the
// database takes for equal. What it doesn't let be read of other columns than the owners' is
// passed over: whatever is found there is named as not covered.
func (s *System) writingsIn(ctx context.Context, on executor, w *likeness, p place, asked []string, visit func(value, text string)) error {
	for part := range slices.Chunk(asked, s.dialect.keysAtOnce()) {
		q := &statement{dialect: s.dialect}
		s.dialect.writings(q, s.table(p.table), p.held, w.alike, part)
		ask := func() error {
			return s.scan(ctx, on, q, 2, func(held []any) error {
				value, _ := textOf(held[0])
				if text, is := textOf(held[1]); is {
					visit(value, text)
				}
				return nil
			})
		}
		err := aside(ctx, on, ask)
		if err != nil && reasonOf(err) == forbidden && !p.owner {
			return nil
		}
		if err != nil {
			return worker.Because(dsar.Cause{Table: p.table}, s.explain(err))
		}
	}
	return nil
}

// aside has a question fail without its transaction.
func aside(ctx context.Context, on executor, ask func() error) error {
	tx, is := on.(*sql.Tx)
	if !is {
		return ask()
	}
	if _, err := tx.ExecContext(ctx, "SAVEPOINT aside"); err != nil {
		return err
	}
	err := ask()
	if err != nil {
		if _, e := tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT aside"); e != nil {
			return err
		}
	}
	if _, e := tx.ExecContext(ctx, "RELEASE SAVEPOINT aside"); e != nil && err == nil {
		return e
	}
	return err
}
