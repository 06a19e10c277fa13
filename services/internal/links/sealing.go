package links

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"habeas.dev/pkg/event"
	"habeas.dev/pkg/link"
	"habeas.dev/services/internal/journal"
)

// Publisher publishes messages of the journal, as the relay has it.
type Publisher interface {
	Publish(ctx context.Context, messages []journal.Message) error
}

// Sealing seals the tasks among the journal's messages on their way to Kafka. The journal
// has them unsealed but for what identifies the person, so that a message that is sent
// again, hours later, is sealed afresh and good for long enough (docs/adr/0025). It seals
// what it is given: the relay has compared that with the facts before (lifecycle.Lifecycle.Confirm).
type Sealing struct {
	Hub  *link.Hub
	Next Publisher
	// AtOnce bounds the grants that are written to the vault at the same time; 0: one
	// after the other.
	AtOnce int
}

// Publish seals, then publishes. It changes none of the messages that it is given.
func (s Sealing) Publish(ctx context.Context, messages []journal.Message) error {
	out := slices.Clone(messages)
	hub := s.Hub.Together()
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(max(1, s.AtOnce))
	for i := range out {
		if !strings.HasPrefix(out[i].Topic, event.TopicTasks("")) {
			continue
		}
		g.Go(func() (err error) {
			out[i].Payload, err = hub.SealTask(within, out[i].Payload)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return s.Next.Publish(ctx, out)
}
