package marketo

import (
	_ "embed"
	"slices"

	"habeas.dev/pkg/manifest"
)

//go:embed marketo.yaml
var manifestYAML []byte

// Manifest returns what the system says of itself: marketo.yaml, parsed and
// checked.
func Manifest() (*manifest.Manifest, error) { return ManifestWith(nil) }

// ManifestWith returns the manifest with further datasets, in YAML: what an
// installation has beside the standard.
func ManifestWith(datasets []byte) (*manifest.Manifest, error) {
	return manifest.Parse("services/systems/marketo/marketo.yaml", slices.Concat(manifestYAML, datasets))
}
