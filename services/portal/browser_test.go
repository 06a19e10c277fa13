package portal_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"habeas.dev/services/internal/browsertest"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/onefile"
)

// looks are how pages are looked at.
var looks = []browsertest.Look{{Width: 390}, {Width: 390, Dark: true}, {Width: 1280}, {Width: 1280, Dark: true}}

// TestBrowserPortal goes from the first page to the opened answer in a real browser, in
// both languages: on a telephone and a desk, in light and dark, nothing sticks out and axe
// finds nothing.
func TestBrowserPortal(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	for _, lang := range []string{"en", "fr"} {
		t.Run(lang, func(t *testing.T) {
			s := newSite(t)
			p := browser.Page(t)
			p.Speak(s.URL, lang)
			shot := 0
			look := func(name string) {
				t.Helper()
				shot++
				for _, l := range looks {
					p.As(l)
					p.Fits()
					p.Usable()
					p.Shoot(fmt.Sprintf("portal-%s-%02d-%s-%s", lang, shot, name, l.Name()))
				}
			}
			p.Open(s.URL + "/")
			look("home")
			p.Set("#law", "EEA")
			p.Submit("form[action='/ask'] button.main")
			look("right")
			p.Submit("a[href*='right=rectification']")
			p.Script(`document.querySelectorAll("details").forEach(d => d.open = true)`)
			look("who")
			p.Open(s.URL + "/ask?law=EEA&right=access")
			p.Type("#email", theirs)
			p.Submit("form[action='/ask'] button.main")
			look("code")
			code, _ := s.code()
			p.Type("#code", "0000 0000")
			p.Submit("form[action='/prove'] button.main")
			p.Expect("403")
			look("wrong-code")
			p.Set("#passphrase", passphrase)
			p.Type("#code", code)
			p.Submit("form[action='/prove'] button.main")
			p.True(`location.pathname.startsWith("/r/")`)
			id := strings.TrimPrefix(browsertest.Eval[string](p, "location.pathname"), "/r/")
			look("request")
			_, err := s.requests.Do(t.Context(), id, core.AskProof{By: "lea", Now: s.clock()})
			s.must(err)
			p.Open(s.URL + "/r/" + id)
			look("proof")
			_, err = s.requests.Do(t.Context(), id, core.JudgeProof{By: "lea", Accepted: true, Now: s.clock()})
			s.must(err)
			s.completed(id)
			s.receipted(id)
			p.Open(s.URL + "/r/" + id)
			look("answer")
			p.Script(`{ const make = URL.createObjectURL; window.made = []; URL.createObjectURL = b => { window.made.push(b); return make.call(URL, b); } }`)
			p.Type("#passphrase", "another passphrase")
			p.Click("#open button")
			p.True(`document.querySelector("#opening .bad")`)
			p.Expect("403")
			p.Set("#passphrase", passphrase)
			p.Click("#open button")
			p.True(`!document.getElementById("save").hidden`)
			p.True(`document.querySelector("#receipt .good")?.textContent.includes("privacy.example.com/log")`)
			if got := browsertest.Eval[[]string](p, `Promise.all(window.made.map(b => b.text()))`); len(got) != 2 || got[0] != "the answer" || !strings.Contains(got[1], id) {
				t.Errorf("%.80q", got)
			}
			p.Click("#one button")
			p.True(`document.querySelector("#one [role=status] code")`)
			made := browsertest.Eval[string](p, `window.made.at(-1).text()`)
			opens := browsertest.Eval[string](p, `document.querySelector("#one [role=status] code").textContent`)
			if plain, err := onefile.Open(made, opens); err != nil || string(plain) != "the answer" {
				t.Errorf("one file: %q, %v", plain, err)
			}
			look("opened")
			if state, err := s.requests.State(t.Context(), id); err != nil || len(state.Opened) != 1 {
				t.Errorf("%v, %v", state.Opened, err)
			}
			p.Submit("a[href*='right=complaint']")
			look("complains")
			p.Type("#email", theirs)
			p.Type("#message", "It lacks my invoices.")
			p.Submit("form[action='/ask'] button.main")
			code, _ = s.code()
			p.Type("#code", code)
			p.Submit("form[action='/prove'] button.main")
			look("complaint")
			complaint := strings.TrimPrefix(browsertest.Eval[string](p, "location.pathname"), "/r/")
			_, err = s.requests.Do(t.Context(), complaint, core.DecideGrievance{By: "ana", Finding: core.Upheld, Reason: "they were left out", Now: s.clock()})
			s.must(err)
			p.Open(s.URL + "/r/" + complaint)
			look("decided")
			p.Open(s.URL + "/ask?law=California")
			look("california")
			p.Open(s.URL + "/ask?law=EEA&right=access")
			p.Type("#email", theirs)
			p.Submit("form[action='/ask'] button.main")
			p.Open(s.URL + linkOf(s.letter()))
			look("link")
			p.Set("#passphrase", passphrase)
			p.Submit("form[action='/prove'] button.main")
			p.True(`location.pathname.startsWith("/r/")`)
			p.Open(s.URL + "/r/0b6fd3a2-1d7c-4c53-8f53-70d5f2f0a9c4")
			look("enter")
		})
	}
}

