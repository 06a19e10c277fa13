package bundle

import (
	"fmt"
	"strings"

	"habeas.dev/pkg/dsar"
)

// pageStats fills the figures at the top: what the page says of the request as a
// whole is here.
func (b *build) pageStats(p *page, a *answer) {
	w := b.words
	var systems, datasets, found, erased, gone, kept, changed int64
	for i := range a.Systems {
		s := &a.Systems[i]
		held := false
		for j := range s.Datasets {
			d := &s.Datasets[j]
			if d.Records > 0 || !b.copies() && d.held() {
				held = true
				datasets++
			}
			found += d.Found
			erased += d.Erased + d.Anonymised
			gone += d.Gone
			kept += d.kept()
			changed += d.Rectified + d.Restricted
		}
		if held {
			systems++
		}
	}
	if systems == 0 {
		switch {
		case !nothingCanBeSaid(a):
		case b.changes():
			p.Lead = w.NothingChanged
		case a.keepsEarlier():
			p.Lead = w.NothingElse
		default:
			p.Lead = w.Nothing
		}
		if len(a.Without) > 0 && nothingCanBeSaid(a) {
			p.Lead += " " + w.NothingWithout
		}
		return
	}
	add := func(n int64, noun string) {
		number, label, _ := strings.Cut(w.Count(n, noun), "\u00a0")
		p.Stats = append(p.Stats, stat{number, label})
	}
	switch b.in.Right {
	case dsar.Erasure:
		add(erased, "erased")
		if gone > 0 {
			add(gone, "gone")
		}
		if kept > 0 {
			add(kept, "kept")
		}
	case dsar.KnowCategories:
		add(found, "record")
	case dsar.Access, dsar.Portability:
		add(a.Records, "record")
	default:
		add(changed, "changed")
	}
	add(datasets, "dataset")
	add(systems, "system")
}

// nothingCanBeSaid reports whether every system was heard, or knows people only by
// identifiers that the person was heard not to have: only then may the page say
// that nothing is held, or nothing but what an earlier erasure had to keep.
func nothingCanBeSaid(a *answer) bool {
	for i := range a.Systems {
		switch a.Systems[i].Outcome {
		case dsar.NothingFound:
		case dsar.Retained: // by an earlier erasure, since nothing was found
		case dsar.NotApplicable:
			if len(a.Systems[i].AskedInstead) == 0 {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func (b *build) pageMeta(p *page) {
	w, in := b.words, b.in
	if in.Policy.Entity != "" {
		p.Meta = append(p.Meta, pair{w.AnsweredBy, in.Policy.Entity})
	}
	if !in.ReceivedAt.IsZero() {
		p.Meta = append(p.Meta, pair{w.Received, w.Date(in.ReceivedAt.UTC())})
	}
	p.Meta = append(p.Meta, pair{w.RequestNumber, in.RequestID})
	if len(in.Purposes) > 0 {
		p.Meta = append(p.Meta, pair{w.Purposes, strings.Join(in.Purposes, ", ")})
	}
	if in.Policy.Contact != "" {
		p.Meta = append(p.Meta, pair{w.Contact, in.Policy.Contact})
	}
}

func (b *build) pageCategories(p *page, a *answer) {
	w := b.words
	order, groups := a.categoriesHeld()
	for _, category := range order {
		var data, sources, purposes, recipients []string
		for _, d := range groups[category] {
			data = appendNew(data, d.Title)
			sources = appendNew(sources, named(w.Origins, d.Origin))
			purposes = appendNew(purposes, d.Purpose)
			for _, r := range d.Recipients {
				recipients = appendNew(recipients, r)
			}
		}
		if len(recipients) == 0 {
			recipients = []string{w.NoRecipients}
		}
		p.Categories = append(p.Categories, categoryRow{
			titleCase(named(w.CategoryName, category)), strings.Join(data, ", "), strings.Join(sources, "; "), strings.Join(purposes, "; "), strings.Join(recipients, ", "),
		})
	}
}

func (b *build) pageIdentifiers(p *page, a *answer) {
	w := b.words
	title := func(system string) string {
		for i := range a.Systems {
			if a.Systems[i].System == system {
				return a.Systems[i].Title
			}
		}
		return system
	}
	for _, id := range a.Identifiers {
		row := identifierRow{Type: titleCase(named(w.Identifiers, id.Type)), Value: id.Value}
		switch {
		case id.FoundBy != "" && id.FromValue != "":
			row.How = fmt.Sprintf(w.FromSystemBy, title(id.FoundBy), named(w.Identifiers, id.FromType), id.FromValue)
		case id.FoundBy != "":
			row.How = fmt.Sprintf(w.FromSystem, title(id.FoundBy))
		case id.Verified:
			row.How = w.FromRequestVerified
		default:
			row.How = w.FromRequest
		}
		p.Identifiers = append(p.Identifiers, row)
	}
}

func (b *build) pageFolder(p *page, a *answer, told string) {
	w := b.words
	if a.Records > 0 {
		p.Folder = append(p.Folder, pair{"*/*.csv", titleCase(w.FolderCSV)}, pair{"*/*.json", titleCase(w.FolderJSON)})
	}
	p.Folder = append(p.Folder, pair{told, titleCase(w.FolderAnswer)}, pair{packageFile, titleCase(w.FolderPackage)})
}

func (b *build) pageContents(p *page) {
	w := b.words
	add := func(there bool, id, title string) {
		if there {
			p.Contents = append(p.Contents, link{id, title})
		}
	}
	add(true, "overview", w.Overview)
	add(len(p.Kept) > 0, "kept", w.KeptTitle)
	add(len(p.Categories) > 0, "categories", w.Categories)
	add(len(p.Systems) > 0, "systems", w.Systems)
	add(p.Tells || len(p.LeftOut) > 0, "left-out", w.LeftOut)
	add(len(p.Identifiers) > 0, "looked", w.Looked)
	add(true, "rights", w.Rights)
	add(true, "folder", w.Folder)
}

func appendNew(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}
