package console_test

import (
	"net/http"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/core"
)

// TestWhereALiftedHoldGoesOn: the page of a request on which a hold was lifted leads to the
// erasure to which it passed on, until it is lifted there.
func TestWhereALiftedHoldGoesOn(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	copied := d.submit(dsar.Access)
	d.do(copied, core.Hold{By: "legal", Reason: "a lawsuit", System: "billing", Now: start})
	s, err := d.requests.State(t.Context(), copied)
	if err != nil {
		t.Fatal(err)
	}
	d.carried = s.HoldsFor(start)
	erasure := d.submit(dsar.Erasure)
	says := func() bool {
		t.Helper()
		w := d.call(d.as(console.Viewer), http.MethodGet, "/requests/"+copied+"?done=lift", nil)
		if w.Code != http.StatusOK {
			t.Fatalf("the page: %d", w.Code)
		}
		told, led := strings.Contains(w.Body.String(), "goes on in:"), strings.Contains(w.Body.String(), `href="/requests/`+erasure+`"`)
		if told != led {
			t.Fatalf("told %v, and led there %v", told, led)
		}
		return told
	}
	if says() {
		t.Error("it is on here")
	}
	lift := core.Lift{By: "legal", Reason: "settled", System: "billing", Now: start}
	d.do(copied, lift)
	if !says() {
		t.Error("it goes on, and nobody is told")
	}
	d.do(erasure, lift)
	if says() {
		t.Error("it is lifted there")
	}
}
