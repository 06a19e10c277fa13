package bundle_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/services/internal/browsertest"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/onefile"
	"habeas.dev/services/internal/words"
)

// looks are how a page is looked at: on a telephone and a desk, in light and dark.
var looks = []browsertest.Look{{Width: 390}, {Width: 390, Dark: true}, {Width: 1280}, {Width: 1280, Dark: true}}

// scripts are texts of people who write in other ways than ours.
var scripts = []string{"مرحبا، هذه رسالة من العميل رقم ١٢٣", "お問い合わせありがとうございます。請求書を再送してください。", "कृपया मेरा पता बदल दें, मैं अब पुणे में रहता हूँ।", "שלום, אני רוצה לבטל", "Ünïcödé, naïve 👩‍🚀", "a_very_long_word_without_any_blank_in_it_that_has_to_break_somewhere_or_the_page_grows"}

// worldlyInput returns an answer about somebody with many messages, in many scripts.
func worldlyInput(t testing.TB, locale string, messages int) input {
	in := accessInput(t)
	if locale == "fr" {
		in = inFrench(in)
	}
	in.Policy.Grants = []dsar.Right{dsar.Access, dsar.Rectification, dsar.Erasure}
	desk := &manifest.Manifest{
		System: "desk", Title: text("Support", "Assistance"), Needs: []dsar.IdentifierType{"email"},
		Datasets: []manifest.Dataset{
			{
				Name: "messages", Title: text("Messages", "Messages"), Category: "customer records", Origin: manifest.Provided, Purpose: text("To answer you", "Vous répondre"), LegalBasis: "contract", Storage: text("Five years", "Cinq ans"),
				Counted: map[string][]string{"en": {"message", "messages"}, "fr": {"message", "messages"}},
				Columns: []manifest.Column{{Name: "message_id"}, {Name: "body", Title: text("Text", "Texte")}, {Name: "country", Title: text("Country", "Pays")}, {Name: "sent_at", Type: "datetime", Title: text("Sent", "Envoyé le")}},
			},
			{
				Name: "devices", Title: text("Devices", "Appareils"), Category: "identifiers", Origin: manifest.Observed, Purpose: text("To keep your account safe", "Protéger votre compte"), LegalBasis: "legitimate-interest", Storage: text("One year", "Un an"),
				Columns: []manifest.Column{{Name: "a", Title: text("Kind", "Type")}, {Name: "b", Title: text("Name", "Nom")}, {Name: "c", Title: text("Place", "Lieu")}, {Name: "d", Title: text("Trusted", "Approuvé"), Type: "boolean"}, {Name: "e", Title: text("Size", "Taille"), Type: "integer"}, {Name: "f", Title: text("Seen", "Vu le"), Type: "date"}, {Name: "g", Title: text("Settings", "Réglages"), Type: "object"}},
			},
			{
				Name: "photos", Title: text("Photographs", "Photographies"), Category: "audio, electronic, visual", Origin: manifest.Observed, Purpose: text("To show the event", "Présenter l’événement"), LegalBasis: "consent", Storage: text("One year", "Un an"),
				File: &manifest.File{Content: "content", Name: "name"}, Columns: []manifest.Column{{Name: "name", Title: text("Name", "Nom")}, {Name: "taken", Title: text("Taken", "Prise le"), Type: "date"}, {Name: "content", Title: text("Picture", "Image")}},
			},
		},
	}
	m := rows{"messages", []string{"message_id", "body", "country", "sent_at"}, nil}
	for i := range messages {
		m.records = append(m.records, record.Record{"message_id": fmt.Sprintf("msg_%08d", i), "body": fmt.Sprintf("%s (%d)", scripts[i%len(scripts)], i), "country": []string{"FR", "JP", "IN"}[i%3], "sent_at": time.Date(2019+i%7, 3, 4, 5, 6, 7, 0, time.UTC)})
	}
	d := rows{"devices", []string{"a", "b", "c", "d", "e", "f", "g"}, nil}
	for i := range 30 {
		d.records = append(d.records, record.Record{"a": "laptop", "b": scripts[i%len(scripts)], "c": nil, "d": i%2 == 0, "e": 1234567, "f": "2024-02-29", "g": map[string]any{"theme": "dark", "lastSeats": []any{1, 2, map[string]any{"name": "window", "value": true}}}})
	}
	photos := rows{"photos", []string{"name", "taken", "content"}, []record.Record{{"name": "stage/été.png", "taken": "2025-07-14", "content": pixel}, {"name": "note.txt", "taken": "2025-07-15", "content": "aGVsbG8="}}}
	in.Systems = append(in.Systems, part{Manifest: desk, Ends: []core.ActionEnd{ended(dsar.Gather, dsar.Gathered)}, Sources: []bundle.Source{source(t, m, d, photos)}})
	return in
}

