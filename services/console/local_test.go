package console_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/core"
)

// TestLawsByTheirTitles: pages call laws by their titles, in the reader's language, and say when
// an answer is due by the law's days; what is exported has both as programs read them.
func TestLawsByTheirTitles(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.law, d.due = "California", time.Date(2026, 12, 21, 7, 59, 59, 0, time.UTC) // the end of 20 December
	id := d.submit(dsar.Access)
	d.do(id, core.Note{By: "lea", Reason: "it was 2026-02-31, or so", Now: d.clock()})
	officer := d.as(console.Officer)
	for _, c := range []struct{ lang, law, due, other string }{{"en", "California", "20 Dec 2026", "South Korea"}, {"fr", "Californie", "20\u00a0déc. 2026", "Corée du Sud"}} {
		for _, page := range []string{"/?view=all", "/requests/" + id, "/overview", "/figures", "/new"} {
			w := d.call(officer, "GET", page, nil, "Accept-Language", c.lang)
			text := w.Body.String()
			if w.Code != http.StatusOK || !strings.Contains(text, c.law) {
				t.Errorf("%s, %s: %d, the law isn't named", page, c.lang, w.Code)
			}
			if told := strings.Contains(strings.ReplaceAll(text, "\u00a0", " "), ">"+strings.ReplaceAll(c.due, "\u00a0", " ")+"<"); (page == "/?view=all" || page == "/requests/"+id) && !told {
				t.Errorf("%s, %s: it isn't due %s", page, c.lang, c.due)
			}
			if page == "/new" && !strings.Contains(text, `<option value="South Korea">`+c.other) {
				t.Errorf("%s, %s: no %s", page, c.lang, c.other)
			}
			if c.lang == "fr" && (strings.Contains(text, ">California<") || strings.Contains(text, ", California,")) {
				t.Errorf("%s: the law is called by its id", page)
			}
		}
	}
	if table := d.call(officer, "GET", "/requests.csv?view=all", nil).Body.String(); !strings.Contains(table, ",California,") || !strings.Contains(table, ",2026-12-20T23:59:59-08:00,") {
		t.Errorf("%s", table)
	}
}
