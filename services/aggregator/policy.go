package aggregator

import (
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/statement"
)

// FromBook takes what an answer must tell from the jurisdictions. controller
// names the company; empty: as the jurisdiction has it. used is what the data of all
// systems is used for.
func FromBook(book *policy.Book, controller string, used manifest.Purposes) Policy {
	return func(jurisdiction, locale string, _ dsar.Right, received time.Time) statement.Controller {
		j, ok := book.Jurisdiction(jurisdiction)
		if !ok {
			// Nothing is known of the place.
			return statement.Controller{Entity: controller}
		}
		lang := bundle.Language(locale)
		p := statement.Controller{Law: j.Law.Name.In(lang), Entity: controller}
		if p.Entity == "" {
			p.Entity = j.Responsible.Name.In(lang)
		}
		for _, c := range j.Complaint {
			p.Complaint = append(p.Complaint, statement.Authority{Name: c.Name.In(lang), URL: c.URL})
		}
		p.Grants = j.Granted(received)
		p.Categories = j.Says(policy.ItemCategoryTables)
		for _, c := range j.AnswerSays {
			if !c.Said(used) {
				continue
			}
			switch c.Item { // the others are said from the manifests
			case policy.ItemAutomated:
				if !automated(used) {
					p.Automated = c.Text.In(lang)
				}
			case policy.ItemTransfers:
				p.Transfers = c.Text.In(lang)
			case policy.ItemStatement:
				p.Also = append(p.Also, c.Text.In(lang))
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
