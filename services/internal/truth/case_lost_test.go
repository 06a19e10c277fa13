package truth

import (
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// TestTheDateGoesWithTheLead: a record whose period runs from a date in the row that leads
// to it, and that a hold keeps while that row goes, stays for the hold alone, and goes with
// it. What had to stay by law as well stays until its day, which the plan knows.
func TestTheDateGoesWithTheLead(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		s.quiet = true
		db := s.system(`
system: shop
holds: true
datasets:
- name: customers
  columns: [id, 'since:date', email]
  subject: {email: email}
  retention: [{ground: tax-records, source: a law, title: {en: Tax, fr: Impôts}, column: since, period: P10Y}]
- name: orders
  columns: [id, what, 'since:date']
  via: [{table: customers, on: {customer: id}}]
  subject: {email: customers.email}
  technical: [customer]
  map: {since: customers.since}
  retention: [{ground: tax-records, source: a law, title: {en: Tax, fr: Impôts}, column: since, period: P10Y}]
`, "CREATE TABLE customers(id INTEGER PRIMARY KEY, since DATE, email TEXT)", "CREATE TABLE orders(id INTEGER PRIMARY KEY, customer INTEGER, what TEXT)")
		db.row("customers", 1, "2010-01-01", "anna@example.com")
		db.row("orders", 1, 1, "a lamp")
		s.begin()
		id := s.submits(dsar.Erasure, "email anna@example.com")
		s.do(id, core.Hold{By: "lea", Reason: "a lawsuit", System: "shop", Dataset: "orders", Now: s.now})
		state := s.play(id)
		a := s.completed(state)
		s.holds("shop", "SELECT id FROM customers")
		s.holds("shop", "SELECT id FROM orders", "1")
		if kept := a.dataset("shop", "orders").Retained; len(kept) != 1 || kept[0].Ground != dsar.LegalHold {
			s.Errorf("kept is told as %+v", kept)
		}
		s.do(id, core.Lift{By: "lea", Reason: "settled", System: "shop", Dataset: "orders", Now: s.now})
		s.play(id)
		s.holds("shop", "SELECT id FROM orders")
	})
}
