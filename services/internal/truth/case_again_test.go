package truth

import (
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
)

// TestCase06AfterAnErasure: who asks again after an erasure that had to keep something
// is told of it, and never that nothing is held.
func TestCase06AfterAnErasure(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		account := s.system(`
system: account
finds: [account_id]
scope: {account_id: shared}
resolve: [{find: account_id, table: accounts, column: number, by: {email: email}}]
datasets:
- {name: accounts, columns: [id, number, email], subject: {email: email}}
`, "CREATE TABLE accounts(id INTEGER PRIMARY KEY, number TEXT, email TEXT)")
		billing := s.system(`
system: billing
needs: [account_id]
datasets:
- {name: invoices, columns: [id, 'issued_on:date', name], subject: {account_id: account}, technical: [account], keep: P10Y}
`, "CREATE TABLE invoices(id INTEGER PRIMARY KEY, account TEXT, issued_on DATE, name TEXT)")
		account.row("accounts", 1, "A-1", "anna@example.com")
		account.row("accounts", 2, "A-2", "sam@example.com")
		for id := 1; id <= 3; id++ {
			billing.row("invoices", id, "A-1", "2024-02-01", "Anna")
		}
		billing.row("invoices", 4, "A-1", "2011-02-01", "Anna")
		billing.row("invoices", 5, "A-2", "2024-02-01", "Sam")
		s.begin()
		s.numbers(s.completes(dsar.Erasure, "email anna@example.com"), "billing", "invoices", 4, 1, 3)
		for _, writing := range []string{"email anna@example.com", "email ANNA@example.com "} {
			a := s.completes(dsar.Access, writing)
			s.shows(a, "billing", "invoices", "1", "2", "3")
			if d := a.dataset("billing", "invoices"); len(d.KeptEarlier) == 0 || d.KeptEarlier[0].Records != 3 || d.KeptEarlier[0].Ground != "tax-records" {
				s.Errorf("what was kept is told as %+v", d.KeptEarlier)
			}
			if among := a.whole.About("billing", "invoices", statement.KeptAmong); len(among) != 1 || len(a.whole.About("billing", "invoices", statement.KeptNotCopied)) > 0 {
				s.Error("it isn't told that the copies may be of what was kept")
			}
			if says := strings.ToLower(a.page()); strings.Contains(says, "hold nothing") {
				s.Error("the page says that nothing is held")
			}
		}
		s.shows(s.completes(dsar.Access, "email sam@example.com"), "billing", "invoices", "5")
		// Erased again: there is nothing more to erase, and the rows still stay.
		s.numbers(s.completes(dsar.Erasure, "email anna@example.com"), "billing", "invoices", 3, 0, 3)
		s.holds("billing", "SELECT id FROM invoices", "1", "2", "3", "5")
		// What both erasures had to keep is told once.
		kept := int64(0)
		for _, k := range s.completes(dsar.Access, "email anna@example.com").dataset("billing", "invoices").KeptEarlier {
			kept += k.Records
		}
		if kept != 3 {
			s.Errorf("%d records are said to be kept, and 3 are", kept)
		}
		// When the period is over they go, and then nothing is held.
		s.until(time.Date(2034, 3, 1, 0, 0, 0, 0, time.UTC))
		for s.deliver() {
		}
		s.holds("billing", "SELECT id FROM invoices", "5")
	})
}

// TestCase06KeptHereErasedThere: kept in one system of which the way there is erased in
// another, and asked for by an identifier that the earlier request only found.
func TestCase06KeptHereErasedThere(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		db := s.system(`
system: shop
needs: [email, customer_ref]
finds: [customer_ref]
scope: {customer_ref: shared}
resolve: [{find: customer_ref, table: customers, column: ref, by: {email: email}}]
datasets:
- {name: customers, columns: [id, ref, email], subject: {email: email, customer_ref: ref}}
- {name: bills, columns: [id, 'issued_on:date'], subject: {customer_ref: ref}, technical: [ref], keep: P10Y}
`, "CREATE TABLE customers(id INTEGER PRIMARY KEY, ref TEXT, email TEXT)", "CREATE TABLE bills(id INTEGER PRIMARY KEY, ref TEXT, issued_on DATE)")
		db.row("customers", 1, "C-1", "anna@example.com")
		db.row("bills", 1, "C-1", "2024-05-05")
		db.row("customers", 2, "C-2", "sam@example.com")
		s.begin()
		s.numbers(s.completes(dsar.Erasure, "email anna@example.com"), "shop", "bills", 1, 0, 1)
		s.shows(s.completes(dsar.Access, "customer_ref C-1"), "shop", "bills", "1")
		s.shows(s.completes(dsar.Access, "email anna@example.com"), "shop", "bills", "1")
		// A claim of the address opens none of it.
		r := event.Submitted{Right: dsar.Access, Jurisdiction: "EEA", Source: "truth", Subject: event.Subject{Identifiers: []event.SubjectIdentifier{{Type: "email", Value: "sam@example.com", Verified: true}, {Type: "email", Value: "anna@example.com"}}}}
		id := s.submit(r)
		if state := s.play(id); state.Awaited != "" {
			a := s.completed(s.do(id, core.JudgeProof{By: "lea", Without: true, Reason: "no proof", Calendar: s.kit.book, Now: s.now}))
			s.shows(a, "shop", "bills")
			if d := a.dataset("shop", "bills"); len(d.KeptEarlier) > 0 {
				s.Errorf("a claim is told what was kept: %+v", d.KeptEarlier)
			}
		}
	})
}
