package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/core"
)

// half has one of two systems fail while the other goes on.
func (d *desk) half(code string) string {
	id := d.submitTo(dsar.Access, "billing", "shop")
	d.hear(id, dsar.Report{System: "shop", Action: dsar.Gather, Kind: dsar.ReportFailed, Code: code})
	return id
}

// TestInbox: what needs a person anywhere in a request is in the inbox, whatever else of it
// still runs, by cause with its counts, what is late first; and one act takes up all of one
// cause again, and nothing else.
func TestInbox(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.systems = []string{"shop"}
	d.open()
	var down []string
	for range 3 {
		down = append(down, d.half("no-table"))
	}
	denied, late, running, proof := d.half("no-permission"), d.running(), d.running(), d.proofAsked()
	d.later(32 * 24 * time.Hour) // past their due dates
	for _, id := range append(down[:1:1], late) {
		d.do(id, core.Tick{Now: d.clock()})
	}
	page := d.call(d.as(console.Agent), "GET", "/", nil).Body.String()
	for _, id := range append(down[:3:3], denied, late, proof) {
		if !strings.Contains(page, "/requests/"+id) {
			t.Errorf("%s isn't among what needs a person", id)
		}
	}
	if strings.Contains(page, "/requests/"+running) {
		t.Error("one that needs nobody is")
	}
	var at []int
	for _, cause := range []string{"need=task%2Fshop%2Fno-table", "need=overdue", "need=task%2Fshop%2Fno-permission", "need=proof"} {
		at = append(at, strings.Index(page, cause))
	}
	for i := range at {
		if at[i] < 0 || i > 0 && at[i] < at[i-1] {
			t.Errorf("the causes stand at %d", at)
		}
	}
	for _, text := range []string{"3 requests", "1 overdue", "Retry all 3"} {
		if !strings.Contains(page, text) {
			t.Errorf("%q isn't said", text)
		}
	}

	// One cause has a list of its own.
	list := d.call(d.as(console.Viewer), "GET", "/?need="+url.QueryEscape("task/shop/no-table"), nil).Body.String()
	for id, want := range map[string]bool{down[0]: true, down[2]: true, denied: false, late: false} {
		if strings.Contains(list, "/requests/"+id) != want {
			t.Errorf("%s in the list of one cause: %t", id, !want)
		}
	}
	if strings.Contains(list, "Retry all") {
		t.Error("a viewer is offered to act")
	}
	for _, bad := range []string{"task", "task/shop", "nothing", "overdue/shop/x", "task/shop/no-table/x", "%27"} {
		if w := d.call(d.as(console.Agent), "GET", "/?need="+bad, nil); w.Code != http.StatusBadRequest {
			t.Errorf("need=%s: %d", bad, w.Code)
		}
	}

	// One act, with what came of it.
	asked := map[string]int{}
	attempts := func(id string) int {
		s, err := d.requests.State(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return s.Task("billing", dsar.Gather).Attempt
	}
	for _, id := range down {
		asked[id] = attempts(id)
	}
	asked[denied] = attempts(denied)
	w := d.call(d.as(console.Agent), "POST", "/retry-cause", url.Values{"need": {"task/shop/no-table"}, "reason": {"the table is there again"}})
	if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || to != "/?did=retry&done=3&of=3" {
		t.Fatalf("%d %q", w.Code, to)
	}
	page = d.call(d.as(console.Agent), "GET", w.Header().Get("Location"), nil).Body.String()
	if !strings.Contains(page, "3 taken up again") || strings.Contains(page, "no-table") {
		t.Error("the page doesn't say what came of it, or still has the cause")
	}
	for _, id := range append(down, denied) {
		s, err := d.requests.State(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		want := core.TaskIsSent
		if id == denied {
			want = core.TaskIsFailed
		}
		if got := s.Task("shop", dsar.Gather).Status; got != want {
			t.Errorf("%s: shop's task is %s", id, got)
		}
		if got := attempts(id); got != asked[id] {
			t.Errorf("%s: billing was asked again, which hadn't failed", id)
		}
	}
	for name, form := range map[string]url.Values{
		"no reason":     {"need": {"task/shop/no-permission"}},
		"nothing":       {"reason": {"r"}},
		"no task":       {"need": {"overdue"}, "reason": {"r"}},
		"not a cause":   {"need": {"task/shop"}, "reason": {"r"}},
		"another's":     {"need": {"task/../no"}, "reason": {"r"}},
		"its plan":      {"need": {"plan/shop/plan-too-large"}, "reason": {"r"}},
		"nothing of it": {"need": {""}, "reason": {"r"}},
	} {
		if w := d.call(d.as(console.Agent), "POST", "/retry-cause", form); w.Code != http.StatusUnprocessableEntity && name != "another's" {
			t.Errorf("%s: %d %s", name, w.Code, fmt.Sprint(form))
		}
	}
}
