package pgjournal

import (
	"context"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/group"
)

const (
	// Both statements take the requests in the order of their ids, so that two
	// processes' groups never wait for each other in a ring.
	insertRequests = `INSERT INTO request (id, version, hash, status, "right", jurisdiction, source, digest,
			received_at, due_at, wake_at, updated_at, overdue, waiting, assignee, needs)
		SELECT id, version, hash, status, "right", jurisdiction, source, digest,
			received_at, due_at, wake_at, updated_at, overdue, string_to_array(waiting, ','), assignee, needs
		FROM unnest($1::text[], $2::integer[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
			$9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::boolean[], $14::text[], $15::text[], $16::text[])
			AS n (id, version, hash, status, "right", jurisdiction, source, digest, received_at, due_at, wake_at, updated_at, overdue, waiting, assignee, needs)
		ON CONFLICT (id) DO NOTHING RETURNING id`
	lockRequests = `SELECT id, num, version, hash FROM request WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE`

	updateRequests = `UPDATE request r SET version = n.version, hash = n.hash, status = n.status, "right" = n."right",
			jurisdiction = n.jurisdiction, source = n.source, digest = n.digest, received_at = n.received_at, due_at = n.due_at,
			wake_at = n.wake_at, updated_at = n.updated_at, overdue = n.overdue, waiting = string_to_array(n.waiting, ','),
			assignee = n.assignee, needs = n.needs
		FROM unnest($1::bigint[], $2::integer[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
			$9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::boolean[], $14::text[], $15::text[], $16::text[])
			AS n (num, version, hash, status, "right", jurisdiction, source, digest, received_at, due_at, wake_at, updated_at, overdue, waiting, assignee, needs)
		WHERE r.num = n.num`
	setTimers = `INSERT INTO timer (request, wake_at) SELECT * FROM unnest($1::bigint[], $2::timestamptz[])
		ON CONFLICT (request) DO UPDATE SET wake_at = excluded.wake_at WHERE timer.wake_at <> excluded.wake_at`
	dropTimers  = `DELETE FROM timer WHERE request = ANY ($1)`
	insertFacts = `INSERT INTO fact (request, version, type, at, data, hash)
		SELECT * FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::timestamptz[], $5::bytea[], $6::bytea[])`
	insertPrints = `INSERT INTO fingerprint (fingerprint, request)
		SELECT * FROM unnest($1::text[], $2::bigint[]) ON CONFLICT DO NOTHING`
	insertQueue = `INSERT INTO queue (shard, messages) SELECT * FROM unnest($1::smallint[], $2::bytea[])`
	notify      = `SELECT pg_notify('habeas_queue_' || 'queue'::regclass::oid, '')`
)

// transaction writes one group of appends. Used by the writer's goroutine only.
type transaction struct {
	pool  *pgxpool.Pool
	chain *journal.Chain

	heads map[string]*head
	order []*head // by id
	facts factColumns
	// The columns of fingerprint and of queue.
	printText []string
	printNum  []int64
	shards    []int16
	messages  [][]byte
	leaves    leafColumns
}

// head is a request's row as it was before the group and as it becomes.
type head struct {
	id      string
	num     int64
	version int
	hash    []byte
	// first is the group's first append that takes the request for a new one.
	first     *journal.Append
	firstHead []byte // its last fact's hash
	row       *journal.Row
	inserted  bool // by this transaction, with first's row
}

type factColumns struct {
	num     []int64
	version []int32
	typ     []string
	at      []time.Time
	data    [][]byte
	hash    [][]byte
}

func newTransaction(pool *pgxpool.Pool) *transaction {
	return &transaction{pool: pool, chain: journal.NewChain(), heads: map[string]*head{}}
}

