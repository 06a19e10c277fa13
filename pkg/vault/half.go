package vault

import (
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
)

// What is sealed to a public half is by HPKE (RFC 9180) in its base mode: DHKEM(X25519,
// HKDF-SHA256), HKDF-SHA256, AES-256-GCM; the encapsulated key comes first. What it is and
// whose stands in the info, so that it opens in no other place.
const (
	halfBytes = 32 // of either half
	// halfOverhead is what sealing to a public half adds: the encapsulated key, and a tag.
	halfOverhead = 32 + 16
)

func halves() hpke.KEM { return hpke.DHKEM(ecdh.X25519()) }

// privateHalf returns the private half that comes of a secret.
func privateHalf(secret []byte) hpke.PrivateKey {
	k, err := halves().DeriveKeyPair(secret)
	if err != nil {
		panic(err) // any 32 bytes give one
	}
	return k
}

// publicHalf reads a public half.
func publicHalf(text []byte) (hpke.PublicKey, error) {
	if len(text) != halfBytes {
		return nil, ErrCorrupt
	}
	k, err := halves().NewPublicKey(text)
	if err != nil {
		return nil, ErrCorrupt
	}
	return k, nil
}

// sealTo seals to a public half.
func sealTo(k hpke.PublicKey, info, plain []byte) ([]byte, error) {
	return hpke.Seal(k, hpke.HKDFSHA256(), hpke.AES256GCM(), info, plain)
}

// openBy opens what sealTo sealed to the other half in the same place; anything else is
// [ErrCorrupt].
func openBy(k hpke.PrivateKey, info, sealed []byte) ([]byte, error) {
	if len(sealed) < halfOverhead {
		return nil, ErrCorrupt
	}
	plain, err := hpke.Open(k, hpke.HKDFSHA256(), hpke.AES256GCM(), info, sealed)
	if err != nil {
		return nil, ErrCorrupt
	}
	return plain, nil
}

// halfID is the number by which a public half is told from others.
type halfID [8]byte

func idOf(k hpke.PublicKey) halfID {
	sum := sha256.Sum256(append([]byte("habeas public half\x00"), k.Bytes()...))
	return halfID(sum[:8])
}
