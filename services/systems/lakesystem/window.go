package lakesystem

import (
	"fmt"
	"maps"
	"sync"
	"time"

	"habeas.dev/pkg/worker"
)

const (
	// openFor is the part of a window in which erasures are carried out: what was parked until
	// it begins must come back in it, also where the bus is slow.
	openFor = 10
	// looks is how often in a window it is looked whether enough wait for a pass before the
	// next: each has what waits parked once more.
	looks = 8
)

// wait returns what parks erasures until the next window begins; nil where it is open, or
// the manifest has none. All that wait come back together, and are one pass; where enough do,
// in an earlier part of the window. What waits for the window needs no memory: a worker that
// was stopped meanwhile waits for the same moment. Only how many wait has to be counted anew.
func (s *System) wait(jobs []*worker.EraseJob) error {
	window, part := s.m.Lake.Window, s.m.Lake.Window
	if window == 0 {
		return nil
	}
	said := "erasures in the lake are carried out together, once in " + window.String()
	if n := s.m.Lake.Waiting; n > 0 {
		part, said = window/looks, said+fmt.Sprintf(", or when %d wait", n)
	}
	now := s.now().UTC()
	begin := now.Truncate(window) // from the beginning of the year 1, a midnight
	from := begin.Add(now.Sub(begin).Truncate(part))
	if now.Sub(from) < part/openFor && (from.Equal(begin) || s.waiting.enough(jobs, from, s.m.Lake.Waiting)) {
		return nil
	}
	next := from.Add(part)
	if begin = begin.Add(window); next.After(begin) || begin.Sub(next) < part {
		next = begin // parts needn't divide a window to the nanosecond
	}
	if s.m.Lake.Waiting > 0 {
		s.waiting.note(jobs, now.Add(-window), next)
	}
	return worker.RetryAt(next, "window", said, nil)
}

// waiting are the requests whose erasures were parked, and until when. It is safe for many
// goroutines.
type waiting struct {
	mu    sync.Mutex
	until map[string]time.Time
	pass  time.Time // the part of a window in which those that wait are carried out
}

// enough reports whether, in a part of a window, so many wait that they are carried out.
func (w *waiting) enough(jobs []*worker.EraseJob, part time.Time, n int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	maps.DeleteFunc(w.until, func(_ string, until time.Time) bool { return until.Before(part) })
	for _, j := range jobs {
		w.until[j.RequestID] = part
	}
	if int64(len(w.until)) >= n {
		w.pass = part
	}
	if !w.pass.Equal(part) {
		return false
	}
	for _, j := range jobs {
		delete(w.until, j.RequestID)
	}
	return true
}

// note notes that the erasures of jobs wait until a time, and forgets those whose time came
// before past: they are done, or will be noted anew.
func (w *waiting) note(jobs []*worker.EraseJob, past, until time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	maps.DeleteFunc(w.until, func(_ string, until time.Time) bool { return until.Before(past) })
	for _, j := range jobs {
		w.until[j.RequestID] = until
	}
}
