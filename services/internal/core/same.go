package core

import (
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
)

// Sameness says whether two requests are of one person, as far as anybody knows.
type Sameness string

// What can be said of two requests' people.
const (
	// NothingInCommon says that no identifier is known in both.
	NothingInCommon Sameness = ""
	// SamePerson says that they have an identifier in common which isn't a household's, and
	// nothing says otherwise.
	SamePerson Sameness = "same"
	// PerhapsSame says that nobody knows: a person must say.
	PerhapsSame Sameness = "perhaps"
)

// Doubt is why nobody knows whether two requests are of one person.
type Doubt string

// The doubts.
const (
	// DoubtShared says that all they have in common is what several people may have: a
	// telephone, or what only weak links go by.
	DoubtShared Doubt = "shared"
	// DoubtAccounts says that both know an account, and not the same: they are two people, or
	// one who registered anew.
	DoubtAccounts Doubt = "accounts"
	// DoubtRivals says that a third request has as much in common with this one, and that it
	// knows another account than the earlier one: not both can be of the same person.
	DoubtRivals Doubt = "rivals"
	// DoubtNoKeys says that an identifier of this one is one of the earlier one's, and that
	// nobody can open those: the vault has lost its keys, so that nobody knows whose it is, nor
	// by what it found anything.
	DoubtNoKeys Doubt = "no-keys"
	// DoubtNumber says that all they have in common is the number of an account that an earlier
	// erasure has taken, so that it may have been given anew: it was found for the later one by
	// something else, or both know an e-mail address, and not the same.
	DoubtNumber Doubt = "number"
)

// Comparison is what the identifiers of two requests say of whether they are of one person.
type Comparison struct {
	Sameness Sameness
	Doubt    Doubt // with PerhapsSame
	// By is the place, among the first one's, of an identifier that both have: of one that isn't
	// a household's, where there is any. -1: there is none.
	By int
	// Account tells that they have an account in common.
	Account bool
}

// Compare says whether two requests are of one person, by the identifiers that may be used in
// each ([State.Usable]), with fingerprints by one key. Household are the types that a household
// may share ([State.Household]). It says the same whichever request comes first
// (TestCompareIsSymmetric).
//
// An identifier in common that isn't a household's makes them one person's, unless both know
// values of a type that names an account and none of them is the same. Who registered anew has
// the address that they had, and another account: so that is never somebody else's by itself,
// either.
func Compare(a, b []dsar.Identifier, household []dsar.IdentifierType) Comparison {
	c := Comparison{By: -1}
	own := false
	for i, id := range a {
		if !has(b, id) {
			continue
		}
		this := !slices.Contains(household, id.Type) && kindOf(id.Type) != typePhone
		c.Account = c.Account || this && kindOf(id.Type) != typeEmail
		if c.By < 0 || this && !own {
			c.By = i
		}
		own = own || this
	}
	switch {
	case c.By < 0:
	case contradicts(a, b, household):
		c.Sameness, c.Doubt = PerhapsSame, DoubtAccounts
	case !own:
		c.Sameness, c.Doubt = PerhapsSame, DoubtShared
	default:
		c.Sameness = SamePerson
	}
	return c
}

// CompareUnread says it of two requests where nobody can open the second one's identifiers:
// common are the places, among the first one's, of those that it is known to have. Whose it is,
// a person says.
func CompareUnread(a []dsar.Identifier, common []int, household []dsar.IdentifierType) Comparison {
	c := Comparison{By: -1}
	for _, i := range common {
		if own := !slices.Contains(household, a[i].Type) && kindOf(a[i].Type) != typePhone; c.By < 0 || own {
			c.By, c.Sameness, c.Doubt = i, PerhapsSame, DoubtNoKeys
		}
	}
	return c
}

// Compare says the same of two requests, by identifiers of each as [Compare] takes them, and knows
// besides what happened between them: the number of an account that one of them has erased may
// be another person's in a later one (docs/adr/0052).
func (s State) Compare(mine []dsar.Identifier, other State, theirs []dsar.Identifier) Comparison {
	household := slices.Concat(s.Household(), other.Household())
	c := Compare(mine, theirs, household)
	anew := s.follows(other) && givenAnew(mine, theirs, household) || other.follows(s) && givenAnew(theirs, mine, household)
	if c.Sameness == SamePerson && anew {
		c.Sameness, c.Doubt = PerhapsSame, DoubtNumber
	}
	return c
}

// follows reports whether a request came in after an erasure, which has begun to erase.
func (s State) follows(erasure State) bool {
	return erasure.Reaches() && erasure.begun() && !s.Accepted.AcceptedAt.Before(erasure.Accepted.AcceptedAt)
}

