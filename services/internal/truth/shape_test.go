package truth

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// system is one system's database and manifest, as a seed made them.
type system struct {
	name     string
	in       string // the system whose database it is in, where that isn't its own
	ddl      []string
	datasets []dataset
	head     string // of the manifest: needs, finds, resolve
	people   string // the table whose id a person's rows refer to, "" where e-mail is in each row
}

// dataset is one table of a system that holds what belongs to people.
type dataset struct {
	name, table string
	sql         string // of the manifest, below sql:
	keeps       bool   // records of the last ten years must stay
	// keptWith is the table whose row says for how long, where that isn't the record's own.
	keptWith string
	// parent is the table whose row a record belongs to; a record without one holds its
	// person's number or address itself.
	parent string
}

// shapes make one kind of system each, or two that belong together.
var shapes = []func(*rand.Rand, string) []*system{byAddress, byOwnNumber, byWay, byAccount, byAnothersRows}

// byAddress is a system whose every row holds the address, in the writing of the
// day.
func byAddress(rng *rand.Rand, name string) []*system {
	return []*system{{
		name:     name,
		ddl:      []string{"CREATE TABLE mails(id INTEGER PRIMARY KEY, ref TEXT, issued_on DATE, body TEXT)"},
		head:     "abilities: [gather, erase]\nneeds: [email]\n",
		datasets: []dataset{{name: "mails", table: "mails", keeps: rng.IntN(3) == 0, sql: "table: mails\n      key: [id]\n      subject: {email: ref}\n      erase: delete"}},
	}}
}

// byOwnNumber is a system that finds its own number of a person by the address,
// and the records by that.
func byOwnNumber(rng *rand.Rand, name string) []*system {
	const number = "user_no" // each such system has numbers of its own under this name
	s := &system{
		name: name, people: "users",
		ddl: []string{
			"CREATE TABLE users(id INTEGER PRIMARY KEY, ref TEXT, issued_on DATE, body TEXT)",
			"CREATE TABLE notes(id INTEGER PRIMARY KEY, ref INTEGER" + reference(rng, "users") + ", issued_on DATE, body TEXT)",
		},
		head: "abilities: [resolve, gather, erase]\nneeds: [email, " + number + "]\nfinds: [" + number + "]\nsql:\n  resolve:\n    - {find: " + number + ", table: users, column: id, by: {email: ref}}\n",
		datasets: []dataset{
			{name: "users", table: "users", sql: "table: users\n      key: [id]\n      subject: {email: ref, " + number + ": id}\n      erase: delete\n      after: [notes]"},
			{name: "notes", table: "notes", parent: "users", keeps: rng.IntN(3) == 0, sql: "table: notes\n      key: [id]\n      subject: {" + number + ": ref}\n      erase: delete"},
		},
	}
	return []*system{s}
}

// byWay is a system whose records are found by way of others, which may be erased
// before them.
func byWay(rng *rand.Rand, name string) []*system {
	keeps := rng.IntN(3) == 0
	s := &system{
		name: name, people: "customers",
		ddl: []string{
			"CREATE TABLE customers(id INTEGER PRIMARY KEY, ref TEXT, issued_on DATE, body TEXT)",
			"CREATE TABLE orders(id INTEGER PRIMARY KEY, ref INTEGER" + reference(rng, "customers") + ", issued_on DATE, body TEXT)",
			"CREATE TABLE lines(id INTEGER PRIMARY KEY, ref INTEGER" + reference(rng, "orders") + ", issued_on DATE, body TEXT)",
		},
		head: "abilities: [gather, erase]\nneeds: [email]\nsql: {}\n",
		datasets: []dataset{
			{name: "customers", table: "customers", keeps: keeps, sql: "table: customers\n      key: [id]\n      subject: {email: ref}\n      erase: delete"},
			{name: "orders", table: "orders", parent: "customers", keeps: keeps, keptWith: "customers",
				sql: "table: orders\n      key: [id]\n      via: [{table: customers, on: {ref: id}}]\n      subject: {email: customers.ref}\n      columns: {issued_on: customers.issued_on}\n      erase: delete"},
			{name: "lines", table: "lines", parent: "orders",
				sql: "table: lines\n      key: [id]\n      via: [{table: orders, on: {ref: id}}, {table: customers, on: {ref: id}}]\n      subject: {email: customers.ref}\n      erase: delete"},
		},
	}
	return []*system{s}
}

