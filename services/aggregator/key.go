package aggregator

import (
	"filippo.io/age"

	"habeas.dev/pkg/vault"
)

// stanzaVault is the type of the age stanza that holds a bundle's file key, and
// stanzaLater that of a bundle which is made when the request's records have ended.
const (
	stanzaVault = "habeas.dev/vault"
	stanzaLater = "habeas.dev/vault/later"
)

// bundleKey is an age recipient and identity: a bundle's file key is sealed with
// the keys of its request, so that who has the vault opens it, and nobody else,
// and nobody at all once the keys were destroyed.
type bundleKey struct{ keys *vault.Keys }

// Wrap seals a bundle's file key.
func (k bundleKey) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	kind, stanza := vault.BundleKey, stanzaVault
	if k.keys.Ended(vault.RecordsRoot) {
		kind, stanza = vault.LaterBundleKey, stanzaLater
	}
	sealed, err := k.keys.Seal(fileKey, kind)
	if err != nil {
		return nil, err
	}
	return []*age.Stanza{{Type: stanza, Body: sealed}}, nil
}

// Unwrap opens a bundle's file key.
func (k bundleKey) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	for _, s := range stanzas {
		switch s.Type {
		case stanzaVault:
			return k.keys.Open(s.Body, vault.BundleKey)
		case stanzaLater:
			return k.keys.Open(s.Body, vault.LaterBundleKey)
		}
	}
	return nil, age.ErrIncorrectIdentity
}
