package aggregator_test

import (
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/letter"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/statement"
	"habeas.dev/services/internal/words"
	"habeas.dev/services/internal/words/wordstest"
)

// TestLanguageOfAFolder: Texas, Quebec and German come in as files alone. An answer under
// either law is in German for who reads it, with its dates; in French, the first of Quebec's
// languages, for who names none; and what a law says in English only is told in the words of
// the language's sentences.
func TestLanguageOfAFolder(t *testing.T) {
	t.Parallel()
	book, err := policy.Load("../internal/policy/testdata/laws")
	must(t, err)
	languages, err := words.Load(wordstest.Folder(t, "../internal/words/en", "de", wordstest.German()))
	must(t, err)
	said := declared()
	said.Languages = languages
	letters := letter.NewWriter(book, said)
	for _, c := range []struct{ law, locale, want string }{
		{"Texas", "de-AT", "de"}, {"Quebec", "de", "de"}, {"EEA", "de", "de"}, {"Quebec", "", "fr"}, {"Quebec", "pl", "fr"}, {"Texas", "pl", "en"}, {"Quebec", "en", "en"},
	} {
		if got := letters.Language(c.law, c.locale).Tag; got != c.want {
			t.Errorf("%s, %q: in %s, want %s", c.law, c.locale, got, c.want)
		}
	}
	german := languages.Get("de")
	for _, law := range []string{"Texas", "Quebec"} {
		page := answerIn(t, book, letters, law, dsar.Access, "", day, german)["index.html"]
		for _, want := range []string{`<html lang="de"`, "Die Daten, die wir über Sie haben", "20\u00a0November 2026", "Example Cloud SAS"} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page lacks %q", law, want)
			}
		}
	}
	stated := &statement.Document{Request: statement.Request{ID: requestID, Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: received}, Language: "de"}
	l, err := letters.Write(core.LetterRefusal, stated, false)
	must(t, err)
	if text := l.Subject + l.Text(); !strings.Contains(text, "Wir können Ihrer Anfrage nicht entsprechen") || !strings.Contains(text, "Sie können auch vor Gericht gehen.") {
		t.Errorf("%s", text)
	}
}
