package internaldb_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"habeas.dev/services/sandbox/internaldb"
	"habeas.dev/services/sandbox/people"
)

// A crowd is people who are hard to tell apart: households share a telephone and a postal
// address, some people have several accounts and several addresses, people name each other as
// contacts and write to each other, and the numbers of one system are, in another, the numbers
// of others. It knows whose each row is from the seeding, and nothing of the manifests.
type crowd struct {
	*rand.Rand
	people []crowdPerson
	rows   map[string][]crowdRow // by system
	tells  map[string]string     // by system and dataset: the column that tells rows apart
	tables map[string]string     // and the table
	keys   int
}

type crowdPerson struct {
	emails   []string
	phone    string
	accounts []string
	cookies  []string
	refs     []string // of billing, by account
	taxes    []string // by account
}

// crowdRow is a row: of a dataset, with whose it is.
type crowdRow struct {
	dataset, table, id string // id is the column that tells the rows of the table apart
	values             map[string]any
	owners             []int
}

func (r crowdRow) name() string { return fmt.Sprint(r.dataset, " ", r.values[r.id]) }

func newCrowd(seed uint64, n int) *crowd {
	c := &crowd{Rand: rand.New(rand.NewPCG(seed, 5)), rows: map[string][]crowdRow{}, tells: map[string]string{}, tables: map[string]string{}}
	c.people = make([]crowdPerson, n)
	// Each kind of number is of the same words, given to others.
	kinds := make([][]int, 4)
	for i := range kinds {
		kinds[i] = c.Perm(2 * n)
	}
	number := func(kind, i int) string { return fmt.Sprintf("n%07d", kinds[kind][i]) }
	for i := range c.people {
		p := &c.people[i]
		p.phone = fmt.Sprintf("+3525%07d", i/4) // households of four
		for k := range 1 + c.IntN(2) {
			p.emails = append(p.emails, fmt.Sprintf("p%d.%d@example.com", i, k))
		}
		for k := range c.IntN(3) {
			p.accounts = append(p.accounts, number(0, 2*i+k))
			p.cookies = append(p.cookies, number(1, 2*i+k))
			p.refs = append(p.refs, number(2, 2*i+k))
			p.taxes = append(p.taxes, number(3, 2*i+k))
		}
	}
	for i := range c.people {
		c.seed(i)
	}
	return c
}

// add seeds a row, whose key is made up where the values lack it.
func (c *crowd) add(system, dataset, table, id string, values map[string]any, owners ...int) string {
	if values[id] == nil {
		c.keys++
		values[id] = fmt.Sprintf("k%08d", c.keys)
	}
	c.tells[system+" "+dataset], c.tables[system+" "+dataset] = id, table
	c.rows[system] = append(c.rows[system], crowdRow{dataset, table, id, values, owners})
	return fmt.Sprint(values[id])
}

// other returns somebody else, of the same household half the time.
func (c *crowd) other(i int) int {
	n := i/4*4 + c.IntN(4)
	if c.IntN(2) == 0 || n >= len(c.people) {
		n = c.IntN(len(c.people))
	}
	if n == i {
		n = (i + 1) % len(c.people)
	}
	return n
}

// typed returns one of a person's addresses as it may be written.
func (c *crowd) typed(i int) string {
	e := c.people[i].emails[c.IntN(len(c.people[i].emails))]
	if c.IntN(4) == 0 {
		return strings.ToUpper(e[:1]) + e[1:] + " "
	}
	return e
}

const crowdDay = "2012-05-05"

