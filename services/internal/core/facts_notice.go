package core

import "time"

// noticeFacts are the facts of who outside of the company is told what a request changed.
var noticeFacts = []factType{
	fact[NoticeOwed]("notice.owed"),
	fact[NoticeSent]("notice.sent"),
	fact[NoticeFailed]("notice.failed"),
	fact[NoticeSettled]("notice.settled"),
	fact[NoticeAcknowledged]("notice.acknowledged"),
}

// Reached is a dataset of a system.
type Reached struct {
	System  string `json:"system"`
	Dataset string `json:"dataset"`
}

// NoticeOwed says that a recipient of data that was erased, corrected or restricted is to be
// told of it.
type NoticeOwed struct {
	Recipient string `json:"recipient"` // its id in the catalogue of recipients
	By        Way    `json:"by"`
	// Datasets are those of which it received data that was changed.
	Datasets []Reached `json:"datasets"`
	Moment
}

func (e NoticeOwed) evolve(s State) State {
	n := Notice{Recipient: e.Recipient, By: e.By, Datasets: e.Datasets, Status: NoticeIsOwed, Owed: e.At, Fact: s.Version}
	if e.By == WayNobody {
		n.Status = NoticeIsExcused
	}
	if s.Notice(e.Recipient) != nil {
		return s.notice(e.Recipient, func(before *Notice) {
			n.Tokens = before.Tokens
			*before = n
		})
	}
	s.Notices = append(s.Notices[:len(s.Notices):len(s.Notices)], n)
	return s
}

// NoticeSent says that a recipient was told by a machine.
type NoticeSent struct {
	Recipient string `json:"recipient"`
	// Token is the hash of the token by which the recipient acknowledges it.
	Token []byte `json:"token"`
	// Number counts the notices to the recipient, from 1: the later ones remind it.
	Number int `json:"number"`
	Moment
}

func (e NoticeSent) evolve(s State) State {
	return s.notice(e.Recipient, func(n *Notice) {
		n.Status, n.Sent, n.Tries, n.Until, n.Failures = NoticeIsSent, e.At, e.Number, time.Time{}, 0
		n.Tokens = append(n.Tokens[:len(n.Tokens):len(n.Tokens)], e.Token)
	})
}

// NoticeFailed says that a recipient couldn't be told by its way.
type NoticeFailed struct {
	Recipient string `json:"recipient"`
	Code      string `json:"code"`
	// Until is when it is tried again; the zero time: it isn't, and a person must.
	Until time.Time `json:"until,omitzero"`
	Moment
}

func (e NoticeFailed) evolve(s State) State {
	return s.notice(e.Recipient, func(n *Notice) {
		if n.Until = e.Until; e.Until.IsZero() {
			n.Code = e.Code
		}
		n.Failures++
	})
}

// NoticeSettled says what a person has done about a notice: they have told the recipient,
// or it can't be told.
type NoticeSettled struct {
	Recipient string       `json:"recipient"`
	Status    NoticeStatus `json:"status"` // [NoticeIsSent] or [NoticeIsExcused]
	Act
}

func (e NoticeSettled) evolve(s State) State {
	return s.notice(e.Recipient, func(n *Notice) { n.Status, n.Sent = e.Status, e.At })
}

// NoticeAcknowledged says that a recipient has answered a notice. Without a person, it did
// so itself, by the notice's token.
type NoticeAcknowledged struct {
	Recipient string `json:"recipient"`
	Act
}

func (e NoticeAcknowledged) evolve(s State) State {
	return s.notice(e.Recipient, func(n *Notice) { n.Status = NoticeIsAnswered })
}

// notice changes what is owed to a recipient.
func (s State) notice(recipient string, change func(*Notice)) State {
	all := append([]Notice(nil), s.Notices...)
	for i := range all {
		if all[i].Recipient == recipient {
			change(&all[i])
		}
	}
	s.Notices = all
	return s
}
