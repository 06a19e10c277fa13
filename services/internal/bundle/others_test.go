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

// sharedTicket returns an access to a ticket that three people wrote to.
func sharedTicket(t testing.TB, then string, messages int) input {
	t.Helper()
	in := accessInput(t)
	support := &manifest.Manifest{
		System: "support", Title: text("Support", "Assistance"), Needs: []dsar.IdentifierType{"email"},
		Datasets: []manifest.Dataset{{
			Name: "messages", Title: text("Messages", "Messages"), Category: "commercial information", Origin: manifest.Provided, Purpose: text("To help you", "Vous aider"), LegalBasis: "contract", Storage: text("Three years", "Trois ans"),
			Columns: []manifest.Column{{Name: "number", Type: "integer"}, {Name: "author", Title: text("From", "De")}, {Name: "body", Title: text("Text", "Texte")}, {Name: "rating", Type: "integer"}},
			Others:  []manifest.Others{{Columns: []string{"author", "body", "rating"}, Unless: map[dsar.IdentifierType]string{"email": "author"}, Then: then}},
		}},
	}
	records := []record.Record{
		{"number": int64(1), "author": "Camille.O'Brien@example.com", "body": "my own words", "rating": nil},
		{"number": int64(2), "author": "bob@example.com", "body": "Bob has the flu", "rating": int64(4711)},
		{"number": int64(3), "author": "", "body": "nobody's words", "rating": nil},
	}
	for i := range messages {
		records = append(records, record.Record{"number": int64(100 + i), "author": "bob@example.com", "body": fmt.Sprintf("Bob has the flu %s", strings.Repeat("and a cold ", 20)), "rating": nil})
	}
	in.Systems = append(in.Systems, part{Manifest: support, Ends: []core.ActionEnd{ended(dsar.Gather, dsar.Gathered)},
		Sources: []bundle.Source{source(t, rows{"messages", []string{"number", "author", "body", "rating"}, records})}})
	return in
}

// GDPR art. 15(4): what is about other people is in no file, and the answer says
// so; the person's own words are there. Also where the records don't fit into
// memory, and are read twice.
func TestAboutOthers(t *testing.T) {
	t.Parallel()
	for name, messages := range map[string]int{"few": 0, "many": 3000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, then := range []string{"", manifest.OthersRedact, manifest.OthersPerson} {
				in := sharedTicket(t, then, messages)
				data, _ := write(t, in)
				verifies(t, data)
				files := unpack(t, data)
				for file, content := range files {
					for _, theirs := range []string{"bob@example.com", "has the flu", "4711", "nobody's words", "nobody&#39;s"} {
						if strings.Contains(content, theirs) {
							t.Errorf("then %q: %s says %q", then, file, theirs)
						}
					}
				}
				for file, own := range map[string]string{"data/support/messages.csv": "my own words", "data/support/messages.json": `"author":"[about somebody else, not shown]"`, "data/answer.json": `"columns":[{"column":"author","title":"From"},{"column":"body","title":"Text"},{"column":"rating","title":"Rating"}]`} {
					if !strings.Contains(files[file], own) {
						t.Errorf("then %q: %s doesn't say %q", then, file, own)
					}
				}
				page := bundletest.ReadAloud(t, files["data/index.html"])
				for _, s := range []string{"my own words", "Support · Messages · From, Text and Rating Part of this is about other people"} {
					if !strings.Contains(page, s) {
						t.Errorf("then %q: the page doesn't say %q", then, s)
					}
				}
				in.Locale = "fr"
				data, _ = write(t, in)
				if page := bundletest.ReadAloud(t, unpack(t, data)["data/index.html"]); !strings.Contains(page, "Une partie concerne d’autres personnes") || !strings.Contains(page, "concerne une autre personne") {
					t.Error("the French page doesn't say so")
				}
			}
		})
	}
}

// A rule that is for some records leaves the others as they are.
func TestOthersWhen(t *testing.T) {
	t.Parallel()
	in := sharedTicket(t, "", 0)
	in.Systems[3].Manifest.Datasets[0].Others[0].When = map[string]string{"rating": "4711"}
	data, _ := write(t, in)
	csv := unpack(t, data)["data/support/messages.csv"]
	if strings.Contains(csv, "Bob has the flu") || !strings.Contains(csv, "nobody's words") {
		t.Error(csv)
	}
}

// What a person has looked at and released is shown, and only that: a rule that
// asks nobody isn't lifted by it.
func TestReleased(t *testing.T) {
	t.Parallel()
	for then, shown := range map[string]bool{manifest.OthersPerson: true, manifest.OthersRedact: false} {
		in := sharedTicket(t, then, 0)
		in.Systems[3].Ends[0].Code = dsar.CodeOthersReleased
		data, _ := write(t, in)
		files := unpack(t, data)
		if got := strings.Contains(files["data/support/messages.csv"], "Bob has the flu"); got != shown {
			t.Errorf("then %s: shown %v", then, got)
		}
		if got := strings.Contains(files["data/index.html"], "about other people"); got == shown {
			t.Errorf("then %s: told %v", then, got)
		}
		in.Systems[3].Ends[0].Code = dsar.CodeOthersRedacted
		data, _ = write(t, in)
		if strings.Contains(unpack(t, data)["data/support/messages.csv"], "Bob has the flu") {
			t.Errorf("then %s: shown, though a person had it redacted", then)
		}
	}
}

// What a person has looked at value by value is answered so: what they took out is told, and
// no rule takes more.
func TestReviewed(t *testing.T) {
	t.Parallel()
	in := sharedTicket(t, manifest.OthersRedact, 0)
	in.Systems[3].Ends[0].Code = dsar.CodeOthersReviewed
	in.Systems[3].Sources = []bundle.Source{source(t, rows{"messages", []string{"number", "author", "body", "rating"}, []record.Record{
		{"number": int64(1), "author": "Camille.O'Brien@example.com", "body": "my own words", "rating": nil},
		{"number": int64(2), "author": "bob@example.com", "body": record.AboutOthers, "rating": int64(4711)},
	}})}
	data, _ := write(t, in)
	files := unpack(t, data)
	if csv := files["data/support/messages.csv"]; !strings.Contains(csv, "bob@example.com") || !strings.Contains(csv, "4711") || !strings.Contains(csv, record.AboutOthers) {
		t.Error(csv)
	}
	if page := bundletest.ReadAloud(t, files["data/index.html"]); !strings.Contains(page, "Support · Messages · Text Part of this is about other people") {
		t.Error("the page doesn't say what was taken out")
	}
}
