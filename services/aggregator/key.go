package aggregator

import (
	"filippo.io/age"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/vault"
)

// stanzaVault is the type of the age stanza that holds a bundle's file key, and
// stanzaLater that of a bundle which is made when the request's records have ended.
const (
	stanzaVault = "habeas.dev/vault"
	stanzaLater = "habeas.dev/vault/later"
	// stanzaIdentity and stanzaIdentityLater are the types of the stanza that holds an
	// identity of the bundle's own, sealed as its file key is.
	stanzaIdentity      = "habeas.dev/vault/identity"
	stanzaIdentityLater = "habeas.dev/vault/later/identity"
)

// ErrNoIdentity says that a bundle was written before bundles had identities.
var ErrNoIdentity = telemetry.Constant("aggregator: the answer has no identity of its own; have it assembled anew")

// bundleKey is an age recipient and identity: a bundle's file key is sealed with
// the keys of its request, so that who has the vault opens it, and nobody else,
// and nobody at all once the keys were destroyed.
type bundleKey struct{ keys *vault.Keys }

// Wrap seals a bundle's file key.
func (k bundleKey) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	kind, stanza, own := vault.BundleKey, stanzaVault, stanzaIdentity
	if k.keys.Ended(vault.RecordsRoot) {
		kind, stanza, own = vault.LaterBundleKey, stanzaLater, stanzaIdentityLater
	}
	sealed, err := k.keys.Seal(fileKey, kind)
	if err != nil {
		return nil, err
	}
	// An identity that opens this bundle alone can be handed out under a passphrase later,
	// when the bundle itself can't be encrypted anew.
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, err
	}
	opens, err := k.keys.Seal([]byte(identity.String()), kind)
	if err != nil {
		return nil, err
	}
	stanzas, err := identity.Recipient().Wrap(fileKey)
	if err != nil {
		return nil, err
	}
	return append([]*age.Stanza{{Type: stanza, Body: sealed}, {Type: own, Body: opens}}, stanzas...), nil
}

// ownIdentity reads, from a bundle's header, the identity that opens it.
type ownIdentity struct {
	keys *vault.Keys
	text string
}

// Unwrap keeps the identity. It opens nothing: it returns the identity's own answer.
func (o *ownIdentity) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	for _, s := range stanzas {
		kind := vault.BundleKey
		switch s.Type {
		case stanzaIdentityLater:
			kind = vault.LaterBundleKey
		case stanzaIdentity:
		default:
			continue
		}
		text, err := o.keys.Open(s.Body, kind)
		if err != nil {
			return nil, err
		}
		identity, err := age.ParseX25519Identity(string(text))
		if err != nil {
			return nil, ErrNoIdentity // its text would be in the parser's
		}
		o.text = string(text)
		return identity.Unwrap(stanzas)
	}
	return nil, ErrNoIdentity
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
