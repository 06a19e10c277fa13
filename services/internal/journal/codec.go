package journal

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/telemetry"
)

// The messages of one append lie in one row of the queue, in a compact form: a
// version byte, the number of messages, and for each its topic, key, headers
// and payload, every string after its length. Numbers are unsigned varints.
//
// The messages of an append are much alike. So a topic or key that is the last
// message's is written as 0, any other with its length plus one; a header's name
// is its place in headerNames, or 0 and the name; a header's value is 0 where it
// is what the last message with that place had, else its length plus one. A
// payload's length is one more than it is, 0 being nil.
const codecVersion = 1

// headerNames are the headers of our own messages. Their places are in the
// queue's rows: add at the end, move nothing.
var headerNames = [...]string{
	0: "", // any other
	1: "content-type", 2: "ce_specversion", 3: "ce_id", 4: "ce_source", 5: "ce_type",
	6: "ce_subject", 7: "ce_time", 8: "ce_traceparent", 9: "traceparent", 10: "ce_dataschema",
}

var errCodec = telemetry.Constant("journal: a row of the queue can't be read")

// header is one header while it is encoded or decoded.
type header struct {
	place       int
	name, value string
}

// EncodeMessages appends the messages' compact form to dst.
func EncodeMessages(dst []byte, messages []Message) []byte {
	dst = append(dst, codecVersion)
	dst = binary.AppendUvarint(dst, uint64(len(messages)))
	var topic, key string
	var last [len(headerNames)]string
	var space [16]header
	for i := range messages {
		m := &messages[i]
		dst, topic = appendChange(dst, topic, m.Topic)
		dst, key = appendChange(dst, key, m.Key)
		headers := sortHeaders(space[:0], m.Headers)
		dst = binary.AppendUvarint(dst, uint64(len(headers)))
		for _, h := range headers {
			dst = append(dst, byte(h.place))
			if h.place == 0 {
				dst = appendString(dst, h.name)
				dst = appendString(dst, h.value)
				continue
			}
			dst, last[h.place] = appendChange(dst, last[h.place], h.value)
		}
		if m.Payload == nil {
			dst = append(dst, 0)
			continue
		}
		dst = binary.AppendUvarint(dst, uint64(len(m.Payload))+1)
		dst = append(dst, m.Payload...)
	}
	return dst
}

// sortHeaders puts the known headers before the others, each in a fixed order.
func sortHeaders(dst []header, headers map[string]string) []header {
	found := 0
	for place := 1; place < len(headerNames) && found < len(headers); place++ {
		if v, ok := headers[headerNames[place]]; ok {
			dst = append(dst, header{place: place, value: v})
			found++
		}
	}
	if found == len(headers) {
		return dst
	}
	for name, value := range headers {
		if slices.Index(headerNames[1:], name) < 0 {
			dst = append(dst, header{name: name, value: value})
		}
	}
	slices.SortFunc(dst[found:], func(a, b header) int { return strings.Compare(a.name, b.name) })
	return dst
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// appendChange appends a string, or a mark that it is the same as the last one.
func appendChange(dst []byte, last, s string) (longer []byte, now string) {
	if s == last {
		return append(dst, 0), s
	}
	return append(binary.AppendUvarint(dst, uint64(len(s))+1), s...), s
}

// DecodeMessages reads what EncodeMessages wrote. The payloads are parts of b.
func DecodeMessages(b []byte) ([]Message, error) {
	r := reader{b: b}
	if r.byte() != codecVersion {
		return nil, errCodec
	}
	n := r.uvarint()
	if n > MaxMessages {
		return nil, errCodec
	}
	messages := make([]Message, 0, min(n, uint64(len(r.b))))
	var topic, key string
	var last [len(headerNames)]string
	for range n {
		topic, key = r.change(topic), r.change(key)
		m := Message{Topic: topic, Key: key}
		if h := r.uvarint(); h > 0 && h <= uint64(len(r.b)) {
			m.Headers = make(map[string]string, h)
			for range h {
				switch place := int(r.byte()); {
				case place == 0:
					name := string(r.bytes(r.uvarint()))
					m.Headers[name] = string(r.bytes(r.uvarint()))
				case place < len(headerNames):
					last[place] = r.change(last[place])
					m.Headers[headerNames[place]] = last[place]
				default:
					r.bad = true
				}
			}
		} else if h > 0 {
			r.bad = true
		}
		if p := r.uvarint(); p > 0 {
			m.Payload = r.bytes(p - 1)
		}
		if r.bad {
			return nil, errCodec
		}
		messages = append(messages, m)
	}
	if r.bad || len(r.b) > 0 {
		return nil, errCodec
	}
	return messages, nil
}

// ReadMessages reads a row of the queue. One that can't be read, or that has none, is one
// message without a topic, which nobody carries: whatever somebody writes there, the rows
// behind it are carried.
func ReadMessages(row []byte) []Message {
	messages, err := DecodeMessages(row)
	if err != nil || len(messages) == 0 {
		return []Message{{Payload: row}}
	}
	return messages
}

// timeHeader is the time of a message's event, in the CloudEvents binding to Kafka.
const timeHeader = "ce_time"

// TimeOf returns when the first of an append's messages was made; the zero time
// where the message doesn't say.
func TimeOf(messages []Message) time.Time {
	if len(messages) == 0 {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339Nano, messages[0].Headers[timeHeader])
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// reader reads from a slice, and remembers whether the slice was too short.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) bytes(n uint64) []byte {
	if r.bad || n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	p := r.b[:n:n]
	r.b = r.b[n:]
	return p
}

// change reads what appendChange wrote.
func (r *reader) change(last string) string {
	n := r.uvarint()
	if n == 0 {
		return last
	}
	return string(r.bytes(n - 1))
}

// A message's place in the queue is the row's number and its own within the
// row, in one number, so that rows stay whole and messages keep their order.
const messageBits = 12 // 1<<12 is MaxMessages

// MessageID returns the id of the index-th message of a row of the queue.
func MessageID(row int64, index int) int64 { return row<<messageBits | int64(index) }

// SplitID returns a message id's row and index; it is the inverse of [MessageID].
func SplitID(id int64) (row int64, index int) {
	return id >> messageBits, int(id & (1<<messageBits - 1))
}
