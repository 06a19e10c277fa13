package aggregator

import (
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/operator"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/statement"
	"habeas.dev/services/internal/words"
)

// FromBook takes what an answer must tell from the laws, and from what the operator has
// said: who answers under which law, and what is declared, as long as that holds. used is
// what the data of all systems is used for.
func FromBook(book *policy.Book, said operator.Operator, used manifest.Purposes) Policy {
	return func(jurisdiction string, lang *words.Language, right dsar.Right, received, now time.Time) statement.Controller {
		j, ok := book.Jurisdiction(jurisdiction)
		who := said.For(jurisdiction)
		if ok {
			who = said.Under(j, lang)
		}
		p := statement.Controller{Entity: who.Name, Address: who.Address, Contact: who.Contact, Officer: who.Officer, Representative: who.Representative}
		if !ok {
			return p // nothing is known of the place
		}
		p.Law = lang.Text(j.Law.Name)
		for _, a := range who.Authorities {
			p.Complaint = append(p.Complaint, statement.Authority{Name: a.Name, URL: a.URL})
		}
		p.Zone = j.Zone()
		p.Grants, p.Abroad = j.Over(received), j.Abroad
		p.Refusal = func(ground string) (title, source string) {
			r, _ := j.Refusal(ground)
			return lang.Text(r.Title), r.Cited(lang.Text)
		}
		for _, c := range j.AnswerSays {
			if !c.Of(right) || !c.Said(used) || !said.Declares(c.Declared, now) {
				continue
			}
			switch c.Item { // the others are said from the manifests
			case policy.ItemCategoryTables:
				p.Categories = true
			case policy.ItemAutomated:
				if !automated(used) {
					p.Automated = lang.Text(c.Text)
				}
			case policy.ItemTransfers:
				p.Transfers = lang.Text(c.Text)
			case policy.ItemStatement:
				p.Also = append(p.Also, lang.Text(c.Text))
			}
		}
		return p
	}
}

// automated reports whether data is used for decisions by machine alone: no answer says
// then that there are none.
func automated(used manifest.Purposes) bool {
	for _, p := range used {
		if slices.Contains(p.Marks, manifest.MarkAutomated) {
			return true
		}
	}
	return false
}
