package manifest

import (
	"strings"
	"testing"
)

// TestLint: each finding names its line, what is wrong and the cure; a manifest
// in which nothing is wrong has none.
func TestLint(t *testing.T) {
	t.Parallel()
	const ledger = "system: ledger\ntitle: {en: Ledger, fr: Grand livre}\nabilities: [gather, erase]\nneeds: [email]\nprocessing: {subjects: {en: Customers, fr: Clients}}\ndatasets:\n" +
		"  - name: entries\n    title: {en: Entries, fr: Écritures}\n    category: geolocation\n    origin: observed\n    purpose: {en: To know, fr: Savoir}\n    legal_basis: contract\n" +
		"    storage: {en: A year, fr: Un an}\n    columns:\n      - {name: entry, title: {en: Entry, fr: Écriture}}\n"
	for _, c := range []struct {
		name, old, new, where, want string
		warning                     bool
	}{
		{"nothing", "", "", "", "", false},
		{"can't gather", "[gather, erase]", "[erase]", "abilities", "no worker can gather these categories: geolocation", false},
		{"can't erase", "[gather, erase]", "[gather]", "abilities", "no worker can erase these categories: geolocation", false},
		{"nobody leads to it", "needs: [email]", "needs: [tax_id]", "needs", "no system finds it", true},
		{"whose data", "processing: {subjects: {en: Customers, fr: Clients}}\n", "", "", "GDPR art. 30(1)(c)", true},
		{"no French", "purpose: {en: To know, fr: Savoir}", "purpose: {en: To know}", "    purpose:", "purpose has no French text", true},
		{"no French title", "{en: Entry, fr: Écriture}", "{en: Entry}", "{name: entry", "title has no French text", true},
		{"a passport", "{name: entry,", "{name: passport,", "{name: passport", "(government-id); add never_shown: government-id", true},
		{"in another hand", "{name: entry,", "{name: CustomerBankAccount,", "{name: CustomerBankAccount", "financial-account", true},
		{"only like it", "{name: entry,", "{name: passport2,", "", "", true},
		{"declared", "{name: entry,", "{name: passport, never_shown: government-id,", "", "", true},
	} {
		text := ledger
		if c.old != "" {
			text = change(t, ledger, c.old, c.new)
		}
		m, err := Parse("ledger.yaml", []byte(text))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		found := Lint([]*Manifest{m})
		if c.want == "" {
			if len(found) > 0 {
				t.Errorf("%s: %v", c.name, found[0])
			}
			continue
		}
		if len(found) != 1 {
			t.Errorf("%s: %d findings: %v", c.name, len(found), found)
			continue
		}
		f := found[0]
		if f.Warning != c.warning || !strings.Contains(f.Error.Error(), c.want) || f.Cure == "" {
			t.Errorf("%s: %v, warning %v", c.name, f.Error, f.Warning)
		}
		if c.where != "" && !strings.HasPrefix(f.Error.Error(), "ledger.yaml:"+lineOf(text, c.where)+": ") {
			t.Errorf("%s: %v isn't at line %s", c.name, f.Error, lineOf(text, c.where))
		}
	}
	m, err := Parse("ledger.yaml", []byte(change(t, ledger, "needs: [email]", "needs: [tax_id]")))
	if err != nil {
		t.Fatal(err)
	}
	finder := *m
	finder.System, finder.Finds, finder.Needs = "finder", m.Needs, given()
	for _, f := range Lint([]*Manifest{m, &finder}) {
		t.Errorf("though another system finds it: %v", f)
	}
}

// TestEveryProblem: the error of a manifest lists all that is wrong with it.
func TestEveryProblem(t *testing.T) {
	t.Parallel()
	text := change(t, change(t, shop(t), "    category: identifiers\n", ""), "    purpose: {en: To know whom we deliver to}\n", "")
	_, err := Parse("shop.yaml", []byte(text))
	e, ok := err.(*Error) //nolint:errorlint // it is what Parse says it returns
	if !ok || e.More != 1 {
		t.Fatalf("%v", err)
	}
	all := e.All()
	if len(all) != 2 || !strings.Contains(all[0].Error(), "category is missing") || !strings.Contains(all[1].Error(), "purpose is missing") || strings.Contains(all[0].Error(), "more") {
		t.Errorf("%v", all)
	}
}
