package statement

import (
	"slices"

	"habeas.dev/services/internal/core"
)

// The kinds of statements, in the order of the file that has their conditions
// (conditions.go). Each has its sentence in services/internal/words/<language>/statements.yaml
// (TestEveryKindHasASentence), its values in schemas/answer.schema.json, and its place on
// the page (TestEveryKindHasAPlace in bundle) or in a letter.
const (
	// Of the request, on the way.
	Received      Kind = "received"
	Due           Kind = "due"
	DuePassed     Kind = "due-passed"
	Concerns      Kind = "concerns"
	Decided       Kind = "decided"
	ProofWanted   Kind = "proof-wanted"
	QuestionAsked Kind = "question-asked"
	TakesLonger   Kind = "takes-longer"
	Refused       Kind = "refused"
	Answered      Kind = "answered"
	RefusedInPart Kind = "refused-in-part"

	// Of an answered erasure that was proven anew.
	AskedOnceMore   Kind = "asked-once-more"
	CameBack        Kind = "came-back"
	ErasedOnceMore  Kind = "erased-once-more"
	StillThere      Kind = "still-there"
	NothingCameBack Kind = "nothing-came-back"
	NotAllOnceMore  Kind = "not-all-once-more"
	LeftUnclaimed   Kind = "left-unclaimed"

	// Of whom the answer is about.
	ToldInGeneral Kind = "told-in-general"
	WentWithout   Kind = "went-without"
	WithoutFormer Kind = "without-former"
	LookedBy      Kind = "looked-by"

	// Of one dataset: what is told of it.
	Shown          Kind = "shown"
	ByYear         Kind = "by-year"
	Held           Kind = "held"
	LeftOut        Kind = "left-out"
	PartRefused    Kind = "part-refused"
	NotShown       Kind = "not-shown"
	AboutOthers    Kind = "about-others"
	ColumnsLeftOut Kind = "columns-left-out"
	NotCovered     Kind = "not-covered"
	NotReached     Kind = "not-reached"
	KeptEarlier    Kind = "kept-earlier"
	KeptNotCopied  Kind = "kept-not-copied"
	KeptAmong      Kind = "kept-among"
	KeptThen       Kind = "kept-then"
	Unfinished     Kind = "unfinished"
	Empty          Kind = "empty"

	// Of one dataset: what was done.
	Found          Kind = "found"
	Erased         Kind = "erased"
	Anonymised     Kind = "anonymised"
	Gone           Kind = "gone"
	MaybeErased    Kind = "maybe-erased"
	Reassigned     Kind = "reassigned"
	Late           Kind = "late"
	Mentions       Kind = "mentions"
	OfFormer       Kind = "of-former"
	Kept           Kind = "kept"
	GoesWith       Kind = "goes-with"
	LetGo          Kind = "let-go"
	Unlinked       Kind = "unlinked"
	Corrected      Kind = "corrected"
	FormerUnread   Kind = "former-unread"
	LeftAsRecorded Kind = "left-as-recorded"
	FieldRefused   Kind = "field-refused"
	Restricted     Kind = "restricted"
	UsedAgain      Kind = "used-again"

	// Of one system: how it answered. Each has one of these.
	PartlyReached   Kind = "partly-reached"
	ByHand          Kind = "by-hand"
	NotProven       Kind = "not-proven"
	UnknownThere    Kind = "unknown-there"
	NotAsked        Kind = "not-asked"
	Holds           Kind = "holds"
	OnlyRefused     Kind = "only-refused"
	OnlyLeftOut     Kind = "only-left-out"
	NothingCovered  Kind = "nothing-covered"
	HoldsNothing    Kind = "holds-nothing"
	OnlyKeptEarlier Kind = "only-kept-earlier"
	MayStillHold    Kind = "may-still-hold"
	PartlyKept      Kind = "partly-kept"
	AllKept         Kind = "all-kept"
	AllAnonymised   Kind = "all-anonymised"
	AllErased       Kind = "all-erased"
	AllGone         Kind = "all-gone"
	AllReassigned   Kind = "all-reassigned"
	OnlyFormers     Kind = "only-formers"
	KeptAndNamed    Kind = "kept-and-named"
	NamedLeft       Kind = "named-left"
	NamedThere      Kind = "named-there"
	Changed         Kind = "changed"
	Stopped         Kind = "stopped"
	UsesEnded       Kind = "uses-ended"
	NotUsedFor      Kind = "not-used-for"
	NoSuchField     Kind = "no-such-field"
	FieldsRefused   Kind = "fields-refused"
	Retired         Kind = "retired"
	RetiredOpen     Kind = "retired-open"
	GoesOn          Kind = "goes-on"
	NothingToChange Kind = "nothing-to-change"
	NoAnswer        Kind = "no-answer"
	NotDone         Kind = "not-done"

	// Of one system, besides.
	AskedAgain     Kind = "asked-again"
	AskedAgainKept Kind = "asked-again-kept"
	// AskedAgainOwn and AskedAgainOwnKept say no more than of the person's own records:
	// others' texts name them.
	AskedAgainOwn     Kind = "asked-again-own"
	AskedAgainOwnKept Kind = "asked-again-own-kept"
	NotAskedAgain     Kind = "not-asked-again"
	Limits            Kind = "limits"
	InBackups         Kind = "in-backups"
	UsesGoOn          Kind = "uses-go-on"
	// DecidedByMachine and Profiled name what the data is used for that GDPR art. 15(1)(h)
	// wants told.
	DecidedByMachine Kind = "decided-by-machine"
	Profiled         Kind = "profiled"

	// Of the request as a whole: what follows from all systems.
	CustomerSince      Kind = "customer-since"
	ReceivedIn         Kind = "received-in"
	RecipientsTold     Kind = "recipients-told"
	NotTold            Kind = "not-told"
	NothingHeld        Kind = "nothing-held"
	NothingElseHeld    Kind = "nothing-else-held"
	NothingCoveredHeld Kind = "nothing-covered-held"
	NothingChanged     Kind = "nothing-changed"
	NothingWithout     Kind = "nothing-without"
	NothingLeftOut     Kind = "nothing-left-out"
	EverythingGone     Kind = "everything-gone"
	OnlyKeptLeft       Kind = "only-kept-left"
	OnlyTextsLeft      Kind = "only-texts-left"
	KeptAndTextsLeft   Kind = "kept-and-texts-left"
	NotAllGone         Kind = "not-all-gone"
	KeptUnused         Kind = "kept-unused"
	EveryoneAsked      Kind = "every-system-asked-again"

	// Of Habeas itself, a system as well ([dsar.Habeas]): what it keeps of the request, why
	// and until when, and what an erasure reached of it.
	OwnAnswer   Kind = "own-answer"
	OwnRecord   Kind = "own-record"
	OwnErasure  Kind = "own-erasure"
	OwnTrace    Kind = "own-trace"
	OwnCopies   Kind = "own-copies"
	OwnNoCopies Kind = "own-no-copies"
	OwnOpen     Kind = "own-open"
	// OwnUnfetched is of answers that nobody has fetched yet.
	OwnUnfetched Kind = "own-unfetched"
)

