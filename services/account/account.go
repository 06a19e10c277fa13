// Package account is the customer account: profile, contacts, credentials,
// sign-ins and the archive of earlier profiles. It has no code of its own:
// pkg/sqlsystem serves it from its manifest.
package account

import (
	_ "embed"

	"habeas.dev/pkg/manifest"
)

//go:embed manifest.yaml
var manifestYAML []byte

// Manifest returns what the system says of itself: manifest.yaml, parsed and
// checked.
func Manifest() (*manifest.Manifest, error) {
	return manifest.Parse("services/account/manifest.yaml", manifestYAML)
}
