package journal

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Search is one search for a person, in the journal of searches: who searched, when, and
// a keyed hash of what was searched for.
type Search struct {
	At    time.Time
	By    string
	Hash  string
	Found int // requests
}

// SearchFilter selects searches. Zero fields don't select.
type SearchFilter struct {
	By    string
	Hash  string
	Since time.Time
	Limit int // 0: DefaultList; at most MaxList
}

// Searches keeps who searched for whom. What is there is never altered: each search has its
// place in a chain, by [NextSearch].
type Searches interface {
	// AddSearch adds a search, and gives it its place, and those that have none yet: a
	// program of before there was a chain added them. Of many at once each gets its own.
	AddSearch(ctx context.Context, s Search) error
	// Searches lists them, the newest first.
	Searches(ctx context.Context, f SearchFilter) ([]Search, error)
	// SearchHead returns the chain's end.
	SearchHead(ctx context.Context) (SearchHead, error)
	// SearchLinks returns the searches from a place on, in order: at most limit, and at most
	// MaxList.
	SearchLinks(ctx context.Context, from int64, limit int) ([]SearchLink, error)
}

// SearchLink is a search in its place of the chain.
type SearchLink struct {
	Search
	Place int64 // from 1, without a gap
	Chain []byte
}

// SearchHead is the end of the chain of searches.
type SearchHead struct {
	Size  int64
	Chain []byte // empty where there is none
	// Unchained is how many searches have no place yet.
	Unchained int64
}

// MaxChained bounds how many searches get their places at once: those of years, from before
// there was a chain, get theirs by and by.
const MaxChained = 1000

// NextSearch returns the hash of the search at a place, which follows prev: SHA-256 over
// "habeas.journal.search.v1", the previous hash (32 zero bytes before the first), then place,
// time (Unix microseconds) and how many were found as 8 bytes big-endian each, then who and
// what, each after its length as 8 bytes big-endian.
func NextSearch(prev []byte, place int64, s Search) []byte {
	b := append([]byte(nil), "habeas.journal.search.v1"...)
	if len(prev) == 0 {
		prev = make([]byte, HashSize)
	}
	b = append(b, prev...)
	for _, n := range []int64{place, s.At.UnixMicro(), int64(s.Found), int64(len(s.By))} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	b = append(b, s.By...)
	b = binary.BigEndian.AppendUint64(b, uint64(len(s.Hash)))
	b = append(b, s.Hash...)
	sum := sha256.Sum256(b)
	return sum[:]
}
