package sqlsystem

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
)

// TestGoesWith: rows that go with another dataset's stay while those stay, by whatever
// reason, go with those that go, and the proof finds nothing that is left too many.
func TestGoesWith(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE invoices (id INTEGER PRIMARY KEY, email TEXT, issued_on DATE); CREATE TABLE items (id INTEGER PRIMARY KEY, invoice INTEGER, what TEXT);
		INSERT INTO invoices VALUES (1, 'ann@example.com', '2026-01-01'), (2, 'ann@example.com', '2001-01-01'), (3, 'bob@example.com', '2001-01-01');
		INSERT INTO items VALUES (10, 1, 'kept'), (11, 1, 'kept'), (20, 2, 'old'), (30, 3, 'bobs')`
	everyDatabase(t, schema, func(t *testing.T, d database) {
		const head = "abilities: [gather, erase]\nneeds: [email]\nsql: {}"
		const invoices = "invoices | table: invoices, key: [id], subject: {email: email}, erase: delete | id issued_on:date | " + tenYears
		const lines = "lines | table: items, key: [id], via: [{table: invoices, on: {invoice: id}}], subject: {email: invoices.email}, erase: delete"
		s := open(t, d, small(t, head, invoices, lines+" | id | goes_with: invoices"))
		advised := func(s *System) bool {
			advice, err := s.Orphans(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return slices.ContainsFunc(advice, func(a Advice) bool { return strings.Contains(a.Cure, "goes_with: invoices") })
		}
		if advised(s) || !advised(open(t, d, small(t, head, invoices, lines))) {
			t.Error("lint asks for goes_with where it is, or doesn't where it isn't")
		}
		held := jobsOf(dsar.Erasure, ids("email ann@example.com"))
		held[0].Holds = []string{"invoices"}
		if err := cmp.Or(s.planAll(t.Context(), held), held[0].Err); err != nil {
			t.Fatal(err)
		}
		kept := 0
		for e, err := range held[0].plan.Entries(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Keep && e.Dataset == "lines" {
				kept++
			}
		}
		if kept != 3 {
			t.Errorf("with what is held %d lines are planned to stay", kept)
		}
		jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
		for range 2 { // the second time nothing is left to do
			if err := cmp.Or(s.eraseAll(t.Context(), jobs), jobs[0].Err); err != nil {
				t.Fatal(err)
			}
			if left := d.column(t, "SELECT id FROM items ORDER BY id"); !slices.Equal(left, []string{"10", "11", "30"}) {
				t.Errorf("lines are %v", left)
			}
			for _, c := range jobs[0].Counts {
				if c.Dataset == "lines" && (c.Kept() != 2 || c.Retained[0].Ground != "tax-records" || c.Retained[0].Until.Year() != 2036) {
					t.Errorf("%+v", c)
				}
			}
			jobs[0].Counts = nil
			if err := s.countAll(t.Context(), jobs); err != nil {
				t.Fatal(err)
			}
			for _, c := range jobs[0].Counts {
				if c.Found != c.Kept() {
					t.Errorf("the proof finds %+v", c)
				}
			}
			jobs[0].Counts = nil
		}
		if _, err := Open(t.Context(), small(t, head, invoices, "lines | table: items, key: [id], subject: {email: what}, erase: delete | id | goes_with: invoices"), d.source); err == nil || !strings.Contains(err.Error(), "goes with invoices") {
			t.Errorf("got %v", err)
		}
	})
}

// TestWaitForEachOther: a dataset that goes with one is decided on after it also where it is
// shared itself, and datasets that wait for each other are refused at the start.
func TestWaitForEachOther(t *testing.T) {
	t.Parallel()
	d := sqliteDB(t, "CREATE TABLE carts (id INTEGER PRIMARY KEY, email TEXT, issued_on DATE); CREATE TABLE items (id INTEGER PRIMARY KEY, cart INTEGER, email TEXT); CREATE TABLE notes (id INTEGER PRIMARY KEY, item INTEGER, email TEXT)")
	const head = "abilities: [gather, erase]\nneeds: [email]\nsql: {}"
	carts := func(shared string) string {
		return "carts | table: carts, key: [id], subject: {email: email}, erase: delete" + shared + " | id issued_on:date | " + tenYears
	}
	const items = "items | table: items, key: [id], via: [{table: carts, on: {cart: id}}], subject: {email: carts.email}, erase: delete"
	const notes = "notes | table: notes, key: [id], subject: {email: email}, erase: delete"
	s := open(t, d, small(t, head, items+", unless_shared: [{table: notes, on: {item: id}}] | id | goes_with: carts", notes+" | id", carts("")))
	var order []string
	for _, d := range s.deciding {
		order = append(order, d.Name)
	}
	if !slices.Equal(order, []string{"notes", "carts", "items"}) {
		t.Errorf("it is decided in the order %v", order)
	}
	for _, c := range []struct {
		datasets []string
		parts    []string
	}{
		{[]string{items + " | id | goes_with: carts", carts(", unless_shared: [{table: items, on: {cart: id}}]")}, []string{"items goes_with carts", "carts stays unless_shared with items", "take goes_with out of items"}},
		{[]string{carts(", unless_shared: [{table: items, on: {cart: id}}]"), items + ", unless_shared: [{table: carts, on: {id: cart}}] | id"}, []string{"items stays unless_shared with carts", "take one of these out"}},
	} {
		_, err := Open(t.Context(), small(t, head, c.datasets...), d.source)
		for _, part := range c.parts {
			if err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q lacks %q", err, part)
			}
		}
	}
}
