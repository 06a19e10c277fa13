package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/vendorapi/ledger"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/correction"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/systems"
)

// ErrElsewhere says that a system is served by a worker of its own, in another process.
var ErrElsewhere = errors.New("a worker of its own serves it, in another process: its team tries it with workertest")

// OpenSystem connects to a system as its worker does. The caller closes it.
func OpenSystem(ctx context.Context, cfg config.Config, m *manifest.Manifest) (impl any, shut func(), err error) {
	s := cfg.Systems[m.System]
	if s.Elsewhere {
		return nil, nil, ErrElsewhere
	}
	rules, err := identifier.New(cfg.Identifiers.Country)
	if err != nil {
		return nil, nil, fmt.Errorf("identifiers.country: %w", err)
	}
	var host vendorapi.Host
	closes := func() error { return nil }
	if s.URL != "" { // a vendor's quota is counted wherever it is called from
		store, err := ledger.Open(ctx, cfg.Limits)
		if err != nil {
			return nil, nil, err
		}
		host.Store, closes = store, store.Close
	}
	impl, closer, err := systems.Open(ctx, s, m, rules, host)
	if err != nil {
		return nil, nil, errors.Join(err, closes())
	}
	return impl, func() { _ = errors.Join(closer(), closes()) }, nil // nothing was written
}

// Preview asks the systems of a correction that this process can reach what they hold in the
// fields that it concerns, each at most so long. One that can't be asked is said to be so,
// with the cause. The caller MUST have recorded that somebody looks.
func Preview(ctx context.Context, in *installation.Installation, cfg config.Config, s core.State, each time.Duration) ([]correction.System, error) {
	keys, err := in.Vault.Keys(ctx, s.Accepted.RequestID)
	if err != nil {
		return nil, err
	}
	wanted, err := correction.Open(keys, s)
	if err != nil {
		return nil, err
	}
	var out []correction.System
	for _, sys := range s.Accepted.Systems {
		if found := previewOf(ctx, cfg, wanted, sys, each); found != nil {
			out = append(out, *found)
		}
	}
	return out, nil
}

// previewOf asks one system, at most so long; it is nil where the correction doesn't concern it.
func previewOf(ctx context.Context, cfg config.Config, wanted correction.Wanted, sys dsar.System, each time.Duration) *correction.System {
	ctx, cancel := context.WithTimeout(ctx, each)
	defer cancel()
	if _, is := cfg.Systems[sys.Name]; !is {
		if !slices.Contains(sys.Abilities, dsar.Rectify) {
			return nil
		}
		return &correction.System{Name: sys.Name, Why: "the configuration doesn't have it"}
	}
	m, err := Manifest(cfg, sys.Name)
	if err != nil {
		return &correction.System{Name: sys.Name, Why: "its manifest can't be read", Err: err}
	}
	if !wanted.Concerns(m) {
		return nil
	}
	impl, shut, err := OpenSystem(ctx, cfg, m)
	switch {
	case errors.Is(err, ErrElsewhere):
		return &correction.System{Name: m.System, Why: "it runs elsewhere"}
	case err != nil:
		return &correction.System{Name: m.System, Why: "it can't be reached from here", Err: err}
	}
	defer shut()
	found := wanted.Look(ctx, m, impl)
	return &found
}
