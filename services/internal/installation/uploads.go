package installation

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
	"gocloud.dev/blob"

	"habeas.dev/services/internal/config"
)

// OpenUploads opens where what people send lies, and returns what it is sealed to.
func OpenUploads(ctx context.Context, c config.Config) (*blob.Bucket, age.Recipient, error) {
	var recipient age.Recipient
	if text := c.Portal.UploadsRecipient; text != "" {
		r, err := age.ParseX25519Recipient(text)
		if err != nil {
			return nil, nil, errors.New("portal.uploads_recipient isn't a recipient of age's: age1…")
		}
		recipient = r
	} else {
		identity, err := OpenUploadsKey(c, true)
		if err != nil {
			return nil, nil, err
		}
		recipient = identity.Recipient()
	}
	b, err := bucket(ctx, c.Portal.Uploads)
	if err != nil {
		return nil, nil, fmt.Errorf("portal.uploads: %w", err)
	}
	return b, recipient, nil
}

// OpenUploadsKey reads the identity that opens what people send. Where its file is missing,
// one is made with create if it belongs below the data folder.
func OpenUploadsKey(c config.Config, create bool) (*age.X25519Identity, error) {
	path := c.Portal.UploadsKey
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && create {
		if below, relErr := filepath.Rel(c.Data, path); relErr != nil || strings.HasPrefix(below, "..") {
			return nil, fmt.Errorf("portal.uploads_key: %w", err)
		}
		if err := makeUploadsKey(path); err != nil {
			return nil, err
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("portal.uploads_key: %w", err)
	}
	identity, err := age.ParseX25519Identity(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, errors.New("portal.uploads_key: the file doesn't hold an identity of age's") // its text would be in the parser's
	}
	return identity, nil
}

// MakeUploadsKey makes the identity that opens what people send, wherever the configuration
// has it; one that is there stays.
func MakeUploadsKey(c config.Config) (*age.X25519Identity, error) {
	if err := makeUploadsKey(c.Portal.UploadsKey); err != nil {
		return nil, err
	}
	return OpenUploadsKey(c, false)
}

// makeUploadsKey makes an identity, unless another process was faster.
func makeUploadsKey(path string) error {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return fmt.Errorf("portal.uploads_key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("portal.uploads_key: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("portal.uploads_key: %w", err)
	}
	_, err = f.WriteString(identity.String() + "\n")
	return errors.Join(err, f.Close())
}
