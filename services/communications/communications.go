// Package communications is the preference centre: what people agreed to be
// written about, purpose by purpose. It has no code of its own: pkg/sqlsystem
// serves it from its manifest.
package communications

import (
	_ "embed"

	"habeas.dev/pkg/manifest"
)

//go:embed manifest.yaml
var manifestYAML []byte

// Manifest returns what the system says of itself: manifest.yaml, parsed and
// checked.
func Manifest() (*manifest.Manifest, error) {
	return manifest.Parse("services/communications/manifest.yaml", manifestYAML)
}
