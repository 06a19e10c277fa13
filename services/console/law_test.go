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

// TestWithinTheLaw does no more than the law lets: where it doesn't, the page says
// what it does let, and nothing has happened.
func TestWithinTheLaw(t *testing.T) {
	t.Parallel()
	extended := func(d *desk) string {
		id := d.running()
		d.do(id, core.Extend{By: "lea", Reason: "many systems", Calendar: d.book, Now: d.clock()})
		return id
	}
	overdue := func(d *desk) string {
		id := d.running()
		d.later(40 * 24 * time.Hour)
		return id
	}
	cancelled := func(d *desk) string {
		id := d.running()
		d.do(id, core.Cancel{By: "lea", Now: d.clock()})
		return id
	}
	for name, c := range map[string]struct {
		on     func(*desk) string
		act    string
		form   []string
		status int
		says   string
	}{
		"extend once":            {extended, "extend", nil, http.StatusUnprocessableEntity, "as often as the law"},
		"extend in time":         {overdue, "extend", nil, http.StatusUnprocessableEntity, "before the day on which it is due"},
		"extend what has ended":  {cancelled, "extend", nil, http.StatusConflict, "has ended"},
		"a ground of the law":    {(*desk).running, "refuse", []string{"ground", "too-busy"}, http.StatusUnprocessableEntity, "knows the grounds"},
		"refuse what has ended":  {(*desk).completed, "refuse", []string{"ground", "excessive"}, http.StatusConflict, "has ended"},
		"a part on that ground":  {(*desk).running, "refuse-part", []string{"system", "billing", "dataset", "invoices", "ground", "excessive"}, http.StatusUnprocessableEntity, "grounds for a part"},
		"a part that there is":   {(*desk).running, "refuse-part", []string{"system", "billing", "dataset", "nothing", "ground", "rights-of-others"}, http.StatusUnprocessableEntity, "choice"},
		"judge what was asked":   {(*desk).running, "judge-proof", []string{"verdict", "accept"}, http.StatusConflict, "not asked"},
		"judge one way":          {(*desk).proofAsked, "judge-proof", []string{"verdict", "maybe"}, http.StatusUnprocessableEntity, "choice"},
		"ask once":               {(*desk).proofAsked, "ask-proof", nil, http.StatusConflict, "awaited already"},
		"prove what there is":    {(*desk).running, "ask-proof", []string{"check", "blood"}, http.StatusUnprocessableEntity, "choice"},
		"retry what failed":      {(*desk).running, "retry", nil, http.StatusConflict, "nothing to retry"},
		"deliver an answer":      {(*desk).running, "deliver", nil, http.StatusUnprocessableEntity, "no answer"},
		"lift what is on":        {(*desk).running, "lift", nil, http.StatusConflict, "No such hold"},
		"hold what there is":     {(*desk).running, "hold", []string{"reach", "nowhere/at-all"}, http.StatusUnprocessableEntity, "choice"},
		"merge into another":     {(*desk).running, "merge", []string{"into", "00000000-0000-4000-8000-000000000000"}, http.StatusUnprocessableEntity, "isn’t there"},
		"cancel what runs":       {(*desk).completed, "cancel", nil, http.StatusConflict, "has ended"},
		"accept what was braked": {(*desk).running, "accept-plan", nil, http.StatusConflict, "nothing to retry"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			id := c.on(d)
			before := d.version(id)
			w := d.call(d.as(console.Officer), "POST", "/requests/"+id+"/"+c.act, d.form(id, c.form...))
			if types, _ := d.facts(id, before+1); len(types) > 0 {
				t.Errorf("this happened: %v", types)
			}
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
				t.Errorf("%d, and no %q on the page", w.Code, c.says)
			}
		})
	}
}

// TestAttested notes of an erasure that was done by hand what was erased and what
// had to stay, and how it goes on.
func TestAttested(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.submit(dsar.Erasure)
	d.hear(id, dsar.Report{System: "billing", Action: dsar.Plan, Kind: dsar.ReportEnded, Outcome: dsar.Found, Counts: []dsar.Counts{{Dataset: "invoices", Found: 3}},
		Objects: []dsar.Object{{Name: "billing/plan/1-test", SHA256: strings.Repeat("0", 64)}}})
	d.hear(id, dsar.Report{System: "billing", Action: dsar.Erase, Kind: dsar.ReportFailed, Code: "no-permission", Reason: "billing says no"})
	path := "/requests/" + id + "/answer"
	send := func(pairs ...string) (code int, facts []string) {
		t.Helper()
		before := d.version(id)
		w := d.send(d.as(console.Agent), multipartForm(t, path, d.form(id, append([]string{"system", "billing", "action", "erase"}, pairs...)...)))
		types, texts := d.facts(id, before+1)
		if len(types) > 0 && types[0] != "task.ended" {
			t.Errorf("%v", types)
		}
		return w.Code, texts
	}
	for name, wrong := range map[string][]string{
		"an outcome of something else": {"outcome", "gathered"}, "fewer than none": {"outcome", "erased", "records:invoices", "-1"},
		"no number": {"outcome", "erased", "records:invoices", "many"}, "more than anyone erases": {"outcome", "erased", "records:invoices", "99999999"},
	} {
		if code, facts := send(wrong...); code != http.StatusUnprocessableEntity || len(facts) > 0 {
			t.Errorf("%s: %d, %v", name, code, facts)
		}
	}
	code, facts := send("outcome", "erased", "records:invoices", "3")
	if code != http.StatusSeeOther || len(facts) == 0 || !strings.Contains(facts[0], `"erased":3`) || !strings.Contains(facts[0], `"by":"a.agent"`) || !strings.Contains(facts[0], `"code":"by-hand"`) {
		t.Fatalf("%d %v", code, facts)
	}
	s, err := d.requests.State(t.Context(), id)
	if err != nil || s.Status == core.StatusNeedsAttention {
		t.Errorf("it is stuck: %s %v", s.Status, err)
	}
	if page := d.call(d.as(console.Viewer), "GET", "/requests/"+id, nil).Body.String(); !strings.Contains(page, ">3 records<") {
		t.Error("the page doesn't show it")
	}
}

// TestWhatTheLawWantsBesides: who handles a request reads what its law demands besides, and
// Habeas doesn't do; of another law's nothing.
func TestWhatTheLawWantsBesides(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for law, says := range map[string]bool{"South Korea": true, "EEA": false} {
		d.law = law
		id := d.submit(dsar.Restriction)
		page := d.call(d.as(console.Agent), "GET", "/requests/"+id, nil).Body.String()
		if strings.Contains(page, "has the suspended data destroyed without delay") != says {
			t.Errorf("%s: the page says so: %v", law, !says)
		}
	}
}
