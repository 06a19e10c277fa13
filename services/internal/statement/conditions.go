package statement

import (
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/core"
)

// This file has every condition: when a sentence may be said, and on which facts it then
// rests. A condition is a line of one of the lists below; the sentences themselves are in
// services/internal/words/<language>/statements.yaml, by kind. What a condition looks at
// is in evidence.go (what tasks ended with, what was read), erasure.go (how an erasure's
// numbers add up) and covers.go (what a right covers). Nothing outside of this package makes
// a statement.

// ofRequest are what is said of the request itself, from one fact each.
var ofRequest = []rule[*evidence]{
	// The request was accepted.
	{Received, func(e *evidence) []claim {
		return when(true, Values{At: toSecond(e.Request.ReceivedAt), Right: e.asked()}, accepted)
	}},
	// The law sets a day, and it hasn't been answered: in letters before the answer.
	{Due, func(e *evidence) []claim {
		o := e.Occasion
		return when(o != nil && !o.DueAt.IsZero() && !o.DueAt.Before(o.At), Values{Until: e.due(), MayExtend: e.MayExtend}, accepted, e.cause())
	}},
	// The day that the law sets had passed when the letter was due: before the request
	// reached us, or later.
	{DuePassed, func(e *evidence) []claim {
		o := e.Occasion
		return when(o != nil && !o.DueAt.IsZero() && o.DueAt.Before(o.At), Values{Until: e.due()}, accepted, e.cause())
	}},
	// An appeal or a complaint is about the answer to an earlier request; where a person had
	// refused that, another one decides.
	{Concerns, func(e *evidence) []claim {
		about := e.Request.About
		if about == nil {
			return nil
		}
		return when(true, Values{Right: about.Right, Number: about.RequestID, Another: len(about.DecidedBy) > 0}, accepted)
	}},
	// Somebody has decided it.
	{Decided, func(e *evidence) []claim {
		d := e.occasion().Decision
		return when(e.wrote(core.LetterDecision), Values{At: toSecond(d.At), Why: string(d.Finding), Reason: e.reason(), Reopened: d.Reopened}, e.cause())
	}},
	{ProofWanted, func(e *evidence) []claim { // proof was asked for
		return when(e.wrote(core.LetterProof), Values{Checks: e.checks(), Paused: e.paused(), Starts: e.StartsWithProof}, e.cause())
	}},
	{QuestionAsked, func(e *evidence) []claim { // a person asked what is meant
		return when(e.wrote(core.LetterClarification), Values{Reason: e.reason(), Paused: e.paused()}, e.cause())
	}},
	{TakesLonger, func(e *evidence) []claim { // a person extended it, with a reason
		return when(e.wrote(core.LetterExtension), Values{Reason: e.reason(), Until: e.due()}, e.cause())
	}},
	{Refused, func(e *evidence) []claim { // it was refused, on a ground of the law
		v := Values{}
		if e.Occasion != nil && e.wrote(core.LetterRefusal) {
			v.Ground = e.Occasion.Ground
			v.Title, v.Source = e.refusal(v.Ground)
		}
		return when(v.Ground != "", v, e.cause())
	}},
	{Answered, func(e *evidence) []claim { // it was completed
		done := e.wrote(core.LetterAnswer) || e.wrote(core.LetterCertificate)
		return when(done, Values{At: e.at()}, e.cause())
	}},
	// An answered erasure was proven anew: some systems were asked once more, by the keys of
	// their plans.
	{AskedOnceMore, func(e *evidence) []claim {
		return when(e.again.Fact > 0, Values{At: toSecond(e.again.AskedAt)}, e.again.Fact)
	}},
	// Records that had been erased were there again; each of them is erased once more and
	// proven, or it isn't.
	{CameBack, func(e *evidence) []claim {
		return when(e.again.Back() > 0, Values{Records: e.again.Back()}, e.backFacts()...)
	}},
	{ErasedOnceMore, func(e *evidence) []claim {
		return when(e.again.Back() > 0 && e.again.Whole(), Values{}, append(e.againFacts(), e.backFacts()...)...)
	}},
	{StillThere, func(e *evidence) []claim {
		return when(e.again.Back() > 0 && !e.again.Whole() && !e.onlyUnclaimed(), Values{}, append(e.againFacts(), e.backFacts()...)...)
	}},
	// None were, and every system that was asked has answered for all of it, or it hasn't.
	{NothingCameBack, func(e *evidence) []claim {
		return when(e.again.Fact > 0 && e.again.Back() == 0 && e.again.Whole(), Values{}, e.againFacts()...)
	}},
	{NotAllOnceMore, func(e *evidence) []claim {
		return when(e.again.Fact > 0 && e.again.Back() == 0 && !e.again.Whole() && !e.onlyUnclaimed(), Values{}, e.againFacts()...)
	}},
	// Records stand under the numbers of erased ones, and are nobody's by what they say: they were
	// left, and a person has looked.
	{LeftUnclaimed, func(e *evidence) []claim {
		n, _ := e.again.Unclaimed()
		return when(n > 0, Values{Records: n}, e.againFacts()...)
	}},
	// What was to be proven was not, and the law has a lesser answer: kinds of data in
	// general, and nothing of the person.
	{ToldInGeneral, func(e *evidence) []claim {
		return when(len(e.Told.Unproven) > 0, Values{Checks: e.Told.Unproven, Right: e.Request.Asked}, accepted, e.Told.Judged)
	}},
	// An identifier that the request came with is merely claimed: nobody was looked for by
	// it. One statement for each type.
	{WentWithout, func(e *evidence) (out []claim) {
		for _, t := range e.Told.Without {
			out = append(out, when(len(e.Told.Unproven) == 0, Values{Types: []dsar.IdentifierType{t}}, accepted, max(accepted, e.Told.Judged))...)
		}
		return out
	}},
	// A correction of the person's has replaced an identifier, and a system finds somebody else by
	// it by now. One statement for each type.
	{WithoutFormer, func(e *evidence) (out []claim) {
		for _, t := range e.Told.WithoutFormer {
			out = append(out, when(len(e.Told.Unproven) == 0, Values{Types: []dsar.IdentifierType{t}}, accepted)...)
		}
		return out
	}},
	// The person was looked for by an identifier: it was given, or a system found it.
	{LookedBy, func(e *evidence) (out []claim) {
		for i := range e.Identifiers {
			id := &e.Identifiers[i]
			fact := accepted
			if s := e.system(id.FoundBy); s != nil {
				fact = s.fact(dsar.Resolve)
			}
			out = append(out, when(true, Values{Identifier: id}, fact)...)
		}
		return out
	}},
}

