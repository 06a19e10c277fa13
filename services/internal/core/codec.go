package core

import (
	"encoding/json"
	"fmt"
	"time"
)

// Encode is a fact's form in the journal: its type and its JSON.
func Encode(e Event) (typ string, data []byte, err error) {
	data, err = json.Marshal(e)
	if err != nil {
		return "", nil, fmt.Errorf("dsar: encode %s: %w", e.Type(), err)
	}
	return e.Type(), data, nil
}

// Decode reads a fact of the journal. An unknown type is an error: a journal
// written by a newer Habeas must not be folded without what it says.
func Decode(typ string, data []byte) (Event, error) {
	switch typ {
	case Accepted{}.Type():
		return decode[Accepted](data)
	case StageStarted{}.Type():
		return decode[StageStarted](data)
	case TaskSent{}.Type():
		return decode[TaskSent](data)
	case TaskProgressed{}.Type():
		return decode[TaskProgressed](data)
	case TaskParked{}.Type():
		return decode[TaskParked](data)
	case TaskEnded{}.Type():
		return decode[TaskEnded](data)
	case TaskFailed{}.Type():
		return decode[TaskFailed](data)
	case AttentionNeeded{}.Type():
		return decode[AttentionNeeded](data)
	case Retried{}.Type():
		return decode[Retried](data)
	case Cancelled{}.Type():
		return decode[Cancelled](data)
	case Overdue{}.Type():
		return decode[Overdue](data)
	case Completed{}.Type():
		return decode[Completed](data)
	case ProofAsked{}.Type():
		return decode[ProofAsked](data)
	case ProofJudged{}.Type():
		return decode[ProofJudged](data)
	case ClarificationAsked{}.Type():
		return decode[ClarificationAsked](data)
	case ClarificationGiven{}.Type():
		return decode[ClarificationGiven](data)
	case Extended{}.Type():
		return decode[Extended](data)
	case Refused{}.Type():
		return decode[Refused](data)
	case Merged{}.Type():
		return decode[Merged](data)
	case Reminded{}.Type():
		return decode[Reminded](data)
	case HoldPlaced{}.Type():
		return decode[HoldPlaced](data)
	case HoldLifted{}.Type():
		return decode[HoldLifted](data)
	case RetentionEnded{}.Type():
		return decode[RetentionEnded](data)
	case LetterSent{}.Type():
		return decode[LetterSent](data)
	case IdentifiersRevealed{}.Type():
		return decode[IdentifiersRevealed](data)
	case DeliveryAsked{}.Type():
		return decode[DeliveryAsked](data)
	case Assigned{}.Type():
		return decode[Assigned](data)
	default:
		return nil, fmt.Errorf("dsar: unknown fact %q; it was written by a newer version", typ)
	}
}

func decode[E Event](data []byte) (Event, error) {
	var e E
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("dsar: decode %s: %w", e.Type(), err)
	}
	return e, nil
}

// At is when a fact happened.
func At(e Event) time.Time {
	switch e := e.(type) {
	case Accepted:
		return e.AcceptedAt
	case StageStarted:
		return e.At
	case TaskSent:
		return e.At
	case TaskProgressed:
		return e.At
	case TaskParked:
		return e.At
	case TaskEnded:
		return e.At
	case TaskFailed:
		return e.At
	case AttentionNeeded:
		return e.At
	case Retried:
		return e.At
	case Cancelled:
		return e.At
	case Overdue:
		return e.At
	case Completed:
		return e.At
	case ProofAsked:
		return e.At
	case ProofJudged:
		return e.At
	case ClarificationAsked:
		return e.At
	case ClarificationGiven:
		return e.At
	case Extended:
		return e.At
	case Refused:
		return e.At
	case Merged:
		return e.At
	case Reminded:
		return e.At
	case HoldPlaced:
		return e.At
	case HoldLifted:
		return e.At
	case RetentionEnded:
		return e.At
	case LetterSent:
		return e.At
	case IdentifiersRevealed:
		return e.At
	case DeliveryAsked:
		return e.At
	case Assigned:
		return e.At
	default:
		return time.Time{}
	}
}
