package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"

	"habeas.dev/pkg/telemetry"
)

// HashSize is the length of a fact's hash in bytes.
const HashSize = sha256.Size

// chainDomain is prepended to everything that is hashed, so that no other use of
// SHA-256 can yield a hash of this chain.
const chainDomain = "habeas.journal.fact.v1"

// Chain computes hashes of facts. It can be used again and again, by one
// goroutine at a time.
//
// A fact's hash is SHA-256 over, in this order: "habeas.journal.fact.v1", the
// previous fact's hash (32 zero bytes before version 1), then version and time
// (Unix microseconds) as 8 bytes big-endian each, then request id, type and
// data, each after its length as 8 bytes big-endian.
type Chain struct {
	h   hash.Hash
	buf []byte
}

// NewChain returns a Chain.
func NewChain() *Chain { return &Chain{h: sha256.New()} }

// Next appends to dst the hash of a fact that follows prev. f.Hash isn't looked at;
// f.At must be cut by [Time].
func (c *Chain) Next(dst, prev []byte, f *Fact) []byte {
	c.h.Reset()
	b := append(c.buf[:0], chainDomain...)
	if prev == nil {
		b = append(b, make([]byte, HashSize)...)
	} else {
		b = append(b, prev...)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(f.Version))
	b = binary.BigEndian.AppendUint64(b, uint64(f.At.UnixMicro()))
	b = binary.BigEndian.AppendUint64(b, uint64(len(f.RequestID)))
	b = append(b, f.RequestID...)
	b = binary.BigEndian.AppendUint64(b, uint64(len(f.Type)))
	b = append(b, f.Type...)
	b = binary.BigEndian.AppendUint64(b, uint64(len(f.Data)))
	c.buf = b
	c.h.Write(b)
	c.h.Write(f.Data)
	return c.h.Sum(dst)
}

// ErrChain says that a journal was altered; a [*ChainError] says where.
var ErrChain = telemetry.Constant("journal: the chain is broken")

// ChainError names the first version that isn't as it was journalled.
type ChainError struct {
	RequestID string
	Version   int
	Reason    string
}

// Error returns one line.
func (e *ChainError) Error() string {
	return fmt.Sprintf("journal: the chain of request %s is broken at version %d: %s", e.RequestID, e.Version, e.Reason)
}

// Unwrap returns ErrChain.
func (e *ChainError) Unwrap() error { return ErrChain }

// VerifyChain checks a request's facts, from version 1 on: any byte altered, a
// fact left out, put in or moved is found, and the first bad version named in a
// [*ChainError]. That the last facts were cut off it can't see: [VerifyHead]
// does, against the row or any hash that was kept elsewhere.
func VerifyChain(facts []Fact) error {
	if len(facts) == 0 {
		return nil
	}
	c := NewChain()
	id := facts[0].RequestID
	var prev, sum []byte
	for i := range facts {
		f := &facts[i]
		bad := func(reason string) error { return &ChainError{RequestID: id, Version: i + 1, Reason: reason} }
		switch {
		case f.RequestID != id:
			return bad("it belongs to another request")
		case f.Version != i+1:
			return bad(fmt.Sprintf("version %d stands in its place", f.Version))
		}
		if sum = c.Next(sum[:0], prev, f); !bytes.Equal(sum, f.Hash) {
			return bad("it, or what came before, was altered")
		}
		prev = f.Hash
	}
	return nil
}

// VerifyHead checks a request's facts, and that the last one is the one that the
// row names.
func VerifyHead(row Row, facts []Fact) error {
	if err := VerifyChain(facts); err != nil {
		return err
	}
	n := len(facts)
	switch {
	case n < row.Version:
		return &ChainError{RequestID: row.RequestID, Version: n + 1, Reason: fmt.Sprintf("it is missing; the request has %d", row.Version)}
	case n > row.Version:
		return &ChainError{RequestID: row.RequestID, Version: row.Version + 1, Reason: "the request doesn't know it"}
	case n > 0 && (facts[0].RequestID != row.RequestID || !bytes.Equal(facts[n-1].Hash, row.Hash)):
		return &ChainError{RequestID: row.RequestID, Version: n, Reason: "the request ends on another hash"}
	}
	return nil
}

// Seal makes the facts of an append: it sets versions, cuts times, and chains
// hashes to prev, which is nil before version 1. The data is not copied.
// Implementations use it.
func (c *Chain) Seal(a *Append, prev []byte) []Fact {
	facts := make([]Fact, len(a.Facts))
	hashes := make([]byte, 0, HashSize*len(facts)) // one allocation for all
	for i := range facts {
		n := &a.Facts[i]
		facts[i] = Fact{RequestID: a.RequestID, Version: a.Expected + 1 + i, Type: n.Type, At: Time(n.At), Data: n.Data}
		start := len(hashes)
		hashes = c.Next(hashes, prev, &facts[i])
		facts[i].Hash = slices.Clip(hashes[start:])
		prev = facts[i].Hash
	}
	return facts
}
