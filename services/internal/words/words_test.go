package words

import (
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// TestLanguagesAreAlike: every language in the program has every word, with the
// placeholders of the English.
func TestLanguagesAreAlike(t *testing.T) {
	t.Parallel()
	all, err := languagesOf(files, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 2 || all["en"] == nil || all["fr"] == nil {
		t.Errorf("%v", slices.Collect(maps.Keys(all)))
	}
}

// TestEnglishHasEveryWord: what has words by its code has them for every code.
func TestEnglishHasEveryWord(t *testing.T) {
	t.Parallel()
	l := English()
	for _, r := range dsar.Rights() {
		for what, words := range map[string]map[dsar.Right]string{"title": l.Answer.Title, "lead": l.Answer.Lead, "meaning": l.Answer.RightMeans, "name": l.Answer.RightNames, "letters": l.Letters.Rights} {
			if words[r] == "" {
				t.Errorf("%s: no %s", r, what)
			}
		}
	}
}

// TestEnglishHasTheJournalsWords: whatever the journal has a word for, people read one
// of theirs.
func TestEnglishHasTheJournalsWords(t *testing.T) {
	t.Parallel()
	var all []string
	add := func(words ...string) { all = append(all, words...) }
	for _, s := range core.Statuses() {
		add(string(s))
	}
	for _, r := range dsar.Rights() {
		add(string(r))
		for _, a := range r.Stages() {
			add(string(a))
		}
	}
	for _, s := range []core.TaskStatus{core.TaskIsSent, core.TaskIsParked, core.TaskIsEnded, core.TaskIsFailed, core.TaskIsDue} {
		add(string(s))
	}
	for _, o := range []dsar.Outcome{dsar.Found, dsar.Gathered, dsar.Erased, dsar.Anonymised, dsar.Rectified, dsar.Restricted, dsar.Retained, dsar.Proven,
		dsar.Assembled, dsar.NothingFound, dsar.NotApplicable, dsar.Manual, dsar.Failed, dsar.Incomplete} {
		add(string(o))
	}
	for _, letter := range []core.Letter{core.LetterConfirmation, core.LetterProof, core.LetterClarification, core.LetterExtension, core.LetterRefusal, core.LetterAnswer, core.LetterCertificate} {
		add(string(letter))
	}
	for _, c := range []dsar.Check{dsar.CheckIdentity, dsar.CheckAgent, dsar.CheckOrganisation, dsar.CheckGuardian} {
		add(string(c), core.GroundNotProven(c))
	}
	add(string(dsar.Resolve), core.NotProven, dsar.LegalHold, core.Viewer.String(), core.Agent.String(), core.Officer.String())
	for _, word := range all {
		if English().Journal[word] == "" {
			t.Errorf("no word for %s", word)
		}
	}
	for _, l := range All() {
		if got := l.Word("needs attention is no word"); got != "needs attention is no word" {
			t.Errorf("%s: %q", l.Tag, got)
		}
		if got, want := l.Word("unknown to all"), l.Say("unknown to all"); got != want {
			t.Errorf("%s: %q, want %q", l.Tag, got, want)
		}
		if l.Word(l.Tag) == l.Tag {
			t.Errorf("%s has no name", l.Tag)
		}
	}
}

// copied returns the files of the program, a language as another one too.
func copied(t *testing.T, from, to string) fstest.MapFS {
	t.Helper()
	all := fstest.MapFS{}
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := files.ReadFile(path)
		all[path] = &fstest.MapFile{Data: text}
		if rest, ok := strings.CutPrefix(path, from+"/"); ok {
			all[to+"/"+rest] = &fstest.MapFile{Data: text}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestALanguageIsFiles: a folder of files is a language, with its own plurals and
// dates.
func TestALanguageIsFiles(t *testing.T) {
	t.Parallel()
	folder := copied(t, "fr", "ja")
	folder["ja/language.yaml"] = &fstest.MapFile{Data: []byte(`name: 日本語
date: "%[3]s年%[2]s%[1]s日"
first: "1"
moment: "%s %s UTC"
months: [1月, 2月, 3月, 4月, 5月, 6月, 7月, 8月, 9月, 10月, 11月, 12月]
short_months: [1月, 2月, 3月, 4月, 5月, 6月, 7月, 8月, 9月, 10月, 11月, 12月]
thousands: ","
decimal: "."
singular: []
bound: []
`)}
	all, err := languagesOf(folder, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	if ja := all["ja"]; ja.Name != "日本語" || ja.Moment(at) != "2026年11月20日 09:30 UTC" || ja.Answer.Count(1, "record") != "1\u00a0enregistrements" || ja.Letters.Templates.Lookup("refusal") == nil {
		t.Errorf("%s, %s", ja.Moment(at), ja.Answer.Count(1, "record"))
	}
}

// TestALanguageIsWhole: a language that lacks something, has something too much or
// with other placeholders isn't loaded, and the error says where.
func TestALanguageIsWhole(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, old, new, says string }{
		"a word is missing":            {"answer.yaml", "contents: ", "#", "contents is missing"},
		"a word is empty":              {"answer.yaml", "contents: Sur cette page", "contents: ''", "contents is missing"},
		"a word is unknown":            {"answer.yaml", "contents: ", "contents_: x\ncontents: ", "contents_"},
		"a right is missing":           {"letters.yaml", "erasure: ", "#", "rights.erasure is missing"},
		"a right is none":              {"letters.yaml", "rights:\n", "rights:\n  everything: x\n", "rights.everything: English has none"},
		"a placeholder is missing":     {"mail.yaml", "échéance le %s", "échéance", "due: other placeholders"},
		"a placeholder is another":     {"mail.yaml", "et %d de plus", "et %s de plus", "unlisted: other placeholders"},
		"a plural is missing":          {"mail.yaml", "    - '%s à traiter'\n    - '%s à traiter'", "    - '%s à traiter'", "mail.yaml"},
		"a code is missing":            {"causes.yaml", "vault: ", "#", "vault is missing"},
		"a sentence without its place": {"sentences.yaml", "encore %d jours", "encore", "sentences.yaml: other placeholders"},
		"a letter is missing":          {"letters.tmpl", `{{define "refusal"}}`, `{{define "refusal_"}}`, "letters.tmpl: no refusal"},
		"a letter can't be read":       {"letters.tmpl", `{{define "refusal"}}`, `{{define`, "letters.tmpl"},
		"months are missing":           {"language.yaml", "janvier, ", "", "language.yaml"},
	} {
		folder := copied(t, "fr", "ja")
		path := "ja/" + c.file
		was := string(folder[path].Data)
		is := strings.Replace(was, c.old, c.new, 1)
		if is == was {
			t.Errorf("%s: nothing was changed", name)
		}
		folder[path].Data = []byte(is)
		// The French file is the same value: the copy gets one of its own.
		folder["fr/"+c.file] = &fstest.MapFile{Data: []byte(was)}
		if _, err := languagesOf(folder, nil); err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "ja") {
			t.Errorf("%s: %v", name, err)
		}
	}
	folder := copied(t, "fr", "ja")
	delete(folder, "ja/mail.yaml")
	if _, err := languagesOf(folder, nil); err == nil || !strings.Contains(err.Error(), "ja/mail.yaml") {
		t.Errorf("a file is missing: %v", err)
	}
}

// An unknown language is answered in English, one of ours whatever its region, and where
// the person's isn't there, in the first of the law's that is.
func TestFor(t *testing.T) {
	t.Parallel()
	for locale, want := range map[string]string{"": "en", "en-GB": "en", "fr": "fr", "fr-CA": "fr", "FR_fr": "fr", "de": "en", "fra-not": "en", "ja-JP": "en"} {
		if got := For(locale).Tag; got != want {
			t.Errorf("%q: %s", locale, got)
		}
	}
	var ours *Languages
	for locale, want := range map[string]string{"": "fr", "de": "fr", "en-CA": "en"} {
		if got := ours.Pick(locale, []string{"iu", "fr", "en"}).Tag; got != want {
			t.Errorf("%q, of a law in French: %s", locale, got)
		}
	}
}

// TestTextIsPrinted: what manifests and laws say has the apostrophes of print.
func TestTextIsPrinted(t *testing.T) {
	t.Parallel()
	text := map[string]string{"en": "what we don't know; 'quoted'", "fr": "l'année 1'30; un ; deux"}
	if en, fr := English().Text(text), For("fr").Text(text); en != "what we don’t know; 'quoted'" || fr != "l’année 1'30\u00a0; un\u00a0; deux" {
		t.Errorf("%q, %q", en, fr)
	}
}

// TestFrenchIsBound: in no text of a language does a line begin with a mark that may not begin
// one, however the text is made.
func TestFrenchIsBound(t *testing.T) {
	t.Parallel()
	fr := For("fr")
	texts := 0
	var walk func(place string, v reflect.Value)
	walk = func(place string, v reflect.Value) {
		switch v.Kind() {
		case reflect.String:
			texts++
			if at := fr.Unbound(v.String()); at != "" {
				t.Errorf("%s: a line may break at %q", place, at)
			}
		case reflect.Struct:
			for i := range v.NumField() {
				if f := v.Type().Field(i); f.IsExported() && !f.Anonymous {
					walk(place+"."+f.Name, v.Field(i))
				}
			}
		case reflect.Array, reflect.Slice:
			for i := range v.Len() {
				walk(place, v.Index(i))
			}
		case reflect.Map:
			for _, key := range v.MapKeys() {
				walk(place+"."+key.String(), v.MapIndex(key))
			}
		}
	}
	walk("", reflect.ValueOf(*fr))
	if texts < 1000 {
		t.Errorf("only %d texts were looked at", texts)
	}
	for text, want := range map[string]string{
		"Ceci : « cela » ; n° 3 ?": "Ceci\u00a0: «\u00a0cela\u00a0»\u00a0; n°\u00a03\u00a0?",
		"https://a.example ":       "https://a.example ",
	} {
		if got := fr.Bound(text); got != want || fr.Unbound(got) != "" || (fr.Unbound(text) == "") != (got == text) {
			t.Errorf("%q: %q", text, got)
		}
		if got := English().Bound(text); got != text {
			t.Errorf("in English: %q", got)
		}
	}
}
