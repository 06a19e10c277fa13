package sqlitejournal

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/group"
)

// transaction is the writer's connection with its prepared statements, and what
// it needs for one group. Used by the writer's goroutine only.
type transaction struct {
	db    *sql.DB
	conn  *sql.Conn // nil: to be connected
	stmts map[string]*sql.Stmt
	chain *journal.Chain

	// One group:
	heads    map[string]*head
	order    []*head // heads in the order in which the group named them
	facts    []any   // arguments of the fact rows
	prints   []any   // arguments of the fingerprint rows
	messages []any   // arguments of the queue rows
	leaves   []leaf
	counter  counter
	args     []any
}

// counter is a row of the table counter.
type counter struct{ request, queue int64 }

// head is a request's row as it was and as it becomes.
type head struct {
	id      string
	num     int64 // 0: a request that isn't known yet
	version int
	hash    []byte
	// What the indexes are over, as it was: indexes are touched only on a change.
	status          core.Status
	right           dsar.Right
	received, wake  int64
	hadWake, stored bool
	assignee, needs string

	row *journal.Row // what it becomes; nil: it stays
}

func newTransaction(db *sql.DB) *transaction {
	return &transaction{db: db, chain: journal.NewChain(), heads: map[string]*head{}}
}

// connect opens the connection if there is none.
func (t *transaction) connect() (err error) {
	if t.conn != nil {
		return nil
	}
	t.stmts = map[string]*sql.Stmt{}
	t.conn, err = t.db.Conn(context.Background())
	return err
}

// disconnect drops the connection, so that the next group gets a new one.
func (t *transaction) disconnect() {
	for _, s := range t.stmts {
		_ = s.Close()
	}
	t.stmts = nil
	if t.conn != nil {
		_ = t.conn.Close()
		t.conn = nil
	}
}

func (t *transaction) stmt(query string) (*sql.Stmt, error) {
	if s := t.stmts[query]; s != nil {
		return s, nil
	}
	s, err := t.conn.PrepareContext(context.Background(), query)
	if err == nil {
		t.stmts[query] = s
	}
	return s, err
}

func (t *transaction) exec(query string, args ...any) error {
	s, err := t.stmt(query)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(context.Background(), args...)
	return err
}

// run writes a group and the removals of sent rows as one transaction. Verdicts
// are in the calls' Err; an error means that nothing was written. first is the
// number of the group's first row in the queue.
func (t *transaction) run(calls []*group.Call, sent []span) (first int64, err error) {
	if err := t.connect(); err != nil {
		return 0, err
	}
	// Immediate: the lock is taken before anything is read, so that what is
	// decided on here can't be changed by another process before the commit.
	if err := t.exec("BEGIN IMMEDIATE"); err != nil {
		return 0, err
	}
	if first, err = t.body(calls, sent); err == nil {
		err = t.exec("COMMIT")
	}
	if err != nil {
		// SQLite may have rolled back already; then this fails, and needn't work.
		_ = t.exec("ROLLBACK")
	}
	return first, err
}

func (t *transaction) body(calls []*group.Call, sent []span) (first int64, err error) {
	for _, s := range sent {
		if err := t.exec("DELETE FROM queue WHERE num BETWEEN ? AND ?", s.from, s.to); err != nil {
			return 0, err
		}
	}
	if len(calls) == 0 {
		return 0, nil
	}
	t.reset()
	if err := t.readCounter(); err != nil {
		return 0, err
	}
	was := t.counter
	if err := t.readHeads(calls); err != nil {
		return 0, err
	}
	for _, c := range calls {
		t.decide(c)
	}
	if err := t.writeHeads(); err != nil {
		return 0, err
	}
	// OR ROLLBACK: SQLite then needn't note, for a conflict that can't come, how
	// to undo one statement alone.
	if err := t.insert("INSERT OR ROLLBACK INTO fact (request, version, type, at, data, hash) VALUES ", 6, t.facts); err != nil {
		return 0, err
	}
	if err := t.insert("INSERT OR IGNORE INTO fingerprint (fingerprint, request) VALUES ", 2, t.prints); err != nil {
		return 0, err
	}
	if err := t.insert("INSERT OR ROLLBACK INTO queue (num, messages) VALUES ", 2, t.messages); err != nil {
		return 0, err
	}
	if err := t.growTree(); err != nil {
		return 0, err
	}
	if t.counter != was {
		err = t.exec("UPDATE counter SET request = ?, queue = ? WHERE one = 1", t.counter.request, t.counter.queue)
	}
	return was.queue + 1, err
}

func (t *transaction) reset() {
	clear(t.heads)
	clear(t.order)
	t.order = t.order[:0]
	clear(t.leaves)
	t.leaves = t.leaves[:0]
	for _, args := range []*[]any{&t.facts, &t.prints, &t.messages, &t.args} {
		clear(*args)
		*args = (*args)[:0]
	}
}

func (t *transaction) readCounter() error {
	s, err := t.stmt("SELECT request, queue FROM counter WHERE one = 1")
	if err != nil {
		return err
	}
	return s.QueryRowContext(context.Background()).Scan(&t.counter.request, &t.counter.queue)
}

