// Package bench measures a machine: how many requests a second Habeas carries, how
// long a lone one takes, and how fast a large bundle is written. It also measures
// another program of Habeas, of any version, against this one.
package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"habeas.dev/services/habeas/node"
	"habeas.dev/services/habeas/upstream"
)

// Config says what is measured, and on what.
type Config struct {
	Loads        []string // those of [Loads] that are measured; none: all
	Accesses     int      // requests of the load of that name over nine systems
	Erasures     int
	People       int     // of the nine systems; 0: 2000
	ShopRequests int     // of each load on one database
	Lone         int     // accesses that are sent one by one; 0 leaves them out
	BundleGB     float64 // the large bundle's payload; 0 leaves it out

	Dir          string // where the files of the measurement go; empty: among temporary files
	ShopDatabase string // the one database, a PostgreSQL URL; empty: SQLite
	CPUProfile   string // files for pprof, of all loads; empty: none
	Allocs       string

	Brokers  []string // an Apache Kafka, and a PostgreSQL for the journal; empty: what is embedded
	Postgres string
	Warm     int // requests before anything is measured there

	Against string // another program of Habeas: both are measured, in turn
	Rounds  int    // how often; medians are told

	Version string // of this program
}

// Run measures, and writes a table of what it found with what was aimed at.
func Run(ctx context.Context, c Config, out io.Writer) error {
	dir, err := os.MkdirTemp(c.Dir, "habeas-bench-")
	if err != nil {
		return fmt.Errorf("a folder for the measurement: %w; name one with --data", err)
	}
	defer os.RemoveAll(dir)
	fmt.Fprintf(out, "%s, %d processors, load %s, in %s\n", runtime.Version(), runtime.GOMAXPROCS(0), machineLoad(), dir)
	if c.Against != "" {
		return c.compare(ctx, dir, out)
	}
	var found results
	if c.Postgres != "" {
		err = c.onKafka(ctx, dir, &found)
	} else {
		err = c.embedded(ctx, dir, &found)
	}
	if err != nil {
		return err
	}
	return found.print(out)
}

func (c Config) options() node.Options { return node.Options{Logs: os.Stderr, Version: c.Version} }

// wants reports whether any of the loads is to be measured.
func (c Config) wants(loads ...load) bool {
	return len(c.Loads) == 0 || slices.ContainsFunc(loads, func(l load) bool { return slices.Contains(c.Loads, l.name) })
}

// embedded measures `habeas up` as it comes: everything in one process.
func (c Config) embedded(ctx context.Context, dir string, found *results) error {
	stop, err := profiles{c.CPUProfile, c.Allocs}.start()
	if err != nil {
		return err
	}
	err = c.onEach(ctx, dir, func(r rig) error {
		t, n, err := here(ctx, r.config, c.options(), node.Everything())
		if err != nil {
			return err
		}
		defer t.stop()
		if err := c.measure(ctx, t, r, found); err != nil {
			return err
		}
		if c.BundleGB == 0 || r.config.Sandbox == nil {
			return nil
		}
		large, err := measureLargeBundle(ctx, t, n, int64(c.BundleGB*1e9))
		if err != nil {
			return err
		}
		large.report(found)
		return nil
	})
	if e := stop(); err == nil {
		err = e
	}
	return err
}

// onEach calls f with each installation that has a load to be measured.
func (c Config) onEach(ctx context.Context, dir string, f func(rig) error) error {
	for _, made := range []func(dir string) (rig, error){
		c.nineSystems,
		func(dir string) (rig, error) { return c.oneSystem(ctx, dir) },
	} {
		room, err := os.MkdirTemp(dir, "")
		if err != nil {
			return err
		}
		r, err := made(room)
		if err != nil {
			return err
		}
		if !c.wants(r.loads...) {
			continue
		}
		if err := f(r); err != nil {
			return err
		}
		if err := os.RemoveAll(room); err != nil {
			return err
		}
	}
	return nil
}

// measure puts an installation's loads on a target that runs it.
func (c Config) measure(ctx context.Context, t *target, r rig, found *results) error {
	if c.Lone > 0 && r.config.Sandbox != nil {
		l, err := measureLone(ctx, t, c.accesses(c.Lone))
		if err != nil {
			return err
		}
		l.report(found)
	}
	for _, l := range r.loads {
		if !c.wants(l) || len(l.requests) == 0 {
			continue
		}
		m, err := l.run(ctx, t)
		if err != nil {
			return err
		}
		m.report(found)
		if c.Against != "" || l.name != NineAccess {
			continue
		}
		if err := m.ceilings(ctx, t, found); err != nil {
			return err
		}
	}
	return nil
}

// ceilings measures what the broker, and PostgreSQL, take of the same messages and
// rows from nothing but their clients.
func (m measured) ceilings(ctx context.Context, t *target, found *results) error {
	broker, err := rawBroker(ctx, t.as, m.messages)
	if err != nil {
		return err
	}
	n, s := float64(len(m.requests)), found.section(m.title)
	share := func(what string, of time.Duration, note string) {
		s.add(line{what: what, value: 100 * float64(of) / float64(m.took), unit: "%", aim: "25 % of the lower", note: fmt.Sprintf("of %.0f requests/s; %s", n/of.Seconds(), note)})
	}
	share("share of what kafka-go alone gets through", broker, fmt.Sprintf("%.0f messages/s", float64(m.messages.count)/broker.Seconds()))
	if !isPostgres(t.config.Journal) {
		return nil
	}
	postgres, err := rawPostgres(ctx, t.config.Journal, len(m.requests), m.rows, m.messages)
	if err != nil {
		return err
	}
	share("share of what PostgreSQL takes in batches", postgres, fmt.Sprintf("%.0f rows/s", float64(m.rows.all())/postgres.Seconds()))
	return nil
}

// warmUp carries a few requests that don't count.
func (t *target) warmUp(ctx context.Context, r rig) error {
	var first []upstream.Request
	for _, l := range r.loads[:1] {
		for _, q := range l.requests[:min(len(l.requests), warmRequests)] {
			q.ID = upstream.NewID()
			first = append(first, q)
		}
	}
	return t.carry(ctx, first)
}
