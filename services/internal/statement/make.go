package statement

import (
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// Make returns every statement that the evidence allows, in the order of the page: of the
// request, then of each system and its datasets, then what follows from all of them. It
// is the only way to a [Statement]. One rests on at least one fact, and each of its facts
// MUST be in Told.Facts with its hash; else it isn't made (TestNoFactNoStatement).
func Make(in Evidence) []Statement {
	if in.Occasion == nil && len(in.Told.Facts) == 0 {
		return nil
	}
	e := newEvidence(&in)
	apply(e, "", "", e, ofRequest)
	if e.again.Fact > 0 {
		return e.made // the certificate has said the rest
	}
	for _, s := range e.systems {
		for _, d := range s.datasets {
			apply(e, s.System.System, d.Dataset.Dataset, d, ofDataset)
		}
		s.answer = e.answer(s)
		apply(e, s.System.System, "", s, ofSystem)
	}
	apply(e, "", "", e, ofAll)
	apply(e, dsar.Habeas, "", e, ofHabeas)
	return e.made
}

// answer makes the statement of how a system answered, and returns its kind. Where a
// condition holds and its facts can't be named, what can be said is that nobody heard.
func (e *evidence) answer(s *system) Kind {
	for i, r := range answers {
		if len(r.says(s)) == 0 {
			continue
		}
		if apply(e, s.System.System, "", s, answers[i:i+1]) {
			return r.kind
		}
		break
	}
	unheard := answers[len(answers)-2:]
	for i, r := range unheard {
		if apply(e, s.System.System, "", s, unheard[i:i+1]) {
			return r.kind
		}
	}
	return ""
}

// Worded gives statements their sentences, in their place, and returns them.
func Worded(all []Statement, say func(Said) string) []Statement {
	for i := range all {
		all[i].said.Text = say(all[i].said)
	}
	return all
}

// apply makes the statements of rules about one place; it reports whether there is any.
func apply[P any](e *evidence, system, dataset string, p P, rules []rule[P]) (any bool) {
	for _, r := range rules {
		for _, c := range r.says(p) {
			facts, ok := e.cite(c.facts)
			if !ok {
				continue
			}
			e.made = append(e.made, Statement{Said{Kind: r.kind, System: system, Dataset: dataset, Values: c.Values, Facts: facts}})
			e.kinds[r.kind], any = true, true
		}
	}
	return any
}

// cite returns the facts with their hashes, in order and each once; not where one of them
// isn't known, or there is none.
func (e *evidence) cite(seqs []int) ([]core.Cited, bool) {
	seqs = slices.Clone(seqs)
	slices.Sort(seqs)
	var out []core.Cited
	for _, seq := range slices.Compact(seqs) {
		hash, known := e.hash[seq]
		if !known {
			return nil, false
		}
		out = append(out, core.Cited{Seq: seq, Hash: hash})
	}
	return out, len(out) > 0
}

// What the conditions ask of the request.

func (e *evidence) has(kinds ...Kind) bool {
	return slices.ContainsFunc(kinds, func(k Kind) bool { return e.kinds[k] })
}

// every reports whether each system's answer is one of the kinds.
func (e *evidence) every(kinds ...Kind) bool {
	return len(e.systems) > 0 && !slices.ContainsFunc(e.systems, func(s *system) bool { return !slices.Contains(kinds, s.answer) })
}

func (e *evidence) system(name string) *system {
	for _, s := range e.systems {
		if s.System.System == name {
			return s
		}
	}
	return nil
}

// facts returns those that ended what the right asks of all systems.
func (e *evidence) facts() []int {
	facts := []int{accepted}
	for _, s := range e.systems {
		facts = append(facts, s.facts()...)
		if s.answer == UnknownThere || s.answer == OnlyKeptEarlier {
			_, resolved := s.askedInstead()
			facts = append(facts, resolved...)
		}
	}
	return facts
}

// lookedAt returns the fact that says what earlier erasures have left.
func (e *evidence) lookedAt() int { return max(accepted, e.Told.KeptFact) }

// tells reports whether the right is one of telling, and not of doing anything.
func (e *evidence) tells() bool {
	return e.right == dsar.Access || e.right == dsar.Portability || e.right == dsar.KnowCategories
}

// changes reports whether the right changes what is held, and erases none of it.
func (e *evidence) changes() bool { return !e.tells() && e.right != dsar.Erasure }

// over reports whether everything that the right asks of any system has ended.
func (e *evidence) over() bool {
	return !slices.ContainsFunc(e.systems, func(s *system) bool { return !s.ended() })
}

// outOfUse reports whether a system went out of use before it had done what was asked: what
// it kept nobody knows.
func (e *evidence) outOfUse() bool {
	return slices.ContainsFunc(e.systems, func(s *system) bool { return s.retired != nil && s.outcome(dsar.NotApplicable) })
}

// flagged reports whether nothing else is done with any record that erasures left.
func (e *evidence) flagged() bool {
	return !slices.ContainsFunc(e.systems, func(s *system) bool {
		return slices.ContainsFunc(s.datasets, func(d *dataset) bool { return !d.flagged() })
	})
}

// flagged reports whether nothing else is done with what an erasure left of the dataset: it
// flagged each record, as its counts say, or the system was asked to stop all use of what it
// keeps for a hold and has. Such a system may have no flag in this very dataset; where it has,
// each record that is left MUST have it.
func (d *dataset) flagged() bool {
	kept := max(d.counts(dsar.Erase).Kept(), d.counts(dsar.Prove).Kept())
	if kept <= d.counts(dsar.Erase).Restricted {
		return true
	}
	end, own := d.sys.end(dsar.Restrict), d.counts(dsar.Restrict)
	return end != nil && end.Outcome == dsar.Restricted && (own.Found == 0 || kept <= own.Restricted)
}

// askedAgain reports whether each system that could be asked at all, and at least one,
// was asked again after the erasure.
func (e *evidence) askedAgain() bool {
	asked := 0
	for _, s := range e.systems {
		switch {
		case s.retired != nil && !s.proven(): // it could have been
			return false
		case s.proven():
			asked++
		case !s.outcome(dsar.NotApplicable):
			return false
		}
	}
	return asked > 0
}

func (e *evidence) asked() dsar.Right {
	if e.Request.Asked != "" {
		return e.Request.Asked
	}
	return e.right
}

// againFacts returns the facts of a proof that was made anew, and backFacts those that say
// what had come back.
func (e *evidence) againFacts() []int {
	facts := []int{e.again.Fact}
	for _, s := range e.again.Systems {
		facts = append(facts, s.Fact)
	}
	return facts
}

// onlyUnclaimed reports whether all that a proof made anew has left is nobody's by what it says.
func (e *evidence) onlyUnclaimed() bool {
	_, alone := e.again.Unclaimed()
	return alone
}

func (e *evidence) backFacts() []int {
	var facts []int
	for _, s := range e.again.Systems {
		facts = append(facts, s.BackFacts...)
	}
	return facts
}

// What the conditions ask of the occasion of a letter.

func (e *evidence) wrote(l core.Letter) bool { return e.Occasion != nil && e.Occasion.Letter == l }

func (e *evidence) cause() int {
	if e.Occasion == nil {
		return 0
	}
	return e.Occasion.Cause
}

func (e *evidence) occasion() core.Occasion {
	if e.Occasion == nil {
		return core.Occasion{}
	}
	return *e.Occasion
}

func (e *evidence) due() time.Time       { return toSecond(e.occasion().DueAt) }
func (e *evidence) at() time.Time        { return toSecond(e.occasion().At) }
func (e *evidence) checks() []dsar.Check { return e.occasion().Checks }
func (e *evidence) reason() string       { return e.occasion().Reason }
func (e *evidence) paused() bool         { return e.occasion().Paused }

// refusedInPart returns a claim for each ground on which datasets of the copy, or fields of the
// correction, are refused.
func (e *evidence) refusedInPart() (out []claim) {
	if e.Occasion == nil && !e.has(PartRefused, FieldRefused) || e.Occasion != nil && !e.wrote(core.LetterAnswer) {
		return nil
	}
	add := func(ground string, fact int) {
		i := slices.IndexFunc(out, func(c claim) bool { return c.Ground == ground })
		if i < 0 {
			i, out = len(out), append(out, claim{Values: Values{Ground: ground}, facts: []int{max(e.cause(), accepted)}})
			out[i].Title, out[i].Source = e.refusal(ground)
		}
		out[i].facts = append(out[i].facts, fact)
	}
	for _, p := range e.Told.Parts {
		add(p.Ground, p.Fact)
	}
	for _, f := range e.refusedFields() {
		add(f.Ground, f.Fact)
	}
	return out
}

// refusedFields returns the fields that the person wanted corrected and that a person refused:
// the system's worker says that they were asked for; where a person did the correction by
// hand, they have said so themselves.
func (e *evidence) refusedFields() (out []core.RefusedField) {
	for _, f := range e.Told.Fields {
		asked := func(end core.ActionEnd) bool {
			return end.Action == dsar.Rectify && (end.By != "" || slices.Contains(countsOf(&end, f.Dataset).Refused, f.Column))
		}
		if slices.ContainsFunc(e.Told.Systems, func(s core.SystemAnswer) bool { return s.System == f.System && slices.ContainsFunc(s.Ends, asked) }) {
			out = append(out, f)
		}
	}
	return out
}

func (e *evidence) refusal(ground string) (title, source string) {
	if e.Refusal == nil {
		return "", ""
	}
	return e.Refusal(ground)
}
