package conform

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/sandbox/fault"
)

// Faulty is a vendor's worker and the stand-in that it calls, freshly seeded.
type Faulty struct {
	Manifest *manifest.Manifest
	Worker   any
	// Subjects are at least two people of whom the vendor holds records.
	Subjects []workertest.Subject
	// Set changes what goes wrong from the next call on, and Spoils names the ways
	// in which the stand-in's answers can be spoilt.
	Set    func(fault.Config)
	Spoils []string
	// Holds tells whether the vendor holds anything of a subject that an erasure
	// must not leave.
	Holds func(subject int) bool
	// Repeated is how many deletions were asked of what was gone.
	Repeated func() int64
	// Knows tells that the worker or its vendor knows a deletion again whose answer
	// was lost, though the record is still shown.
	Knows bool
	// Forbid takes a permission away, which a person must give back with allow.
	// dataset is what nothing can be read of then; empty where it is everything.
	// Nil where that can't be played.
	Forbid func() (dataset string, allow func())
}

// Config is what a case asks of a stand-in and its worker.
type Config struct {
	Clock *Clock // of both
	// Settle is how long the stand-in still shows what is deleted.
	Settle time.Duration
}

// faultCase is one line of the table.
type faultCase struct {
	name   string
	faults fault.Config
	settle time.Duration
	// parks tells that some task must have been parked on the way.
	parks bool
	// knows tells that it is played where [Faulty.Knows] only.
	knows bool
}

// faultCases returns what real vendors do.
func faultCases() []faultCase {
	worst := fault.Config{Throttle: 0.05, ServerError: 0.05, ErrorAfter: 0.05, Cut: 0.05, Half: 0.05, Revoke: 0.05, Lock: 0.2}
	return []faultCase{
		{name: "nothing"},
		{name: "too many calls", faults: fault.Config{Throttle: 0.3}},
		{name: "the quota is spent for an hour", faults: fault.Config{Quota: time.Hour}, parks: true},
		{name: "5xx at 20 %", faults: fault.Config{ServerError: 0.2}},
		{name: "answers are lost", faults: fault.Config{ErrorAfter: 0.2}},
		{name: "connections are cut in mid-answer", faults: fault.Config{Cut: 0.2}},
		{name: "answers are half", faults: fault.Config{Half: 0.2}},
		{name: "the token is revoked in mid-run", faults: fault.Config{Revoke: 0.3}},
		{name: "page tokens expire", faults: fault.Config{ExpirePages: 0.05}},
		{name: "records are locked, then free", faults: fault.Config{Lock: 0.5}},
		{name: "deleted, and shown for a minute", settle: time.Minute, parks: true},
		{name: "all of it", faults: worst},
		{name: "all of it, and shown for a minute", faults: worst, settle: time.Minute, knows: true},
	}
}

const (
	// spoiltCalls is of how many of the first calls each alone has a spoilt answer:
	// no worker makes many more to read what is held of some people.
	spoiltCalls = 8
	// spoilt is the share of answers that are spoilt while people are erased. One of
	// a long list has all of it asked for from the beginning.
	spoilt = 0.2
)

// plays gathers and erases everyone's records while something goes wrong.
func (d *desk) plays(faults fault.Config, seed int64) {
	d.Helper()
	faults.Seed = seed
	d.Set(faults)
	d.gathers()
	d.Set(faults)
	d.erases()
	d.leaksNothing()
}

// maxRounds is how often a task is sent again before it is said not to end.
const maxRounds = 60

// Faults plays the table on a vendor's worker, some seeds for each line. Whatever
// goes wrong: nothing that is held is missing from a copy; what is said to be
// erased is gone; nothing is deleted again that is gone already; and whenever a
// task waits or fails, code and reason say so without anybody's data.
func Faults(t *testing.T, open func(t testing.TB, c Config) Faulty) {
	t.Helper()
	for _, c := range faultCases() {
		for seed := range int64(2) {
			t.Run(fmt.Sprintf("%s/%d", c.name, seed), func(t *testing.T) {
				t.Parallel()
				d := newDesk(t, Config{NewClock(), c.settle}, open)
				if c.knows && !d.Knows {
					t.Skip("a deletion whose answer is lost isn't known again while the record is shown")
				}
				d.plays(c.faults, seed)
				if c.parks && d.parked == 0 {
					t.Error("no task was parked")
				}
			})
		}
	}
	t.Run("answers that are none", func(t *testing.T) {
		t.Parallel()
		spoils := newDesk(t, Config{Clock: NewClock()}, open).Spoils
		for _, must := range []string{fault.Empty, fault.Twice, fault.Stranger, fault.Short, fault.Emptied, fault.Passing, fault.Unknown} {
			if !slices.Contains(spoils, must) {
				t.Errorf("the stand-in doesn't play answers that are %s", must)
			}
		}
		for _, name := range spoils {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				d := newDesk(t, Config{Clock: NewClock()}, open)
				planned := d.planned()
				for call := range spoiltCalls {
					faults := fault.Config{Spoil: name, SpoiltCall: call + 1, Seed: int64(call)}
					d.Set(faults)
					d.gathers()
					d.Set(faults)
					if got := d.planned(); !maps.Equal(got, planned) {
						t.Errorf("with call %d, %v is planned, and %v is held", call+1, got, planned)
					}
				}
				d.plays(fault.Config{Spoilt: spoilt, Spoil: name}, 1)
			})
		}
	})
	t.Run("a permission is missing", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, Config{Clock: NewClock()}, open)
		if d.Forbid == nil {
			t.Skip("the stand-in can't play it")
		}
		dataset, allow := d.Forbid()
		if dataset == "" {
			d.refuses()
			allow()
			d.gathers()
		} else {
			d.gathersWithout(dataset)
			d.erasesWithout()
			allow()
		}
		d.erases()
		d.leaksNothing()
	})
}