// run writes a group. Verdicts are in the calls' Err; an error means that
// nothing was written, or that it isn't known (uncertain).
func (t *transaction) run(ctx context.Context, calls []*group.Call) (uncertain bool, err error) {
	conn, err := t.pool.Acquire(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Release() // a connection with an open transaction isn't used again
	t.collect(calls)
	if err := t.lock(ctx, conn); err != nil {
		t.rollback(conn)
		return false, err
	}
	for _, c := range calls {
		t.decide(c)
	}
	if uncertain, err = t.write(ctx, conn); err != nil {
		t.rollback(conn)
	}
	return uncertain, err
}

func (t *transaction) rollback(conn *pgxpool.Conn) {
	if conn.Conn().IsClosed() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_, _ = conn.Exec(ctx, "ROLLBACK") // where it fails, the pool drops the connection
}

// collect lists the group's requests, and those that are expected to be new.
func (t *transaction) collect(calls []*group.Call) {
	clear(t.heads)
	clear(t.order)
	t.order = t.order[:0]
	t.facts = factColumns{}
	t.printText, t.printNum, t.shards, t.messages, t.leaves = nil, nil, nil, nil, leafColumns{}
	for _, c := range calls {
		c.Err = nil
		id := c.Append.RequestID
		h := t.heads[id]
		if h == nil {
			h = &head{id: id}
			t.heads[id] = h
			t.order = append(t.order, h)
		}
		if h.first == nil && c.Append.Expected == 0 {
			h.first = c.Append
		}
	}
	slices.SortFunc(t.order, func(a, b *head) int { return strings.Compare(a.id, b.id) })
}

// lock inserts the new requests and locks the others, in one round trip.
func (t *transaction) lock(ctx context.Context, conn *pgxpool.Conn) error {
	var b pgx.Batch
	b.Queue("BEGIN")
	var fresh rowColumns
	ids := make([]string, 0, len(t.order))
	newIDs := make([]string, 0, len(t.order))
	for _, h := range t.order {
		ids = append(ids, h.id)
		if h.first != nil {
			facts := t.chain.Seal(h.first, nil)
			h.firstHead = facts[len(facts)-1].Hash
			newIDs = append(newIDs, h.id)
			fresh.add(len(facts), h.firstHead, &h.first.Row)
		}
	}
	if len(newIDs) > 0 {
		b.Queue(insertRequests, fresh.args(newIDs)...)
	}
	b.Queue(lockRequests, ids)
	results := conn.SendBatch(ctx, &b)
	err := t.readLocked(results, len(newIDs) > 0)
	if closeErr := results.Close(); err == nil {
		err = closeErr
	}
	return err
}

func (t *transaction) readLocked(results pgx.BatchResults, anyNew bool) error {
	if _, err := results.Exec(); err != nil {
		return err
	}
	var id string
	if anyNew {
		rows, err := results.Query()
		if err != nil {
			return err
		}
		if _, err := pgx.ForEachRow(rows, []any{&id}, func() error {
			t.heads[id].inserted = true
			return nil
		}); err != nil {
			return err
		}
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	var num int64
	var version int
	var hash []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &num, &version, &hash}, func() error {
		h := t.heads[id]
		h.num = num
		if !h.inserted { // else it stands before its first fact still
			h.version, h.hash = version, hash
			hash = nil
		}
		return nil
	})
	return err
}

// decide sets a call's result, and adds what is to be written.
func (t *transaction) decide(c *group.Call) {
	a := c.Append
	h := t.heads[a.RequestID]
	if a.Expected != h.version || h.num == 0 {
		c.Err = journal.ErrConflict
		return
	}
	for _, f := range t.chain.Seal(a, h.hash) {
		t.facts.num = append(t.facts.num, h.num)
		t.facts.version = append(t.facts.version, int32(f.Version))
		t.facts.typ = append(t.facts.typ, f.Type)
		t.facts.at = append(t.facts.at, f.At)
		t.facts.data = append(t.facts.data, f.Data)
		t.facts.hash = append(t.facts.hash, f.Hash)
		h.version, h.hash = f.Version, f.Hash
	}
	for _, p := range a.Fingerprints {
		t.printText = append(t.printText, p)
		t.printNum = append(t.printNum, h.num)
	}
	if a.Leaf != nil {
		t.leaves.add(&h.num, int32(h.version), a.Leaf)
	}
	if len(c.Messages) > 0 {
		t.shards = append(t.shards, shardOf(a.RequestID))
		t.messages = append(t.messages, c.Messages)
	}
	if !h.inserted || a != h.first { // else its row is there already
		h.row = &a.Row
	}
}

