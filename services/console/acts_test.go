package console_test

import (
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
		"a large plan, no agent": {d.tooLarge(), console.Agent, "a privacy officer decides", ""},
		"a proof came":           {d.proofSent(), console.Agent, "A proof has come in", "judge-proof"},
		"a proof is awaited":     {d.proofAsked(), console.Agent, "The person’s proof is awaited", ""},
		"an answer is awaited":   {d.clarificationAsked(), console.Agent, "The person’s answer is awaited", ""},
		"an appeal":              {d.appealed(), console.Officer, "Read what the person writes", "decide"},
		"parked":                 {d.parked(), console.Agent, "1 system is parked", "try-now"},
		"runs":                   {d.running(), console.Agent, "Nothing to do: it goes on by itself", ""},
		"ended":                  {d.completed(), console.Agent, "Nothing to do: it has ended", ""},
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
