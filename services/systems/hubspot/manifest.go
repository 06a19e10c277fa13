package hubspot

import (
	_ "embed"

	"habeas.dev/pkg/manifest"
)

//go:embed hubspot.yaml
var manifestYAML []byte

// Manifest returns what the system says of itself: hubspot.yaml, parsed and
// checked.
func Manifest() (*manifest.Manifest, error) {
	return manifest.Parse("services/systems/hubspot/hubspot.yaml", manifestYAML)
}
