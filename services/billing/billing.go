// Package billing is the system billing, billing: customers, subscriptions, invoices, their lines, and payments. It has no code
// of its own: pkg/sqlsystem serves it from its manifest.
package billing

import _ "embed"

// Manifest is the system's manifest, for [habeas.dev/pkg/manifest.Parse] under
// the name [File].
//
//go:embed manifest.yaml
var Manifest []byte

// File is where the manifest lies in the repository; errors name it.
const File = "services/billing/manifest.yaml"
