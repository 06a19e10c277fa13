package sqlitejournal

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/group"
	"habeas.dev/services/internal/journal/window"
)

const (
	// readRows is how many rows are read from the table at once.
	readRows = 256
	// sentWithin is how long a sent row may stay in the table when no append comes
	// whose transaction could remove it as well.
	sentWithin = 50 * time.Millisecond
)

// queue is a Store's side of the queue: a window in memory on the oldest rows of
// the table.
type queue struct {
	wake chan struct{}

	mu sync.Mutex
	// Every row of the table up to number upto is in the window, or was sent.
	window window.Window
	upto   int64
	// look says that the table may have rows beyond upto.
	look bool
	// sent lists rows that were sent and are still in the table; the writer's next
	// transaction removes them.
	sent []int64
}

// span is a range of row numbers, both ends included.
type span struct{ from, to int64 }

func (q *queue) init() {
	q.wake = make(chan struct{}, 1)
	q.look = true
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// committed adds a group's messages to the window; first is the number of the first
// row.
func (q *queue) committed(calls []*group.Call, first int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	num, any := first, false
	for _, c := range calls {
		if c.Err != nil || len(c.Messages) == 0 {
			continue
		}
		any = true
		switch {
		case num <= q.upto: // read back already
		case num != q.upto+1 || q.window.Full():
			q.look = true // another process' rows, or too many, are in between
		default:
			q.window.Push(num, c.Append.Messages, len(c.Messages))
			q.upto = num
		}
		num++
	}
	if any {
		q.signal()
	}
}

// Pending implements journal.Queue.
func (s *Store) Pending(ctx context.Context, limit int) ([]journal.PendingMessage, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.window.Empty() && q.look {
		// Under the lock, so that the writer's next rows follow without a gap.
		if err := s.readBack(ctx); err != nil {
			return nil, explain(s.path, err)
		}
	}
	return q.window.Pending(limit), nil
}

// readBack fills the window from the table.
func (s *Store) readBack(ctx context.Context) error {
	q := &s.queue
	tx, err := s.read.BeginTx(ctx, nil) // counter and rows of one moment
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	var last int64
	if err := tx.QueryRowContext(ctx, "SELECT queue FROM counter WHERE one = 1").Scan(&last); err != nil {
		return err
	}
	if last == q.upto {
		q.look = false
		return nil
	}
	rows, err := tx.QueryContext(ctx, "SELECT num, messages FROM queue WHERE num > ? ORDER BY num LIMIT ?", q.upto, readRows)
	if err != nil {
		return err
	}
	defer rows.Close()
	n := 0
	for !q.window.Full() && rows.Next() {
		var num int64
		var b []byte
		if err := rows.Scan(&num, &b); err != nil {
			return err
		}
		q.window.Push(num, journal.ReadMessages(b), len(b))
		q.upto = num
		n++
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if n < readRows && !q.window.Full() { // that was all
		q.upto, q.look = last, false
	}
	return nil
}

// Sent implements journal.Queue. The rows leave the file with the next append's
// transaction, or soon; a crash before that sends them twice.
func (s *Store) Sent(ctx context.Context, ids []int64) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	q := &s.queue
	q.mu.Lock()
	done := q.window.Sent(ids)
	q.sent = append(q.sent, done...)
	q.mu.Unlock()
	if len(done) > 0 {
		s.writer.Kick(sentWithin)
	}
	return nil
}

// Backlog implements journal.Measured: what the window has, and the rows behind it.
func (s *Store) Backlog(ctx context.Context) (journal.Backlog, error) {
	var b journal.Backlog
	if err := s.usable(ctx); err != nil {
		return b, err
	}
	q := &s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	n, oldest := q.window.Oldest()
	var behind int
	if err := s.read.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM queue WHERE num > ? LIMIT ?)", q.upto, journal.MaxBacklog).Scan(&behind); err != nil {
		return b, explain(s.path, err)
	}
	if n == 0 && behind > 0 {
		var row []byte
		err := s.read.QueryRowContext(ctx, "SELECT messages FROM queue WHERE num > ? ORDER BY num LIMIT 1", q.upto).Scan(&row)
		if err != nil && !errors.Is(err, sql.ErrNoRows) { // another process' relay may have carried it by now
			return b, explain(s.path, err)
		}
		oldest = journal.ReadMessages(row)
	}
	b.Appends, b.Oldest = min(n+behind, journal.MaxBacklog), journal.TimeOf(oldest)
	return b, nil
}

// takeSent returns the rows for the writer to remove, as ranges: only whole ranges
// of rows that were sent, so that no other row is ever removed.
func (q *queue) takeSent() (spans []span) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, num := range q.sent {
		if n := len(spans); n > 0 && spans[n-1].to+1 == num {
			spans[n-1].to = num
			continue
		}
		spans = append(spans, span{num, num})
	}
	q.sent = q.sent[:0]
	return spans
}

// putBackSent returns the rows for the next transaction to remove, after this one
// failed.
func (q *queue) putBackSent(spans []span) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, s := range spans {
		for num := s.from; num <= s.to; num++ {
			q.sent = append(q.sent, num)
		}
	}
}

// Wait implements journal.Queue.
func (s *Store) Wait(ctx context.Context) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	timer := time.NewTimer(s.poll)
	defer timer.Stop()
	select {
	case <-s.queue.wake:
		return nil
	case <-timer.C:
		s.queue.mu.Lock()
		s.queue.look = true
		s.queue.mu.Unlock()
		return nil
	case <-s.closed:
		return journal.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// usable reports whether a call may begin.
func (s *Store) usable(ctx context.Context) error {
	select {
	case <-s.closed:
		return journal.ErrClosed
	default:
		return ctx.Err()
	}
}
