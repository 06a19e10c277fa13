// Package kafkatest gets an Apache Kafka broker for tests: the one that
// KAFKA_BROKERS names, else one of its own. That is Apache Kafka itself: its
// jars come through Maven, once, into the user's cache folder; one KRaft node
// listens on loopback and keeps its data in a temporary folder.
//
// Getting and starting one takes time, so it isn't done unasked: without
// KAFKA_BROKERS and without HABEAS_TEST_KAFKA=1 (as `make test-kafka` sets it)
// a test that needs a real broker is skipped.
//
// Stability: none: Habeas' services share it, and it changes with them.
package kafkatest

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

const (
	// brokersVariable names brokers that are there already: host:port,….
	brokersVariable = "KAFKA_BROKERS"
	// askVariable, set to 1, asks for a broker of the tests' own.
	askVariable = "HABEAS_TEST_KAFKA"
	// startTimeout bounds getting the jars and starting a broker, on a machine
	// that is busy with other tests.
	startTimeout = 6 * time.Minute
	// stopTimeout is how long a broker may take to stop in order; then it is
	// killed.
	stopTimeout = 30 * time.Second
)

// Option alters a broker of the test's own.
type Option func(*settings)

// Own asks for a broker of the test's own even where KAFKA_BROKERS is set: for
// tests that stop it.
func Own() Option { return func(s *settings) { s.own = true } }

// Secure asks for a broker of the test's own that also listens with TLS, with
// SASL (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512) and with both.
func Secure() Option { return func(s *settings) { s.own, s.secure = true, true } }

// Property asks for a broker of the test's own with a line of its
// server.properties.
func Property(name, value string) Option {
	return func(s *settings) { s.own = true; s.properties = append(s.properties, name+"="+value) }
}

// Enabled reports whether tests are to run against a real broker.
func Enabled() bool { return os.Getenv(brokersVariable) != "" || os.Getenv(askVariable) == "1" }

// Start returns a broker for the time of a test. One of the test's own takes
// some ten seconds: start one, and let many subtests share it.
func Start(t testing.TB, options ...Option) *Broker {
	t.Helper()
	var s settings
	for _, o := range options {
		o(&s)
	}
	if given := os.Getenv(brokersVariable); given != "" && !s.own {
		return &Broker{given: strings.Split(given, ",")}
	}
	if os.Getenv(askVariable) != "1" {
		t.Skip("kafkatest: needs a real broker: set " + askVariable + "=1, as make test-kafka does (JDK 17 and Maven)")
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	b, err := run(ctx, s)
	if missing := (*missingError)(nil); errors.As(err, &missing) && os.Getenv(brokersVariable) != "" {
		t.Skip(err) // there is a broker for all tests but those that need their own
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("kafkatest: the end of the broker's log: %s", b.logTail())
		}
		b.Close()
	})
	return b
}

// missingError says what a broker needs and this machine doesn't have.
type missingError struct{ what, cure string }

func (e *missingError) Error() string {
	return "kafkatest: no Apache Kafka: " + e.what + "; install " + e.cure + ", or set " + brokersVariable
}

// Run starts a broker for what isn't a test. The caller closes it.
func Run(ctx context.Context, options ...Option) (*Broker, error) {
	var s settings
	for _, o := range options {
		o(&s)
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	return run(ctx, s)
}

// Stop has the broker shut down in order; Kill ends it as a power cut would;
// StartAgain brings it back with its data, on the same addresses.
func (b *Broker) Stop(t testing.TB) { t.Helper(); b.do(t, b.stop) }

// Kill ends the broker without a shutdown.
func (b *Broker) Kill(t testing.TB) { t.Helper(); b.do(t, b.kill) }

// StartAgain starts the broker after Stop or Kill, and returns when it serves.
func (b *Broker) StartAgain(t testing.TB) { t.Helper(); b.do(t, b.start) }

func (b *Broker) do(t testing.TB, what func(context.Context) error) {
	t.Helper()
	if b.given != nil {
		t.Fatal("kafkatest: the broker isn't ours: start it with kafkatest.Own")
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := what(ctx); err != nil {
		t.Fatal(err)
	}
}
