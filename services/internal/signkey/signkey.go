// Package signkey makes and reads the keys that sign what leaves an installation:
// answers and the log of receipts. They are Ed25519 keys in the form of signed notes
// (c2sp.org/signed-note), so that other people's tools verify with them.
package signkey

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// The keys' purposes, which end their names: a key for one signs nothing of the other.
const (
	Bundles = "bundles"
	Log     = "log"
)

// Key is a key that signs, with the text by which others verify.
type Key struct {
	note.Signer
	// Verifier is the public key as others are given it: name+id+key. It is no secret.
	Verifier string
}

// name matches a signed note's key name as used here: a host and a path.
var name = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,120}(/[a-z0-9.-]{1,40}){1,3}$`)

// Name returns the name of an installation's key of one purpose: origin/bundles.
func Name(origin, purpose string) string { return origin + "/" + purpose }

// CheckOrigin returns what is wrong with an installation's name, under which it signs.
func CheckOrigin(origin string) error {
	if !name.MatchString(Name(origin, Log)) {
		return errors.New("it must be a host's name in small letters, with a path perhaps, as privacy.example.com/habeas")
	}
	return nil
}

// Create makes a key in a file that only its owner reads, and its public part in a file
// beside it, which ends in .pub. A key that is there is never replaced: fs.ErrExist.
func Create(path, keyName string) (Key, error) {
	if !name.MatchString(keyName) {
		return Key{}, fmt.Errorf("a key can't be named %q", keyName)
	}
	secret, verifier, err := note.GenerateKey(rand.Reader, keyName)
	if err != nil {
		return Key{}, fmt.Errorf("make a key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return Key{}, err
	}
	if err := writeNew(path, secret+"\n", 0o600); err != nil {
		return Key{}, err
	}
	// Whatever became of the public part, it follows from the key.
	if err := os.WriteFile(path+".pub", []byte(verifier+"\n"), 0o644); err != nil {
		return Key{}, err
	}
	return Read(path)
}

// writeNew writes a file that isn't there yet, whole or not at all.
func writeNew(path, text string, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Link(f.Name(), path) // fails where it exists
}

// maxFile bounds a key's file; a key has about 150 bytes.
const maxFile = 4 << 10

// Read reads a key from its file.
func Read(path string) (Key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Key{}, fmt.Errorf("signing key: %w; make one with habeas keys init", err)
	}
	if info.Size() > maxFile {
		return Key{}, fmt.Errorf("signing key %s is longer than any key", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Key{}, fmt.Errorf("signing key: %w", err)
	}
	secret := strings.TrimSpace(string(text))
	signer, err := note.NewSigner(secret)
	if err != nil { // the library's words may quote the key
		return Key{}, fmt.Errorf("signing key %s isn't one that habeas keys init made", path)
	}
	verifier, err := verifierOf(secret)
	if err != nil {
		return Key{}, fmt.Errorf("signing key %s isn't one that habeas keys init made", path)
	}
	return Key{signer, verifier}, nil
}

// verifierOf returns the public part of a key: PRIVATE+KEY+name+id+seed.
func verifierOf(secret string) (string, error) {
	parts := strings.SplitN(secret, "+", 5)
	if len(parts) != 5 {
		return "", errors.New("malformed")
	}
	raw, err := base64.StdEncoding.DecodeString(parts[4])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return "", errors.New("malformed")
	}
	public, ok := ed25519.NewKeyFromSeed(raw[1:]).Public().(ed25519.PublicKey)
	if !ok {
		return "", errors.New("malformed")
	}
	return note.NewEd25519VerifierKey(parts[2], public)
}

// Verifiers reads public keys, each as its text or as the path of a file with one a
// line, as what [Create] leaves beside a key.
func Verifiers(keys []string) ([]note.Verifier, error) {
	var all []note.Verifier
	for _, k := range keys {
		text := k
		if b, err := os.ReadFile(k); err == nil {
			text = string(b)
		}
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			v, err := note.NewVerifier(line)
			if err != nil {
				return nil, fmt.Errorf("%q is neither a file nor a verifier's key (name+id+key), as habeas keys show prints it", k)
			}
			all = append(all, v)
		}
	}
	return all, nil
}
