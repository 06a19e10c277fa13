package console_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/core"
)

// TestOverview: the officer's page counts what was answered on time by law and right, what
// will be late, how long systems take, refusals by ground and notices to recipients; it maps
// what manifests say, and hands out the register.
func TestOverview(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.systems = []string{"shop"}
	d.open()
	for range 3 {
		d.completed()
	}
	refused := d.running()
	d.running()
	d.submit(dsar.Erasure)
	d.do(refused, core.Refuse{By: "paul", Ground: "excessive", Reason: "the tenth", Now: start.Add(time.Minute)})
	d.do(d.running(), core.RefusePart{By: "paul", System: "billing", Dataset: "invoices", Ground: "rights-of-others", Reason: "others", Now: start.Add(time.Minute)})
	d.planned()
	d.later(40 * 24 * time.Hour)
	page := d.call(d.as(console.Officer), "GET", "/overview", nil)
	text := regexp.MustCompile(`\s+`).ReplaceAllString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page.Body.String(), " "), " ")
	law, _ := d.book.Jurisdiction("EEA")
	ground := func(name string) string {
		r, ok := law.Refusal(name)
		if !ok {
			t.Fatalf("no ground %s", name)
		}
		return r.Title.In("en")
	}
	for _, want := range []string{
		"European Economic Area access 6 4 4 (100 %) 0 2 2 2", // received, answered on time, median, open, late, late by forecast
		ground("excessive") + " 1", ground("rights-of-others") + " 1", "Billing 6", "Nothing What Habeas was to forget", "auditors 1 0 0 0 1",
		"commercial information 1 Invoices 1 Invoices",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	for path, want := range map[string]string{"/register?law=EEA": "Invoices", "/register?law=EEA&format=csv": "Invoices"} {
		if w := d.call(d.as(console.Officer), "GET", path, nil); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	for _, path := range []string{"/register?law=Mars", "/register?law=EEA&format=exe", "/register"} {
		if w := d.call(d.as(console.Officer), "GET", path, nil); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}
