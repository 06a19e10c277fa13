// Package notify tells people what waits for them: requests whose due date comes
// near or has passed, requests that need a person, systems that don't answer.
//
// It looks at the journal, and tells what it hasn't told yet: many things in one
// message, and not one after the other. What was told, and what is still to be
// delivered, is a note in the journal, so that nothing is lost with a process and
// one of several does the work. A message is delivered at least once; its id is
// the same each time, so that a receiver can tell.
//
// Nothing that it says identifies a person: ids, rights, dates, names of systems.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/watch"
)

const (
	// DefaultEvery is how often the notifier looks; DefaultDigest is how long it
	// gathers matters between two messages.
	DefaultEvery  = time.Minute
	DefaultDigest = 15 * time.Minute
	// DefaultDueWithin is how long before its due date a request is told of, and
	// DefaultSilentAfter for how long a system may not answer.
	DefaultDueWithin   = 5 * 24 * time.Hour
	DefaultSilentAfter = 10 * time.Minute
	// retryFirst and retryMost are the waits between tries of one delivery, which
	// double; it is given up after retryFor, and that is an error in the log.
	retryFirst = 10 * time.Second
	retryMost  = time.Hour
	retryFor   = 3 * 24 * time.Hour
	// holdEvery is how often at least the process that does the work says that it is still
	// there, and the others look whether it is. One that is killed is followed within four
	// times that, one that stops within once.
	holdEvery = 10 * time.Second
	// deliverTime bounds one try of a delivery.
	deliverTime = time.Minute
	// maxPending bounds the deliveries that wait: once a channel that was away for
	// days is back, it gets the newest, which say how things stand.
	maxPending = 50
	// againAfter is after how long a matter that is still so is told again.
	againAfter = 7 * 24 * time.Hour
)

// Journal is what the notifier reads, and where it stores its memory.
type Journal interface {
	journal.Lister
	journal.Notes
}

// Channel delivers a message. An error of [ErrRefused] isn't tried again. Errors
// are logged as they are: they MUST hold no address (TestWebhookAnswers, TestMail).
type Channel interface {
	Deliver(ctx context.Context, m Message) error
}

// ErrRefused says that a channel will never take a message.
var ErrRefused = telemetry.Constant("the receiver refuses the message")

// Config configures a [Notifier]. Channels, Journal, Now and Log must be set.
type Config struct {
	Journal Journal
	// Channels by name: the name is in the note and in the log.
	Channels map[string]Channel
	// Every, Digest, DueWithin and SilentAfter have defaults.
	Every, Digest, DueWithin, SilentAfter time.Duration
	// Console is the console's address, for links; without it, messages hold none.
	Console string
	// Local returns a time in the time zone of a law, by whose days an answer is due; without
	// it, that is UTC.
	Local func(law string, at time.Time) time.Time
	Now   func() time.Time
	Log   *slog.Logger
}

// Notifier tells people what waits for them, by its channels.
type Notifier struct {
	Config
	self string // this process, among several
}

// New returns a notifier.
func New(c Config) *Notifier {
	for _, one := range []struct {
		value *time.Duration
		or    time.Duration
	}{{&c.Every, DefaultEvery}, {&c.Digest, DefaultDigest}, {&c.DueWithin, DefaultDueWithin}, {&c.SilentAfter, DefaultSilentAfter}} {
		if *one.value <= 0 {
			*one.value = one.or
		}
	}
	if c.Local == nil {
		c.Local = func(_ string, at time.Time) time.Time { return at.UTC() }
	}
	return &Notifier{Config: c, self: uuid.NewString()}
}

