package conform

import (
	"slices"

	"habeas.dev/pkg/dsar"
)

// refuses looks that a person is called where the vendor shows nothing at all.
func (d *desk) refuses() {
	d.Helper()
	for i, r := range d.ask(dsar.Gather, 1, d.everyone()...) {
		if r.Kind != dsar.ReportFailed || r.Code == "" || r.Reason == "" {
			d.Errorf("subject %d: %s %s %q; a person must act", i, r.Kind, r.Code, r.Reason)
		}
	}
}

// gathersWithout looks that the rest is copied, each record exactly, where the
// vendor doesn't show one dataset, and that it is named.
func (d *desk) gathersWithout(dataset string) {
	d.Helper()
	d.untilEnded(dsar.Gather, func(i int, r dsar.Report) {
		missing := d.missing(r)
		if !slices.Contains(missing, dataset) {
			d.Errorf("subject %d: %s %s; %s isn't named as not covered: %v", i, r.Outcome, r.Reason, dataset, missing)
		}
		var rest []string
		for _, rec := range d.Subjects[i].Records {
			if !slices.Contains(missing, rec.Dataset) {
				rest = append(rest, d.line(rec))
			}
		}
		slices.Sort(rest)
		if got := d.gathered(r); len(rest) == 0 || !slices.Equal(got, rest) {
			d.Errorf("subject %d: %d records were copied, of the rest %d are held", i, len(got), len(rest))
		}
	})
}

// erasesWithout looks that nobody is said to be erased of whom something is held.
func (d *desk) erasesWithout() {
	d.Helper()
	for _, action := range []dsar.Action{dsar.Plan, dsar.Erase, dsar.Prove} {
		d.untilEnded(action, func(i int, r dsar.Report) {
			if missing := d.missing(r); action == dsar.Prove && d.Holds(i) && len(missing) == 0 {
				d.Errorf("subject %d is held, and nothing is said not to be covered: %s", i, r.Outcome)
			}
		})
	}
}

// missing returns the datasets that a report names as not covered.
func (d *desk) missing(r dsar.Report) []string {
	d.Helper()
	var names []string
	for _, c := range r.Counts {
		if c.Uncovered != "" {
			names = append(names, c.Dataset)
		}
	}
	if said := r.Outcome == dsar.Incomplete && r.Code == dsar.CodeNotCovered && r.Reason != ""; said != (len(names) > 0) {
		d.Errorf("%s: %s %s %q, and %v isn't covered", r.Action, r.Outcome, r.Code, r.Reason, names)
	}
	return names
}
