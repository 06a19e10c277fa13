// Package journal is the event store: the one source of truth.
package journal

import (
	"context"
	"errors"
	"time"
)

// Fact is one row of the journal. Facts of one request have the versions
// 1, 2, 3, … without a gap.
type Fact struct {
	RequestID string
	Version   int
	Type      string    // dsar.Event.Type
	At        time.Time // microseconds, UTC
	Data      []byte    // JSON; personal data in it is sealed
	// Hash chains the request's facts: SHA-256 over the previous hash and this
	// row's sealed bytes, so that it verifies after the keys are destroyed.
	Hash []byte
}

// Message is a message that follows from facts; the relay carries it to Kafka.
type Message struct {
	Topic   string
	Key     string // request id
	Headers map[string]string
	Payload []byte
}

// Row is the request as lists show it: derived from its facts, replaced with
// every append.
type Row struct {
	RequestID    string
	Version      int
	Status       string // dsar.Status
	Right        string
	Jurisdiction string
	Source       string
	Digest       string // keyed hash of what was submitted
	ReceivedAt   time.Time
	DueAt        time.Time // zero: none
	WakeAt       time.Time // when a timer of the request is due; zero: none
	UpdatedAt    time.Time
	Overdue      bool
	// Waiting names the systems that the request waits for, sorted.
	Waiting []string
}

// Append is what one decision adds to a request's journal. It is atomic: facts,
// messages and row are all there, or none.
type Append struct {
	RequestID string
	// Expected is the version that the decision was made on; 0 for a new request.
	Expected int
	Facts    []NewFact
	Messages []Message
	Row      Row // Version and RequestID are set by the journal
	// Fingerprints are keyed hashes by which the request can be found from now on.
	Fingerprints []string
}

// NewFact is a fact before it has a version and a hash.
type NewFact struct {
	Type string
	At   time.Time
	Data []byte
}

// ErrConflict says that another decider was faster: load again, decide again.
var ErrConflict = errors.New("journal: another change came first")

// ErrNotFound says that no such request is in the journal.
var ErrNotFound = errors.New("journal: no such request")

// Filter selects rows of a list. Zero fields don't select.
type Filter struct {
	Statuses    []string
	Right       string
	Fingerprint string
	Limit       int    // 0: 100; at most 1,000
	After       Cursor // page on: rows older than this
}

// Cursor is a place in the list, which is ordered by ReceivedAt (newest first)
// and then RequestID.
type Cursor struct {
	ReceivedAt time.Time
	RequestID  string
}

// Journal is the port. MUST hold, and journaltest proves, for every
// implementation: an Append is atomic and durable when it returns nil; of two
// Appends with the same Expected exactly one wins, the other gets ErrConflict;
// appends from many goroutines are committed in groups.
type Journal interface {
	Append(ctx context.Context, a Append) error
	// Facts returns a request's facts in order, from a version on (1: all).
	Facts(ctx context.Context, requestID string, from int) ([]Fact, error)
	// Row returns the request's row, or ErrNotFound.
	Row(ctx context.Context, requestID string) (Row, error)
	Close() error
}

// Outbox is the relay's side. Messages of one request leave in the order in
// which they were appended, by whichever process carries them.
type Outbox interface {
	// Pending returns the oldest messages that were not yet sent, at most
	// limit, in order.
	Pending(ctx context.Context, limit int) ([]PendingMessage, error)
	// Sent removes messages that Kafka has acknowledged.
	Sent(ctx context.Context, ids []int64) error
	// Wait returns when there may be something pending, at the latest after
	// the poll interval, which catches appends of other processes.
	Wait(ctx context.Context) error
}

// PendingMessage is a message with its place in the outbox.
type PendingMessage struct {
	ID int64
	Message
}

// Lister is what pages and the command line read.
type Lister interface {
	List(ctx context.Context, f Filter) ([]Row, error)
	// Due returns the ids of requests whose WakeAt is at or before now, the
	// oldest first.
	Due(ctx context.Context, now time.Time, limit int) ([]string, error)
	// Counts is the number of requests by status.
	Counts(ctx context.Context) (map[string]int, error)
}