// ofDataset are what is said of one dataset of one system.
var ofDataset = []rule[*dataset]{
	// Its records were gathered and are in the answer.
	{Shown, func(d *dataset) []claim {
		return when(d.read.Records > 0, Values{Records: d.read.Records, Files: d.read.Files}, d.sys.fact(dsar.Gather))
	}},
	// Records that are in the answer have a date.
	{ByYear, func(d *dataset) []claim {
		return when(d.read.Records > 0 && len(d.read.Years) > 0, Values{Years: d.read.Years}, d.sys.fact(dsar.Gather))
	}},
	// It was counted for an answer that tells kinds only.
	{Held, func(d *dataset) []claim {
		n := d.counts(dsar.Plan).Found
		return when(d.is(dsar.KnowCategories) && n > 0, Values{Records: n}, d.sys.fact(dsar.Plan))
	}},
	// Records are there that the right doesn't cover: read and left out, or, where the
	// worker left them out itself, as it counted them.
	{LeftOut, func(d *dataset) []claim {
		why := d.Uncovered(d.sys.all.right)
		n := max(d.read.LeftOut, d.counts(dsar.Gather).Found)
		return when(why != "" && n > 0, Values{Records: n, Why: why}, d.sys.fact(dsar.Gather))
	}},
	// Records are there that the right covers, and a person refused the dataset on a ground
	// of the law.
	{PartRefused, func(d *dataset) []claim {
		p := d.refused()
		if p == nil || d.read.LeftOut == 0 || d.Uncovered(d.sys.all.right) != "" {
			return nil
		}
		v := Values{Records: d.read.LeftOut, Ground: p.Ground}
		v.Title, v.Source = d.sys.all.refusal(p.Ground)
		return when(true, v, p.Fact, d.sys.fact(dsar.Gather))
	}},
	// The right doesn't cover it, and nothing was counted: nobody need have looked.
	{NotCovered, func(d *dataset) []claim {
		return when(d.unlooked() && d.sys.asked(), Values{Why: d.Uncovered(d.sys.all.right)}, d.sys.fact(dsar.Gather))
	}},
	// The last thing done in the system didn't reach it, or not wholly.
	{NotReached, func(d *dataset) []claim {
		fact, is := d.uncovered()
		return when(is, Values{}, fact)
	}},
	// An earlier erasure had to keep records, and this request doesn't tell by itself what stays
	// there. They must still stay, so that nothing may have touched them.
	{KeptEarlier, func(d *dataset) []claim { return d.kept(d.keptEarlier, d.sys.all.lookedAt()) }},
	// The same, where a copy was asked for, and nothing was found there: they aren't in it.
	{KeptNotCopied, func(d *dataset) []claim {
		return when(d.copies() && len(d.keptEarlier) > 0 && !d.something(), Values{Records: sum(d.keptEarlier)}, d.sys.all.lookedAt())
	}},
	// The same, where as many or more were found: whether they are those, or newer ones, nobody
	// knows.
	{KeptAmong, func(d *dataset) []claim {
		return when(d.copies() && len(d.keptEarlier) > 0 && d.something(), Values{Records: sum(d.keptEarlier)}, d.sys.all.lookedAt(), d.sys.mainFact())
	}},
	// An earlier erasure had to keep records, and they may go by now: their day has come, the
	// hold may be over, or fewer were found than had to stay. Whether they are still there
	// nobody knows.
	{KeptThen, func(d *dataset) []claim { return d.kept(d.keptThen, d.sys.all.lookedAt()) }},
	// An earlier erasure was to erase so many and hasn't reported it: it is at it, or stopped
	// short.
	{Unfinished, func(d *dataset) []claim {
		return when(d.unfinished > 0, Values{Records: d.unfinished}, d.sys.all.lookedAt())
	}},
	// A column holds what the law never shows.
	{NotShown, func(d *dataset) (out []claim) {
		for _, h := range d.read.Hidden {
			out = append(out, claim{Values{Why: h.Kind, Columns: []Column{h.Column}}, h.Column.Column, []int{d.sys.fact(dsar.Gather)}})
		}
		return out
	}},
	// Something of these columns is about other people, and is taken out.
	{AboutOthers, func(d *dataset) []claim {
		return when(len(d.read.Others) > 0, Values{Columns: d.read.Others}, d.sys.fact(dsar.Gather))
	}},
	// The right doesn't cover these columns of records that are in the answer.
	{ColumnsLeftOut, func(d *dataset) (out []claim) {
		for _, why := range []string{derived, receivedFromOthers, otherLegalBasis} {
			columns := d.leftOut(why)
			out = append(out, when(len(columns) > 0, Values{Why: why, Columns: columns}, d.sys.fact(dsar.Gather))...)
		}
		return out
	}},
	// The system answered, the dataset was reached and is covered, and nothing of the person
	// is in it, now or from an earlier erasure. What changes something looks only at what it
	// reaches: of the rest of the system's datasets it tells nothing.
	{Empty, func(d *dataset) []claim {
		_, uncovered := d.uncovered()
		return when(d.sys.asked() && d.sys.all.looksAtAll() && !uncovered && !d.unlooked() && !d.mayHold() && len(d.keptEarlier) == 0 && !d.something() && d.mentions == 0, Values{}, d.sys.facts()...)
	}},
	// An erasure found so many records, by its plan and after it.
	{Found, func(d *dataset) []claim {
		return when(d.erased.found > 0, Values{Records: d.erased.found}, d.erased.foundFacts...)
	}},
	// So many the system reported as erased, or made anonymous.
	{Erased, func(d *dataset) []claim {
		return when(d.erased.erased > 0, Values{Records: d.erased.erased}, d.erased.doneFacts...)
	}},
	{Anonymised, func(d *dataset) []claim {
		return when(d.erased.anonymised > 0, Values{Records: d.erased.anonymised}, d.erased.doneFacts...)
	}},
	// So many were planned, and not there any more when their turn came, and the erasure was
	// begun once. Who erased them isn't known: somebody else, another request, or a try of
	// that one attempt of which the database's last word was lost. Nobody is told that it
	// wasn't us.
	{Gone, func(d *dataset) []claim {
		return when(d.erased.gone > 0 && d.erased.begun <= 1, Values{Records: d.erased.gone}, d.erased.goneFacts...)
	}},
	// The same, where it was begun more than once: an attempt whose report never came may
	// have erased them. That they are gone is certain, who erased them is not.
	{MaybeErased, func(d *dataset) []claim {
		return when(d.erased.gone > 0 && d.erased.begun > 1, Values{Records: d.erased.gone}, d.erased.goneFacts...)
	}},
	// So many were planned, and were somebody else's when their turn came: they were left.
	{Reassigned, func(d *dataset) []claim {
		return when(d.erased.reassigned > 0, Values{Records: d.erased.reassigned}, d.erased.reassignedFacts...)
	}},
	// So many of them came after the plan, and were found by asking anew.
	{Late, func(d *dataset) []claim {
		return when(d.is(dsar.Erasure) && d.erased.late > 0, Values{Records: d.erased.late}, d.sys.fact(dsar.Erase))
	}},
	// So many records of others mention the person in free text, by the plan: they are left.
	{Mentions, func(d *dataset) []claim {
		return when(d.mentions > 0, Values{Records: d.mentions}, d.mentionsFact)
	}},
	// So many stand under a number that the person has, and had to stay when an earlier erasure took
	// what else there was of whom had it: whose they are isn't sure, and they were left out.
	{OfFormer, func(d *dataset) []claim {
		return when(d.former > 0, Values{Records: d.former}, d.formerFacts...)
	}},
	// So many must stay, each ground with its end: as the proof found them, and where
	// there is none, as the erasure reported.
	{Kept, func(d *dataset) []claim { return d.kept(d.erased.kept, d.erased.keptFacts...) }},
	// So many rows of another table went with its records, as the manifest lets them. One
	// statement for each table, of each erasure.
	{LetGo, func(d *dataset) []claim { return d.taken(false) }},
	// So many rows of another table stay and have lost their reference to its records.
	{Unlinked, func(d *dataset) []claim { return d.taken(true) }},
	// Its records go with another dataset's, uncounted; some of that were found.
	{GoesWith, func(d *dataset) []claim {
		with := d.sys.dataset(d.GoesWith)
		return when(d.is(dsar.Erasure) && with != nil && with.erased.found > 0 && d.erased.found == 0, Values{With: d.GoesWith}, factsOf(with)...)
	}},
	// A correction changed so many records, in these columns, from what stood there to what
	// was asked for.
	{Corrected, func(d *dataset) []claim {
		c := d.counts(dsar.Rectify)
		return when(d.is(dsar.Rectification) && c.Rectified > 0, Values{Records: c.Rectified, Columns: d.columns(c.Changed), Corrections: d.corrections(c.Changed)}, d.sys.fact(dsar.Rectify))
	}},
	// What stood there was noted before, and can't be read: a person had the answer made
	// without.
	{FormerUnread, func(d *dataset) []claim {
		return when(d.is(dsar.Rectification) && d.read.FormerUnread && d.counts(dsar.Rectify).Rectified > 0, Values{}, d.sys.fact(dsar.Rectify), d.sys.unread)
	}},
	// The correction was about these columns as well, which say what was so at the time.
	{LeftAsRecorded, func(d *dataset) []claim {
		c := d.counts(dsar.Rectify)
		return when(d.is(dsar.Rectification) && len(c.Unchanged) > 0, Values{Columns: d.columns(c.Unchanged)}, d.sys.fact(dsar.Rectify))
	}},
	// The correction was about these columns as well, and a person refused it on a ground of the
	// law; of what a person corrected by hand, they say so themselves.
	{FieldRefused, func(d *dataset) []claim { return d.refusedFields() }},
	// So many records were flagged, so that what was to end has ended for them: all use of
	// them, or some; or the flag was taken away again.
	{Restricted, func(d *dataset) []claim {
		n := d.counts(dsar.Restrict).Restricted
		return when(d.stops() && !d.lifts() && n > 0, Values{Records: n}, d.sys.fact(dsar.Restrict))
	}},
	{UsedAgain, func(d *dataset) []claim {
		n := d.counts(dsar.Restrict).Restricted
		return when(d.stops() && d.lifts() && n > 0, Values{Records: n}, d.sys.fact(dsar.Restrict))
	}},
}

