// Package cloudvault opens a vault in any store that gocloud.dev/blob has a
// driver for, with a master key in any service that gocloud.dev/secrets has one
// for. Which drivers there are is the program's choice: it imports them.
//
//	v, err := vault.Open(ctx, vault.Config{
//		Bucket:  "s3://dsar-vault?region=eu-central-1",
//		Keys:    "s3://dsar-keys?region=eu-central-1",
//		Key:     "awskms://alias/dsar?region=eu-central-1",
//		Drivers: cloudvault.Drivers{},
//	})
//
// It is a package of its own because of what it brings: a worker whose vault is
// a directory needs no module of any cloud.
//
// Stability: stable: a name that changes stands in the CHANGELOG.
package cloudvault

import (
	"context"

	"gocloud.dev/blob"
	"gocloud.dev/secrets"

	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/vault/internal/store"
)

// Drivers are those of gocloud.dev that the program imports.
type Drivers struct{}

var _ vault.Drivers = Drivers{}

// OpenBucket opens a gocloud.dev/blob URL.
func (Drivers) OpenBucket(ctx context.Context, url string) (store.Bucket, error) {
	b, err := blob.OpenBucket(ctx, url)
	if err != nil {
		return nil, err
	}
	return ownBucket{cloud{b}}, nil
}

// OpenMaster opens a gocloud.dev/secrets URL.
func (Drivers) OpenMaster(ctx context.Context, url string) (vault.Master, error) {
	k, err := secrets.OpenKeeper(ctx, url)
	if err != nil {
		return nil, err
	}
	return ownMaster{keeper{k}}, nil
}

// The vault closes what Drivers opened, and nothing that its caller opened.
type (
	ownBucket struct{ cloud }
	ownMaster struct{ keeper }
)

func (o ownBucket) Close() error { return o.bucket.Close() }
func (o ownMaster) Close() error { return o.secrets.Close() }
