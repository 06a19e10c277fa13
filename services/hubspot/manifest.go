package hubspot

import (
	_ "embed"

	"habeas.dev/pkg/manifest"
)

//go:embed manifest.yaml
var manifestYAML []byte

// Manifest returns what the system says of itself: manifest.yaml, parsed and
// checked.
func Manifest() (*manifest.Manifest, error) {
	return manifest.Parse("services/hubspot/manifest.yaml", manifestYAML)
}
