package truth

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// system is one system's database and manifest, as a seed made them.
type system struct {
	name       string
	in         string // the system whose database it is in, where that isn't its own
	ddl        []string
	after      []string // what is done once it is filled
	datasets   []dataset
	bystanders []bystander
	head       string // of the manifest: needs, finds, resolve
	resolves   string // of the manifest, below sql:
}

// dataset is one table of a system that holds what belongs to people. Each has the
// columns id, ref, issued_on, body, city and locked, and may have one more.
type dataset struct {
	name string // and the table's
	more string // a further column, after id
	at   string // of the manifest: how its rows are found, below sql:
	// keeps tells that records of the last ten years must stay; keptWith is the table
	// whose row says for how long, where that isn't the record's own.
	keeps    bool
	keptWith string
	// parent is the table whose row a record belongs to; a record without one holds its
	// person's number or address itself.
	parent string
	// anonymises tells that rows are made anonymous; else they are deleted.
	anonymises bool
	// shared tells that a row is also another person's, by their account.
	shared bool
	// household tells that a row is of several people who share something, and so
	// nobody's.
	household bool
}

// bystander is a table that no dataset is of, whose rows refer to a dataset's.
type bystander struct {
	name, to string
	declared bool // the dataset's cascades let its rows go
}

// traits are what all systems of a run have, or none.
type traits struct {
	flags    bool // rows can be locked
	corrects bool // a person may have the city corrected
}

// shapes make one kind of system each, or two that belong together.
var shapes = []func(*rand.Rand, string) []*system{byAddress, byOwnNumber, byWay, byAccount, byAnothersRows, byTwo, byHousehold}

// table returns what makes a table of a dataset.
func table(name, more, ref string) string {
	if more != "" {
		more += " INTEGER, "
	}
	return "CREATE TABLE " + name + "(id INTEGER PRIMARY KEY, " + more + "ref " + ref + ", issued_on DATE, body TEXT, city TEXT, locked INTEGER)"
}

// byAddress is a system whose every row holds the address, in the writing of the
// day.
func byAddress(rng *rand.Rand, name string) []*system {
	s := &system{
		name:     name,
		ddl:      []string{table("mails", "", "TEXT")},
		head:     "needs: [email]\n",
		datasets: []dataset{{name: "mails", keeps: rng.IntN(3) == 0, anonymises: rng.IntN(4) == 0, at: "subject: {email: ref}"}},
	}
	s.stand(rng, "mails")
	if rng.IntN(8) == 0 && !s.datasets[0].anonymises {
		s.after = stubborn("mails")
	}
	return []*system{s}
}

// byOwnNumber is a system that finds its own number of a person by the address,
// and the records by that.
func byOwnNumber(rng *rand.Rand, name string) []*system {
	const number = "user_no" // each such system has numbers of its own under this name
	s := &system{
		name:     name,
		ddl:      []string{table("users", "", "TEXT"), table("notes", "", "INTEGER"+reference(rng, "users"))},
		head:     "needs: [email, " + number + "]\nfinds: [" + number + "]\n",
		resolves: "{find: " + number + ", table: users, column: id, by: {email: ref}}",
		datasets: []dataset{
			{name: "users", at: "subject: {email: ref, " + number + ": id}\n      after: [notes]"},
			{name: "notes", parent: "users", keeps: rng.IntN(3) == 0, at: "subject: {" + number + ": ref}"},
		},
	}
	s.stand(rng, "notes")
	return []*system{s}
}

// byWay is a system whose records are found by way of others, which may be erased
// before them.
func byWay(rng *rand.Rand, name string) []*system {
	keeps := rng.IntN(3) == 0
	s := &system{
		name: name,
		ddl:  []string{table("customers", "", "TEXT"), table("orders", "", "INTEGER"+reference(rng, "customers")), table("lines", "", "INTEGER"+reference(rng, "orders"))},
		head: "needs: [email]\n",
		datasets: []dataset{
			{name: "customers", keeps: keeps, anonymises: rng.IntN(4) == 0, at: "subject: {email: ref}"},
			{name: "orders", parent: "customers", keeps: keeps, keptWith: "customers",
				at: "via: [{table: customers, on: {ref: id}}]\n      subject: {email: customers.ref}\n      columns: {issued_on: customers.issued_on}"},
			{name: "lines", parent: "orders",
				at: "via: [{table: orders, on: {ref: id}}, {table: customers, on: {ref: id}}]\n      subject: {email: customers.ref}"},
		},
	}
	s.stand(rng, "lines")
	return []*system{s}
}

// byAnothersRows makes two systems on one database: the second finds its records by way
// of rows that the first erases before it.
func byAnothersRows(rng *rand.Rand, name string) []*system {
	first := byAddress(rng, name)[0]
	first.datasets[0].keeps, first.after = false, nil
	second := &system{
		name: name + "b", in: name,
		ddl:  []string{table("replies", "", "INTEGER")},
		head: "needs: [email]\nerase_after: [" + name + "]\n",
		datasets: []dataset{{name: "replies", parent: "mails",
			at: "via: [{table: mails, on: {ref: id}}]\n      subject: {email: mails.ref}"}},
	}
	return []*system{first, second}
}

// byAccount is a system that knows people by what the system "account" finds.
func byAccount(rng *rand.Rand, name string) []*system {
	s := &system{
		name:     name,
		ddl:      []string{table("entries", "", "TEXT")},
		head:     "needs: [account_id]\n",
		datasets: []dataset{{name: "entries", parent: "account", keeps: rng.IntN(3) == 0, anonymises: rng.IntN(4) == 0, at: "subject: {account_id: ref}"}},
	}
	s.stand(rng, "entries")
	return []*system{s}
}

