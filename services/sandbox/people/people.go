// Package people is the sandbox's population: who is seeded, and which records
// each system holds of them. It is the same for the same seed, and it is what
// tests compare bundles with: it knows nothing of the workers.
//
// Everything in it is invented. Addresses are under example.com, .org and .net
// (RFC 2606), networks are those of RFC 5737 and RFC 3849.
//
// Values are what a bundle's JSON holds: string, bool, int64, float64, nil, and
// for objects map[string]any and []any. Dates are ISO 8601 texts (2020-01-31),
// instants RFC 3339 in UTC (2020-01-31T09:30:00Z); Salesforce's own rows write
// instants in Salesforce's way.
package people

import (
	"cmp"
	"iter"
	"slices"
)

// The systems that hold records of people, by the names of their manifests.
const (
	Account        = "account"
	Billing        = "billing"
	Marketplace    = "marketplace"
	Events         = "events"
	Salesforce     = "salesforce"
	Marketo        = "marketo"
	Support        = "support"
	Communications = "communications"
	Partner        = "partner"
	Advertising    = "advertising"
	Community      = "community"
	Credit         = "credit"
	Training       = "training"
	Activity       = "activity"
	PaymentTech    = "paymentech"
	HubSpot        = "hubspot"
)

// Systems lists every system of the demo. HubSpot isn't among them: it is there
// for whoever configures it; nor is Activity, which is where the program has lakes in it.
func Systems() []string {
	return []string{Account, Billing, Marketplace, Events, Salesforce, Marketo, PaymentTech, Support, Communications, Partner, Advertising, Community, Credit, Training}
}

// The people of the demo, by Person.Number. Each holds records in all systems.
const (
	Camille     = 1 // Camille O'Brien, camille.o'brien@example.com: access, EEA, French
	Californian = 2 // access, California
	Leaver      = 3 // erasure, EEA: some invoices are under retention, some no longer
	NonLatin    = 4 // portability; a name in another script than Latin
)

// NobodyEmail is an address of which nothing is held anywhere.
const NobodyEmail = "nobody@example.net"

// Person is one seeded person.
type Person struct {
	Number     int // 1, 2, 3, …
	GivenName  string
	FamilyName string
	Email      string // lower-case; systems may hold it as the person typed it
	Phone      string // E.164
	AccountID  string // acc_…; empty for whoever has no account
	Employer   string // the organisation whose account they use; often empty
	Language   string // BCP 47
	Region     string // EEA, UK, California, Canada, Japan, South Korea, elsewhere
}

// Row is one record that a system holds.
type Row struct {
	System  string
	Dataset string
	Key     string         // the record's primary key in that system
	Person  int            // Person.Number
	Values  map[string]any // by column
}

// Population is everyone who is seeded. It holds the people; their rows are
// made again each time they are asked for, so that a large population needs
// little memory. It is safe for concurrent use.
type Population struct {
	People []Person

	seed   uint64
	canary bool
	own    bool
	files  bool
}

// Person returns a person by number, from 1.
func (p *Population) Person(number int) Person { return p.People[number-1] }

// RowsIn returns what one system holds of one person, dataset by dataset; the
// caller owns it.
func (p *Population) RowsIn(number int, system string) []Row {
	g := newGenerator(p, number, system)
	if !g.present() {
		return nil
	}
	switch system {
	case Account:
		g.account()
	case Billing:
		g.billing()
	case Marketplace:
		g.marketplace()
	case Events:
		g.events()
	case Salesforce:
		g.salesforce()
	case Marketo:
		g.marketo()
	case Support:
		g.support()
	case Communications:
		g.communications()
	case PaymentTech:
		g.paymentech()
	case Partner:
		g.partner()
	case Advertising:
		g.advertising()
	case Community:
		g.community()
	case Credit:
		g.credit()
	case Training:
		g.training()
	case Activity:
		g.activity()
	case HubSpot:
		g.hubspot()
	}
	return g.rows
}

// RowsOf returns what all systems hold of one person, system by system.
func (p *Population) RowsOf(number int) []Row {
	var rows []Row
	for _, system := range Systems() {
		rows = append(rows, p.RowsIn(number, system)...)
	}
	return rows
}

// All yields every row of a system, person by person, without holding them.
func (p *Population) All(system string) iter.Seq[Row] {
	return func(yield func(Row) bool) {
		for i := range p.People {
			for _, r := range p.RowsIn(i+1, system) {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// Rows returns every row of a system, sorted by dataset and key. For tens of
// thousands of people use [Population.All].
func (p *Population) Rows(system string) []Row {
	rows := slices.Collect(p.All(system))
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Dataset, b.Dataset), cmp.Compare(a.Key, b.Key))
	})
	return rows
}
