package upstream

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
)

// Signer signs requests that go by Kafka, as a producer that Habeas' operator knows.
type Signer struct {
	// Name is the producer's, and the source of its requests.
	Name string
	Key  ed25519.PrivateKey
}

// Sign returns what the header habeas-signature holds: a detached JWS (RFC 7515,
// appendix F) over a record's value.
func (s Signer) Sign(value []byte) string {
	b64 := base64.RawURLEncoding.EncodeToString
	header, _ := json.Marshal(map[string]string{"alg": "EdDSA", "kid": s.Name}) //nolint:errchkjson // strings
	signed := b64(header) + "." + b64(value)
	return b64(header) + ".." + b64(ed25519.Sign(s.Key, []byte(signed)))
}
