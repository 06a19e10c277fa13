//go:build lake

package systems

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/secret"
	"habeas.dev/services/systems/lakesystem"
)

// openLake opens a lake's catalogue: a SQL one by the configuration's dsn, a REST one by its
// url, with client_id and secret; else the one that the manifest names. The options are
// iceberg-go's properties.
func openLake(ctx context.Context, s config.System, m *manifest.Manifest, rules identifier.Rules) (impl any, closer func() error, err error) {
	at := lakesystem.Address{URL: cmp.Or(s.DSN, s.URL, m.Lake.Catalogue), Name: m.Lake.Name, Properties: s.Options}
	if at.URL == "" {
		return nil, nil, fmt.Errorf("system %s: nothing says where its catalogue is: name it with dsn: or url: in the configuration, or with lake.catalogue in the manifest", m.System)
	}
	if s.ClientID != "" {
		if at.Credential, err = credential(ctx, s); err != nil {
			return nil, nil, fmt.Errorf("system %s: client secret: %w", m.System, err)
		}
	}
	lake, err := lakesystem.Open(ctx, m, at, lakesystem.WithIdentifiers(rules))
	if errors.Is(err, lakesystem.ErrUnreachable) {
		err = fmt.Errorf("%w: %w", sqlsystem.ErrUnreachable, err)
	}
	if err != nil {
		return nil, nil, err
	}
	return lake, lake.Close, nil
}

// credential returns what a REST catalogue is asked for a token with.
func credential(ctx context.Context, s config.System) (string, error) {
	at, _ := secret.PlacesOf(s)
	signIn, closing, err := secret.Open(ctx, at)
	if err != nil {
		return "", err
	}
	text, err := signIn.Read()
	return s.ClientID + ":" + text, errors.Join(err, closing())
}
