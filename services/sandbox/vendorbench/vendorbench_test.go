package vendorbench

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"text/tabwriter"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/sandbox/people"
)

var (
	subjects = flag.Int("vendor-subjects", 100, "how many subjects calls are counted for")
	erasures = flag.Int("vendor-erasures", 200, "how many erasures are timed")
	latency  = flag.Duration("vendor-latency", 300*time.Millisecond, "how long a vendor takes to answer")
)

// alone is how many subjects are asked for one at a time; what that costs is
// reckoned up.
const alone = 50

// TestVendors: batches take fewer calls than one by one, wherever the vendor has
// batches, and no more than a thousand subjects may cost; all erasures end, and none of the vendor's limits is met.
func TestVendors(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	out := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "vendor\taction\tsubjects\tcalls\tfiles' bytes\tideal\tone by one\n")
	for _, v := range vendors() {
		for _, a := range actions() {
			virtual(t, func(t *testing.T) { countCalls(t, out, v, a) })
		}
	}
	fmt.Fprintf(out, "\nvendor\terasures\tcalls\tsimulated time\tour calls a day\tshare used\n")
	for _, v := range vendors() {
		virtual(t, func(t *testing.T) { timeErasures(t, out, v) })
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + text.String())
}

// virtual runs f in a time of its own, on a weekday of the population's.
func virtual(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if err := pass(t.Context(), time.Until(time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC))); err != nil {
			t.Fatal(err)
		}
		f(t)
	})
}

func pass(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// action is what is counted: an erasure is its plan, the deletion and the proof.
type action struct {
	name  string
	steps []dsar.Action
}

func actions() []action {
	return []action{
		{"gather", []dsar.Action{dsar.Gather}},
		{"erase", []dsar.Action{dsar.Plan, dsar.Erase, dsar.Prove}},
		{"restrict", []dsar.Action{dsar.Restrict}},
	}
}

func countCalls(t *testing.T, out *tabwriter.Writer, v vendor, a action) {
	t.Helper()
	able := true
	counted := func(n, together int) (calls, files int64) {
		s := open(t, v, people.Generate(people.Config{Seed: 7, People: *subjects}), limits{})
		for from := 1; from <= n; from += together {
			for _, step := range a.steps {
				if able = s.can(step); able {
					s.until(step, from, min(from+together-1, n))
				}
			}
		}
		return s.calls()
	}
	n := min(alone, *subjects)
	batched, files := counted(*subjects, *subjects)
	single, _ := counted(n, 1)
	single = single * int64(*subjects) / int64(n)
	if !able {
		return // a person does it
	}
	if most, said := v.most[a.name]; said && *subjects <= 1000 && batched > most {
		t.Errorf("%s, %s: %d calls for %d subjects, at most %d for a thousand", v.name, a.name, batched, *subjects, most)
	}
	if v.files != "" && a.name == "gather" && files == 0 {
		t.Errorf("%s: no file was fetched: they aren't counted apart", v.name)
	}
	if v.batches && batched*2 > single {
		t.Errorf("%s, %s: %d calls together, %d one by one", v.name, a.name, batched, single)
	}
	fmt.Fprintf(out, "%s\t%s\t%d\t%d\t%d\t%s\t%d\n", v.name, a.name, *subjects, batched, files, v.ideal[a.name], single)
}

// timeErasures lets all erasures wait at once, and takes them in batches until
// each is proven: what is parked comes again at its time.
func timeErasures(t *testing.T, out *tabwriter.Writer, v vendor) {
	t.Helper()
	s := open(t, v, people.Generate(people.Config{Seed: 7, People: *erasures}), limits{real: true, latency: *latency})
	begun := time.Now()
	for from := 1; from <= *erasures; from += v.together {
		for _, step := range []dsar.Action{dsar.Plan, dsar.Erase, dsar.Prove} {
			s.until(step, from, min(from+v.together-1, *erasures))
		}
	}
	took := time.Since(begun).Round(time.Second)
	calls, _ := s.calls()
	budget, share := "not published", "-"
	if v.daily > 0 {
		days := max(1, float64(took)/float64(24*time.Hour))
		budget, share = fmt.Sprint(v.daily), fmt.Sprintf("%.1f %%", 100*float64(calls)/(days*float64(v.daily)))
	}
	fmt.Fprintf(out, "%s\t%d\t%d\t%s\t%s\t%s\n", v.name, *erasures, calls, took, budget, share)
}

// maxRounds bounds how often what is parked is taken up.
const maxRounds = 1000
