package watch

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/transport"
)

// Group is the consumer group that reads the facts.
const Group = "habeas.watch"

const (
	// saveEvery is how often what was seen is saved: one small write, whatever was
	// seen.
	saveEvery = 2 * time.Second
	// maxUnsaved bounds the facts between two saves; when it is reached they are
	// saved at once.
	maxUnsaved = 10_000
	// recent is how old a fact may be to count: a watcher that reads the topic from
	// its beginning learns how things are, not how they once were.
	recent = 2 * hours * time.Hour
)

// Watcher follows the facts and saves what they say about each system.
type Watcher struct {
	notes journal.Notes
	now   func() time.Time
	log   *slog.Logger

	mu      sync.Mutex
	unsaved []core.Event
}

// New returns a watcher.
func New(notes journal.Notes, now func() time.Time, log *slog.Logger) *Watcher {
	return &Watcher{notes: notes, now: now, log: log}
}

// Run follows the facts until the context ends. What was heard since the last note
// is lost with the process: the next thing that a worker says makes up for it.
func (w *Watcher) Run(ctx context.Context, s transport.Subscriber) error {
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { w.keep(ctx) })
	return transport.Loop(ctx, s, event.TopicEvents, w.log, func(ctx context.Context, m transport.Received) error {
		if w.Take(m) < maxUnsaved {
			return nil
		}
		return w.Flush(ctx)
	})
}

// Take adds a message of dsar.events, and returns how many facts wait to be saved.
func (w *Watcher) Take(m transport.Received) (unsaved int) {
	e, err := event.Decode(m.Headers, m.Payload)
	if err != nil {
		return 0 // a stranger's
	}
	name := strings.TrimSuffix(strings.TrimPrefix(e.Type, "dsar."), ".v1")
	if event.FactType(name) != e.Type || !tellsOfSystem(name) {
		return 0
	}
	fact, err := core.Decode(name, e.Data)
	if err != nil || w.now().Sub(fact.When()) > recent {
		return 0
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unsaved = append(w.unsaved, fact)
	return len(w.unsaved)
}

// tellsOfSystem reports whether [Add] uses facts of a type; the others aren't even
// decoded.
func tellsOfSystem(typ string) bool {
	switch typ {
	case core.TypeOf(core.TaskSent{}), core.TypeOf(core.TaskProgressed{}), core.TypeOf(core.TaskParked{}), core.TypeOf(core.TaskFailed{}), core.TypeOf(core.TaskEnded{}):
		return true
	default:
		return false
	}
}

func (w *Watcher) keep(ctx context.Context) {
	beat := time.NewTicker(saveEvery)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			if err := w.Flush(ctx); err != nil && ctx.Err() == nil {
				w.log.WarnContext(ctx, "what is known of the systems isn't noted; it is tried again", "error", err)
			}
		}
	}
}

// Flush saves what was added.
func (w *Watcher) Flush(ctx context.Context) error {
	w.mu.Lock()
	facts := w.unsaved
	w.unsaved = nil
	w.mu.Unlock()
	if len(facts) == 0 {
		return nil
	}
	err := Save(ctx, w.notes, facts)
	if err != nil {
		w.mu.Lock()
		w.unsaved = append(facts, w.unsaved...)
		w.mu.Unlock()
	}
	return err
}
