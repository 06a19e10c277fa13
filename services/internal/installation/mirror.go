package installation

import (
	"context"
	"fmt"

	"gocloud.dev/blob"

	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/receipt"
	"habeas.dev/services/internal/signkey"
)

// OpenMirror opens what lies outside of journal and vault.
func OpenMirror(ctx context.Context, c config.Config) (*blob.Bucket, error) {
	b, err := bucket(ctx, c.Receipts.Mirror)
	if err != nil {
		return nil, fmt.Errorf("receipts.mirror: %w", err)
	}
	return b, nil
}

// OpenLog returns the transparency log of a journal; nil where there is no key for it.
func OpenLog(c config.Config, j journal.Store, mirror *blob.Bucket, create bool) (*receipt.Log, error) {
	key, err := OpenSigningKey(c, signkey.Log, create)
	if key == nil || err != nil {
		return nil, err
	}
	var witnesses []*receipt.Witness
	for _, w := range c.Receipts.Witnesses {
		witnesses = append(witnesses, receipt.NewWitness(w))
	}
	return receipt.NewLog(receipt.Config{Journal: j, Key: *key, Mirror: mirror, Witnesses: witnesses})
}
