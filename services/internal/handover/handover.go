// Package handover has how an answer reaches the person and nobody else: it is encrypted
// to an age identity, and that identity lies beside it as an age file of its own, under a
// passphrase that the person has chosen or was given. Who has both files and the passphrase
// opens it with any age program:
//
//	age -d -i key.age answer.zip.age > answer.zip
//
// Neither file opens without the passphrase, and that is kept nowhere.
package handover

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"filippo.io/age"
	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/outbox"
)

const (
	// workFactor is scrypt's, as a power of two: 64 MiB and some tenths of a second, which a
	// telephone's browser can do as well. Passphrases of ours have 80 bits.
	workFactor = 16
	// MinPassphrase and MaxPassphrase bound a passphrase, in characters.
	MinPassphrase = 12
	MaxPassphrase = 200
	// maxKey bounds a wrapped identity, in bytes: it has some 260.
	maxKey = 4 << 10
)

// The errors that people are told of.
var (
	// ErrPassphrase says that a passphrase doesn't open an identity.
	ErrPassphrase = telemetry.Constant("handover: another passphrase")
	// ErrWeak says that a passphrase is too short, too long, or of too few characters.
	ErrWeak = telemetry.Constant("handover: a passphrase has from 12 to 200 characters, of which six differ")
	// ErrNoKey says that no identity is there for the person.
	ErrNoKey = telemetry.Constant("handover: nothing was wrapped for the person")
)

// Key is an identity that was made for a person.
type Key struct {
	Recipient string // age1…: what is encrypted to it, the person opens
	Wrapped   []byte // the identity, an age file under the passphrase
}

// NewKey makes an identity and wraps it. The identity itself is forgotten.
func NewKey(passphrase string) (Key, error) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return Key{}, fmt.Errorf("handover: %w", err)
	}
	wrapped, err := Wrap(identity.String(), passphrase)
	return Key{identity.Recipient().String(), wrapped}, err
}

// Wrap returns an identity as an age file under a passphrase.
func Wrap(identity, passphrase string) ([]byte, error) {
	passphrase = normal(passphrase)
	if err := Check(passphrase); err != nil {
		return nil, err
	}
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fmt.Errorf("handover: %w", err)
	}
	r.SetWorkFactor(workFactor)
	var out bytes.Buffer
	w, err := age.Encrypt(&out, r)
	if err != nil {
		return nil, fmt.Errorf("handover: %w", err)
	}
	if _, err := io.WriteString(w, identity+"\n"); err != nil {
		return nil, fmt.Errorf("handover: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("handover: %w", err)
	}
	return out.Bytes(), nil
}

// Opens returns [ErrPassphrase] where a passphrase doesn't open a wrapped identity.
func Opens(wrapped []byte, passphrase string) error {
	i, err := age.NewScryptIdentity(normal(passphrase))
	if err != nil {
		return ErrPassphrase // an empty one
	}
	i.SetMaxWorkFactor(workFactor)
	if _, err := age.Decrypt(bytes.NewReader(wrapped), i); err != nil {
		return ErrPassphrase
	}
	return nil
}

// Check returns [ErrWeak] for a passphrase that is none.
func Check(passphrase string) error {
	passphrase = normal(passphrase)
	n := utf8.RuneCountInString(passphrase)
	differ := map[rune]bool{}
	for _, r := range passphrase {
		differ[r] = true
	}
	if n < MinPassphrase || n > MaxPassphrase || len(differ) < 6 || !utf8.ValidString(passphrase) {
		return ErrWeak
	}
	return nil
}

// normal leaves out what is around a passphrase where it was pasted or written down.
func normal(passphrase string) string { return strings.TrimSpace(passphrase) }

// alphabet has no letters and digits that look alike.
const alphabet = "abcdefghijkmnpqrstuvwxyz23456789"

// Passphrase returns one of 80 random bits: abcd-efgh-jkmn-pqrs.
func Passphrase() string {
	var random [10]byte
	_, _ = rand.Read(random[:]) // it never fails
	text := base32.NewEncoding(alphabet).WithPadding(base32.NoPadding).EncodeToString(random[:])
	return text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:]
}

// Leave puts a request's wrapped identity into the outbox, in the place of an earlier one.
func Leave(ctx context.Context, box *blob.Bucket, requestID string, wrapped []byte) error {
	if err := box.WriteAll(ctx, outbox.KeyName(requestID), wrapped, &blob.WriterOptions{ContentType: "application/age-encryption"}); err != nil {
		return fmt.Errorf("handover: request %s: %w", requestID, err)
	}
	return nil
}

// Anew wraps the identity of a request's answer under a passphrase that it makes, puts it into
// the outbox, and returns the passphrase: it is kept nowhere.
func Anew(ctx context.Context, box *blob.Bucket, requestID, identity string) (passphrase string, err error) {
	passphrase = Passphrase()
	wrapped, err := Wrap(identity, passphrase)
	if err != nil {
		return "", err
	}
	return passphrase, Leave(ctx, box, requestID, wrapped)
}

// Read returns a request's wrapped identity, or [ErrNoKey].
func Read(ctx context.Context, box *blob.Bucket, requestID string) ([]byte, error) {
	r, err := box.NewReader(ctx, outbox.KeyName(requestID), nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, ErrNoKey
	}
	if err != nil {
		return nil, fmt.Errorf("handover: request %s: %w", requestID, err)
	}
	defer func() { _ = r.Close() }() // it was only read
	wrapped, err := io.ReadAll(io.LimitReader(r, maxKey))
	if err != nil {
		return nil, fmt.Errorf("handover: request %s: %w", requestID, err)
	}
	return wrapped, nil
}

// Revoke deletes a request's wrapped identity: the person opens nothing any more that they
// haven't fetched. Where there is none, nothing is done.
func Revoke(ctx context.Context, box *blob.Bucket, requestID string) error {
	return outbox.Delete(ctx, box, outbox.KeyName(requestID))
}
