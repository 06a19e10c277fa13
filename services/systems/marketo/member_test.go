package marketo

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/sandbox/conform"
	sandbox "habeas.dev/services/sandbox/marketo"
	"habeas.dev/services/sandbox/people"
)

// hasMemberships tells what a person's memberships are otherwise than the
// stand-in has them: of programs those of the population, asked for either way,
// and of lists and campaigns one to three by the lead's id.
func (w *fixture) hasMemberships(rows map[string][]string, person int) error {
	want := map[string][]string{}
	add := func(dataset string, row map[string]any) {
		b, _ := json.Marshal(row)
		want[dataset] = append(want[dataset], string(b))
	}
	for _, r := range w.people.RowsIn(person, people.Marketo) {
		switch r.Dataset {
		case "program_members":
			add("program_members", r.Values)
			add("programs", map[string]any{"leadId": r.Values["leadId"], "id": r.Values["programId"], "progressionStatus": r.Values["statusName"]})
		case "leads":
			id, _ := r.Values["id"].(int64)
			for n := range 1 + id%3 {
				add("lists", map[string]any{"leadId": id, "id": 100 + n, "createdAt": "2026-01-01T00:00:00Z"})
				add("campaigns", map[string]any{"leadId": id, "smartCampaignId": 200 + n})
			}
		}
	}
	got := map[string][]string{}
	for _, d := range []string{"lists", "programs", "program_members", "campaigns"} {
		if rows[d] != nil {
			got[d] = rows[d]
		}
	}
	if !conform.SameRows(got, want) {
		return fmt.Errorf("memberships are %v, not %v", conform.Sizes(got), conform.Sizes(want))
	}
	return nil
}

// Members of programs that the manifest names are asked for many leads at once:
// within the budget of gathering without any, and one call for each program and
// 300 leads. All memberships of each lead cost a call for each.
func TestCallsForMemberships(t *testing.T) {
	t.Parallel()
	const n = 500
	gathered := func(drop ...string) map[string]int64 {
		text := string(manifestYAML) + further
		for _, d := range drop {
			before, rest, _ := strings.Cut(text, "  - name: "+d+"\n")
			_, after, more := strings.Cut(rest, "  - name: ")
			if text = before; more {
				text += "  - name: " + after
			}
		}
		m, err := manifest.Parse("marketo.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		w := richFixture(t, n, func(_ *sandbox.Config, c *Config) { c.Manifest = m })
		_, errs := w.Gather(w.Emails()...)
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		return w.server.Calls()
	}
	calls := gathered("lists", "programs", "campaigns")
	if calls["programMembers"] != 3*2 || conform.Total(calls) > 115 {
		t.Errorf("with three programs named: %v", calls)
	}
	calls = gathered("program_members")
	if calls["listMembership"] < n/2 || calls["programMembership"] != calls["listMembership"] || calls["smartCampaignMembership"] != calls["listMembership"] || calls["programMembers"] != 0 {
		t.Errorf("with all memberships of each lead: %v", calls)
	}
}

// A program that isn't there is named as the manifest's fault; the rest isn't lost.
func TestUnknownProgram(t *testing.T) {
	t.Parallel()
	m := conform.Edited(t, []byte(string(manifestYAML)+further), "[1001, 1002, 1003]", "[1001, 77]")
	w := richFixture(t, 20, func(_ *sandbox.Config, c *Config) { c.Manifest = m })
	out, errs := w.Gather(w.Emails()[0])
	var we *worker.Error
	if !errors.As(errs[0], &we) || !we.Permanent() || we.Code != codeSchema || !strings.Contains(we.Reason, "program") || len(out[0].Rows["leads"]) == 0 {
		t.Fatalf("%v, %v", errs[0], conform.Sizes(out[0].Rows))
	}
}
