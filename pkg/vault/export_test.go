package vault

import (
	"context"

	"habeas.dev/pkg/vault/internal/store"
)

// RandomMaster returns a random master key, for the conformance suite, which is
// outside of the package.
func RandomMaster() Master { return randomMaster() }

// LocalMaster returns a master key that is at hand.
func LocalMaster(key [masterBytes]byte) Master { return newLocal(key) }

// SecretBy returns the secret of a purpose as an index key of its own makes it.
func SecretBy(index []byte, purpose string) []byte {
	return (&Vault{secrets: newIndexer(index)}).Secret(purpose)
}

// NewBy makes a vault by a master key's file, with old ones.
func NewBy(ctx context.Context, objects store.Bucket, keys KeyStore, path string, old ...Master) (*Vault, error) {
	master, err := masterFile(path, false)
	if err != nil {
		return nil, err
	}
	if len(old) > 0 {
		master = &masters{Master: master, old: old}
	}
	return New(ctx, objects, keys, master)
}
