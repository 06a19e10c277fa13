package simulation

import (
	"context"
	"slices"
	"strings"

	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/journal"
)

// topic holds the messages that were published and not acknowledged, in order, and
// those that were acknowledged lately.
type topic struct {
	name     string
	messages []*message
	past     []*message
}

type message struct{ journal.Message }

// keptPast is how far a consumer group can go back.
const keptPast = 20

func (t *topic) isReports() bool { return t.name == event.TopicReports }

func (t *topic) isTasks() bool { return strings.HasPrefix(t.name, event.TopicTasks("")) }

// Publish implements relay.Publisher: the bus takes the messages, or the
// process dies before or after some.
func (w *simulation) Publish(ctx context.Context, messages []journal.Message) error {
	for _, m := range messages {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := w.point(); err != nil {
			return err
		}
		if w.hits(w.rates.outage) {
			return errOutage
		}
		w.publish(m)
	}
	return w.point()
}

// Send implements intake.Publisher.
func (w *simulation) Send(ctx context.Context, topic string, e event.Event) error {
	return w.Publish(ctx, []journal.Message{{Topic: topic, Key: e.Subject, Headers: e.Headers(), Payload: e.Data}})
}

func (w *simulation) publish(m journal.Message) {
	if w.mutant.message != nil {
		w.mutant.message(&m)
	}
	w.spy.published(w, m)
	t := w.topic(m.Topic)
	for range 1 + w.onceIn(w.rates.twice) {
		t.messages = append(t.messages, &message{m})
	}
}

// onceIn returns 1 once in n times, else 0.
func (w *simulation) onceIn(n int) int {
	if w.hits(n) {
		return 1
	}
	return 0
}

func (w *simulation) topic(name string) *topic {
	i := slices.IndexFunc(w.topics, func(t *topic) bool { return t.name == name })
	if i < 0 {
		w.topics = append(w.topics, &topic{name: name})
		i = len(w.topics) - 1
	}
	return w.topics[i]
}

// deliver delivers a message of some topic, and reports whether there was one.
func (w *simulation) deliver(ctx context.Context) bool {
	var full []*topic
	for _, t := range w.topics {
		if len(t.messages) > 0 {
			full = append(full, t)
		}
	}
	if len(full) == 0 {
		return false
	}
	w.deliverFrom(ctx, full[w.rng.IntN(len(full))])
	return true
}

// deliverFrom delivers a message of a topic, or, to consumers that take batches,
// messages of several requests. What is not acknowledged stays where it is.
func (w *simulation) deliverFrom(ctx context.Context, t *topic) {
	most := 1
	if t.isTasks() {
		most += w.rng.IntN(3)
	}
	var batch []*message
	for range most {
		m := w.pick(t)
		if slices.ContainsFunc(batch, func(o *message) bool { return o.Key == m.Key }) {
			continue
		}
		if w.hits(w.rates.lost) {
			w.note("a message of %s on %s is lost", m.Key, t.name)
			t.drop(m)
			if len(t.messages) == 0 {
				break
			}
			continue
		}
		batch = append(batch, m)
	}
	if len(batch) == 0 {
		return
	}
	for i, done := range w.work(ctx, t.name, batch) {
		if !done || w.hits(w.rates.twice) {
			continue // not acknowledged, or that was lost: it comes again
		}
		t.drop(batch[i])
		t.past = append(t.past, batch[i])
		if len(t.past) > keptPast {
			t.past = t.past[1:]
		}
	}
}

// pick returns the oldest message of some request, and now and then a later one.
func (w *simulation) pick(t *topic) *message {
	m := t.messages[w.rng.IntN(len(t.messages))]
	if w.hits(w.rates.reordered) {
		return m
	}
	return t.messages[slices.IndexFunc(t.messages, func(o *message) bool { return o.Key == m.Key })]
}

func (t *topic) drop(m *message) {
	t.messages = slices.DeleteFunc(t.messages, func(o *message) bool { return o == m })
}

// goBack moves a consumer group back, so that what it has read comes again.
func (w *simulation) goBack() {
	if len(w.topics) == 0 {
		return
	}
	t := w.topics[w.rng.IntN(len(w.topics))]
	n := min(len(t.past), 1+w.rng.IntN(keptPast))
	if n == 0 {
		return
	}
	w.note("%d messages of %s come again", n, t.name)
	t.messages = append(slices.Clone(t.past[len(t.past)-n:]), t.messages...)
	t.past = t.past[:len(t.past)-n]
}