// answers are how a system answered: the first whose condition holds. From Holds on, the
// system was asked, every task of it has ended, and every dataset was reached.
var answers = []rule[*system]{
	// A dataset was not reached, or not wholly, and a person left it at that.
	{PartlyReached, func(s *system) []claim { return when(s.uncovered() > 0, Values{}, s.uncovered()) }},
	// No worker can do it, and a person does.
	{ByHand, func(s *system) []claim { return when(s.outcome(dsar.Manual) && s.ended(), Values{}, s.mainFact()) }},
	// It went out of use, and was never asked; or was, and hadn't done all.
	{Retired, func(s *system) []claim { return s.retiredWith(core.CodeRetired) }},
	{RetiredOpen, func(s *system) []claim { return s.retiredWith(core.CodeRetiredOpen) }},
	// It can be asked only by identifiers that were claimed and not proven.
	{NotProven, func(s *system) []claim {
		return when(s.outcome(dsar.NotApplicable) && s.mainEnd().Code == core.CodeNotProven && s.ended(), Values{Types: s.needs}, accepted, s.mainFact())
	}},
	// It can be asked only by identifiers that other systems find, and each of those was
	// asked and knows none of the person's. Nothing of an earlier erasure is, or may be, there.
	{UnknownThere, func(s *system) []claim {
		asked, facts := s.askedInstead()
		return when(s.outcome(dsar.NotApplicable) && len(asked) > 0 && !s.keepsEarlier() && !s.mayHold() && s.ended(), Values{Types: s.needs, Systems: asked}, append(append(facts, accepted), s.mainFact())...)
	}},
	{OnlyKeptEarlier, func(s *system) []claim { // the same, where something is
		asked, facts := s.askedInstead()
		return when(s.outcome(dsar.NotApplicable) && len(asked) > 0 && s.keepsEarlier() && !s.mayHold() && s.ended(), Values{}, append(append(facts, s.all.lookedAt()), s.mainFact())...)
	}},
	{MayStillHold, func(s *system) []claim { // the same, where something may be
		asked, _ := s.askedInstead()
		return when(s.outcome(dsar.NotApplicable) && len(asked) > 0 && s.mayHold() && s.ended(), Values{}, s.all.lookedAt(), s.mainFact())
	}},
	// A person refused to correct whatever it has of the fields that were to be corrected.
	{FieldsRefused, func(s *system) []claim {
		return when(s.all.right == dsar.Rectification && s.any(FieldRefused) && !s.any(Corrected) && s.ended(), Values{}, s.facts()...)
	}},
	// It has none of the fields that were to be corrected.
	{NoSuchField, func(s *system) []claim {
		return when(s.outcome(dsar.NotApplicable) && s.mainEnd().Code == core.CodeNoCorrection, Values{}, accepted, s.mainFact())
	}},
	// Its data is used for nothing that was to end, so it wasn't asked.
	{NotUsedFor, func(s *system) []claim {
		return when(s.outcome(dsar.NotApplicable) && s.mainEnd().Code == core.CodeNoPurpose, Values{}, accepted, s.mainFact())
	}},
	// It can be asked only by identifiers that nobody knows of the person.
	{NotAsked, func(s *system) []claim {
		return when(s.outcome(dsar.NotApplicable) && s.ended(), Values{Types: s.needs}, accepted, s.mainFact())
	}},
	// Records are in the answer, or were counted.
	{Holds, func(s *system) []claim { return when(s.asked() && s.any(Shown, Held), Values{}, s.facts()...) }},
	// Records are there, and what the right covers of them is refused.
	{OnlyRefused, func(s *system) []claim { return when(s.asked() && s.any(PartRefused), Values{}, s.facts()...) }},
	// Records are there, and none that the right covers.
	{OnlyLeftOut, func(s *system) []claim { return when(s.asked() && s.any(LeftOut), Values{}, s.facts()...) }},
	// An earlier erasure isn't over there: whatever this one did, something may be left that
	// it didn't find.
	{MayStillHold, func(s *system) []claim {
		return when(s.all.right == dsar.Erasure && s.asked() && s.mayHold(), Values{}, append(s.facts(), s.all.lookedAt())...)
	}},
	// Others' texts name the person, so that what is left is more than what must stay, and
	// nobody says that nothing is: something must stay, now or from an earlier erasure; or
	// what was the person's own is erased, anonymous, or was gone already.
	{KeptAndNamed, func(s *system) []claim {
		return when(s.all.right == dsar.Erasure && s.asked() && s.named() && s.any(Kept, KeptEarlier), Values{}, append(s.facts(), s.all.lookedAt())...)
	}},
	{NamedLeft, func(s *system) []claim {
		return when(s.asked() && s.named() && s.any(Erased, Anonymised, Gone, MaybeErased), Values{}, s.facts()...)
	}},
	// An erasure left something that must stay; or all that there was.
	{PartlyKept, func(s *system) []claim {
		return when(s.asked() && s.any(Kept, KeptEarlier) && s.touched(), Values{}, s.facts()...)
	}},
	{AllKept, func(s *system) []claim { return when(s.asked() && s.any(Kept), Values{}, s.facts()...) }},
	// The records were erased, or made anonymous, or were gone already; nothing of them is
	// kept, now or from an earlier erasure.
	{AllAnonymised, func(s *system) []claim { return when(s.asked() && s.any(Anonymised), Values{}, s.facts()...) }},
	{AllErased, func(s *system) []claim { return when(s.asked() && s.any(Erased), Values{}, s.facts()...) }},
	{AllGone, func(s *system) []claim { return when(s.asked() && s.any(Gone, MaybeErased), Values{}, s.facts()...) }},
	{AllReassigned, func(s *system) []claim { return when(s.asked() && s.any(Reassigned), Values{}, s.facts()...) }},
	// Something was corrected, stopped, or goes on again.
	{Changed, func(s *system) []claim { return when(s.asked() && s.outcome(dsar.Rectified), Values{}, s.mainFact()) }},
	{GoesOn, func(s *system) []claim {
		return when(s.asked() && s.outcome(dsar.Restricted) && s.all.Request.Lift, Values{}, s.mainFact())
	}},
	// The uses that were to end have, and others go on.
	{UsesEnded, func(s *system) []claim {
		return when(s.asked() && s.outcome(dsar.Restricted) && len(s.all.Told.Purposes) > 0, Values{Uses: s.uses(true)}, accepted, s.mainFact())
	}},
	// All use of the data has ended.
	{Stopped, func(s *system) []claim {
		return when(s.asked() && s.outcome(dsar.Restricted) && !s.all.byPurpose(), Values{}, accepted, s.mainFact())
	}},
	// Nothing was found in it, and an earlier erasure isn't over there.
	{MayStillHold, func(s *system) []claim {
		return when(s.asked() && s.mayHold(), Values{}, append(s.facts(), s.all.lookedAt())...)
	}},
	// It holds nothing but what an earlier erasure had to keep.
	{OnlyKeptEarlier, func(s *system) []claim {
		return when(s.asked() && s.keepsEarlier(), Values{}, append(s.facts(), s.all.lookedAt())...)
	}},
	// Nothing was found in it but what may be somebody else's, who had the person's number before.
	{OnlyFormers, func(s *system) []claim {
		return when(s.asked() && s.any(OfFormer), Values{}, s.facts()...)
	}},
	// What was to be changed concerns nothing in it; it may hold something all the same.
	{NothingToChange, func(s *system) []claim {
		return when(s.asked() && s.all.changes() && s.outcome(dsar.NothingFound, dsar.Incomplete), Values{}, s.facts()...)
	}},
	// It was asked, and holds nothing of the person that the right covers; of what it doesn't
	// cover nobody need have looked.
	{NothingCovered, func(s *system) []claim {
		return when(s.asked() && slices.ContainsFunc(s.datasets, (*dataset).unlooked), Values{}, s.facts()...)
	}},
	// It was asked, and nothing in it is the person's, but others' texts name them.
	{NamedThere, func(s *system) []claim {
		return when(s.asked() && !s.all.changes() && s.named() && !s.something(), Values{}, s.facts()...)
	}},
	// It was asked, and holds nothing of the person.
	{HoldsNothing, func(s *system) []claim {
		return when(s.asked() && !s.all.changes() && !s.something(), Values{}, s.facts()...)
	}},
	// Nothing of the above: nobody heard what it holds, or what it was asked isn't done.
	{NoAnswer, func(s *system) []claim { return when(s.all.tells(), Values{}, accepted) }},
	{NotDone, func(*system) []claim { return when(true, Values{}, accepted) }},
}

