package worker

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/vault"
)

// Config says where a worker gets its tasks and where it leaves what it finds.
type Config struct {
	// Kafka says how to reach the brokers; its ClientID is habeas-worker where
	// empty.
	Kafka bus.Files
	// Connection is that of several workers in one process, made by [Connect].
	// It stands in for Kafka; their reports then travel together, which saves
	// the broker most of its work.
	Connection *Connection
	// Access is what tasks are opened by, and where what is found is left. MUST be set.
	Access

	// Group is the consumer group; empty means habeas.worker.<system>. All
	// processes that serve one system MUST be in one group.
	Group string
	// BatchSize is how many tasks of one action are worked on together, unless the
	// implementation goes through [Each]; 0 means [DefaultBatchSize].
	BatchSize int
	// BatchWait is how long the first task of a batch waits for others while
	// these keep coming; 0 means [DefaultBatchWait]. A lone task waits for a
	// fifth of it. Where a call takes half a second, a wait of 100 ms costs
	// little and fills batches.
	BatchWait time.Duration
	// Drain is how long a stop waits for calls that are under way before it
	// cuts them off; 0 means [DefaultDrain].
	Drain time.Duration
}

// Access is what a worker opens its tasks by, and where it leaves what it finds. Both MUST
// be set. It holds no key but the link's: those of a request's objects come with each
// task.
type Access struct {
	// Link is the key of the worker's link to the coordinator.
	Link *link.Key
	// Objects are the vault's: they hold the tasks' grants and take the records.
	Objects *vault.Objects
}

const (
	// DefaultBatchSize is what vendors commonly take in one call (200 with
	// Salesforce' collections), and a list that any SQL database takes.
	DefaultBatchSize = 200
	// DefaultBatchWait is short beside a call to another machine.
	DefaultBatchWait = 5 * time.Millisecond
	// DefaultDrain is well within the 30 s that Kubernetes gives a pod.
	DefaultDrain = 10 * time.Second

	// quietShare is the part of BatchWait without a further task after which a
	// batch is sent: nothing more is coming.
	quietShare = 5
	// drainSlack is how long what was cut off may take to return.
	drainSlack = 2 * time.Second
	// handleSlack is what a task may take beyond its one call: waiting for a
	// batch, and tries in place.
	handleSlack = 5 * time.Minute
	// inFlight is how many tasks a worker holds at least: enough that batches
	// fill while others are out.
	inFlight = 512
)

// Connection is what workers of one process share: it can publish their
// reports. It is safe for many goroutines.
type Connection struct {
	config    bus.Config
	publisher *bus.Publisher
	log       *slog.Logger
	shared    bool // the publisher is somebody else's to close
}

// Share makes a connection of a publisher that a process has already, so that
// the workers' reports travel with whatever else it publishes. Closing the
// connection leaves the publisher open.
func Share(c bus.Config, p *bus.Publisher, log *slog.Logger) *Connection {
	return &Connection{config: c, publisher: p, log: log, shared: true}
}

// Connect checks the configuration and reads the files that it names. It waits
// for no broker. log gets warnings about connections; nil: none.
func Connect(k bus.Files, log *slog.Logger) (*Connection, error) {
	k.ClientID = cmp.Or(k.ClientID, "habeas-worker")
	c, err := k.Config()
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	p, err := bus.NewPublisher(bus.PublisherConfig{Config: c})
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	return &Connection{config: c, publisher: p, log: log}, nil
}

// Close waits for what is being published. The workers MUST have stopped. A
// second call does nothing.
func (c *Connection) Close() error {
	if c.shared {
		return nil
	}
	return c.publisher.Close()
}

func (c *Config) defaults(system string) error {
	switch {
	case c.Link == nil:
		return errors.New("worker: Config has no Link: the key of the worker's link to the coordinator")
	case c.Objects == nil:
		return errors.New("worker: Config has no Objects: the vault's objects")
	case c.BatchSize < 0 || c.BatchWait < 0 || c.Drain < 0:
		return errors.New("worker: Config: BatchSize, BatchWait and Drain can't be negative")
	}
	c.Group = cmp.Or(c.Group, "habeas.worker."+system)
	c.BatchSize = cmp.Or(c.BatchSize, DefaultBatchSize)
	c.BatchWait = cmp.Or(c.BatchWait, DefaultBatchWait)
	c.Drain = cmp.Or(c.Drain, DefaultDrain)
	return nil
}
