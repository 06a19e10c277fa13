package aggregator

import (
	"context"
	"errors"
	"fmt"

	"filippo.io/age"
	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/handover"
)

// Answers are the bundles and their addenda in the outbox, for whoever forgets them.
type Answers struct {
	Vault  *vault.Vault
	Outbox *blob.Bucket
}

// Delete deletes what there is of the answer to a request with so many addenda. Where there
// is nothing, nothing is done.
func (a Answers) Delete(ctx context.Context, requestID string, addenda int) error {
	for _, name := range answerNames(requestID, addenda) {
		if err := a.Outbox.Delete(ctx, name); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
			return fmt.Errorf("aggregator: delete %s: %w", name, err)
		}
	}
	return nil
}

// Opens reports whether anything of the answer to a request with so many addenda can be
// opened.
func (a Answers) Opens(ctx context.Context, requestID string, addenda int) (opens bool, err error) {
	keys, err := a.Vault.Keys(ctx, requestID)
	if errors.Is(err, vault.ErrShredded) || errors.Is(err, vault.ErrNoKeys) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("aggregator: %w", err)
	}
	for _, name := range answerNames(requestID, addenda) {
		sealed, err := a.Outbox.NewReader(ctx, name, nil)
		if gcerrors.Code(err) == gcerrors.NotFound {
			continue
		}
		if err != nil {
			return false, fmt.Errorf("aggregator: %s: %w", name, err)
		}
		_, err = age.Decrypt(sealed, bundleKey{keys})
		_ = sealed.Close() // it was only read
		if err == nil {
			return true, nil
		}
	}
	return false, nil
}

// answerNames returns the names of all that there can be of an answer in the outbox: the
// bundle, its addenda, and one more, which was written and not journalled, and what the
// portal hands them over by. They are known, and not listed: a list takes as long as there
// are answers in the outbox.
func answerNames(requestID string, addenda int) []string {
	names := []string{objectName(requestID), handover.KeyName(requestID), handover.FollowerName(requestID)}
	for n := range addenda + 1 {
		names = append(names, addendumName(requestID, n+1))
	}
	return names
}
