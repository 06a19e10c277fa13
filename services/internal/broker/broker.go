// Package broker is the embedded Kafka broker: one code path for a demo on a
// laptop and a cluster in production. It is franz-go's kfake, a broker made for
// tests, on a data directory; what is known to go wrong with it is dealt with
// here and nowhere else. docs/adr/0002-embedded-broker.md says why it will do:
// the journal is the truth, and every topic can be built again from it.
//
// A record that was acknowledged MUST survive kill -9 of the process
// (TestAcknowledgedRecordsSurviveKill). It may not survive a loss of power:
// files are synced when a segment is full and at Close, not at every record.
package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"habeas.dev/pkg/bus"
	"habeas.dev/services/internal/topics"
)

const (
	// DefaultPartitions is how many partitions a topic gets. In one process
	// the key lanes give all the parallelism there is; two let two members
	// share, and every further one costs a connection per subscription.
	DefaultPartitions = 2
	// defaultRetention bounds age: a message that nobody took in a week is
	// sent again by the coordinator anyway.
	defaultRetention = 7 * 24 * time.Hour
	// defaultRetentionBytes bounds each partition. Opening reads the whole
	// log into memory once, about 1 s and 1 GB for 1 GB, so that it must stay
	// small; half a million records fit.
	defaultRetentionBytes = 64 << 20
	// segmentBytes is the size of a segment, the unit in which the log is deleted.
	segmentBytes = 8 << 20
	// retentionInterval is how often old segments are deleted; by itself the broker
	// does so hourly, and not for every topic.
	retentionInterval = time.Minute
	// startTimeout bounds creating the topics and checking the offsets.
	startTimeout = 30 * time.Second
)

// Config configures a [Broker]. Zero values mean the defaults.
type Config struct {
	// Dir is the data directory; it is made where it is missing. MUST NOT be
	// shared: Start refuses one that another process holds.
	Dir string
	// Port is where it listens. 0: a free one.
	Port int
	// Topics are created where they are missing.
	Topics []string
	// Partitions is how many each created topic gets. Default
	// DefaultPartitions. A topic that exists keeps what it has.
	Partitions int
	// Retention and RetentionBytes (per partition) bound the log. Defaults: a
	// week, 64 MiB.
	Retention      time.Duration
	RetentionBytes int64
	// Users are who may sign in, each with rights of their own; without any, everybody on
	// this machine may do everything.
	Users []User
	// Logger gets warnings of the broker. Default: none.
	Logger *slog.Logger
}

// Broker is a running broker, on the loopback interface.
type Broker struct {
	cluster *kfake.Cluster
	addr    string
	lock    *dirLock
	faults  *faults
	stop    chan struct{}
	done    sync.WaitGroup
	once    sync.Once
}

// Start opens the data directory and starts the broker. Its errors are one line
// that names the directory and what to do.
func Start(ctx context.Context, c Config) (*Broker, error) {
	c.Partitions = cmp.Or(c.Partitions, DefaultPartitions)
	c.Retention = cmp.Or(c.Retention, defaultRetention)
	c.RetentionBytes = cmp.Or(c.RetentionBytes, defaultRetentionBytes)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	lock, err := openDir(c.Dir)
	if err != nil {
		return nil, err
	}
	b := &Broker{lock: lock, faults: &faults{log: c.Logger}, stop: make(chan struct{})}
	options, own := signIn(c.Users)
	if c.Port != 0 {
		options = append(options, kfake.Ports(c.Port))
	}
	b.cluster, err = kfake.NewCluster(append(options,
		kfake.NumBrokers(1),
		kfake.ClusterID("habeas-embedded"),
		kfake.DataDir(c.Dir),
		kfake.WithLogger(b.faults),
		kfake.BrokerConfigs(map[string]string{
			"log.retention.ms":    strconv.FormatInt(c.Retention.Milliseconds(), 10),
			"log.retention.bytes": strconv.FormatInt(c.RetentionBytes, 10),
			"log.segment.bytes":   strconv.FormatInt(segmentBytes, 10),
		}),
	)...)
	if err != nil {
		lock.release()
		return nil, dirError(c.Dir, "cannot be opened", err)
	}
	b.addr = b.cluster.ListenAddrs()[0]
	if err := b.prepare(ctx, c, own); err != nil {
		b.Close()
		return nil, err
	}
	b.done.Go(b.retain)
	return b, nil
}

// prepare makes the broker ready before anyone else can reach it, or is let in.
func (b *Broker) prepare(ctx context.Context, c Config, own bus.SASL) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	b.cluster.ApplyRetention()
	as := bus.Config{Brokers: []string{b.addr}, ClientID: "habeas-broker", SASL: own}
	transport, err := as.Transport()
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(b.addr), Transport: transport, Timeout: startTimeout}
	if err := clampOffsets(ctx, client, c.Logger); err != nil {
		return fmt.Errorf("broker: check committed offsets: %w", err)
	}
	specs := make([]bus.TopicSpec, len(c.Topics))
	for i, t := range c.Topics {
		specs[i] = bus.TopicSpec{Name: t, Partitions: c.Partitions, Replicas: 1}
	}
	err = bus.EnsureTopics(ctx, as, specs)
	var mismatch *bus.MismatchError
	if errors.As(err, &mismatch) {
		c.Logger.Warn("broker: topics exist with other settings", "error", mismatch)
		err = nil
	}
	if err != nil {
		return err
	}
	if err := topics.Grant(ctx, client, grantees(c.Users)); err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	return b.Health()
}

// Addr returns the broker's host:port.
func (b *Broker) Addr() string { return b.addr }

// Health returns nil as long as everything could be written to the data directory.
func (b *Broker) Health() error { return b.faults.err(b.lock.dir) }

func (b *Broker) retain() {
	tick := time.NewTicker(retentionInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			b.cluster.ApplyRetention()
		case <-b.stop:
			return
		}
	}
}

// Close syncs the log and frees the directory. Clients should be closed
// before. Further calls do nothing.
func (b *Broker) Close() {
	b.once.Do(func() {
		close(b.stop)
		b.done.Wait()
		b.cluster.Close()
		b.lock.release()
	})
}
