package cloudvault

import (
	"context"
	"fmt"

	"gocloud.dev/gcerrors"
	"gocloud.dev/secrets"

	"habeas.dev/pkg/vault"
)

// Master makes a vault's master key of a keeper.
func Master(k *secrets.Keeper) vault.Master { return keeper{k} }

type keeper struct{ secrets *secrets.Keeper }

func (k keeper) Encrypt(ctx context.Context, plain []byte) ([]byte, error) {
	return k.secrets.Encrypt(ctx, plain)
}

func (k keeper) Decrypt(ctx context.Context, sealed []byte) ([]byte, error) {
	plain, err := k.secrets.Decrypt(ctx, sealed)
	if err == nil {
		return plain, nil
	}
	switch gcerrors.Code(err) {
	case gcerrors.Unknown, gcerrors.InvalidArgument, gcerrors.FailedPrecondition:
		// The services say that the ciphertext isn't theirs; the local keeper, and
		// a service that can't be reached, say Unknown and nothing more.
		return nil, fmt.Errorf("%w: %w", vault.ErrWrongKey, err)
	default:
		return nil, err
	}
}
