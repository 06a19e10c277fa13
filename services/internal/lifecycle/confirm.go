package lifecycle

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// The reasons why a message of the journal's queue isn't carried.
var (
	// ErrNotJournalled says that a message follows from no fact of its request: whoever
	// wrote it into the queue decided nothing.
	ErrNotJournalled = telemetry.Constant("it follows from nothing that was journalled")
	// ErrMovedOn says that a task was once to be done, and isn't outstanding any more.
	ErrMovedOn = telemetry.Constant("its task is not outstanding any more")
	// ErrUndecodable says that this program can't read what a request's tasks follow from:
	// a newer one wrote it, or it is none of Habeas'. A task is sent again when its lease ends.
	ErrUndecodable = telemetry.Constant("a fact of its request can't be read by this program")
)

// WithConfirming has the messages that follow from facts be remembered, for who confirms
// them ([Lifecycle.Confirm]). atOnce bounds the requests whose facts are asked for at the
// same time.
func WithConfirming(atOnce int) Option { return func(l *Lifecycle) { l.confirms = max(1, atOnce) } }

// sentTask is a task that was told to a worker, and the sum of its message.
type sentTask struct {
	system  string
	action  dsar.Action
	attempt int
	sum     [sha256.Size]byte
}

// outstanding reports whether a task is still to be done.
func (s sentTask) outstanding(state core.State) bool {
	t := state.Task(s.system, s.action)
	return t != nil && t.Status == core.TaskIsSent && t.Attempt == s.attempt
}

// sumOf returns what tells a message from every other.
func sumOf(m journal.Message) [sha256.Size]byte {
	return sha256.Sum256(journal.EncodeMessages(make([]byte, 0, len(m.Payload)+512), []journal.Message{m}))
}

// sent adds the message of a task to what is remembered.
func (v versioned) sent(f core.TaskSent, m journal.Message) versioned {
	v.tasks = append(slices.Clip(v.tasks), sentTask{system: f.System, action: f.Action, attempt: f.Attempt, sum: sumOf(m)})
	return v
}

// Confirm compares messages of the queue, which anything may have written, with what the
// journal's facts have follow (TestStrangersInTheQueue). For each that isn't to be carried it
// returns why: [ErrNotJournalled], [ErrMovedOn] or [ErrUndecodable]. One that names a message
// of the facts and has another content is put as the facts have it. An error says that the
// journal or the vault couldn't be asked, and of no message.
func (l *Lifecycle) Confirm(ctx context.Context, queued []journal.Message) (why []error, err error) {
	why = make([]error, len(queued))
	of, ids := map[string][]int{}, []string{}
	for i, m := range queued {
		if !dsar.ValidRequestID(m.Key) {
			why[i] = ErrNotJournalled
			continue
		}
		if of[m.Key] == nil {
			ids = append(ids, m.Key)
		}
		of[m.Key] = append(of[m.Key], i)
	}
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(max(1, l.confirms))
	for _, requestID := range ids {
		g.Go(func() error {
			c := confirmer{Lifecycle: l, requestID: requestID, v: l.remembered(requestID)}
			for _, i := range of[requestID] {
				m, err := c.confirm(within, queued[i])
				switch {
				case errors.Is(err, ErrNotJournalled), errors.Is(err, ErrMovedOn), errors.Is(err, ErrUndecodable):
					why[i] = err
				case err != nil:
					return err
				default:
					queued[i] = m
				}
			}
			return nil
		})
	}
	return why, g.Wait()
}

// confirmer confirms messages of one request.
type confirmer struct {
	*Lifecycle
	requestID string
	v         versioned
	loaded    bool // v is what the journal has, as of now
	undecoded bool // v isn't, since a fact can't be decoded
	unread    bool // nor can the facts be read at all: a cell of one is no value
	derived   map[string]derived
}

// derived is a message as a request's facts have it.
type derived struct {
	journal.Message
	task *sentTask // nil: of a fact
}

