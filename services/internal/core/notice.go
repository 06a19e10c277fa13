package core

import (
	"crypto/subtle"
	"fmt"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// A recipient of data that was erased, corrected or restricted is told of it where the law
// says so (GDPR art. 19; Civ. Code 1798.105(c)). Whom that reaches is recorded when the
// answer is assembled, so that the answer can say it; who is told by a machine is told when
// the answer was given, and reminded until they answer.

const (
	// RemindRecipient is how long a recipient has to answer before it is told again, and
	// MaxNotices how often it is told before a person must see to it.
	RemindRecipient = 14 * 24 * time.Hour
	MaxNotices      = 4
	// What can't be delivered is tried again after an hour, then twice as long each time up
	// to a day, and MaxNoticeTries times in all; then a person must see to it.
	noticeRetryFirst = time.Hour
	noticeRetryMost  = 24 * time.Hour
	MaxNoticeTries   = 8
)

// Way is how a recipient is told.
type Way string

// The ways, as pkg/manifest has them.
const (
	WayWebhook Way = "webhook"
	WayMail    Way = "mail"
	WayHand    Way = "hand"
	WayNobody  Way = "nobody"
)

// machine reports whether no person is needed.
func (w Way) machine() bool { return w == WayWebhook || w == WayMail }

// Recipient is somebody who is to be told of what a request changes, as it was decided when
// the request came.
type Recipient struct {
	ID string `json:"id"`
	By Way    `json:"by"`
	// Receives are the datasets that it receives.
	Receives []Reached `json:"receives"`
}

// NoticeStatus is where a notice to one recipient stands.
type NoticeStatus string

// The statuses of a notice.
const (
	NoticeIsOwed     NoticeStatus = "owed"     // it wasn't told yet
	NoticeIsSent     NoticeStatus = "sent"     // it was told, and hasn't answered
	NoticeIsAnswered NoticeStatus = "answered" // it has acknowledged the notice
	NoticeIsExcused  NoticeStatus = "excused"  // it can't be told, or that is out of proportion
)

// Notice is what is owed to one recipient.
type Notice struct {
	Recipient string
	By        Way
	Datasets  []Reached
	Status    NoticeStatus
	Owed      time.Time // since when
	// Sent is when it was last told, Tries how often it was told by a machine.
	Sent  time.Time
	Tries int
	// Tokens are hashes of those that the notices hold: whoever brings one acknowledges.
	Tokens [][]byte
	// Code says why it couldn't be told by its way, so that a person must; Until is when that
	// is tried again, after so many Failures.
	Code     string
	Until    time.Time
	Failures int
	// Fact is the version of the fact that it is owed by.
	Fact int
}

// Waits reports whether a person must see to it.
func (n Notice) Waits() bool {
	return n.Status == NoticeIsOwed && (!n.By.machine() || n.Code != "") || n.Status == NoticeIsSent && n.By.machine() && n.Tries >= MaxNotices
}

// due returns when a machine is to tell it next; the zero time where none is.
func (n Notice) due(answered time.Time) time.Time {
	switch open := n.Status == NoticeIsOwed || n.Status == NoticeIsSent; {
	case !open || !n.By.machine() || n.Code != "" || n.Tries >= MaxNotices:
		return time.Time{}
	case !n.Until.IsZero():
		return n.Until
	case n.Status == NoticeIsOwed:
		return answered
	default:
		return n.Sent.Add(RemindRecipient)
	}
}

// Notice returns what is owed to a recipient; nil where nothing is. It MUST NOT be changed.
func (s State) Notice(recipient string) *Notice {
	for i := range s.Notices {
		if s.Notices[i].Recipient == recipient {
			return &s.Notices[i]
		}
	}
	return nil
}

// DueNotices returns the notices that a machine is to send at a time.
func (s State) DueNotices(now time.Time) []Notice {
	var out []Notice
	for _, n := range s.Notices {
		if at := n.due(s.AnsweredAt); s.tellsRecipients() && !at.IsZero() && !now.Before(at) {
			out = append(out, n)
		}
	}
	return out
}

// tellsRecipients reports whether the time of notices is there, and not over: without keys
// nobody can say whom they are about.
func (s State) tellsRecipients() bool { return !s.AnsweredAt.IsZero() && s.SubjectForgotten.IsZero() }

// noticesDue returns when the next notice is to be sent; the zero time where none is.
func (s State) noticesDue() time.Time {
	var next time.Time
	for _, n := range s.Notices {
		if at := n.due(s.AnsweredAt); s.tellsRecipients() && !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// oweNotices records whom the request's changes reach outside of the company, before the
// answer is assembled; once more where something more was changed since.
func (d *decider) oweNotices() {
	for _, r := range d.Accepted.Recipients {
		var since time.Time
		if before := d.Notice(r.ID); before != nil {
			since = before.Owed
		}
		var touched []Reached
		for _, p := range r.Receives {
			if d.touched(p, since) {
				touched = append(touched, p)
			}
		}
		if len(touched) > 0 {
			d.record(NoticeOwed{Recipient: r.ID, By: r.By, Datasets: touched, Moment: Moment{At: d.now}})
		}
	}
}

// touched reports whether the request has changed something in a dataset after a time.
func (s State) touched(p Reached, since time.Time) bool {
	for _, t := range s.Tasks {
		if t.System != p.System || s.restrictsHeld(t.Action) {
			continue
		}
		for _, e := range append(slices.Clone(t.Earlier), t.End) {
			if !e.At.After(since) {
				continue
			}
			if e.uncounted() && s.mayHold(p) {
				return true
			}
			for _, c := range e.Counts {
				begun := c.Gone > 0 && t.Attempt > 1 // an attempt that nobody heard of may have erased it
				if c.Dataset == p.Dataset && (e.Action == dsar.Erase && (c.Erased+c.Anonymised > 0 || begun) || e.Action == dsar.Rectify && c.Rectified > 0 || e.Action == dsar.Restrict && c.Restricted > 0) {
					return true
				}
			}
		}
	}
	return false
}

// uncounted reports whether somebody has changed records by hand, and didn't say in which
// datasets.
func (e ActionEnd) uncounted() bool {
	changed := []dsar.Outcome{dsar.Erased, dsar.Anonymised, dsar.Rectified, dsar.Restricted}
	return e.By != "" && len(e.Counts) == 0 && slices.Contains(changed, e.Outcome)
}

// mayHold reports whether a dataset may hold something of the person: it may unless the plan
// has found nothing there.
func (s State) mayHold(p Reached) bool {
	plan := s.Task(p.System, dsar.Plan)
	if plan == nil || plan.End.Outcome == "" || plan.End.By != "" {
		return true
	}
	return slices.ContainsFunc(plan.End.Counts, func(c dsar.Counts) bool { return c.Dataset == p.Dataset && c.Found > 0 })
}

// Changed returns the columns that a correction has changed in a dataset.
func (s State) Changed(p Reached) []string {
	t := s.Task(p.System, dsar.Rectify)
	if t == nil {
		return nil
	}
	for _, c := range t.End.Counts {
		if c.Dataset == p.Dataset {
			return c.Changed
		}
	}
	return nil
}

// SendNotice records that a recipient was told by a machine, or why it can't be. It decides
// nothing where that isn't owed any more.
type SendNotice struct {
	Recipient string
	// Token is the hash of the one that the notice holds.
	Token []byte
	// Code is why it can't be told this way; empty: it was. With Passing it can be tried again.
	Code    string
	Passing bool
	Now     time.Time
}

func (c SendNotice) now() time.Time { return c.Now }

func (c SendNotice) decide(d *decider) error {
	if !d.Exists() {
		return ErrUnknown
	}
	n := d.Notice(c.Recipient)
	if n == nil || n.due(d.AnsweredAt).IsZero() || !d.tellsRecipients() {
		return nil
	}
	if c.Code != "" {
		f := NoticeFailed{Recipient: c.Recipient, Code: c.Code, Moment: Moment{At: d.now}}
		if c.Passing && n.Failures+1 < MaxNoticeTries {
			f.Until = d.now.Add(min(noticeRetryFirst<<n.Failures, noticeRetryMost))
		}
		d.record(f)
		return nil
	}
	d.record(NoticeSent{Recipient: c.Recipient, Token: c.Token, Number: n.Tries + 1, Moment: Moment{At: d.now}})
	return nil
}

// AcknowledgeNotice records that a recipient has a notice, as it said itself by bringing its
// token.
type AcknowledgeNotice struct {
	Recipient string
	Token     []byte // the hash of what was brought
	Now       time.Time
}

func (c AcknowledgeNotice) now() time.Time { return c.Now }

func (c AcknowledgeNotice) decide(d *decider) error {
	n := d.Notice(c.Recipient)
	if n == nil || !slices.ContainsFunc(n.Tokens, func(t []byte) bool { return subtle.ConstantTimeCompare(t, c.Token) == 1 }) {
		return fmt.Errorf("%w: the token is of no notice", ErrNotAllowed)
	}
	if n.Status != NoticeIsAnswered {
		d.record(NoticeAcknowledged{Recipient: c.Recipient, Act: Act{At: d.now}})
	}
	return nil
}

// SettleNotice records what a person has done about a notice: they told the recipient, or
// it has answered, or it can't be told.
type SettleNotice struct {
	By        string
	Reason    string
	Recipient string
	Status    NoticeStatus // [NoticeIsSent], [NoticeIsAnswered] or [NoticeIsExcused]
	Now       time.Time
}

func (c SettleNotice) now() time.Time { return c.Now }

func (c SettleNotice) decide(d *decider) error {
	n := d.Notice(c.Recipient)
	switch {
	case !d.Exists():
		return ErrUnknown
	case n == nil:
		return fmt.Errorf("%w: nothing is owed to %q", ErrNotAllowed, c.Recipient)
	case c.By == "" || c.Reason == "":
		return fmt.Errorf("%w: say who you are, and what was done", ErrInvalid)
	case !d.tellsRecipients():
		return fmt.Errorf("%w: recipients are told once the answer was given", ErrNotAllowed)
	case n.Status == NoticeIsAnswered || n.Status == c.Status && c.Status == NoticeIsExcused:
		return fmt.Errorf("%w: it has been settled", ErrNotAllowed)
	case c.Status != NoticeIsSent && c.Status != NoticeIsAnswered && c.Status != NoticeIsExcused:
		return fmt.Errorf("%w: that is nothing that can be done about a notice", ErrInvalid)
	}
	act := Act{By: c.By, Reason: c.Reason, At: d.now}
	if c.Status == NoticeIsAnswered {
		d.record(NoticeAcknowledged{Recipient: c.Recipient, Act: act})
		return nil
	}
	d.record(NoticeSettled{Recipient: c.Recipient, Status: c.Status, Act: act})
	return nil
}
