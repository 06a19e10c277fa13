package conform

import (
	"context"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// Overtaken changes the address in planned records of a dataset before they are erased. One
// that has somebody else's by now is neither found nor erased, and the dataset said to be
// uncovered; long after the plan it is gone. One that was only blanked, or has the person's own
// address in another writing, is still the person's.
// Each is told the same whether they are asked for alone or in one call with whom the record
// belongs to by now, which is erased for that person.
// The worker itself writes the address, as a correction; column is where it is.
func Overtaken(t *testing.T, dataset, column string, open func(*testing.T) *Direct) {
	t.Helper()
	for name, byKeys := range map[string]bool{"by plan and address": false, "by keys only": true} {
		for called, calls := range map[string]func(left, stranger, blanked, rewritten string) [][]string{
			"alone": func(left, stranger, blanked, rewritten string) [][]string {
				return [][]string{{left}, {blanked}, {rewritten}, {stranger}}
			},
			"in one call": func(left, stranger, blanked, rewritten string) [][]string {
				return [][]string{{left, stranger, blanked, rewritten}}
			},
			"in one call, the last first": func(left, stranger, blanked, rewritten string) [][]string {
				return [][]string{{rewritten, blanked, stranger, left}}
			},
		} {
			t.Run(name+", "+called, func(t *testing.T) {
				t.Parallel()
				overtaken(open(t), dataset, column, byKeys, calls)
			})
		}
	}
}

func overtaken(d *Direct, dataset, column string, byKeys bool, calls func(left, stranger, blanked, rewritten string) [][]string) {
	d.T.Helper()
	left, stranger, blanked, rewritten := d.Emails()[0], "overtaken@example.net", d.Emails()[1], d.Emails()[2]
	// do does something of everyone, and returns what was said of the dataset.
	do := func(a dsar.Action, calls ...[]string) map[string]dsar.Counts {
		d.T.Helper()
		of := map[string]dsar.Counts{}
		for _, emails := range calls {
			for i, j := range d.Do(a, emails...) {
				if j.Err != nil {
					d.T.Fatalf("%s: %v", a, j.Err)
				}
				for _, c := range j.Counts {
					if c.Dataset == dataset {
						of[emails[i]] = c
					}
				}
			}
		}
		return of
	}
	write := func(from, to string) {
		d.T.Helper()
		j := &worker.RectifyJob{Job: worker.Job{Task: Task(dsar.Rectify, from)}, Changes: []worker.Change{{Dataset: dataset, Column: column, Value: to}}}
		if err := d.Client.(worker.Rectifier).Rectify(context.Background(), []*worker.RectifyJob{j}); err != nil || j.Err != nil { //nolint:forcetypeassert // only such are given
			d.T.Fatal(err, j.Err)
		}
	}
	planned := do(dsar.Plan, []string{left, blanked, rewritten})
	for _, email := range []string{left, blanked, rewritten} {
		if planned[email].Found == 0 {
			d.T.Fatalf("nothing of %s is planned: %+v", dataset, planned[email])
		}
	}
	of := planned[left].Found
	write(left, stranger)
	write(blanked, "")
	write(rewritten, strings.ToUpper(rewritten)+".") // with the dot of the root
	if c := do(dsar.Plan, []string{stranger})[stranger]; c.Found != of {
		d.T.Errorf("the stranger has %d of %d records", c.Found, of)
	}
	if byKeys {
		d.ByKeys = []string{left, blanked, rewritten}
	}
	all := calls(left, stranger, blanked, rewritten)
	proof := do(dsar.Prove, all...)
	if c := proof[left]; c.Found > 0 {
		d.T.Errorf("the proof finds what is a stranger's by now: %+v", c)
	}
	for what, email := range map[string]string{"were blanked": blanked, "were written otherwise": rewritten} {
		if c := proof[email]; c.Found != planned[email].Found {
			d.T.Errorf("the proof finds %+v of %d records that %s", c, planned[email].Found, what)
		}
	}
	if c := proof[stranger]; c.Found != of {
		d.T.Errorf("the proof finds %+v of the stranger's %d records", c, of)
	}
	done := do(dsar.Erase, all...)
	if c := done[left]; c.Erased+c.Anonymised+c.Kept() > 0 || !byKeys && (c.Uncovered != worker.Overtaken || c.Cause == nil || c.Reassigned != of) || byKeys && (c.Gone != of || c.Uncovered != "") {
		d.T.Errorf("the erasure says %+v of what is a stranger's by now", c)
	}
	for what, email := range map[string]string{"were blanked": blanked, "were written otherwise": rewritten} {
		if c := done[email]; c.Erased+c.Anonymised != planned[email].Found || c.Uncovered != "" || c.Late > 0 {
			d.T.Errorf("the erasure says %+v of %d records that %s", c, planned[email].Found, what)
		}
	}
	if c := done[stranger]; c.Erased+c.Anonymised != of || c.Uncovered != "" || c.Late > 0 {
		d.T.Errorf("the erasure says %+v of the stranger's own %d records", c, of)
	}
	for _, c := range do(dsar.Prove, all...) {
		if c.Found > 0 {
			d.T.Errorf("after the erasure the proof finds %+v", c)
		}
	}
}
