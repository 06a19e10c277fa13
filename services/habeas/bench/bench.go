// Package bench measures a machine: how many requests a second a node carries, how
// long a lone one takes, and how fast a large bundle is written.
package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"text/tabwriter"
	"time"

	"habeas.dev/services/habeas/node"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/sandbox/people"
)

// Config says what is measured, and on what.
type Config struct {
	Requests   int     // at full load
	Lone       int     // one by one
	BundleGB   float64 // the large bundle's payload; 0 leaves it out
	Dir        string  // where the files of the measurement go; empty: among temporary files
	CPUProfile string  // files for pprof; empty: none
	Allocs     string
	Warm       int      // requests before anything is measured on Apache Kafka
	Brokers    []string // empty: the embedded broker, and SQLite
	Postgres   string
	Version    string // the program's
}

// Run measures, and writes a table of what it found with what was aimed at.
func Run(ctx context.Context, c Config, out io.Writer) error {
	dir, err := os.MkdirTemp(c.Dir, "habeas-bench-")
	if err != nil {
		return fmt.Errorf("a folder for the measurement: %w; name one with --data", err)
	}
	defer os.RemoveAll(dir)
	fmt.Fprintf(out, "%s, %d processors, in %s\n", runtime.Version(), runtime.GOMAXPROCS(0), dir)
	cfg, err := config.ForData(dir)
	if err != nil {
		return err
	}
	cfg.Listen, cfg.Log.Level = "127.0.0.1:0", "error"
	cfg.Sandbox = &config.Sandbox{Seed: 1, People: people.DefaultPeople}
	var found results
	if c.Postgres != "" {
		err = c.onKafka(ctx, cfg, &found)
	} else {
		err = c.embedded(ctx, cfg, &found)
	}
	if err != nil {
		return err
	}
	return found.print(out)
}

func (c Config) options() node.Options { return node.Options{Logs: os.Stderr, Version: c.Version} }

// embedded measures `habeas up` as it comes: everything in one process.
func (c Config) embedded(ctx context.Context, cfg config.Config, found *results) error {
	n, err := node.Start(ctx, cfg, c.options(), node.Everything())
	if err != nil {
		return err
	}
	defer n.Stop()
	door := func(ctx context.Context, r upstream.Request) error {
		_, err := upstream.Post(ctx, n.URL(), r.JSON())
		return err
	}
	if err := c.measure(ctx, n, door, found); err != nil {
		return err
	}
	if c.BundleGB > 0 {
		large, err := measureLargeBundle(ctx, n, int64(c.BundleGB*1e9))
		if err != nil {
			return err
		}
		large.add(found)
	}
	return nil
}

// measure measures what every installation is measured by.
func (c Config) measure(ctx context.Context, n *node.Node, submit submitter, found *results) error {
	lone, err := measureLone(ctx, n, submit, c.Lone)
	if err != nil {
		return err
	}
	lone.add(found)
	load, err := measureLoad(ctx, n, submit, c.Requests, profiles{c.CPUProfile, c.Allocs})
	if err != nil {
		return err
	}
	load.add(found)
	return nil
}

// results are what was measured, a line each.
type results []result

type result struct{ what, measured, aim string }

func (r *results) add(what, measured, aim string) { *r = append(*r, result{what, measured, aim}) }

func (r results) print(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "\nWHAT\tMEASURED\tAIM")
	for _, line := range r {
		fmt.Fprintf(out, "%s\t%s\t%s\n", line.what, line.measured, line.aim)
	}
	return out.Flush()
}

// resting is the memory that the process holds once what it can give back is
// given back, in bytes.
func resting() int64 {
	debug.FreeOSMemory()
	return residentMemory()
}

// peak runs f and returns the most memory that the process held meanwhile.
func peak(f func() error) (int64, error) {
	most := residentMemory()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		beat := time.NewTicker(5 * time.Millisecond)
		defer beat.Stop()
		for {
			most = max(most, residentMemory())
			select {
			case <-stop:
				return
			case <-beat.C:
			}
		}
	}()
	err := f()
	close(stop)
	<-done
	return most, err
}

func mib(n int64) string { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) }
