package console_test

import (
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/console"
)

// TestWhy says in the reader's language why a person is wanted, by the code, and
// beside it what the worker said, where that says more. Somebody else's code is
// told by its worker's own words alone.
func TestWhy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		code, reason string
		lang         string
		shows, not   []string
	}{
		"a code of ours":       {"no-permission", "billing says no", "fr", []string{"le worker n’a pas le droit", `<p class="said" lang="en">billing says no</p>`, "réunir : échec : le worker n’a pas le droit", "à traiter : Facturation : le worker n’a pas le droit"}, nil},
		"in English":           {"no-permission", "billing says no", "en", []string{"the worker isn’t allowed", `<p class="said" lang="en">billing says no</p>`, "gather: failed: billing says no [no-permission]"}, nil},
		"which says it all":    {"timeout", "the system did not answer in time", "fr", []string{"le système n’a pas répondu à temps"}, []string{"did not answer in time"}},
		"without other words":  {dsar.CodeOthers, "", "fr", []string{"peut parler d’autres personnes"}, nil},
		"somebody else's code": {"moon-phase", "the moon is full", "fr", []string{"the moon is full", "<code>moon-phase</code>"}, []string{`class="said"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			id := d.submit(dsar.Access)
			d.hear(id, dsar.Report{System: "billing", Action: dsar.Gather, Kind: dsar.ReportFailed, Code: c.code, Reason: c.reason})
			body := d.call(d.as(console.Agent), "GET", "/requests/"+id, nil, "Accept-Language", c.lang).Body.String()
			for _, want := range c.shows {
				if !strings.Contains(body, want) {
					t.Errorf("no %q in %s", want, body)
				}
			}
			for _, none := range c.not {
				if strings.Contains(body, none) {
					t.Errorf("%q in %s", none, body)
				}
			}
		})
	}
}
