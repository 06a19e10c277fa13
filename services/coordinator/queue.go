package coordinator

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/lifecycle"
)

// codeNotJournalled is why a message of the journal's queue isn't believed.
const codeNotJournalled = "not-journalled"

// saysEvery bounds the lines about messages that are dropped: whoever can write to the queue
// can make any number of them.
const saysEvery = time.Minute

// strangers counts what was dropped since a line said so. The zero value is ready.
type strangers struct {
	mu    sync.Mutex
	said  time.Time
	since int
}

// say reports whether one more is to be said now, and of how many.
func (s *strangers) say(now time.Time) (n int, is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.since++
	if !s.said.IsZero() && now.Sub(s.said) < saysEvery {
		return 0, false
	}
	n, s.said, s.since = s.since, now, 0
	return n, true
}

// Dropped takes note of a message that stood in the journal's queue and isn't carried to
// Kafka, as relay.Config has it. A task that somebody put there stands in the trace of the
// request that it names (TestStrangersInTheQueue). What it says is a stranger's, and nothing
// of it is logged.
func (c *Coordinator) Dropped(ctx context.Context, m journal.Message, why error) {
	switch {
	case errors.Is(why, lifecycle.ErrMovedOn):
		return // what it was to have done is done, or somebody has called it off
	case !errors.Is(why, lifecycle.ErrNotJournalled):
		c.Log.Warn("a task isn't sent now, and is sent again when its lease ends", "error", why)
		return
	}
	system, isTask := strings.CutPrefix(m.Topic, event.TopicTasks(""))
	what := messageFact
	if isTask {
		what = core.MessageTask
		c.disbelieveQueued(ctx, system, m)
	}
	c.count(ctx, what, system, codeNotJournalled)
	if n, is := c.strangers.say(c.Now()); is {
		c.Log.Error("the journal's queue had messages that follow from nothing that was journalled; they were dropped: somebody else writes to the journal's database", "messages", n, "error", why)
	}
}

// messageFact is what the count calls what stood in the queue and is no task.
const messageFact core.Message = "fact"

// disbelieveQueued notes in a request's trace that the queue had a task of it that nobody had
// decided.
func (c *Coordinator) disbelieveQueued(ctx context.Context, system string, m journal.Message) {
	var t dsar.Task
	if err := json.Unmarshal(m.Payload, &t); err != nil || !dsar.ValidRequestID(m.Key) || t.Attempt < 1 || t.Attempt > maxAttempt {
		return
	}
	_, err := c.Requests.Do(ctx, m.Key, core.Disbelieve{System: system, Action: t.Action, Attempt: t.Attempt, Message: core.MessageTask, Code: codeNotJournalled, Now: c.Now()})
	if err != nil && !errors.Is(err, core.ErrUnknown) && !errors.Is(err, core.ErrStray) {
		c.Log.Warn("a request's trace lacks that a task of it was not believed", "request_id", m.Key, "error", err)
	}
}

// maxAttempt bounds an attempt, as schemas/ does.
const maxAttempt = 1_000_000
