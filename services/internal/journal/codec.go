package journal

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
)

// The messages of one append lie in one row of the outbox, in a compact form:
// a version byte, the number of messages, and for each its topic, key, headers
// (sorted by name) and payload, every string after its length. Numbers are
// unsigned varints. A payload's length is one more than it is, 0 being nil.
const codecVersion = 1

var errCodec = errors.New("journal: a row of the outbox can't be read")

// EncodeMessages appends the messages' compact form to dst.
func EncodeMessages(dst []byte, messages []Message) []byte {
	dst = append(dst, codecVersion)
	dst = binary.AppendUvarint(dst, uint64(len(messages)))
	var names []string
	for i := range messages {
		m := &messages[i]
		dst = appendString(dst, m.Topic)
		dst = appendString(dst, m.Key)
		dst = binary.AppendUvarint(dst, uint64(len(m.Headers)))
		names = slices.AppendSeq(names[:0], maps.Keys(m.Headers))
		slices.Sort(names)
		for _, k := range names {
			dst = appendString(dst, k)
			dst = appendString(dst, m.Headers[k])
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

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
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
	messages := make([]Message, 0, n)
	for range n {
		m := Message{Topic: string(r.bytes(r.uvarint())), Key: string(r.bytes(r.uvarint()))}
		if h := r.uvarint(); h > 0 && h <= uint64(len(r.b)) {
			m.Headers = make(map[string]string, h)
			for range h {
				k := string(r.bytes(r.uvarint()))
				m.Headers[k] = string(r.bytes(r.uvarint()))
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
	if len(r.b) > 0 {
		return nil, errCodec
	}
	return messages, nil
}

// reader reads from a slice and remembers whether it was too short.
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

// A message's place in the outbox is the row's number and its own within the
// row, in one number, so that rows stay whole and messages keep their order.
const messageBits = 12 // 1<<12 is MaxMessages

// MessageID makes the id of the index-th message of a row of the outbox.
func MessageID(row int64, index int) int64 { return row<<messageBits | int64(index) }

// SplitID is the inverse of [MessageID].
func SplitID(id int64) (row int64, index int) {
	return id >> messageBits, int(id & (1<<messageBits - 1))
}
