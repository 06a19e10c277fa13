package core

import "fmt"

func (c Seen) decide(d *decider) error {
	if d.Acts != c.Acts {
		return ErrChanged
	}
	return c.Command.decide(d)
}

func (c Reveal) decide(d *decider) error {
	switch {
	case !d.Exists():
		return ErrUnknown
	case c.Reason == "":
		return fmt.Errorf("%w: why must be said", ErrNotAllowed)
	}
	d.record(IdentifiersRevealed{By: c.By, Reason: c.Reason, At: d.now})
	return nil
}

func (c Assign) decide(d *decider) error {
	switch {
	case !d.Exists():
		return ErrUnknown
	case d.Assignee == c.To:
		return nil
	}
	d.record(Assigned{By: c.By, To: c.To, Reason: c.Reason, At: d.now})
	return nil
}

func (c DeliverAgain) decide(d *decider) error {
	switch {
	case !d.Exists():
		return ErrUnknown
	case d.Status != StatusCompleted:
		return fmt.Errorf("%w: there is no answer to deliver", ErrNotAllowed)
	}
	d.record(DeliveryAsked{By: c.By, Reason: c.Reason, At: d.now})
	return nil
}

// byPerson tells whether a fact is what a person did to the request, so that
// whoever didn't see it must look again before they act.
func byPerson(e Event) bool {
	by := ""
	switch e := e.(type) {
	case Retried:
		by = e.By
	case Cancelled:
		by = e.By
	case TaskEnded:
		by = e.By
	case ProofAsked:
		by = e.By
	case ProofJudged:
		by = e.By
	case ClarificationAsked:
		by = e.By
	case ClarificationGiven:
		by = e.By
	case Extended:
		by = e.By
	case Refused:
		by = e.By
	case Merged:
		by = e.By
	case HoldPlaced:
		by = e.By
	case HoldLifted:
		by = e.By
	case DeliveryAsked:
		by = e.By
	case Assigned:
		by = e.By
	}
	return by != "" && by != ByPolicy
}
