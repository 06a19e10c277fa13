package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
)

// maxWays bounds the ways of a dataset: each is a part of every query for it.
const maxWays = 20

// Way is one way by which a dataset's rows are found to be the person's: by columns of
// the dataset's own table, or of others that joins lead to. Rows are the person's that
// any of the ways leads to: the ways are a union, and each is looked up by itself.
type Way struct {
	// Via leads to the column that holds the identifier. Other than by
	// [DatasetSQL.Via], a row may lead to several.
	Via []Via `yaml:"via,omitempty"`
	// Where says which rows the way is for: {owner_type: User}.
	Where Where `yaml:"where,omitempty"`
	// Subject maps each type of identifier to the column that holds it.
	Subject map[dsar.IdentifierType]string `yaml:"subject"`
	// Erase is what becomes of a row that this way leads to; empty: what the dataset
	// says. A row that several ways lead to is deleted where one of them deletes it,
	// else made anonymous by all of those that do.
	Erase string `yaml:"erase,omitempty"`
	// Anonymise is what [DatasetSQL.Anonymise] is, for this way.
	Anonymise map[string]any `yaml:"anonymise,omitempty"`
	// Why is what [DatasetSQL.Why] is, for this way.
	Why Text `yaml:"why,omitempty"`
	// Rectify is what [DatasetSQL.Rectify] is, of the rows that this way leads to.
	Rectify []string `yaml:"rectify,omitempty"`
}

// AllWays returns the ways to a dataset's rows, each with its own erasure and its own
// corrections: first the one that stands in the dataset itself, in its short form, and then
// [DatasetSQL.Ways]. What the dataset says may be corrected is so by the way that stands in
// it, or by its only one: a row that another leads to is somebody else's as well, and what it
// says may be of them.
func (s *DatasetSQL) AllWays() []Way {
	var out []Way
	if len(s.Subject) > 0 {
		out = append(out, Way{Via: s.Via, Subject: s.Subject, Erase: s.Erase, Anonymise: s.Anonymise, Why: s.Why, Rectify: s.Rectify})
	}
	for _, w := range s.Ways {
		if w.Rectify == nil && len(s.Subject) == 0 && len(s.Ways) == 1 {
			w.Rectify = s.Rectify
		}
		if w.Erase == "" {
			w.Erase, w.Anonymise, w.Why = s.Erase, s.Anonymise, s.Why
		}
		out = append(out, w)
	}
	return out
}

// Erases reports whether any of the dataset's rows may be erased in a manner: deleted,
// made anonymous, kept.
func (s *DatasetSQL) Erases(manner string) bool {
	return slices.ContainsFunc(s.AllWays(), func(w Way) bool { return w.Erase == manner })
}

