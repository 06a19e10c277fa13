package console_test

import (
	"net/http"
	"strings"
	"testing"

	"habeas.dev/services/console"
)

// TestCorrectionsAreShownBefore: who may reveal sees old and new of what is to be corrected
// before it goes on, which is a fact without either; nothing of a secret is on the page, nor
// anything before they asked.
func TestCorrectionsAreShownBefore(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.toCorrect()
	agent := d.as(console.Agent)
	if before := d.call(agent, "GET", "/requests/"+id, nil).Body.String(); !strings.Contains(before, "Show what would change") || strings.Contains(before, "Dupond-before") {
		t.Error("before anybody asks")
	}
	w := d.call(agent, "POST", "/requests/"+id+"/corrections", d.form(id, "reason", "on the telephone"))
	page := w.Body.String()
	for _, says := range []string{"Dupond-before", "Dupont-after", "held, not shown", "It can’t be asked from here."} {
		if w.Code != http.StatusOK || !strings.Contains(page, says) {
			t.Errorf("%d, without %q", w.Code, says)
		}
	}
	facts, err := d.journal.Facts(t.Context(), id, 1)
	if err != nil {
		t.Fatal(err)
	}
	noted := false
	for _, f := range facts {
		noted = noted || strings.Contains(f.Type, "identifiers.revealed")
		if strings.Contains(string(f.Data), "Dupon") {
			t.Errorf("%s holds a value", f.Type)
		}
	}
	if !noted {
		t.Error("that somebody looked isn't noted")
	}
	if w := d.call(agent, "POST", "/requests/"+d.running()+"/corrections", d.form(d.running())); w.Code == http.StatusOK && strings.Contains(w.Body.String(), "Dupond-before") {
		t.Error("a copy has a preview of corrections")
	}
}
