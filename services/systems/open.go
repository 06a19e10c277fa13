package systems

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/time/rate"
	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/secret"
	"habeas.dev/services/systems/httpsystem"
	"habeas.dev/services/systems/hubspot"
	"habeas.dev/services/systems/marketo"
	"habeas.dev/services/systems/paymentech"
	"habeas.dev/services/systems/salesforce"
)

// Open connects to a system: the value is its implementation for worker.New, and
// closer ends the connection. The rules say when two writings of an identifier are
// one.
func Open(ctx context.Context, s config.System, m *manifest.Manifest, rules identifier.Rules, host vendorapi.Host) (impl any, closer func() error, err error) {
	if m.Lake != nil {
		return openLake(ctx, s, m, rules)
	}
	if s.DSN != "" {
		return openDatabase(ctx, s, m, rules)
	}
	atSecret, atKey := secret.PlacesOf(s)
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

// openDatabase opens the database of a system, and the folders and buckets beside it.
func openDatabase(ctx context.Context, s config.System, m *manifest.Manifest, rules identifier.Rules) (impl any, closer func() error, err error) {
	options := []sqlsystem.Option{sqlsystem.WithIdentifiers(rules)}
	var closers []func() error
	closer = func() error {
		var errs []error
		for _, c := range slices.Backward(closers) {
			errs = append(errs, c())
		}
		return errors.Join(errs...)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Files)) {
		files, closeFiles, err := openFiles(ctx, s.Files[name])
		if err != nil {
			return nil, nil, errors.Join(fmt.Errorf("system %s: files: %s: %w", m.System, name, err), closer())
		}
		options, closers = append(options, sqlsystem.WithFiles(name, files)), append(closers, closeFiles)
	}
	db, err := sqlsystem.Open(ctx, m, s.DSN, options...)
	if err != nil {
		return nil, nil, errors.Join(err, closer())
	}
	closers = append(closers, db.Close)
	return db, closer, nil
}

func openVendor(s config.System, signIn, key vendorapi.Secret, m *manifest.Manifest, host vendorapi.Host) (any, error) {
	access := vendorapi.Access{Rate: pace(s), Concurrent: s.CallsAtOnce, Daily: s.CallsPerDay, Host: host}
	if m.HTTP != nil {
		return httpsystem.New(httpsystem.Config{URL: s.URL, Secret: signIn, Manifest: m, Access: access})
	}
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

// list returns the words of an option; nil where there are none.
func list(option string) []string {
	return strings.FieldsFunc(option, func(r rune) bool { return r == ',' || r == ' ' })
}

// pace returns how fast a vendor may be called; 0 leaves it to its worker.
func pace(s config.System) rate.Limit {
	if s.CallsPerSecond < 0 {
		return rate.Inf
	}
	return rate.Limit(s.CallsPerSecond)
}

// BatchSize returns how many tasks a system's worker takes together: as many as
// its vendor's calls take, where it says so, else 0, which leaves it to the SDK.
func BatchSize(impl any) int {
	if b, ok := impl.(interface{ MaxBatch() int }); ok {
		return b.MaxBatch()
	}
	return 0
}
