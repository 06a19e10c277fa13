package bundle_test

import (
	"fmt"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/bundle/bundletest"
	"habeas.dev/services/internal/core"
)

// orders returns a portability request to a shop whose orders have a derived column, one
// that was received, and a rule by which what others wrote is told by the derived one.
func orders(t testing.TB, n int) input {
	t.Helper()
	in := accessInput(t)
	in.Right = dsar.Portability
	shop := &manifest.Manifest{
		System: "shop", Title: text("Shop", "Boutique"), Needs: []dsar.IdentifierType{"email"},
		Datasets: []manifest.Dataset{{
			Name: "orders", Title: text("Orders", "Commandes"), Category: "commercial information", Origin: manifest.Provided, Purpose: text("To deliver", "Livrer"), LegalBasis: "contract", Storage: text("A year", "Un an"),
			Columns: []manifest.Column{
				{Name: "kind", Origin: manifest.Derived}, {Name: "number", Title: text("Number", "Numéro")},
				{Name: "score", Type: "integer", Origin: manifest.Derived, Title: text("Score", "Note")}, {Name: "bureau", Origin: manifest.Received, Title: text("Credit bureau", "Agence")}, {Name: "gift", Title: text("Greeting", "Dédicace")},
			},
			Others: []manifest.Others{{Columns: []string{"gift", "score"}, When: map[string]string{"kind": "gift"}}},
		}},
	}
	var records []record.Record
	for i := range n {
		records = append(records, record.Record{"kind": []string{"own", "gift"}[i%2], "number": fmt.Sprintf("N-%04d", i), "score": int64(987000 + i), "bureau": nil, "gift": []string{"my own words", "from Bob " + strings.Repeat("with love ", 20)}[i%2]})
	}
	in.Systems = []part{{Manifest: shop, Ends: []core.ActionEnd{ended(dsar.Gather, dsar.Gathered)},
		Sources: []bundle.Source{source(t, rows{"orders", []string{"kind", "number", "score", "bureau", "gift"}, records})}}}
	return in
}

// TestPortabilityByColumn: what was derived or received isn't taken along, column by column,
// and the answer names those that held something; what is about others is told by the
// columns that are left out, too. Also where the records are read twice.
func TestPortabilityByColumn(t *testing.T) {
	t.Parallel()
	for name, n := range map[string]int{"few": 4, "many": 5000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, _ := write(t, orders(t, n))
			verifies(t, data)
			files := unpack(t, data)
			for file, content := range files {
				for _, left := range []string{"98700", "from Bob", `"score":`, `"kind":"gift`} {
					if strings.Contains(content, left) {
						t.Errorf("%s says %q", file, left)
					}
				}
			}
			if head := "\ufeff_system,_dataset,number,gift\r\nshop,orders,N-0000,my own words\r\n"; !strings.HasPrefix(files["data/shop/orders.csv"], head) {
				t.Errorf("%.100q", files["data/shop/orders.csv"])
			}
			if !strings.Contains(files["data/shop/orders.json"], `"number":"N-0001","gift":"[about somebody else, not shown]"`) {
				t.Errorf("%.200q", files["data/shop/orders.json"])
			}
			page := bundletest.ReadAloud(t, files["data/index.html"])
			for _, s := range []string{"Shop · Orders · Kind and Score We worked it out ourselves from other data", "Greeting Part of this is about other people"} {
				if !strings.Contains(page, s) {
					t.Errorf("the page doesn't say %q: %s", s, page)
				}
			}
			if strings.Contains(page, "Agence") || strings.Contains(page, "Credit bureau and") || strings.Contains(page, "Nothing was left out") {
				t.Error(page)
			}
		})
	}
}

// TestAccessHasEveryColumn: a copy has what was derived, and says which columns aren't what
// their dataset is; what the data is used for is named where it is profiling.
func TestAccessHasEveryColumn(t *testing.T) {
	t.Parallel()
	in := orders(t, 2)
	in.Right = dsar.Access
	data, _ := write(t, in)
	page := bundletest.ReadAloud(t, unpack(t, data)["data/index.html"])
	for _, s := range []string{"987,000", "For “Score” only Worked out from other data", "For “Credit bureau” only Received from others"} {
		if !strings.Contains(page, s) {
			t.Errorf("the page doesn't say %q: %s", s, page)
		}
	}
	data, _ = write(t, inFrench(in))
	if page := bundletest.ReadAloud(t, unpack(t, data)["data/index.html"]); !strings.Contains(page, "Pour « Note » uniquement Déduites d’autres données") {
		t.Error(page)
	}
}

// TestProfilingIsNamed: purposes that are marked as profiling, or as decisions by machine
// alone, are named to who asks for a copy (GDPR art. 15(1)(h)).
func TestProfilingIsNamed(t *testing.T) {
	t.Parallel()
	in := orders(t, 2)
	in.Right = dsar.Access
	m := in.Systems[0].Manifest
	m.Datasets[0].Columns[2].Purposes = []string{"advice", "credit"}
	if err := m.Resolve(manifest.Purposes{
		"advice": {Title: text("To advise you", "Vous conseiller"), Basis: "consent", Marks: []string{manifest.MarkProfiling}},
		"credit": {Title: text("To decide whether you can pay later", "Décider si vous pouvez payer plus tard"), Basis: "contract", Marks: []string{manifest.MarkAutomated}, Logic: text("What you paid in the last two years counts", "Vos paiements des deux dernières années comptent")},
	}); err != nil {
		t.Fatal(err)
	}
	for lang, says := range map[string][]string{
		"en": {"This data is used for profiling: to advise you.", "to decide whether you can pay later (what you paid in the last two years counts)"},
		"fr": {"Ces données servent au profilage\u00a0: vous conseiller.", "décider si vous pouvez payer plus tard (vos paiements des deux dernières années comptent)"},
	} {
		in.Locale = lang
		data, _ := write(t, in)
		page := strings.ReplaceAll(bundletest.ReadAloud(t, unpack(t, data)["data/index.html"]), "\u00a0", " ")
		for _, s := range says {
			if !strings.Contains(page, strings.ReplaceAll(s, "\u00a0", " ")) {
				t.Errorf("the page doesn't say %q: %s", s, page)
			}
		}
	}
}
