package callers

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"habeas.dev/services/internal/config"
)

// SignatureHeader is the record's header that has a producer's signature: a detached
// JWS (RFC 7515, appendix F) over the record's value, in compact form, whose kid is the
// producer's name.
const SignatureHeader = "habeas-signature"

const (
	// maxSignature bounds that header: one of RSA with 4,096 bits has 800 characters.
	maxSignature = 4 << 10
	// minRSA is the least that an RSA key must have, in bits.
	minRSA = 2048
	// maxPEM bounds a key's file, in bytes.
	maxPEM = 64 << 10
)

// Producers tells who signed a record. It is safe for many goroutines.
type Producers struct{ byName map[string]producer }

type producer struct {
	Caller
	keys []verifier
}

// verifier is a public key, and the one algorithm that it is used with: what the
// signature's own header says is compared with that, and chooses nothing.
type verifier struct {
	key    crypto.PublicKey
	method jwt.SigningMethod
}

// NewProducers reads the producers' keys. The error names the file.
func NewProducers(all map[string]config.Producer) (*Producers, error) {
	out := &Producers{byName: map[string]producer{}}
	for name, p := range all {
		one := producer{Caller: Caller{Name: name, Caller: config.Caller{Rights: p.Rights, Believed: p.Believed}}}
		for _, path := range p.Keys {
			key, err := readKey(path)
			if err != nil {
				return nil, fmt.Errorf("producers.%s: key %s: %w", name, path, err)
			}
			one.keys = append(one.keys, key)
		}
		out.byName[name] = one
	}
	return out, nil
}

func readKey(path string) (verifier, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return verifier{}, err
	}
	block, _ := pem.Decode(text)
	if len(text) > maxPEM || block == nil || block.Type != "PUBLIC KEY" {
		return verifier{}, errors.New("want a public key in PEM, as openssl pkey -pubout writes it")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return verifier{}, fmt.Errorf("want a public key in PEM: %w", err)
	}
	switch k := key.(type) {
	case ed25519.PublicKey:
		return verifier{k, jwt.SigningMethodEdDSA}, nil
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return verifier{k, jwt.SigningMethodES256}, nil
		}
	case *rsa.PublicKey:
		if k.N.BitLen() >= minRSA {
			return verifier{k, jwt.SigningMethodPS256}, nil
		}
	}
	return verifier{}, fmt.Errorf("want a key of Ed25519, P-256 or RSA with %d bits", minRSA)
}

// Of returns the producer that signed a record's value; [ErrUnknown] where none did.
func (p *Producers) Of(signature string, value []byte) (Caller, error) {
	parts := strings.Split(signature, ".")
	if len(signature) > maxSignature || len(parts) != 3 || parts[1] != "" {
		return Caller{}, fmt.Errorf("%w: no detached signature", ErrUnknown)
	}
	head, err := base64.RawURLEncoding.Strict().DecodeString(parts[0])
	if err != nil {
		return Caller{}, fmt.Errorf("%w: no detached signature", ErrUnknown)
	}
	var header struct {
		Alg  string          `json:"alg"`
		Kid  string          `json:"kid"`
		Crit json.RawMessage `json:"crit"`
	}
	if json.Unmarshal(head, &header) != nil || header.Crit != nil { // RFC 7515, 4.1.11: what isn't understood is refused
		return Caller{}, fmt.Errorf("%w: a signature whose header can't be read", ErrUnknown)
	}
	sig, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	from, known := p.byName[header.Kid]
	if err != nil || !known {
		return Caller{}, fmt.Errorf("%w: a signature of nobody who is configured", ErrUnknown)
	}
	signed := parts[0] + "." + base64.RawURLEncoding.EncodeToString(value)
	for _, k := range from.keys {
		if header.Alg == k.method.Alg() && k.method.Verify(signed, sig, k.key) == nil {
			return from.Caller, nil
		}
	}
	return Caller{}, fmt.Errorf("%w: a signature that isn't the producer's", ErrUnknown)
}
