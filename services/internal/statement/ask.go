package statement

import (
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/core"
)

// What the conditions ask of a dataset.

func (d *dataset) is(r dsar.Right) bool { return d.sys.all.right == r }

func (d *dataset) copies() bool { return d.is(dsar.Access) || d.is(dsar.Portability) }

// stops reports whether the right stops a use of what is held; lifts, whether that is
// undone.
func (d *dataset) stops() bool { return mainAction(d.sys.all.right) == dsar.Restrict }
func (d *dataset) lifts() bool { return d.sys.all.Request.Lift }

// something reports whether a statement tells that something of the person is or was in
// the dataset. Rules that ask it stand behind those of these kinds, but for GoesWith and
// what an erasure or a change tells, which it looks at itself.
func (d *dataset) something() bool {
	c := d.counts(mainAction(d.sys.all.right))
	with := d.sys.dataset(d.GoesWith)
	return d.read.Records+d.read.LeftOut+d.erased.found+c.Rectified+c.Restricted > 0 || len(c.Unchanged) > 0 ||
		d.is(dsar.KnowCategories) && d.counts(dsar.Plan).Found > 0 ||
		d.Uncovered(d.sys.all.right) != "" && d.counts(dsar.Gather).Found > 0 ||
		d.is(dsar.Erasure) && with != nil && with.erased.found > 0
}

// unlooked reports whether the right doesn't cover the dataset, and nothing was counted in
// it all the same.
func (d *dataset) unlooked() bool {
	return d.Uncovered(d.sys.all.right) != "" && d.read.LeftOut+d.counts(dsar.Gather).Found == 0
}

// refused returns what a person has refused of the dataset; nil where nothing.
func (d *dataset) refused() *core.RefusedPart {
	for i, p := range d.sys.all.Told.Parts {
		if d.copies() && p.System == d.sys.System.System && p.Dataset == d.Dataset.Dataset {
			return &d.sys.all.Told.Parts[i]
		}
	}
	return nil
}

// refusedFields returns a claim for each ground on which fields of the dataset aren't corrected.
func (d *dataset) refusedFields() (out []claim) {
	for _, f := range d.sys.all.refusedFields() {
		if f.System != d.sys.System.System || f.Dataset != d.Dataset.Dataset {
			continue
		}
		i := slices.IndexFunc(out, func(c claim) bool { return c.Ground == f.Ground })
		if i < 0 {
			i, out = len(out), append(out, claim{Values: Values{Ground: f.Ground}, facts: []int{d.sys.fact(dsar.Rectify)}})
			out[i].Title, out[i].Source = d.sys.all.refusal(f.Ground)
		}
		out[i].Columns, out[i].facts = append(out[i].Columns, d.columns([]string{f.Column})...), append(out[i].facts, f.Fact)
	}
	return out
}

// leftOut returns the columns of gathered records that the right doesn't cover, and that
// hold something, for one reason.
func (d *dataset) leftOut(why string) []Column {
	var out []Column
	for _, c := range d.read.Uncovered {
		if c.Kind == why {
			out = append(out, c.Column)
		}
	}
	return out
}

// kept returns a claim for each ground on which records must stay.
func (d *dataset) kept(all []dsar.Retention, facts ...int) (out []claim) {
	for _, r := range all {
		v := Values{Records: r.Records, Ground: r.Ground}
		if !r.Until.IsZero() {
			v.Until = toSecond(r.Until)
		}
		if d.Ground != nil {
			v.Title, v.Source = d.Ground(r.Ground)
		}
		out = append(out, when(r.Records > 0, v, facts...)...)
	}
	return out
}

// taken returns what other tables lost with the dataset's records, erasure by erasure: rows,
// or only their references.
func (d *dataset) taken(changed bool) (out []claim) {
	for _, e := range d.sys.ends {
		for _, t := range countsOf(&e, d.Dataset.Dataset).Taken {
			out = append(out, when(e.Action == dsar.Erase && t.Records > 0 && t.Changed == changed, Values{Records: t.Records, Table: t.Table}, e.Fact)...)
		}
	}
	return out
}

// columns returns columns with their titles.
func (d *dataset) columns(names []string) []Column {
	var out []Column
	for _, name := range names {
		c := Column{name, name}
		if d.Column != nil {
			c.Title = d.Column(name)
		}
		out = append(out, c)
	}
	return out
}

// corrections returns what was held in columns that were corrected.
func (d *dataset) corrections(changed []string) []Correction {
	var out []Correction
	for _, c := range d.read.Corrections {
		if slices.Contains(changed, c.Column.Column) {
			out = append(out, c)
		}
	}
	return out
}

// factsOf returns the facts of what an erasure found in a dataset.
func factsOf(d *dataset) []int {
	if d == nil {
		return nil
	}
	return d.erased.foundFacts
}

// What the conditions ask of a system.

func (s *system) dataset(name string) *dataset {
	for _, d := range s.datasets {
		if name != "" && d.Dataset.Dataset == name {
			return d
		}
	}
	return nil
}

// any reports whether a statement of one of the kinds was made about one of its datasets.
func (s *system) any(kinds ...Kind) bool {
	for i := range s.all.made {
		if m := &s.all.made[i].said; m.System == s.System.System && slices.Contains(kinds, m.Kind) {
			return true
		}
	}
	return false
}

