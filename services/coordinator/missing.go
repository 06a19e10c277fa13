package coordinator

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// compareEvery is how often open requests are held against the configured systems: both that
// intake has an older configuration, and that it has a newer one, are over within minutes.
const compareEvery = time.Minute

// OpenRequests lists and counts open requests; the journal implements it.
type OpenRequests interface {
	List(ctx context.Context, f journal.Filter) ([]journal.Row, error)
	WaitingFor(ctx context.Context, statuses []core.Status) (map[string]int, error)
	Needed(ctx context.Context) (map[string]journal.Needed, error)
}

// MissingConfig configures a [Missing]. The fields MUST be set.
type MissingConfig struct {
	Requests   Requests
	Open       OpenRequests
	Configured []string // the systems that there are
	Now        func() time.Time
	Log        *slog.Logger
	Meters     metric.MeterProvider
}

// Missing finds open requests that wait for a system which the configuration doesn't have,
// has each need a person, and has them go on once the system is there. Several processes may
// do so at once.
type Missing struct {
	MissingConfig

	mu      sync.Mutex
	missing map[string]int    // open requests by the system that isn't there; 0: it is there again
	seen    map[string][2]int // how many waited and how many needed a person for it when last looked
}

// NewMissing returns a Missing, and registers its gauge habeas.system.missing.
func NewMissing(cfg MissingConfig) (*Missing, error) {
	m := &Missing{MissingConfig: cfg, missing: map[string]int{}, seen: map[string][2]int{}}
	for _, system := range cfg.Configured { // of which nobody asks where they are
		m.missing[system] = 0
	}
	_, err := cfg.Meters.Meter("habeas.dev/services/coordinator").Int64ObservableGauge("habeas.system.missing", metric.WithUnit("{request}"),
		metric.WithDescription("Open requests that wait for a system which the configuration doesn't have. Each coordinator says the same."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			m.mu.Lock()
			defer m.mu.Unlock()
			for system, n := range m.missing {
				o.Observe(int64(n), metric.WithAttributes(attribute.String("system", system)))
			}
			return nil
		}))
	return m, err
}

// Run compares until the context ends.
func (m *Missing) Run(ctx context.Context) error {
	beat := time.NewTicker(compareEvery)
	defer beat.Stop()
	for {
		if err := m.Compare(ctx); err != nil && ctx.Err() == nil {
			m.Log.WarnContext(ctx, "open requests are held against the configured systems again in a minute", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
		}
	}
}

// Compare compares once.
func (m *Missing) Compare(ctx context.Context) error {
	waiting, err := m.Open.WaitingFor(ctx, core.OpenStatuses())
	if err != nil {
		return fmt.Errorf("requests by system: %w", err)
	}
	needed, err := m.Open.Needed(ctx)
	if err != nil {
		return fmt.Errorf("requests by need: %w", err)
	}
	missing := map[string]int{}
	for system, n := range waiting {
		if system == dsar.Aggregator || slices.Contains(m.Configured, system) {
			continue
		}
		missing[system] = n
		noted := needed[needOf(system)].Requests
		if m.seen[system] == [2]int{n, noted} {
			continue // the same ones as before
		}
		if err := m.each(ctx, journal.Filter{Statuses: core.OpenStatuses(), Waiting: system}); err != nil {
			return err
		}
		m.seen[system] = [2]int{n, n}
	}
	for _, system := range m.Configured {
		if needed[needOf(system)].Requests == 0 {
			continue
		}
		if err := m.each(ctx, journal.Filter{Need: needOf(system)}); err != nil {
			return err
		}
		m.Log.InfoContext(ctx, "a system is in the configuration again: the requests that waited for it go on", "system", system, "requests", needed[needOf(system)].Requests)
	}
	m.note(ctx, missing)
	return nil
}

// needOf returns what rows have where a system is missing.
func needOf(system string) string {
	return core.Need{Kind: core.NeedTask, System: system, Code: core.CodeMissing}.String()
}

// each compares each of some requests.
func (m *Missing) each(ctx context.Context, f journal.Filter) error {
	f.Limit = journal.MaxList
	for {
		rows, err := m.Open.List(ctx, f)
		if err != nil {
			return fmt.Errorf("requests to compare: %w", err)
		}
		for _, r := range rows {
			if _, err := m.Requests.Do(ctx, r.RequestID, core.CompareSystems{Configured: m.Configured, Now: m.Now()}); err != nil {
				return fmt.Errorf("request %s: %w", r.RequestID, err)
			}
		}
		if len(rows) < f.Limit {
			return nil
		}
		f.After = rows[len(rows)-1].Cursor()
	}
}

// note keeps what was found for the gauge, and says what is new of it.
func (m *Missing) note(ctx context.Context, missing map[string]int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for system, n := range missing {
		if m.missing[system] == 0 {
			m.Log.WarnContext(ctx, "open requests wait for a system that the configuration doesn't have, and need a person: put it back, or say by habeas systems rename or retire what has become of it", "system", system, "requests", n)
		}
		m.missing[system] = n
	}
	for system := range m.missing {
		if missing[system] == 0 {
			m.missing[system] = 0
			delete(m.seen, system)
		}
	}
}
