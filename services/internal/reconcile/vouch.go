package reconcile

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"slices"

	"habeas.dev/pkg/event"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/journal"
)

// Publisher publishes messages of the journal, as the relay has it.
type Publisher interface {
	Publish(ctx context.Context, messages []journal.Message) error
}

// Vouching adds to each fact on its way to dsar.events what proves to who has the vault that
// the journal had it: a MAC of the fact's hash ([event.HeaderFactMAC]). Whoever else can write
// to the topic can't make one (TestStrangersFacts).
type Vouching struct {
	Vault *vault.Vault
	Next  Publisher
}

// Publish vouches, then publishes. It changes none of the messages that it is given.
func (v Vouching) Publish(ctx context.Context, messages []journal.Message) error {
	secret := secretOf(v.Vault)
	out := slices.Clone(messages)
	for i := range out {
		m := &out[i]
		h, err := hex.DecodeString(m.Headers[event.HeaderFactHash])
		if m.Topic != event.TopicEvents || err != nil || len(h) != journal.HashSize {
			continue // appended by a program that didn't write hashes
		}
		m.Headers = maps.Clone(m.Headers)
		m.Headers[event.HeaderFactMAC] = base64.StdEncoding.EncodeToString(macOf(secret, m.Key, m.Headers[event.HeaderID], h))
	}
	return v.Next.Publish(ctx, out)
}

func secretOf(v *vault.Vault) []byte { return v.Secret("facts on dsar.events") }

// macOf returns the MAC of a fact's hash, in the message that it was told in: a copy under
// another id proves nothing.
func macOf(secret []byte, requestID, id string, hash []byte) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(requestID + "\x00" + id + "\x00")) // never fails
	m.Write(hash)
	return m.Sum(nil)
}

// vouchedFor reports whether a message's MAC is of a fact's hash.
func vouchedFor(secret []byte, requestID string, headers map[string]string, hash []byte) bool {
	mac, err := base64.StdEncoding.DecodeString(headers[event.HeaderFactMAC])
	return err == nil && hmac.Equal(mac, macOf(secret, requestID, headers[event.HeaderID], hash))
}
