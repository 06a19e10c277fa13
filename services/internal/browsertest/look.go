package browsertest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/cdproto/network"
)

// tools returns the folder into which npm has installed what package.json names, seen
// from a test one folder below services/, or beside this package.
func tools() string {
	const beside = "../browsertest"
	if _, err := os.Stat(beside); err == nil {
		return filepath.Join(beside, "node_modules")
	}
	return "../internal/browsertest/node_modules"
}

// Speak switches the console to a language, as its own button does.
func (p *Page) Speak(url, lang string) {
	p.Helper()
	call(p, network.SetCookie, network.SetCookieParams{Name: "habeas-language", Value: lang, URL: url})
}

// Cookie gives the browser a cookie for an address.
func (p *Page) Cookie(url, name, value string) {
	p.Helper()
	call(p, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: url})
}

// outside lists what of a page can't be seen: elements that stick out of it, and
// text that is cut off.
const outside = `(() => {
	const wide = document.documentElement.clientWidth, out = [];
	const name = e => e.tagName.toLowerCase() + (e.className && e.className.baseVal === undefined ? "." + e.className : "") + ": " + (e.textContent || "").trim().slice(0, 40);
	if (document.documentElement.scrollWidth > wide) out.push("the page is wider than the window by " + (document.documentElement.scrollWidth - wide));
	for (const e of document.body.querySelectorAll("*")) {
		const s = getComputedStyle(e), r = e.getBoundingClientRect();
		if (s.display === "none" || s.visibility === "hidden" || r.width === 0 || e.closest(".unseen, .skip, svg, [hidden]")) continue;
		const scrolls = e.parentElement.closest(".scroll");
		if (!scrolls && (r.right > wide + 1 || r.left < -1)) out.push("sticks out: " + name(e));
		if (!e.matches(".scroll") && /hidden|clip/.test(s.overflowX) && e.scrollWidth > e.clientWidth + 1) out.push("is cut off: " + name(e));
		else if (!scrolls && !/inline$|contents/.test(s.display) && !e.matches(".scroll, html, body") && e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1) out.push("spills over: " + name(e));
	}
	return out.slice(0, 8);
})()`

// Fits fails the test if something sticks out of the page, or text is cut off.
func (p *Page) Fits() {
	p.Helper()
	for _, one := range Eval[[]string](p, outside) {
		p.Errorf("%s", one)
	}
}

// violation is one rule that axe finds broken.
type violation struct {
	ID, Help string
	Nodes    []struct {
		Target         []any
		FailureSummary string
	}
}

// Usable fails the test if axe finds something that WCAG 2.2 AA forbids.
func (p *Page) Usable() {
	p.Helper()
	if !Eval[bool](p, `"axe" in window`) {
		axe, err := os.ReadFile(filepath.Join(tools(), "axe-core", "axe.min.js"))
		if err != nil {
			p.Fatalf("%v: run make test-browser, which installs it", err)
		}
		p.Script(string(axe) + ";0")
	}
	found := Eval[[]violation](p, `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"]}).then(r => r.violations)`)
	for _, v := range found {
		for _, n := range v.Nodes {
			target, _ := json.Marshal(n.Target)
			p.Errorf("axe: %s: %s: %s: %s", v.ID, v.Help, target, strings.ReplaceAll(n.FailureSummary, "\n", " "))
		}
	}
}