// ofSystem are what is said of a system besides.
var ofSystem = []rule[*system]{
	// An erasure was done there, and it was asked again and had nothing, or nothing but
	// what must stay.
	{AskedAgain, func(s *system) []claim {
		return when(s.proven() && !s.named() && s.did(AllErased, AllAnonymised, AllGone, AllReassigned), Values{At: s.provenAt()}, s.fact(dsar.Erase), s.fact(dsar.Prove))
	}},
	{AskedAgainKept, func(s *system) []claim {
		return when(s.proven() && s.did(PartlyKept, AllKept, OnlyKeptEarlier), Values{At: s.provenAt()}, s.fact(dsar.Erase), s.fact(dsar.Prove))
	}},
	// The same, where others' texts name the person: nobody looks for those again.
	{AskedAgainOwn, func(s *system) []claim {
		return when(s.proven() && s.named() && s.did(NamedLeft, AllReassigned), Values{At: s.provenAt()}, s.fact(dsar.Erase), s.fact(dsar.Prove))
	}},
	{AskedAgainOwnKept, func(s *system) []claim {
		return when(s.proven() && s.did(KeptAndNamed), Values{At: s.provenAt()}, s.fact(dsar.Erase), s.fact(dsar.Prove))
	}},
	{NotAskedAgain, func(s *system) []claim {
		return when(s.all.right == dsar.Erasure && !s.proven() && s.did(AllErased, AllAnonymised, PartlyKept, AllKept, OnlyKeptEarlier, KeptAndNamed, NamedLeft), Values{}, s.mainFact())
	}},
	// The data is there, and used for what wasn't to end, or doesn't end for that.
	{UsesGoOn, func(s *system) []claim {
		on := s.uses(false)
		return when(s.did(UsesEnded) && len(on) > 0, Values{Uses: on}, s.mainFact())
	}},
	// A copy was asked for, there is data, and it is used for profiling, or for decisions by
	// machine alone.
	{Profiled, func(s *system) []claim {
		uses := s.marked(manifest.MarkProfiling)
		return when(s.all.right == dsar.Access && s.did(Holds) && len(uses) > 0, Values{Uses: uses}, s.mainFact())
	}},
	{DecidedByMachine, func(s *system) []claim {
		uses := s.marked(manifest.MarkAutomated)
		return when(s.all.right == dsar.Access && s.did(Holds) && len(uses) > 0, Values{Uses: uses}, s.mainFact())
	}},
	// Something can't be used any more, as the manifest says.
	{Limits, func(s *system) []claim {
		return when(s.System.Limits != "" && (s.did(Stopped) || s.touched()), Values{Reason: s.System.Limits}, s.mainFact())
	}},
	// Something was erased, and backups hold it for as long as the manifest says.
	{InBackups, func(s *system) []claim {
		until := s.backupsUntil()
		return when(!until.IsZero() && s.all.right == dsar.Erasure && s.touched(), Values{Until: until}, s.fact(dsar.Erase))
	}},
}

