package callers

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/golang-jwt/jwt/v5"

	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/jose"
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
		one := producer{Caller: Caller{Name: name, Caller: config.Caller{Rights: p.Rights, Believed: p.Believed, Callback: p.Callback}}}
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
	if len(signature) > maxSignature {
		return Caller{}, unknown(jose.ErrLength)
	}
	jws, err := jose.ReadDetached(signature)
	if err != nil {
		return Caller{}, unknown(err)
	}
	from, known := p.byName[jws.KeyID]
	if !known {
		return Caller{}, fmt.Errorf("%w: a signature of nobody who is configured", ErrUnknown)
	}
	signed := jws.Signed(value)
	for _, k := range from.keys {
		if jws.Algorithm == k.method.Alg() && k.method.Verify(signed, jws.Signature, k.key) == nil {
			return from.Caller, nil
		}
	}
	return Caller{}, fmt.Errorf("%w: a signature that isn't the producer's", ErrUnknown)
}
