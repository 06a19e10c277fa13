package core

import (
	"slices"
	"time"
)

// Channel is how a letter went.
type Channel string

// The channels of letters.
const (
	ChannelOutbox  Channel = "outbox" // it lies in the outbox, for who hands it on
	ChannelMail    Channel = "smtp"
	ChannelCaller  Channel = "caller"      // no letter's: the caller tells its people itself
	ChannelUnknown Channel = "found-there" // it was found in the outbox, and a restored journal doesn't know how it went
)

// TellWithin is within what time somebody tells the person of what became of their request,
// before it needs a person: a weekend and a day, and longer than a caller is called for.
const TellWithin = 3 * 24 * time.Hour

// Unreached says why nobody has told the person of what became of their request, as far as is
// known.
type Unreached string

// The reasons.
const (
	UnreachedMail   Unreached = "mail"   // the letter couldn't be mailed
	UnreachedFound  Unreached = "found"  // a letter was found in the outbox, and it isn't known whether it was mailed
	UnreachedCaller Unreached = "caller" // the caller, who tells its people itself, couldn't be told
	UnreachedLate   Unreached = "late"   // nothing of it is known after [TellWithin]
)

// toTell returns the state in which the person is to be told of the last fact, where that is
// recorded at all: of what they were to be told before no one need.
func (s State) toTell(at time.Time) State {
	if s.Accepted.ToldBy != "" {
		s.ToTell, s.ToTellAt, s.ToldByHand, s.TellLate = s.Version, at, time.Time{}, false
	}
	return s
}

// tell completes a request whose answer is there, once the person was told: an answer that
// nobody knows of has answered nobody.
func (d *decider) tell() {
	if d.told() {
		d.record(Completed{Bundle: d.Bundle, Moment: Moment{At: d.now}})
	}
}

// told reports whether the person was told of what became of their request: by a letter that
// went as it was to go, by somebody at the desk, or by a caller that tells its people itself,
// which has heard of it or fetched the answer.
func (s State) told() bool {
	caller := s.Accepted.ToldBy == ChannelCaller
	knows := s.CallerHeard >= s.ToTell || slices.ContainsFunc(s.Fetched, func(f AnswerFetched) bool { return !f.At.Before(s.ToTellAt) })
	went := func(l LetterSent) bool {
		return l.Channel == ChannelMail || l.Channel == s.Accepted.ToldBy || l.Channel == ChannelUnknown && s.Accepted.ToldBy == ChannelOutbox // it lies there
	}
	return caller && s.ToTell > 0 && knows || !s.ToldByHand.IsZero() || slices.ContainsFunc(s.tellings(), went)
}

// tellings returns the letters that were written of what the person is to be told.
func (s State) tellings() []LetterSent {
	return slices.DeleteFunc(slices.Clone(s.Letters), func(l LetterSent) bool {
		return s.ToTell == 0 || l.Cause < s.ToTell || !slices.Contains([]Letter{LetterAnswer, LetterCertificate, LetterAddendum, LetterDecision, LetterRefusal}, l.Letter)
	})
}

// Unreached returns why, and since when, somebody must see to it that the person hears of what
// became of their request; empty where they were told, or may be by itself.
func (s State) Unreached() (why Unreached, since time.Time) {
	if s.ToTell == 0 || s.told() || !s.SubjectForgotten.IsZero() {
		return "", time.Time{}
	}
	letters := s.tellings()
	switch caller := s.Accepted.ToldBy == ChannelCaller; {
	case caller && s.CallsGivenUp >= s.ToTell:
		return UnreachedCaller, s.CallsGivenUpAt
	case !caller && len(letters) > 0:
		last := letters[len(letters)-1]
		if last.Channel == ChannelUnknown {
			return UnreachedFound, last.At
		}
		return UnreachedMail, last.At
	case s.TellLate:
		return UnreachedLate, s.ToTellAt.Add(TellWithin)
	}
	return "", time.Time{}
}

// tellDue returns when it is looked anew whether the person was told; the zero time where
// they were, or where it never is.
func (s State) tellDue() time.Time {
	why, since := s.Unreached()
	switch {
	case s.ToTell == 0 || s.told() || !s.SubjectForgotten.IsZero():
		return time.Time{}
	case why == "":
		return s.ToTellAt.Add(TellWithin)
	case s.RemindedAt.After(since):
		since = s.RemindedAt
	}
	return since.Add(RemindEvery)
}
