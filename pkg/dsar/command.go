package dsar

import (
	"errors"
	"time"
)

// Command is what is asked of a request. The set is closed.
type Command interface {
	decide(d *decider) error
	now() time.Time
}

// Submit asks for a new request. The same request again, with the same digest,
// decides nothing; with another digest it fails with [ErrConflict].
type Submit struct{ Accepted }

// Heard is a worker's report, as it came in.
type Heard struct {
	Report Report
	Now    time.Time
}

// Tick says what time it is. It sends again what was parked until now or not
// heard of in time, and records that the request is overdue.
type Tick struct{ Now time.Time }

// Retry takes failed tasks up again, and parked ones that are named. An assembly
// that lacks what was gathered is taken up by gathering again: from the systems
// that are named, or from all.
type Retry struct {
	By     string
	Reason string
	// Systems are those to retry; none means every one whose task failed.
	Systems []string
	// AcceptPlan takes a plan that the brake stopped as it is: what was counted
	// will be erased.
	AcceptPlan bool
	Now        time.Time
}

// Cancel ends a request without an answer. Reports that come later are dropped.
type Cancel struct {
	By     string
	Reason string
	Now    time.Time
}

func (c Submit) now() time.Time { return c.AcceptedAt }
func (c Heard) now() time.Time  { return c.Now }
func (c Tick) now() time.Time   { return c.Now }
func (c Retry) now() time.Time  { return c.Now }
func (c Cancel) now() time.Time { return c.Now }

// What [Decide] refuses. The state is as it was.
var (
	// ErrConflict says that the request id was used before, for something else.
	ErrConflict = errors.New("another request has this request_id")
	// ErrInvalid says that a request can't be accepted: no identifier, an
	// unknown right, no system to ask.
	ErrInvalid = errors.New("invalid request")
	// ErrUnknown says that no such request exists.
	ErrUnknown = errors.New("no such request")
	// ErrEnded says that the request has ended and can't be changed.
	ErrEnded = errors.New("the request has ended")
	// ErrNothingToRetry says that no task of the named systems waits for a person.
	ErrNothingToRetry = errors.New("nothing to retry")
	// ErrStray says that a report is of a task that was never sent.
	ErrStray = errors.New("report of a task that was never sent")
)
