package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"gocloud.dev/blob"

	"habeas.dev/pkg/vault"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/handover"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/letter"
	"habeas.dev/services/internal/outbox"
	"habeas.dev/services/internal/receipt"
	"habeas.dev/services/internal/signkey"
)

// handedOver changes by what persons open their answers.
type handedOver struct{ in *installation.Installation }

// Passphrase implements console.Answers.
func (h handedOver) Passphrase(ctx context.Context, requestID string) (string, error) {
	identity, err := aggregator.OpenIdentity(ctx, h.in.Vault, h.in.Outbox, requestID)
	if err != nil {
		return "", err
	}
	return handover.Anew(ctx, h.in.Outbox, requestID, identity)
}

// Revoke implements console.Answers.
func (h handedOver) Revoke(ctx context.Context, requestID string) error {
	return handover.Revoke(ctx, h.in.Outbox, requestID)
}

// writtenLetters opens letters in the outbox.
type writtenLetters struct{ in *installation.Installation }

// maxLetter bounds what is read of a letter, in bytes: many times the longest.
const maxLetter = 64 << 10

// OpenLetter implements console.Letters.
func (l writtenLetters) OpenLetter(ctx context.Context, object string) (io.ReadCloser, error) {
	r, err := l.in.Outbox.NewReader(ctx, object, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // it was read
	lies, err := io.ReadAll(io.LimitReader(r, maxLetter))
	if err != nil {
		return nil, err
	}
	text, err := letter.Open(ctx, l.in.Vault, outbox.Parse(object).RequestID, lies)
	return io.NopCloser(bytes.NewReader(text)), err
}

// evidence returns what the console's packs of evidence are made with: signed where the key
// that signs answers is there, with the receipt where that of the log is.
func (n *Node) evidence() (console.Evidence, error) {
	var out console.Evidence
	key, err := installation.OpenSigningKey(n.Config, signkey.Bundles, false)
	if err != nil {
		return out, err
	}
	if key != nil {
		out.Signer = key
	}
	in := n.Installation
	out.Receipt = func(ctx context.Context, requestID string) (document, proof []byte, ok bool, err error) {
		mirror, err := installation.OpenMirror(ctx, n.Config)
		if err != nil {
			return nil, nil, false, err
		}
		defer func() { _ = mirror.Close() }() // it was only read
		log, err := installation.OpenLog(n.Config, in.Journal, mirror, false)
		if err != nil || log == nil {
			return nil, nil, false, err
		}
		facts, err := in.Journal.Facts(ctx, requestID, 1)
		if err != nil {
			return nil, nil, false, err
		}
		r, err := receipt.Open(ctx, in.Journal, facts, in.Vault, log)
		if errors.Is(err, receipt.ErrNone) || errors.Is(err, vault.ErrShredded) {
			return nil, nil, false, nil
		}
		return r.Document, r.Proof, err == nil, err
	}
	return out, nil
}

// openSent returns what opens what people have sent; nil without a portal.
func (n *Node) openSent(ctx context.Context) (console.Sent, error) {
	if n.Config.Portal.Listen == "" {
		return nil, nil
	}
	identity, err := installation.OpenUploadsKey(n.Config, true)
	if err != nil {
		return nil, err
	}
	bucket, _, err := installation.OpenUploads(ctx, n.Config)
	if err != nil {
		return nil, err
	}
	n.onStop(bucket.Close)
	return sentUploads{bucket, identity}, nil
}

// sentUploads opens what people have sent.
type sentUploads struct {
	bucket   *blob.Bucket
	identity age.Identity
}

// Open implements console.Sent.
func (s sentUploads) Open(ctx context.Context, object string) (io.ReadCloser, error) {
	sealed, err := s.bucket.NewReader(ctx, object, nil)
	if err != nil {
		return nil, fmt.Errorf("uploads: %w", err)
	}
	plain, err := age.Decrypt(sealed, s.identity)
	if err != nil {
		_ = sealed.Close() // it was only read
		return nil, fmt.Errorf("uploads: %w", err)
	}
	return struct {
		io.Reader
		io.Closer
	}{plain, sealed}, nil
}
