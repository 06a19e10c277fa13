package salesforce

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/vendorapi"
	sandbox "habeas.dev/services/sandbox/salesforce"
)

// keyFile writes a new private key.
func keyFile(t *testing.T, path string) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if err := os.WriteFile(path, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return key
}

// JWT bearer: the key is read anew with each token, and a refused token is
// renewed once.
func TestJWTBearer(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key.pem")
	key := keyFile(t, path)
	w := newFixture(t, 12, func(s *sandbox.Config, c *Config) {
		s.Certificate, s.Username = &key.PublicKey, "robot@example.com"
		c.Secret, c.Key, c.Username = vendorapi.Secret{}, vendorapi.SecretFile(path), "robot@example.com"
	})
	e := w.Emails()[0]
	for round := range int64(2) {
		if _, errs := w.Gather(e); errs[0] != nil {
			t.Fatal(errs[0])
		}
		if n := w.server.Calls()["token"]; n != round+1 {
			t.Fatalf("%d tokens", n)
		}
		w.server.RevokeTokens()
	}
	keyFile(t, path) // one that the app doesn't know
	_, errs := w.Gather(e)
	if codeOf(errs[0]) != "credentials" || !strings.Contains(errs[0].Error(), "INVALID_GRANT") {
		t.Fatalf("got %v", errs[0])
	}
	if err := os.WriteFile(path, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs := w.Gather(e); codeOf(errs[0]) != "no-secret" || strings.Contains(errs[0].Error(), path) {
		t.Fatalf("got %v", errs[0])
	}
}

// What Salesforce would refuse of an assertion, the stand-in does.
func TestJWTRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key.pem")
	key := keyFile(t, path)
	for name, change := range map[string]func(*sandbox.Config, *Config){
		"no certificate": func(s *sandbox.Config, _ *Config) { s.Certificate = nil },
		"other user":     func(_ *sandbox.Config, c *Config) { c.Username = "somebody@example.com" },
		"other app":      func(_ *sandbox.Config, c *Config) { c.ClientID = "other" },
		"other audience": func(_ *sandbox.Config, c *Config) { c.Audience = "https://example.com" },
		"a fast clock": func(_ *sandbox.Config, c *Config) {
			now := c.Now
			c.Now = func() time.Time { return now().Add(time.Hour) }
		},
		"a slow clock": func(_ *sandbox.Config, c *Config) {
			now := c.Now
			c.Now = func() time.Time { return now().Add(-time.Hour) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t, 12, func(s *sandbox.Config, c *Config) {
				s.Certificate, s.Username = &key.PublicKey, "robot@example.com"
				c.Secret, c.Key, c.Username = vendorapi.Secret{}, vendorapi.SecretFile(path), "robot@example.com"
				change(s, c)
			})
			if _, err := w.worker.token(context.Background()); codeOf(err) != "credentials" {
				t.Fatalf("got %v", err)
			}
		})
	}
}
