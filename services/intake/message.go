package intake

import (
	"context"
	"errors"

	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/transport"
)

// Group is the intakes' consumer group: each record is taken in by one.
const Group = "habeas.intake"

// HandleMessage takes in one record of dsar.requests; the payload is nil for a
// tombstone. Nil means that the record is done with: its request is in the
// journal, or the record is on dsar.rejected with the reason. An error means
// that it MUST come again: journal, vault or bus didn't answer.
func (in *Intake) HandleMessage(ctx context.Context, headers map[string]string, key string, payload []byte) error {
	e, s, err := in.readMessage(headers, key, payload)
	if err == nil {
		_, err = in.take(ctx, callers.Local(), s)
	}
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	return in.reject(ctx, record{headers: headers, key: key, payload: payload, typ: e.Type, requestID: s.RequestID}, refusal)
}

// Consume takes in what comes on dsar.requests until the context is over.
func (in *Intake) Consume(ctx context.Context, s transport.Subscriber) error {
	if in.Rejected == nil {
		return errors.New("intake: nobody takes what is rejected")
	}
	return transport.Loop(ctx, s, event.TopicRequests, in.Log, func(ctx context.Context, m transport.Received) error {
		return in.HandleMessage(ctx, m.Headers, m.Key, m.Payload)
	})
}

// upcasters returns the ways from older versions of what is submitted.
func upcasters() event.Upcasters { return nil }

func (in *Intake) readMessage(headers map[string]string, key string, payload []byte) (event.Event, event.Submitted, error) {
	e, err := event.Decode(headers, payload)
	if err != nil {
		return e, event.Submitted{}, refuse(err)
	}
	if e.Type != event.TypeSubmitted {
		up, err := upcasters().Read(e, event.TypeSubmitted)
		if err != nil {
			return e, event.Submitted{}, refuse(err)
		}
		e = up
	}
	s, err := in.read(e.Data)
	if err == nil && s.RequestID != key {
		err = ErrKey
	}
	return e, s, err
}
