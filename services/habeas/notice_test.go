package main

import (
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/operator"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/statement"
	"habeas.dev/services/internal/words"
)

// answersUnder returns what the demo's operator says in an answer under a law.
func answersUnder(t *testing.T, law, lang string) statement.Controller {
	t.Helper()
	book, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	said := operator.Operator{Name: "Example", Controllers: demoControllers(), Declarations: demoDeclarations(now())}
	if err := said.Check(); err != nil {
		t.Fatal(err)
	}
	return aggregator.FromBook(book, said, manifest.Purposes{"billing": {}})(law, words.For(lang), dsar.Access, now(), now())
}

// TestN2NoSaleAndNoDiscrimination: California is told that nothing is sold, as the operator
// declares, and that nobody is treated worse.
func TestN2NoSaleAndNoDiscrimination(t *testing.T) {
	t.Parallel()
	c := answersUnder(t, "California", "en")
	if also := strings.Join(c.Also, " "); !strings.Contains(also, "don’t sell") || !strings.Contains(also, "not treat you worse") || !c.Categories {
		t.Errorf("%+v", c)
	}
}

// TestN5JapanNamesWhoIsResponsible: the company of Japan, with its address, and joint use.
func TestN5JapanNamesWhoIsResponsible(t *testing.T) {
	t.Parallel()
	c := answersUnder(t, "Japan", "fr")
	if !strings.Contains(c.Entity, "Japan") || !strings.Contains(c.Address, "Tokyo") || !strings.Contains(strings.Join(c.Also, " "), "utilisation conjointe") {
		t.Errorf("%+v", c)
	}
}

// TestN6KoreaNamesTheProcessors: three processors, each with its job, and an address and a
// telephone number to turn to.
func TestN6KoreaNamesTheProcessors(t *testing.T) {
	t.Parallel()
	c := answersUnder(t, "South Korea", "en")
	for _, processor := range []string{"Marketo (customer communications)", "Salesforce (customer relations)", "PaymentTech (payment methods)"} {
		if !strings.Contains(strings.Join(c.Also, " "), processor) {
			t.Errorf("lacks %s: %v", processor, c.Also)
		}
	}
	if !strings.Contains(c.Contact, "@") || !strings.Contains(c.Contact, "+82") {
		t.Errorf("contact %q", c.Contact)
	}
}

// TestN7WhoAnswersByRegion: the group's company, and Luxembourg's for Europe, each with its
// postal address, a contact, and where to complain.
func TestN7WhoAnswersByRegion(t *testing.T) {
	t.Parallel()
	for law, place := range map[string]string{"EEA": "Luxembourg", "UK": "Luxembourg", "California": "Seattle", "Brazil": "Seattle", "elsewhere": "Seattle"} {
		for _, lang := range []string{"en", "fr"} {
			c := answersUnder(t, law, lang)
			if !strings.Contains(c.Address, place) || !strings.Contains(c.Contact, "@") || len(c.Complaint) == 0 {
				t.Errorf("%s, %s: %+v", law, lang, c)
			}
		}
	}
}

// TestN15ChoicesForEverybody: no promotional messages, no notifications inside the product, no
// interest-based advertising and no cookies is open under every law; it ends those, each by a
// flag of a system of the demo, and nothing else.
func TestN15ChoicesForEverybody(t *testing.T) {
	t.Parallel()
	book, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	used := manifest.Purposes{"billing": {Basis: "contract"}, "safety": {Basis: "legitimate-interest"}}
	choices := []string{manifest.MarkAdvertising, manifest.MarkCookies, manifest.MarkMarketing, manifest.MarkNotifications}
	for _, mark := range choices {
		used[mark+"-use"] = manifest.Purpose{Basis: "consent", Marks: []string{mark}}
		if !flagged(t, mark) {
			t.Errorf("no system of the demo has a flag that ends what is marked %s", mark)
		}
	}
	for _, id := range book.IDs() {
		j, _ := book.Jurisdiction(id)
		if !slices.Contains(j.Over(now()), dsar.OptOut) {
			t.Errorf("%s doesn't grant it", id)
		}
		all, named := j.Reached(dsar.OptOut, used)
		open := slices.Sorted(slices.Values(slices.Concat(all, named)))
		if !slices.Equal(open, []string{"advertising-use", "cookies-use", "marketing-use", "notifications-use"}) {
			t.Errorf("%s: it can end %v", id, open)
		}
	}
}

// flagged reports whether a system of the demo has a flag that ends a purpose with a mark.
func flagged(t *testing.T, mark string) bool {
	t.Helper()
	for _, name := range []string{"account", "advertising", "communications"} {
		m, err := node.Manifest(config.Config{}, name)
		if err != nil {
			t.Fatal(err)
		}
		used := m.UsedFor()
		for _, d := range m.Datasets {
			if d.SQL == nil {
				continue
			}
			for _, flag := range d.SQL.Restrict {
				if slices.ContainsFunc(flag.Stops, func(id string) bool { return slices.Contains(used[id].Marks, mark) }) {
					return true
				}
			}
		}
	}
	return false
}
