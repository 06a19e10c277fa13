package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/time/rate"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/secret"
	"habeas.dev/services/sandbox/standin"
	"habeas.dev/services/systems"
	"habeas.dev/services/systems/hubspot"
	"habeas.dev/services/systems/marketo"
	"habeas.dev/services/systems/paymentech"
	"habeas.dev/services/systems/salesforce"
)

// manifestsOf are the manifests that a configuration may use by name alone: those
// that are built in. With a sandbox, they declare what companies have of their
// own at their vendors too, which the sandbox's people have.
func manifestsOf(cfg config.Config) map[string]func() (*manifest.Manifest, error) {
	known := systems.BuiltIn()
	if cfg.Sandbox != nil {
		known["salesforce"] = func() (*manifest.Manifest, error) { return salesforce.ManifestWith(standin.Datasets("salesforce")) }
		known["marketo"] = func() (*manifest.Manifest, error) { return marketo.ManifestWith(standin.Datasets("marketo")) }
	}
	return known
}

// loadManifests reads the manifest of every configured system, in order of name.
func loadManifests(cfg config.Config) ([]*manifest.Manifest, error) {
	known := manifestsOf(cfg)
	var manifests []*manifest.Manifest
	for _, name := range slices.Sorted(maps.Keys(cfg.Systems)) {
		m, err := loadManifest(known, name, cfg.Systems[name].Manifest)
		if err != nil {
			return nil, err
		}
		if m.System != name {
			return nil, fmt.Errorf("system %s: its manifest is of system %q; name both alike", name, m.System)
		}
		m.Lease = cmp.Or(m.Lease, cfg.Lease) // its worker tells of its progress often enough for it
		manifests = append(manifests, m)
	}
	return manifests, nil
}

func loadManifest(known map[string]func() (*manifest.Manifest, error), name, path string) (*manifest.Manifest, error) {
	if path != "" {
		return manifest.Load(path)
	}
	load, ok := known[name]
	if !ok {
		return nil, fmt.Errorf("system %s: no manifest is built in under this name; name its file with manifest: in the configuration (built in are %s)",
			name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	}
	return load()
}

// openSystem connects to a system: the value is its implementation for
// worker.New, and closer ends the connection.
func openSystem(ctx context.Context, s config.System, m *manifest.Manifest, host vendorapi.Host) (impl any, closer func() error, err error) {
	if s.DSN != "" {
		db, err := sqlsystem.Open(ctx, m, strings.TrimPrefix(s.DSN, "sqlite://"))
		if err != nil {
			return nil, nil, err
		}
		return db, db.Close, nil
	}
	atSecret, atKey := secret.Of(s)
	signIn, closeSecret, err := secret.Open(ctx, atSecret)
	if err != nil {
		return nil, nil, fmt.Errorf("system %s: client secret: %w", m.System, err)
	}
	key, closeKey, err := secret.Open(ctx, atKey)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("system %s: key: %w", m.System, err), closeSecret())
	}
	closer = func() error { return errors.Join(closeSecret(), closeKey()) }
	if impl, err = openVendor(s, signIn, key, m, host); err != nil {
		return nil, nil, errors.Join(err, closer())
	}
	return impl, closer, nil
}

func openVendor(s config.System, signIn, key vendorapi.Secret, m *manifest.Manifest, host vendorapi.Host) (any, error) {
	access := vendorapi.Access{Rate: pace(s), Concurrent: s.CallsAtOnce, Daily: s.CallsPerDay, Host: host}
	switch m.System {
	case "salesforce":
		return salesforce.New(salesforce.Config{
			BaseURL: s.URL, ClientID: s.ClientID, Secret: signIn, Key: key, Username: s.Options["username"], Audience: s.Options["audience"],
			Manifest: m, Access: access,
		})
	case "marketo":
		return marketo.New(marketo.Config{BaseURL: s.URL, ClientID: s.ClientID, Secret: signIn, Manifest: m, Access: access})
	case "paymentech":
		return paymentech.New(paymentech.Config{
			BaseURL: s.URL, SecondaryURL: s.Options["secondary_url"], Username: s.ClientID, Password: signIn,
			MerchantID: s.Options["merchant_id"], Bin: s.Options["bin"], NotFound: list(s.Options["not_found"]), Manifest: m, Access: access,
		})
	case "hubspot":
		return hubspot.New(hubspot.Config{BaseURL: s.URL, Token: signIn, Manifest: m, Access: access})
	}
	return nil, fmt.Errorf("nothing says how to reach it; name its database with dsn:, or, where its worker is another process, set elsewhere: true")
}

// list is an option of several words; nil where there are none.
func list(option string) []string {
	return strings.FieldsFunc(option, func(r rune) bool { return r == ',' || r == ' ' })
}

// pace is how fast a vendor may be called; 0 leaves it to its worker.
func pace(s config.System) rate.Limit {
	if s.CallsPerSecond < 0 {
		return rate.Inf
	}
	return rate.Limit(s.CallsPerSecond)
}

// batchOf is how many tasks a worker takes together: as many as its vendor's
// calls take, if it says so.
func batchOf(impl any) int {
	if b, ok := impl.(interface{ MaxBatch() int }); ok {
		return b.MaxBatch()
	}
	return 0 // the SDK's own
}
