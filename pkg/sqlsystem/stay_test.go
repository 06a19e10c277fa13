package sqlsystem

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// outcomes says in short what a job's counts are.
func outcomes(counts []dsar.Counts) string {
	var out []string
	for _, c := range counts {
		line := fmt.Sprintf("%s found %d erased %d anonymised %d gone %d late %d", c.Dataset, c.Found, c.Erased, c.Anonymised, c.Gone, c.Late)
		for _, r := range c.Retained {
			line += fmt.Sprintf(" kept %d %s", r.Records, r.Ground)
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

// TestKept: what the manifest has kept is planned to stay, stays, and is told to have
// stayed, and by a way that keeps nothing is lost that another way erases.
func TestKept(t *testing.T) {
	t.Parallel()
	everyDatabase(t, `CREATE TABLE unsubscribed (id INTEGER PRIMARY KEY, email TEXT); CREATE TABLE tickets (id INTEGER PRIMARY KEY, author TEXT, agent TEXT);
		INSERT INTO unsubscribed VALUES (1, 'ann@example.com'); INSERT INTO tickets VALUES (1, 'ann@example.com', 'bob@example.com'), (2, 'eve@example.com', 'ann@example.com')`, func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}",
			`unsubscribed | table: unsubscribed, key: [id], subject: {email: email}, erase: keep, why: {en: So that nothing is sent to you again}`,
			`tickets | table: tickets, key: [id], ways: [{subject: {email: author}, erase: delete}, {subject: {email: agent}, erase: keep, why: {en: It is the customer's}}]`))
		if title, _ := s.m.Datasets[0].Ground(manifest.GroundKept, "EEA"); title["en"] != "So that nothing is sent to you again" {
			t.Errorf("the ground is called %v", title)
		}
		jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
		for _, call := range []func() error{func() error { return s.eraseAll(t.Context(), jobs) }, func() error { return s.countAll(t.Context(), jobs) }} {
			jobs[0].Counts = nil
			if err := call(); err != nil || jobs[0].Err != nil {
				t.Fatal(err, jobs[0].Err)
			}
			got := strings.Replace(outcomes(jobs[0].Counts), "found 2 erased 1", "found 1 erased 0", 1)
			if want := "tickets found 1 erased 0 anonymised 0 gone 0 late 0 kept 1 kept; unsubscribed found 1 erased 0 anonymised 0 gone 0 late 0 kept 1 kept"; got != want {
				t.Errorf("got %s", got)
			}
		}
		if left := d.column(t, "SELECT id FROM tickets"); !slices.Equal(left, []string{"2"}) {
			t.Errorf("left %v", left)
		}
		// The author's erasure, together with the agent's, takes the ticket.
		jobs = jobsOf(dsar.Erasure, ids("email ann@example.com"), ids("email eve@example.com"))
		if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil || jobs[1].Err != nil {
			t.Fatal(err, jobs[0].Err, jobs[1].Err)
		}
		if left := d.column(t, "SELECT id FROM tickets"); len(left) > 0 {
			t.Errorf("left %v", left)
		}
	})
}

// TestShared holds, for any orders of some people to some addresses, that an address goes
// with the last order to it, and not before, and that plan, erasure and proof agree.
func TestShared(t *testing.T) {
	t.Parallel()
	everyDatabase(t, `CREATE TABLE addresses (id INTEGER PRIMARY KEY, street TEXT);
		CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER, address_id INTEGER REFERENCES addresses (id), placed DATE)`, func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [customer]\nsql: {}",
			`addresses | table: addresses, key: [id], erase: delete, ways: [{via: [{table: orders, on: {id: address_id}}], subject: {customer: orders.customer}}], unless_shared: [{table: orders, on: {address_id: id}}] | id street`,
			`orders | table: orders, key: [id], subject: {customer: customer}, erase: delete | id placed:date | retention: [{ground: tax, source: law, title: {en: Tax}, column: placed, period: P10Y, undated: go}]`))
		rapid.Check(t, func(t *rapid.T) {
			for _, table := range []string{"orders", "addresses"} {
				if _, err := d.Exec("DELETE FROM " + table); err != nil {
					t.Fatal(err)
				}
			}
			for id := range 3 {
				d.insert(t, "addresses", id, "street")
			}
			users := map[int][]string{} // by address, of the orders that stay whoever is erased: who
			var mine = map[int]bool{}
			for id := range rapid.IntRange(0, 6).Draw(t, "orders") {
				who, to, kept := rapid.IntRange(1, 3).Draw(t, "customer"), rapid.IntRange(0, 2).Draw(t, "address"), rapid.IntRange(0, 4).Draw(t, "kept") == 0
				var placed any
				if kept {
					placed = "2026-01-01"
				}
				d.insert(t, "orders", id, who, to, placed)
				mine[to] = mine[to] || who == 1
				if who != 1 || kept {
					users[to] = append(users[to], fmt.Sprint(who))
				}
			}
			var want []string
			for id := range 3 {
				if !mine[id] || len(users[id]) > 0 {
					want = append(want, fmt.Sprint(id))
				}
			}
			jobs := jobsOf(dsar.Erasure, ids("customer 1"))
			if err := s.planAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
				t.Fatal(err, jobs[0].Err)
			}
			var planned, kept int64
			for _, c := range jobs[0].plan.Counts() {
				planned, kept = planned+c.Found, kept+c.Kept()
			}
			if err := s.eraseByPlan(t.Context(), jobs); err != nil || jobs[0].Err != nil {
				t.Fatal(err, jobs[0].Err)
			}
			for _, c := range jobs[0].Counts {
				planned, kept = planned-c.Erased-c.Kept(), kept-c.Kept()
			}
			if left := d.column(t, "SELECT id FROM addresses ORDER BY id"); !slices.Equal(left, want) && len(left)+len(want) > 0 {
				t.Fatalf("left %v, want %v", left, want)
			}
			if planned != 0 || kept != 0 {
				t.Fatalf("the plan and the erasure differ by %d, of what stays by %d: %s", planned, kept, outcomes(jobs[0].Counts))
			}
			jobs[0].Counts = nil
			if err := s.countAll(t.Context(), jobs); err != nil {
				t.Fatal(err)
			}
			for _, c := range jobs[0].Counts {
				if c.Found != c.Kept() {
					t.Fatalf("found after the erasure: %s", outcomes(jobs[0].Counts))
				}
			}
		})
	})
}

