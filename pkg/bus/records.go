package bus

import (
	"errors"
	"io"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"
)

// recordOverhead estimates the memory that a record takes beside its bytes: the
// struct, its slice headers and its place in the maps.
const recordOverhead = 256

// decodeRecords returns the records from offset from on, and the offset to fetch
// next. Markers of transactions, and the records of those that were aborted, are
// left out; the broker sends both, and leaves it to the client.
func decodeRecords(res *fetch.ResponsePartition, from int64) (recs []*record, next int64, err error) {
	next = from
	stream, ok := res.RecordSet.Records.(*protocol.RecordStream)
	if !ok {
		return nil, next, nil
	}
	aborts := abortedBy(res.AbortedTransactions)
	for _, b := range stream.Records {
		var base int64
		keep := true
		switch b := b.(type) {
		case *protocol.ControlBatch:
			aborts.ended(b.ProducerID, b.BaseOffset)
			base, keep = b.BaseOffset, false
		case *protocol.RecordBatch:
			base, keep = b.BaseOffset, !b.Attributes.Transactional() || !aborts.covers(b.ProducerID, b.BaseOffset)
		case *protocol.MessageSet:
			base = b.BaseOffset
		}
		next = max(next, base)
		for {
			r, err := b.ReadRecord()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return recs, next, err
			}
			if keep && r.Offset >= from {
				rec, err := copyRecord(r)
				if err != nil {
					return recs, next, err
				}
				recs = append(recs, rec)
			}
			next = max(next, r.Offset+1)
			release(r)
		}
	}
	if next == from && len(stream.Records) > 0 {
		// Compaction left a batch without records: step over it.
		next++
	}
	return recs, next, nil
}

// copyRecord copies a record out of the buffers that it was decoded in.
func copyRecord(r *protocol.Record) (*record, error) {
	key, err := protocol.ReadAll(r.Key)
	if err != nil {
		return nil, err
	}
	value, err := protocol.ReadAll(r.Value)
	if err != nil {
		return nil, err
	}
	size := recordOverhead + len(key) + len(value)
	for i := range r.Headers {
		size += len(r.Headers[i].Key) + len(r.Headers[i].Value)
	}
	return &record{offset: r.Offset, key: string(key), value: value, headers: r.Headers, size: size}, nil
}

func release(r *protocol.Record) {
	if r.Key != nil {
		_ = r.Key.Close()
	}
	if r.Value != nil {
		_ = r.Value.Close()
	}
}

// aborts holds the aborted transactions of one answer: for each producer, the
// offsets from which on they were aborted. A transaction ends with its marker,
// which is in the answer.
type aborts map[int64][]int64

func abortedBy(list []fetch.ResponseTransaction) aborts {
	if len(list) == 0 {
		return nil
	}
	a := make(aborts, len(list))
	for _, t := range list {
		a[t.ProducerID] = append(a[t.ProducerID], t.FirstOffset)
	}
	return a
}

// covers reports whether a batch belongs to an aborted transaction.
func (a aborts) covers(producer, offset int64) bool {
	from, ok := a[producer]
	return ok && len(from) > 0 && from[0] <= offset
}

// ended records a transaction's end marker: the first of the producer's aborted
// transactions is over, if it had begun.
func (a aborts) ended(producer, offset int64) {
	if from := a[producer]; len(from) > 0 && from[0] <= offset {
		a[producer] = from[1:]
	}
}
