package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/otlp"
	"habeas.dev/services/internal/secret"
	"habeas.dev/services/internal/words"
)

// Check reads all that a configuration names as the services do at their start, and
// connects to nothing. It returns the manifests, and names the first thing that is
// wrong.
func Check(ctx context.Context, cfg config.Config) ([]*manifest.Manifest, error) {
	if err := cfg.CheckDoor(); err != nil {
		return nil, err
	}
	if _, err := callers.NewProducers(cfg.Producers); err != nil {
		return nil, err
	}
	if _, err := cfg.Kafka.Config(); err != nil {
		return nil, err
	}
	manifests, err := Manifests(cfg)
	if err != nil {
		return nil, err
	}
	if _, err := Retired(cfg); err != nil {
		return nil, err
	}
	if _, err := manifest.Catalogue(manifests); err != nil {
		return nil, err
	}
	if err := refusedBy(cfg, manifests); err != nil {
		return nil, err
	}
	if _, err := Topics(manifests, cfg.Topics); err != nil {
		return nil, err
	}
	if err := checkSecrets(cfg.Systems); err != nil {
		return nil, err
	}
	if err := secret.Readable(cfg.Letters.PasswordFile); err != nil {
		return nil, fmt.Errorf("letters.password_file: %w", err)
	}
	if err := checkPeople(cfg); err != nil {
		return nil, err
	}
	if err := installation.Check(cfg); err != nil {
		return nil, err
	}
	if err := otlp.Check(cfg.Telemetry.OTLP); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return manifests, CheckSystems(ctx, cfg)
}

// CheckSystems says what is wrong with the systems that are named, as far as that can be told
// without connecting: there are none, or a database's address is none.
func CheckSystems(ctx context.Context, cfg config.Config) error {
	if len(cfg.Systems) == 0 && cfg.Sandbox == nil {
		return errors.New("no systems are configured: every request would reach nobody; name them under systems: in the configuration (see docs/operate.md), or try habeas demo")
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Systems)) {
		s := cfg.Systems[name]
		if s.DSN == "" || s.Elsewhere {
			continue
		}
		m, err := Manifest(cfg, name)
		if err != nil || m.SQL == nil { // a lake's address is its catalogue's; a manifest's error is said with its line
			continue
		}
		if err := sqlsystem.CheckSource(ctx, s.DSN); err != nil {
			return fmt.Errorf("systems.%s.dsn: %w", name, err)
		}
	}
	return nil
}

// checkPeople checks how people sign in at the console, and how they are notified.
func checkPeople(cfg config.Config) error {
	if err := secret.Readable(cfg.Console.OIDC.ClientSecretFile); err != nil {
		return fmt.Errorf("console.oidc.client_secret_file: %w", err)
	}
	if c := cfg.Console; c.Listen != "" && !c.Local {
		if _, err := console.NewOIDC(oidcOf(c, make([]byte, 32), make([]byte, 32), slog.New(slog.DiscardHandler))); err != nil {
			return err
		}
	}
	languages, err := words.Load(cfg.Languages...)
	if err != nil {
		return err
	}
	_, err = notifyChannels(cfg, languages)
	return err
}

// checkSecrets names every secret of a system that is missing, in one line.
func checkSecrets(systems map[string]config.System) error {
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(systems)) {
		signIn, key := secret.PlacesOf(systems[name])
		for _, err := range []error{signIn.Check("systems." + name + ".client_secret"), key.Check("systems." + name + ".options.key")} {
			if err != nil {
				missing = append(missing, err.Error())
			}
		}
	}
	if missing == nil {
		return nil
	}
	return errors.New(strings.Join(missing, "; "))
}
