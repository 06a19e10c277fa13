package installation

import (
	"fmt"
	"strings"

	"gocloud.dev/blob"
	"gocloud.dev/secrets"

	"habeas.dev/services/internal/config"
)

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
		{"vault.key", c.Vault.Key, secrets.DefaultURLMux().ValidKeeperScheme},
	} {
		scheme, _, isURL := strings.Cut(u.url, "://")
		if isURL && scheme != "file" && !u.known(scheme) {
			return fmt.Errorf("configuration: %s: there is no driver for %s:// in this program; the clouds' are in one that is built with -tags clouds", u.field, scheme)
		}
	}
	return nil
}
