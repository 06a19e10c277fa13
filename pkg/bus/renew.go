package bus

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"

	"github.com/segmentio/kafka-go/sasl"
)

// renewed signs in by the password that its file holds now. While that can't be read it
// is the last that could.
type renewed struct {
	mu  sync.Mutex
	as  SASL
	now sasl.Mechanism // by as.Password
}

func (r *renewed) Name() string { return r.as.Mechanism }

func (r *renewed) Start(ctx context.Context) (sasl.StateMachine, []byte, error) {
	return r.current().Start(ctx)
}

// current returns the mechanism by the file's password. It stays the same while that does:
// what it has salted is kept.
func (r *renewed) current() sasl.Mechanism {
	r.mu.Lock()
	defer r.mu.Unlock()
	password, err := readPassword(r.as.PasswordFile)
	if err != nil || password == r.as.Password {
		return r.now
	}
	next := r.as
	next.Password = password
	if m, err := next.fixed(); err == nil {
		r.as, r.now = next, m
	}
	return r.now
}

func readPassword(file string) (string, error) {
	secret, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("bus: SASL password: %w", err)
	}
	return strings.TrimSpace(string(secret)), nil
}

// dialTLS connects by the files of TLS as they are now.
func (c Config) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	t, err := c.TLSFrom()
	if err != nil {
		return nil, err
	}
	t = t.Clone()
	if t.ServerName == "" {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, fmt.Errorf("bus: broker address %q: %w", address, err)
		}
		t.ServerName = host
	}
	d := tls.Dialer{NetDialer: &net.Dialer{Timeout: dialTimeout}, Config: t}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

// fresh returns what reads the files for each connection. While they can't be read, as when
// one of a certificate and its key is changed already, they are as they last were.
func (t TLSFiles) fresh(read *tls.Config) func() (*tls.Config, error) {
	var mu sync.Mutex
	return func() (*tls.Config, error) {
		mu.Lock()
		defer mu.Unlock()
		if now, err := t.config(); err == nil {
			read = now
		}
		return read, nil
	}
}
