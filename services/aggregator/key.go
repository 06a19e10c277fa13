package aggregator

import (
	"filippo.io/age"

	"habeas.dev/pkg/vault"
)

// stanzaVault is the type of the age stanza that holds a bundle's file key.
const stanzaVault = "habeas.dev/vault"

// bundleKey is an age recipient and identity: a bundle's file key is sealed with
// the keys of its request, so that who has the vault opens it, and nobody else,
// and nobody at all once the keys were destroyed.
type bundleKey struct{ keys *vault.Keys }

// Wrap seals a bundle's file key.
func (k bundleKey) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	sealed, err := k.keys.Seal(fileKey, vault.BundleKey)
	if err != nil {
		return nil, err
	}
	return []*age.Stanza{{Type: stanzaVault, Body: sealed}}, nil
}

// Unwrap opens a bundle's file key.
func (k bundleKey) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	for _, s := range stanzas {
		if s.Type == stanzaVault {
			return k.keys.Open(s.Body, vault.BundleKey)
		}
	}
	return nil, age.ErrIncorrectIdentity
}