// something reports whether anything of the person is or was in one of its datasets.
func (s *system) something() bool { return slices.ContainsFunc(s.datasets, (*dataset).something) }

// touched reports whether something of it is no longer held.
func (s *system) touched() bool { return s.any(Erased, Anonymised, Gone, MaybeErased) }

// backupsUntil returns until when backups may hold what was erased; the zero time where
// the manifest doesn't say, or nothing was erased.
func (s *system) backupsUntil() time.Time {
	end := s.end(dsar.Erase)
	period, err := manifest.ParsePeriod(s.System.Backups)
	if end == nil || err != nil {
		return time.Time{}
	}
	return period.After(end.At.UTC())
}

// named reports whether others' records mention the person.
func (s *system) named() bool {
	return slices.ContainsFunc(s.datasets, func(d *dataset) bool { return d.mentions > 0 })
}

func (s *system) keepsEarlier() bool {
	return slices.ContainsFunc(s.datasets, func(d *dataset) bool { return len(d.keptEarlier) > 0 })
}

// mayHold reports whether something may be there that an earlier erasure hasn't finished with.
func (s *system) mayHold() bool { return slices.ContainsFunc(s.datasets, (*dataset).mayHold) }

func (d *dataset) mayHold() bool { return len(d.keptThen) > 0 || d.unfinished > 0 }

// did reports whether its answer is one of the kinds.
func (s *system) did(kinds ...Kind) bool { return slices.Contains(kinds, s.answer) }

// outcome reports whether its main end is one of these outcomes.
func (s *system) outcome(outcomes ...dsar.Outcome) bool {
	end := s.mainEnd()
	return end != nil && slices.Contains(outcomes, end.Outcome)
}

func (s *system) mainFact() int {
	if end := s.mainEnd(); end != nil {
		return end.Fact
	}
	return 0
}

// uncovered returns the fact that says that one of its datasets was not reached; 0 where
// all were.
func (s *system) uncovered() int {
	for _, d := range s.datasets {
		if fact, is := d.uncovered(); is {
			return fact
		}
	}
	return 0
}

// proven reports whether the system was asked again after an erasure, and had nothing but
// what must stay.
func (s *system) proven() bool {
	end := s.end(dsar.Prove)
	return s.all.right == dsar.Erasure && end != nil && end.Outcome == dsar.Proven && s.ended()
}

func (s *system) provenAt() time.Time {
	if end := s.end(dsar.Prove); end != nil {
		return toSecond(end.At)
	}
	return time.Time{}
}

// askedInstead names the other systems that find one of the identifiers which this one
// needs, where each of them was asked and found none, with the facts that say so; none
// where one of them can't tell whether the person has one.
func (s *system) askedInstead() ([]string, []int) { return s.all.finders(s.needs, []*system{s}) }

// finders leaves out the systems through which it came here.
func (e *evidence) finders(needs []dsar.IdentifierType, through []*system) (names []string, facts []int) {
	for _, other := range e.systems {
		if slices.Contains(through, other) || !slices.ContainsFunc(other.Finds, func(t dsar.IdentifierType) bool { return slices.Contains(needs, t) }) {
			continue
		}
		found, rests := []string{other.System.System}, []int{other.fact(dsar.Resolve)}
		switch end := other.end(dsar.Resolve); {
		case slices.Contains(other.open, dsar.Resolve):
			return nil, nil
		case end != nil && end.Outcome == dsar.NothingFound:
		case end == nil || end.Outcome == dsar.NotApplicable: // it knows people by what others find
			if found, rests = e.finders(other.needs, append(slices.Clone(through), other)); found == nil {
				return nil, nil
			}
		default:
			return nil, nil
		}
		for _, name := range found {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		facts = append(facts, rests...)
	}
	return names, facts
}

// byPurpose reports whether the request ends some uses of the data, and no others. An
// answer that names some ends no more than those, also where a task of Habeas 0.1 says no
// more than that.
func (e *evidence) byPurpose() bool { return e.Told.ByPurpose || len(e.Told.Purposes) > 0 }

// marked returns those uses of the system's data that have a mark.
func (s *system) marked(mark string) []Use {
	return slices.DeleteFunc(slices.Clone(s.System.Uses), func(u Use) bool { return !slices.Contains(u.Marks, mark) })
}

// uses returns what the system's data is used for: what the request ends, or what goes on.
func (s *system) uses(ended bool) []Use {
	var out []Use
	for _, u := range s.System.Uses {
		if slices.Contains(s.all.Told.Purposes, u.Purpose) == ended {
			out = append(out, u)
		}
	}
	return out
}

// since returns the earliest day since which the person is a customer, as records in the
// answer say it, with the facts of the systems that hold these.
func (e *evidence) since() []claim {
	var v Values
	var facts []int
	for _, s := range e.systems {
		for _, d := range s.datasets {
			at := d.read.Since
			if at.IsZero() || d.read.Records == 0 {
				continue
			}
			if v.At.IsZero() || at.Before(v.At) {
				v.At = toSecond(at)
			}
			facts = append(facts, s.fact(dsar.Gather))
		}
	}
	return when(!v.At.IsZero(), v, facts...)
}
