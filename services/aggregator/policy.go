package aggregator

import (
	"habeas.dev/pkg/bundle"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/policy"
)

// FromBook takes what an answer must tell from the jurisdictions. controller
// names the company; empty: as the jurisdiction has it.
func FromBook(book *policy.Book, controller string) Policy {
	return func(jurisdiction, locale string, _ dsar.Right) bundle.Policy {
		j, ok := book.Jurisdiction(jurisdiction)
		if !ok {
			// Nothing is known of the place: what may be forbidden isn't shown.
			return bundle.Policy{Entity: controller, HideNeverShown: true}
		}
		lang := bundle.Language(locale)
		p := bundle.Policy{Law: j.Law.Name.In(lang), Entity: controller}
		if p.Entity == "" {
			p.Entity = j.Responsible.Name.In(lang)
		}
		for _, c := range j.Complaint {
			p.Complaint = append(p.Complaint, bundle.Authority{Name: c.Name.In(lang), URL: c.URL})
		}
		for _, g := range j.Rights {
			p.Grants = append(p.Grants, g.Right)
		}
		if jurisdiction == california {
			// 11 CCR 7024(d): never shown. Civ. Code 1798.110: the categories.
			p.HideNeverShown, p.Categories = true, true
		}
		return p
	}
}

// california is the id of the one jurisdiction whose answers mask what must
// never be shown and have the table of categories.
const california = "California"
