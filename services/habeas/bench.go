package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"text/tabwriter"
	"time"

	"habeas.dev/services/internal/config"
	"habeas.dev/services/sandbox/people"
)

type benchCommand struct {
	Requests int      `help:"How many access requests go through the pipeline at full load." default:"3000"`
	Lone     int      `help:"How many requests are sent one by one, for the time of a lone one." default:"200"`
	BundleGB float64  `help:"The size of the large bundle's payload in GB; 0 leaves it out." default:"5"`
	Data     string   `help:"Where the files of the measurement go; else among the system's temporary files. They are removed." placeholder:"DIR" type:"path"`
	Profile  string   `help:"Write a CPU profile of the load to this file." placeholder:"FILE" type:"path"`
	Allocs   string   `help:"Write a profile of what was allocated, from the start until the load has ended, to this file." placeholder:"FILE" type:"path"`
	Warm     int      `help:"How many requests go through Apache Kafka before anything is measured: a broker that has just started spends its first minute compiling itself." default:"3000"`
	Brokers  []string `help:"Measure on this Kafka cluster instead of the embedded broker; its topics are made where they are missing." placeholder:"HOST:PORT" and:"production"`
	Postgres string   `help:"Measure with the journal in this PostgreSQL database, in a schema that is removed." placeholder:"URL" and:"production"`
}

// Run measures, and prints a table of what it found with what it set out for.
func (c *benchCommand) Run(ctx context.Context) error {
	dir, err := os.MkdirTemp(c.Data, "habeas-bench-")
	if err != nil {
		return fmt.Errorf("a folder for the measurement: %w; name one with --data", err)
	}
	defer os.RemoveAll(dir)
	fmt.Printf("%s, %d processors, in %s\n", runtime.Version(), runtime.GOMAXPROCS(0), dir)
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
	return found.print(os.Stdout)
}

// embedded measures `habeas up` as it comes: everything in one process.
func (c *benchCommand) embedded(ctx context.Context, cfg config.Config, found *results) error {
	n, err := startNode(ctx, cfg, outlets{logs: os.Stderr}, everything())
	if err != nil {
		return err
	}
	defer n.stop()
	door := func(ctx context.Context, r demoRequest) error {
		_, err := post(ctx, n.url(), r.data())
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

// measure is what is measured of every installation.
func (c *benchCommand) measure(ctx context.Context, n *node, up upstream, found *results) error {
	lone, err := measureLone(ctx, n, up, c.Lone)
	if err != nil {
		return err
	}
	lone.add(found)
	load, err := measureLoad(ctx, n, up, c.Requests, profiles{c.Profile, c.Allocs})
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
