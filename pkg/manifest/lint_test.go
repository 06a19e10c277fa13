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
		{"no French", "purpose: {en: To know, fr: Savoir}", "purpose: {en: To know}", "    purpose:", "purpose has no text in fr", true},
		{"no French title", "{en: Entry, fr: Écriture}", "{en: Entry}", "{name: entry", "title has no text in fr", true},
		{"no file of Windows", "name: entries", "name: Aux", "  - name: Aux", "Windows has no file of that name", false},
		{"a biometric identifier", "{name: entry,", "{name: face_template, secret: biometric, category: identifiers,", "{name: face_template", "leave category out, or write biometric", false},
		{"biometric by its kind", "{name: entry,", "{name: face_template, secret: biometric,", "", "", true},
		{"a passport", "{name: entry,", "{name: passport,", "{name: passport", "is a secret, which no answer may show", false},
		{"in another hand", "{name: entry,", "{name: CustomerBankAccount,", "{name: CustomerBankAccount", "is a secret", false},
		{"only like it", "{name: entry,", "{name: passport_expiry,", "", "", true},
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
		found := Lint([]*Manifest{m}, nil)
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
	for _, f := range Lint([]*Manifest{m, &finder}, nil) {
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

// TestLintByLanguage: what is looked for are the languages that the installation speaks, and no
// other: one without French isn't asked for it.
func TestLintByLanguage(t *testing.T) {
	t.Parallel()
	m := &Manifest{System: "shop", Processing: &Processing{Subjects: Text{"en": "Customers"}}}
	for tag, want := range map[string]string{"de": "has no text in de", "": ""} {
		found := ""
		for _, f := range Lint([]*Manifest{m}, func(t Text) []string {
			if tag == "" || t[tag] != "" {
				return nil
			}
			return []string{tag}
		}) {
			if f.Rule == "translation" {
				found += f.What
			}
		}
		if !strings.Contains(found, want) || strings.Contains(found, " fr") || want == "" && found != "" {
			t.Errorf("%q: %s", tag, found)
		}
	}
}

// TestLintKnowsNoLanguage: what a text lacks goes by the languages that manifests speak,
// whichever these are.
func TestLintKnowsNoLanguage(t *testing.T) {
	t.Parallel()
	luxembourgish := strings.NewReplacer("fr: Grand livre", "lb: Buch", "fr: Clients", "lb: Clienten", "fr: Écritures", "lb: Andréi", "fr: Savoir", "lb: Wëssen", "fr: Un an", "lb: Ee Joer", "fr: Écriture", "lb: Andrag").Replace(ledger)
	english := strings.NewReplacer(", fr: Grand livre", "", ", fr: Clients", "", ", fr: Écritures", "", ", fr: Savoir", "", ", fr: Un an", "", ", fr: Écriture", "").Replace(ledger)
	for text, want := range map[string]int{luxembourgish: 0, english: 0, strings.Replace(luxembourgish, ", lb: Ee Joer", "", 1): 1} {
		m, err := Parse("ledger.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if found := Lint([]*Manifest{m}, nil); len(found) != want || want == 1 && !strings.Contains(found[0].Error.Error(), "no text in lb") {
			t.Errorf("%v, want %d", found, want)
		}
	}
}

// TestSaleNeedsSomebody: what is used to be sold or shared is received by a third party.
func TestSaleNeedsSomebody(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mark, recipients string
		fails            bool
	}{
		{"sharing", "[mailer]", true}, {"sale", "[]", true}, {"sale", "[mailer, broker]", false}, {"sharing", "['Some partners']", false}, {"marketing", "[mailer]", false},
	} {
		m, err := Parse("ledger.yaml", []byte(change(t, change(t, ledger, "purpose: {en: To know, fr: Savoir}\n    legal_basis: contract", "purposes: [use]"), "    storage:", "    recipients: "+c.recipients+"\n    storage:")))
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Resolve(Purposes{"use": {Title: Text{"en": "U", "fr": "U"}, Basis: "consent", Marks: []string{c.mark}}}); err != nil {
			t.Fatal(err)
		}
		if err := m.ResolveRecipients(Recipients{"mailer": {Role: RoleProcessor}, "broker": {Role: RoleThirdParty}}); err != nil {
			t.Fatal(err)
		}
		found := Lint([]*Manifest{m}, nil)
		if fails := len(found) == 1 && found[0].Rule == "passed-to-nobody" && !found[0].Warning; fails != c.fails || !c.fails && len(found) > 0 {
			t.Errorf("%s to %s: %v", c.mark, c.recipients, found)
		}
	}
}

// TestLintOfWhatAColumnMeans: a column by whose address or number the person's rows are found
// needs a concept where the system corrects, unless it says where a message went, or may be
// somebody else's.
func TestLintOfWhatAColumnMeans(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, abilities, email, also, ways string
		warned                             bool
	}{
		{name: "no concept", abilities: ", rectify", ways: "subject: {email: entry}", warned: true},
		{name: "a telephone", abilities: ", rectify", ways: "subject: {phone: entry}", warned: true},
		{name: "under another name", abilities: ", rectify", ways: "subject: {email: mail}\n      columns: {entry: mail}", warned: true},
		{name: "by another way", abilities: ", rectify", ways: "ways: [{subject: {account_id: note}, rectify: [note]}, {subject: {email: entry}}]", warned: true},
		{name: "by another way, with a concept", abilities: ", rectify", email: ", concept: contact.email", ways: "ways: [{subject: {account_id: note}, rectify: [note]}, {subject: {email: entry}}]"},
		{name: "with a concept", abilities: ", rectify", email: ", concept: contact.email", ways: "subject: {email: entry}"},
		{name: "with one of its own", abilities: ", rectify", email: ", concept: order.email", ways: "subject: {email: entry}"},
		{name: "nothing is corrected", ways: "subject: {email: entry}"},
		{name: "a number of the system", abilities: ", rectify", ways: "subject: {account_id: entry}"},
		{name: "where a message went", abilities: ", rectify", also: "    message: {sent: at, to: entry}\n", ways: "subject: {email: entry}"},
		{name: "others'", abilities: ", rectify", also: "    others: [{columns: [entry], unless: {email: entry}}]\n", ways: "subject: {email: entry}"},
	} {
		rectify := ""
		if c.abilities != "" && !strings.Contains(c.ways, "rectify") {
			rectify = "      rectify: [note]\n"
		}
		text := change(t, ledger, "[gather, erase]", "[gather, erase"+c.abilities+"]")
		text = change(t, text, "needs: [email]", "needs: [email, phone, account_id]\nsql: {}")
		text = change(t, text, "      - {name: entry, title: {en: Entry, fr: Écriture}}\n", "      - {name: entry"+c.email+", title: {en: Entry, fr: Écriture}}\n      - {name: note, title: {en: Note, fr: Note}}\n      - {name: at, type: datetime, title: {en: At, fr: Le}}\n"+
			c.also+"    sql:\n      key: [id]\n      erase: delete\n"+rectify+"      "+c.ways+"\n")
		m, err := Parse("ledger.yaml", []byte(text))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		found := Lint([]*Manifest{m}, nil)
		if warned := len(found) == 1 && found[0].Rule == "concept" && found[0].Warning; warned != c.warned || len(found) > 1 {
			t.Errorf("%s: %v", c.name, found)
		}
	}
}