// rightToLeft reports whether Arabic in a table is read and set from the right, though the page
// is from the left: the number in brackets, which comes last, is the furthest to the left of
// its line, and the text ends where its cell does.
const rightToLeft = `(() => {
	const cell = [...document.querySelectorAll(".records td")].find(e => /^[\u0600-\u06ff].*\(\d+\)$/.test(e.textContent));
	const text = [...cell.childNodes].find(n => n.nodeType === Node.TEXT_NODE), range = document.createRange();
	const at = i => { range.setStart(text, i); range.setEnd(text, i + 1); return range.getBoundingClientRect(); };
	const bracket = text.data.lastIndexOf("("), style = getComputedStyle(cell);
	return at(bracket).left < at(bracket - 2).left && Math.abs(at(0).right - (cell.getBoundingClientRect().right - parseFloat(style.paddingRight))) < 2;
})()`

// pixel is a picture of one pixel (PNG).
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

// unpacked writes a bundle's files into a folder, and returns the address of its page.
func unpacked(t *testing.T, in bundle.Input) string {
	t.Helper()
	data := written(t, in)
	dir := t.TempDir()
	for name, content := range unpack(t, data) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return "file://" + filepath.Join(dir, "data", "index.html")
}

// TestBrowserAnswer looks at answers as people do: the page fits a telephone and a desk, axe
// finds nothing in it, and its records are searched without a network.
func TestBrowserAnswer(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	for _, lang := range []string{"en", "fr"} {
		t.Run(lang, func(t *testing.T) {
			in := bundled(worldlyInput(t, lang, 60))
			in.Portal = "https://privacy.example.com"
			p := browser.Page(t)
			p.Open(unpacked(t, in))
			for i, l := range looks {
				if lang != "en" && i%3 != 0 { // in another language, both widths
					continue
				}
				p.As(l)
				p.Fits()
				p.Usable()
				p.Shoot("answer-" + lang + "-" + l.Name())
				p.True(rightToLeft)
			}
			p.Script(`document.querySelector(".set img").scrollIntoView()`)
			p.True(`document.querySelector(".set img").naturalWidth === 1`)
			shown := `[...document.querySelectorAll(".set:not([hidden]) :is(.records>tbody>tr,.recs>li):not([hidden])")].filter(e => e.checkVisibility()).length`
			told := func(want string) {
				t.Helper()
				p.True(fmt.Sprintf(`document.getElementById("told").textContent.replace(/\s/g, " ") === %q`, want))
			}
			found := map[string]string{"en": "%s found", "fr": "%s trouvés"}[lang]
			p.Type("#q", "PUNE")
			told(map[string]string{"en": "Nothing found", "fr": "Aucun résultat"}[lang])
			p.Script(`document.getElementById("q").value = ""`)
			p.Type("#q", "पुणे")
			told(fmt.Sprintf(found, "15")) // ten messages, five devices
			if n := browsertest.Eval[int](p, shown); n != 15 {
				t.Errorf("%d records are shown", n)
			}
			p.Fits()
			p.Usable()
			p.Shoot("answer-" + lang + "-searched")
			p.Click("#reset")
			told("")
			p.Script(`document.querySelector("a[data-year='2021']").click()`)
			told(fmt.Sprintf(found, "10")) // nine messages, and the account
			p.Click("#reset")
			told("")
			p.Script(`document.querySelectorAll("details.more").forEach(d => d.open = true); document.querySelectorAll(".show input").forEach(i => i.click())`)
			for _, l := range []browsertest.Look{{Width: 390}, {Width: 1280, Dark: true}} {
				p.As(l)
				p.Fits()
				p.Usable()
				p.Shoot("answer-" + lang + "-all-" + l.Name())
			}
			if !browsertest.Eval[bool](p, `[...document.querySelectorAll(".set .id")].every(e => e.checkVisibility())`) {
				t.Error("numbers and identifiers don't show")
			}
		})
	}
}

// TestBrowserAnswerWithoutScript: nothing of an answer needs the script.
func TestBrowserAnswerWithoutScript(t *testing.T) {
	t.Parallel()
	p := browsertest.Start(t).Page(t, browsertest.WithoutScript)
	p.Open(unpacked(t, bundled(worldlyInput(t, "en", 60))))
	if browsertest.Eval[bool](p, `document.getElementById("search").checkVisibility()`) {
		t.Error("there is a search that can't search")
	}
	p.Click("#d-desk-messages details.more summary")
	p.Says("#d-desk-messages details.more td", "(59)")
}

