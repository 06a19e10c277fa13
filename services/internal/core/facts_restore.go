package core

import (
	"slices"

	"habeas.dev/pkg/dsar"
)

// restoreFacts are the facts of a journal that was restored from a backup.
var restoreFacts = []factType{
	fact[TakenUp]("request.taken-up"),
}

// TakenFrom is from where it is known what a restored journal has lost of a request.
type TakenFrom string

// From where it is known.
const (
	TakenFromEvents   TakenFrom = "events"   // its facts, on dsar.events
	TakenFromRequests TakenFrom = "requests" // what was submitted, on dsar.requests
	TakenFromOutbox   TakenFrom = "outbox"   // an answer or letters that had gone out
	TakenFromHeads    TakenFrom = "heads"    // the mirrored list of heads: how many facts there were
)

// TakenUp says that the journal was restored from a backup that is older than what had
// become of the request, and what of that was taken up again.
type TakenUp struct {
	Act
	From TakenFrom `json:"from"`
	// Facts is how many facts were taken in again, as they were; they stand before this one.
	Facts int `json:"facts,omitempty"`
	// Letters are those that lie in the outbox and that no fact tells of: the person was
	// written to, and whether by mail isn't known.
	Letters []LetterTaken `json:"letters,omitempty"`
	// Answer is the answer that lies in the outbox though no fact tells of it. The request
	// ends with it: nobody is answered twice.
	Answer *dsar.Object `json:"answer,omitempty"`
	// Refused tells that a letter of refusal lies in the outbox, and no answer: the request
	// ends with that.
	Refused bool `json:"refused,omitempty"`
	// Lost is how many later facts there were, as the list of heads says, that nobody has any
	// more: a hold that was put on or lifted may be among them, an answer, or an erasure's
	// outcome. Until somebody has looked ([Noted]) no erasure of the person goes on.
	Lost int `json:"lost,omitempty"`
}

// LetterTaken is a letter that was found in the outbox.
type LetterTaken struct {
	Letter   Letter `json:"letter"`
	Language string `json:"language"`
	Cause    int    `json:"cause"`
}

// Ends reports whether the request ends with what was found.
func (e TakenUp) Ends() bool { return e.Answer != nil || e.Refused }

func (e TakenUp) evolve(s State) State {
	s.FactsLost = max(s.FactsLost, e.Lost)
	for _, l := range e.Letters {
		s.Letters = append(slices.Clip(s.Letters), LetterSent{Letter: l.Letter, Language: l.Language, Cause: l.Cause, Channel: ChannelUnknown, Moment: Moment{At: e.At}})
	}
	if !e.Ends() || s.Status.Ended() {
		return s
	}
	status := StatusRefused
	if e.Answer != nil {
		status, s.Bundle, s.AnsweredAt = StatusCompleted, *e.Answer, e.At
	}
	s = s.end(status, e.At)
	// How it ended is in none of the facts: a receipt would say what isn't known. The one
	// that there was still proves what it says.
	s.Receipted, s.ReceiptLeft, s.AnswerUntold = true, &ReceiptLeft{Moment: Moment{At: e.At}}, true
	return s
}
