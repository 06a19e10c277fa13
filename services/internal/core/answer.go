package core

import (
	"cmp"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// AssembleTask is a task as the aggregator is sent it: with what it is to tell.
type AssembleTask struct {
	dsar.Task
	// Answer is what the aggregator assembles; only with [Assemble].
	Answer *Answer `json:"answer,omitempty"`
}

// Answer is everything that a bundle tells, apart from the records themselves.
type Answer struct {
	Source string `json:"source"`
	// Asked is the right that was asked for, where another is answered.
	Asked       dsar.Right        `json:"asked,omitempty"`
	Identifiers []dsar.Identifier `json:"identifiers"`
	// Without are the types of the identifiers that the request went on without, since
	// nobody has proven that they are the person's.
	Without []dsar.IdentifierType `json:"without,omitempty"`
	// WithoutFormer are the types of identifiers that a correction of the person's has replaced, and
	// by which somebody else is found by now.
	WithoutFormer []dsar.IdentifierType `json:"without_former,omitempty"`
	// Unproven is what was asked to be proven and was not, where another right is
	// answered because of it.
	Unproven []dsar.Check `json:"unproven,omitempty"`
	// Judged is the fact that says so, or that the request goes on without what was not
	// proven; 0 where no proof was judged.
	Judged int `json:"judged,omitempty"`
	// Kept is what earlier erasures of the same person have left, and KeptFact the fact that
	// says so; 0: the first.
	Kept     []KeptEarlier `json:"kept,omitempty"`
	KeptFact int           `json:"kept_fact,omitempty"`
	// ByPurpose tells that the request ends the use of data for some purposes, and no more;
	// Purposes are the ids of those that it ended, which may be none.
	ByPurpose bool           `json:"by_purpose,omitempty"`
	Purposes  []string       `json:"purposes,omitempty"`
	Systems   []SystemAnswer `json:"systems"`
	// Recipient is the age recipient of who asked, which the answer is encrypted to besides.
	Recipient string `json:"recipient,omitempty"`
	// Notices are what is owed to the recipients of what was changed.
	Notices []NoticeAnswer `json:"notices,omitempty"`
	// Parts are the datasets that the copy is refused of.
	Parts []RefusedPart `json:"parts,omitempty"`
	// Fields are those that a correction is refused of.
	Fields []RefusedField `json:"fields,omitempty"`
	// Keep says how long Habeas keeps what it holds of the request itself; nil: it isn't
	// known. Copies is the fact that an erasure has reached its own earlier copies, with
	// how many requests they were of.
	Keep   *Keep      `json:"keep,omitempty"`
	Copies *OwnCopies `json:"copies,omitempty"`
	// Again is set where an addendum is to be made, and not the answer.
	Again *AgainAnswer `json:"again,omitempty"`
	// Facts are the hashes of the facts that the rest names by their versions: what is
	// told of a fact that isn't here can't be told.
	Facts []Cited `json:"facts,omitempty"`
}

// OwnCopies says what an erasure destroyed of what Habeas held of the person in earlier
// requests. Open of theirs were still being answered, and have their copies; Unfetched have an
// answer that nobody has fetched, and have theirs until then.
type OwnCopies struct {
	Requests  int       `json:"requests"`
	Open      int       `json:"open,omitempty"`
	Unfetched int       `json:"unfetched,omitempty"`
	Until     time.Time `json:"until,omitzero"`
	At        time.Time `json:"at"`
	Fact      int       `json:"fact"`
}

// Cited names a fact of a request's journal: its version, and its hash in the chain.
type Cited struct {
	Seq  int    `json:"seq"`
	Hash string `json:"hash"`
}

// Rests returns the versions of the facts that the answer names, in order.
func (a *Answer) Rests() []int {
	seqs := []int{1} // what was accepted
	if a.Judged > 0 {
		seqs = append(seqs, a.Judged)
	}
	if a.KeptFact > 0 {
		seqs = append(seqs, a.KeptFact)
	}
	if a.Copies != nil {
		seqs = append(seqs, a.Copies.Fact)
	}
	for _, s := range a.Systems {
		for _, e := range s.Ends {
			seqs = append(seqs, e.Fact)
		}
		if s.Retired != nil {
			seqs = append(seqs, s.Retired.Fact)
		}
		if s.Unread > 0 {
			seqs = append(seqs, s.Unread)
		}
	}
	for _, p := range a.Parts {
		seqs = append(seqs, p.Fact)
	}
	for _, f := range a.Fields {
		seqs = append(seqs, f.Fact)
	}
	for _, n := range a.Notices {
		seqs = append(seqs, n.Fact)
	}
	if a.Again != nil {
		seqs = append(seqs, a.Again.Fact)
		for _, s := range a.Again.Systems {
			seqs = append(append(seqs, s.Fact), s.BackFacts...)
		}
	}
	slices.Sort(seqs)
	return slices.Compact(seqs)
}

// SystemAnswer is how one system ended the actions of a request, in order.
type SystemAnswer struct {
	System string                `json:"system"`
	Needs  []dsar.IdentifierType `json:"needs,omitempty"`
	Ends   []ActionEnd           `json:"ends"`
	// Open are the actions that haven't ended: no answer is given while there is one.
	Open []dsar.Action `json:"open,omitempty"`
	// Retired says since when the system is out of use; nil: it is in use.
	Retired *Retirement `json:"retired,omitempty"`
	// Unread is the fact that what stood in its corrected fields couldn't be read, where a
	// person then had the answer made without; 0: none.
	Unread int `json:"unread,omitempty"`
}

// CodeFormerLost is the code of an answer to a correction that couldn't be assembled because
// what stood in the corrected fields, which its worker had noted, is gone or damaged. It can't
// be noted again: a person has it restored, or has the answer made without.
const CodeFormerLost = "former-lost"

// Unread is a system of which an answer is assembled without what stood in corrected fields,
// and the version of the fact that says that it couldn't be read.
type Unread struct {
	System string
	Fact   int
}

// unread returns what an assembly is sent without that failed and that a person retries.
func (t *TaskState) unread() []Unread {
	if t.Action != dsar.Assemble || t.Status != TaskIsFailed || t.End.Code != CodeFormerLost || t.End.Cause == nil {
		return nil
	}
	return []Unread{{t.End.Cause.System, t.End.Fact}}
}

// Retirement is the day on which a system went out of use, and the version of the fact that
// says so.
type Retirement struct {
	On   time.Time `json:"on"`
	Fact int       `json:"fact"`
}

// ActionEnd is how one action of one system ended.
type ActionEnd struct {
	Action  dsar.Action   `json:"action"`
	Outcome dsar.Outcome  `json:"outcome"`
	At      time.Time     `json:"at"`
	Counts  []dsar.Counts `json:"counts,omitempty"`
	Objects []dsar.Object `json:"objects,omitempty"`
	// Code and Reason explain what isn't plain; see [Report].
	Code   string `json:"code,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Cause says in fields what stood in the way.
	Cause *dsar.Cause `json:"cause,omitempty"`
	// By is the person who did it by hand; empty where a machine did.
	By string `json:"by,omitempty"`
	// Fact is the version of the fact that says so.
	Fact int `json:"fact"`
	// Tries is how often the task had been sent since it was last answered: from the
	// second on, an earlier one may have done what this one reports.
	Tries int `json:"tries,omitempty"`
	// Earlier tells of an end that counts with the last one: the erasure was begun anew
	// after it, and not answered yet.
	Earlier bool `json:"earlier,omitempty"`
}

// NoticeAnswer is what is owed to a recipient, as an answer tells it.
type NoticeAnswer struct {
	Recipient string       `json:"recipient"`
	By        Way          `json:"by"`
	Status    NoticeStatus `json:"status"`
	Fact      int          `json:"fact"`
}

// said returns what explains the end in the open: a sentence, or the code alone, for which
// whoever reads has one.
func (e ActionEnd) said() string { return cmp.Or(e.Reason, e.Code) }

// IsAttention reports whether it is of this end that a fact says that somebody is needed.
func (e ActionEnd) IsAttention(system string, a AttentionNeeded) bool {
	return a.Reason == system+": "+e.said()
}

// retentionDue returns when the request is to be taken up again because of a
// retention.
func retentionDue(r dsar.Retention) time.Time {
	if !r.Next.IsZero() {
		return r.Next
	}
	return r.Until
}
