package letter

import (
	"bytes"
	"context"

	"habeas.dev/pkg/vault"
)

// sealedMagic begins a letter that lies sealed in the outbox; no letter's words begin so.
const sealedMagic = "habeas letter 1\n"

// Keys has the keys of requests; vault.Vault does.
type Keys interface {
	Keys(ctx context.Context, requestID string) (*vault.Keys, error)
}

// Seal returns a letter as it lies in the outbox where nobody needs to read it there: sealed
// by its request's key, and so ended with that.
func Seal(keys *vault.Keys, text string) ([]byte, error) {
	sealed, err := keys.Seal([]byte(text), vault.Letter)
	if err != nil {
		return nil, err
	}
	return append([]byte(sealedMagic), sealed...), nil
}

// Open returns a letter's words, sealed or not, from what lies in the outbox.
func Open(ctx context.Context, v Keys, requestID string, lies []byte) ([]byte, error) {
	sealed, is := bytes.CutPrefix(lies, []byte(sealedMagic))
	if !is {
		return lies, nil
	}
	keys, err := v.Keys(ctx, requestID)
	if err != nil {
		return nil, err
	}
	return keys.Open(sealed, vault.Letter)
}