// readHeads looks up the requests of a group, many at a time.
func (t *transaction) readHeads(calls []*group.Call) error {
	for _, c := range calls {
		id := c.Append.RequestID
		if t.heads[id] == nil {
			h := &head{id: id}
			t.heads[id] = h
			t.order = append(t.order, h)
		}
	}
	for some := range slices.Chunk(t.order, 32) {
		n := chunk(len(some))
		s, err := t.stmt(`SELECT id, num, version, hash, status, "right", received_at, wake_at, assignee, needs FROM request WHERE id IN (?` +
			strings.Repeat(", ?", n-1) + ")")
		if err != nil {
			return err
		}
		t.args = t.args[:0]
		for _, h := range some {
			t.args = append(t.args, h.id)
		}
		for len(t.args) < n {
			t.args = append(t.args, nil) // matches nothing
		}
		if err := t.scanHeads(s); err != nil {
			return err
		}
	}
	return nil
}

func (t *transaction) scanHeads(s *sql.Stmt) error {
	rows, err := s.QueryContext(context.Background(), t.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var id sql.RawBytes
	for rows.Next() {
		var was head
		var wake sql.NullInt64
		if err := rows.Scan(&id, &was.num, &was.version, &was.hash, &was.status, &was.right, &was.received, &wake, &was.assignee, &was.needs); err != nil {
			return err
		}
		h := t.heads[string(id)]
		was.id, was.wake, was.hadWake, was.stored = h.id, wake.Int64, wake.Valid, true
		*h = was
	}
	return rows.Err()
}

// decide sets a call's result, and adds what is to be written.
func (t *transaction) decide(c *group.Call) {
	a := c.Append
	h := t.heads[a.RequestID]
	if a.Expected != h.version {
		c.Err = journal.ErrConflict
		return
	}
	c.Err = nil
	if h.num == 0 {
		t.counter.request++
		h.num = t.counter.request
	}
	for _, f := range t.chain.Seal(a, h.hash) {
		t.facts = append(t.facts, h.num, f.Version, f.Type, f.At.UnixMicro(), f.Data, f.Hash)
		h.version, h.hash = f.Version, f.Hash
	}
	for _, p := range a.Fingerprints {
		t.prints = append(t.prints, p, h.num)
	}
	if a.Leaf != nil {
		t.leaves = append(t.leaves, leaf{h.num, h.version, a.Leaf})
	}
	if len(c.Messages) > 0 {
		t.counter.queue++
		t.messages = append(t.messages, t.counter.queue, c.Messages)
	}
	h.row = &a.Row
}

// writeHeads writes each request's row once, however many appends it got.
func (t *transaction) writeHeads() error {
	for _, h := range t.order {
		if h.row == nil {
			continue
		}
		if err := t.writeHead(h); err != nil {
			return err
		}
	}
	return nil
}

func (t *transaction) writeHead(h *head) error {
	r := h.row
	waiting, needs, overdue := strings.Join(r.Waiting, ","), strings.Join(r.Needs, ","), 0
	if r.Overdue {
		overdue = 1
	}
	due, wake := micros(r.DueAt), micros(r.WakeAt)
	received, updated := r.ReceivedAt.UnixMicro(), r.UpdatedAt.UnixMicro()
	if !h.stored {
		return t.exec(`INSERT INTO request (num, id, version, hash, status, "right", jurisdiction, source, digest,
			received_at, due_at, wake_at, updated_at, overdue, waiting, assignee, needs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			h.num, h.id, h.version, h.hash, string(r.Status), string(r.Right), r.Jurisdiction, r.Source, r.Digest,
			received, due, wake, updated, overdue, waiting, r.Assignee, needs)
	}
	// SQLite writes an index again whenever one of its columns is set, even to
	// the same value: so set those only that change.
	set := "UPDATE request SET version = ?, hash = ?, jurisdiction = ?, source = ?, digest = ?, due_at = ?, updated_at = ?, overdue = ?, waiting = ?"
	args := append(t.args[:0], h.version, h.hash, r.Jurisdiction, r.Source, r.Digest, due, updated, overdue, waiting)
	if r.WakeAt.IsZero() == h.hadWake || (h.hadWake && r.WakeAt.UnixMicro() != h.wake) {
		set += ", wake_at = ?"
		args = append(args, wake)
	}
	if r.Status != h.status {
		set += ", status = ?"
		args = append(args, string(r.Status))
	}
	if r.Assignee != h.assignee {
		set += ", assignee = ?"
		args = append(args, r.Assignee)
	}
	if needs != h.needs {
		set += ", needs = ?"
		args = append(args, needs)
	}
	if r.Right != h.right || received != h.received {
		set += `, "right" = ?, received_at = ?`
		args = append(args, string(r.Right), received)
	}
	t.args = append(args, h.num)
	return t.exec(set+" WHERE num = ?", t.args...)
}

// insert writes rows of that many columns, many rows in one statement.
func (t *transaction) insert(into string, columns int, args []any) error {
	for len(args) > 0 {
		n := 1
		for _, n = range []int{32, 8, 1} {
			if len(args) >= n*columns {
				break
			}
		}
		row := "(?" + strings.Repeat(", ?", columns-1) + ")"
		if err := t.exec(into+row+strings.Repeat(", "+row, n-1), args[:n*columns]...); err != nil {
			return err
		}
		args = args[n*columns:]
	}
	return nil
}

// chunk rounds a number of rows up to one of few sizes, so that few statements are
// prepared.
func chunk(n int) int {
	switch {
	case n <= 1:
		return 1
	case n <= 8:
		return 8
	default:
		return 32
	}
}

// micros returns a time's column: NULL for the zero time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}
