package journal

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// The limits of an append. They are far above what a decision makes, and keep
// one wrong caller from holding up all others.
const (
	// MaxName bounds request ids, types, topics, statuses and the like, in bytes.
	MaxName = 512
	// MaxFacts and MaxMessages bound one append: a decision makes a few for each
	// system, and nobody has a thousand systems.
	MaxFacts    = 4096
	MaxMessages = 4096
	// MaxFingerprints bounds the identifiers that one append makes findable.
	MaxFingerprints = 4096
	// MaxWaiting bounds the systems that a row names.
	MaxWaiting = 4096
	// MaxNeeds bounds the causes that a row names: a few for each system.
	MaxNeeds = 4096
	// MaxBytes bounds an append as a whole: sixteen of Kafka's usual largest
	// message, and small enough to be held in memory a few hundred times.
	MaxBytes = 16 << 20
)

const (
	// DefaultList is how many rows a list has where no limit is given.
	DefaultList = 100
	// MaxList bounds a page.
	MaxList = 1000
	// MaxBacklog bounds what Backlog counts: beyond it, all that matters is that it
	// is a great deal.
	MaxBacklog = 10_000
	// MaxPending bounds what one call of Pending returns.
	MaxPending = 10_000
	// Silence is how long a process may be silent in the middle of its work (it
	// is paused, its machine is gone) before others get its part of the queue,
	// and the requests that it had locked. What a relay publishes MUST be
	// acknowledged or given up before: then the next one sends nothing out of order.
	Silence = 20 * time.Second
	// DefaultPoll is how often a relay looks for appends of other processes:
	// often enough that a person doesn't notice.
	DefaultPoll = 200 * time.Millisecond
)

// MaxNote bounds a note, which is read and written as a whole.
const MaxNote = 1 << 20

// CheckSearch returns what is wrong with a search, wrapped in [ErrInvalid].
func CheckSearch(s Search) error {
	if err := checkTime("a search", s.At); err != nil {
		return err
	}
	if err := checkName("who searched", s.By, true); err != nil {
		return err
	}
	return checkName("what was searched for", s.Hash, true)
}

// CheckNote returns what is wrong with a note, wrapped in [ErrInvalid].
func CheckNote(name string, data []byte, expected int64) error {
	switch {
	case len(data) > MaxNote:
		return fmt.Errorf("%w: a note of %d bytes, at most %d", ErrInvalid, len(data), MaxNote)
	case expected < 0:
		return fmt.Errorf("%w: expected version %d", ErrInvalid, expected)
	}
	return checkName("note's name", name, true)
}

// Check tells what is wrong with an append, wrapped in [ErrInvalid], and how
// many bytes it holds. Implementations call it first.
func Check(a *Append) (size int, err error) {
	if err := checkName("request id", a.RequestID, true); err != nil {
		return 0, err
	}
	switch {
	case a.Expected < 0:
		return 0, fmt.Errorf("%w: expected version %d", ErrInvalid, a.Expected)
	case len(a.Facts) == 0:
		return 0, fmt.Errorf("%w: no facts: an append is made of at least one", ErrInvalid)
	case len(a.Facts) > MaxFacts:
		return 0, fmt.Errorf("%w: %d facts, at most %d", ErrInvalid, len(a.Facts), MaxFacts)
	case len(a.Messages) > MaxMessages:
		return 0, fmt.Errorf("%w: %d messages, at most %d", ErrInvalid, len(a.Messages), MaxMessages)
	case len(a.Fingerprints) > MaxFingerprints:
		return 0, fmt.Errorf("%w: %d fingerprints, at most %d", ErrInvalid, len(a.Fingerprints), MaxFingerprints)
	case len(a.Row.Needs) > MaxNeeds:
		return 0, fmt.Errorf("%w: %d causes, at most %d", ErrInvalid, len(a.Row.Needs), MaxNeeds)
	case len(a.Row.Waiting) > MaxWaiting:
		return 0, fmt.Errorf("%w: %d systems waited for, at most %d", ErrInvalid, len(a.Row.Waiting), MaxWaiting)
	}
	for i := range a.Facts {
		f := &a.Facts[i]
		if err := checkName("fact's type", f.Type, true); err != nil {
			return 0, err
		}
		if err := checkTime("fact's time", f.At); err != nil {
			return 0, err
		}
		size += len(f.Type) + len(f.Data)
	}
	for i := range a.Messages {
		m := &a.Messages[i]
		if err := checkName("topic", m.Topic, true); err != nil {
			return 0, err
		}
		size += len(m.Topic) + len(m.Key) + len(m.Payload)
		for k, v := range m.Headers {
			size += len(k) + len(v)
		}
	}
	if a.Leaf != nil {
		if err := CheckLeaf(a.Leaf); err != nil {
			return 0, err
		}
		size += len(a.Leaf)
	}
	for _, f := range a.Fingerprints {
		if err := checkName("fingerprint", f, true); err != nil {
			return 0, err
		}
		size += len(f)
	}
	n, err := checkRow(&a.Row)
	if err != nil {
		return 0, err
	}
	if size += n; size > MaxBytes {
		return 0, fmt.Errorf("%w: %d bytes, at most %d", ErrInvalid, size, MaxBytes)
	}
	return size, nil
}