// confirm returns a message as it is to be carried.
func (c *confirmer) confirm(ctx context.Context, m journal.Message) (journal.Message, error) {
	if m.Topic == event.TopicEvents && c.v.tells(m) {
		return m, nil // as what this process remembers has it: a fact is for ever
	}
	if err := c.load(ctx); err != nil {
		return m, err
	}
	if m.Topic == event.TopicEvents {
		if c.v.tells(m) {
			return m, nil
		}
	} else if i := c.v.told(m); i >= 0 {
		if !c.undecoded && c.v.tasks[i].outstanding(c.v.state) {
			return m, nil
		}
	}
	return c.compare(ctx, m)
}

// load brings what is known of the request up to the journal.
func (c *confirmer) load(ctx context.Context) error {
	if c.loaded {
		return nil
	}
	v, err := c.Lifecycle.load(ctx, c.requestID)
	if undecodable(err) {
		c.undecoded = true
	} else if err != nil {
		return err
	}
	c.v, c.loaded = v, true
	return nil
}

// compare looks for a message among all those that follow from the request's facts.
func (c *confirmer) compare(ctx context.Context, m journal.Message) (journal.Message, error) {
	if c.derived == nil {
		if err := c.derive(ctx); err != nil {
			return m, err
		}
	}
	d, found := c.derived[m.Headers[event.HeaderID]]
	switch {
	case found && d.Topic == m.Topic && d.task == nil:
		return d.Message, nil
	case c.unread, m.Topic != event.TopicEvents && c.undecoded:
		return m, ErrUndecodable
	case !found || d.Topic != m.Topic:
		return m, ErrNotJournalled
	case !d.task.outstanding(c.v.state):
		return m, ErrMovedOn
	}
	return d.Message, nil
}

// undecodable reports whether an error is about what a request's facts hold: nobody else's
// messages wait for that.
func undecodable(err error) bool {
	var cell *journal.UnreadableError
	return errors.Is(err, ErrUndecodable) || errors.As(err, &cell)
}

// derive makes the messages of all of the request's facts anew.
func (c *confirmer) derive(ctx context.Context) error {
	facts, err := c.journal.Facts(ctx, c.requestID, 1)
	if undecodable(err) {
		c.undecoded, c.unread = true, true
	} else if err != nil {
		return fmt.Errorf("request %s: load: %w", c.requestID, err)
	}
	c.derived = make(map[string]derived, len(facts))
	v, open := versioned{confirms: true}, c.open(ctx, c.requestID)
	for _, f := range facts {
		m := FactMessage(f)
		c.derived[m.Headers[event.HeaderID]] = derived{Message: m}
		if c.undecoded {
			continue
		}
		var task journal.Message
		if v, task, err = v.step(f, open); errors.Is(err, ErrUndecodable) {
			c.undecoded = true
			continue
		} else if err != nil {
			return fmt.Errorf("request %s: %w", c.requestID, err)
		}
		if task.Topic != "" {
			c.derived[task.Headers[event.HeaderID]] = derived{Message: task, task: &v.tasks[len(v.tasks)-1]}
		}
	}
	if !c.undecoded {
		c.v = v
	}
	return nil
}

// told returns which of the tasks that were told a message is; below zero where none.
func (v versioned) told(m journal.Message) int {
	sum := sumOf(m)
	return slices.IndexFunc(v.tasks, func(s sentTask) bool { return s.sum == sum })
}

// tells reports whether a message tells a fact as it is remembered: it has the fact's hash,
// and what it tells has that hash.
func (v versioned) tells(m journal.Message) bool {
	b, err := hex.DecodeString(m.Headers[event.HeaderFactHash])
	if err != nil || len(b) != journal.HashSize {
		return false
	}
	i := slices.Index(v.hashes, hash(b))
	at, err := time.Parse(time.RFC3339Nano, m.Headers[event.HeaderTime])
	if i < 0 || err != nil {
		return false
	}
	typ := strings.TrimSuffix(strings.TrimPrefix(m.Headers[event.HeaderType], "dsar."), ".v1")
	var prev []byte
	if i > 0 {
		prev = v.hashes[i-1][:]
	}
	f := journal.Fact{RequestID: m.Key, Version: i + 1, Type: typ, At: journal.Time(at), Data: m.Payload}
	if sum := journal.NewChain().Next(nil, prev, &f); !bytes.Equal(sum, b) {
		return false
	}
	f.Hash = b
	return maps.Equal(FactMessage(f).Headers, m.Headers)
}
