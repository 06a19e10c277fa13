// Package account is the system account, the customer account: profile, contacts, credentials, sign-ins and the archive of earlier profiles. It has no code
// of its own: pkg/sqlsystem serves it from its manifest.
package account

import _ "embed"

// Manifest is the system's manifest, for [habeas.dev/pkg/manifest.Parse] under
// the name [File].
//
//go:embed manifest.yaml
var Manifest []byte

// File is where the manifest lies in the repository; errors name it.
const File = "services/account/manifest.yaml"
