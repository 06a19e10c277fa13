package intake

import (
	"context"
	"errors"
	"strings"

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
	e, s, from, err := in.readMessage(headers, key, payload)
	if err == nil {
		_, err = in.take(ctx, from, s)
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

func (in *Intake) readMessage(headers map[string]string, key string, payload []byte) (e event.Event, s event.Submitted, from callers.Caller, err error) {
	if e, err = event.Decode(headers, payload); err != nil {
		return e, s, from, refuse(err)
	}
	if from, err = in.producer(headers, payload); err != nil {
		return e, s, from, err
	}
	if e.Type != event.TypeSubmitted {
		up, err := upcasters().Read(e, event.TypeSubmitted)
		if err != nil {
			return e, s, from, refuse(err)
		}
		e = up
	}
	s, err = in.read(e.Data)
	if err == nil && s.RequestID != key {
		err = ErrKey
	}
	if err == nil {
		err = may(from, s)
	}
	return e, s, from, err
}

// producer returns who sent a record. The signature is over its value: of what is
// outside of that, only the type is used, and there is one.
func (in *Intake) producer(headers map[string]string, payload []byte) (callers.Caller, error) {
	if in.Producers == nil {
		return callers.Local(), nil
	}
	signature := headers[callers.SignatureHeader]
	for name, value := range headers {
		if strings.EqualFold(name, callers.SignatureHeader) {
			signature = value
		}
	}
	from, err := in.Producers.Of(signature, payload)
	if err != nil {
		return from, ErrUnsigned
	}
	return from, nil
}
