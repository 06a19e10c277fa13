// Package billing is billing: customers, subscriptions, invoices, their lines,
// and payments. It has no code of its own: pkg/sqlsystem serves it from its
// manifest.
package billing

import (
	_ "embed"

	"habeas.dev/pkg/manifest"
)

//go:embed manifest.yaml
var manifestYAML []byte

// Manifest returns what the system says of itself: manifest.yaml, parsed and
// checked.
func Manifest() (*manifest.Manifest, error) {
	return manifest.Parse("services/billing/manifest.yaml", manifestYAML)
}
