// Package upstream submits requests as an upstream system does, by either door. It
// knows the documents in schemas/ and of Habeas' own packages the words alone, so
// that it can be read as an example of a client.
package upstream

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
)

// Request is what one person asks.
type Request struct {
	ID           string
	Right        dsar.Right
	Jurisdiction string
	Locale       string
	Source       string
	Email        string
	ReceivedAt   time.Time
}

// NewID returns a fresh id of a request.
func NewID() string { return uuid.NewString() }

// JSON returns the data of dsar.request.submitted.v1.
func (r Request) JSON() []byte {
	data, _ := json.Marshal(map[string]any{ //nolint:errchkjson // strings and a bool
		"request_id": r.ID, "right": r.Right, "jurisdiction": r.Jurisdiction, "source": r.Source,
		"received_at": r.ReceivedAt.UTC().Format(time.RFC3339),
		"subject": map[string]any{
			"identifiers": []map[string]any{{"type": "email", "value": r.Email, "verified": true}},
			"locale":      r.Locale,
		},
	})
	return data
}