// givenAnew reports whether all that a request's identifiers have in common with those of an
// erasure before it may have been given to somebody else since.
func givenAnew(now, then []dsar.Identifier, household []dsar.IdentifierType) bool {
	found := true
	for _, id := range now {
		switch {
		case !has(then, id) || slices.Contains(household, id.Type) || kindOf(id.Type) == typePhone:
		case kindOf(id.Type) == typeEmail:
			return false
		default:
			found = found && id.FoundBy != "" && id.FoundBy != dsar.EarlierRequest
		}
	}
	address := func(id dsar.Identifier) bool {
		return kindOf(id.Type) == typeEmail && !slices.Contains(household, id.Type)
	}
	return found || slices.ContainsFunc(now, address) && slices.ContainsFunc(then, address)
}

// The kinds of identifiers that name no account.
const typeEmail, typePhone = "email", "phone"

// kindOf returns what an identifier of a type is, whichever system it is of.
func kindOf(t dsar.IdentifierType) string { return string(t[strings.LastIndexByte(string(t), '.')+1:]) }

// NamesAccount reports whether an identifier of a type is of an account: no address, and no
// telephone.
func NamesAccount(t dsar.IdentifierType) bool {
	return kindOf(t) != typeEmail && kindOf(t) != typePhone
}

// has reports whether an identifier is one of some.
func has(ids []dsar.Identifier, id dsar.Identifier) bool {
	return id.Fingerprint != "" && slices.ContainsFunc(ids, func(o dsar.Identifier) bool { return o.Type == id.Type && o.Fingerprint == id.Fingerprint })
}

// contradicts reports whether there is a type that names an account of which both know values,
// and none in common.
func contradicts(a, b []dsar.Identifier, household []dsar.IdentifierType) bool {
	return slices.ContainsFunc(a, func(id dsar.Identifier) bool {
		ofType := func(o dsar.Identifier) bool { return o.Type == id.Type }
		if k := kindOf(id.Type); k == typeEmail || k == typePhone || slices.Contains(household, id.Type) || !slices.ContainsFunc(b, ofType) {
			return false
		}
		return !slices.ContainsFunc(a, func(o dsar.Identifier) bool { return ofType(o) && has(b, o) })
	})
}

// Household returns the types of identifiers that several people may share, as the request's
// systems have it: those that only weak links go by.
func (s State) Household() []dsar.IdentifierType {
	var weak, strong []dsar.IdentifierType
	for _, sys := range s.Accepted.Systems {
		for _, l := range sys.Links {
			if l.Weak {
				weak = append(weak, l.By)
			} else {
				strong = append(strong, l.By)
			}
		}
	}
	return slices.DeleteFunc(weak, func(t dsar.IdentifierType) bool { return slices.Contains(strong, t) })
}

// Concerns reports whether it makes a difference to a request whether another one is of the
// same person: an erasure has left something there, or, to an erasure, a hold is on there, it is
// open, or what it answered can be opened still.
func (s State) Concerns(other State, at time.Time) bool {
	switch {
	case s.Right.Decided() || other.Right.Decided() || !other.Exists():
		return false
	case len(other.Kept(at)) > 0:
		return true
	case s.Right != dsar.Erasure:
		return false
	default:
		return len(other.Holds) > 0 || !other.Status.Ended() || !other.UnfetchedUntil(at).IsZero() || other.Status == StatusCompleted && other.RecordsForgotten.IsZero()
	}
}

// Judged returns what a person has said of whether two requests are of one person: in either,
// the last one where both have it.
func Judged(a, b State) (same, judged bool) {
	var at time.Time
	look := func(s, other State) {
		for _, d := range s.Doubts {
			if d.RequestID == other.Accepted.RequestID && d.Judged && !d.At.Before(at) {
				same, judged, at = d.Same, true, d.At
			}
		}
	}
	look(a, b)
	look(b, a)
	return same, judged
}

// Compared is another request, and how it compares with one.
type Compared struct {
	State
	Comparison
}

// JudgedAmong returns what a person has said of whether one of the requests that are compared with
// a request is of its person; or of whether it is of the same person as another of them, which is
// of the request's account: nobody is asked twice.
func JudgedAmong(s, other State, all []Compared) (same, judged bool) {
	same, judged = Judged(s, other)
	for _, third := range all {
		if !judged && third.Account && third.Sameness == SamePerson && third.Accepted.RequestID != other.Accepted.RequestID {
			same, judged = Judged(third.State, other)
		}
	}
	return same, judged
}
