package config

import (
	"fmt"

	"habeas.dev/services/internal/signkey"
)

// Receipts is who signs answers and receipts, and with which keys. `habeas keys init`
// makes the keys; a process that runs everything makes those that are missing below
// Data.
type Receipts struct {
	// Name is the installation's, under which it signs: a host's name and perhaps a
	// path; default localhost/habeas. Who checks a signature knows it by this name, so it
	// stays as it is.
	Name string `yaml:"name"`
	// BundleKey is the file of the key that signs answers; default DATA/keys/bundles.key.
	BundleKey string `yaml:"bundle_key"`
}

func (r Receipts) check() error {
	if err := signkey.CheckOrigin(r.Name); err != nil {
		return fmt.Errorf("receipts.name %q: %w", r.Name, err)
	}
	return nil
}
