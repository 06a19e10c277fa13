package node

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cenkalti/backoff/v4"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/vendorapi/ledger"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/topics"
	"habeas.dev/services/systems"
)

// startWorkers starts the workers of the role that aren't served elsewhere.
func (n *Node) startWorkers(ctx context.Context, r Roles) error {
	host, err := n.vendorHost(ctx, r)
	if err != nil {
		return err
	}
	for _, f := range manifest.LeadsLost(n.Manifests, OneDatabase(n.Config)) {
		n.log.Warn("a way to the person is erased before what it leads to", "problem", telemetry.Safe(f.Error.Error()))
	}
	for _, m := range n.Manifests {
		system := n.Config.Systems[m.System]
		if !r.runsWorker(m.System, system) {
			continue
		}
		publisher, err := n.publisher(topics.WorkerUser(m.System))
		if err != nil {
			return err
		}
		link := worker.Share(n.As(topics.WorkerUser(m.System)), publisher, n.log)
		connect := func(ctx context.Context) (func(context.Context) error, error) {
			return n.openWorker(ctx, system, m, link, host)
		}
		serve, err := connect(ctx)
		switch {
		case errors.Is(err, sqlsystem.ErrUnreachable):
			n.log.Warn("a system is down: requests wait for it", "system", m.System, "error", err)
			serve = n.whenReachable(m.System, err, connect)
		case err != nil:
			return fmt.Errorf("worker %s: %w", m.System, err)
		}
		n.run("worker "+m.System, serve)
	}
	return nil
}

// vendorHost opens what the workers of vendors share with those of other
// processes, where this one has any.
func (n *Node) vendorHost(ctx context.Context, r Roles) (vendorapi.Host, error) {
	host := vendorapi.Host{Meters: n.tel.Meters(), Traces: n.tel.Tracers()}
	for name, s := range n.Config.Systems {
		if s.URL == "" || !r.runsWorker(name, s) {
			continue
		}
		store, err := ledger.Open(ctx, n.Config.Limits)
		if err != nil {
			return host, err
		}
		n.onStop(store.Close)
		host.Store = store
		break
	}
	return host, nil
}

// openWorker connects to a system; what it returns serves it.
func (n *Node) openWorker(ctx context.Context, s config.System, m *manifest.Manifest, link *worker.Connection, host vendorapi.Host) (func(context.Context) error, error) {
	rules, err := identifier.New(n.Config.Identifiers.Country)
	if err != nil {
		return nil, err
	}
	access, err := n.access(m.System)
	if err != nil {
		return nil, err
	}
	impl, closer, err := systems.Open(ctx, s, m, rules, host)
	if err != nil {
		return nil, err
	}
	if db, ok := impl.(*sqlsystem.System); ok {
		if err := keptElsewhere(ctx, m, db); err != nil {
			return nil, errors.Join(err, closer())
		}
		n.tellDatabase(ctx, m, db)
	}
	w, err := worker.New(m, impl, worker.WithLogger(n.log), worker.WithTracer(n.tel.Tracers()), worker.WithMeter(n.tel.Meters()))
	if err != nil {
		return nil, errors.Join(err, closer())
	}
	n.health.watch(topics.WorkerGroup(m.System), w.Check)
	overdue := countsOverdue(m, impl)
	if overdue != nil {
		if err := overdue.register(n.tel.Meters()); err != nil {
			return nil, errors.Join(err, closer())
		}
	}
	return func(ctx context.Context) error {
		var counting sync.WaitGroup
		ctx, stop := context.WithCancel(ctx)
		if overdue != nil {
			counting.Go(func() {
				overdue.run(ctx, func(err error) {
					n.log.Warn("what lies beyond its storage period can't be counted", "system", m.System, "error", err)
				})
			})
		}
		defer counting.Wait()
		defer stop()
		err := w.Run(ctx, worker.Config{Connection: link, Access: access, BatchSize: systems.BatchSize(impl)})
		return errors.Join(err, closer())
	}, nil
}

