package console_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/core"
)

// lanes finds the drawings of when systems worked.
var lanes = regexp.MustCompile(`(?s)<svg class="line".*?</svg>`)

// TestNextStep: each request says in one sentence what it wants now, above everything else
// that can be done, with the form that does it, and why once; what nobody can do anything
// about has no form.
func TestNextStep(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.systems = []string{"shop"}
	d.open()
	two := func() string {
		id := d.submitTo(dsar.Access, "billing", "shop")
		for _, system := range []string{"billing", "shop"} {
			d.hear(id, dsar.Report{System: system, Action: dsar.Gather, Kind: dsar.ReportFailed, Code: "no-permission"})
		}
		return id
	}
	byHand := func() string {
		id := d.submitTo(dsar.Access, "shop")
		d.hear(id, dsar.Report{System: "shop", Action: dsar.Gather, Kind: dsar.ReportFailed, Outcome: dsar.Manual, Code: "no-worker"})
		return id
	}
	late := func() string {
		id := d.running()
		s, err := d.requests.State(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		d.do(id, core.Tick{Now: s.DueAt.Add(1)})
		return id
	}
	for name, c := range map[string]struct {
		id       string
		role     console.Role
		says, to string // the sentence, and where its form goes; empty: it has none
	}{
		"one failed":             {d.failed(), console.Agent, "Billing has failed", "retry"},
		"both failed":            {two(), console.Agent, "2 of 2 systems have failed", "retry"},
		"failed, for a viewer":   {d.failed(), console.Viewer, "Billing has failed", ""},
		"by hand":                {byHand(), console.Agent, "Billing is to be done by hand", "answer"},
		"a large plan":           {d.tooLarge(), console.Officer, "More is to be erased in Billing than expected: look", "accept-plan"},
		"erased too much":        {d.erasedTooMuch(), console.Officer, "More was erased in Billing than planned: look at what", "accept-plan"},
		"erased, no agent":       {d.erasedTooMuch(), console.Agent, "More was erased in Billing than planned: a privacy officer decides", ""},
		"a large plan, no agent": {d.tooLarge(), console.Agent, "a privacy officer decides", ""},
		"a proof came":           {d.proofSent(), console.Agent, "A proof has come in", "judge-proof"},
		"a proof is awaited":     {d.proofAsked(), console.Agent, "The person’s proof is awaited", ""},
		"an answer is awaited":   {d.clarificationAsked(), console.Agent, "The person’s answer is awaited", ""},
		"an appeal":              {d.appealed(), console.Officer, "Read what the person writes", "decide"},
		"parked":                 {d.parked(), console.Agent, "1 system is parked", "try-now"},
		"runs":                   {d.running(), console.Agent, "Nothing to do: it goes on by itself", ""},
		"ended":                  {d.completed(), console.Agent, "Nothing to do: it has ended", ""},
		"nobody is told":         {d.untold(), console.Agent, "tell the person by another way, and note it", "deliver"},
		"late":                   {late(), console.Agent, "It is late, and systems are still at it", ""},
	} {
		page := d.call(d.as(c.role), "GET", "/requests/"+c.id, nil).Body.String()
		_, step, found := strings.Cut(page, `<div class="next `)
		step, _, _ = strings.Cut(step, "</div>")
		if !found || !strings.Contains(step, c.says) {
			t.Errorf("%s: no %q in %s", name, c.says, step)
		}
		if got, want := strings.Contains(step, `enctype=`) || strings.Contains(step, `data-act="`), c.to != ""; got != want || want && !strings.Contains(step, `/requests/`+c.id+`/`+c.to+`"`) {
			t.Errorf("%s: its form isn't %q: %s", name, c.to, step)
		}
		before, _, _ := strings.Cut(page, `<ol class="timeline`) // which tells what happened, as it happened
		before = lanes.ReplaceAllString(before, "")              // which tell it of each attempt, on hover and focus
		if n := strings.Count(before, "the worker isn’t allowed"); n > 1 || n == 0 && strings.Contains(name, "failed") {
			t.Errorf("%s: the reason is said %d times", name, n)
		}
	}
}

// TestWhatIsErasedIsAccepted: what was erased beside a plan is accepted as it was done, in words
// that don't say that it is yet to be erased.
func TestWhatIsErasedIsAccepted(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.erasedTooMuch()
	officer := d.as(console.Officer)
	page := d.call(officer, "GET", "/requests/"+id, nil).Body.String()
	if !strings.Contains(page, "Accept it as it was done") || strings.Contains(page, "Accept the plan") || strings.Contains(page, "is to be erased") {
		t.Error("it reads as if it were a plan")
	}
	if inbox := d.call(officer, "GET", "/", nil).Body.String(); !strings.Contains(inbox, "more was erased than planned: look at what the worker did") {
		t.Error("the inbox doesn't say what was done")
	}
	w := d.call(officer, "POST", "/requests/"+id+"/accept-plan", d.form(id, "system", "billing"))
	if page := d.call(officer, "GET", w.Header().Get("Location"), nil).Body.String(); !strings.Contains(page, "It is accepted.") {
		t.Errorf("%d to %q", w.Code, w.Header().Get("Location"))
	}
}

// TestEndingActsStandApart: what ends a request, or takes something from the person, is
// never the next step, and stands below all else.
func TestEndingActsStandApart(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for name, id := range map[string]string{"runs": d.running(), "failed": d.failed(), "awaits": d.proofAsked()} {
		page := d.call(d.as(console.Officer), "GET", "/requests/"+id, nil).Body.String()
		apart := strings.Index(page, `class="endings"`)
		for _, path := range []string{"cancel", "merge", "refuse"} {
			if at := strings.Index(page, "/requests/"+id+"/"+path+`"`); apart < 0 || at < apart {
				t.Errorf("%s: %s stands at %d, and the heading at %d", name, path, at, apart)
			}
		}
		if at := strings.Index(page, "/requests/"+id+"/assign\""); at < 0 || at > apart {
			t.Errorf("%s: assign stands at %d, and the heading at %d", name, at, apart)
		}
	}
}

// TestToldByHand: who has told the person by another way notes it, and how; then the request is
// completed, and no letter goes. Without that a letter goes once more.
func TestToldByHand(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id, again := d.untold(), d.untold()
	state := func(id string) core.State {
		s, err := d.requests.State(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := state(id); s.Status != core.StatusDelivering {
		t.Fatalf("%s", s.Status)
	}
	for _, c := range []struct {
		id     string
		values []string
		status core.Status
		due    int // letters
	}{{id, []string{"reason", "by registered post", "by_hand", "yes"}, core.StatusCompleted, 0}, {again, []string{"reason", "they have another address"}, core.StatusDelivering, 1}} {
		before := len(state(c.id).Unwritten())
		if w := d.call(d.as(console.Agent), http.MethodPost, "/requests/"+c.id+"/deliver", d.form(c.id, c.values...)); w.Code != http.StatusSeeOther {
			t.Fatalf("%d: %s", w.Code, w.Body)
		}
		if s := state(c.id); s.Status != c.status || len(s.Unwritten())-before != c.due {
			t.Errorf("%v: %s, %d letters are due", c.values, s.Status, len(s.Unwritten())-before)
		}
	}
}
