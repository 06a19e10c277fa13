package callers_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"pgregory.net/rapid"

	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/config"
)

// writeKey writes a public key into a file.
func writeKey(t *testing.T, key crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	must(t, err)
	path := filepath.Join(t.TempDir(), "key.pem")
	must(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600))
	return path
}

// signed returns a detached signature by a key.
func signed(t rapid.TB, method jwt.SigningMethod, header string, key any, value []byte) string {
	head := base64.RawURLEncoding.EncodeToString([]byte(header))
	sig, err := method.Sign(head+"."+base64.RawURLEncoding.EncodeToString(value), key)
	if err != nil {
		t.Fatal(err)
	}
	return head + ".." + base64.RawURLEncoding.EncodeToString(sig)
}

// TestProducers: a record is its producer's by each kind of key, while a key is renewed
// by both, and by nothing that is changed of it.
func TestProducers(t *testing.T) {
	t.Parallel()
	edPublic, ed, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	strangerPublic, stranger, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	all, err := callers.NewProducers(map[string]config.Producer{
		"crm":   {Keys: []string{writeKey(t, edPublic), writeKey(t, &ec.PublicKey), writeKey(t, &r.PublicKey)}, Believed: true},
		"other": {Keys: []string{writeKey(t, strangerPublic)}},
	})
	must(t, err)
	value := []byte(`{"request_id":"9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"}`)
	good := map[string]string{
		"Ed25519":        signed(t, jwt.SigningMethodEdDSA, `{"alg":"EdDSA","kid":"crm"}`, ed, value),
		"P-256":          signed(t, jwt.SigningMethodES256, `{"alg":"ES256","kid":"crm"}`, ec, value),
		"RSA":            signed(t, jwt.SigningMethodPS256, `{"alg":"PS256","kid":"crm"}`, r, value),
		"the upstream's": upstream.Signer{Name: "crm", Key: ed}.Sign(value),
	}
	for name, signature := range good {
		if got, err := all.Of(signature, value); err != nil || got.Name != "crm" || !got.Believed {
			t.Errorf("%s: %q %v", name, got.Name, err)
		}
	}
	der, err := x509.MarshalPKIXPublicKey(edPublic)
	must(t, err)
	forgeries := []*rapid.Generator[string]{
		rapid.Just(""), rapid.Just(".."), rapid.String(),
		rapid.Just(signed(t, jwt.SigningMethodEdDSA, `{"alg":"EdDSA","kid":"crm"}`, stranger, value)),
		rapid.Just(signed(t, jwt.SigningMethodEdDSA, `{"alg":"EdDSA","kid":"other"}`, ed, value)),
		rapid.Just(signed(t, jwt.SigningMethodEdDSA, `{"alg":"EdDSA","kid":"nobody"}`, ed, value)),
		rapid.Just(signed(t, jwt.SigningMethodEdDSA, `{"alg":"ES256","kid":"crm"}`, ed, value)),
		rapid.Just(signed(t, jwt.SigningMethodEdDSA, `{"alg":"EdDSA","kid":"crm","crit":["b64"],"b64":false}`, ed, value)),
		rapid.Just(signed(t, jwt.SigningMethodEdDSA, `{"alg":"EdDSA","kid":"other","kid":"crm"}`, ed, value)),
		rapid.Just(signed(t, jwt.SigningMethodEdDSA, `{"alg":"EdDSA","Kid":"crm"}`, ed, value)),
		rapid.Just(signed(t, jwt.SigningMethodEdDSA, `{"alg":"EdDSA","kid":"crm","b64":true}`, ed, value)),
		rapid.Just(signed(t, jwt.SigningMethodEdDSA, `{"alg":"EdDSA","kid":"crm","mine":1}`, ed, value)),
		rapid.Just(good["Ed25519"] + "\n"),
		rapid.Just(signed(t, jwt.SigningMethodHS256, `{"alg":"HS256","kid":"crm"}`, der, value)),
		rapid.Just(signed(t, jwt.SigningMethodRS256, `{"alg":"RS256","kid":"crm"}`, r, value)),
		rapid.Just(base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"crm"}`)) + ".."),
		rapid.Just(strings.Replace(good["Ed25519"], "..", "."+base64.RawURLEncoding.EncodeToString(value)+".", 1)), // not detached
	}
	rapid.Check(t, func(t *rapid.T) {
		forged := rapid.OneOf(forgeries...).Draw(t, "signature")
		if got, err := all.Of(forged, value); !errors.Is(err, callers.ErrUnknown) {
			t.Fatalf("%q is %q's: %v", forged, got.Name, err)
		}
		other := append([]byte(nil), value...)
		at := rapid.IntRange(0, len(other)-1).Draw(t, "at")
		other[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "by"))
		for name, signature := range good {
			if got, err := all.Of(signature, other); !errors.Is(err, callers.ErrUnknown) {
				t.Fatalf("%s: another value is %q's: %v", name, got.Name, err)
			}
		}
	})
}

// TestProducersKeys: what is no public key, or too weak a one, is refused with the
// file's name.
func TestProducersKeys(t *testing.T) {
	t.Parallel()
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip(err) // a Go that makes none
	}
	curve, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	must(t, err)
	text := filepath.Join(t.TempDir(), "text.pem")
	must(t, os.WriteFile(text, []byte("hello"), 0o600))
	for _, path := range []string{writeKey(t, &weak.PublicKey), writeKey(t, &curve.PublicKey), text, filepath.Join(t.TempDir(), "missing.pem")} {
		if _, err := callers.NewProducers(map[string]config.Producer{"crm": {Keys: []string{path}}}); err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", path, err)
		}
	}
}
