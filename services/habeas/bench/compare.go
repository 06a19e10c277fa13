package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
)

// warmRequests is how many requests a program carries before it is measured
// against another.
const warmRequests = 64

// compare measures the program at c.Against and this one in turn, each in processes
// of its own, and writes the medians. Who begins a round changes, so that a machine
// that slows down or another tenant that wakes up hits both.
func (c Config) compare(ctx context.Context, dir string, out io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	programs := [2]string{c.Against, self}
	var rounds [2][]results
	for round := range c.Rounds {
		for turn := range programs {
			which := (round + turn) % len(programs)
			var found results
			if err := c.measureProgram(ctx, dir, programs[which], &found); err != nil {
				return err
			}
			rounds[which] = append(rounds[which], found)
			fmt.Fprintf(out, "round %d of %d, %s: load %s\n", round+1, c.Rounds, [2]string{"before", "after"}[which], machineLoad())
		}
	}
	return printCompared(out, rounds[0], rounds[1])
}

func (c Config) measureProgram(ctx context.Context, dir, program string, found *results) error {
	return c.onEach(ctx, dir, func(r rig) error {
		t, err := there(ctx, program, r.config)
		if err != nil {
			return err
		}
		defer t.stop()
		if err := t.warmUp(ctx, r); err != nil {
			return err
		}
		return c.measure(ctx, t, r, found)
	})
}

// printCompared writes the medians of both, and how much the second differs.
func printCompared(w io.Writer, before, after []results) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range after[0] {
		fmt.Fprintf(out, "\n%s\tBEFORE\tAFTER\tCHANGE\t\n", s.title)
		for _, l := range s.lines {
			a, b := median(before, s.title, l.what), median(after, s.title, l.what)
			change := ""
			if a != 0 {
				change = fmt.Sprintf("%+.1f %%", 100*(b-a)/a)
			}
			fmt.Fprintf(out, "%s\t%s\t%s\t%s\t\n", l.what, l.amount(a), l.amount(b), change)
		}
	}
	return out.Flush()
}

// median returns the median of what was measured over the rounds; 0 where nothing
// of that name was.
func median(rounds []results, title, what string) float64 {
	var values []float64
	for _, r := range rounds {
		for _, l := range r.section(title).lines {
			if l.what == what {
				values = append(values, l.value)
			}
		}
	}
	if values == nil {
		return 0
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}
