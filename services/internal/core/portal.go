package core

import (
	"fmt"
	"slices"
	"time"
)

// ByTheSubject is who acts where the person does, at the portal.
const ByTheSubject = "the person"

const (
	// MaxSent bounds how often a person sends something for one request: whoever is at the
	// portal can't fill it.
	MaxSent = 20
	// MaxOpened is how often an answer is given out by one passphrase; then an agent makes
	// another. A person opens it on a telephone, at a desk, and again.
	MaxOpened = 20
)

// NoteSent records that the person has sent what they were asked for.
type NoteSent struct{ PersonSent }

func (c NoteSent) now() time.Time { return c.PersonSent.At }

func (c NoteSent) decide(d *decider) error {
	awaited := map[SentAs]ReminderOf{SentProof: RemindProof, SentClarification: RemindClarification}[c.What]
	switch {
	case !d.Exists():
		return ErrUnknown
	case len(d.Sent) >= MaxSent:
		return fmt.Errorf("%w: as much was sent as may be", ErrNotAllowed)
	case awaited != "" && d.Awaited != awaited:
		return ErrNotAwaited
	case c.What == SentNoPassphrase:
		if err := d.GivesOut(); err != nil {
			return err
		}
		if slices.ContainsFunc(d.Sent, func(s PersonSent) bool { return s.What == SentNoPassphrase }) {
			return nil // it is known
		}
	case awaited == "":
		return fmt.Errorf("%w: nothing of that kind is sent", ErrInvalid)
	}
	d.record(c.PersonSent)
	return nil
}

// OpenAnswer records that the answer is given to who had the passphrase.
type OpenAnswer struct{ Now time.Time }

func (c OpenAnswer) now() time.Time { return c.Now }

func (c OpenAnswer) decide(d *decider) error {
	if err := d.GivesOut(); err != nil {
		return err
	}
	switch {
	case d.KeyRevoked:
		return fmt.Errorf("%w: what opened the answer was revoked", ErrNotAllowed)
	case len(d.Opened) >= MaxOpened:
		return fmt.Errorf("%w: it was opened as often as may be", ErrNotAllowed)
	}
	d.record(AnswerOpened{Moment{At: d.now}})
	return nil
}

const (
	// MaxFetched bounds how often a caller is given one answer, at different times.
	MaxFetched = 100
	// FetchedOnce is how long fetching again counts as the same: a download that broke off
	// is begun anew.
	FetchedOnce = time.Hour
)

// FetchAnswer records that an upstream system is given the answer to its own request.
type FetchAnswer struct {
	By  string
	Now time.Time
}

func (c FetchAnswer) now() time.Time { return c.Now }

func (c FetchAnswer) decide(d *decider) error {
	if err := d.GivesOut(); err != nil {
		return err
	}
	n := len(d.Fetched)
	if n > 0 && d.Fetched[n-1].By == c.By && d.now.Before(d.Fetched[n-1].At.Add(FetchedOnce)) {
		return nil
	}
	if n >= MaxFetched {
		return fmt.Errorf("%w: it was fetched as often as may be", ErrNotAllowed)
	}
	d.record(AnswerFetched{By: c.By, Moment: Moment{At: d.now}})
	return nil
}

// ChangeAnswerKey records that an agent has made another passphrase for the person, or has
// revoked the one that there is.
type ChangeAnswerKey struct {
	By, Reason string
	Revoke     bool
	Now        time.Time
}

func (c ChangeAnswerKey) now() time.Time { return c.Now }

func (c ChangeAnswerKey) decide(d *decider) error {
	if err := d.GivesOut(); err != nil {
		return err
	}
	switch {
	case c.Reason == "":
		return fmt.Errorf("%w: why must be said", ErrNotAllowed)
	case c.Revoke && d.KeyRevoked:
		return fmt.Errorf("%w: it was revoked before", ErrNotAllowed)
	}
	d.record(AnswerKeyChanged{ReasonedAct: ReasonedAct{By: c.By, Reason: c.Reason, At: d.now}, Revoked: c.Revoke})
	return nil
}

// GivesOut returns why there is no answer to be given out ([ErrNotAllowed]); nil: there is
// one.
func (s State) GivesOut() error {
	switch {
	case !s.Exists():
		return ErrUnknown
	case s.Status != StatusCompleted && s.Status != StatusDelivering:
		return fmt.Errorf("%w: there is no answer yet", ErrNotAllowed)
	case s.Right.Decided():
		return fmt.Errorf("%w: the answer is a letter", ErrNotAllowed)
	case !s.RecordsForgotten.IsZero():
		return fmt.Errorf("%w: the answer was destroyed when its time had come", ErrNotAllowed)
	}
	return nil
}
