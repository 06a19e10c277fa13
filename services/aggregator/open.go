package aggregator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"filippo.io/age"
	"gocloud.dev/blob"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/outbox"
)

// ErrAltered says that a bundle isn't the one that the journal names.
var ErrAltered = telemetry.Constant("the answer in the outbox isn't the one that the journal names: it was altered or exchanged; restore it from a backup, or have it assembled anew with habeas retry")

// OpenAnswer opens a request's bundle as [OpenBundle] does, and holds it to what the
// journal says of it: where its length or hash is another, reading ends with
// [ErrAltered] in the place of io.EOF (TestOpenAnswer).
func OpenAnswer(ctx context.Context, v *vault.Vault, box *blob.Bucket, requestID string, journalled dsar.Object) (io.ReadCloser, error) {
	r, err := OpenBundle(ctx, v, box, requestID)
	if err != nil {
		return nil, err
	}
	return &held{ReadCloser: r, want: journalled, sum: sha256.New()}, nil
}

// OpenIdentity returns the identity that opens a request's bundle, and nothing else: an age
// identity to be wrapped under a passphrase.
func OpenIdentity(ctx context.Context, v *vault.Vault, box *blob.Bucket, requestID string) (string, error) {
	keys, err := v.Keys(ctx, requestID)
	if err != nil {
		return "", fmt.Errorf("aggregator: %w", err)
	}
	sealed, err := box.NewReader(ctx, outbox.AnswerName(requestID), nil)
	if err != nil {
		return "", fmt.Errorf("aggregator: bundle of request %s: %w", requestID, err)
	}
	defer func() { _ = sealed.Close() }() // only its header was read
	own := &ownIdentity{keys: keys}
	if _, err := age.Decrypt(sealed, own); err != nil {
		return "", fmt.Errorf("aggregator: bundle of request %s: %w", requestID, err)
	}
	return own.text, nil
}

// held compares what is read with what the journal says.
type held struct {
	io.ReadCloser
	want dsar.Object
	sum  hash.Hash
	n    int64
}

func (h *held) Read(p []byte) (int, error) {
	n, err := h.ReadCloser.Read(p)
	h.n += int64(n)
	h.sum.Write(p[:n])
	if err == io.EOF && (h.n != h.want.Bytes || hex.EncodeToString(h.sum.Sum(nil)) != h.want.SHA256) || h.n > h.want.Bytes {
		return n, ErrAltered
	}
	return n, err
}
