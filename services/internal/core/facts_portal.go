package core

import (
	"slices"
	"time"
)

// portalFacts are the facts of what the person does at the portal, and of how the answer
// is handed out.
var portalFacts = []factType{
	fact[AnswerFetched]("answer.fetched"),
	fact[PersonSent]("person.sent"),
	fact[AnswerOpened]("answer.opened"),
	fact[AnswerKeyChanged]("answer.key-changed"),
}

// SentAs is what the person sends.
type SentAs string

// What the person sends.
const (
	SentProof         SentAs = "proof"         // what was asked to be proven
	SentClarification SentAs = "clarification" // the answer to a question
	SentNoPassphrase  SentAs = "no-passphrase" // that they have none, and need one
)

// PersonSent says that the person has sent something, which waits to be looked at.
type PersonSent struct {
	What SentAs `json:"what"`
	// Object is where it lies sealed, until it was judged; empty with [SentNoPassphrase].
	Object string `json:"object,omitempty"`
	Bytes  int64  `json:"bytes,omitempty"`
	Moment
}

func (e PersonSent) evolve(s State) State {
	s.Sent = append(slices.Clip(s.Sent), e)
	return s
}

// AnswerOpened says that who had the passphrase was given the answer.
type AnswerOpened struct{ Moment }

func (e AnswerOpened) evolve(s State) State {
	s.Opened = append(slices.Clip(s.Opened), e.At)
	return s
}

// AnswerFetched says that an upstream system was given the answer to its own request, sealed.
type AnswerFetched struct {
	// By is the caller, as facts name one.
	By string `json:"by"`
	Moment
}

// Who implements Event.
func (e AnswerFetched) Who() string { return e.By }

func (e AnswerFetched) evolve(s State) State {
	s.Fetched = append(slices.Clip(s.Fetched), e)
	return s
}

// AnswerKeyChanged says that the passphrase by which the person opens the answer isn't the
// one that it was: another was made, or none is left.
type AnswerKeyChanged struct {
	ReasonedAct
	Revoked bool `json:"revoked,omitempty"`
}

func (e AnswerKeyChanged) evolve(s State) State {
	s.Opened, s.KeyRevoked = []time.Time{}, e.Revoked
	if !e.Revoked {
		// What was left for the identity of before is left anew.
		s.KeyMade, s.ReceiptLeft = true, nil
	}
	s.Sent = slices.DeleteFunc(slices.Clone(s.Sent), func(sent PersonSent) bool { return sent.What == SentNoPassphrase })
	return s
}
