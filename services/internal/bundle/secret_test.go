package bundle_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/core"
)

// TestSecretsAreNeverShown: whatever a system holds, under whatever law, for a copy of
// either kind: no file of the bundle has a secret, each such column is named as held, and
// every other value is there.
func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		in := accessInput(t)
		in.Right = rapid.SampledFrom([]dsar.Right{dsar.Access, dsar.Portability}).Draw(rt, "right")
		in.Locale = rapid.SampledFrom([]string{"en", "fr"}).Draw(rt, "locale")
		m := &manifest.Manifest{System: "store", Title: text("Store", "Magasin"), Needs: []dsar.IdentifierType{"email"}}
		var sections []rows
		shown, hidden := []string{}, []string{}
		for i := range rapid.IntRange(1, 3).Draw(rt, "datasets") {
			d := manifest.Dataset{Name: fmt.Sprintf("d%d", i), Title: text("D", "D"), Category: "identifiers", Origin: manifest.Provided, Purpose: text("P", "P"), LegalBasis: "contract", Storage: text("S", "S")}
			s := rows{dataset: d.Name}
			columns := rapid.IntRange(1, 5).Draw(rt, "columns")
			for c := range columns {
				kind := rapid.SampledFrom(append([]manifest.Secret{"", manifest.NoSecret}, manifest.SecretKinds()...)).Draw(rt, "kind")
				d.Columns = append(d.Columns, manifest.Column{Name: fmt.Sprintf("c%d", c), Secret: kind})
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
					if column.Secret.Hides() {
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
		in.Systems = []part{{Manifest: m, Ends: []core.ActionEnd{ended(dsar.Gather, dsar.Gathered)}, Sources: []bundle.Source{source(t, sections...)}}}
		var b bytes.Buffer
		if _, err := bundle.Write(t.Context(), &b, in.bundle()); err != nil {
			rt.Fatal(err)
		}
		all := ""
		for _, content := range unpack(t, b.Bytes()) {
			all += content
		}
		for _, v := range hidden {
			if strings.Contains(all, v) {
				rt.Fatalf("%s is shown", v)
			}
		}
		for _, v := range shown {
			if !strings.Contains(all, v) {
				rt.Fatalf("%s is left out", v)
			}
		}
		if len(hidden) > 0 && !strings.Contains(all, `"kind":"not-shown"`) {
			rt.Fatal("nothing says what is held and not shown")
		}
		if nothing := strings.Contains(all, "Nothing was left out.") || strings.Contains(all, "Rien n’a été omis."); nothing != (len(hidden) == 0) {
			rt.Fatalf("%s: nothing was left out: %v, of %d secrets", in.Right, nothing, len(hidden))
		}
	})
}

// TestPaymentCardsEnd: of a card number the last four digits are shown, in every file and
// on the page, and of nothing else that stands in such a column.
func TestPaymentCardsEnd(t *testing.T) {
	t.Parallel()
	in := accessInput(t)
	m := &manifest.Manifest{System: "till", Title: text("Till", "Caisse"), Needs: []dsar.IdentifierType{"email"}, Datasets: []manifest.Dataset{{
		Name: "cards", Title: text("Cards", "Cartes"), Category: "customer records", Origin: manifest.Provided, Purpose: text("P", "P"), LegalBasis: "contract", Storage: text("S", "S"),
		Columns: []manifest.Column{{Name: "card", Secret: manifest.PaymentCard}, {Name: "iban", Secret: "financial-account"}},
	}}}
	in.Systems = []part{{Manifest: m, Ends: []core.ActionEnd{ended(dsar.Gather, dsar.Gathered)}, Sources: []bundle.Source{source(t, rows{dataset: "cards", columns: []string{"card", "iban"}, records: []record.Record{
		{"card": "4000 1234 5678 9017", "iban": "LU280019400644750000"}, {"card": "12345678", "iban": nil}, {"card": 4000123456789124, "iban": ""},
	}})}}}
	var b bytes.Buffer
	if _, err := bundle.Write(t.Context(), &b, in.bundle()); err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, content := range unpack(t, b.Bytes()) {
		all += content
	}
	for _, want := range []string{"payment-card, ends in 9017]", "payment-card, ends in 9124]", "(… 9017)", "not shown: payment-card]", "not shown: financial-account]"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q isn't there", want)
		}
	}
	for _, never := range []string{"4000 1234", "5678", "400012345678", "LU28", "0000\""} {
		if strings.Contains(all, never) {
			t.Errorf("%q is there", never)
		}
	}
}