// Corrigible returns the columns that a person may have corrected by any way, each once.
func (s *DatasetSQL) Corrigible() []string {
	var out []string
	for _, w := range s.AllWays() {
		for _, c := range w.Rectify {
			if !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// Ground returns the title and the source of the ground on which records of the dataset
// stay, as who asks under a law is told: a retention's, or why the manifest has them kept.
func (d *Dataset) Ground(ground, law string) (title Text, source string) {
	for _, r := range d.Retention {
		if r.Ground == ground {
			title, source = r.Title, r.SourceUnder(law)
		}
	}
	if title == nil && ground == GroundKept && d.SQL != nil {
		for _, w := range slices.Backward(d.SQL.AllWays()) {
			if w.Erase == EraseKeep {
				title = w.Why
			}
		}
	}
	return title, source
}

// Finds reports whether rows are found by a type of identifier.
func (s *DatasetSQL) Finds(t dsar.IdentifierType) bool {
	return slices.ContainsFunc(s.AllWays(), func(w Way) bool { return w.Subject[t] != "" })
}

// Joined returns every join of the dataset, that of its columns and those of all ways.
func (s *DatasetSQL) Joined() []Via {
	out := slices.Clone(s.Via)
	for _, w := range s.Ways {
		out = append(out, w.Via...)
	}
	return out
}

// Overwritten returns all columns that an erasure sets, sorted.
func (s *DatasetSQL) Overwritten() []string {
	all := map[string]bool{}
	for _, w := range s.AllWays() {
		for column := range w.Anonymise {
			all[ParseSource(column).Column] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// Name returns what sources call the join's table: its own name, unless As says another.
func (v Via) Name() string {
	if v.As != "" {
		return v.As
	}
	_, name, there := strings.Cut(v.Table, ".")
	if !there {
		return v.Table
	}
	return name
}

// back returns the columns of the dataset's own table, or parts of them, that lead to the
// person, by a way.
// A key leads to rows of others that refer to it: those are erased first.
func (w *Way) back(s *DatasetSQL) []string {
	var out []string
	for _, source := range w.Subject {
		if ParseSource(source).Table == "" {
			out = append(out, source)
		} else if len(w.Via) > 0 {
			for near := range w.Via[0].On {
				if !slices.Contains(s.Key, near) || len(s.Ways) == 0 {
					out = append(out, near)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// overwrites reports whether an erasure sets a source, or what that is a part of.
func (w *Way) overwrites(source Source) bool {
	for key := range w.Anonymise {
		k := ParseSource(key)
		n := len(k.Path)
		if k.Column == source.Column && n <= len(source.Path) && slices.Equal(k.Path, source.Path[:n]) && (!k.Each || source.Each && n == len(source.Path)) {
			return true
		}
	}
	return false
}

// waysSQL checks a dataset's ways, and what an erasure does by each.
func (v *validation) waysSQL(path string, d *Dataset) {
	s := d.SQL
	if len(s.Subject) == 0 && len(s.Ways) == 0 {
		v.add(path+".subject", fmt.Sprintf("dataset %s has no subject", d.Name), "say which column holds which identifier: {account_id: account_id}")
	}
	v.way(path, d, &Way{Via: s.Via, Where: s.Where, Subject: s.Subject})
	if len(s.Ways) > maxWays {
		v.add(path+".ways", "ways is too long", fmt.Sprintf("a dataset has at most %d", maxWays))
	}
	for i := range s.Ways {
		w, at := &s.Ways[i], index(path+".ways", i)
		if len(w.Subject) == 0 {
			v.add(at+".subject", fmt.Sprintf("a way of dataset %s has no subject", d.Name), "say which column holds which identifier: {user_id: author_id}")
		}
		v.way(at, d, w)
	}
	v.erase(path, d)
}

// way checks one way but for its erasure.
func (v *validation) way(path string, d *Dataset, w *Way) {
	s := d.SQL
	v.via(path, s.Table, w.Via)
	v.where(path+".where", w.Where)
	v.list(path+".subject", len(w.Subject))
	for _, t := range slices.Sorted(maps.Keys(w.Subject)) {
		v.needed(path+".subject."+string(t), t)
		v.sqlColumn(path+".subject."+string(t), s.Table, w.Via, w.Subject[t])
	}
}

// via checks joins, which begin at a table.
func (v *validation) via(path, table string, all []Via) {
	v.list(path+".via", len(all))
	for i, via := range all {
		at := index(path+".via", i)
		v.sqlTable(at+".table", via.Table)
		if via.As != "" {
			v.sqlName(at+".as", via.As)
		}
		if via.Name() == table || slices.ContainsFunc(all[:i], func(o Via) bool { return o.Name() == via.Name() }) {
			v.add(at+".table", fmt.Sprintf("table %q is there already", via.Name()), "give it another name here, with as: parent")
		}
		if via.From != "" && via.From != table && !slices.ContainsFunc(all[:i], func(o Via) bool { return o.Name() == via.From }) {
			v.add(at+".from", fmt.Sprintf("from names %q, which no join before it is of", via.From), "name the table of a join before it, or "+table)
		}
		v.on(at+".on", via.On, "say which column leads to which: {invoice_id: invoice_id}")
		v.where(at+".where", via.Where)
	}
}

// From returns the name of the table from which a join of a list goes out: that of the
// dataset is "".
func From(all []Via, i int) string {
	if all[i].From != "" {
		if !slices.ContainsFunc(all, func(o Via) bool { return o.Name() == all[i].From }) {
			return ""
		}
		return all[i].From
	}
	if i == 0 {
		return ""
	}
	return all[i-1].Name()
}
