// Package window holds the oldest rows of a queue in memory while the relay
// carries them: a row is done with when all of its messages were acknowledged.
package window

import (
	"slices"

	"habeas.dev/services/internal/journal"
)

const (
	// MaxRows and MaxBytes bound what waits in memory for the relay: what a
	// broker's short hiccup leaves. The rest stays in the store until it is due.
	MaxRows  = 8192
	MaxBytes = 32 << 20
)

// Window is a range of the queue's rows, in order. It isn't safe for use by several
// goroutines.
type Window struct {
	rows  []row
	bytes int
}

type row struct {
	num      int64
	messages []journal.Message
	bytes    int
	acked    []bool // nil: none
	left     int    // messages that aren't acknowledged
}

// Empty reports whether nothing is pending.
func (w *Window) Empty() bool { return len(w.rows) == 0 }

// Oldest returns how many rows there are, and the messages of the first; nil where
// there is none.
func (w *Window) Oldest() (rows int, messages []journal.Message) {
	if len(w.rows) == 0 {
		return 0, nil
	}
	return len(w.rows), w.rows[0].messages
}

// Full reports whether no more should be pushed.
func (w *Window) Full() bool { return len(w.rows) >= MaxRows || w.bytes >= MaxBytes }

// Reset removes all rows.
func (w *Window) Reset() { *w = Window{rows: w.rows[:0]} }

// Push adds a row at the end; its number must be above the others. bytes is about
// what it takes in memory.
func (w *Window) Push(num int64, messages []journal.Message, bytes int) {
	w.rows = append(w.rows, row{num: num, messages: messages, bytes: bytes, left: len(messages)})
	w.bytes += bytes
}

// Pending returns the oldest messages, at most limit and at most
// journal.MaxPending, at least one where there is one.
func (w *Window) Pending(limit int) []journal.PendingMessage {
	limit = min(max(limit, 1), journal.MaxPending)
	n := 0
	for i := range w.rows {
		if n += w.rows[i].left; n >= limit {
			n = limit
			break
		}
	}
	pending := make([]journal.PendingMessage, 0, n)
	for i := range w.rows {
		r := &w.rows[i]
		for j := range r.messages {
			if r.acked != nil && r.acked[j] {
				continue
			}
			if len(pending) == n {
				return pending
			}
			pending = append(pending, journal.PendingMessage{ID: journal.MessageID(r.num, j), Message: r.messages[j]})
		}
	}
	return pending
}

// Sent marks messages as acknowledged, removes the rows that are done and returns
// their numbers, in order. Ids that aren't in the window are ignored: they were
// sent before, or will be sent again.
func (w *Window) Sent(ids []int64) (done []int64) {
	i := 0
	for _, id := range ids {
		num, index := journal.SplitID(id)
		if i >= len(w.rows) || w.rows[i].num != num {
			i, _ = slices.BinarySearchFunc(w.rows, num, func(r row, num int64) int { return int(min(max(r.num-num, -1), 1)) })
		}
		if i < len(w.rows) && w.rows[i].num == num {
			w.rows[i].ack(index)
		}
	}
	w.rows = slices.DeleteFunc(w.rows, func(r row) bool {
		if r.left > 0 {
			return false
		}
		done = append(done, r.num)
		w.bytes -= r.bytes
		return true
	})
	return done
}

func (r *row) ack(index int) {
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
