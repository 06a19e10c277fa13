package console_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"habeas.dev/services/console"
	"habeas.dev/services/internal/browsertest"
)

// focused is what has the focus: its place among all that can be reached, and
// whether the focus is seen there.
const focused = `(() => {
	const e = document.activeElement;
	if (!e || e === document.body) return {Place: -1};
	const s = getComputedStyle(e), r = e.getBoundingClientRect();
	return {Place: reachable().indexOf(e), What: e.outerHTML.slice(0, 120), Skip: e.matches(".skip"),
		Seen: s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 && r.width > 0 && r.height > 0 && r.bottom > 0 && r.top < innerHeight && r.right > 0 && r.left < innerWidth};
})()`

// reachable lists what a keyboard must get to: all that a mouse can use.
const reachable = `window.reachable = () => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
	.filter(e => !e.disabled && e.type !== "hidden" && e.checkVisibility({visibilityProperty: true, contentVisibilityAuto: true}) && !e.closest("details:not([open]) > :not(summary)"))
	.filter(e => !(e.type === "radio" && e !== document.querySelector("input[type=radio][name=" + e.name + "]")))`

// TestBrowserKeyboard goes through pages by Tab alone: everything that can be
// used is reached, in its order, the focus is seen, and nothing holds it.
func TestBrowserKeyboard(t *testing.T) {
	browsertest.Skip(t)
	f := newGallery(t)
	url := f.open(somebody{"lea@example.com", console.Officer})
	b := browsertest.Start(t)
	for _, c := range []struct{ name, path, script string }{
		{"list", "/?view=open", ""},
		{"systems", "/systems", ""},
		{"request", "/requests/" + f.failed, ""},
		{"forms", "/requests/" + f.proof, `document.querySelectorAll("details").forEach(d => d.open = true)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := b.Page(t)
			p.As(browsertest.Look{Width: 1280})
			p.Open(url + c.path)
			p.Script(reachable)
			if c.script != "" {
				p.Script(c.script)
			}
			all := browsertest.Eval[[]string](p, `reachable().map(e => e.outerHTML.slice(0, 120))`)
			if len(all) < 8 {
				t.Fatalf("only %d things can be used: %q", len(all), all)
			}
			reached := map[int]bool{}
			for i := range len(all) + 4 {
				p.Press(kb.Tab)
				at := browsertest.Eval[struct {
					Place      int
					What       string
					Seen, Skip bool
				}](p, focused)
				if i == 0 && !at.Skip {
					t.Errorf("the first stop isn't the way to the page: %s", at.What)
				}
				if at.Place < 0 {
					break // past the last one, at the browser's own
				}
				if !at.Seen {
					t.Errorf("the focus isn't seen at %s", at.What)
				}
				if reached[at.Place] && i < len(all) {
					t.Errorf("the focus comes back to %s before all was reached", at.What)
					break
				}
				reached[at.Place] = true
			}
			for i, what := range all {
				if !reached[i] {
					t.Errorf("Tab never gets to %s", what)
				}
			}
		})
	}

	// By keyboard alone: past the menu, to an act, and done.
	p := b.Page(t)
	p.As(browsertest.Look{Width: 1280})
	p.Open(url + "/requests/" + f.failed)
	p.Press(kb.Tab)
	p.Press(kb.Enter)
	p.True(`document.activeElement.id === "main"`) // where the way to the page leads
	until := func(expression string) {
		for range 40 {
			p.Press(kb.Tab)
			if browsertest.Eval[bool](p, expression) {
				return
			}
		}
		t.Fatalf("Tab doesn't get there: %s", expression)
	}
	until(`document.activeElement.matches("#acts summary") && document.activeElement.textContent.includes("Assign")`)
	p.Press(kb.Enter)
	until(`document.activeElement.matches("textarea")`)
	p.Press("I take it")
	until(`document.activeElement.matches("button")`)
	p.Press(kb.Enter)
	p.Says("[role=status]", "it is assigned")
	if s := f.state(f.failed); s.Assignee != "lea@example.com" {
		t.Errorf("it is assigned to %q", s.Assignee)
	}
}

// TestBrowserWithoutScript uses the console where no script runs: find, filter,
// act, act on many, and choose a language.
func TestBrowserWithoutScript(t *testing.T) {
	browsertest.Skip(t)
	f := newGallery(t)
	url := f.open(somebody{"lea@example.com", console.Officer})
	p := browsertest.Start(t).Page(t, browsertest.WithoutScript)
	p.As(browsertest.Look{Width: 1280})
	p.Open(url)
	p.Type("#for", camille)
	p.Press(kb.Enter)
	p.Says("h1", "found")
	if at := browsertest.Eval[string](p, `location.href`); strings.Contains(at, "camille") {
		t.Errorf("the address is in the URL: %s", at)
	}
	p.Says(".requests", f.running[:8])
	p.Click(`.requests a[href$="` + f.running + `"]`)
	p.Says("h1", "access")
	p.Says(".about", "UTC")
	p.Click("#acts .action:has(form[action$='/extend']) summary")
	p.Type("#acts form[action$='/extend'] textarea[name=to_person]", "Nous demandons à six systèmes.")
	p.Type("#acts form[action$='/extend'] [name=reason]", "many systems")
	p.Click("#acts form[action$='/extend'] button")
	p.Says("[role=status]", "extended")
	p.Open(url + "/")
	p.Click(`input[name=id][value="` + f.overdue + `"]`)
	p.Type("#bulk textarea", "the app is allowed again")
	p.Click("#bulk button.main")
	p.Says("[role=status]", "1 taken up again")
	p.Click(`form[action="/language"] button`)
	p.Says(".tabs", "à traiter")
	if s := f.state(f.overdue); s.Status == "needs-attention" {
		t.Error("it wasn't taken up again")
	}
}