// byTwo is a system whose records are two people's: one by the address, the other by
// their account.
func byTwo(_ *rand.Rand, name string) []*system {
	return []*system{{
		name:     name,
		ddl:      []string{strings.Replace(table("letters", "", "TEXT"), "body TEXT", "body TEXT, reader TEXT", 1)},
		head:     "needs: [email, account_id]\n",
		datasets: []dataset{{name: "letters", shared: true, at: "subject: {email: ref, account_id: reader}"}},
	}}
}

// byHousehold is a system that finds a household by the address, which several people
// share: what it leads to waits for a person.
func byHousehold(_ *rand.Rand, name string) []*system {
	return []*system{{
		name:     name,
		ddl:      []string{table("members", "household", "TEXT"), table("visits", "", "INTEGER")},
		head:     "needs: [email, household]\nfinds: [household]\n",
		resolves: "{find: household, table: members, column: household, by: {email: ref}, strength: weak}",
		datasets: []dataset{
			{name: "members", more: "household", at: "subject: {email: ref}"},
			{name: "visits", household: true, at: "subject: {household: ref}"},
		},
	}}
}

// account is the system that finds the account's number of an address.
func account() *system {
	return &system{
		name:     "account",
		ddl:      []string{strings.Replace(table("accounts", "", "TEXT"), "body TEXT", "body TEXT, number TEXT", 1)},
		head:     "needs: [email]\nfinds: [account_id]\nscope: {account_id: shared}\n",
		resolves: "{find: account_id, table: accounts, column: number, by: {email: ref}}",
		datasets: []dataset{{name: "accounts", at: "subject: {email: ref}"}},
	}
}

// stand puts, now and then, a table beside a dataset whose rows go with its rows, or
// lose what they refer to, declared or not.
func (s *system) stand(rng *rand.Rand, to string) {
	if rng.IntN(3) > 0 {
		return
	}
	b := bystander{name: "beside_" + to, to: to, declared: rng.IntN(2) == 0}
	s.bystanders = append(s.bystanders, b)
	s.ddl = append(s.ddl, "CREATE TABLE "+b.name+"(id INTEGER PRIMARY KEY, ref INTEGER REFERENCES "+to+"(id) ON DELETE "+[]string{"CASCADE", "SET NULL"}[rng.IntN(2)]+")")
}

// stubborn has some rows of a table stay, with no error.
func stubborn(table string) []string {
	return []string{
		"sqlite:CREATE TRIGGER stubborn BEFORE DELETE ON " + table + " WHEN old.id % 5 = 0 BEGIN SELECT RAISE(IGNORE); END",
		"postgres:CREATE FUNCTION stubborn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.id % 5 = 0 THEN RETURN NULL; END IF; RETURN OLD; END $$",
		"postgres:CREATE TRIGGER stubborn BEFORE DELETE ON " + table + " FOR EACH ROW EXECUTE FUNCTION stubborn()",
	}
}

// reference is a foreign key that does what databases do, or none.
func reference(rng *rand.Rand, to string) string {
	return []string{"", " REFERENCES " + to + "(id) ON DELETE CASCADE", " REFERENCES " + to + "(id)", " REFERENCES " + to + "(id) ON DELETE SET NULL"}[rng.IntN(4)]
}

// yaml is the system's manifest.
func (s *system) yaml(has traits) string {
	abilities := "gather, erase"
	if s.resolves != "" {
		abilities += ", resolve"
	}
	if has.flags {
		abilities += ", restrict"
	}
	if has.corrects {
		abilities += ", rectify"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "system: %s\ntitle: {en: %s, fr: %s}\nholds: true\nabilities: [%s]\n%ssql:\n  resolve: [%s]\n  technical: [", s.name, s.name, s.name, abilities, s.head, s.resolves)
	for i, other := range s.bystanders {
		b.WriteString(map[bool]string{true: ", "}[i > 0] + other.name)
	}
	b.WriteString("]\ndatasets:\n")
	for _, d := range s.datasets {
		fmt.Fprintf(&b, "  - name: %s\n    title: {en: %s, fr: %s}\n    category: identifiers\n    origin: provided\n    purpose: {en: To serve, fr: Servir}\n    legal_basis: contract\n    storage: {en: A year, fr: Un an}\n", d.name, d.name, d.name)
		b.WriteString("    columns:\n      - {name: id, type: integer}\n      - {name: ref}\n      - {name: issued_on, type: date}\n      - {name: body}\n      - {name: city}\n")
		if d.keeps {
			b.WriteString("    retention:\n      - {ground: tax-records, source: a law, title: {en: Tax, fr: Impôts}, column: issued_on, period: P10Y}\n")
		}
		erase := "erase: delete"
		if d.anonymises {
			erase = "erase: anonymise\n      anonymise: {ref: null, body: " + anonymous + "}"
		}
		fmt.Fprintf(&b, "    sql:\n      table: %s\n      key: [id]\n      %s\n      %s\n      technical: [locked]\n", d.name, d.at, erase)
		if has.flags {
			b.WriteString("      restrict: [{column: locked, value: 1, lifted: 0}]\n")
		}
		if has.corrects {
			b.WriteString("      rectify: [city]\n")
		}
		for _, other := range s.bystanders {
			if other.to == d.name && other.declared {
				b.WriteString("      cascades: [" + other.name + "]\n")
			}
		}
	}
	return b.String()
}

// anonymous is the text of a row that was made so.
const anonymous = "nobody"
