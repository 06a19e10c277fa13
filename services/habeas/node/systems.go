package node

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/sandbox/internaldb"
	"habeas.dev/services/sandbox/standin"
	"habeas.dev/services/systems"
	"habeas.dev/services/systems/marketo"
	"habeas.dev/services/systems/salesforce"
)

// builtIn returns the manifests that a configuration may use by name alone. With a
// sandbox, they declare what companies have of their own at their vendors too,
// which the sandbox's people have, and files beside rows.
func builtIn(cfg config.Config) map[string]func() (*manifest.Manifest, error) {
	known := systems.BuiltIn()
	if cfg.Sandbox != nil {
		known["salesforce"] = func() (*manifest.Manifest, error) { return salesforce.ManifestWith(standin.Datasets("salesforce")) }
		known["marketo"] = func() (*manifest.Manifest, error) { return marketo.ManifestWith(standin.Datasets("marketo")) }
		for _, name := range internaldb.Systems() {
			if folders(cfg, "", name) != nil {
				known[name] = withFiles(known[name])
			}
		}
	}
	return known
}

// withFiles has a manifest declare the files of the sandbox beside its rows.
func withFiles(load func() (*manifest.Manifest, error)) func() (*manifest.Manifest, error) {
	return func() (*manifest.Manifest, error) {
		m, err := load()
		if err != nil {
			return nil, err
		}
		internaldb.DeclareFiles(m)
		return m, nil
	}
}

// Manifests reads the manifest of every configured system, in order of name.
func Manifests(cfg config.Config) ([]*manifest.Manifest, error) {
	var manifests []*manifest.Manifest
	for _, name := range slices.Sorted(maps.Keys(cfg.Systems)) {
		m, err := Manifest(cfg, name)
		if err != nil {
			return nil, err
		}
		manifests = append(manifests, m)
	}
	return manifests, nil
}

// Retired reads the manifests of systems that are out of use.
func Retired(cfg config.Config) ([]*manifest.Manifest, error) {
	var manifests []*manifest.Manifest
	for _, name := range cfg.Retired {
		load, builtIn := builtIn(cfg)[name]
		if !builtIn {
			load = func() (*manifest.Manifest, error) { return manifest.Load(name) }
		}
		m, err := load()
		if err != nil {
			return nil, fmt.Errorf("retired: %w", err)
		}
		if _, used := cfg.Systems[m.System]; used {
			return nil, fmt.Errorf("retired: system %s is in use, under systems", m.System)
		}
		if m, err = resolved(cfg, m); err != nil {
			return nil, fmt.Errorf("retired: %w", err)
		}
		manifests = append(manifests, m)
	}
	return manifests, nil
}

// Manifest reads the manifest of one configured system: its file, or the one that
// is built in under its name.
func Manifest(cfg config.Config, name string) (*manifest.Manifest, error) {
	m, err := readManifest(cfg, name)
	if err != nil {
		return nil, err
	}
	if m.System != name {
		return nil, fmt.Errorf("system %s: its manifest is of system %q; name both alike", name, m.System)
	}
	return resolved(cfg, m)
}

// resolved returns a manifest with the purposes and recipients that it names.
func resolved(cfg config.Config, m *manifest.Manifest) (*manifest.Manifest, error) {
	var undecided []error
	for _, e := range m.Undecided() {
		undecided = append(undecided, e)
	}
	if undecided != nil {
		return nil, errors.Join(undecided...)
	}
	purposes, err := Purposes(cfg)
	if err != nil {
		return nil, err
	}
	if err := m.Resolve(purposes); err != nil {
		return nil, err
	}
	recipients, err := Recipients(cfg)
	if err != nil {
		return nil, err
	}
	if err := m.ResolveRecipients(recipients); err != nil {
		return nil, err
	}
	m.Lease = cmp.Or(m.Lease, cfg.Lease) // its worker tells of its progress often enough for it
	return m, nil
}

// Purposes returns the catalogue of purposes: what is built in, and what the
// configuration's files add or say otherwise.
func Purposes(cfg config.Config) (manifest.Purposes, error) {
	all, err := systems.Purposes()
	if err != nil {
		return nil, err
	}
	for _, file := range cfg.Purposes {
		own, err := manifest.LoadPurposes(file)
		if err != nil {
			return nil, fmt.Errorf("purposes: %w", err)
		}
		maps.Copy(all, own)
	}
	if err := all.Whole(); err != nil {
		return nil, fmt.Errorf("purposes: %w", err)
	}
	return all, nil
}

// Recipients returns the catalogue of recipients: what is built in, and what the
// configuration's files add or say otherwise.
func Recipients(cfg config.Config) (manifest.Recipients, error) {
	all, err := systems.Recipients()
	if err != nil {
		return nil, err
	}
	for _, file := range cfg.Recipients {
		own, err := manifest.LoadRecipients(file)
		if err != nil {
			return nil, fmt.Errorf("recipients: %w", err)
		}
		maps.Copy(all, own)
	}
	return all, nil
}

func readManifest(cfg config.Config, name string) (*manifest.Manifest, error) {
	if path := cfg.Systems[name].Manifest; path != "" {
		return manifest.Load(path)
	}
	known := builtIn(cfg)
	load, ok := known[name]
	if !ok {
		return nil, fmt.Errorf("system %s: no manifest is built in under this name; name its file with manifest: in the configuration (built in are %s)",
			name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	}
	return load()
}
