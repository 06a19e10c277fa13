package telemetry

import (
	"strings"
	"sync"
	"time"
)

const (
	// foldFirst is for how long a line isn't written again. It doubles each time that it
	// is, up to foldLast: an outage of a minute is one line, one of a day some thirty.
	foldFirst = 5 * time.Minute
	foldLast  = time.Hour
	// maxFolded bounds the lines that are remembered.
	maxFolded = 1024
)

// fold counts lines that say again what was said: those that tell of an error or a
// code, have the same message and the same texts, digits aside, and differ in requests,
// numbers and times alone. What a hundred requests meet while a database is away is one
// line, and a count in the next.
type fold struct {
	mu    sync.Mutex
	lines map[string]*folded
}

// folded is what is known of one line.
type folded struct {
	last, next time.Time // written, and to be written again
	wait       time.Duration
	repeated   int
}

func newFold() *fold { return &fold{lines: map[string]*folded{}} }

// take reports whether a line is to be written, and how often it was not since it last
// was.
func (f *fold) take(at time.Time, b *about) (repeated int, write bool) {
	if !b.failure {
		return 0, true
	}
	key := b.message + strings.Map(withoutDigits, b.said)
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.lines[key]
	switch {
	case l == nil || at.Sub(l.next) > l.wait: // new, or quiet for as long again
		if l == nil && len(f.lines) >= maxFolded {
			clear(f.lines)
		}
		if l != nil {
			repeated = l.repeated
		}
		f.lines[key] = &folded{last: at, next: at.Add(foldFirst), wait: foldFirst}
		return repeated, true
	case at.Before(l.next):
		l.repeated++
		return 0, false
	default:
		repeated, l.repeated = l.repeated, 0
		l.wait = min(2*l.wait, foldLast)
		l.last, l.next = at, at.Add(l.wait)
		return repeated, true
	}
}

// withoutDigits drops digits: ports, offsets and durations differ from line to line.
func withoutDigits(r rune) rune {
	if r >= '0' && r <= '9' {
		return -1
	}
	return r
}
