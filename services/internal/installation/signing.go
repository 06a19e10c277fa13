package installation

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/signkey"
)

// SigningKey is one of the keys by which an installation signs, and where it lies.
type SigningKey struct{ Purpose, Name, Path string }

// SigningKeys returns all of them.
func SigningKeys(r config.Receipts) []SigningKey {
	return []SigningKey{{signkey.Bundles, signkey.Name(r.Name, signkey.Bundles), r.BundleKey}, {signkey.Log, signkey.Name(r.Name, signkey.Log), r.LogKey}}
}

// OpenSigningKey reads the key for a purpose. Where its file is missing, one is made
// with create if it belongs below the data folder; else nil is returned.
func OpenSigningKey(c config.Config, purpose string, create bool) (*signkey.Key, error) {
	for _, k := range SigningKeys(c.Receipts) {
		if k.Purpose != purpose {
			continue
		}
		key, err := signkey.Read(k.Path)
		if errors.Is(err, fs.ErrNotExist) {
			if below, relErr := filepath.Rel(c.Data, k.Path); !create || relErr != nil || strings.HasPrefix(below, "..") {
				return nil, nil //nolint:nilerr // there is no key, and none may be made
			}
			if key, err = signkey.Create(k.Path, k.Name); errors.Is(err, fs.ErrExist) {
				key, err = signkey.Read(k.Path) // another process was faster
			}
		}
		if err != nil {
			return nil, err
		}
		if key.Name() != k.Name {
			return nil, &NamedError{Path: k.Path, Is: key.Name(), Want: k.Name}
		}
		return &key, nil
	}
	return nil, os.ErrInvalid
}

// NamedError says that a key was made under another name than the configuration has:
// what it signed before would no longer be found by its name.
type NamedError struct{ Path, Is, Want string }

func (e *NamedError) Error() string {
	return "signing key " + e.Path + " is of " + e.Is + ", and receipts.name makes it " + e.Want + "; set the name back, or name another file and make a new key with habeas keys init"
}
