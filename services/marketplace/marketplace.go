// Package marketplace is the system marketplace, the marketplace: purchases, subscriptions, sellers, what they sell, and reviews. It has no code
// of its own: pkg/sqlsystem serves it from its manifest.
package marketplace

import _ "embed"

// Manifest is the system's manifest, for [habeas.dev/pkg/manifest.Parse] under
// the name [File].
//
//go:embed manifest.yaml
var Manifest []byte

// File is where the manifest lies in the repository; errors name it.
const File = "services/marketplace/manifest.yaml"
