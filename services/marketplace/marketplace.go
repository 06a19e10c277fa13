// Package marketplace is the marketplace: purchases, subscriptions, sellers,
// what they sell, and reviews. It has no code of its own: pkg/sqlsystem serves
// it from its manifest.
package marketplace

import (
	_ "embed"

	"habeas.dev/pkg/manifest"
)

//go:embed manifest.yaml
var manifestYAML []byte

// Manifest returns what the system says of itself: manifest.yaml, parsed and
// checked.
func Manifest() (*manifest.Manifest, error) {
	return manifest.Parse("services/marketplace/manifest.yaml", manifestYAML)
}
