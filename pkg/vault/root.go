package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"strings"
)

// Root says from which of a request's two secrets a key comes. All that comes of one
// ends with it, and nothing that comes of the other (RootsEndApart in vaulttest).
type Root uint8

const (
	// SubjectRoot is of what says whom a request is about and what it was planned to
	// touch: identifiers, details, plans, grants.
	SubjectRoot Root = iota
	// RecordsRoot is of what was gathered, and of the answer.
	RecordsRoot
	rootCount
)

// String returns the root's word, which is part of its key's name.
func (r Root) String() string { return [...]string{"subject", "records"}[r] }

const (
	// rootBytes is the length of a root, and of every key that is derived from one.
	rootBytes   = 32
	rootVersion = 2
)

// root is what the master key wraps. Its request and which of the two it is are in
// it, so that it can't be put in another's place.
type root struct {
	Version int    `json:"v"`
	Request string `json:"request"`
	Root    string `json:"root"`
	Secret  []byte `json:"secret"`
}

// newRoot makes a fresh root in the form in which it is kept, before it is wrapped.
func newRoot(requestID string, which Root) ([]byte, error) {
	r := root{Version: rootVersion, Request: requestID, Root: which.String(), Secret: make([]byte, rootBytes)}
	rand.Read(r.Secret) // never fails
	return json.Marshal(r)
}

// parseRoot returns the secret of the kept form.
func parseRoot(requestID string, which Root, plain []byte) ([]byte, error) {
	var r root
	if err := json.Unmarshal(plain, &r); err != nil || r.Version != rootVersion || r.Request != requestID || r.Root != which.String() || len(r.Secret) != rootBytes {
		return nil, ErrCorrupt
	}
	return r.Secret, nil
}

// rootName returns the name of a root's key.
func rootName(requestID string, which Root) string { return requestID + "." + which.String() }

// rootOfName tells of which request a key's name is which root.
func rootOfName(name string) (requestID string, which Root, ok bool) {
	for which := range rootCount {
		if id, is := strings.CutSuffix(name, "."+which.String()); is {
			return id, which, true
		}
	}
	return "", 0, false
}

// derive returns a key of a secret for a purpose: HKDF-Expand with SHA-256 (RFC 5869);
// the secret is random already. No part holds a zero byte, so that no two purposes
// are one.
func derive(secret []byte, purpose ...string) []byte {
	key, err := hkdf.Expand(sha256.New, secret, "habeas vault 2\x00"+strings.Join(purpose, "\x00"), rootBytes)
	if err != nil {
		panic(err) // 32 bytes can always be had
	}
	return key
}

// newAEAD returns AES-256-GCM with random nonces. Of what one key seals, 2^32 values
// are never near: each request, and each attempt of a system, has its own.
func newAEAD(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // every key here is of 32 bytes
	}
	a, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // its blocks are of 16 bytes
	}
	return a
}