// write writes what was decided and commits, in one round trip. uncertain tells
// that the connection broke when the commit was on its way.
func (t *transaction) write(ctx context.Context, conn *pgxpool.Conn) (uncertain bool, err error) {
	var b pgx.Batch
	var changed rowColumns
	var nums []int64
	var timers timerColumns
	for _, h := range t.order {
		if h.row != nil {
			nums = append(nums, h.num)
			changed.add(h.version, h.hash, h.row)
			timers.add(h.num, h.row.WakeAt, !h.inserted)
		} else if h.inserted {
			timers.add(h.num, h.first.Row.WakeAt, false)
		}
	}
	if len(nums) > 0 {
		b.Queue(updateRequests, changed.args(nums)...)
	}
	if len(timers.num) > 0 {
		b.Queue(setTimers, timers.num, timers.wake)
	}
	if len(timers.none) > 0 {
		b.Queue(dropTimers, timers.none)
	}
	if f := &t.facts; len(f.num) > 0 {
		b.Queue(insertFacts, f.num, f.version, f.typ, f.at, f.data, f.hash)
	}
	if len(t.printNum) > 0 {
		b.Queue(insertPrints, t.printText, t.printNum)
	}
	if len(t.shards) > 0 {
		b.Queue(insertQueue, t.shards, t.messages)
		b.Queue(notify)
	}
	if len(t.leaves.data) > 0 {
		// After the requests' rows: every group locks in this order.
		if err := t.leaves.queue(ctx, conn, &b); err != nil {
			return false, err
		}
	}
	statements := b.Len()
	b.Queue("COMMIT")
	results := conn.SendBatch(ctx, &b)
	for range statements {
		if _, err = results.Exec(); err != nil {
			break
		}
	}
	if err == nil {
		_, err = results.Exec()
	}
	if closeErr := results.Close(); err == nil {
		err = closeErr
	}
	// All statements travel together: where the connection broke, or the answer
	// didn't come in time, the commit may have been made.
	return err != nil && state(err) == "", err
}

// timerColumns holds rows of the table timer, column by column, and the requests
// that have none.
type timerColumns struct {
	num  []int64
	wake []time.Time
	none []int64
}

func (c *timerColumns) add(num int64, wake time.Time, hadOne bool) {
	switch {
	case !wake.IsZero():
		c.num = append(c.num, num)
		c.wake = append(c.wake, journal.Time(wake))
	case hadOne:
		c.none = append(c.none, num)
	}
}

// rowColumns holds rows of the table request, column by column.
type rowColumns struct {
	version                                     []int32
	hash                                        [][]byte
	status, right, jurisdiction, source, digest []string
	received, due, wake, updated                []pgtype.Timestamptz
	overdue                                     []bool
	waiting, assignee, needs                    []string
}

func (c *rowColumns) add(version int, hash []byte, r *journal.Row) {
	c.version = append(c.version, int32(version))
	c.hash = append(c.hash, hash)
	c.status = append(c.status, string(r.Status))
	c.right = append(c.right, string(r.Right))
	c.jurisdiction = append(c.jurisdiction, r.Jurisdiction)
	c.source = append(c.source, r.Source)
	c.digest = append(c.digest, r.Digest)
	c.received = append(c.received, pgtype.Timestamptz{Time: journal.Time(r.ReceivedAt), Valid: true})
	c.due = append(c.due, optional(r.DueAt))
	c.wake = append(c.wake, optional(r.WakeAt))
	c.updated = append(c.updated, pgtype.Timestamptz{Time: journal.Time(r.UpdatedAt), Valid: true})
	c.overdue = append(c.overdue, r.Overdue)
	c.waiting = append(c.waiting, strings.Join(r.Waiting, ","))
	c.assignee = append(c.assignee, r.Assignee)
	c.needs = append(c.needs, strings.Join(r.Needs, ","))
}

// args returns the statements' arguments, after the rows' keys.
func (c *rowColumns) args(keys any) []any {
	return []any{keys, c.version, c.hash, c.status, c.right, c.jurisdiction, c.source, c.digest,
		c.received, c.due, c.wake, c.updated, c.overdue, c.waiting, c.assignee, c.needs}
}

// optional returns a time's column: NULL for the zero time.
func optional(t time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: journal.Time(t), Valid: !t.IsZero()}
}

// shards is how many parts the queue is divided into: several for each of the
// processes that anyone runs, so that these get about the same share. It MUST NOT
// be changed while rows are in the queue.
const shards = 64

// shardOf returns the part of the queue that carries a request's messages.
func shardOf(requestID string) int16 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(requestID))
	return int16(h.Sum32() % shards)
}
