package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"habeas.dev/services/console"
)

// TestFindByShortID: a request is found by its id as lists show it, in any case, and no
// person is searched for.
func TestFindByShortID(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.running()
	for !strings.ContainsAny(id[:8], "abcdef") { // digits alone may be an account's number
		id = d.running()
	}
	for _, text := range []string{id[:8], strings.ToUpper(id[:8]), " " + id[:8] + " ", id[:13]} {
		w := d.call(d.as(console.Agent), "POST", "/find", url.Values{"for": {text}})
		if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || to != "/requests/"+id {
			t.Errorf("%q: %d %q", text, w.Code, to)
		}
	}
	for _, text := range []string{id[:3], "ffff", id[:8] + "x", "0123"} {
		if w := d.call(d.as(console.Agent), "POST", "/find", url.Values{"for": {text}}); w.Code != http.StatusOK {
			t.Errorf("%q: %d", text, w.Code)
		}
	}
}
