package core

import (
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// endFacts are the facts of what becomes of an ended request.
var endFacts = []factType{
	fact[ReceiptIssued]("receipt.issued"),
	fact[ReceiptLeft]("receipt.left"),
	fact[Forgotten]("data.forgotten"),
	fact[CopiesForgotten]("copies.forgotten"),
}

// ReceiptIssued says that how the request ended stands in the transparency log from now
// on.
type ReceiptIssued struct {
	// Sealed is the receipt and its salt, sealed with the request's keys: who destroys
	// those leaves a random number in the log.
	Sealed []byte `json:"sealed"`
	// Leaf is what was appended to the log, with this fact.
	Leaf []byte `json:"leaf"`
	Moment
}

func (e ReceiptIssued) evolve(s State) State {
	s.Receipted, s.ReceiptLeft = true, nil
	return s
}

// ReceiptLeft says that the receipt, with its proof, lies beside the answer for who has the
// answer's identity.
type ReceiptLeft struct {
	// Object is its name in the outbox; empty where nothing could be proven, since no log
	// is signed here.
	Object string `json:"object,omitempty"`
	Moment
}

func (e ReceiptLeft) evolve(s State) State {
	s.ReceiptLeft = &e
	return s
}

// Part is a part of what Habeas itself holds of a request, with an end of its own.
type Part string

// The parts. Their words are those of the vault's roots.
const (
	PartRecords Part = "records" // what was gathered, and the answer
	PartSubject Part = "subject" // identifiers, details, plans, letters, receipt: whom it was about
)

// Forgotten says that a part of what Habeas held of the request is gone: its keys were
// destroyed, then its objects, and then it was tried to open what was left.
type Forgotten struct {
	Act
	Part Part `json:"part"`
	// Tried is how many sealed things were tried; none could be opened.
	Tried int `json:"tried"`
	// Document and Salt are what Leaf, which was appended to the transparency log with
	// this fact, commits to.
	Document []byte `json:"document"`
	Salt     []byte `json:"salt"`
	Leaf     []byte `json:"leaf"`
}

func (e Forgotten) evolve(s State) State {
	if e.Part == PartRecords {
		s.RecordsForgotten, s.RecordsEnded = e.At, true
	} else {
		s.SubjectForgotten, s.Seconds = e.At, nil // nothing is left to look at
	}
	return s
}

// CopiesForgotten says that an erasure has reached what Habeas itself held of the same
// person: the records and answers of their other ended requests.
type CopiesForgotten struct {
	Requests []string `json:"requests,omitempty"`
	// Open is how many of their other requests were still being answered.
	Open int `json:"open,omitempty"`
	// Unfetched is how many had an answer that nobody had fetched: those are kept for the person
	// until their own end, the last of which is Until.
	Unfetched int       `json:"unfetched,omitempty"`
	Until     time.Time `json:"until,omitzero"`
	Moment
}

func (e CopiesForgotten) evolve(s State) State {
	s.OwnCopies = &OwnCopies{Requests: len(e.Requests), Open: e.Open, Unfetched: e.Unfetched, Until: e.Until, At: e.At, Fact: s.Version}
	return s
}

// Keep says how long Habeas keeps what it holds of a request itself, as it was decided
// when the request came.
type Keep struct {
	// AnswerDays is how long records and answer are kept after the answer was made
	// available, in days; opening it doesn't extend that.
	AnswerDays int `json:"answer_days"`
	// AccountabilityMonths is how long it is kept whom the request was about, after it
	// ended.
	AccountabilityMonths int `json:"accountability_months"`
	// Source is the law that says so; empty where it is the operator's own number.
	Source string `json:"source,omitempty"`
	// BackupDays is how long the systems' backups live: until then an erasure may have
	// to be done again, for which it must be known of whom.
	BackupDays int `json:"backup_days,omitempty"`
}

// recordsEnd returns when records and answer are to be forgotten; the zero time where
// that isn't known yet, or done. A later certificate, of what had to stay, has an end of
// its own.
func (s State) recordsEnd() time.Time {
	k := s.Accepted.Keep
	if k == nil || !s.Status.Ended() || !s.RecordsForgotten.IsZero() {
		return time.Time{}
	}
	return s.EndedAt.AddDate(0, 0, k.AnswerDays)
}

// subjectEnd returns when whom the request was about is to be forgotten; the zero time
// where that isn't known yet, or done.
func (s State) subjectEnd() time.Time {
	k := s.Accepted.Keep
	if k == nil || !s.Status.Ended() || !s.SubjectForgotten.IsZero() || len(s.needed()) > 0 || len(s.Holds) > 0 || !s.AgainAt.IsZero() {
		return time.Time{} // it must be known whom it was about, to prove it anew
	}
	end := s.EndedAt.AddDate(0, k.AccountabilityMonths, 0)
	if backups := s.EndedAt.AddDate(0, 0, k.BackupDays); s.Right == erases && backups.After(end) {
		end = backups
	}
	if records := s.recordsEnd(); records.After(end) {
		end = records
	}
	return end
}

// needed returns what an answered erasure had to keep: as long as there is any, it must
// be known of whom, and what for, to erase it and to prove that.
func (s State) needed() []KeptEarlier {
	if s.Status != StatusCompleted || s.Right != erases {
		return nil
	}
	return slices.DeleteFunc(s.keptNow(), func(k KeptEarlier) bool { return s.retired(k.System) != nil })
}

// Duty is what is owed to an ended request: whoever ticks it does it, and then records
// that it was done.
type Duty string

// The duties, in the order in which they are done.
const (
	DutyReceipt       Duty = "receipt"         // [IssueReceipt]
	DutyTell          Duty = "tell-recipients" // [SendNotice], to each of [State.DueNotices]
	DutyForgetCopies  Duty = "forget-copies"   // [ForgetCopies]
	DutyForgetRecords Duty = "forget-records"  // [Forget] of [PartRecords]
	DutyForgetSubject Duty = "forget-subject"  // [Forget] of [PartSubject]
	DutyCallBack      Duty = "call-back"       // [TellCaller], of each of [State.Changes]
	DutyLeaveReceipt  Duty = "leave-receipt"   // [LeaveReceipt]
)

// duties returns each duty with the time from which it is due.
func (s State) duties() []dueDuty {
	var out []dueDuty
	doubts := s.waitsForJudgement() // first somebody says whose another request is
	if !doubts && (s.waitsForLookBack() || s.waitsForKept()) {
		out = append(out, dueDuty{DutyLookBack, s.Accepted.AcceptedAt})
	}
	if at := s.recourseDue(); !at.IsZero() {
		out = append(out, dueDuty{DutyRecourse, at})
	}
	if s.Accepted.Keep != nil && s.Status.Ended() && !s.Receipted && s.SubjectForgotten.IsZero() {
		out = append(out, dueDuty{DutyReceipt, s.EndedAt})
	}
	if !doubts && s.waitsForCopies() {
		out = append(out, dueDuty{DutyForgetCopies, s.Accepted.AcceptedAt})
	}
	if at := s.noticesDue(); !at.IsZero() {
		out = append(out, dueDuty{DutyTell, at})
	}
	if at := s.releaseDue(); !at.IsZero() {
		out = append(out, dueDuty{DutyRelease, at})
	}
	if at := s.recordsEnd(); !at.IsZero() {
		out = append(out, dueDuty{DutyForgetRecords, at})
	}
	if at := s.subjectEnd(); !at.IsZero() {
		out = append(out, dueDuty{DutyForgetSubject, at})
	}
	if at := s.callDue(); !at.IsZero() {
		out = append(out, dueDuty{DutyCallBack, at})
	}
	// It comes last: a log that can't be published holds nothing else up. It is left where
	// somebody else than Habeas opens the answer.
	if s.Receipted && s.ReceiptLeft == nil && (s.Accepted.Recipient != "" || s.KeyMade) && s.GivesOut() == nil {
		out = append(out, dueDuty{DutyLeaveReceipt, s.EndedAt})
	}
	return out
}

// waitsForCopies reports whether an erasure waits until it has reached Habeas' own earlier
// copies of the person: once every system was erased and asked again, and before the
// certificate is written, which says so. Of one that was answered before v0.2.0 it is owed
// afterwards.
func (s State) waitsForCopies() bool {
	if s.Accepted.Keep == nil || s.Right != erases || s.OwnCopies != nil || s.Again != nil || !s.SubjectForgotten.IsZero() {
		return false
	}
	if s.Status.Ended() {
		return s.Status == StatusCompleted
	}
	return s.Awaited == "" && s.Stage == dsar.Prove && (&decider{State: s}).stageIsOver()
}

type dueDuty struct {
	duty Duty
	at   time.Time
}

// Duties returns what is owed to the request at a time.
func (s State) Duties(now time.Time) []Duty {
	var out []Duty
	for _, d := range s.duties() {
		if !now.Before(d.at) {
			out = append(out, d.duty)
		}
	}
	return out
}

// Ends returns when each part is to be forgotten, as things stand; the zero time where
// that isn't known yet, or done.
func (s State) Ends() (records, subject time.Time) { return s.recordsEnd(), s.subjectEnd() }
