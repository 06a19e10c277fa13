package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
)

func (v *validation) erase(path string, d *Dataset) {
	s := d.SQL
	if s.Erase == "" && len(s.Subject) == 0 && !slices.ContainsFunc(s.Ways, func(w Way) bool { return w.Erase == "" }) {
		if len(s.Anonymise) > 0 {
			v.add(path+".anonymise", "anonymise without erase: anonymise", "write erase: anonymise, or leave it out")
		}
	} else {
		v.manner(path, d, &Way{Via: s.Via, Subject: s.Subject, Erase: s.Erase, Anonymise: s.Anonymise, Why: s.Why})
		v.secrets(path, d)
	}
	for i, w := range s.Ways {
		at := index(path+".ways", i)
		if w.Erase == "" && len(w.Anonymise) > 0 {
			v.add(at+".anonymise", "anonymise without erase: anonymise", "write erase: anonymise, or leave it out")
		}
		if w.Erase == "" {
			w.Erase, w.Anonymise, at = s.Erase, s.Anonymise, path
			v.lost(at, d, &w)
			continue
		}
		v.manner(at, d, &w)
	}
	v.outlived(path, d)
}

// manner checks what an erasure does with the rows that a way leads to.
func (v *validation) manner(path string, d *Dataset, w *Way) {
	able := slices.Contains(v.m.Abilities, dsar.Erase)
	switch w.Erase {
	case "":
		if able {
			v.add(path+".erase", fmt.Sprintf("dataset %s has no way to be erased, and the system has the ability", d.Name), "write erase: delete, erase: anonymise with what to set, or erase: keep with why")
		}
	case EraseDelete, EraseAnonymise, EraseKeep:
		if !able {
			v.add(path+".erase", fmt.Sprintf("dataset %s can be erased, the system lacks the ability", d.Name), "add erase to abilities, or leave it out")
		}
	default:
		v.add(path+".erase", fmt.Sprintf("unknown erase %q", w.Erase), "allowed: "+EraseDelete+", "+EraseAnonymise+", "+EraseKeep)
	}
	if w.Erase == EraseKeep {
		v.text(path+".why", w.Why, true)
	} else if len(w.Why) > 0 {
		v.add(path+".why", "why without erase: keep", "write erase: keep, or leave it out")
	}
	if w.Erase != EraseAnonymise {
		if len(w.Anonymise) > 0 {
			v.add(path+".anonymise", "anonymise without erase: anonymise", "write erase: anonymise, or leave it out")
		}
		return
	}
	if len(w.Anonymise) == 0 {
		v.add(path+".anonymise", "anonymise is missing", "name the columns and the values that they get")
	}
	v.list(path+".anonymise", len(w.Anonymise))
	for column, value := range w.Anonymise {
		v.sqlName(path+".anonymise."+column, column)
		if ParseSource(column).Table != "" { // which sqlName said
			continue
		}
		v.constant(path+".anonymise."+column, value)
		v.template(path+".anonymise."+column, d.SQL, column, value)
	}
	v.lost(path, d, w)
}

// secrets checks that no secret outlives being made anonymous. By a way with an erasure
// of its own, what else is in the row may be somebody else's.
func (v *validation) secrets(path string, d *Dataset) {
	if d.SQL.Erase != EraseAnonymise {
		return
	}
	for _, c := range d.Columns {
		column := d.SQL.Source(c.Name)
		if _, ok := d.SQL.Anonymise[column]; !ok && c.Secret.Hides() && ParseSource(column).Table == "" {
			v.add(path+".anonymise", fmt.Sprintf("anonymise keeps %s, which is a secret (%s)", column, c.Secret), "add "+column+": null")
		}
	}
}

// lost checks that the way back to the person is lost: who can be found again was not
// made anonymous.
func (v *validation) lost(path string, d *Dataset, w *Way) {
	if w.Erase != EraseAnonymise {
		return
	}
	for _, column := range w.back(d.SQL) {
		if !w.overwrites(ParseSource(column)) && !v.outlives(d.SQL, w, column) {
			cure := "add " + column + ": null"
			if ParseSource(column).Within() {
				cure = fmt.Sprintf("add %q: \"{remove}\"", column)
			}
			v.add(path+".anonymise", fmt.Sprintf("anonymise keeps %s, by which the person is found", column), cure)
		}
	}
}

// outlives reports whether a column may keep the number by which rows are found, since
// nothing leads to that any more: the system itself finds it, by columns that its erasure
// overwrites, or whose rows it deletes. So others' rows can go on referring to a row that
// says nothing of the person, and that one to an account that is nobody's.
func (v *validation) outlives(s *DatasetSQL, w *Way, column string) bool {
	found := false
	for t, source := range w.Subject {
		if source != column {
			continue
		}
		if v.m.SQL == nil || v.m.Scope[t] == ScopeGiven || v.m.Scope[t] == ScopeShared || slices.Contains(wellKnown(), t) {
			return false // people know it themselves, or other systems do
		}
		for _, r := range v.m.SQL.Resolve {
			if r.Find == t {
				// Of the account itself it is the key that others refer to.
				if found = true; !v.forgets(&r) || s.Table == r.Table && !slices.Contains(s.Key, column) {
					return false
				}
			}
		}
		if !found {
			return false
		}
	}
	return found
}

// forgets reports whether an erasure leaves nothing by which a rule of resolve finds a
// number that it found before.
func (v *validation) forgets(r *SQLResolve) bool {
	there := false
	for i := range v.m.Datasets {
		s := v.m.Datasets[i].SQL
		if s == nil || s.Table != r.Table {
			continue
		}
		for _, w := range s.AllWays() {
			if there = true; w.Erase == EraseDelete {
				continue
			}
			for _, by := range r.By {
				if len(r.Via) > 0 || !w.overwrites(ParseSource(by)) {
					return false
				}
			}
		}
	}
	return there
}

// back returns the columns of a dataset's own table that lead to the person.
func (s *DatasetSQL) back() []string {
	var out []string
	for _, w := range s.AllWays() {
		out = append(out, w.back(s)...)
	}
	return out
}

// outlived checks that no record that must stay loses the row through which it
// is found: it would be held and never be found again.
func (v *validation) outlived(path string, d *Dataset) {
	for _, via := range d.SQL.Joined() {
		for i := range v.m.Datasets {
			parent := &v.m.Datasets[i]
			if parent == d || parent.SQL == nil || parent.SQL.Table != via.Table || !parent.SQL.Erases(EraseDelete) && !parent.SQL.Erases(EraseAnonymise) {
				continue
			}
			for j, r := range d.Retention {
				column := d.SQL.Source(r.Column)
				same := slices.ContainsFunc(parent.Retention, func(p Retention) bool {
					return p.Period == r.Period && maps.Equal(p.Periods, r.Periods) && (p.Undated == UndatedGo) == (r.Undated == UndatedGo) && via.Table+"."+parent.SQL.Source(p.Column) == column
				})
				if !same {
					v.add(strings.TrimSuffix(path, ".sql")+index(".retention", j), fmt.Sprintf("%s must stay when %s, through which it is found, may be gone", d.Name, parent.Name),
						fmt.Sprintf("give both the same rule: the same period, running from a column of %s", via.Table))
				}
			}
		}
	}
}
