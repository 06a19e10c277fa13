package conform

import (
	"context"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// Overtaken changes the address in planned records of a dataset before they are erased. One
// that has somebody else's by now is neither found nor erased, and the dataset said to be
// uncovered; long after the plan it is gone. One that was only blanked is still the person's.
// The worker itself writes the address, as a correction; column is where it is.
func Overtaken(t *testing.T, dataset, column string, open func(*testing.T) *Direct) {
	t.Helper()
	const stranger = "overtaken@example.net"
	write := func(d *Direct, from, to string) {
		d.T.Helper()
		j := &worker.RectifyJob{Job: worker.Job{Task: Task(dsar.Rectify, from)}, Changes: []worker.Change{{Dataset: dataset, Column: column, Value: to}}}
		if err := d.Client.(worker.Rectifier).Rectify(context.Background(), []*worker.RectifyJob{j}); err != nil || j.Err != nil { //nolint:forcetypeassert // only such are given
			d.T.Fatal(err, j.Err)
		}
	}
	of := func(counts []dsar.Counts) (c dsar.Counts) {
		for _, one := range counts {
			if one.Dataset == dataset {
				c = one
			}
		}
		return c
	}
	do := func(d *Direct, a dsar.Action, email string) dsar.Counts {
		d.T.Helper()
		j := d.Do(a, email)[0]
		if j.Err != nil {
			d.T.Fatalf("%s: %v", a, j.Err)
		}
		return of(j.Counts)
	}
	for name, byKeys := range map[string]bool{"by plan and address": false, "by keys only": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			e := d.Emails()[0]
			planned := do(d, dsar.Plan, e).Found
			if planned == 0 {
				t.Fatalf("nothing of %s is planned", dataset)
			}
			write(d, e, stranger)
			d.ByKeys = byKeys
			if c := do(d, dsar.Prove, e); c.Found > 0 {
				t.Errorf("the proof finds what is a stranger's by now: %+v", c)
			}
			c := do(d, dsar.Erase, e)
			if c.Erased+c.Anonymised+c.Kept() > 0 || !byKeys && (c.Uncovered != worker.Overtaken || c.Cause == nil || c.Reassigned != planned) || byKeys && (c.Gone != planned || c.Uncovered != "") {
				t.Errorf("the erasure says %+v of what is a stranger's by now", c)
			}
			d.ByKeys = false
			if c := do(d, dsar.Plan, stranger); c.Found != planned {
				t.Errorf("the stranger has %d of %d records", c.Found, planned)
			}

			e = d.Emails()[1]
			planned = do(d, dsar.Plan, e).Found
			write(d, e, "")
			d.ByKeys = byKeys
			if c := do(d, dsar.Prove, e); planned == 0 || c.Found != planned {
				t.Errorf("the proof finds %+v of %d records that were blanked", c, planned)
			}
			if c := do(d, dsar.Erase, e); c.Erased+c.Anonymised != planned || c.Uncovered != "" || c.Late > 0 {
				t.Errorf("the erasure says %+v of %d records that were blanked", c, planned)
			}
			if c := do(d, dsar.Prove, e); c.Found > 0 {
				t.Errorf("what was blanked is still there: %+v", c)
			}
		})
	}
}
