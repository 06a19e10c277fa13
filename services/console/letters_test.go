package console_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"habeas.dev/services/console"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/outbox"
)

// TestLetters: a letter is read at the console as it was written, and only one that the
// request has; before an act its letter is shown, with what the person is told and without
// the reason that stays inside, nothing happens, and the form comes back as it was filled in.
func TestLetters(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.phrases = console.Phrases{"fr": {{Title: "Beaucoup", Text: "Votre dossier est volumineux."}}, "en": {{Title: "Much", Text: "There is much of it."}}}
	id := d.running()
	d.letters = map[string]string{outbox.LetterName(id, 1, core.LetterConfirmation, "fr"): "Votre demande\n\nBonjour,\n\nnous l’avons <reçue>.\n"}
	d.open()
	d.do(id, core.NoteLetter{LetterSent: core.LetterSent{Letter: core.LetterConfirmation, Language: "fr", Cause: 1, Channel: "outbox", Moment: core.Moment{At: start.Add(time.Second)}}})
	page := d.call(d.as(console.Viewer), "GET", "/requests/"+id, nil).Body.String()
	path := "/requests/" + id + "/letters/1/confirmation"
	if !strings.Contains(page, path) {
		t.Errorf("the page doesn't lead to the letter")
	}
	w := d.call(d.as(console.Viewer), "GET", path, nil)
	if text := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(text, "<h2>Votre demande</h2>") || !strings.Contains(text, "l’avons &lt;reçue&gt;") || !strings.Contains(text, `lang="fr"`) {
		t.Errorf("%d %s", w.Code, text)
	}
	for _, other := range []string{"/letters/2/confirmation", "/letters/1/answer", "/letters/x/..%2f"} {
		if w := d.call(d.as(console.Viewer), "GET", "/requests/"+id+other, nil); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", other, w.Code)
		}
	}

	before := d.version(id)
	preview := func(role console.Role, pairs ...string) (int, string) {
		w := d.call(d.as(role), "POST", "/requests/"+id+"/preview", d.form(id, pairs...))
		return w.Code, w.Body.String()
	}
	shown := regexp.MustCompile(`(?s)<section class="letter"[^>]*lang="fr">(.*?)</section>`)
	code, text := preview(console.Agent, "letter", "extend", "to_person", "Il y a <beaucoup> de dossiers.", "reason", "an internal matter")
	found := shown.FindStringSubmatch(text)
	if code != http.StatusOK || found == nil || !strings.Contains(found[1], "Il y a &lt;beaucoup&gt; de dossiers.") || strings.Contains(found[1], "internal") {
		t.Errorf("%d %s", code, text)
	}
	if !strings.Contains(text, "an internal matter</textarea>") || !strings.Contains(text, "dossiers.</textarea>") {
		t.Error("what was written isn't in the form any more")
	}
	if _, text = preview(console.Agent, "letter", "extend", "phrase", "Votre dossier est volumineux."); !strings.Contains(text, "volumineux") || shown.FindStringSubmatch(text) == nil || !strings.Contains(shown.FindStringSubmatch(text)[1], "volumineux") {
		t.Error("a saved phrase isn't in the letter")
	}
	if code, text = preview(console.Officer, "letter", "refuse", "ground", "excessive"); code != http.StatusOK || shown.FindStringSubmatch(text) == nil || !strings.Contains(text, `<option value="excessive" selected>`) {
		t.Errorf("a refusal: %d, %s", code, text)
	}
	for name, pairs := range map[string][]string{"an officer's": {"letter", "refuse", "ground", "excessive"}, "no letter": {"letter", "cancel"}, "no act": {"letter", "x"}, "personal": {"letter", "extend", "to_person", "write to a@example.com"}} {
		if code, text := preview(console.Agent, pairs...); code != http.StatusUnprocessableEntity || shown.MatchString(text) {
			t.Errorf("%s: %d", name, code)
		}
	}
	if d.version(id) != before {
		t.Error("a preview did something")
	}
	if !strings.Contains(page, "") || !strings.Contains(text, "Beaucoup") || strings.Contains(text, ">Much<") {
		t.Error("the saved phrases aren't those of the person's language")
	}
}

// TestPhrases: a file of saved phrases is held to what a letter takes.
func TestPhrases(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		ok   bool
	}{
		"fine":       {"fr:\n  - {title: Un, text: Bonjour.}\n", true},
		"no title":   {"fr:\n  - {text: Bonjour.}\n", false},
		"no text":    {"fr:\n  - {title: Un}\n", false},
		"an address": {"fr:\n  - {title: Un, text: 'a@example.com'}\n", false},
		"too long":   {"fr:\n  - {title: Un, text: '" + strings.Repeat("a", 501) + "'}\n", false},
		"unknown":    {"fr:\n  - {title: Un, text: a, subject: b}\n", false},
		"too many":   {"fr:\n" + strings.Repeat("  - {title: Un, text: a}\n", 101), false},
		"no YAML":    {"fr: [", false},
	} {
		path := filepath.Join(t.TempDir(), "phrases.yaml")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if p, err := console.ReadPhrases(path); (err == nil) != c.ok || c.ok && p["fr"][0].Text != "Bonjour." {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
}
