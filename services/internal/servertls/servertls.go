// Package servertls speaks TLS at a listener by certificates in files, and reads them
// again when they change: a renewed certificate, or another list of authorities of
// clients, holds from the next connection on, without a restart (TestRenewed).
package servertls

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/config"
)

// every is how often the files are looked at: when a connection comes, and they
// weren't for so long. Their bytes are compared, since what mounts secrets changes a
// link and not the file.
const every = 10 * time.Second

// maxFile bounds a file: a chain, or a list of authorities, has some kilobytes.
const maxFile = 1 << 20

// TLS is what a listener speaks TLS by. It is safe for many goroutines.
type TLS struct {
	files config.ServerTLS
	auth  tls.ClientAuthType
	now   func() time.Time
	log   *slog.Logger

	mu      sync.Mutex
	looked  time.Time
	read    [3][]byte // the files as they were read: certificate, key, authorities
	config  *tls.Config
	clients *x509.CertPool
	failing bool
}

// New reads the files. A client must have a certificate where needed is set, and the
// files name its authorities; else it may have one. The error names the file.
func New(files config.ServerTLS, needed bool, now func() time.Time, log *slog.Logger) (*TLS, error) {
	t := &TLS{files: files, now: now, log: log}
	switch {
	case files.ClientCAFile == "":
		t.auth = tls.NoClientCert
	case needed:
		t.auth = tls.RequireAndVerifyClientCert
	default:
		t.auth = tls.VerifyClientCertIfGiven
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t, t.load()
}

// Config returns what a listener is given.
func (t *TLS) Config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.look()
			return t.config, nil
		}}
}

// Clients returns the authorities of client certificates as the file has them now;
// nil without one.
func (t *TLS) Clients() *x509.CertPool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.look()
	return t.clients
}

// look reads the files again where that is due. What can't be read leaves things as
// they are, and is said once. Holds t.mu.
func (t *TLS) look() {
	if t.now().Sub(t.looked) < every {
		return
	}
	switch err := t.load(); {
	case err != nil && !t.failing:
		t.failing = true
		t.log.Error("changed certificates can't be read; the old ones hold", "error", err)
	case err == nil:
		t.failing = false
	}
}

// load reads the files, and takes them where they changed and all of them are whole.
func (t *TLS) load() error {
	t.looked = t.now()
	var read [3][]byte
	for i, path := range []string{t.files.CertFile, t.files.KeyFile, t.files.ClientCAFile} {
		if path == "" {
			continue
		}
		text, err := readFile(path)
		if err != nil {
			return err
		}
		read[i] = text
	}
	if t.config != nil && bytes.Equal(read[0], t.read[0]) && bytes.Equal(read[1], t.read[1]) && bytes.Equal(read[2], t.read[2]) {
		return nil
	}
	certificate, err := tls.X509KeyPair(read[0], read[1])
	if err != nil {
		return fmt.Errorf("%s and %s are no certificate and its key in PEM: %w", t.files.CertFile, t.files.KeyFile, err)
	}
	var clients *x509.CertPool
	if t.files.ClientCAFile != "" {
		clients = x509.NewCertPool()
		if !clients.AppendCertsFromPEM(read[2]) {
			return fmt.Errorf("%s has no certificate in PEM", t.files.ClientCAFile)
		}
	}
	if t.config != nil {
		t.log.Info("certificates were renewed", "file", telemetry.Safe(t.files.CertFile))
	}
	t.read, t.clients = read, clients
	t.config = &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, Certificates: []tls.Certificate{certificate}, ClientAuth: t.auth, ClientCAs: clients}
	return nil
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, errors.New(path + " is too large for a certificate")
	}
	return os.ReadFile(path)
}
