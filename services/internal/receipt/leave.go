package receipt

import (
	"context"
	"fmt"
	"io"
	"time"

	"filippo.io/age"
	"gocloud.dev/blob"

	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/outbox"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/words"
)

// Handing is what hands receipts out to people.
type Handing struct {
	Requests Requests
	Journal  interface {
		Journal
		Facts(ctx context.Context, requestID string, from int) ([]journal.Fact, error)
	}
	Vault  *vault.Vault
	Log    *Log
	Outbox *blob.Bucket
	// Identity returns the identity that opens a request's answer, and nothing else: an age
	// identity, which an agent can hand out under a passphrase. Empty: the answer is of
	// before v0.2.0, and has none.
	Identity func(ctx context.Context, requestID string) (string, error)
	// Key is the log's verifier key.
	Key       string
	Policy    *policy.Book
	Languages *words.Languages
}

// Page returns a request's receipt, and its page in the person's language.
func (h Handing) Page(ctx context.Context, requestID string) (Receipt, []byte, error) {
	s, err := h.Requests.State(ctx, requestID)
	if err != nil {
		return Receipt{}, nil, err
	}
	facts, err := h.Journal.Facts(ctx, requestID, 1)
	if err != nil {
		return Receipt{}, nil, err
	}
	r, err := Open(ctx, h.Journal, facts, h.Vault, h.Log)
	if err != nil {
		return r, nil, err
	}
	page, err := h.page(s, r)
	return r, page, err
}

func (h Handing) page(s core.State, r Receipt) ([]byte, error) {
	language, local := h.Languages.For(s.Accepted.Locale), time.Time.UTC
	if j, ok := h.Policy.Jurisdiction(s.Accepted.Jurisdiction); ok {
		language, local = h.Languages.Pick(s.Accepted.Locale, j.Languages).Under(j.ID), j.Local
	}
	return Page(r, h.Key, language, local)
}

// Leave leaves a request's receipt in the outbox, encrypted to whoever opens its answer, and
// returns its name: the identity of the answer's own, and the recipient that the request
// came with.
func (h Handing) Leave(ctx context.Context, requestID string) (string, error) {
	_, page, err := h.Page(ctx, requestID)
	if err != nil {
		return "", err
	}
	to, err := h.recipients(ctx, requestID)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // what isn't closed by then isn't written
	out, err := h.Outbox.NewWriter(ctx, outbox.ReceiptName(requestID), &blob.WriterOptions{ContentType: "application/age-encryption"})
	if err != nil {
		return "", fmt.Errorf("receipt of request %s: outbox: %w", requestID, err)
	}
	if err := seal(out, page, to); err != nil {
		cancel()
		_ = out.Close()
		return "", fmt.Errorf("receipt of request %s: %w", requestID, err)
	}
	if err := out.Close(); err != nil {
		return "", fmt.Errorf("receipt of request %s: outbox: %w", requestID, err)
	}
	return outbox.ReceiptName(requestID), nil
}

// recipients returns to whom a request's receipt is encrypted.
func (h Handing) recipients(ctx context.Context, requestID string) ([]age.Recipient, error) {
	s, err := h.Requests.State(ctx, requestID)
	if err != nil {
		return nil, err
	}
	text, err := h.Identity(ctx, requestID)
	if err != nil {
		return nil, fmt.Errorf("receipt of request %s: %w", requestID, err)
	}
	var to []age.Recipient
	if text != "" {
		own, err := age.ParseX25519Identity(text)
		if err != nil {
			return nil, fmt.Errorf("receipt of request %s: the identity of its answer isn't one of age's", requestID) // the parser's words quote it
		}
		to = append(to, own.Recipient())
	}
	if s.Accepted.Recipient != "" {
		theirs, err := age.ParseX25519Recipient(s.Accepted.Recipient)
		if err != nil {
			return nil, fmt.Errorf("receipt of request %s: its recipient isn't one of age's", requestID)
		}
		to = append(to, theirs)
	}
	return to, nil // age refuses to encrypt to nobody
}

func seal(out io.Writer, plain []byte, to []age.Recipient) error {
	w, err := age.Encrypt(out, to...)
	if err != nil {
		return err
	}
	if _, err := w.Write(plain); err != nil {
		return err
	}
	return w.Close()
}
