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

// TestMoreThanAreNamed: of many requests in which a hold goes on some are named, and how many
// more there are is said.
func TestMoreThanAreNamed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	copied := d.submit(dsar.Access)
	d.do(copied, core.Hold{By: "legal", Reason: "a lawsuit", System: "billing", Now: start})
	s, err := d.requests.State(t.Context(), copied)
	if err != nil {
		t.Fatal(err)
	}
	d.carried = s.HoldsFor(start)
	var erasures []string
	for range 13 {
		erasures = append(erasures, d.submit(dsar.Erasure))
	}
	d.do(copied, core.Lift{By: "legal", Reason: "settled", System: "billing", Now: start})
	for lang, want := range map[string]string{"en": "and 3 more.", "fr": "et 3 de plus."} {
		w := d.call(d.as(console.Viewer), http.MethodGet, "/requests/"+copied, nil, "Accept-Language", lang)
		named := 0
		for _, id := range erasures {
			named += strings.Count(w.Body.String(), `href="/requests/`+id+`"`)
		}
		if named != 10 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d are named, or %q isn't said", lang, named, want)
		}
	}
}
