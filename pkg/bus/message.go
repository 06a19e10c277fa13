package bus

import (
	"context"
	"maps"
	"strings"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/segmentio/kafka-go/protocol"
)

const (
	// keyField carries the record key in the message's metadata, so that it
	// survives a copy; it is never written as a header, and a header of this
	// name that comes from outside is dropped.
	keyField = "_habeas_key"
	// idHeader is the CloudEvents id: where present, it is the UUID.
	idHeader = "ce_id"
	// uuidHeader carries watermill's UUID where there is no CloudEvents id;
	// the name is that of watermill's own Kafka adapter.
	uuidHeader = "_watermill_message_uuid"
)

// NewMessage returns the message of a record. Its UUID is the CloudEvents id among
// the headers, where there is one.
func NewMessage(key string, headers map[string]string, value []byte) *message.Message {
	msg := message.NewMessage(headers[idHeader], value)
	msg.Metadata = maps.Clone(headers)
	SetKey(msg, key)
	return msg
}

// SetKey sets the record key: messages of one key are delivered in order.
func SetKey(msg *message.Message, key string) {
	if msg.Metadata == nil {
		msg.Metadata = make(message.Metadata, 1)
	}
	if key == "" {
		delete(msg.Metadata, keyField)
		return
	}
	msg.Metadata[keyField] = key
}

// Key returns the record key, "" where there is none.
func Key(msg *message.Message) string { return msg.Metadata[keyField] }

// Position is the place of a received message in Kafka: topic, partition and
// offset. It is in the message's context: use PositionOf.
type Position struct {
	Topic     string
	Partition int
	Offset    int64
}

// PositionOf returns the position of a received message, from its context.
func PositionOf(ctx context.Context) (Position, bool) {
	p, ok := ctx.Value(positionKey{}).(*Position)
	if !ok {
		return Position{}, false
	}
	return *p, true
}

type positionKey struct{}

// messageContext is a context with the message's position. It is one layer of its
// own, since context.WithValue would add one per value and message.
type messageContext struct {
	context.Context
	position Position
}

func (c *messageContext) Value(key any) any {
	if key == (positionKey{}) {
		return &c.position
	}
	return c.Context.Value(key)
}

// encode returns the key and headers of a message's record. Its value is the
// payload: nil is a tombstone, one of length zero an empty value.
func encode(msg *message.Message) (key []byte, headers []protocol.Header) {
	headers = make([]protocol.Header, 0, len(msg.Metadata)+1)
	hasID := false
	for name, value := range msg.Metadata {
		switch name {
		case keyField:
			key = []byte(value)
			continue
		case uuidHeader:
			continue
		case idHeader:
			hasID = true
		}
		headers = append(headers, protocol.Header{Key: name, Value: []byte(value)})
	}
	if !hasID && msg.UUID != "" {
		headers = append(headers, protocol.Header{Key: uuidHeader, Value: []byte(msg.UUID)})
	}
	return key, headers
}

// decode returns a message for a record. Each call returns a new one, since a
// message can be acknowledged only once. Of headers with the same name, the last
// counts.
func decode(rec *record) *message.Message {
	msg := message.NewMessage("", rec.value)
	msg.Metadata = make(message.Metadata, len(rec.headers)+1)
	for _, h := range rec.headers {
		switch {
		case h.Key == uuidHeader:
			if msg.UUID == "" {
				msg.UUID = string(h.Value)
			}
			continue
		case h.Key == keyField:
			continue
		case strings.EqualFold(h.Key, idHeader):
			msg.UUID = string(h.Value)
		}
		msg.Metadata[h.Key] = string(h.Value)
	}
	if rec.key != "" {
		msg.Metadata[keyField] = rec.key
	}
	return msg
}

// messageSize returns how many bytes a message takes in a batch, rounded up.
func messageSize(msg *message.Message) int {
	const (
		recordFrame = 32 // lengths, deltas, counts
		headerFrame = 6
	)
	n := recordFrame + len(msg.Payload) + len(msg.UUID) + len(uuidHeader)
	for name, value := range msg.Metadata {
		n += headerFrame + len(name) + len(value)
	}
	return n
}
