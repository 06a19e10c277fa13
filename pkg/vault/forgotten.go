package vault

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// forgottenKey is the name of the day up to which these keys have seen what was
// forgotten. It is no request's: those have no such letters in their names.
const forgottenKey = "forgotten-through"

// ForgottenThrough returns the day up to which what was forgotten elsewhere has been
// ended in this key store; the zero time where that was never noted. A key store that was
// restored from a backup gives the day of the backup.
func (v *Vault) ForgottenThrough(ctx context.Context) (time.Time, error) {
	text, err := v.keys.ReadKey(ctx, forgottenKey)
	if errors.Is(err, ErrNoKeys) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("vault: %w", err)
	}
	day, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return time.Time{}, nil //nolint:nilerr // all is ended anew
	}
	return day, nil
}

// SetForgottenThrough notes the day.
func (v *Vault) SetForgottenThrough(ctx context.Context, day time.Time) error {
	if err := v.keys.ReplaceKey(ctx, forgottenKey, []byte(day.UTC().Format(time.DateOnly))); err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	return nil
}
