package installation

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"gocloud.dev/blob"
	"gocloud.dev/secrets"

	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/config"
)

// Check says what is wrong with the places of a configuration, as far as that can be told without
// connecting or writing: a URL that this program has no driver for, a master key that is none, an
// outbox that nothing can be put into. [Make] checks the same, of the parts that it opens: a
// worker has no outbox, and goes on where that is full.
func Check(c config.Config) error {
	return check(c, Parts{Vault: true, Outbox: true})
}

func check(c config.Config, p Parts) error {
	if err := checkDrivers(c); err != nil {
		return err
	}
	if !p.Vault {
		c.Vault.Key, c.Vault.OldKeys = "", nil
	}
	for _, key := range append([]string{c.Vault.Key}, c.Vault.OldKeys...) {
		if err := vault.CheckKey(key); err != nil {
			return fmt.Errorf("configuration: vault.key: %w", err)
		}
	}
	if !p.Outbox {
		return nil
	}
	return checkOutbox(c)
}

// checkOutbox refuses a folder that is none, or that isn't ours to write into.
func checkOutbox(c config.Config) error {
	folder := c.Outbox
	if u, err := url.Parse(folder); folder == "" || err == nil && len(u.Scheme) > 1 {
		return nil
	}
	for at := filepath.Clean(folder); ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		switch {
		case (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)) && at != filepath.Dir(at):
			continue // it is made, where what it would lie in lets it
		case err == nil && !info.IsDir():
			return fmt.Errorf("configuration: outbox: %s is no folder: name another place, or move what is there", at)
		case err != nil:
			return fmt.Errorf("configuration: outbox: %w: name another folder, or let this user into it", err)
		case !writable(at):
			return fmt.Errorf("configuration: outbox: %s can't be written: let this user write there, or name another folder", at)
		}
		return nil
	}
}

// checkDrivers refuses a URL that this program has no driver for, before
// anything is opened. It names the scheme only: a URL may hold a password.
func checkDrivers(c config.Config) error {
	known := blob.DefaultURLMux().ValidBucketScheme
	for _, u := range []struct {
		field, url string
		known      func(scheme string) bool
	}{
		{"vault.bucket", c.Vault.Bucket, known},
		{"outbox", c.Outbox, known},
		{"vault.key", c.Vault.Key, func(scheme string) bool { // the key itself needs none
			return scheme == "base64key" || secrets.DefaultURLMux().ValidKeeperScheme(scheme)
		}},
	} {
		scheme, _, isURL := strings.Cut(u.url, "://")
		if isURL && scheme != "file" && !u.known(scheme) {
			return fmt.Errorf("configuration: %s: there is no driver for %s:// in this program; the clouds' are in one that is built with -tags clouds", u.field, scheme)
		}
	}
	return nil
}
