package bundle_test

import (
	"fmt"
	"io"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/core"
)

// typicalInput returns what a person leaves in six systems: 18 datasets, 20 records
// a system.
func typicalInput(t testing.TB) input {
	in := input{
		RequestID: requestID, Right: dsar.Access, Jurisdiction: "EEA", Locale: "fr", ReceivedAt: received, Identifiers: identifiers(), Policy: policyFR(),
		Run: bundle.Run{At: packedAt, Software: "habeas test"},
	}
	for s, system := range []string{"account", "billing", "marketplace", "events", "salesforce", "marketo"} {
		m := &manifest.Manifest{System: system, Title: text("The system "+system, "Le système "+system), Needs: []dsar.IdentifierType{"email"}}
		var sections []rows
		for d := range 3 {
			ds := manifest.Dataset{
				Name: fmt.Sprintf("dataset_%d", d), Title: text("Some data", "Des données"), Category: manifest.Categories()[(s+d)%11], Origin: manifest.Provided,
				Purpose: text("To do what you asked for", "Faire ce que vous avez demandé"), LegalBasis: "contract", Recipients: []string{"PaymentTech"},
				Storage: text("Three years after the last contact", "Trois ans après le dernier contact"),
			}
			var names []string
			for c := range 9 {
				col := manifest.Column{Name: fmt.Sprintf("column_%d", c), Title: text("A column", "Une colonne")}
				switch c {
				case 3:
					col.Type = "integer"
				case 4:
					col.Type = "datetime"
				case 5:
					col.Type = "boolean"
				}
				ds.Columns = append(ds.Columns, col)
				names = append(names, col.Name)
			}
			section := rows{ds.Name, names, nil}
			for r := range []int{8, 7, 5}[d] {
				section.records = append(section.records, record.Record{
					"column_0": fmt.Sprintf("%s-%06d", system, r*7919), "column_1": "camille.o'brien@example.com", "column_2": "Camille O'Brien",
					"column_3": int64(r * 100), "column_4": received.AddDate(0, -r, -s), "column_5": r%2 == 0, "column_6": "3, rue de l’Été, 25000 Besançon",
					"column_7": nil, "column_8": fmt.Sprintf("une note, qui dit quelque chose de la ligne %d", r),
				})
			}
			m.Datasets = append(m.Datasets, ds)
			sections = append(sections, section)
		}
		in.Systems = append(in.Systems, part{Manifest: m, Ends: []core.ActionEnd{ended(dsar.Gather, dsar.Gathered)}, Sources: []bundle.Source{source(t, sections...)}})
	}
	return in
}

// BenchmarkTypical is one request's bundle: 6 systems, 18 datasets, 120 records.
func BenchmarkTypical(b *testing.B) {
	in := typicalInput(b)
	var w bundle.Writer
	var s bundle.Summary
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if s, err = w.Write(b.Context(), io.Discard, in.bundle()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(s.Bytes), "zip-B")
	b.ReportMetric(float64(s.PayloadBytes), "payload-B")
	if s.Records != 120 {
		b.Fatal(s)
	}
}
