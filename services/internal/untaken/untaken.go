// Package untaken says what becomes of keys whose request was never taken in. Keys are made a
// moment before a request is journalled: where its intake is killed in between, or the journal
// can't be written to, they are left, and the same request may come again.
package untaken

import "time"

const (
	// For is how long they are left at least: who was told to try again does so within minutes,
	// and records on dsar.requests are tried until they are taken in or refused.
	For = 24 * time.Hour
	// Every is the interval between two looks for those whose time is over.
	Every = 6 * time.Hour
)

// Over reports whether keys that were last written at a time, which is zero where nobody knows
// it, have been left for long enough.
func Over(written, now time.Time) bool { return !written.IsZero() && !written.Add(For).After(now) }

// Late reports whether keys should have been destroyed by now, or nobody will.
func Late(written, now time.Time) bool {
	return written.IsZero() || !written.Add(For+2*Every).After(now)
}
