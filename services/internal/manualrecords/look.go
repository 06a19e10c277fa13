package manualrecords

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
)

// Opener opens objects; vault.Vault does.
type Opener interface {
	OpenObject(ctx context.Context, requestID, name string) (io.ReadCloser, error)
}

// Look reads what a worker has gathered, record by record: n counts them over all objects,
// from 0. It ends where each returns an error, and returns that.
func Look(ctx context.Context, v Opener, requestID string, objects []dsar.Object, each func(s record.Section, n int64, row []json.RawMessage) error) error {
	var n int64
	for _, o := range objects {
		if err := lookAt(ctx, v, requestID, o, func(s record.Section, row []json.RawMessage) error {
			n++
			return each(s, n-1, row)
		}); err != nil {
			return err
		}
	}
	return nil
}

func lookAt(ctx context.Context, v Opener, requestID string, o dsar.Object, each func(record.Section, []json.RawMessage) error) (err error) {
	sealed, err := v.OpenObject(ctx, requestID, o.Name)
	if err != nil {
		return fmt.Errorf("by hand: %w", err)
	}
	defer func() { err = errors.Join(err, sealed.Close()) }()
	r := record.NewReader(sealed)
	for {
		section, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("by hand: %w", err)
		}
		for {
			row, err := r.Row()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return fmt.Errorf("by hand: %w", err)
			}
			if err := each(section, row); err != nil {
				return err
			}
		}
	}
}
