package receipt

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// The forms of what is committed to. A change gives them a new number.
const (
	formReceipt = "habeas.dev/receipt/v1"
	formForgot  = "habeas.dev/forgotten/v1"
	formLeaf    = "habeas.dev/leaf/v1"
)

// Document is a receipt: how a request ended. The person gets it; its exact bytes are
// what the log commits to. It holds no personal data.
type Document struct {
	Form         string     `json:"form"`
	Request      string     `json:"request"`
	Right        dsar.Right `json:"right"`
	Asked        dsar.Right `json:"asked,omitempty"` // where another right was answered
	Jurisdiction string     `json:"jurisdiction"`
	Received     time.Time  `json:"received"`
	Ended        time.Time  `json:"ended"`
	Status       string     `json:"status"`
	Ground       string     `json:"ground,omitempty"` // of a refusal
	Systems      []System   `json:"systems,omitempty"`
	// Bundle is the SHA-256 of the answer, in hex.
	Bundle string `json:"bundle_sha256,omitempty"`
	// Facts is how many facts the journal had of the request, and Head the hash of the
	// last one, in hex.
	Facts int    `json:"facts"`
	Head  string `json:"head"`
}

// System is what one system did.
type System struct {
	System  string   `json:"system"`
	Actions []Action `json:"actions"`
}

// Action is how one action of a system ended.
type Action struct {
	Action  dsar.Action   `json:"action"`
	Outcome dsar.Outcome  `json:"outcome"`
	Counts  []dsar.Counts `json:"counts,omitempty"`
}

// document returns the receipt of an ended request, as it stands in the journal.
func document(s core.State, row journal.Row) Document {
	d := Document{
		Form: formReceipt, Request: s.Accepted.RequestID, Right: s.Right, Jurisdiction: s.Accepted.Jurisdiction,
		Received: s.Accepted.ReceivedAt, Ended: s.EndedAt, Status: string(s.Status), Ground: s.Refusal.Ground,
		Bundle: s.Bundle.SHA256, Facts: row.Version, Head: hex.EncodeToString(row.Hash),
	}
	if s.Accepted.Right != s.Right {
		d.Asked = s.Accepted.Right
	}
	at := map[string]int{}
	for _, t := range s.Tasks {
		if t.Status != core.TaskIsEnded && t.Status != core.TaskIsFailed || t.System == dsar.Aggregator {
			continue
		}
		i, known := at[t.System]
		if !known {
			i = len(d.Systems)
			at[t.System] = i
			d.Systems = append(d.Systems, System{System: t.System})
		}
		d.Systems[i].Actions = append(d.Systems[i].Actions, Action{Action: t.Action, Outcome: t.End.Outcome, Counts: t.End.Counts})
	}
	return d
}

// Forgot is the document of a forgetting. It holds no personal data, and stands in the
// journal in the clear, since the request's keys are gone by then.
type Forgot struct {
	Form    string    `json:"form"`
	Request string    `json:"request"`
	Part    core.Part `json:"part"`
	At      time.Time `json:"at"`
	// Tried is how many sealed things were tried to be opened, in vain.
	Tried int    `json:"tried"`
	Facts int    `json:"facts"`
	Head  string `json:"head"`
}

// saltBytes is the length of a salt: of one receipt alone, and random.
const saltBytes = 32

// Commitment is a document with its salt and the leaf that commits to both.
type Commitment struct {
	Document []byte `json:"document"` // exactly as it was committed to
	Salt     []byte `json:"salt"`
	Leaf     []byte `json:"-"`
}

// commit commits to a document with a salt of its own.
func commit(document any) (Commitment, error) {
	text, err := json.Marshal(document)
	if err != nil {
		return Commitment{}, fmt.Errorf("receipt: %w", err)
	}
	c := Commitment{Document: text, Salt: make([]byte, saltBytes)}
	rand.Read(c.Salt) // never fails
	c.Leaf = Leaf(c.Document, c.Salt)
	return c, nil
}

// Leaf returns the leaf that commits to a document: a line with its form, and
// HMAC-SHA-256 over the document's bytes, keyed with the salt. Without the salt nobody
// can tell whether a document is the leaf's, not even by trying all that there could be.
func Leaf(document, salt []byte) []byte {
	mac := hmac.New(sha256.New, salt)
	mac.Write(document)
	return mac.Sum([]byte(formLeaf + "\n"))
}
