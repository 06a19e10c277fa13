package core

import (
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// personFacts are the facts of what is asked of the person, and told.
var personFacts = []factType{
	fact[ProofAsked]("proof.asked"),
	fact[ProofJudged]("proof.judged"),
	fact[ClarificationAsked]("clarification.asked"),
	fact[ClarificationGiven]("clarification.given"),
	fact[LetterSent]("letter.sent"),
	fact[IdentifiersRevealed]("identifiers.revealed"),
	fact[DeliveryAsked]("delivery.asked"),
}

// ProofAsked says that the person was asked for proof, and is awaited.
type ProofAsked struct {
	Act
	Checks []dsar.Check `json:"checks"`
	// Identifiers are the fingerprints of those that are to be proven, with the check
	// of identity.
	Identifiers []string `json:"identifiers,omitempty"`
	// Pauses tells that the clock stands until it is judged.
	Pauses bool `json:"pauses,omitempty"`
}

func (e ProofAsked) evolve(s State) State {
	s.Proof = e
	return s.await(StatusAwaitingProof, RemindProof, e.Pauses, e.At)
}

// ProofJudged says whether the proof was accepted, and that the request goes on.
type ProofJudged struct {
	Act
	Accepted bool `json:"accepted"`
	// Identifiers are the fingerprints of those that are proven from now on.
	Identifiers []string `json:"identifiers,omitempty"`
	// Failed is what was not proven, where the proof was not accepted.
	Failed []dsar.Check `json:"failed,omitempty"`
	// Without tells that the request goes on without what was not proven.
	Without bool `json:"without,omitempty"`
	// Instead is the right that is answered from now on, where the proof was
	// not accepted and the law has a lesser answer.
	Instead dsar.Right `json:"instead,omitempty"`
	// DueAt is the due date from now on, where the clock had stood.
	DueAt time.Time `json:"due_at,omitzero"`
}

func (e ProofJudged) evolve(s State) State {
	s = s.goOn(e.DueAt, e.At)
	s.Judged = s.Version
	switch {
	case e.Accepted:
		if s.Accepted.Terms.StartsWithProof {
			s.StartedAt = e.At
		}
		s = s.prove(e.Identifiers)
	case e.Without:
	case e.Instead != "":
		s = s.disown().refusedBy(e.By)
		s.Disproven = e.Failed
		s.Right, s.Stage, s.Status = e.Instead, "", StatusAccepted
	default:
		s.Status = StatusAwaitingProof // until it is refused, with the next fact
	}
	return s
}

// ClarificationAsked says that the person was asked what is meant, and is awaited.
type ClarificationAsked struct {
	Act
	// ToPerson is the question, as the person is asked it.
	ToPerson string `json:"to_person,omitempty"`
	Pauses   bool   `json:"pauses,omitempty"`
}

func (e ClarificationAsked) evolve(s State) State {
	s.Question = e.ToPerson
	return s.await(StatusAwaitingClarification, RemindClarification, e.Pauses, e.At)
}

// ClarificationGiven says that the person has answered, and that the request goes on.
type ClarificationGiven struct {
	Act
	DueAt time.Time `json:"due_at,omitzero"`
}

func (e ClarificationGiven) evolve(s State) State { return s.goOn(e.DueAt, e.At) }

// Letter is a kind of letter to the person.
type Letter string

// The letters.
const (
	LetterConfirmation  Letter = "confirmation"  // the request was received
	LetterProof         Letter = "proof"         // proof is wanted
	LetterClarification Letter = "clarification" // it is asked what is meant
	LetterExtension     Letter = "extension"     // the answer comes later
	LetterRefusal       Letter = "refusal"       // there is no answer
	LetterAnswer        Letter = "answer"        // the answer is there
	LetterCertificate   Letter = "certificate"   // what was erased, and what was kept
	LetterAddendum      Letter = "addendum"      // what was found when it was asked again later

	LetterAcknowledgement Letter = "acknowledgement" // an appeal or a complaint was received
	LetterDecision        Letter = "decision"        // what was found of it
)

// LetterSent says that the person was written to.
type LetterSent struct {
	Letter   Letter `json:"letter"`
	Language string `json:"language"`
	// Cause is the version of the fact that it was written about: of one fact,
	// one letter.
	Cause int `json:"cause"`
	// Channel is how it went.
	Channel Channel `json:"channel"`
	// Digest is a hash of the letter, keyed by the request: the copy in the outbox is held
	// against it. Empty in facts of before v0.2.0, and where the keys were gone.
	Digest string `json:"digest,omitempty"`
	Moment
}

func (e LetterSent) evolve(s State) State {
	s.Letters = append(slices.Clip(s.Letters), e)
	return s
}

// IdentifiersRevealed says that somebody looked at what identifies the person.
type IdentifiersRevealed struct {
	ReasonedAct
	// Gathered is the system whose records they looked at; empty: at the identifiers, or at
	// what the person sent.
	Gathered string `json:"gathered,omitempty"`
}

func (e IdentifiersRevealed) evolve(s State) State { return s }

// DeliveryAsked says that the person is to be told again where the answer is.
type DeliveryAsked struct {
	Act
	// ByHand tells that who acted has told them already: no letter goes.
	ByHand bool `json:"by_hand,omitempty"`
}

func (e DeliveryAsked) evolve(s State) State {
	if e.ByHand {
		s.ToldByHand = e.At
	}
	return s
}