// TestBrowserManyRecords: of ten thousand records each is found.
func TestBrowserManyRecords(t *testing.T) {
	t.Parallel()
	p := browsertest.Start(t).Page(t)
	p.Open(unpacked(t, bundled(worldlyInput(t, "en", 10_000))))
	p.Type("#q", "(9998)")
	p.True(`document.getElementById("told").textContent === "1 found"`)
	t.Log(browsertest.Eval[string](p, `(() => { const q = document.getElementById("q"), f = document.getElementById("search"), times = []; for (const s of ["a", "fr", "お問い", "(77"]) { q.value = s; const t = performance.now(); f.requestSubmit(); document.body.offsetHeight; times.push(s + ": " + Math.round(performance.now() - t) + " ms"); } return times.join(", "); })()`))
}

// TestBrowserPrints: what is behind a click isn't printed.
func TestBrowserPrints(t *testing.T) {
	t.Parallel()
	p := browsertest.Start(t).Page(t)
	p.Open(unpacked(t, bundled(worldlyInput(t, "en", 2000))))
	p.As(browsertest.Look{Width: 800, Print: true})
	p.Shoot("answer-print")
	if pages := p.Pages(); pages > 20 {
		t.Errorf("two thousand records print on %d pages", pages)
	}
}

// written returns a bundle.
func written(t testing.TB, in bundle.Input) []byte {
	t.Helper()
	var b strings.Builder
	if _, err := bundle.Write(t.Context(), &b, in); err != nil {
		t.Fatal(err)
	}
	return []byte(b.String())
}

// TestBrowserOneFile: one file opens in a real browser by its passphrase, and by no other; it
// shows the page with its search, and saves each file and the ZIP, without a network.
func TestBrowserOneFile(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	for _, lang := range []string{"en", "fr"} {
		t.Run(lang, func(t *testing.T) {
			const passphrase = "abcd-efgh-jkmn-pqrs"
			zip := written(t, bundled(worldlyInput(t, lang, 300)))
			path := filepath.Join(t.TempDir(), "answer.html")
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := onefile.Write(f, zip, passphrase, words.For(lang)); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			p := browser.Page(t)
			p.Open("file://" + path)
			for _, l := range looks {
				p.As(l)
				p.Fits()
				p.Usable()
				p.Shoot("onefile-" + lang + "-" + l.Name())
			}
			p.Type("#passphrase", "abcd-efgh-jkmn-pqrt")
			p.Click("#unlock button")
			p.True(`document.getElementById("says").className === "bad"`)
			p.Script(`document.getElementById("passphrase").value = ""`)
			p.Type("#passphrase", strings.ToUpper(passphrase))
			p.Click("#unlock button")
			p.True(`document.querySelector(".story")`)
			p.Usable()
			p.Shoot("onefile-" + lang + "-opened")
			p.Script(`document.querySelector(".set img").scrollIntoView()`)
			p.True(`document.querySelector(".set img").naturalWidth === 1`)
			p.Script(`scrollTo(0, 0)`)
			p.Type("#q", "(299)")
			p.True(`document.getElementById("told").textContent.startsWith("1 ")`)
			p.Script(`{ window.saved = []; const make = URL.createObjectURL; URL.createObjectURL = b => { saved.push(b); return make.call(URL, b); }; HTMLAnchorElement.prototype.click = function () { saved.at(-1).as = this.download; }; }`)
			p.Script(`document.querySelector("a[href='desk/messages.json']").dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true}))`)
			p.True(`saved.length === 1 && saved[0].as === "messages.json"`)
			if n := browsertest.Eval[int](p, `saved[0].text().then(t => JSON.parse(t).length)`); n != 300 {
				t.Errorf("%d messages are saved", n)
			}
			p.Script(`document.querySelector(".onefile button").dispatchEvent(new MouseEvent("click", {bubbles: true}))`)
			p.True(`saved.length === 2 && saved[1].as === "answer.zip"`)
			sum := sha256.Sum256(zip)
			if got := browsertest.Eval[string](p, `saved[1].arrayBuffer().then(b => crypto.subtle.digest("SHA-256", b)).then(d => [...new Uint8Array(d)].map(x => x.toString(16).padStart(2, "0")).join(""))`); got != hex.EncodeToString(sum[:]) {
				t.Error("another ZIP is saved")
			}
		})
	}
}