func (c *crowd) seed(i int) {
	p := c.people[i]
	for k, account := range p.accounts {
		c.accountOf(i, k, account)
		c.communityOf(i, account)
	}
	registration := c.add(people.Events, "registrations", "registrations", "registration_id", map[string]any{
		"email": c.typed(i), "name": "N", "phone": p.phone, "event": "E", "event_date": crowdDay, "registered_at": crowdDay}, i)
	c.add(people.Events, "attendance", "attendance", "session", map[string]any{"registration_id": registration, "checked_in_at": crowdDay}, i)
	c.add(people.Communications, "sent", "sendings", "sending_id", map[string]any{"email": c.typed(i), "purpose": "newsletter", "subject": "S", "sent_at": crowdDay}, i)
	c.add(people.Support, "calls", "calls", "call_id", map[string]any{"email": c.typed(i), "called_at": crowdDay, "conference": false}, i)
	ticket := c.add(people.Support, "tickets", "tickets", "ticket_id", map[string]any{"email": c.typed(i), "subject": "S", "channel": "mail", "status": "open", "opened_at": crowdDay}, i)
	owners := []int{i}
	message := map[string]any{"ticket_id": ticket, "written_by": "participant", "body": "B", "sent_at": crowdDay}
	if o := c.other(i); len(c.people[o].accounts) > 0 { // somebody else writes in it
		message["author_account"], message["author_email"] = c.people[o].accounts[0], c.people[o].emails[0]
		owners = append(owners, o)
	}
	c.add(people.Support, "messages", "ticket_messages", "message_id", message, owners...)
	partner := map[string]any{"email": c.typed(i), "contact_name": "N", "status": "active", "joined_on": crowdDay}
	if len(p.accounts) > 0 {
		partner["account_id"] = p.accounts[0]
	}
	id := c.add(people.Partner, "account", "partners", "partner_id", partner, i)
	c.add(people.Partner, "subscriptions", "programmes", "subscription_id", map[string]any{"partner_id": id, "programme": "P", "started_on": crowdDay}, i)
	c.add(people.Partner, "versions", "partner_archive", "version_id", map[string]any{"partner_id": id, "version": 1, "replaced_at": crowdDay}, i)
	o := c.other(i)
	c.add(people.Partner, "contacts", "partner_contacts", "contact_id", map[string]any{"partner_id": id, "name": "N", "email": c.typed(o)}, i, o)
}

// accountOf seeds what hangs on an account.
func (c *crowd) accountOf(i, k int, account string) {
	p := c.people[i]
	c.add(people.Account, "profile", "accounts", "account_id", map[string]any{"account_id": account, "email": c.typed(i), "phone": p.phone, "postal_address": p.phone, "created_at": crowdDay}, i)
	o := c.other(i)
	c.add(people.Account, "contacts", "account_contacts", "contact_id", map[string]any{"account_id": account, "name": "N", "email": c.typed(o), "phone": c.people[o].phone}, i, o)
	c.add(people.Account, "browsers", "browsers", "cookie_id", map[string]any{"cookie_id": p.cookies[k], "account_id": account, "first_seen_at": crowdDay}, i)
	c.add(people.Account, "profile_versions", "account_archive", "version_id", map[string]any{"account_id": account, "version": 1, "replaced_at": crowdDay, "email": c.typed(i)}, i)

	c.add(people.Billing, "customers", "customers", "customer_ref", map[string]any{"customer_ref": p.refs[k], "account_id": account, "email": c.typed(i), "tax_id": p.taxes[k], "created_on": crowdDay}, i)
	invoice := c.add(people.Billing, "invoices", "invoices", "invoice_id", map[string]any{"customer_ref": p.refs[k], "issued_on": crowdDay, "bill_to": "B", "total": 1, "currency": "EUR", "paid": true}, i)
	c.add(people.Billing, "invoice_lines", "invoice_lines", "line_id", map[string]any{"invoice_id": invoice, "quantity": 1, "amount": 1}, i)
	c.add(people.Marketplace, "purchases", "purchases", "purchase_id", map[string]any{"account_id": account, "product": "P", "bought_at": crowdDay, "amount": 1, "currency": "EUR"}, i)

	c.add(people.Advertising, "choices", "choices", "cookie_id", map[string]any{"cookie_id": p.cookies[k], "interest_based": true, "measured": true, "chosen_at": crowdDay}, i)
	c.add(people.Advertising, "segments", "segments", "membership_id", map[string]any{"account_id": account, "segment": "S", "joined_at": crowdDay}, i)
	c.add(people.Advertising, "inferences", "inferences", "inference_id", map[string]any{"cookie_id": p.cookies[k], "topic": "T", "score": 1, "inferred_at": crowdDay}, i)
	report := c.add(people.Credit, "reports", "reports", "report_id", map[string]any{"bureau": "B", "tax_id": p.taxes[k], "score": 1, "defaults": 0, "received_on": crowdDay}, i)
	c.add(people.Credit, "history", "history", "entry_id", map[string]any{"report_id": report, "kind": "loan", "amount": 1, "currency": "EUR", "happened_on": crowdDay}, i)
	c.add(people.Credit, "leads", "leads", "lead_id", map[string]any{"source": "S", "account_id": account, "received_on": crowdDay}, i)
}

