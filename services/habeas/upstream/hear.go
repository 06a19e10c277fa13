package upstream

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Change is what a callback tells of a request.
type Change struct {
	RequestID string    `json:"request_id"`
	Status    string    `json:"status"`
	Version   int       `json:"version"`
	Right     string    `json:"right"`
	DueAt     time.Time `json:"due_at"`
	Overdue   bool      `json:"overdue"`
}

const (
	// maxCall bounds what is read of a call.
	maxCall = 64 << 10
	// maxAge is how old a call's signature may be, either way: what somebody has recorded is
	// of no use later.
	maxAge = 5 * time.Minute
	// minKey is the shortest secret that Standard Webhooks allow, in bytes.
	minKey = 24
)

// ErrForged says that a call isn't Habeas', or is old.
var ErrForged = errors.New("upstream: the call isn't signed by the secret, or is old")

// Hear returns what a callback tells. Its signature is held against the secret, whsec_ and
// base64; the error is [ErrForged] where it isn't by that. The same call can come again,
// under the same Webhook-Id; of two of one request the higher version is the later.
func Hear(r *http.Request, secret string, now time.Time) (Change, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) < minKey { // anybody can sign by none
		return Change{}, errors.New("upstream: the secret isn't whsec_ and 24 bytes or more in base64")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxCall))
	if err != nil {
		return Change{}, err
	}
	at := r.Header.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > maxAge {
		return Change{}, ErrForged
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(r.Header.Get("Webhook-Id") + "." + at + "."))
	mac.Write(body)
	want := mac.Sum(nil)
	for signature := range strings.FieldsSeq(r.Header.Get("Webhook-Signature")) {
		got, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(signature, "v1,"))
		if err == nil && hmac.Equal(got, want) {
			var message struct {
				Data Change `json:"data"`
			}
			err := json.Unmarshal(body, &message)
			return message.Data, err
		}
	}
	return Change{}, ErrForged
}
