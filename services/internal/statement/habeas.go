package statement

import (
	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// ofHabeas are what Habeas says of itself, as of any system: what it keeps of the person
// whose request it handled, why, and until when. They rest on the fact that has these ends,
// and an answer whose request has none says nothing of it.
var ofHabeas = []rule[*evidence]{
	// The answer, and what was gathered for it.
	{OwnAnswer, func(e *evidence) []claim {
		return e.kept(func(k core.Keep) Values { return Values{Days: k.AnswerDays} })
	}},
	// Whom it was about, for as long as it must be shown how it was answered.
	{OwnRecord, func(e *evidence) []claim {
		return e.kept(func(k core.Keep) Values { return Values{Months: k.AccountabilityMonths, Source: k.Source} })
	}},
	// The same of an erasure, of which more is to be proven later.
	{OwnErasure, func(e *evidence) []claim {
		return when(e.keeps() && e.right == dsar.Erasure, Values{}, accepted)
	}},
	// That there was a request stays.
	{OwnTrace, func(e *evidence) []claim {
		return when(e.keeps(), Values{}, accepted)
	}},
	// Its own earlier copies are destroyed, as a fact says.
	{OwnCopies, func(e *evidence) []claim {
		c := e.Told.Copies
		if c == nil || c.Requests == 0 || e.right != dsar.Erasure {
			return nil
		}
		return when(true, Values{Requests: c.Requests, At: c.At}, c.Fact)
	}},
	{OwnNoCopies, func(e *evidence) []claim {
		c := e.Told.Copies
		if c == nil || c.Requests+c.Open+c.Unfetched > 0 || e.right != dsar.Erasure {
			return nil
		}
		return when(true, Values{}, c.Fact)
	}},
	// Others of the person's requests were still being answered, and have their copies.
	{OwnOpen, func(e *evidence) []claim {
		c := e.Told.Copies
		if c == nil || c.Open == 0 || e.right != dsar.Erasure {
			return nil
		}
		return when(true, Values{Requests: c.Open, At: c.At}, c.Fact)
	}},
	// Others have an answer that nobody has fetched yet: it is kept for the person.
	{OwnUnfetched, func(e *evidence) []claim {
		c := e.Told.Copies
		if c == nil || c.Unfetched == 0 || e.right != dsar.Erasure {
			return nil
		}
		return when(true, Values{Requests: c.Unfetched, At: c.At, Until: toSecond(c.Until)}, c.Fact)
	}},
}

// keeps reports whether it is known how long Habeas keeps what it holds: in an answer, and
// in no letter on the way to it.
func (e *evidence) keeps() bool { return e.Told.Keep != nil && e.Occasion == nil }

// kept states something of how long Habeas keeps what it holds, where that is known.
func (e *evidence) kept(of func(core.Keep) Values) []claim {
	if !e.keeps() {
		return nil
	}
	return when(true, of(*e.Told.Keep), accepted)
}
