package simulation

import (
	"fmt"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// manifestOf is short for what systems are declared by.
type manifestOf = manifest.Manifest

// people is how many people ask, each once.
const people = 4

// email returns a person's address; account and customer their numbers. Each has
// the canary in it.
func email(p int) string    { return fmt.Sprintf("%s%d@example.com", canary, p) }
func account(p int) string  { return fmt.Sprintf("acc-%s%d", canary, p) }
func customer(p int) string { return fmt.Sprintf("c-%s%d", canary, p) }

// formerEmail returns another address that the first person had, and formerAccount
// an account under it: who knows the customer's number knows the address.
func formerEmail(p int) string   { return fmt.Sprintf("former-%s%d@example.com", canary, p) }
func formerAccount(p int) string { return fmt.Sprintf("acc-former-%s%d", canary, p) }

// owns reports whether records of an owner are the person's.
func owns(p int, owner string) bool {
	return owner == email(p) || owner == account(p) || owner == customer(p) || p == 0 && (owner == formerEmail(p) || owner == formerAccount(p))
}

// ownerIn returns what a person's records are found by in a system.
func ownerIn(system string, p int) string {
	switch system {
	case "billing":
		return account(p)
	case "market":
		return customer(p)
	default:
		return email(p)
	}
}

// knows returns what a system finds of a person, and by what: the last person has
// no account, the one before no customer's number.
func knows(system string, p int) map[string]string {
	finds := map[string]string{}
	switch system {
	case "account":
		if p < people-1 {
			finds[email(p)] = account(p)
		}
		if p == 0 {
			finds[formerEmail(p)] = formerAccount(p)
		}
	case "billing":
		if p < people-2 {
			finds[account(p)] = customer(p)
		}
	case "market":
		if p == 0 {
			finds[customer(p)] = formerEmail(p)
		}
	}
	return finds
}

// reaches reports whether the person's records in a system can be found by their
// address.
func (w *simulation) reaches(system string, p int) bool {
	switch system {
	case "billing":
		return p < people-1
	case "market":
		return p < people-2
	default:
		return true
	}
}

// datasets returns those of every system: what the person gave, and what was worked
// out, which portability doesn't reach.
func datasets() []string { return []string{"things", "scores"} }

func (w *simulation) newManifests() []*manifestOf {
	types := func(t ...dsar.IdentifierType) []dsar.IdentifierType { return t }
	all := []*manifestOf{
		newManifest("account", types("email"), types("account_id"), "billing", "events"),
		newManifest("billing", types("account_id"), types("customer_ref"), "market"),
		newManifest("market", types("customer_ref"), types("email")),
		newManifest("events", types("email"), nil),
	}
	if w.rng.IntN(3) == 0 {
		all[2].MaxRecords = 1 // plans of more are stopped for a person
	}
	if w.rng.IntN(3) == 0 {
		all[3].Lease = time.Minute
	}
	if w.rng.IntN(6) == 0 {
		all[0].Abilities = []dsar.Action{dsar.Resolve, dsar.Gather, dsar.Erase} // the rest is for a person
	}
	return all
}

func newManifest(name string, needs, finds []dsar.IdentifierType, after ...string) *manifestOf {
	text := manifest.Text{"en": name, "fr": name}
	columns := []manifest.Column{{Name: "id", Type: "integer"}, {Name: "owner"}, {Name: "note"}}
	keep := []manifest.Retention{{Ground: "tax-records", Source: "a law", Title: text, Column: "id", Period: "P10Y"}}
	m := &manifestOf{
		System: name, Title: text, Abilities: []dsar.Action{dsar.Gather, dsar.Erase, dsar.Rectify, dsar.Restrict}, Needs: needs, Finds: finds, EraseAfter: after,
		Datasets: []manifest.Dataset{
			{Name: "things", Title: text, Category: "identifiers", Origin: manifest.Provided, Purpose: text, LegalBasis: "contract", Storage: text, Columns: columns, Retention: keep},
			{Name: "scores", Title: text, Category: "inferences", Origin: manifest.Derived, Purpose: text, LegalBasis: "consent", Storage: text, Columns: columns, Retention: keep},
		},
	}
	if len(finds) > 0 {
		m.Abilities = append(m.Abilities, dsar.Resolve)
	}
	return m
}
