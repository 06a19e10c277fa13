// Package journal is the event store: the one source of truth.
//
// It holds the ports ([Journal], [Queue], [Lister], together [Store]) and what
// every implementation shares: the hash chain, the limits, the errors, the
// codec of messages. The implementations are sqlitejournal (embedded),
// pgjournal (PostgreSQL) and memjournal (simulation); journaltest proves that
// all three keep what is promised here, and open picks one by its URL.
//
// Topics, projections and caches can be thrown away and rebuilt from a journal;
// nothing else can stand in for it.
package journal

import (
	"context"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// Fact is one row of the journal: something that happened to a request. Facts of
// one request have the versions 1, 2, 3, … without a gap.
type Fact struct {
	RequestID string
	Version   int
	Type      string    // core.Event.Type
	At        time.Time // microseconds, UTC
	Data      []byte    // JSON; personal data in it is sealed
	// Hash chains the request's facts: SHA-256 over the previous hash and this
	// row's sealed bytes, so that it verifies after the keys are destroyed.
	// [Chain] says what exactly is hashed.
	Hash []byte
}

// Message is a message that follows from facts; the relay carries it to Kafka.
type Message struct {
	Topic   string
	Key     string // request id
	Headers map[string]string
	Payload []byte // nil is a tombstone, and stays nil
}

// Row is the request as lists show it: derived from its facts, replaced with
// every append. Times are kept in microseconds, UTC.
type Row struct {
	RequestID    string
	Version      int
	Status       core.Status
	Right        dsar.Right
	Jurisdiction string
	Source       string
	Digest       string // keyed hash of what was submitted
	ReceivedAt   time.Time
	DueAt        time.Time // zero: none
	WakeAt       time.Time // when a timer of the request is due; zero: none
	UpdatedAt    time.Time
	Overdue      bool
	// Waiting lists the systems that the request waits for, sorted.
	Waiting []string
	// Needs are the causes for which it needs a person ([core.State.Needs]), sorted;
	// [NeedUnknown] alone where a migration has left them to be found out.
	Needs []string
	// Assignee is the agent who deals with the request; empty: nobody.
	Assignee string
	// Hash is the last fact's hash: the head of the chain. The journal sets it.
	Hash []byte
}

// Append is what one decision adds to a request's journal. It is atomic: facts,
// messages and row are all there, or none. Its content MUST NOT be changed once
// it was handed over, not even later: messages go from here to the relay without
// a copy. [Check] has the limits.
type Append struct {
	RequestID string
	// Expected is the version that the decision was made on; 0 for a new request.
	Expected int
	Facts    []NewFact
	Messages []Message
	Row      Row // Version, RequestID and Hash are set by the journal
	// Fingerprints are keyed hashes by which the request can be found from now on.
	Fingerprints []string
	// Leaf, where set, is appended to the transparency log with the facts, at once: see
	// [Tree].
	Leaf []byte
}

// NewFact is a fact before it has a version and a hash. Its time is cut to
// microseconds and turned to UTC.
type NewFact struct {
	Type string
	At   time.Time
	Data []byte
}

// Filter selects rows of a list. Zero fields don't select.
type Filter struct {
	Statuses     []core.Status
	Right        dsar.Right
	Jurisdiction string
	Source       string
	Waiting      string // a system that the request waits for
	Fingerprint  string
	Assignee     string
	// Needing selects requests that need a person, and Need those that do for one cause.
	Needing bool
	Need    string
	// IDPrefix selects requests by the first letters of their ids: a short id.
	IDPrefix string
	// DueBefore selects requests that are due before a time; those that are never
	// due are left out.
	DueBefore time.Time
	// DueFirst orders by DueAt, the earliest first and rows without one last,
	// and then by RequestID; else by ReceivedAt, the newest first, and then by
	// RequestID. With statuses either order reads no more than a page.
	DueFirst bool
	Limit    int    // 0: DefaultList; at most MaxList
	After    Cursor // page on: rows behind this one, in the same order
}

// Cursor is a row's place in either order of a list. A list in one order doesn't
// look at the other one's time.
type Cursor struct {
	ReceivedAt time.Time
	DueAt      time.Time
	RequestID  string
}

// Journal is the port of the services that decide: they read a request's facts and
// append to them.
//
// Every implementation MUST hold to this, and journaltest proves it: an Append is
// atomic and durable when it returns nil; of two Appends with the same Expected
// exactly one wins, the other gets [ErrConflict]; appends from many goroutines are
// committed in groups, and a conflict of one fails no other (mem, which commits
// nothing, has no groups).
type Journal interface {
	// Append adds to a request. Errors: ErrConflict; ErrInvalid, which no
	// second try cures; ErrClosed; ErrUnavailable, after which the append may be
	// there or not (a connection can break inside of a commit): load again and
	// decide again, Expected keeps it from being there twice. An error of ctx
	// means that it is not there.
	Append(ctx context.Context, a Append) error
	// Facts returns a request's facts in order, from a version on (1, or 0: all).
	// None where the request isn't known.
	Facts(ctx context.Context, requestID string, from int) ([]Fact, error)
	// Row returns the request's row, or ErrNotFound.
	Row(ctx context.Context, requestID string) (Row, error)
	// Close waits for the appends that were taken in, and ends. Calls after it
	// return ErrClosed; a second Close does nothing.
	Close() error
}

// Queue is the port of the relay: messages in the order of their appends, removed
// once they are sent. Messages of one request leave in the order in which they were
// appended, by whichever process carries them. One relay works on one Queue value
// at a time; several processes may each have their own.
type Queue interface {
	// Pending returns the oldest messages that were not yet sent, at most
	// limit, in order; fewer than there are, maybe, but at least one where there
	// is any. Until they are Sent it returns the same again. Where
	// several processes share the work (PostgreSQL), it returns only those of
	// the requests that are this process' part of it.
	Pending(ctx context.Context, limit int) ([]PendingMessage, error)
	// Sent removes messages that Kafka has acknowledged. It needn't be durable:
	// after a crash some may be pending again, so that they are sent twice.
	Sent(ctx context.Context, ids []int64) error
	// Wait returns when there may be something pending, at the latest after
	// the poll interval, which catches appends of other processes.
	Wait(ctx context.Context) error
}

// PendingMessage is a message with its place in the queue. Payloads and
// headers MUST NOT be changed by whoever reads them.
type PendingMessage struct {
	ID int64
	Message
}

// Measured reports how far the relay is behind, whichever process runs it.
type Measured interface {
	// Backlog costs the same however much there is.
	Backlog(ctx context.Context) (Backlog, error)
}

// Backlog counts the messages that the relay hasn't carried yet.
type Backlog struct {
	// Appends is how many appends have messages that Kafka hasn't acknowledged, at
	// most MaxBacklog.
	Appends int
	// Oldest is the time of the first of their messages; zero where there is none.
	Oldest time.Time
}

// Lister is the port of pages and the command line: lists and counts of requests.
type Lister interface {
	// List returns a page of rows, in the filter's order.
	List(ctx context.Context, f Filter) ([]Row, error)
	// ByFingerprint returns the requests that have a fingerprint, the last one
	// taken in first, at most limit, which is at most [MaxList]. However many
	// there are, it reads no more than it returns: every submission asks.
	ByFingerprint(ctx context.Context, fingerprint string, limit int) ([]Row, error)
	// ForgetFingerprints removes a request's fingerprints: nobody finds it by a person's
	// identifiers any more. Where it has none nothing is done.
	ForgetFingerprints(ctx context.Context, requestID string) error
	// Due returns the ids of requests whose WakeAt is at or before now, the
	// oldest first, at most limit.
	Due(ctx context.Context, now time.Time, limit int) ([]string, error)
	// Counts is the number of requests by status. No status has a zero. It reads
	// an index as a whole: who shows it often keeps it for a while.
	Counts(ctx context.Context) (map[core.Status]int, error)
	// WaitingFor is how many requests wait for each system, among those of the
	// given statuses. It reads all of those.
	WaitingFor(ctx context.Context, statuses []core.Status) (map[string]int, error)
	// Needed counts the requests that need a person, by cause, and all of them, each once,
	// under no name. It reads those only.
	Needed(ctx context.Context) (map[string]Needed, error)
	// SetNeeds says for what causes a request needs a person whose row has [NeedUnknown],
	// unless it has changed since version: then its row says so already.
	SetNeeds(ctx context.Context, requestID string, version int, needs []string) error
}

// NeedUnknown stands in rows that were written before there were needs.
const NeedUnknown = "unknown"

// Needed is how many requests need a person for one cause.
type Needed struct {
	Requests, Overdue int
	// DueFirst is when the first of them is due; zero: none is ever.
	DueFirst time.Time
}

// NeedRow is what is counted: the causes of some requests that have the same ones.
type NeedRow struct {
	Needs string // comma between
	Needed
}

// CountNeeds takes the causes of rows apart, each with what it has in all of them, and
// counts all rows under no name; none where there are none.
func CountNeeds(rows []NeedRow) map[string]Needed {
	all := map[string]Needed{}
	for _, r := range rows {
		for need := range strings.SplitSeq(","+r.Needs, ",") {
			n := all[need]
			n.Requests += r.Requests
			n.Overdue += r.Overdue
			if !r.DueFirst.IsZero() && (n.DueFirst.IsZero() || r.DueFirst.Before(n.DueFirst)) {
				n.DueFirst = r.DueFirst
			}
			all[need] = n
		}
	}
	return all
}

// Notes stores small documents by name: what services remember beside the facts,
// and can do without.
type Notes interface {
	// Note returns a document and its version; version 0 where there is none.
	Note(ctx context.Context, name string) (data []byte, version int64, err error)
	// SetNote replaces a document whose version is still the expected one, 0 for a
	// new one. Of two that expect the same, one wins; the other gets ErrConflict.
	SetNote(ctx context.Context, name string, data []byte, expected int64) error
}

// Store is a whole journal, as open.Open returns it.
type Store interface {
	Journal
	Queue
	Measured
	Lister
	Notes
	Searches
	Heads
	Proofs
	Tree
	Audited
	Sized
	Rebuilt
}

// Audited is the port of who checks a journal as a whole.
type Audited interface {
	// RequestKeys returns the ids of requests behind a number, with their numbers, in the
	// order of those: at most limit, and at most [MaxList]. It reads them as text, whatever
	// stands there, so that one row that can't be read hides no other.
	RequestKeys(ctx context.Context, after int64, limit int) ([]RequestKey, error)
	// Fingerprints returns a request's fingerprints, sorted.
	Fingerprints(ctx context.Context, requestID string) ([]string, error)
	// Strays returns how many rows of each table belong to no request, and as missing how
	// many requests were taken in that aren't there, where the store knows; none has a
	// zero. It reads an index of each table as a whole.
	Strays(ctx context.Context) (map[string]int64, error)
	// Reshaped names what of the schema isn't as this program's migrations make it, sorted: a
	// trigger that swallows rows, a view that shows others. Names are whatever stands there.
	Reshaped(ctx context.Context) ([]string, error)
}

// RequestKey is a request's place in its table.
type RequestKey struct {
	Num int64 // rises as requests are taken in
	ID  string
}
