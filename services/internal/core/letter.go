package core

import (
	"cmp"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// Occasion is a fact that the person is written about, and what the letter tells
// of it and of how things stood then: it reads the same whenever it is written.
type Occasion struct {
	Letter Letter
	Cause  int // the fact's version, from 1
	At     time.Time
	Checks []dsar.Check // what is to be proven; with LetterProof
	Reason string       // what is asked, or why it takes longer; a person's words
	Ground string       // on which it is refused; with LetterRefusal
	// Decision is what a person decided; with LetterDecision.
	Decision GrievanceDecided
	// Again is what was found when the erasure was proven anew; with LetterAddendum.
	Again *AgainAnswer
	// Right, DueAt, Extensions and Paused are the state's, just after the fact.
	Right      dsar.Right
	DueAt      time.Time
	Extensions int
	Paused     bool
}

// occasion adds what the person is to be written about, if a fact is such. Before is the
// state in which the fact came.
func (s State) occasion(before State, e Event) State {
	o := Occasion{Cause: s.Version, Right: s.Right, DueAt: s.DueAt, Extensions: s.Extensions, Paused: s.Paused}
	switch e := e.(type) {
	case Accepted:
		if o.Letter = LetterConfirmation; e.About != nil {
			o.Letter = LetterAcknowledgement
		}
	case GrievanceDecided:
		o.Letter, o.Reason, o.Decision = LetterDecision, e.Reason, e
	case ProofAsked:
		o.Letter, o.Checks = LetterProof, e.Checks
	case ClarificationAsked:
		o.Letter, o.Reason = LetterClarification, e.ToPerson
	case Extended:
		o.Letter, o.Reason = LetterExtension, cmp.Or(e.ToPerson, e.Reason)
	case Refused:
		o.Letter, o.Ground = LetterRefusal, e.Ground
	case AddendumIssued:
		if len(s.Addenda) == len(before.Addenda) {
			return s // it added none
		}
		told := s.Addenda[len(s.Addenda)-1].Told
		o.Letter, o.Again = LetterAddendum, &told
	case AnswerAvailable, Completed, DeliveryAsked:
		if hand, by := e.(DeliveryAsked); by && hand.ByHand || before.Status == StatusDelivering && TypeOf(e) == TypeOf(Completed{}) {
			return s // they have heard of it
		}
		if o.Letter = LetterAnswer; s.Right == dsar.Erasure {
			o.Letter = LetterCertificate
		}
		switch {
		case s.Status == StatusRefused:
			o.Letter, o.Ground = LetterRefusal, s.Refusal.Ground
		case s.Right.Decided():
			o.Letter, o.Reason, o.Decision = LetterDecision, s.Decision.Reason, s.Decision
		}
	default:
		return s
	}
	o.At = e.When()
	s.Occasions = append(slices.Clip(s.Occasions), o)
	return s
}

// Unwritten returns the occasions that no letter was sent of. What a later fact has
// overtaken isn't among them: nobody is told to send proof for a request that has
// ended.
func (s State) Unwritten() []Occasion {
	return slices.DeleteFunc(slices.Clone(s.Occasions), func(o Occasion) bool {
		question := o.Letter == LetterProof || o.Letter == LetterClarification
		return s.wrote(o.Letter, o.Cause) || question && s.Status.Ended()
	})
}

func (s State) wrote(letter Letter, cause int) bool {
	return slices.ContainsFunc(s.Letters, func(l LetterSent) bool { return l.Letter == letter && l.Cause == cause })
}

func (c NoteLetter) decide(d *decider) error {
	if !d.Exists() {
		return ErrUnknown
	}
	if !d.wrote(c.Letter, c.Cause) {
		d.record(c.LetterSent)
	}
	return nil
}
