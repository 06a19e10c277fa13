package lakesystem

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// System serves one system of a lake from its manifest. It implements what pkg/worker asks
// of who gathers and erases, and is safe for many goroutines.
type System struct {
	m           *manifest.Manifest
	cat         catalog.Catalog
	closing     func() error
	now         func() time.Time
	identifiers identifier.Rules
	datasets    []*dataset

	// committing lets one erasure of this process at a time commit: two would refuse each
	// other.
	committing chan struct{}
	// waiting are those that wait for a window.
	waiting waiting
	// handed are the plans whose erasures have ended.
	handed handed
	// patience is how long one waits for another.
	patience time.Duration
	// at is called where a test wants to break off; nil elsewhere.
	at func(point string) error
}

var (
	_ worker.Gatherer  = (*System)(nil)
	_ worker.Eraser    = (*System)(nil)
	_ worker.Rechecker = (*System)(nil)
	_ worker.Bounded   = (*System)(nil)
)

// Option changes a [System].
type Option func(*System)

// WithClock sets the clock that says which periods of retention are over and whether a
// window is open. The default is time.Now.
func WithClock(now func() time.Time) Option { return func(s *System) { s.now = now } }

// WithIdentifiers sets the rules by which two writings of an identifier are one.
func WithIdentifiers(rules identifier.Rules) Option {
	return func(s *System) { s.identifiers = rules }
}

// Open opens a catalogue and calls [New]. Close ends its connections.
func Open(ctx context.Context, m *manifest.Manifest, at Address, opts ...Option) (*System, error) {
	cat, closing, err := OpenCatalogue(ctx, at)
	if err != nil {
		return nil, fmt.Errorf("lakesystem: %s: %w", m.System, err)
	}
	s, err := New(ctx, m, cat, opts...)
	if err != nil {
		return nil, errors.Join(err, closing())
	}
	s.closing = closing
	return s, nil
}

// New serves a system from its manifest, by a catalogue that the caller opened and closes.
// It checks that the tables have what the manifest names; its errors are [ErrUnreachable],
// or one line: file:line: what; cure.
func New(ctx context.Context, m *manifest.Manifest, cat catalog.Catalog, opts ...Option) (*System, error) {
	if m.Lake == nil {
		return nil, fmt.Errorf("%s: the manifest has no lake; add it, or serve the system by another worker", m.At("system"))
	}
	s := &System{m: m, cat: cat, now: time.Now, committing: make(chan struct{}, 1), patience: turnTime, waiting: waiting{until: map[string]time.Time{}}, handed: handed{plans: map[string]time.Time{}}}
	for _, opt := range opts {
		opt(s)
	}
	for i := range m.Datasets {
		d, err := s.compile(ctx, i)
		if err != nil {
			return nil, err
		}
		s.datasets = append(s.datasets, d)
	}
	return s, nil
}

// Close ends the connections that [Open] made. No call may be under way.
func (s *System) Close() error {
	if s.closing == nil {
		return nil
	}
	return s.closing()
}

// CallTimeout returns what bounds a call for one batch.
func (*System) CallTimeout() time.Duration { return DefaultTimeout }

// MaxBatch returns how many tasks one pass takes.
func (*System) MaxBatch() int { return maxBatch }

// load returns a dataset's table as it is now.
func (s *System) load(ctx context.Context, d *dataset) (*table.Table, error) {
	tbl, err := s.table(ctx, d.ident)
	if errors.Is(err, catalog.ErrNoSuchTable) {
		return nil, worker.Permanent("no-table", "the catalogue has no table "+d.Lake.Table+" any more: mend the manifest, or the catalogue", unsaid(err))
	}
	if err != nil {
		return nil, worker.Transient("lake", "the table "+d.Lake.Table+" could not be loaded from the catalogue", unsaid(err))
	}
	return tbl, nil
}

// reached breaks off where a test wants it.
func (s *System) reached(point string) error {
	if s.at == nil {
		return nil
	}
	return s.at(point)
}
