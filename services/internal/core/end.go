package core

import (
	"fmt"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// erases is the right whose answers may have to be given again, when what had to stay
// goes.
const erases = dsar.Erasure

// IssueReceipt records that a receipt of how the request ended was made. It decides
// nothing where there is one.
type IssueReceipt struct {
	Sealed, Leaf []byte
	Now          time.Time
}

func (c IssueReceipt) now() time.Time { return c.Now }

func (c IssueReceipt) decide(d *decider) error {
	if !d.Exists() {
		return ErrUnknown
	}
	if slices.Contains(d.Duties(c.Now), DutyReceipt) {
		d.record(ReceiptIssued{Sealed: c.Sealed, Leaf: c.Leaf, Moment: Moment{At: d.now}})
	}
	return nil
}

// LeaveReceipt records that the receipt lies beside the answer. It decides nothing where
// that isn't owed.
type LeaveReceipt struct {
	Object string
	Now    time.Time
}

func (c LeaveReceipt) now() time.Time { return c.Now }

func (c LeaveReceipt) decide(d *decider) error {
	if !d.Exists() {
		return ErrUnknown
	}
	if slices.Contains(d.Duties(c.Now), DutyLeaveReceipt) {
		d.record(ReceiptLeft{Object: c.Object, Moment: Moment{At: d.now}})
	}
	return nil
}

// Forget records that a part of what Habeas held of the request is gone. It MUST be gone
// already: [State.MayForget] says beforehand whether it may. It decides nothing where it
// was recorded.
type Forget struct {
	By, Reason           string
	Part                 Part
	Tried                int
	Document, Salt, Leaf []byte
	Now                  time.Time
}

func (c Forget) now() time.Time { return c.Now }

func (c Forget) decide(d *decider) error {
	if !d.Exists() {
		return ErrUnknown
	}
	if d.forgotten(c.Part) {
		return nil
	}
	if err := d.MayForget(c.Part); err != nil {
		return err
	}
	d.record(Forgotten{Act: Act{By: c.By, Reason: c.Reason, At: d.now}, Part: c.Part, Tried: c.Tried, Document: c.Document, Salt: c.Salt, Leaf: c.Leaf})
	return nil
}

// ForgetCopies records that an answered erasure has reached what Habeas itself held of the
// person in other requests. It decides nothing where it was recorded.
type ForgetCopies struct {
	Requests []string
	Open     int // how many are still being answered, whose copies stay until they are
	// Unfetched is how many have an answer that nobody has fetched ([State.UnfetchedUntil]);
	// Until is when the last of those ends.
	Unfetched int
	Until     time.Time
	Now       time.Time
}

func (c ForgetCopies) now() time.Time { return c.Now }

func (c ForgetCopies) decide(d *decider) error {
	if !d.Exists() {
		return ErrUnknown
	}
	if slices.Contains(d.Duties(c.Now), DutyForgetCopies) {
		d.record(CopiesForgotten{Requests: c.Requests, Open: c.Open, Unfetched: c.Unfetched, Until: c.Until, Moment: Moment{At: d.now}})
	}
	return nil
}

// UnfetchedUntil returns until when an answer is kept for the person though their erasure has
// come by: its own end, where it can be had and nobody has had it yet. Who asks for a copy
// and then for erasure wants both. The zero time where it isn't kept for them: it was
// opened or fetched, has ended, or there is no end to it.
func (s State) UnfetchedUntil(now time.Time) time.Time {
	end := s.recordsEnd()
	if s.GivesOut() != nil || len(s.Opened)+len(s.Fetched) > 0 || !now.Before(end) {
		return time.Time{}
	}
	return end
}

func (s State) forgotten(p Part) bool {
	return p == PartRecords && !s.RecordsForgotten.IsZero() || p == PartSubject && !s.SubjectForgotten.IsZero()
}

// MayForget returns why a part of what Habeas holds of the request can't be forgotten
// yet, whoever asks: it is still needed. Nil where it may, or is.
func (s State) MayForget(p Part) error {
	switch kept := s.needed(); {
	case !s.Exists():
		return ErrUnknown
	case p != PartRecords && p != PartSubject:
		return fmt.Errorf("%w: there is no such part", ErrInvalid)
	case !s.Status.Ended():
		return fmt.Errorf("%w: the request is still open", ErrNotAllowed)
	case p == PartSubject && len(kept) > 0:
		return fmt.Errorf("%w: %s of %s had to stay, and whose it is must be known to erase it later", ErrNotAllowed, kept[0].Dataset, kept[0].System)
	case p == PartSubject && len(s.Holds) > 0:
		return fmt.Errorf("%w: a legal hold is on", ErrNotAllowed)
	case p == PartSubject && s.RecordsForgotten.IsZero():
		return fmt.Errorf("%w: records and answer go first", ErrNotAllowed)
	}
	return nil
}