// keptElsewhere returns an error where a database keeps copies of what an erasure deletes, of
// which none would say that they are still there.
func keptElsewhere(ctx context.Context, m *manifest.Manifest, db *sqlsystem.System) error {
	if !m.Can(dsar.Erase) {
		return nil
	}
	copies, err := db.Kept(ctx)
	errs := []error{err}
	for _, c := range copies {
		errs = append(errs, errors.New(c.String()))
	}
	return errors.Join(errs...)
}

// tellDatabase logs what the manifest and the database leave to be desired together.
func (n *Node) tellDatabase(ctx context.Context, m *manifest.Manifest, db *sqlsystem.System) {
	if columns := db.AsStored(); len(columns) > 0 {
		n.log.Info("identifiers are compared as they are stored, where blanks count: an index on the trimmed column changes that", "system", m.System, "columns", columns)
	}
	for _, look := range []func(context.Context) ([]sqlsystem.Advice, error){db.Unlike, db.Renumbered} {
		advice, err := look(ctx)
		if err != nil {
			n.log.Warn("whose rows are can't be told", "system", m.System, "error", err)
		}
		for _, a := range advice {
			n.log.Warn("rows may be passed over, or taken for somebody else's", "system", m.System, "problem", telemetry.Safe(a.String()))
		}
	}
	wide, err := db.Wide(ctx)
	if err != nil {
		n.log.Warn("what the database's user may do can't be told", "system", m.System, "error", err)
	}
	for _, w := range wide {
		n.log.Warn("whoever takes this worker over may do more than it needs", "system", m.System, "problem", telemetry.Safe(w.String()))
	}
	reaches, err := db.Reaches(ctx)
	if err != nil {
		n.log.Warn("what erasing reaches can't be told", "system", m.System, "error", err)
	}
	for _, r := range reaches {
		n.log.Warn("an erasure that meets such rows will be refused", "system", m.System, "problem", telemetry.Safe(r.String()))
	}
}

// OneDatabase tells of two systems whether they lie in one database, by their data
// sources.
func OneDatabase(cfg config.Config) func(a, b *manifest.Manifest) (is, known bool) {
	return func(a, b *manifest.Manifest) (is, known bool) {
		one, other := cfg.Systems[a.System].DSN, cfg.Systems[b.System].DSN
		return one == other && one != "", one != "" && other != ""
	}
}

// FilesAt tells where the files lie that a system's manifest calls by a name: without what is asked
// of a bucket besides.
func FilesAt(cfg config.Config) func(m *manifest.Manifest, in string) string {
	return func(m *manifest.Manifest, in string) string {
		at, _, _ := strings.Cut(cfg.Systems[m.System].Files[in], "?")
		if at == "" || strings.Contains(at, "://") && !strings.HasPrefix(at, "file://") {
			return at
		}
		return filepath.ToSlash(filepath.Clean(strings.TrimPrefix(at, "file://")))
	}
}

// refusedBy returns an error of what manifests say with which nothing starts.
func refusedBy(cfg config.Config, manifests []*manifest.Manifest) error {
	errs := []error{manifest.Refused(manifests)}
	for _, f := range manifest.FilesMet(manifests, FilesAt(cfg)) {
		errs = append(errs, f.Error)
	}
	return errors.Join(errs...)
}

// whenReachable connects to a system until it is there, and then serves it: one
// system that is down holds up requests that need it, and nothing else. Until then
// /readyz says why.
func (n *Node) whenReachable(system string, down error, connect func(context.Context) (func(context.Context) error, error)) func(context.Context) error {
	var last atomic.Pointer[error]
	last.Store(&down)
	n.health.watch("system "+system, func(context.Context) error {
		if err := last.Load(); err != nil {
			return *err
		}
		return nil
	})
	return func(ctx context.Context) error {
		again := backoff.NewExponentialBackOff(backoff.WithMaxInterval(reachInterval), backoff.WithMaxElapsedTime(0))
		serve, err := backoff.RetryWithData(func() (func(context.Context) error, error) {
			serve, err := connect(ctx)
			switch {
			case errors.Is(err, sqlsystem.ErrUnreachable):
				last.Store(&err)
			case err != nil:
				err = backoff.Permanent(err)
			}
			return serve, err
		}, backoff.WithContext(again, ctx))
		if err != nil {
			return err
		}
		last.Store(nil)
		n.log.Info("a system is there again", "system", system)
		return serve(ctx)
	}
}
