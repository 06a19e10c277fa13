package paymentech

import (
	_ "embed"

	"habeas.dev/pkg/manifest"
)

//go:embed paymentech.yaml
var manifestYAML []byte

// Manifest returns what the system says of itself: paymentech.yaml, parsed and
// checked.
func Manifest() (*manifest.Manifest, error) {
	return manifest.Parse("services/systems/paymentech/paymentech.yaml", manifestYAML)
}
