package bus_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/bus"
)

// TestFilesCheck: what was rotated wrongly is told, by what is wrong with it; what is right
// isn't.
func TestFilesCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	write := func(name string, data []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pair := func(name string, from, until time.Time) (cert, key string) {
		t.Helper()
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: until}
		der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
		if err != nil {
			t.Fatal(err)
		}
		secret, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			t.Fatal(err)
		}
		return write(name+".crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), write(name+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	}
	cert, key := pair("now", now.Add(-time.Hour), now.Add(time.Hour))
	old, oldKey := pair("old", now.Add(-2*time.Hour), now.Add(-time.Hour))
	next, nextKey := pair("next", now.Add(time.Hour), now.Add(2*time.Hour))
	password, empty := write("password", []byte("secret\n")), write("empty", []byte("\n"))
	for name, c := range map[string]struct {
		files bus.Files
		want  string // empty: nothing is wrong
	}{
		"plain text":   {bus.Files{}, ""},
		"all is well":  {bus.Files{SASL: bus.SASLFiles{PasswordFile: password}, TLS: bus.TLSFiles{CAFile: cert, CertFile: cert, KeyFile: key}}, ""},
		"no password":  {bus.Files{SASL: bus.SASLFiles{PasswordFile: password + "x"}}, "SASL password"},
		"an empty one": {bus.Files{SASL: bus.SASLFiles{PasswordFile: empty}}, "is empty"},
		"no authority": {bus.Files{TLS: bus.TLSFiles{CAFile: empty}}, "no certificate in PEM"},
		"another key":  {bus.Files{TLS: bus.TLSFiles{CertFile: cert, KeyFile: oldKey}}, "TLS certificate"},
		"expired":      {bus.Files{TLS: bus.TLSFiles{CertFile: old, KeyFile: oldKey}}, "has expired"},
		"too early":    {bus.Files{TLS: bus.TLSFiles{CertFile: next, KeyFile: nextKey}}, "isn't valid yet"},
	} {
		err := c.files.Check(now)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
