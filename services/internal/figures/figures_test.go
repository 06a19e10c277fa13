package figures_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/figures"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/words"
)

var start = time.Date(2026, 3, 2, 20, 0, 0, 0, time.UTC)

// TestFigures plays a year in California and counts it: what was complied with, wholly or
// in part, what was denied, withdrawn, merged, or is open, each right by itself, with the
// days of each; another year's and another law's requests aren't among them.
func TestFigures(t *testing.T) {
	t.Parallel()
	j := memjournal.New(memjournal.Config{})
	l := lifecycle.New(j)
	n := 0
	ask := func(law string, right dsar.Right, received time.Time, then ...core.Command) {
		t.Helper()
		n++
		id := fmt.Sprintf("00000000-0000-4000-8000-%012d", n)
		a := core.Accepted{RequestID: id, Right: right, Jurisdiction: law, ReceivedAt: received, AcceptedAt: received, DueAt: received.AddDate(0, 0, 45), Source: "test", Digest: id,
			Terms:       core.Terms{Refusals: []string{"excessive"}, PartRefusals: []string{"rights-of-others"}},
			Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "f", Sealed: []byte("x"), Assurance: dsar.AssuranceVerified}},
			Systems:     []dsar.System{{Name: "shop", Abilities: []dsar.Action{dsar.Gather, dsar.Erase, dsar.Restrict}, Needs: []dsar.IdentifierType{"email"}}}}
		if _, err := l.Accept(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		for _, c := range then {
			if _, err := l.Do(t.Context(), id, c); err != nil {
				t.Fatalf("%s, %T: %v", right, c, err)
			}
		}
	}
	ended := func(a dsar.Action, days int, counts ...dsar.Counts) core.Command {
		system, outcome := "shop", map[dsar.Action]dsar.Outcome{dsar.Gather: dsar.Gathered, dsar.Plan: dsar.Found, dsar.Erase: dsar.Erased, dsar.Prove: dsar.Proven, dsar.Assemble: dsar.Assembled}[a]
		if a == dsar.Assemble {
			system = dsar.Aggregator
		}
		r := dsar.Report{System: system, Action: a, Attempt: 1, Kind: dsar.ReportEnded, Outcome: outcome, Counts: counts}
		if a == dsar.Plan {
			r.Objects = []dsar.Object{{Name: "shop/plan/1-test", SHA256: "h"}}
		}
		return core.TakeReport{Now: start.AddDate(0, 0, days), Report: r}
	}
	access := func(days int) []core.Command {
		return []core.Command{ended(dsar.Gather, days, dsar.Counts{Dataset: "orders", Found: 1, Gathered: 1}), ended(dsar.Assemble, days)}
	}
	kept := []dsar.Retention{{Records: 1, Ground: "tax", Until: start.AddDate(5, 0, 0)}}
	refuse := func(days int) core.Command {
		return core.Refuse{By: "lea", Ground: "excessive", Now: start.AddDate(0, 0, days)}
	}
	// A dataset is refused that holds something; and one that holds nothing, which withholds nothing.
	part := func(dataset string) core.Command {
		return core.RefusePart{By: "lea", System: "shop", Dataset: dataset, Ground: "rights-of-others", Reason: "others wrote it", Now: start}
	}
	ask("California", dsar.Portability, start, append([]core.Command{part("orders")}, access(4)...)...)
	ask("California", dsar.KnowCategories, start)
	ask("EEA", dsar.Access, start, append([]core.Command{part("letters")}, access(4)...)...)
	ask("California", dsar.Access, start, access(3)...)
	ask("California", dsar.Access, start, access(10)...)
	ask("California", dsar.Access, start, refuse(30))
	ask("California", dsar.Access, start, core.Cancel{By: "lea", Now: start})
	ask("California", dsar.Access, start, core.Merge{By: "lea", Into: "another", Now: start})
	ask("California", dsar.Access, start)
	ask("California", dsar.Access, start.AddDate(-1, 0, 0), refuse(1))
	ask("California", dsar.Access, time.Date(2026, 1, 1, 2, 0, 0, 0, time.UTC)) // still 2025 there
	ask("EEA", dsar.Access, start, refuse(1))
	ask("California", dsar.Erasure, start, ended(dsar.Plan, 1, dsar.Counts{Dataset: "orders", Found: 2, Retained: kept}),
		ended(dsar.Erase, 1, dsar.Counts{Dataset: "orders", Found: 2, Erased: 1, Restricted: 1, Retained: kept}), ended(dsar.Prove, 1, dsar.Counts{Dataset: "orders", Found: 1, Retained: kept}), ended(dsar.Assemble, 5))
	ask("California", dsar.Erasure, start, ended(dsar.Plan, 1, dsar.Counts{Dataset: "orders", Found: 1}),
		ended(dsar.Erase, 1, dsar.Counts{Dataset: "orders", Found: 1, Erased: 1}), ended(dsar.Prove, 1), ended(dsar.Assemble, 8))

	book, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	california, _ := book.Jurisdiction("California")
	f, err := figures.Of(t.Context(), j, l, california, 2026)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	languages := (*words.Languages)(nil).Naming(book.Named())
	if err := figures.WriteCSV(&b, f, languages.For("en")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Law,Year,Right,Received in the year,Complied in whole,Complied in part,Denied,Withdrawn,Merged,Open,\"Mean, days\",\"Median, days\"\n",
		"California,2026,knowing what is held,8,2,1,1,1,1,2,11.8,7\n",
		"California,2026,erasure,2,1,1,0,0,0,0,6.5,6.5\n",
		"California,2026,opt-out,0,0,0,0,0,0,0,,\n",
		"California,2026,limit of sensitive data,0,0,0,0,0,0,0,,\n",
		"California,2026,opt-out of automated decisions,0,0,0,0,0,0,0,,\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lacks %q:\n%s", want, b.String())
		}
	}
	b.Reset()
	french := languages.For("fr")
	if err := figures.WriteHTML(&b, f, french.Text(california.Law.Name), french); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<html lang="fr">`, " de 2026</h1>", "<td>11,8</td>", "limitation des données sensibles</th>", "accès aux données</th>", "Satisfaites en partie", "<td>–</td>"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lacks %q:\n%s", want, b.String())
		}
	}
	eea, _ := book.Jurisdiction("EEA")
	if f, err = figures.Of(t.Context(), j, l, eea, 2026); err != nil || f.Rows[0].Whole != 1 || f.Rows[0].Part != 0 || f.Rows[0].Denied != 1 {
		t.Errorf("%v: %+v", err, f.Rows[0])
	}
}
