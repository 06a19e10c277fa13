// Package systems is what is asked: the manifest of every system that is built
// in, and beside it a folder for each vendor's client. A system whose manifest
// lies here as a file has no code of its own: pkg/sqlsystem serves it.
package systems

import (
	"embed"
	"fmt"

	"habeas.dev/pkg/manifest"
	"habeas.dev/services/systems/hubspot"
	"habeas.dev/services/systems/marketo"
	"habeas.dev/services/systems/paymentech"
	"habeas.dev/services/systems/salesforce"
)

//go:embed *.yaml
var files embed.FS

// BuiltIn returns how to load the manifest of each system that is built in, by
// its name.
func BuiltIn() map[string]func() (*manifest.Manifest, error) {
	known := map[string]func() (*manifest.Manifest, error){
		"hubspot":    hubspot.Manifest,
		"marketo":    marketo.Manifest,
		"paymentech": paymentech.Manifest,
		"salesforce": salesforce.Manifest,
	}
	for _, name := range []string{
		"account", "activity", "advertising", "billing", "communications", "community", "credit", "events", "marketplace", "partner", "support", "training",
	} {
		known[name] = func() (*manifest.Manifest, error) { return Manifest(name) }
	}
	for name, load := range known {
		known[name] = func() (*manifest.Manifest, error) { return resolved(load) }
	}
	return known
}

// resolved reads a manifest, and looks its purposes and recipients up in the catalogues
// that are built in.
func resolved(load func() (*manifest.Manifest, error)) (*manifest.Manifest, error) {
	m, err := load()
	if err != nil {
		return nil, err
	}
	purposes, err := Purposes()
	if err != nil {
		return nil, err
	}
	recipients, err := Recipients()
	if err != nil {
		return nil, err
	}
	if err := m.Resolve(purposes); err != nil {
		return nil, err
	}
	return m, m.ResolveRecipients(recipients)
}

// Purposes returns the catalogue of purposes that the built-in manifests name.
func Purposes() (manifest.Purposes, error) {
	text, err := files.ReadFile("purposes.yaml")
	if err != nil {
		return nil, fmt.Errorf("systems: %w", err)
	}
	return manifest.ParsePurposes("services/systems/purposes.yaml", text)
}

// Recipients returns the catalogue of recipients that the built-in manifests name.
func Recipients() (manifest.Recipients, error) {
	text, err := files.ReadFile("recipients.yaml")
	if err != nil {
		return nil, fmt.Errorf("systems: %w", err)
	}
	return manifest.ParseRecipients("services/systems/recipients.yaml", text)
}

// Manifest returns the manifest of a system that has no code of its own, parsed
// and checked. It fails where there is no file of that name.
func Manifest(name string) (*manifest.Manifest, error) {
	text, err := files.ReadFile(name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("systems: no manifest of %s is built in", name)
	}
	return resolved(func() (*manifest.Manifest, error) { return manifest.Parse("services/systems/"+name+".yaml", text) })
}
