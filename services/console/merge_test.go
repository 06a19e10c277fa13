package console_test

import (
	"net/http"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/console"
)

// TestMergedIntoTheSame: a request is merged into one of the same person for the same, and the
// page says what is wrong with any other; nothing happens then.
func TestMergedIntoTheSame(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		into func(*desk) string
		says string // empty: it is merged
	}{
		"the same":        {(*desk).running, ""},
		"another right":   {func(d *desk) string { return d.submit(dsar.Erasure) }, "asks for something else"},
		"another law":     {func(d *desk) string { d.law = "California"; return d.submit(dsar.Access) }, "under another law"},
		"somebody else's": {(*desk).strangers, "Nothing says that one person made both"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			id := d.running()
			before := d.version(id)
			w := d.call(d.as(console.Agent), "POST", "/requests/"+id+"/merge", d.form(id, "into", c.into(d)))
			types, _ := d.facts(id, before+1)
			switch {
			case c.says == "" && (w.Code != http.StatusSeeOther || len(types) == 0 || types[0] != "request.merged"):
				t.Errorf("%d, %v", w.Code, types)
			case c.says != "" && (w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), c.says) || len(types) > 0):
				t.Errorf("%d, %v, and no %q on the page", w.Code, types, c.says)
			}
		})
	}
}

// strangers is a request of who has another address than the canary.
func (d *desk) strangers() string {
	d.email = "stranger@example.com"
	defer func() { d.email = "" }()
	return d.running()
}
