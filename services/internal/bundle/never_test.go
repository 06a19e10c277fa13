package bundle_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/core"
)

// TestNeverShown: whatever a system holds, under whatever law, for a copy of
// either kind: no file of the bundle has a value of a kind that the law never
// shows, each such column is named as held, and every other value is there.
func TestNeverShown(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		law := rapid.SliceOfDistinct(rapid.SampledFrom(manifest.NeverShownKinds()), rapid.ID[string]).Draw(rt, "law")
		in := accessInput(t)
		in.Right = rapid.SampledFrom([]dsar.Right{dsar.Access, dsar.Portability}).Draw(rt, "right")
		in.Locale = rapid.SampledFrom([]string{"en", "fr"}).Draw(rt, "locale")
		in.Policy.NeverShown = law
		m := &manifest.Manifest{System: "store", Title: text("Store", "Magasin"), Needs: []dsar.IdentifierType{"email"}}
		var sections []rows
		shown, hidden := []string{}, []string{}
		for i := range rapid.IntRange(1, 3).Draw(rt, "datasets") {
			d := manifest.Dataset{Name: fmt.Sprintf("d%d", i), Title: text("D", "D"), Category: "identifiers", Origin: manifest.Provided, Purpose: text("P", "P"), LegalBasis: "contract", Storage: text("S", "S")}
			s := rows{dataset: d.Name}
			columns := rapid.IntRange(1, 5).Draw(rt, "columns")
			for c := range columns {
				kind := rapid.SampledFrom(append([]string{""}, manifest.NeverShownKinds()...)).Draw(rt, "kind")
				d.Columns = append(d.Columns, manifest.Column{Name: fmt.Sprintf("c%d", c), NeverShown: kind})
				s.columns = append(s.columns, fmt.Sprintf("c%d", c))
			}
			for r := range rapid.IntRange(1, 4).Draw(rt, "records") {
				rec := record.Record{}
				for c, column := range d.Columns {
					value := fmt.Sprintf("value-%d-%d-%d-end", i, r, c)
					rec[column.Name] = any(value)
					if rapid.Bool().Draw(rt, "object") {
						rec[column.Name] = map[string]any{"inner": []any{value}}
					}
					if slices.Contains(law, column.NeverShown) {
						hidden = append(hidden, value)
					} else {
						shown = append(shown, value)
					}
				}
				s.records = append(s.records, rec)
			}
			m.Datasets = append(m.Datasets, d)
			sections = append(sections, s)
		}
		in.Systems = []bundle.System{{Manifest: m, Ends: []core.ActionEnd{ended(dsar.Gather, dsar.Gathered)}, Sources: []bundle.Source{source(t, sections...)}}}
		var b bytes.Buffer
		if _, err := bundle.Write(t.Context(), &b, in); err != nil {
			rt.Fatal(err)
		}
		all := ""
		for _, content := range unpack(t, b.Bytes()) {
			all += content
		}
		for _, v := range hidden {
			if strings.Contains(all, v) {
				rt.Fatalf("%s is shown, though the law never shows %v", v, law)
			}
		}
		for _, v := range shown {
			if !strings.Contains(all, v) {
				rt.Fatalf("%s is left out", v)
			}
		}
		if len(hidden) > 0 && !strings.Contains(all, `"not_shown":[`) {
			rt.Fatal("nothing says what is held and not shown")
		}
	})
}
