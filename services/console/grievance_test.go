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

// TestAppealAtTheConsole: an appeal's page names the request that it is about; what the
// person wrote is shown to whoever asks to see it, and nowhere else; where the officer
// upholds it, the refused request goes on.
func TestAppealAtTheConsole(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.appealed()
	s, err := d.requests.State(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	earlier := s.Accepted.About.RequestID
	officer := d.as(console.Officer)
	page := d.call(officer, "GET", "/requests/"+id, nil)
	if text := page.Body.String(); page.Code != http.StatusOK || !strings.Contains(text, "/requests/"+earlier) || strings.Contains(text, canary) {
		t.Errorf("%d: %.2000s", page.Code, text)
	}
	if list := d.call(officer, "GET", "/?view=person", nil); !strings.Contains(list.Body.String(), id) {
		t.Error("it isn't among what needs a person")
	}
	shown := d.call(officer, "POST", "/requests/"+id+"/reveal", d.form(id))
	if !strings.Contains(shown.Body.String(), "look again, says "+canary) {
		t.Errorf("%d: %.2000s", shown.Code, shown.Body)
	}
	if done := d.call(officer, "POST", "/requests/"+id+"/decide", d.form(id, "finding", "upheld")); done.Code != http.StatusSeeOther {
		t.Fatalf("%d: %.2000s", done.Code, done.Body)
	}
	for id, want := range map[string]core.Status{id: core.StatusCompleted, earlier: core.StatusGathering} {
		if s, err := d.requests.State(t.Context(), id); err != nil || s.Status != want {
			t.Errorf("%s, want %s, %v", s.Status, want, err)
		}
	}
	if again := d.call(officer, "GET", "/requests/"+earlier, nil); !strings.Contains(again.Body.String(), "taken up again") {
		t.Error("the earlier request's trace says nothing of it")
	}
}

// TestPartlyUpheldAtTheConsole: of a copy that was refused in parts, the officer names those that
// are given; the others stay refused.
func TestPartlyUpheldAtTheConsole(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	refused, parts := d.running(), []string{"invoices", "payments"}
	for _, dataset := range parts {
		d.do(refused, core.RefusePart{By: "lea", Reason: "others wrote them", System: "billing", Dataset: dataset, Ground: "rights-of-others", Now: start.Add(time.Minute)})
	}
	d.hear(refused, dsar.Report{System: "billing", Action: dsar.Gather, Kind: dsar.ReportEnded, Outcome: dsar.NothingFound})
	d.hear(refused, dsar.Report{System: dsar.Aggregator, Action: dsar.Assemble, Kind: dsar.ReportEnded, Outcome: dsar.Assembled, Objects: []dsar.Object{{Name: "bundle"}}})
	d.about = refused
	id := d.appealed()
	officer := d.as(console.Officer)
	page := d.call(officer, "GET", "/requests/"+id, nil).Body.String()
	for _, dataset := range parts {
		if !strings.Contains(page, `name="give" value="billing/`+dataset+`"`) {
			t.Errorf("%s can't be named", dataset)
		}
	}
	if done := d.call(officer, "POST", "/requests/"+id+"/decide", d.form(id, "finding", "partly-upheld", "give", "billing/invoices")); done.Code != http.StatusSeeOther {
		t.Fatalf("%d: %.2000s", done.Code, done.Body)
	}
	s, err := d.requests.State(t.Context(), refused)
	if err != nil || len(s.Parts) != 1 || s.Parts[0].Dataset != "payments" {
		t.Errorf("still refused are %+v, %v", s.Parts, err)
	}
}

// TestFiguresAtTheConsole: the figures of a law and a year are a page, in the reader's
// language, and a table.
func TestFiguresAtTheConsole(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.running()
	d.do(d.running(), core.Refuse{By: "lea", Ground: "excessive", Now: start.AddDate(0, 0, 4)})
	viewer := d.as(console.Viewer)
	page := d.call(viewer, "GET", "/figures?law=EEA&year=2026", nil, "Accept-Language", "fr")
	if text := page.Body.String(); page.Code != http.StatusOK || !strings.Contains(text, "Reçues dans l’année") || !strings.Contains(text, "<td>2</td>") {
		t.Errorf("%d: %.3000s", page.Code, text)
	}
	table := d.call(viewer, "GET", "/figures?law=EEA&year=2026&format=csv", nil)
	if !strings.Contains(table.Body.String(), "EEA,2026,access,2,0,0,1,0,0,1,4,4\n") {
		t.Errorf("%s", table.Body)
	}
	if wrong := d.call(viewer, "GET", "/figures?law=Mars", nil); wrong.Code != http.StatusUnprocessableEntity {
		t.Errorf("a law of Mars: %d", wrong.Code)
	}
}
