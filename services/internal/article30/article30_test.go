package article30_test

import (
	"bytes"
	"strings"
	"testing"

	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/article30"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/operator"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/words"
	"habeas.dev/services/systems"
)

// TestRecordAgreesWithAnswers: the register names who answers, the officer, the recipients and
// the countries as answers to people do.
func TestRecordAgreesWithAnswers(t *testing.T) {
	t.Parallel()
	m, err := systems.Manifest("billing")
	if err != nil {
		t.Fatal(err)
	}
	who := operator.Controller{Name: "Example Cloud SARL", Address: "1, rue Neuve, Luxembourg", Officer: "dpo@example.com", Representative: "Rep SA"}
	for lang, says := range map[string][]string{
		"en": {"Example Cloud SARL, 1, rue Neuve, Luxembourg; Data protection officer: dpo@example.com; Representative: Rep SA", "United States, J.P. Morgan (PaymentTech): standard contractual clauses", "10\u00a0years from the end of the financial year"},
		"fr": {"Délégué à la protection des données\u00a0: dpo@example.com\u00a0; Représentant\u00a0: Rep SA", "États-Unis, J.P. Morgan (PaymentTech)\u00a0: clauses contractuelles types", "10\u00a0ans à compter de la clôture de l’exercice"},
	} {
		w := words.For(lang)
		r := article30.RecordOf(law(t, "EEA"), operator.Operator{Controllers: []operator.Controller{who}}, w, []*manifest.Manifest{m})
		var csv, page bytes.Buffer
		if err := article30.WriteCSV(&csv, r); err != nil {
			t.Fatal(err)
		}
		if err := article30.WriteHTML(&page, r); err != nil {
			t.Fatal(err)
		}
		for _, s := range says {
			if !strings.Contains(csv.String(), s) || !strings.Contains(page.String(), s) {
				t.Errorf("%s: the register doesn't say %q", lang, s)
			}
		}
		answer := bundle.Describe(m, w, "EEA")
		for i, d := range answer.Datasets {
			if got := r.Systems[0].Activities[i].Recipients; strings.Join(got, ", ") != strings.Join(d.Recipients, ", ") {
				t.Errorf("%s: %s goes to %v here, and to %v in answers", lang, d.Dataset, got, d.Recipients)
			}
		}
	}
}

func law(t *testing.T, id string) policy.Jurisdiction {
	t.Helper()
	book, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	j, ok := book.Jurisdiction(id)
	if !ok {
		t.Fatalf("there is no law %s", id)
	}
	return j
}

// TestRecordOfARegion: the register of a region names who answers there, quotes no other law's
// articles, and has the periods of its own law.
func TestRecordOfARegion(t *testing.T) {
	t.Parallel()
	m, err := systems.Manifest("billing")
	if err != nil {
		t.Fatal(err)
	}
	page := func(id, lang string, name string) string {
		var out bytes.Buffer
		r := article30.RecordOf(law(t, id), operator.Operator{Name: name}, words.For(lang), []*manifest.Manifest{m})
		if err := article30.WriteHTML(&out, r); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if ca := page("California", "en", "Example Inc."); !strings.Contains(ca, "Example Inc.") || !strings.Contains(ca, "California Consumer Privacy Act (CCPA). Made from") || strings.Contains(ca, "GDPR") || strings.Contains(ca, "art. 6") || strings.Contains(ca, "Code de commerce") {
		t.Error("the register of California quotes other laws")
	}
	if eea := page("EEA", "fr", ""); !strings.Contains(eea, " du traitement</dd>") || !strings.Contains(eea, "art. 6, par. 1, point b)") || strings.Contains(eea, "the controller") {
		t.Error("nobody's name is English in the French register")
	}
}

// TestSafeguardsByLaw: a transfer has the safeguard of the law under which it is told, none of
// another's, and data that stays in the law's own country isn't transferred.
func TestSafeguardsByLaw(t *testing.T) {
	t.Parallel()
	m, err := systems.Manifest("billing")
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{"EEA": "standard contractual clauses", "UK": "international data transfer agreement", "Switzerland": "recognised standard contractual clauses", "California": "", "Brazil": ""} {
		j := law(t, id)
		_, receives := m.Receives(&m.Datasets[0])
		for _, r := range receives {
			if got := r.SafeguardUnder(id)["en"]; r.Country != "" && got != want {
				t.Errorf("%s: %q, want %q", id, got, want)
			}
		}
		var out bytes.Buffer
		if err := article30.WriteCSV(&out, article30.RecordOf(j, operator.Operator{}, words.For("en"), []*manifest.Manifest{m})); err != nil {
			t.Fatal(err)
		}
		if told := strings.Contains(out.String(), "J.P. Morgan (PaymentTech): "+want); told != (want != "") {
			t.Errorf("%s: the register has the safeguard %q: %v", id, want, told)
		}
	}
	for country, laws := range map[string]map[string]bool{
		"US": {"EEA": true, "UK": true, "Switzerland": true, "Canada": true, "California": false, "Colorado": false, "Japan": false},
		"GB": {"EEA": true, "UK": false}, "FR": {"EEA": false, "UK": true}, "CA": {"Canada": false},
	} {
		for id, want := range laws {
			if got := law(t, id).Abroad(country); got != want {
				t.Errorf("%s: data in %s is told as abroad: %v", id, country, got)
			}
		}
	}
}
