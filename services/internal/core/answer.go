package core

import (
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
	Systems     []SystemAnswer    `json:"systems"`
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

// retentionDue is when the request is to be taken up again because of it.
func retentionDue(r dsar.Retention) time.Time {
	if !r.Next.IsZero() {
		return r.Next
	}
	return r.Until
}