// TestBrowserWithoutScript: with scripts switched off the answer is fetched as files.
func TestBrowserWithoutScript(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	s := newSite(t)
	id := s.made(nil)
	s.completed(id)
	at, err := url.Parse(s.URL + "/r/" + id)
	s.must(err)
	cookies := s.http.Jar.Cookies(at)
	p := browser.Page(t, browsertest.WithoutScript)
	p.Cookie(s.URL+"/r/"+id, cookies[0].Name, cookies[0].Value)
	p.Open(at.String())
	p.Type("#passphrase", passphrase)
	p.Click("#open button")
	p.Says("#fetch", "Both files are locked")
	if page := s.post("/r/"+id+"/receive", url.Values{"passphrase": {passphrase}}); page.status != http.StatusOK {
		t.Errorf("%d", page.status)
	}
}

// TestBrowserByKeyboard: who has no mouse asks, receives, and withdraws: each thing is reached by
// the tabulator, shows that it has the focus, and is done by Enter.
func TestBrowserByKeyboard(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	s := newSite(t)
	p := browser.Page(t)
	p.Speak(s.URL, "en")
	to := func(selector string) {
		t.Helper()
		for range 60 {
			if browsertest.Eval[bool](p, fmt.Sprintf("document.activeElement.matches(%q)", selector)) {
				if !browsertest.Eval[bool](p, `document.activeElement.matches(":focus-visible") && getComputedStyle(document.activeElement).outlineStyle !== "none"`) {
					t.Errorf("%s doesn't show that it has the focus", selector)
				}
				return
			}
			p.Press("\t")
		}
		t.Fatalf("%s can't be reached by the tabulator", selector)
	}
	enter := func(selector, then string) {
		t.Helper()
		to(selector)
		p.Press("\r")
		p.True(then)
	}
	ask := func() string {
		t.Helper()
		p.Open(s.URL + "/")
		to("#law")
		for range 40 {
			if browsertest.Eval[string](p, `document.getElementById("law").value`) == "EEA" {
				break
			}
			p.Press(kb.ArrowDown)
		}
		enter("form[action='/ask'] button.main", `document.querySelector("a[href*='right=access']")`)
		enter("a[href*='right=access']", `document.getElementById("email")`)
		to("#email")
		p.Press(theirs)
		enter("form[action='/ask'] button.main", `document.getElementById("code")`)
		code, _ := s.code()
		to("#code")
		p.Press(code)
		to("#passphrase")
		chosen := browsertest.Eval[string](p, `document.activeElement.value`)
		enter("form[action='/prove'] button.main", `location.pathname.startsWith("/r/")`)
		return chosen
	}
	chosen := ask()
	id := strings.TrimPrefix(browsertest.Eval[string](p, "location.pathname"), "/r/")
	s.completed(id)
	p.Open(s.URL + "/r/" + id)
	to("#passphrase")
	p.Press(chosen)
	enter("#open button", `document.activeElement.id === "save"`)

	ask()
	enter("summary", `document.querySelector("details").open`)
	enter("button.danger", `document.body.textContent.includes("was withdrawn")`)
}
