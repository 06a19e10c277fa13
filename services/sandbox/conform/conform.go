// Package conform gives the sandbox's people to the workers' conformance kit.
package conform

import (
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/sandbox/people"
)

// Subjects returns some people of a population, as a system knows them: with
// identifiers of their own, and everything that the system holds of each. stay
// tells of a record whether it must stay after an erasure; nil: none must.
func Subjects(p *people.Population, system string, identifiers func(people.Person) []worker.Identifier, stay func(people.Row) bool, persons ...int) []workertest.Subject {
	var out []workertest.Subject
	for _, n := range persons {
		s := workertest.Subject{Identifiers: identifiers(p.Person(n)), Stay: map[string]int64{}}
		for _, r := range p.RowsIn(n, system) {
			s.Records = append(s.Records, workertest.Record{Dataset: r.Dataset, Values: r.Values})
			if stay != nil && stay(r) {
				s.Stay[r.Dataset]++
			}
		}
		out = append(out, s)
	}
	return out
}

// Email returns a person's e-mail address, by which most systems are asked.
func Email(p people.Person) []worker.Identifier {
	return []worker.Identifier{{Type: "email", Value: p.Email, Assurance: dsar.AssuranceVerified}}
}

// Account returns a person's account number, by which some systems are asked.
func Account(p people.Person) []worker.Identifier {
	return []worker.Identifier{{Type: "account_id", Value: p.AccountID}}
}

// Cookies returns the cookies of a person's browsers, by which advertising is asked.
func Cookies(pop *people.Population, p people.Person) (all []worker.Identifier) {
	for _, r := range pop.RowsIn(p.Number, people.Account) {
		if r.Dataset == "browsers" {
			all = append(all, worker.Identifier{Type: "cookie_id", Value: r.Key})
		}
	}
	return all
}

// Customer returns what billing finds of a person: their customer number, and their tax number
// where they have one.
func Customer(pop *people.Population, p people.Person) []worker.Identifier {
	return append([]worker.Identifier{{Type: "customer_ref", Value: pop.CustomerRef(p.Number)}}, Tax(pop, p)...)
}

// Tax returns a person's tax number, by which credit is asked; nothing where they have none.
func Tax(pop *people.Population, p people.Person) []worker.Identifier {
	if number := pop.TaxID(p.Number); number != "" {
		return []worker.Identifier{{Type: "tax_id", Value: number}}
	}
	return nil
}

// Nobody returns an address of which nothing is held anywhere.
func Nobody() []worker.Identifier {
	return []worker.Identifier{{Type: "email", Value: people.NobodyEmail}}
}
