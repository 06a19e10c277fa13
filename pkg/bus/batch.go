package bus

import (
	"bytes"
	"io"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// batch hands the messages of one partition to kafka-go's encoder as records.
type batch struct {
	parcels []*parcel
	parcel  int
	index   int
	rec     protocol.Record
	key     byteReader
	value   byteReader
}

// ReadRecord implements protocol.RecordReader.
func (b *batch) ReadRecord() (*protocol.Record, error) {
	for b.parcel < len(b.parcels) && b.index == len(b.parcels[b.parcel].msgs) {
		b.parcel, b.index = b.parcel+1, 0
	}
	if b.parcel == len(b.parcels) {
		return nil, io.EOF
	}
	m := b.parcels[b.parcel].msgs[b.index]
	b.index++
	key, headers := encode(m)
	b.rec = protocol.Record{Headers: headers}
	if key != nil {
		b.key.Reset(key)
		b.rec.Key = &b.key
	}
	if m.Payload != nil {
		b.value.Reset(m.Payload)
		b.rec.Value = &b.value
	}
	return &b.rec, nil
}

type byteReader struct{ bytes.Reader }

func (*byteReader) Close() error { return nil }

var _ protocol.RecordReader = (*batch)(nil)

// choose returns the partition of a key: the one that Kafka's own clients choose.
// Messages without a key go round.
func choose(at *route, key string) int32 {
	n := len(at.leaders)
	if n == 1 {
		return 0
	}
	if key == "" {
		return int32(at.next.Add(1) % uint32(n))
	}
	return int32(kafka.Murmur2Balancer{}.Balance(kafka.Message{Key: []byte(key)}, at.partitions...))
}