func checkRow(r *Row) (size int, err error) {
	for _, n := range [...]struct{ what, name string }{
		{"status", string(r.Status)}, {"right", string(r.Right)}, {"jurisdiction", r.Jurisdiction}, {"source", r.Source}, {"digest", r.Digest}, {"assignee", r.Assignee},
	} {
		if err := checkName(n.what, n.name, false); err != nil {
			return 0, err
		}
		size += len(n.name)
	}
	for _, need := range r.Needs {
		if err := checkName("cause", need, true); err != nil {
			return 0, err
		}
		if strings.Contains(need, ",") {
			return 0, fmt.Errorf("%w: a cause with a comma", ErrInvalid)
		}
		size += len(need)
	}
	for _, w := range r.Waiting {
		if err := checkName("system waited for", w, true); err != nil {
			return 0, err
		}
		if strings.Contains(w, ",") {
			return 0, fmt.Errorf("%w: a system's name with a comma", ErrInvalid)
		}
		size += len(w)
	}
	for _, t := range [...]time.Time{r.ReceivedAt, r.DueAt, r.WakeAt, r.UpdatedAt} {
		if err := checkTime("row's time", t); err != nil {
			return 0, err
		}
	}
	return size, nil
}

// checkName refuses what PostgreSQL's text can't hold: NUL and broken UTF-8. The
// value is not in the error: it may be anything.
func checkName(what, name string, must bool) error {
	switch {
	case name == "" && must:
		return fmt.Errorf("%w: empty %s", ErrInvalid, what)
	case len(name) > MaxName:
		return fmt.Errorf("%w: %s of %d bytes, at most %d", ErrInvalid, what, len(name), MaxName)
	case !utf8.ValidString(name) || strings.IndexByte(name, 0) >= 0:
		return fmt.Errorf("%w: %s with a NUL or broken UTF-8", ErrInvalid, what)
	}
	return nil
}

// checkTime refuses years that RFC 3339 can't write.
func checkTime(what string, t time.Time) error {
	if y := t.Year(); y < 1 || y > 9999 {
		return fmt.Errorf("%w: %s in the year %d", ErrInvalid, what, y)
	}
	return nil
}

// Time returns a time as the journal stores it: in microseconds, UTC.
func Time(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// ListLimit returns a filter's limit with the default and the bound applied.
func (f Filter) ListLimit() int {
	switch {
	case f.Limit <= 0:
		return DefaultList
	case f.Limit > MaxList:
		return MaxList
	}
	return f.Limit
}

// IsZero reports whether the cursor is the list's beginning.
func (c Cursor) IsZero() bool { return c == Cursor{} }

// Cursor returns the row's place in the list: the next page is after it.
func (r Row) Cursor() Cursor {
	return Cursor{ReceivedAt: r.ReceivedAt, DueAt: r.DueAt, RequestID: r.RequestID}
}
