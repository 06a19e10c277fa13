package bus

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
)

const (
	// dialTimeout bounds connecting, the TLS handshake and the sign-in
	// together: a broker that takes longer is down for our purposes.
	dialTimeout = 5 * time.Second
	// metadataTTL is how long the cluster's layout is trusted. A moved leader
	// is noticed by its error at once; this is for added partitions.
	metadataTTL = 5 * time.Second
)

// Config says how to reach the brokers. The zero value of everything but
// Brokers is plain text without sign-in.
type Config struct {
	// Brokers are host:port addresses to begin with; at least one.
	Brokers []string
	// ClientID names this program in the brokers' logs and quotas.
	ClientID string
	// TLS, where set, is used for every connection. An empty ServerName is
	// filled in with the broker's host.
	TLS *tls.Config
	// TLSFrom, where set, is asked for what each new connection uses in place of TLS: so a
	// renewed certificate, or another list of authorities, holds from the next one on.
	TLSFrom func() (*tls.Config, error)
	// SASL, where its Mechanism is set, signs every connection in.
	SASL SASL
}

// The mechanisms that SASL.Mechanism may name.
const (
	Plain       = "PLAIN"
	ScramSHA256 = "SCRAM-SHA-256"
	ScramSHA512 = "SCRAM-SHA-512"
)

// SASL is how a connection signs in: a mechanism, a user and a password. It prints
// without its password.
type SASL struct {
	Mechanism string // "" (none), Plain, ScramSHA256 or ScramSHA512
	User      string
	Password  string
	// PasswordFile, where set, is read at each sign-in; Password is what it held when it
	// could last be read.
	PasswordFile string
}

// String leaves the password out.
func (s SASL) String() string {
	if s.Mechanism == "" {
		return "none"
	}
	return s.Mechanism + " as " + s.User
}

// GoString leaves the password out.
func (s SASL) GoString() string { return s.String() }

// LogValue leaves the password out.
func (s SASL) LogValue() slog.Value { return slog.StringValue(s.String()) }

func (c Config) validate() error {
	if len(c.Brokers) == 0 {
		return errors.New("bus: no brokers configured: give at least one host:port")
	}
	for _, b := range c.Brokers {
		if _, _, err := net.SplitHostPort(b); err != nil {
			return fmt.Errorf("bus: broker address %q: want host:port: %w", b, err)
		}
	}
	_, err := c.SASL.mechanism()
	return err
}

func (s SASL) mechanism() (sasl.Mechanism, error) {
	m, err := s.fixed()
	if m == nil || err != nil || s.PasswordFile == "" {
		return m, err
	}
	return &renewed{as: s, now: m}, nil
}

// fixed returns the mechanism by the password as it is now.
func (s SASL) fixed() (sasl.Mechanism, error) {
	switch s.Mechanism {
	case "":
		return nil, nil
	case Plain:
		return plain.Mechanism{Username: s.User, Password: s.Password}, nil
	case ScramSHA256:
		return newScram(s.Mechanism, sha256.New, s), nil
	case ScramSHA512:
		return newScram(s.Mechanism, sha512.New, s), nil
	default:
		return nil, fmt.Errorf("bus: SASL mechanism %q: want %s, %s or %s", s.Mechanism, Plain, ScramSHA256, ScramSHA512)
	}
}

// Dialer returns a dialer of single connections, as a reader of kafka-go holds them, that
// signs in and encrypts as the configuration says.
func (c Config) Dialer() (*kafka.Dialer, error) {
	m, err := c.SASL.mechanism()
	if err != nil {
		return nil, err
	}
	d := &kafka.Dialer{ClientID: c.ClientID, Timeout: dialTimeout, DualStack: true, TLS: c.TLS, SASLMechanism: m}
	if c.TLSFrom != nil {
		d.TLS, d.DialFunc = nil, c.dialTLS
	}
	return d, nil
}

// Transport returns a pooled transport for producing and for administration: by it a
// client of kafka-go signs in, and encrypts, as the configuration says. The caller lets go
// of it by CloseIdleConnections.
func (c Config) Transport() (*kafka.Transport, error) {
	m, err := c.SASL.mechanism()
	if err != nil {
		return nil, err
	}
	t := &kafka.Transport{ClientID: c.ClientID, DialTimeout: dialTimeout, MetadataTTL: metadataTTL, TLS: c.TLS, SASL: m}
	if c.TLSFrom != nil {
		t.TLS, t.Dial = nil, c.dialTLS
	}
	return t, nil
}

func (c Config) addr() net.Addr { return kafka.TCP(c.Brokers...) }