// What [Decided] says by its Why.
const (
	Upheld       = string(core.Upheld)
	PartlyUpheld = string(core.PartlyUpheld)
)

// Kinds returns every kind that has a condition.
func Kinds() []Kind {
	var out []Kind
	out = addKinds(out, ofRequest)
	out = addKinds(out, ofDataset)
	out = addKinds(out, answers)
	out = addKinds(out, ofSystem)
	out = addKinds(out, ofAll)
	return addKinds(out, ofHabeas)
}

func addKinds[P any](out []Kind, rules []rule[P]) []Kind {
	for _, r := range rules {
		if !slices.Contains(out, r.kind) {
			out = append(out, r.kind)
		}
	}
	return out
}

// Answers reports whether a kind says how a system answered; of each system there is one.
func (k Kind) Answers() bool {
	return slices.ContainsFunc(answers, func(r rule[*system]) bool { return r.kind == k })
}

// OfRequest reports whether a kind is about the request itself: when it came in, is due, and was
// answered.
func (k Kind) OfRequest() bool {
	return slices.ContainsFunc(ofRequest, func(r rule[*evidence]) bool { return r.kind == k })
}

// Sweeping reports whether a kind says that nothing is there, or that everything is
// done. None is made while a task of what it speaks of is open, a shortfall stands, or
// something is kept that it doesn't name (TestSweepingOnlyOnceAllIsOver).
func (k Kind) Sweeping() bool {
	switch k {
	case Empty, HoldsNothing, NothingCovered, NothingCoveredHeld, UnknownThere, AllErased, AllAnonymised, AllGone, AllReassigned, NamedLeft, NamedThere, NothingHeld, NothingElseHeld, NothingChanged, NothingLeftOut, EverythingGone, OnlyKeptLeft, OnlyTextsLeft, KeptAndTextsLeft, KeptUnused, EveryoneAsked, AskedAgain, AskedAgainKept, AskedAgainOwn, AskedAgainOwnKept, NothingToChange, ErasedOnceMore, NothingCameBack:
		return true
	default:
		return false
	}
}

// OfSomething reports whether a statement about a dataset tells that something of the
// person is, or was, in it.
func (k Kind) OfSomething() bool {
	switch k {
	case Shown, Held, LeftOut, PartRefused, Found, Erased, Anonymised, Gone, MaybeErased, Reassigned, Kept, GoesWith, Corrected, LeftAsRecorded, Restricted, UsedAgain:
		return true
	default:
		return false
	}
}