// communityOf seeds what a member has with others.
func (c *crowd) communityOf(i int, account string) {
	c.add(people.Community, "profile", "members", "account_id", map[string]any{"account_id": account, "email": c.typed(i), "joined_at": crowdDay}, i)
	post := map[string]any{"account_id": account, "body": "B", "posted_at": crowdDay}
	if posts := c.posts(); len(posts) > 0 { // an answer to somebody's
		post["answers"] = posts[c.IntN(len(posts))]
	}
	id := c.add(people.Community, "posts", "posts", "post_id", post, i)
	c.add(people.Community, "post_versions", "post_archive", "version_id", map[string]any{"post_id": id, "body": "B", "replaced_at": crowdDay}, i)
	c.add(people.Community, "answers", "survey_answers", "answer_id", map[string]any{"email": c.typed(i), "survey": "S", "asked": "Q", "answered_at": crowdDay}, i)
	if o := c.other(i); len(c.people[o].accounts) > 0 {
		theirs := c.people[o].accounts[0]
		c.add(people.Community, "messages", "direct_messages", "message_id", map[string]any{"sender": account, "recipient": theirs, "body": "B", "sent_at": crowdDay}, i, o)
		c.add(people.Community, "connections", "connections", "since", map[string]any{"member": account, "other": theirs}, i, o)
	}
}

// posts returns the last of those that were seeded.
func (c *crowd) posts() (ids []string) {
	rows := c.rows[people.Community]
	for _, r := range rows[max(0, len(rows)-20):] {
		if r.dataset == "posts" {
			ids = append(ids, r.values["post_id"].(string))
		}
	}
	return ids
}

// databases writes the crowd's databases.
func (c *crowd) databases(t testing.TB) map[string]string {
	t.Helper()
	// The tables are made with nobody in them.
	files, err := internaldb.Create(t.Context(), t.TempDir(), &people.Population{})
	if err != nil {
		t.Fatal(err)
	}
	for system, rows := range c.rows {
		db := open(t, files[system])
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			var columns, marks []string
			var args []any
			for column, v := range r.values {
				columns, marks, args = append(columns, column), append(marks, "?"), append(args, v)
			}
			if _, err := tx.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", r.table, strings.Join(columns, ", "), strings.Join(marks, ", ")), args...); err != nil {
				t.Fatalf("%s %s: %v", system, r.dataset, err)
			}
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func open(t testing.TB, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.ToSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// textOf returns every row of a table that has a value in a column, as text, by that value.
func textOf(t testing.TB, db *sql.DB, table, by string) map[string]string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), fmt.Sprintf("SELECT %s, t.* FROM %s AS t WHERE %[1]s IS NOT NULL", by, table)) //nolint:gosec // the test's own names
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	values := make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		out[fmt.Sprint(values[0])] = fmt.Sprint(values)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// heldBy returns the names of a person's rows, by system, sorted.
func (c *crowd) heldBy() map[string]map[int][]string {
	out := map[string]map[int][]string{}
	for system, rows := range c.rows {
		of := map[int][]string{}
		for _, r := range rows {
			for _, owner := range r.owners {
				of[owner] = append(of[owner], r.name())
			}
		}
		for _, names := range of {
			slices.Sort(names)
		}
		out[system] = of
	}
	return out
}
