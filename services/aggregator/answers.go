package aggregator

import (
	"context"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"habeas.dev/pkg/vault"
)

// Answers are the bundles and their addenda in the outbox, for whoever forgets them.
type Answers struct {
	Vault  *vault.Vault
	Outbox *blob.Bucket
}

// Delete deletes what there is of a request's answer. Where there is nothing, nothing is
// done.
func (a Answers) Delete(ctx context.Context, requestID string) error {
	return a.each(ctx, requestID, func(name string) error {
		if err := a.Outbox.Delete(ctx, name); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
			return fmt.Errorf("aggregator: delete %s: %w", name, err)
		}
		return nil
	})
}

// Opens reports whether anything of a request's answer can be opened.
func (a Answers) Opens(ctx context.Context, requestID string) (opens bool, err error) {
	keys, err := a.Vault.Keys(ctx, requestID)
	if errors.Is(err, vault.ErrShredded) || errors.Is(err, vault.ErrNoKeys) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("aggregator: %w", err)
	}
	err = a.each(ctx, requestID, func(name string) error {
		sealed, err := a.Outbox.NewReader(ctx, name, nil)
		if err != nil {
			return fmt.Errorf("aggregator: %s: %w", name, err)
		}
		defer func() { _ = sealed.Close() }() // it was only read
		if _, err := age.Decrypt(sealed, bundleKey{keys}); err == nil {
			opens = true
		}
		return nil
	})
	return opens, err
}

// each calls f for each object of a request's answer.
func (a Answers) each(ctx context.Context, requestID string, f func(name string) error) error {
	list := a.Outbox.List(&blob.ListOptions{Prefix: requestID + "."})
	for {
		o, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("aggregator: outbox: %w", err)
		}
		if err := f(o.Key); err != nil {
			return err
		}
	}
}
