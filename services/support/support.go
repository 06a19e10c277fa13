// Package support is support: tickets, what was written in them, and recorded
// calls. It has no code of its own: pkg/sqlsystem serves it from its manifest.
package support

import (
	_ "embed"

	"habeas.dev/pkg/manifest"
)

//go:embed manifest.yaml
var manifestYAML []byte

// Manifest returns what the system says of itself: manifest.yaml, parsed and
// checked.
func Manifest() (*manifest.Manifest, error) {
	return manifest.Parse("services/support/manifest.yaml", manifestYAML)
}
