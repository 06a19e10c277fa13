package worker

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/vault"
)

// Config says where a worker gets its tasks and where it leaves what it finds.
type Config struct {
	Kafka
	// Connection is that of several workers in one process, made by [Connect].
	// It stands in for Kafka; their reports then travel together, which saves
	// the broker most of its work.
	Connection *Connection
	// Vault holds the requests' keys and takes the records. MUST be set.
	Vault *vault.Vault

	// Group is the consumer group; empty means habeas.worker.<system>. All
	// processes that serve one system MUST be in one group.
	Group string
	// BatchSize is how many tasks of one action are worked on together, where
	// the implementation has the batch form; 0 means [DefaultBatchSize].
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
	// inFlight is how many tasks a worker holds at least: enough that batches
	// fill while others are out.
	inFlight = 512
)

// Kafka says how to reach the brokers. Everything but Brokers may be empty.
type Kafka struct {
	// Brokers are host:port addresses to begin with; at least one.
	Brokers []string
	// ClientID names this program in the brokers' logs; empty means habeas-worker.
	ClientID string
	TLS      TLS
	SASL     SASL
	// Log gets warnings about connections; nil: none.
	Log *slog.Logger
}

// TLS says how connections are secured. The zero value is plain text.
type TLS struct {
	// Enabled asks for TLS also where nothing else here is set.
	Enabled bool
	// CAFile are the authorities in PEM that are trusted; empty: the system's.
	CAFile string
	// CertFile and KeyFile are the client's certificate in PEM, where the
	// brokers ask for one.
	CertFile, KeyFile string
	// ServerName is the name that the brokers' certificates are checked
	// against; empty: the host of the address.
	ServerName string
}

// SASL is a sign-in. The zero value is none. It prints without its password.
type SASL struct {
	// Mechanism is PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
	Mechanism string
	User      string
	// PasswordFile holds the password; white space around it is cut off.
	PasswordFile string
}

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
// for no broker.
func Connect(k Kafka) (*Connection, error) {
	c := bus.Config{Brokers: k.Brokers, ClientID: cmp.Or(k.ClientID, "habeas-worker")}
	var err error
	if c.TLS, err = k.TLS.config(); err != nil {
		return nil, err
	}
	if k.SASL.Mechanism != "" {
		secret, err := os.ReadFile(k.SASL.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("worker: SASL password: %w", err)
		}
		c.SASL = bus.SASL{Mechanism: k.SASL.Mechanism, User: k.SASL.User, Password: strings.TrimSpace(string(secret))}
	}
	p, err := bus.NewPublisher(bus.PublisherConfig{Config: c})
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	return &Connection{config: c, publisher: p, log: k.Log}, nil
}

// Close waits for what is being published. The workers MUST have stopped. A
// second call does nothing.
func (c *Connection) Close() error {
	if c.shared {
		return nil
	}
	return c.publisher.Close()
}

func (t TLS) config() (*tls.Config, error) {
	if t == (TLS{}) {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("worker: TLS authorities: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("worker: TLS authorities: %s holds no certificate in PEM", t.CAFile)
		}
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		return nil, errors.New("worker: TLS: CertFile and KeyFile belong together")
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("worker: TLS certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

func (c *Config) defaults(system string) error {
	switch {
	case c.Vault == nil:
		return errors.New("worker: Config has no Vault")
	case c.BatchSize < 0 || c.BatchWait < 0 || c.Drain < 0:
		return errors.New("worker: Config: BatchSize, BatchWait and Drain can't be negative")
	}
	c.Group = cmp.Or(c.Group, "habeas.worker."+system)
	c.BatchSize = cmp.Or(c.BatchSize, DefaultBatchSize)
	c.BatchWait = cmp.Or(c.BatchWait, DefaultBatchWait)
	c.Drain = cmp.Or(c.Drain, DefaultDrain)
	return nil
}
