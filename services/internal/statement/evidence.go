package statement

import (
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// Evidence is all that statements can rest on: what the journal has recorded, what was
// read of the records, and what the manifests declare.
type Evidence struct {
	Request Request
	// Told is what the journal has, each part with its fact.
	Told core.Answer
	// Occasion is what a letter is written about; nil in an answer.
	Occasion *core.Occasion
	// MayExtend tells that the law lets the answer come later still; with an occasion.
	MayExtend bool
	// StartsWithProof tells that the clock begins with the proof.
	StartsWithProof bool
	// Refusal names a ground on which a request is refused, with the article; may be nil.
	Refusal func(ground string) (title, source string)
	// Abroad reports whether it is told that data is received in a country; nil: of none.
	Abroad func(country string) bool
	// Identifiers are those of Told in the clear, in the order of the page.
	Identifiers []Identifier
	Systems     []System
	// Read is what was read of the records that the facts name.
	Read []Reading
}

// Reading is what was read of one dataset of which there is something.
type Reading struct {
	System, Dataset string
	// Records are in the answer; LeftOut are not, since the right doesn't cover them, or
	// since they are refused.
	Records, LeftOut int64
	Files            []string
	// Years are how many of the records are of each year, and Since the earliest day that they
	// give for when the person became a customer; the zero time where they give none.
	Years []Year
	Since time.Time
	// Hidden are columns that hold something and aren't shown, each with its kind.
	Hidden []Hidden
	// Uncovered are columns that the right doesn't cover, each with the reason: they aren't
	// in the answer.
	Uncovered []Hidden
	// Others are columns of which something is about other people.
	Others []Column
	// Corrections are what was held in fields before they were corrected.
	Corrections []Correction
	// FormerUnread tells that it couldn't be read.
	FormerUnread bool
}

// Hidden is a column that isn't shown, and why: the kind of the secret that it holds, or the
// reason for which a right doesn't cover it.
type Hidden struct {
	Column
	Kind string
}

// evidence is [Evidence] as the conditions look at it.
type evidence struct {
	*Evidence
	right   dsar.Right
	hash    map[int]string
	again   core.AgainAnswer // what was found when it was proven anew; zero: it wasn't
	systems []*system
	made    []Statement
	kinds   map[Kind]bool
}

// system is what is known of one system.
type system struct {
	*System
	all      *evidence
	ends     []core.ActionEnd
	open     []dsar.Action
	needs    []dsar.IdentifierType
	retired  *core.Retirement // nil: it is in use
	unread   int              // the fact that what stood in corrected fields couldn't be read; 0: none
	datasets []*dataset
	answer   Kind  // how it answered; see answers
	cited    []int // see facts
}

// dataset is what is known of one dataset of a system.
type dataset struct {
	*Dataset
	sys  *system
	read Reading
	// What earlier erasures have left: what must stay, what had to stay and may go by now,
	// and how many records they are to erase and haven't reported.
	keptEarlier, keptThen []dsar.Retention
	unfinished            int64
	erased                erased // with an erasure
	// mentions are others' records that mention the person, as the last plan by a worker
	// counted them, with its fact: a person who attests a plan doesn't count them.
	mentions     int64
	mentionsFact int
	former       int64
	formerFacts  []int
}

func newEvidence(in *Evidence) *evidence {
	e := &evidence{Evidence: in, right: in.Request.Right, hash: map[int]string{}, kinds: map[Kind]bool{}}
	switch {
	case in.Told.Again != nil:
		e.again = *in.Told.Again
	case in.Occasion != nil && in.Occasion.Again != nil:
		e.again = *in.Occasion.Again
	}
	for _, f := range in.Told.Facts {
		e.hash[f.Seq] = f.Hash
	}
	room := 8 // about as many statements as there will be
	for i := range in.Systems {
		room += 4 + 4*len(in.Systems[i].Datasets)
	}
	e.made = make([]Statement, 0, room)
	for i := range in.Systems {
		if in.Systems[i].System == dsar.Habeas {
			continue // it was asked nothing: see ofHabeas
		}
		s := &system{System: &in.Systems[i], all: e, needs: in.Systems[i].Needs}
		for _, told := range in.Told.Systems {
			if told.System == s.System.System {
				s.ends, s.open, s.retired, s.unread = told.Ends, told.Open, told.Retired, told.Unread
				if len(told.Needs) > 0 {
					s.needs = told.Needs
				}
			}
		}
		for j := range s.Datasets {
			d := &dataset{Dataset: &s.Datasets[j], sys: s}
			for _, r := range in.Read {
				if r.System == s.System.System && r.Dataset == d.Dataset.Dataset {
					d.read = r
				}
			}
			s.datasets = append(s.datasets, d)
		}
		for _, d := range s.datasets {
			if e.right == dsar.Erasure {
				d.erased = d.erasure()
			}
			d.earlierLeft()
			d.mentioned()
			d.formers()
		}
		e.systems = append(e.systems, s)
	}
	return e
}

// earlierLeft sets what earlier erasures have left of the dataset. Where this request tells
// by itself what stays there, since an erasure keeps as much or a count found it, that is
// enough; where it found some records and fewer than had to stay, nobody knows which, and
// what had to stay may have gone. A copy alone doesn't say on which ground its records stay.
func (d *dataset) earlierLeft() {
	for _, k := range d.sys.all.Told.Kept {
		if k.System == d.sys.System.System && k.Dataset == d.Dataset.Dataset {
			d.keptEarlier, d.keptThen = append(d.keptEarlier, k.Retained...), append(d.keptThen, k.Then...)
			d.unfinished += k.Unfinished
		}
	}
	found := sum(d.erased.kept)
	if !d.is(dsar.Erasure) {
		for _, e := range d.sys.ends {
			found = max(found, countsOf(&e, d.Dataset.Dataset).Found)
		}
	}
	switch kept := sum(d.keptEarlier); {
	case found == 0:
	case found < kept:
		d.keptEarlier, d.keptThen = nil, append(d.keptThen, d.keptEarlier...)
	case !d.copies():
		d.keptEarlier, d.keptThen = nil, nil
	}
}

// mentioned sets how many records of others mention the person.
func (d *dataset) mentioned() {
	for _, e := range slices.Backward(d.sys.ends) {
		if e.Action == dsar.Plan && e.By == "" {
			d.mentions, d.mentionsFact = countsOf(&e, d.Dataset.Dataset).Mentions, e.Fact
			return
		}
	}
}

// formers sets how many records of the dataset were left out, since an earlier erasure keeps them of
// whom had the person's number before: as many as an end tells most of.
func (d *dataset) formers() {
	for _, e := range d.sys.ends {
		switch n := countsOf(&e, d.Dataset.Dataset).Former; {
		case n > d.former:
			d.former, d.formerFacts = n, []int{e.Fact}
		case n > 0 && n == d.former:
			d.formerFacts = append(d.formerFacts, e.Fact)
		}
	}
}

// end returns the last end of an action; nil where there is none.
func (s *system) end(a dsar.Action) *core.ActionEnd {
	for i := len(s.ends) - 1; i >= 0; i-- {
		if s.ends[i].Action == a && !s.ends[i].Earlier {
			return &s.ends[i]
		}
	}
	return nil
}

// mainEnd returns the end that is the system's answer to the right; the last one where
// it never came so far, and nil where it was never asked.
func (s *system) mainEnd() *core.ActionEnd {
	if end := s.end(mainAction(s.all.right)); end != nil {
		return end
	}
	for i := len(s.ends) - 1; i >= 0; i-- {
		if a := s.ends[i].Action; a != dsar.Resolve && !s.ends[i].Earlier {
			return &s.ends[i]
		}
	}
	return nil
}

// mainAction returns the action whose end is a system's answer to a right.
func mainAction(r dsar.Right) dsar.Action {
	stages := r.Stages()
	switch {
	case r == dsar.Erasure:
		return dsar.Erase
	case len(stages) >= 2:
		return stages[len(stages)-2]
	default:
		return dsar.Gather
	}
}

// ended reports whether every action that the right asks of the system has ended.
func (s *system) ended() bool {
	if len(s.open) > 0 {
		return false
	}
	stages := s.all.right.Stages()
	return !slices.ContainsFunc(stages[:max(0, len(stages)-1)], func(a dsar.Action) bool { return s.end(a) == nil })
}

// asked reports whether the system was asked for what the right is about, and answered.
func (s *system) asked() bool {
	end := s.mainEnd()
	return end != nil && end.Outcome != dsar.Failed && end.Outcome != dsar.Manual && end.Outcome != dsar.NotApplicable && s.ended()
}

// retiredWith returns the claim that the system went out of use, where it did and its answer
// ended with a code for that.
func (s *system) retiredWith(code string) []claim {
	if s.retired == nil || !s.outcome(dsar.NotApplicable) || s.mainEnd().Code != code || !s.ended() {
		return nil
	}
	return when(true, Values{At: toSecond(s.retired.On)}, s.retired.Fact, s.mainFact())
}

// facts returns the facts that ended all that the right asks of the system.
func (s *system) facts() []int {
	if s.cited == nil {
		facts := []int{accepted}
		for i := range s.ends {
			if e := &s.ends[i]; e.Action != dsar.Resolve && !e.Earlier {
				facts = append(facts, e.Fact)
			}
		}
		s.cited = slices.Clip(facts)
	}
	return s.cited
}

// accepted is the fact that opens every request: it says which systems are to be asked,
// by what, and what earlier erasures had to keep.
const accepted = 1

// countsOf returns what an end says of one dataset, summed up.
func countsOf(end *core.ActionEnd, dataset string) (sum dsar.Counts) {
	if end == nil {
		return sum
	}
	for _, c := range end.Counts {
		if c.Dataset == dataset {
			sum.Dataset = dataset
			sum.Found += c.Found
			sum.Erased += c.Erased
			sum.Anonymised += c.Anonymised
			sum.Gone += c.Gone
			sum.Reassigned += c.Reassigned
			sum.Late += c.Late
			sum.Mentions += c.Mentions
			sum.Former += c.Former
			sum.Rectified += c.Rectified
			sum.Restricted += c.Restricted
			sum.Changed = append(sum.Changed, c.Changed...)
			sum.Unchanged = append(sum.Unchanged, c.Unchanged...)
			sum.Refused = append(sum.Refused, c.Refused...)
			sum.Retained = append(sum.Retained, c.Retained...)
			sum.Taken = append(sum.Taken, c.Taken...)
			if c.Uncovered != "" {
				sum.Uncovered = c.Uncovered
			}
		}
	}
	return sum
}

// counts returns what the last end of an action says of the dataset.
func (d *dataset) counts(a dsar.Action) dsar.Counts { return countsOf(d.sys.end(a), d.Dataset.Dataset) }

// fact returns the fact of the last end of an action; 0, which is none, where there is no
// end.
func (s *system) fact(a dsar.Action) int {
	if end := s.end(a); end != nil {
		return end.Fact
	}
	return 0
}

// uncovered reports whether the dataset was not reached, or not wholly, by the last thing
// that was done in the system; fact is the one that says so.
func (d *dataset) uncovered() (fact int, is bool) {
	stages := d.sys.all.right.Stages()
	if len(stages) < 2 {
		return 0, false
	}
	end := d.sys.end(stages[len(stages)-2]) // the last before the answer
	if end == nil {
		return 0, false
	}
	return end.Fact, countsOf(end, d.Dataset.Dataset).Uncovered != ""
}

// toSecond cuts a time as an answer tells it.
func toSecond(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// looksAtAll reports whether a system that is asked looks at all of its datasets: for a copy,
// the categories, or an erasure, but not where fields are corrected or uses are stopped.
func (e *evidence) looksAtAll() bool {
	stages := e.right.Stages()
	return len(stages) > 0 && (stages[0] == dsar.Gather || stages[0] == dsar.Plan)
}
