// Package installation opens what a configuration names: the journal, the vault
// and the outbox. The services run on it, and the command line reads it, whether
// they are running or not.
package installation

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"

	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/vault/cloudvault"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/open"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/links"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/prints"
	"habeas.dev/services/internal/remarks"
)

// Installation is an opened journal, vault and outbox; what a service doesn't
// need is nil.
type Installation struct {
	Config  config.Config
	Journal journal.Store
	Vault   *vault.Vault
	// Sealer is what takes requests in without opening any; nil where the vault is there.
	Sealer *vault.Sealer
	// Objects are the vault's, for who has no master key.
	Objects  *vault.Objects
	Links    *links.Folder
	Outbox   *blob.Bucket
	Requests *lifecycle.Lifecycle
	// Laws are those of the configuration, read once.
	Laws func() (*policy.Book, error)
}

// Parts are what of an installation is opened: each service has what it needs,
// and no more. The sealer is what intake needs of the vault where it has no master key.
type Parts struct{ Journal, Vault, Sealer, Objects, Outbox bool }

// Make opens parts of an installation, making the data folder's rooms and the master key
// where they are missing; of what lies elsewhere it makes no room. The options are those of
// its lifecycle.
func Make(ctx context.Context, c config.Config, p Parts, opts ...lifecycle.Option) (*Installation, error) {
	for room, wanted := range map[string]bool{config.RoomJournal: p.Journal && strings.HasPrefix(c.Journal, "sqlite:"), config.RoomVault: (p.Vault || p.Objects) && c.Vault.Bucket == c.Room(config.RoomVault),
		config.RoomVaultKeys: (p.Vault || p.Sealer) && c.Vault.Keys == c.Room(config.RoomVaultKeys), config.RoomOutbox: p.Outbox && c.Outbox == c.Room(config.RoomOutbox)} {
		if !wanted {
			continue
		}
		if err := os.MkdirAll(c.Room(room), 0o700); err != nil {
			return nil, fmt.Errorf("data folder: %w; name another one with --data", err)
		}
	}
	if err := check(c, p); err != nil {
		return nil, err
	}
	return openAll(ctx, c, true, p, opts...)
}

// Open opens an installation that exists.
func Open(ctx context.Context, c config.Config) (*Installation, error) {
	if path, ok := strings.CutPrefix(c.Journal, "sqlite://"); ok {
		if _, err := os.Stat(filepath.FromSlash(path)); err != nil {
			return nil, fmt.Errorf("no journal at %s; name the folder of a demo or of `habeas up` with --data", path)
		}
	}
	return openAll(ctx, c, false, Parts{Journal: true, Vault: true, Outbox: true})
}

func openAll(ctx context.Context, c config.Config, create bool, p Parts, opts ...lifecycle.Option) (_ *Installation, err error) {
	if err := checkDrivers(c); err != nil {
		return nil, err
	}
	in := &Installation{Config: c, Links: links.NewFolder(c.Links, c.Links == c.Room(config.RoomLinks)), Laws: sync.OnceValues(func() (*policy.Book, error) { return policy.Load(c.Laws...) })}
	defer func() {
		if err != nil {
			_ = in.Close()
		}
	}()
	if err := in.openKeys(ctx, create, p); err != nil {
		return nil, err
	}
	if p.Vault {
		in.Objects = in.Vault.Objects
	} else if p.Objects {
		if in.Objects, err = vault.OpenObjects(ctx, vault.Config{Bucket: c.Vault.Bucket, Apart: c.Vault.Apart, Drivers: cloudvault.Drivers{}}); err != nil {
			return nil, err
		}
	}
	if p.Outbox {
		if in.Outbox, err = bucket(ctx, c.Outbox); err != nil {
			return nil, fmt.Errorf("outbox: %w", err)
		}
	}
	if p.Journal {
		if in.Journal, err = open.Open(ctx, c.Journal); err != nil {
			return nil, err
		}
		if in.Sealer != nil { // what a request is found by, intake has made before it is sealed
			opts = append(opts, lifecycle.WithRemarks(remarks.Sealing{Vault: in.Sealer}))
		}
		if in.Vault != nil {
			opts = append(opts, lifecycle.WithPrints(prints.Prints{Vault: in.Vault}), lifecycle.WithRemarks(remarks.Remarks{Vault: in.Vault}))
		}
		in.Requests = lifecycle.New(in.Journal, opts...)
	}
	return in, nil
}

// openKeys opens the vault, or what takes requests in without it.
func (in *Installation) openKeys(ctx context.Context, create bool, p Parts) error {
	if !p.Vault && !p.Sealer {
		return nil
	}
	of := in.Config.Vault
	rules, err := identifier.New(in.Config.Identifiers.Country)
	if err != nil {
		return fmt.Errorf("identifiers.country: %w", err)
	}
	c := vault.Config{Bucket: of.Bucket, Apart: of.Apart, Keys: of.Keys, Key: of.Key, OldKeys: of.OldKeys, CreateKey: create, Identifiers: rules, Drivers: cloudvault.Drivers{}}
	if p.Vault {
		in.Vault, err = vault.Open(ctx, c)
	} else {
		in.Sealer, err = vault.OpenSealer(ctx, c, of.SealingKey)
	}
	return err
}

// Close closes what is open.
func (in *Installation) Close() error {
	var errs []error
	if in.Journal != nil {
		errs = append(errs, in.Journal.Close())
	}
	if in.Outbox != nil {
		errs = append(errs, in.Outbox.Close())
	}
	switch {
	case in.Sealer != nil:
		errs = append(errs, in.Sealer.Close())
	case in.Vault != nil:
		errs = append(errs, in.Vault.Close())
	case in.Objects != nil:
		errs = append(errs, in.Objects.Close())
	}
	return errors.Join(errs...)
}

// Facts returns all the facts of a request; core.ErrUnknown where there are none.
func (in *Installation) Facts(ctx context.Context, requestID string) ([]journal.Fact, error) {
	facts, err := in.Journal.Facts(ctx, requestID, 1)
	if err == nil && len(facts) == 0 {
		err = core.ErrUnknown
	}
	return facts, err
}

// bucket opens a folder or a bucket URL. A folder that it makes is its owner's
// only; its files, which are sealed bundles, have no others beside them.
func bucket(ctx context.Context, where string) (*blob.Bucket, error) {
	if u, err := url.Parse(where); err == nil && len(u.Scheme) > 1 {
		return blob.OpenBucket(ctx, where)
	}
	return fileblob.OpenBucket(where, &fileblob.Options{CreateDir: true, DirFileMode: 0o700, Metadata: fileblob.MetadataDontWrite, NoTempDir: true})
}
