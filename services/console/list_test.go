package console_test

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/browsertest"
	"habeas.dev/services/internal/core"
)

// TestList: a list says how many requests it has over all its pages, is sorted as its
// address says, goes out as a table with the same requests in the same order, and a
// request's page leads back to it.
func TestList(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var ids []string
	for range 60 {
		ids = append(ids, d.running())
	}
	erasure := d.submit(dsar.Erasure)
	d.do(erasure, core.Assign{By: "lea", To: "=cmd()", Reason: "a formula", Now: start})
	get := func(path string, headers ...string) string {
		w := d.call(d.as(console.Agent), "GET", path, nil, headers...)
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d", path, w.Code)
		}
		return w.Body.String()
	}
	for path, want := range map[string]string{
		"/?view=open":               "61 requests, 50 on this page",
		"/?view=open&right=access":  "60 requests, 50 on this page",
		"/?view=open&right=erasure": "1 request",
		"/?view=mine":               "",
	} {
		if page := get(path); !strings.Contains(page, want) {
			t.Errorf("%s doesn't say %q", path, want)
		}
	}
	page := get("/?view=open")
	_, next, _ := strings.Cut(page, `rel="next" href="`)
	next, _, _ = strings.Cut(next, `"`)
	if second := get(strings.ReplaceAll(next, "&amp;", "&")); !strings.Contains(second, "61 requests, 11 on this page") {
		t.Error("the second page has another total")
	}
	if !strings.Contains(page, "<title>Open (61) · Habeas</title>") {
		t.Error("the tab doesn't say which list it is")
	}

	// As a table.
	for path, want := range map[string]int{"?view=open": 61, "?view=open&right=erasure": 1, "?view=ended": 0, "?view=open&sort=received": 61, "?view=open&sort=due": 61} {
		table, err := csv.NewReader(strings.NewReader(get("/requests.csv" + path))).ReadAll()
		if err != nil || len(table) != want+1 {
			t.Errorf("%s: %d rows, %v", path, len(table)-1, err)
			continue
		}
		by := map[bool]int{true: 5, false: 6}[strings.Contains(path, "received")] // its column
		if times := column(table[1:], by); !slices.IsSortedFunc(times, func(a, b string) int {
			if by == 5 {
				a, b = b, a
			}
			return strings.Compare(a, b)
		}) {
			t.Errorf("%s isn't in its order: %v", path, times)
		}
		for _, row := range table[1:] {
			if row[0] == erasure && row[11] != "'=cmd()" {
				t.Errorf("a spreadsheet would work out %q", row[11])
			}
		}
	}
	for _, bad := range []string{"/?sort=name", "/requests.csv?sort=name", "/requests.csv?view=none"} {
		if w := d.call(d.as(console.Agent), "GET", bad, nil); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}

	// Back, to where one was; and nowhere else.
	for from, want := range map[string]string{
		origin + "/?view=open&right=access&done=3": `href="/?right=access&amp;view=open#r-` + ids[0][:8] + `"`,
		"https://evil.example.com/?view=open":      `<a href="/" data-back>`,
		origin + "/systems":                        `<a href="/" data-back>`,
		"":                                         `<a href="/" data-back>`,
	} {
		if page := get("/requests/"+ids[0], "Referer", from); !strings.Contains(page, want) {
			t.Errorf("from %q it doesn't lead back by %s", from, want)
		}
	}
	if page := get("/requests/" + ids[0]); !strings.Contains(page, "<title>access "+ids[0][:8]+" · gathering · Habeas</title>") {
		t.Error("the tab doesn't say which request it is")
	}
	if page := d.call(d.as(console.Viewer), "POST", "/find", url.Values{"for": {ids[0][:9]}}).Header().Get("Location"); page != "/requests/"+ids[0] {
		t.Errorf("found at %q", page)
	}
}

func column(table [][]string, n int) (out []string) {
	for _, row := range table {
		out = append(out, row[n])
	}
	return out
}

// TestBrowserKeys does a day's work by single keys: find, go through the list and select,
// open, retry, assign, go on and back, and by the palette; the list of keys says them, and
// they can be switched off.
func TestBrowserKeys(t *testing.T) {
	browsertest.Skip(t)
	f := newGallery(t)
	url := f.open(somebody{"lea@example.com", console.Officer})
	p := browsertest.Start(t).Page(t)
	p.As(browsertest.Look{Width: 1280})
	p.Open(url)
	p.Press("/")
	p.True(`document.activeElement.id === "for"`)
	p.Script(`document.activeElement.blur()`)
	p.Press("j")
	p.Press("j")
	p.Press("k")
	p.True(`document.activeElement === document.querySelectorAll("a[data-row]")[0]`)
	p.Press("x")
	p.True(`document.querySelectorAll("input[name=id]:checked").length === 1`)
	p.Press("a")
	p.True(`document.activeElement.name === "to"`)
	p.Script(`document.activeElement.blur()`)
	p.Press("?")
	p.True(`document.querySelector("#keys").open`)
	p.Shoot("keys-en")
	p.Usable()
	p.Press(kb.Escape)

	// By the palette to a request, a retry, sent by keyboard.
	p.Script(`document.dispatchEvent(new KeyboardEvent("keydown", {key: "k", ctrlKey: true, bubbles: true}))`)
	p.True(`document.querySelector("#palette").open && document.activeElement.closest("#palette")`)
	p.Press(f.failed[:8])
	p.True(`document.querySelectorAll("#palette li").length === 2`)
	p.Shoot("palette-en")
	p.Usable()
	p.Press(kb.Enter)
	p.True(`location.pathname.endsWith(` + "`" + f.failed + "`" + `)`)
	p.True(`!document.querySelector("[data-foot]").hidden`) // its script has run
	p.Press("r")
	p.True(`document.activeElement.name === "reason" && document.activeElement.value.endsWith("tried again")`) // the driver types the key as well
	p.Script(`document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", ctrlKey: true, bubbles: true}))`)
	p.Says("[role=status]", "taken up again")
	if s := f.state(f.failed); s.Status == core.StatusNeedsAttention {
		t.Error("it wasn't taken up again")
	}
	p.True(`location.search === "?done=retry" && !document.querySelector("[data-foot]").hidden`)
	p.Press("u")
	p.True(`location.pathname === "/" && document.querySelector("a[data-row]") && !document.querySelector("[data-foot]").hidden`)

	// Switched off, they do nothing.
	p.Press("?")
	p.True(`document.querySelector("#keys").open`)
	p.Script(`document.querySelector("[data-single]").click()`)
	p.Press(kb.Escape)
	p.True(`!document.querySelector("#keys").open`)
	p.Press("/")
	p.True(`document.activeElement.id !== "for"`)
	p.Says(".total", "request")
}