// byAnothersRows makes two systems on one database: the second finds its records by way
// of rows that the first erases before it.
func byAnothersRows(rng *rand.Rand, name string) []*system {
	first := byAddress(rng, name)[0]
	first.datasets[0].keeps = false
	second := &system{
		name: name + "b", in: name,
		ddl:  []string{"CREATE TABLE replies(id INTEGER PRIMARY KEY, ref INTEGER, issued_on DATE, body TEXT)"},
		head: "abilities: [gather, erase]\nneeds: [email]\nerase_after: [" + name + "]\nsql: {}\n",
		datasets: []dataset{{name: "replies", table: "replies", parent: "mails",
			sql: "table: replies\n      key: [id]\n      via: [{table: mails, on: {ref: id}}]\n      subject: {email: mails.ref}\n      erase: delete"}},
	}
	return []*system{first, second}
}

// byAccount is a system that knows people by what the system "account" finds.
func byAccount(_ *rand.Rand, name string) []*system {
	return []*system{{
		name:     name,
		ddl:      []string{"CREATE TABLE entries(id INTEGER PRIMARY KEY, ref TEXT, issued_on DATE, body TEXT)"},
		head:     "abilities: [gather, erase]\nneeds: [account_id]\n",
		datasets: []dataset{{name: "entries", table: "entries", parent: "account", sql: "table: entries\n      key: [id]\n      subject: {account_id: ref}\n      erase: delete"}},
	}}
}

// account is the system that finds the account's number of an address.
func account() *system {
	return &system{
		name:     "account",
		ddl:      []string{"CREATE TABLE accounts(id INTEGER PRIMARY KEY, number TEXT, ref TEXT, issued_on DATE, body TEXT)"},
		head:     "abilities: [resolve, gather, erase]\nneeds: [email]\nfinds: [account_id]\nscope: {account_id: shared}\nsql:\n  resolve:\n    - {find: account_id, table: accounts, column: number, by: {email: ref}}\n",
		datasets: []dataset{{name: "accounts", table: "accounts", sql: "table: accounts\n      key: [id]\n      subject: {email: ref}\n      erase: delete"}},
	}
}

// reference is a foreign key that does what databases do, or none.
func reference(rng *rand.Rand, to string) string {
	return []string{"", " REFERENCES " + to + "(id) ON DELETE CASCADE", " REFERENCES " + to + "(id)", " REFERENCES " + to + "(id) ON DELETE SET NULL"}[rng.IntN(4)]
}

// yaml is the system's manifest.
func (s *system) yaml() string {
	var b strings.Builder
	fmt.Fprintf(&b, "system: %s\ntitle: {en: %s, fr: %s}\n%s", s.name, s.name, s.name, s.head)
	if !strings.Contains(s.head, "sql:") {
		b.WriteString("sql: {}\n")
	}
	b.WriteString("datasets:\n")
	for _, d := range s.datasets {
		fmt.Fprintf(&b, "  - name: %s\n    title: {en: %s, fr: %s}\n    category: identifiers\n    origin: provided\n    purpose: {en: To serve, fr: Servir}\n    legal_basis: contract\n    storage: {en: A year, fr: Un an}\n", d.name, d.name, d.name)
		b.WriteString("    columns:\n      - {name: id, type: integer}\n      - {name: ref}\n      - {name: issued_on, type: date}\n      - {name: body}\n")
		if d.keeps {
			b.WriteString("    retention:\n      - {ground: tax-records, source: a law, title: {en: Tax, fr: Impôts}, column: issued_on, period: P10Y}\n")
		}
		fmt.Fprintf(&b, "    sql:\n      %s\n", d.sql)
	}
	return b.String()
}
