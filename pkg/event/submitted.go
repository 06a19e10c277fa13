package event

import (
	"time"

	"habeas.dev/pkg/dsar"
)

// Submitted is the data of dsar.request.submitted.v1: what an upstream system
// says, in the clear. It MUST NOT be logged, nor put in an error.
type Submitted struct {
	RequestID    string     `json:"request_id"`
	Right        dsar.Right `json:"right"`
	Jurisdiction string     `json:"jurisdiction"`
	// ReceivedAt is when the upstream system received it: the clock starts here.
	ReceivedAt time.Time `json:"received_at"`
	Source     string    `json:"source"`
	// About is the earlier request that an appeal or a complaint is about.
	About   string  `json:"about,omitempty"`
	Subject Subject `json:"subject"`
	// Recipient is the age recipient of who asks: the answer is encrypted to it besides, so
	// that they open it, and whoever carries it doesn't. It counts from callers that are
	// believed.
	Recipient string `json:"recipient,omitempty"`
	// Details are what some rights need beside the subject.
	Details *Details `json:"details,omitempty"`
}

// Subject is who asks.
type Subject struct {
	Identifiers []SubjectIdentifier `json:"identifiers"`
	// Locale is the language for the answer, BCP 47; empty: the jurisdiction's.
	Locale string `json:"locale,omitempty"`
	// OnBehalf is who asks for the person: agent, organisation, guardian or heir;
	// empty: the person.
	OnBehalf dsar.Check `json:"on_behalf,omitempty"`
	// Proven are the checks that the upstream system has passed already.
	Proven []dsar.Check `json:"proven,omitempty"`
}

// SubjectIdentifier is one identifier in the clear.
type SubjectIdentifier struct {
	Type     dsar.IdentifierType `json:"type"`
	Value    string              `json:"value"`
	Verified bool                `json:"verified,omitempty"`
}

// Details is what a task's Details hold, unsealed, as JSON.
type Details struct {
	// Corrections are the values that the person gives, for rectification.
	Corrections []Correction `json:"corrections,omitempty"`
	// Purposes are those that the person objects to or withdraws consent from, by id, or all
	// with a mark, as mark:marketing; none means all that the right reaches.
	Purposes []string `json:"purposes,omitempty"`
	// Message is what the person writes with an appeal or a complaint.
	Message string `json:"message,omitempty"`
	// Lift asks to undo a restriction, an objection, a withdrawal or an opt-out.
	Lift bool `json:"lift,omitempty"`
}

// Correction is one corrected field: a column, or a concept such as contact.phone, which
// each system has in a column of its own. System and Dataset narrow it down; without them
// it is meant for every system that has the field.
type Correction struct {
	System  string `json:"system,omitempty"`
	Dataset string `json:"dataset,omitempty"`
	Column  string `json:"column"`
	Value   string `json:"value"`
}
