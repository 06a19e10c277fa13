// Package events is events: registrations, attendance, images and voice, and
// travel. It has no code of its own: pkg/sqlsystem serves it from its manifest.
package events

import (
	_ "embed"

	"habeas.dev/pkg/manifest"
)

//go:embed manifest.yaml
var manifestYAML []byte

// Manifest returns what the system says of itself: manifest.yaml, parsed and
// checked.
func Manifest() (*manifest.Manifest, error) {
	return manifest.Parse("services/events/manifest.yaml", manifestYAML)
}
