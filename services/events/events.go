// Package events is the system events, events: registrations, attendance, images and voice, and travel. It has no code
// of its own: pkg/sqlsystem serves it from its manifest.
package events

import _ "embed"

// Manifest is the system's manifest, for [habeas.dev/pkg/manifest.Parse] under
// the name [File].
//
//go:embed manifest.yaml
var Manifest []byte

// File is where the manifest lies in the repository; errors name it.
const File = "services/events/manifest.yaml"
