package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/rejected"
)

// source is the CloudEvents source of what the intake sends.
const source = "habeas/intake"

// record is a record that was refused, and what could be read of it.
type record struct {
	headers   map[string]string
	key       string
	payload   []byte
	typ       string
	requestID string
}

// reject puts a record aside on dsar.rejected. The reason is in the open; all
// that the stranger wrote is sealed, since it may hold personal data.
func (in *Intake) reject(ctx context.Context, r record, why *Refusal) error {
	now := in.Now().UTC().Truncate(time.Microsecond)
	data := event.Rejected{
		Topic: event.TopicRequests, Code: why.Code, Reason: cut(why.Error(), maxReason), RequestID: r.request(), EventType: r.typ, At: now, Bytes: len(r.payload),
	}
	if len(why.Violations) > 0 {
		data.Pointer = why.Violations[0].Pointer
	}
	if err := in.sealRecord(ctx, r, &data); err != nil {
		return err
	}
	digest := in.Vault.Digest(append([]byte(r.key+"\x00"), r.payload...))
	e := event.Rejection(source, data, digest)
	if e.Subject == "" {
		e.Subject = in.Vault.Digest([]byte(r.key)) // the key may be an address
	}
	if err := in.Rejected.Send(ctx, event.TopicRejected, e); err != nil {
		return fmt.Errorf("intake: %w", err)
	}
	in.Log.DebugContext(ctx, "a record was rejected", "topic", event.TopicRequests, "code", why.Code)
	return nil
}

// sealRecord seals the record under the key set of the day, which can be
// destroyed when the operator's time for looking at rejected records is over.
func (in *Intake) sealRecord(ctx context.Context, r record, data *event.Rejected) error {
	if len(r.payload) == 0 && len(r.headers) == 0 && r.key == "" {
		return nil
	}
	keySet := rejected.KeySet(data.At)
	keys, err := in.Vault.CreateKeys(ctx, keySet)
	if errors.Is(err, vault.ErrShredded) {
		return nil // today's were destroyed already: the reason must do
	}
	if err != nil {
		return fmt.Errorf("intake: %w", err)
	}
	kept := event.Record{Key: []byte(cut(r.key, maxRejectedKey)), Headers: r.headers, Value: r.payload}
	size := 0
	for name, value := range r.headers {
		size += len(name) + len(value)
	}
	if size > maxRejectedHeaders {
		kept.Headers, data.Truncated = nil, true
	}
	if len(kept.Value) > maxRejectedValue {
		kept.Value, data.Truncated = kept.Value[:maxRejectedValue], true
	}
	plain, err := json.Marshal(kept)
	if err != nil {
		return fmt.Errorf("intake: rejected record: %w", err)
	}
	if data.Sealed, err = keys.Seal(plain, vault.Rejected); err != nil {
		return fmt.Errorf("intake: seal rejected record: %w", err)
	}
	data.KeySet = keySet
	return nil
}

// request returns the record's request id: what the data says, else the key.
func (r record) request() string {
	if dsar.ValidRequestID(r.requestID) {
		return r.requestID
	}
	return r.key
}

// cut returns s with at most n bytes, not cut within a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}
