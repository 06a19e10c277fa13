// Package recipients tells those who received data that it was erased, corrected or
// restricted (GDPR art. 19; Civ. Code 1798.105(c)), and takes their answers.
//
// A notice has no more than its recipient needs: the kinds of data that it received, the
// identifiers by which it knows people, and of a correction the new values of those fields.
// By webhook it goes over TLS, signed; in a mail the same, signed alike, is sealed to the
// recipient's key. Facts, errors and logs have nothing of that.
package recipients

import (
	"encoding/base64"
	"strconv"

	"habeas.dev/pkg/dsar"
)

// EventType is the type of the event that a webhook gets.
const EventType = "habeas.notice.v1"

// Notice is what a recipient is told.
type Notice struct {
	// ID is the same whenever the same notice is sent again.
	ID        string `json:"notice"`
	RequestID string `json:"request_id"`
	// Do is what the recipient is to do as well: erase, rectify or restrict.
	Do dsar.Action `json:"do"`
	// Lift tells that a restriction is undone.
	Lift bool `json:"lift,omitempty"`
	// By is who sends it. Under which law the person asked isn't said: it tells where they live.
	By string `json:"by"`
	// Data are the kinds of data that the recipient received.
	Data   []string `json:"data"`
	Person []Known  `json:"person"`
	// Corrections are the new values, with Do rectify.
	Corrections []Correction `json:"corrections,omitempty"`
	// Number counts the notices about the same, from 1: the later ones remind.
	Number      int         `json:"number"`
	Acknowledge Acknowledge `json:"acknowledge"`
}

// Known is an identifier by which the recipient knows people.
type Known struct {
	Type  dsar.IdentifierType `json:"type"`
	Value string              `json:"value"`
}

// Correction is the new value of a field: a column's title, or a concept.
type Correction struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

// Acknowledge says how the recipient answers: it posts the token to the address, if there
// is one.
type Acknowledge struct {
	URL   string `json:"url,omitempty"`
	Token string `json:"token"`
}

// id returns a notice's id.
func id(requestID, recipient string, fact, number int) string {
	return requestID + "." + recipient + "." + strconv.Itoa(fact) + "." + strconv.Itoa(number)
}

// tokenText writes a token as the recipient has it.
func tokenText(token []byte) string { return base64.RawURLEncoding.EncodeToString(token) }
