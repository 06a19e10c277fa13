package sqlitejournal

import (
	"context"
	"sync"
	"time"

	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/group"
)

const (
	// memoryRows and memoryBytes bound what waits in memory for the relay: what
	// a broker's short hiccup leaves. The rest is read back from the file later.
	memoryRows  = 8192
	memoryBytes = 32 << 20
	// readRows is how many rows are read back at once.
	readRows = 256
	// sentWithin is how long a sent row may stay in the file, where no append
	// comes along whose transaction takes it away for free.
	sentWithin = 50 * time.Millisecond
)

// outbox is the relay's side of a Store: a window in memory on the oldest rows
// of the table.
type outbox struct {
	wake chan struct{}

	mu sync.Mutex
	// rows are in order. Every row of the table up to number upto is in here,
	// or was sent.
	rows  []outboxRow
	upto  int64
	bytes int
	// look tells that the table may have rows beyond upto.
	look bool
	// sent rows are still in the table: the writer's next transaction removes
	// them.
	sent []int64
}

type outboxRow struct {
	num      int64
	messages []journal.Message
	bytes    int
	acked    []bool // nil: none
	left     int    // messages that aren't acknowledged
}

// span is a run of rows' numbers, both ends included.
type span struct{ from, to int64 }

func (o *outbox) init() {
	o.wake = make(chan struct{}, 1)
	o.look = true
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// committed takes a group's messages over into the window; first is the number
// of the first row.
func (o *outbox) committed(calls []*group.Call, first int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	num, any := first, false
	for _, c := range calls {
		if c.Err != nil || len(c.Outbox) == 0 {
			continue
		}
		any = true
		switch {
		case num <= o.upto: // read back already
		case num != o.upto+1 || len(o.rows) >= memoryRows || o.bytes >= memoryBytes:
			o.look = true // another process' rows, or too many, are in between
		default:
			o.push(num, c.Append.Messages, len(c.Outbox))
			o.upto = num
		}
		num++
	}
	if any {
		o.signal()
	}
}

func (o *outbox) push(num int64, messages []journal.Message, bytes int) {
	o.rows = append(o.rows, outboxRow{num: num, messages: messages, bytes: bytes, left: len(messages)})
	o.bytes += bytes
}

// Pending implements journal.Outbox.
func (s *Store) Pending(ctx context.Context, limit int) ([]journal.PendingMessage, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	limit = min(max(limit, 1), journal.MaxPending)
	o := &s.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.rows) == 0 && o.look {
		// Under the lock, so that the writer's next rows follow without a gap.
		if err := s.readBack(ctx); err != nil {
			return nil, explain(s.path, err)
		}
	}
	n := 0
	for i := range o.rows {
		if n += o.rows[i].left; n >= limit {
			break
		}
	}
	pending := make([]journal.PendingMessage, 0, min(n, limit))
	for i := range o.rows {
		r := &o.rows[i]
		for j := range r.messages {
			if r.acked != nil && r.acked[j] {
				continue
			}
			if len(pending) == limit {
				return pending, nil
			}
			pending = append(pending, journal.PendingMessage{ID: journal.MessageID(r.num, j), Message: r.messages[j]})
		}
	}
	return pending, nil
}

// readBack fills the window from the table.
func (s *Store) readBack(ctx context.Context) error {
	o := &s.outbox
	tx, err := s.read.BeginTx(ctx, nil) // counter and rows of one moment
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	var last int64
	if err := tx.QueryRowContext(ctx, "SELECT outbox FROM counter WHERE one = 1").Scan(&last); err != nil {
		return err
	}
	if last == o.upto {
		o.look = false
		return nil
	}
	rows, err := tx.QueryContext(ctx, "SELECT num, messages FROM outbox WHERE num > ? ORDER BY num LIMIT ?", o.upto, readRows)
	if err != nil {
		return err
	}
	defer rows.Close()
	n, upto := 0, o.upto
	for rows.Next() && o.bytes < memoryBytes {
		var num int64
		var b []byte
		if err := rows.Scan(&num, &b); err != nil {
			return err
		}
		messages, err := journal.DecodeMessages(b)
		if err != nil {
			return &journal.StorageError{Where: s.path, What: "a row of the outbox can't be read", Damaged: true,
				Cure: "restore the file from a backup, or remove row num of table outbox: what is outstanding is sent again", Err: err}
		}
		o.push(num, messages, len(b))
		n, upto = n+1, num
		o.upto = upto
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if n < readRows && o.bytes < memoryBytes { // that was all
		o.upto, o.look = last, false
	}
	return nil
}

// Sent implements journal.Outbox. The rows leave the file with the next append's
// transaction, or soon; a crash before that sends them twice.
func (s *Store) Sent(ctx context.Context, ids []int64) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	o := &s.outbox
	o.mu.Lock()
	i := 0
	for _, id := range ids {
		num, index := journal.SplitID(id)
		if i >= len(o.rows) || o.rows[i].num != num {
			i = o.find(num)
		}
		if i < len(o.rows) && o.rows[i].num == num {
			o.rows[i].ack(index)
		}
	}
	done := o.sweep()
	o.mu.Unlock()
	if done {
		s.writer.Kick(sentWithin)
	}
	return nil
}

func (o *outbox) find(num int64) int {
	lo, hi := 0, len(o.rows)
	for lo < hi {
		if mid := (lo + hi) / 2; o.rows[mid].num < num {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

func (r *outboxRow) ack(index int) {
	if index >= len(r.messages) {
		return
	}
	if r.acked == nil {
		r.acked = make([]bool, len(r.messages))
	}
	if !r.acked[index] {
		r.acked[index] = true
		r.left--
	}
}

// sweep moves whole rows that are acknowledged from the window to sent.
func (o *outbox) sweep() (any bool) {
	keep := o.rows[:0]
	for _, r := range o.rows {
		if r.left > 0 {
			keep = append(keep, r)
			continue
		}
		o.sent = append(o.sent, r.num)
		o.bytes -= r.bytes
		any = true
	}
	clear(o.rows[len(keep):])
	o.rows = keep
	return any
}

// takeSent hands the writer the rows to remove, as runs of numbers: only whole
// runs of rows that were sent, so that no other row is ever removed.
func (o *outbox) takeSent() (spans []span) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, num := range o.sent {
		if n := len(spans); n > 0 && spans[n-1].to+1 == num {
			spans[n-1].to = num
			continue
		}
		spans = append(spans, span{num, num})
	}
	o.sent = o.sent[:0]
	return spans
}

// putBackSent keeps the rows for the next transaction, after this one failed.
func (o *outbox) putBackSent(spans []span) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range spans {
		for num := s.from; num <= s.to; num++ {
			o.sent = append(o.sent, num)
		}
	}
}

// Wait implements journal.Outbox.
func (s *Store) Wait(ctx context.Context) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	timer := time.NewTimer(s.poll)
	defer timer.Stop()
	select {
	case <-s.outbox.wake:
		return nil
	case <-timer.C:
		s.outbox.mu.Lock()
		s.outbox.look = true
		s.outbox.mu.Unlock()
		return nil
	case <-s.closed:
		return journal.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// usable tells whether a call may begin.
func (s *Store) usable(ctx context.Context) error {
	select {
	case <-s.closed:
		return journal.ErrClosed
	default:
		return ctx.Err()
	}
}