// Run looks at regular intervals until the context ends, and then leaves the work to
// others.
func (n *Notifier) Run(ctx context.Context) error {
	beat := time.NewTicker(n.beat())
	defer beat.Stop()
	var looked time.Time
	for {
		held, err := n.hold(ctx)
		if err == nil && (!held || n.Now().Sub(looked) >= n.Every) {
			looked = n.Now()
			err = n.Look(ctx)
		}
		if err != nil && ctx.Err() == nil {
			n.Log.WarnContext(ctx, "nobody is notified now; it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return n.release(context.WithoutCancel(ctx))
		case <-beat.C:
		}
	}
}

// beat returns how often the work is claimed, or looked whether somebody does it.
func (n *Notifier) beat() time.Duration { return min(n.Every, holdEvery) }

// hold keeps the work where it is this process', and reports whether it is.
func (n *Notifier) hold(ctx context.Context) (held bool, err error) {
	m, version, err := recall(ctx, n.Journal)
	if err != nil || m.Holder != n.self {
		return false, err
	}
	m.Until = later(m.Until, n.Now().Add(n.claim()))
	_, err = remember(ctx, n.Journal, m, version)
	return true, err
}

// release has another process do the work at once, where it is this one's: whoever rolls
// out a new version waits for nobody.
func (n *Notifier) release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, n.beat())
	defer cancel()
	m, version, err := recall(ctx, n.Journal)
	if err != nil || m.Holder != n.self {
		return nil
	}
	m.Holder, m.Until = "", time.Time{}
	_, _ = remember(ctx, n.Journal, m, version)
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Look finds what people have to be told, and delivers what is due. Where another
// process is at it, nothing is done.
func (n *Notifier) Look(ctx context.Context) error {
	m, version, err := recall(ctx, n.Journal)
	if err != nil {
		return err
	}
	now := n.Now()
	if m.Holder != n.self && now.Before(m.Until) {
		return nil
	}
	matters, totals, err := n.matters(ctx, now)
	if err != nil {
		return err
	}
	told := len(m.Told)
	fresh := m.untold(matters, now)
	speaks := len(fresh) > 0 && now.Sub(m.Spoke) >= n.Digest
	if !speaks && len(m.Told) == told && len(m.due(now)) == 0 && m.Holder == n.self && now.Add(2*n.beat()).Before(m.Until) {
		return nil // nothing to note, and it stays this process' work
	}
	m.Holder, m.Until = n.self, now.Add(n.claim())
	if speaks {
		message := n.message(fresh, totals, now)
		for name := range n.Channels {
			m.add(delivery{Channel: name, Message: message, Since: now})
		}
		m.tell(fresh, now)
	}
	if len(m.due(now)) > 0 {
		m.Until = now.Add(n.claim() + deliverTime)
	}
	// It is noted before it is sent: whoever goes on sends the same, under the
	// same id.
	if version, err = remember(ctx, n.Journal, m, version); err != nil {
		return err
	}
	return n.deliver(ctx, m, version)
}

// claim returns for how long the other processes leave the work to this one: it says before
// that it is still there.
func (n *Notifier) claim() time.Duration { return 3 * n.beat() }

// deliver sends the deliveries that are due, and records each that arrived.
func (n *Notifier) deliver(ctx context.Context, m *memory, version int64) error {
	now := n.Now()
	for _, d := range m.due(now) {
		channel, ok := n.Channels[d.Channel]
		if !ok {
			m.drop(d) // it is configured no longer
			continue
		}
		err := n.try(ctx, channel, d.Message)
		switch {
		case err == nil:
			m.drop(d)
		case ctx.Err() != nil:
			return fmt.Errorf("notify: %w", err)
		case errors.Is(err, ErrRefused), now.Sub(d.Since) > retryFor:
			n.Log.ErrorContext(ctx, "a notification is given up", "channel", telemetry.Safe(d.Channel), "event_id", d.Message.ID, "tries", d.Tries+1, "error", telemetry.Vouch(err))
			m.drop(d)
		default:
			n.Log.WarnContext(ctx, "a notification isn't delivered yet", "channel", telemetry.Safe(d.Channel), "event_id", d.Message.ID, "tries", d.Tries+1, "error", telemetry.Vouch(err))
			m.later(d, now)
		}
		m.Until = n.Now().Add(n.claim() + deliverTime)
		if version, err = remember(ctx, n.Journal, m, version); err != nil {
			return err
		}
	}
	return nil
}

func (n *Notifier) try(ctx context.Context, c Channel, m Message) error {
	ctx, cancel := context.WithTimeout(ctx, deliverTime)
	defer cancel()
	return c.Deliver(ctx, m)
}

// down returns the systems that don't answer.
func (n *Notifier) down(ctx context.Context, now time.Time) (map[string]watch.System, error) {
	systems, err := watch.Load(ctx, n.Journal)
	if err != nil {
		return nil, fmt.Errorf("notify: systems: %w", err)
	}
	for name, s := range systems {
		if !s.Down(now, n.SilentAfter) {
			delete(systems, name)
		}
	}
	return systems, nil
}
