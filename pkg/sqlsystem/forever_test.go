package sqlsystem

import (
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
)

// TestDatesForEver: a date whose period ends beyond what can be written, the usual "for ever",
// has its record stay without a known end, beside others that end.
func TestDatesForEver(t *testing.T) {
	t.Parallel()
	everyDatabase(t, `CREATE TABLE invoices (id INTEGER PRIMARY KEY, customer INTEGER, made DATE)`, func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [customer]\nsql: {}",
			`invoices | table: invoices, key: [id], subject: {customer: customer}, erase: delete | id made:date | retention: [{ground: tax, source: law, title: {en: Tax}, column: made, period: P10Y, undated: go}]`))
		dates := []string{"'9999-12-31'", "'9990-01-01'", "'9989-12-31'"}
		if d.dialect == PostgreSQL {
			dates = append(dates, "'infinity'", "'294276-12-31'")
		}
		for _, date := range dates {
			d.run(t, "DELETE FROM invoices", "INSERT INTO invoices VALUES (1, 5, "+date+"), (2, 5, '2025-01-01'), (3, 5, '2001-01-01')")
			jobs := jobsOf(dsar.Erasure, ids("customer 5"))
			if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
				t.Fatal(date, err, jobs[0].Err)
			}
			kept := jobs[0].Counts[0].Retained
			if got := outcomes(jobs[0].Counts); got != "invoices found 3 erased 1 anonymised 0 gone 0 late 0 kept 2 tax" || !kept[0].Until.IsZero() || kept[0].Next.Year() != 2035 {
				t.Errorf("%s: %s, %+v", date, got, kept)
			}
			for e, err := range jobs[0].plan.Entries(t.Context()) {
				if err != nil || e.Key == "1" && (!e.Keep || !e.Until.IsZero()) {
					t.Errorf("%s: %+v, %v", date, e, err)
				}
			}
			if left := d.column(t, "SELECT id FROM invoices ORDER BY id"); strings.Join(left, " ") != "1 2" {
				t.Errorf("%s: left %v", date, left)
			}
		}
	})
}
