package core

import (
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
	// Unproven is what was asked to be proven and was not, where another right is
	// answered because of it.
	Unproven []dsar.Check `json:"unproven,omitempty"`
	// Kept is what an earlier erasure of the same person had to keep.
	Kept    []KeptEarlier  `json:"kept,omitempty"`
	Systems []SystemAnswer `json:"systems"`
	// Again is set where an addendum is to be made, and not the answer.
	Again *AgainAnswer `json:"again,omitempty"`
}

// SystemAnswer is how one system ended the actions of a request, in order.
type SystemAnswer struct {
	System string                `json:"system"`
	Needs  []dsar.IdentifierType `json:"needs,omitempty"`
	Ends   []ActionEnd           `json:"ends"`
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
	// By is the person who did it by hand; empty where a machine did.
	By string `json:"by,omitempty"`
}

// KeptEarlier is what an erasure that was answered before had to keep in one dataset.
type KeptEarlier struct {
	RequestID string           `json:"request_id"`
	System    string           `json:"system"`
	Dataset   string           `json:"dataset"`
	Retained  []dsar.Retention `json:"retained"`
	// From is the fingerprint of the identifier that both requests have.
	From string `json:"from"`
}

func (k KeptEarlier) records() int64 { return dsar.Counts{Retained: k.Retained}.Kept() }

// KeptOnly returns what earlier erasures had to keep, apart from datasets of which this
// request tells by itself what stays, or what is held: those in which an erasure or a
// plan found something, and copies of fewer records than were kept. A copy alone
// doesn't say on which ground its records stay (TestWhatAnEarlierErasureKeptIsKept).
func (a *Answer) KeptOnly() []KeptEarlier {
	return slices.DeleteFunc(slices.Clone(a.Kept), func(k KeptEarlier) bool {
		return slices.ContainsFunc(a.Systems, func(s SystemAnswer) bool {
			return s.System == k.System && slices.ContainsFunc(s.Ends, func(e ActionEnd) bool {
				return slices.ContainsFunc(e.Counts, func(c dsar.Counts) bool {
					return c.Dataset == k.Dataset && c.Found > 0 && (e.Action != dsar.Gather || c.Found < k.records())
				})
			})
		})
	})
}

// Keeps reports whether this erasure, or an earlier one of the same person, had to
// leave something.
func (a *Answer) Keeps() bool {
	for _, s := range a.Systems {
		for _, e := range s.Ends {
			if (e.Action == dsar.Erase || e.Action == dsar.Prove) && slices.ContainsFunc(e.Counts, func(c dsar.Counts) bool { return c.Kept() > 0 }) {
				return true
			}
		}
	}
	return len(a.KeptOnly()) > 0
}

// Locked reports whether the erasure flagged all that it had to leave, so that nothing
// else is done with it, as the workers' counts say. A system that a hold kept from being
// asked flagged nothing, and of what an earlier erasure had to leave it isn't known. The
// certificate and its letter MUST say it only then (TestHeldIsNotSaidToBeLocked).
func (a *Answer) Locked() bool {
	for _, s := range a.Systems {
		flagged := map[string]int64{}
		for _, e := range s.Ends {
			for _, c := range e.Counts {
				if e.Action == dsar.Erase {
					flagged[c.Dataset] = c.Restricted
				}
			}
		}
		for _, e := range s.Ends {
			if (e.Action == dsar.Erase || e.Action == dsar.Prove) && slices.ContainsFunc(e.Counts, func(c dsar.Counts) bool { return c.Kept() > flagged[c.Dataset] }) {
				return false
			}
		}
	}
	return len(a.KeptOnly()) == 0
}

// retentionDue returns when the request is to be taken up again because of a
// retention.
func retentionDue(r dsar.Retention) time.Time {
	if !r.Next.IsZero() {
		return r.Next
	}
	return r.Until
}
