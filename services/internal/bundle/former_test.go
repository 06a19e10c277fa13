package bundle_test

import (
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/bundle/bundletest"
	"habeas.dev/services/internal/core"
)

// TestFormerValuesAreTold: a correction's answer says what stood in each field and what does
// now, as people read it; a secret is in no file, before or after.
func TestFormerValuesAreTold(t *testing.T) {
	t.Parallel()
	m := &manifest.Manifest{System: "shop", Title: text("Shop", "Boutique"), Needs: []dsar.IdentifierType{"email"}, Datasets: []manifest.Dataset{{
		Name: "customers", Title: text("Customers", "Clients"), Category: "identifiers", Origin: manifest.Provided, Purpose: text("P", "P"), LegalBasis: "contract", Storage: text("S", "S"),
		Columns: []manifest.Column{{Name: "name", Title: text("Name", "Nom")}, {Name: "born", Type: "date", Title: text("Born on", "Né le")}, {Name: "phone", Title: text("Telephone", "Téléphone")}, {Name: "pin", Title: text("PIN", "Code"), Secret: "password"}},
	}}}
	row := func(column, was, is string) record.Record {
		r := record.Record{worker.FormerColumn: column, worker.FormerIs: is, worker.FormerRecords: 1}
		if r[worker.FormerWas] = any(was); was == "" {
			r[worker.FormerWas] = nil
		}
		return r
	}
	former := source(t, rows{dataset: "customers", columns: []string{worker.FormerColumn, worker.FormerWas, worker.FormerIs, worker.FormerRecords}, records: []record.Record{
		row("name", "Dupond", "Dupont"), row("name", "<Du Pont>", "Dupont"), row("born", "1980-02-01", "1980-03-02"), row("phone", "", "+33 1"), row("pin", "tiger-1234", "lion-9876"),
	}})
	for lang, want := range map[string][]string{
		"en": {"Name: “Dupond” and “<Du Pont>” before, now “Dupont”.", "Born on: “1 February 1980” before, now “2 March 1980”.", "Telephone: nothing before, now “+33 1”.", "PIN: “held, not shown” before, now “held, not shown”."},
		"fr": {"Nom : auparavant « Dupond » et « <Du Pont> », désormais « Dupont ».", "Né le : auparavant « 1er février 1980 », désormais « 2 mars 1980 ».", "Téléphone : auparavant rien, désormais « +33 1 »."},
	} {
		in := accessInput(t)
		in.Right, in.Locale = dsar.Rectification, lang
		end := ended(dsar.Rectify, dsar.Rectified, dsar.Counts{Dataset: "customers", Found: 2, Rectified: 2, Changed: []string{"name", "born", "phone", "pin"}})
		in.Systems = []part{{Manifest: m, Ends: []core.ActionEnd{end}, Former: []bundle.Source{former}}}
		data, _ := write(t, in)
		files := unpack(t, data)
		page := strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(bundletest.ReadAloud(t, files["data/index.html"]))
		for _, says := range want {
			if !strings.Contains(page, says) {
				t.Errorf("%s: the page lacks %q:\n%s", lang, says, page)
			}
		}
		for name, content := range files {
			if strings.Contains(content, "tiger") || strings.Contains(content, "lion") {
				t.Errorf("%s holds a secret", name)
			}
		}
	}
}