// TestSharedByThoseErased: what two people shared when each was planned goes with the
// last of them to be erased, in one batch or one after the other; and what somebody had
// shared who is gone by then isn't proven to be shared.
func TestSharedByThoseErased(t *testing.T) {
	t.Parallel()
	everyDatabase(t, `CREATE TABLE addresses (id INTEGER PRIMARY KEY, street TEXT); CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, address_id INTEGER)`, func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}",
			`addresses | table: addresses, key: [id], via: [{table: users, on: {id: address_id}}], subject: {email: users.email}, unless_shared: [{table: users, on: {address_id: id}}], erase: delete`,
			`users | table: users, key: [id], subject: {email: email}, erase: delete`))
		begin := func() []*counted {
			d.run(t, "DELETE FROM users", "DELETE FROM addresses", "INSERT INTO addresses VALUES (7, 'Main Street 1')", "INSERT INTO users VALUES (1, 'ann@example.com', 7), (2, 'bob@example.com', 7)")
			jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"), ids("email bob@example.com"))
			if err := s.planAll(t.Context(), jobs); err != nil {
				t.Fatal(err)
			}
			for _, j := range jobs {
				if got := outcomes(j.plan.Counts()); j.Err != nil || !strings.Contains(got, "addresses found 1 erased 0 anonymised 0 gone 0 late 0 kept 1 shared") {
					t.Fatalf("planned %s, %v", got, j.Err)
				}
			}
			return jobs
		}
		erase := func(left int, want string, jobs ...*counted) {
			t.Helper()
			if err := s.eraseByPlan(t.Context(), jobs); err != nil {
				t.Fatal(err)
			}
			for _, j := range jobs {
				if got := outcomes(j.Counts); j.Err != nil || !strings.HasPrefix(got, want) || dsar.Unmet(j.plan.Counts(), j.Counts) != "" {
					t.Errorf("erased %s, %v; want %s", got, j.Err, want)
				}
			}
			if there := d.column(t, "SELECT id FROM addresses"); len(there) != left {
				t.Errorf("addresses %v are left", there)
			}
		}
		prove := func(want string, j *counted) {
			t.Helper()
			j.Counts = nil
			if err := s.countAll(t.Context(), []*counted{j}); err != nil || outcomes(j.Counts) != want {
				t.Errorf("found %s, %v; want %s", outcomes(j.Counts), err, want)
			}
		}
		const gone, kept = "addresses found 1 erased 1 anonymised 0 gone 0 late 0;", "addresses found 1 erased 0 anonymised 0 gone 0 late 0 kept 1 shared"
		jobs := begin()
		erase(0, gone, jobs...)
		prove("", jobs[0])

		jobs = begin()
		erase(1, kept, jobs[0])
		prove(kept, jobs[0])
		erase(0, gone, jobs[1])
		prove("", jobs[0])
		prove("", jobs[1])

		jobs = begin()
		erase(1, kept, jobs[0])
		d.run(t, "DELETE FROM users WHERE id = 2")
		prove("addresses found 1 erased 0 anonymised 0 gone 0 late 0", jobs[0])
		jobs[0].Counts = nil
		erase(0, "addresses found 1 erased 1", jobs[0])
	})
}

// TestNoKey: the rows of a table without a key are told apart by the database's own name
// of them, also such as are alike.
func TestNoKey(t *testing.T) {
	t.Parallel()
	everyDatabase(t, `CREATE TABLE hits (email TEXT, page TEXT); CREATE INDEX hits_email ON hits (email); INSERT INTO hits VALUES ('ann@example.com', '/'), ('ann@example.com', '/'), ('bob@example.com', '/')`, func(t *testing.T, d database) {
		key, _ := d.dialect.rowName()
		if key == "" {
			t.Skip("the database keeps its rows' names to itself")
		}
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", "hits | table: hits, key: ["+key+"], subject: {email: email}, erase: delete | page"))
		if got := gatherAll(t, s, ids("email ann@example.com")); len(got[0]) != 2 {
			t.Errorf("gathered %v", got)
		}
		jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
		if err := s.planAll(t.Context(), jobs); err != nil {
			t.Fatal(err)
		}
		// What was changed since has another name in PostgreSQL, and is found anew.
		if _, err := d.Exec("UPDATE hits SET page = '/2' WHERE email = 'ann@example.com'"); err != nil {
			t.Fatal(err)
		}
		if err := s.eraseByPlan(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		if left := d.column(t, "SELECT email FROM hits"); !slices.Equal(left, []string{"bob@example.com"}) {
			t.Errorf("left %v: %s", left, outcomes(jobs[0].Counts))
		}
		n := jobs[0].Counts[0]
		if n.Erased+n.Gone-n.Late != 2 || n.Erased != 2 {
			t.Errorf("counted %s", outcomes(jobs[0].Counts))
		}
	})
}