// ofAll are what follows from the answers of all systems.
var ofAll = []rule[*evidence]{
	// A record that is in the answer says since when the person is a customer.
	{CustomerSince, func(e *evidence) []claim { return e.since() }},
	// A copy was asked for, and what is in it is received in a country. One statement for
	// each country and safeguard.
	{ReceivedIn, func(e *evidence) (out []claim) {
		for _, v := range e.receivedIn() {
			out = append(out, when(e.right == dsar.Access, v.Values, v.facts...)...)
		}
		return out
	}},
	// Every system holds nothing, or can be asked only by what was heard that the person
	// doesn't have.
	// Who received data that was changed is told of it, or can't be; each from the fact that
	// it is owed by.
	{RecipientsTold, func(e *evidence) []claim {
		return e.notices(func(n core.NoticeAnswer) bool { return n.Status != core.NoticeIsExcused }, false)
	}},
	{NotTold, func(e *evidence) []claim {
		return e.notices(func(n core.NoticeAnswer) bool { return n.Status == core.NoticeIsExcused }, true)
	}},
	{NothingHeld, func(e *evidence) []claim {
		return when(!e.changes() && e.every(HoldsNothing, UnknownThere), Values{}, e.facts()...)
	}},
	// The same, beside what an earlier erasure had to keep.
	{NothingElseHeld, func(e *evidence) []claim {
		return when(!e.changes() && !e.has(NothingHeld) && e.every(HoldsNothing, UnknownThere, OnlyKeptEarlier), Values{}, e.facts()...)
	}},
	{NothingCoveredHeld, func(e *evidence) []claim { // the same, as far as the right covers it
		return when(!e.changes() && !e.has(NothingHeld, NothingElseHeld) && e.every(HoldsNothing, UnknownThere, NothingCovered), Values{}, e.facts()...)
	}},
	{NothingChanged, func(e *evidence) []claim { // nothing anywhere was to be changed
		return when(e.changes() && e.every(NothingToChange, UnknownThere, OnlyKeptEarlier, NotUsedFor, NoSuchField), Values{}, e.facts()...)
	}},
	{NothingWithout, func(e *evidence) []claim { // but not all identifiers were used
		return when(e.has(WentWithout, WithoutFormer) && e.has(NothingHeld, NothingElseHeld, NothingCoveredHeld, NothingChanged), Values{}, e.facts()...)
	}},
	// A copy was asked for, every system answered, and nothing that it has was left out.
	{NothingLeftOut, func(e *evidence) []claim {
		left := e.has(WentWithout, WithoutFormer, LeftOut, PartRefused, ColumnsLeftOut, NotShown, AboutOthers, NotReached, NotCovered, KeptNotCopied, KeptAmong, KeptThen, Unfinished, LeftAsRecorded, Mentions, OfFormer)
		return when(e.tells() && !left && e.every(Holds, HoldsNothing, UnknownThere, OnlyKeptEarlier), Values{}, e.facts()...)
	}},
	// Every system was erased in, or holds nothing; nothing is kept anywhere.
	{EverythingGone, func(e *evidence) []claim {
		return when(e.right == dsar.Erasure && !e.has(Reassigned, OfFormer, Mentions) && e.every(AllErased, AllAnonymised, AllGone, HoldsNothing, UnknownThere), Values{}, e.facts()...)
	}},
	{OnlyKeptLeft, func(e *evidence) []claim { // the same, but for what must stay
		return when(e.right == dsar.Erasure && !e.has(EverythingGone, Reassigned, OfFormer, Mentions) && e.every(AllErased, AllAnonymised, AllGone, HoldsNothing, UnknownThere, PartlyKept, AllKept, OnlyKeptEarlier), Values{}, e.facts()...)
	}},
	// The same, where others' texts name the person: without what must stay, and with it.
	{OnlyTextsLeft, func(e *evidence) []claim {
		return when(e.right == dsar.Erasure && e.has(Mentions) && !e.has(Reassigned, OfFormer) && e.every(AllErased, AllAnonymised, AllGone, HoldsNothing, UnknownThere, NamedLeft, NamedThere), Values{}, e.facts()...)
	}},
	{KeptAndTextsLeft, func(e *evidence) []claim {
		return when(e.right == dsar.Erasure && e.has(Mentions) && !e.has(OnlyTextsLeft, Reassigned, OfFormer) && e.every(AllErased, AllAnonymised, AllGone, HoldsNothing, UnknownThere, PartlyKept, AllKept, OnlyKeptEarlier, NamedLeft, NamedThere, KeptAndNamed), Values{}, e.facts()...)
	}},
	{NotAllGone, func(e *evidence) []claim { // neither: a system wasn't asked, or not wholly, or something may be left there
		return when(e.right == dsar.Erasure && !e.has(EverythingGone, OnlyKeptLeft, OnlyTextsLeft, KeptAndTextsLeft), Values{}, accepted)
	}},
	// All is over, something must stay, and each such record is flagged, so that nothing else is
	// done with it. Of what an earlier erasure kept that isn't known.
	{KeptUnused, func(e *evidence) []claim {
		return when(e.right == dsar.Erasure && e.over() && !e.outOfUse() && e.has(Kept) && !e.has(KeptEarlier, KeptThen, Unfinished) && e.flagged(), Values{}, e.facts()...)
	}},
	// A copy is refused of some datasets, each on a ground of the law: one statement for each
	// ground, where something is in them. A letter is written without having read that.
	{RefusedInPart, func(e *evidence) []claim { return e.refusedInPart() }},
	// Each system that was asked was asked once more after the erasure.
	{EveryoneAsked, func(e *evidence) []claim {
		return when(e.right == dsar.Erasure && e.over() && e.askedAgain(), Values{}, e.facts()...)
	}},
}
