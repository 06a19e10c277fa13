package manifest

import (
	"fmt"
	"strings"
	"testing"
)

// ledger is a manifest of which nothing is found.
const ledger = "system: ledger\ntitle: {en: Ledger, fr: Grand livre}\nabilities: [gather, erase]\nneeds: [email]\nprocessing: {subjects: {en: Customers, fr: Clients}}\ndatasets:\n" +
	"  - name: entries\n    title: {en: Entries, fr: Écritures}\n    category: geolocation\n    origin: observed\n    purpose: {en: To know, fr: Savoir}\n    legal_basis: contract\n" +
	"    storage: {en: A year, fr: Un an}\n    columns:\n      - {name: entry, title: {en: Entry, fr: Écriture}}\n"

// TestLint: each finding names its line, what is wrong and the cure; a manifest
// in which nothing is wrong has none.
func TestLint(t *testing.T) {
	t.Parallel()
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
		{"no file of Windows", "name: entries", "name: Aux", "  - name: Aux", "Windows has no file of that name", false},
		{"a passport", "{name: entry,", "{name: passport,", "{name: passport", "is a secret, which no answer may show", false},
		{"in another hand", "{name: entry,", "{name: CustomerBankAccount,", "{name: CustomerBankAccount", "is a secret", false},
		{"only like it", "{name: entry,", "{name: passport2,", "", "", true},
		{"declared", "{name: entry,", "{name: passport, secret: government-id,", "", "", true},
		{"declared to be none", "{name: entry,", "{name: secret, secret: false,", "", "", true},
		{"of no kind", "{name: entry,", "{name: api_key, secret: true,", "", "", true},
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

// TestLeadsLost: a system that waits for another to have erased the rows by which it
// finds its own is told so, through any number of systems; one that goes first isn't.
func TestLeadsLost(t *testing.T) {
	t.Parallel()
	const text = `system: %s
title: {en: S}
abilities: [gather, erase]
needs: [email]
erase_after: [%s]
sql: {}
datasets:
  - name: %s
    title: {en: T}
    category: identifiers
    origin: provided
    purpose: {en: P}
    legal_basis: contract
    storage: {en: S}
    columns: [{name: id}]
    sql: {%s, key: [id], erase: delete}
`
	load := func(system, after, dataset, sql string) *Manifest {
		m, err := Parse(system+".yaml", fmt.Appendf(nil, text, system, after, dataset, sql))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	const notes = "table: notes, via: [{table: users, on: {user_id: id}}], subject: {email: users.email}"
	account := load("account", "", "users", "table: users, subject: {email: email}")
	for _, c := range []struct {
		after     string
		is, known bool
		want      string
	}{
		{"account", true, true, "fail"},
		{"middle", true, true, "fail"},
		{"account", false, false, "warn"},
		{"account", false, true, ""},
		{"", true, true, ""},
	} {
		ms := []*Manifest{account, load("middle", "account", "others", "table: others, subject: {email: email}"), load("crm", c.after, "notes", notes)}
		var got string
		for _, f := range LeadsLost(ms, func(*Manifest, *Manifest) (bool, bool) { return c.is, c.known }) {
			got = "fail"
			if f.Warning {
				got = "warn"
			}
			if want := "crm.yaml:16: system crm is erased after account, whose users lead to its notes: they are gone by then; "; !strings.HasPrefix(f.Error.Error(), want) {
				t.Errorf("got %s", f.Error)
			}
		}
		if got != c.want {
			t.Errorf("after %q: %q, want %q", c.after, got, c.want)
		}
	}
}
