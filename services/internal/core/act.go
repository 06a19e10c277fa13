package core

import "fmt"

func (c IfUnchanged) decide(d *decider) error {
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
	case !d.SubjectForgotten.IsZero():
		return fmt.Errorf("%w: whom it was about is forgotten", ErrNotAllowed)
	}
	d.record(IdentifiersRevealed{ReasonedAct: ReasonedAct{By: c.By, Reason: c.Reason, At: d.now}, Gathered: c.Gathered})
	return nil
}

func (c Assign) decide(d *decider) error {
	switch {
	case !d.Exists():
		return ErrUnknown
	case d.Status.Ended():
		return ErrEnded
	case d.Assignee == c.To:
		return nil
	}
	d.record(Assigned{Act: Act{By: c.By, Reason: c.Reason, At: d.now}, To: c.To})
	return nil
}

func (c Note) decide(d *decider) error {
	switch {
	case !d.Exists():
		return ErrUnknown
	case c.Reason == "":
		return fmt.Errorf("%w: there is nothing to note", ErrNotAllowed)
	case !d.SubjectForgotten.IsZero():
		return fmt.Errorf("%w: whom it was about is forgotten", ErrNotAllowed)
	}
	d.record(Noted{ReasonedAct: ReasonedAct{By: c.By, Reason: c.Reason, At: d.now}})
	return nil
}

func (c DeliverAgain) decide(d *decider) error {
	switch {
	case !d.Exists():
		return ErrUnknown
	case d.Status != StatusCompleted && d.Status != StatusDelivering && d.Status != StatusRefused:
		return fmt.Errorf("%w: there is no answer to deliver", ErrNotAllowed)
	case c.ByHand && c.Reason == "":
		return fmt.Errorf("%w: how the person was told must be said", ErrNotAllowed)
	case !d.RecordsForgotten.IsZero() || !d.SubjectForgotten.IsZero():
		return fmt.Errorf("%w: the answer was destroyed when its time had come", ErrNotAllowed)
	}
	d.record(DeliveryAsked{Act: Act{By: c.By, Reason: c.Reason, At: d.now}, ByHand: c.ByHand})
	return nil
}

// byPerson reports whether a fact is what a person did to the request, so that
// whoever didn't see it must look again before they act. Looking and noting aren't.
func byPerson(e Event) bool {
	switch e.(type) {
	case IdentifiersRevealed, PlanOpened, AnswerFetched, Noted:
		return false
	}
	return e.Who() != "" && e.Who() != ByPolicy
}
