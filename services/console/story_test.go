package console_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/core"
)

// TestTimeline: what people did stands out under their name, systems and datasets are
// called by their titles, and a choice shows people, trouble or one system alone, in the
// page and as it updates.
func TestTimeline(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.systems = []string{"shop"}
	d.open()
	id := d.submitTo(dsar.Access, "billing", "shop")
	d.do(id, core.Assign{By: "lea <x#1>", To: "paul", Reason: "speaks French", Now: start.Add(time.Second)})
	d.hear(id, dsar.Report{System: "shop", Action: dsar.Gather, Kind: dsar.ReportFailed, Code: "no-permission"})
	d.hear(id, dsar.Report{System: "billing", Action: dsar.Gather, Kind: dsar.ReportEnded, Outcome: dsar.Gathered, Objects: []dsar.Object{{Name: "billing/gather/1"}}, Counts: []dsar.Counts{{Dataset: "invoices", Found: 3, Gathered: 3}}})
	story := func(show string) string {
		page := d.call(d.as(console.Agent), "GET", "/requests/"+id+"?"+url.Values{"show": {show}}.Encode(), nil).Body.String()
		_, story, _ := strings.Cut(page, `<ol class="timeline">`)
		story, _, _ = strings.Cut(story, `sse-swap="facts"`)
		return story
	}
	assigned, failed, gathered := "lea assigned it to paul", "gather: failed", "Invoices 3"
	for show, want := range map[string][3]bool{"": {true, true, true}, "people": {true, false, false}, "trouble": {false, true, false}, "billing": {false, false, true}, "nothing": {true, true, true}} {
		got := story(show)
		for i, text := range []string{assigned, failed, gathered} {
			if strings.Contains(got, text) != want[i] {
				t.Errorf("show=%s: %q is there: %t", show, text, !want[i])
			}
		}
	}
	if whole := story(""); !regexp.MustCompile(`(?s)class="chapter people"><details open>.*<b>lea</b>.*`+assigned).MatchString(whole) || strings.Contains(whole, "lea &lt;") {
		t.Errorf("what people did doesn't stand out: %s", whole)
	}
	if page := d.call(d.as(console.Agent), "GET", "/requests/"+id+"?show=people", nil).Body.String(); !strings.Contains(page, "&amp;show=people\"") {
		t.Error("the page's updates show something else than the page")
	}
}

// TestLanes: time in which nothing happened is cut out of the lanes, and said; each attempt
// that was put off or failed says why, to whoever reaches it by keyboard too.
func TestLanes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.failed()
	d.later(5 * 24 * time.Hour)
	page := d.call(d.as(console.Agent), "GET", "/requests/"+id, nil).Body.String()
	cut := regexp.MustCompile(`<rect class="idle" x="([\d.]+)%" y="2" width="([\d.]+)%"[^>]*/><text[^>]*>5 days<`)
	if !cut.MatchString(page) {
		t.Errorf("five days of nothing aren't cut out: %s", page[strings.Index(page, `class="axis"`):][:1500])
	}
	if !regexp.MustCompile(`tabindex="0" role="img" aria-label="gather: failed: (T|t)he worker isn’t allowed[^"]*billing says no`).MatchString(page) {
		t.Error("the failed attempt doesn't say why")
	}
}
