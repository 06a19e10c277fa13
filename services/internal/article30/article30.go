// Package article30 writes the record of processing activities (GDPR art.
// 30(1)) from the systems' manifests: who answers for the data, and for each
// dataset what it is for, on which ground, whose data it is and of which kind,
// who receives it, to which countries it goes, when it is erased, and what
// protects it. It needs no data of anybody: manifests hold none.
package article30

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/operator"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/words"
)

// Record is the record of processing activities (GDPR art. 30), in one language.
type Record struct {
	Language   *words.Language
	Controller string // who answers for the data (art. 30(1)(a))
	Law        string // under which it is, or the article of it
	Systems    []System
}

// System is one system's part of the record.
type System struct {
	Name       string
	Title      string
	Subjects   string // the categories of people (art. 30(1)(c))
	Security   string
	Activities []Activity
}

// Activity is the processing of one dataset.
type Activity struct {
	Dataset    string
	Title      string
	Purpose    string // art. 30(1)(b)
	LegalBasis string
	Category   string // art. 30(1)(c)
	Fields     []string
	Sensitive  []string // fields of a special category, and those that no answer shows, with their kind
	Origin     string
	Recipients []string // art. 30(1)(d), as the answers name them
	Transfers  []string // art. 30(1)(e): those to the recipients, as answers tell them
	Storage    string   // art. 30(1)(f)
	Retention  []string
	Erasure    string // how it is erased when the time has come
}

// RecordOf returns the record that manifests make under a law, in their order: who answers
// there, and the periods of that law.
func RecordOf(j policy.Jurisdiction, said operator.Operator, w *words.Language, ms []*manifest.Manifest) Record {
	r := Record{Language: w, Controller: controller(w, said.Under(j, w)), Law: w.Text(j.Law.Name)}
	if j.Register != nil {
		r.Law = w.Text(j.Register.Article)
	}
	for _, m := range ms {
		s := System{Name: m.System, Title: w.Text(m.Title)}
		if p := m.Processing; p != nil {
			s.Subjects, s.Security = w.Text(p.Subjects), w.Text(p.Security)
		}
		for i := range m.Datasets {
			s.Activities = append(s.Activities, activity(&j, w, m, &m.Datasets[i]))
		}
		r.Systems = append(r.Systems, s)
	}
	return r
}

func activity(j *policy.Jurisdiction, w *words.Language, m *manifest.Manifest, d *manifest.Dataset) Activity {
	a := Activity{
		Dataset: d.Name, Title: w.Text(d.Title), Purpose: w.Text(d.Purpose), LegalBasis: bases(j, w, d), Category: cmp.Or(w.Answer.CategoryName[d.Category], d.Category),
		Origin: w.Record.Origins[d.Origin], Storage: w.Text(d.Storage), Erasure: erasure(w, m, d),
	}
	for _, c := range d.Columns {
		name := w.Text(c.Title)
		if name == "" {
			name = c.Name
		}
		if c.Differs() {
			name += " (" + differs(j, w, d.Nature(), d.NatureOf(&c)) + ")"
		}
		a.Fields = append(a.Fields, name)
		if c.Secret.Hides() {
			a.Sensitive = append(a.Sensitive, name+" ("+words.Named(w.Answer.HiddenKinds, string(c.Secret))+")")
		} else if d.Sensitive || c.Sensitive {
			a.Sensitive = append(a.Sensitive, name)
		}
	}
	_, receives := m.Receives(d)
	for _, r := range receives {
		a.Recipients = append(a.Recipients, w.Recipient(w.Text(r.Name), w.Text(r.Does), r.Country))
		if safeguard := r.SafeguardUnder(j.ID); r.Country != "" && len(safeguard) > 0 && !slices.Contains(j.Home, r.Country) {
			a.Transfers = append(a.Transfers, w.Country(r.Country)+", "+w.Text(r.Name)+w.Answer.Colon+" "+w.Text(safeguard))
		}
	}
	for _, r := range d.Retention {
		own, differs := r.Periods[j.ID]
		if own == manifest.NoPeriod {
			continue // nothing stays under this law
		}
		if !differs {
			own = r.Period
		}
		period := w.Answer.Period(own)
		if end := w.Record.ToEndOf[r.ToEndOf]; end != "" {
			period += " " + end
		}
		if source := r.SourceUnder(j.ID); source != "" {
			period += " (" + source + ")"
		}
		a.Retention = append(a.Retention, w.Text(r.Title)+w.Answer.Colon+" "+period)
	}
	return a
}

// basis names a legal basis: with the GDPR's article where the law has those.
func basis(j *policy.Jurisdiction, w *words.Language, id string) string {
	named := w.Record.Bases[id]
	if j.Register == nil {
		named, _, _ = strings.Cut(named, ",")
	}
	return named
}

// bases names every legal basis of a dataset's purposes.
func bases(j *policy.Jurisdiction, w *words.Language, d *manifest.Dataset) string {
	var all []string
	for _, id := range d.Bases() {
		all = append(all, basis(j, w, id))
	}
	return strings.Join(all, w.Answer.Semicolon+" ")
}

// controller names who answers, with the data protection officer and the representative, as
// answers do.
func controller(w *words.Language, who operator.Controller) string {
	parts := []string{who.Named()}
	for _, one := range [][2]string{{w.Answer.Officer, who.Officer}, {w.Record.Representative, who.Representative}} {
		if one[1] != "" {
			parts = append(parts, one[0]+w.Answer.Colon+" "+one[1])
		}
	}
	return strings.Join(parts, w.Answer.Semicolon+" ")
}

// differs says in what a field isn't what its dataset is.
func differs(j *policy.Jurisdiction, w *words.Language, dataset, field manifest.Nature) string {
	var parts []string
	if field.Origin != dataset.Origin {
		parts = append(parts, w.Record.Origins[field.Origin])
	}
	if !slices.Equal(field.Purposes, dataset.Purposes) {
		parts = append(parts, words.LowerFirst(w.Text(field.Purpose)), basis(j, w, field.LegalBasis))
	}
	if field.Category != dataset.Category {
		parts = append(parts, cmp.Or(w.Answer.CategoryName[field.Category], field.Category))
	}
	if field.Sensitive && !dataset.Sensitive {
		parts = append(parts, words.LowerFirst(w.Answer.Sensitive))
	}
	return strings.Join(parts, ", ")
}

// erasure describes how a dataset is erased.
func erasure(lang *words.Language, m *manifest.Manifest, d *manifest.Dataset) string {
	w := lang.Record
	switch {
	case !m.Can(dsar.Erase):
		return w.ByHand
	case d.SQL != nil:
		var all []string
		for _, manner := range [][2]string{{manifest.EraseDelete, w.Deleted}, {manifest.EraseAnonymise, w.Anonymised}, {manifest.EraseKeep, w.Kept}} {
			if d.SQL.Erases(manner[0]) {
				all = append(all, manner[1])
			}
		}
		return strings.Join(all, " / ")
	case d.GoesWith != "":
		return fmt.Sprintf(w.GoesWith, titleOf(lang, m, d.GoesWith))
	default:
		return w.Deleted
	}
}

// titleOf returns what another dataset of a system is called.
func titleOf(w *words.Language, m *manifest.Manifest, dataset string) string {
	if d := m.Dataset(dataset); d != nil {
		return w.Text(d.Title)
	}
	return dataset
}
