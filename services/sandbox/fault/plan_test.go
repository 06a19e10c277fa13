package fault

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	t.Parallel()
	known := []string{"salesforce", "marketo"}
	got, err := Parse("salesforce:5xx=0.2,latency=50ms; marketo:quota=1h,lock=0.5,seed=3 ;jitter=2ms,forbid=Task+Case,settle=1m,revoke=0.1,pages=0.2,lost=.1,cut=.1,half=.1,throttle=.1;", known)
	want := Plan{
		"salesforce": {ServerError: 0.2, Latency: 50 * time.Millisecond},
		"marketo":    {Quota: time.Hour, Lock: 0.5, Seed: 3},
		All:          {Jitter: 2 * time.Millisecond, Forbid: "Task+Case", Settle: time.Minute, Revoke: 0.1, ExpirePages: 0.2, ErrorAfter: 0.1, Cut: 0.1, Half: 0.1, Throttle: 0.1},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v (%v)", got, err)
	}
	if got.Of("marketo") != want["marketo"] || got.Of("another") != want[All] {
		t.Error("a vendor has another's faults")
	}
	if none, err := Parse("", known); err != nil || none.Of("marketo") != (Config{}) {
		t.Errorf("%+v (%v)", none, err)
	}
	for text, says := range map[string]string{
		"hubspot:5xx=1":               "salesforce, marketo",
		"marketo:5xx=2":               "from 0 to 1",
		"marketo:5xx=-1":              "from 0 to 1",
		"marketo:5xx":                 "from 0 to 1",
		"marketo:latency=5":           "50ms",
		"marketo:slow=1":              "latency, jitter",
		"marketo:":                    "nothing is called",
		"marketo:seed=x":              "whole number",
		"marketo:5xx=0.6,cut=0.6":     "at most 1",
		"marketo:5xx=0;marketo:cut=0": "twice",
	} {
		if _, err := Parse(text, known); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestGrammarNamesEverySetting: what the help lists is what can be written.
func TestGrammarNamesEverySetting(t *testing.T) {
	t.Parallel()
	n := 0
	for line := range strings.Lines(Grammar) {
		setting, _, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || !strings.Contains(setting, "=") || strings.Contains(setting, ";") {
			continue
		}
		n++
		if _, err := Parse(setting, nil); err != nil {
			t.Error(err)
		}
	}
	if n != 14 { // and jitter and spoil, on the lines of others
		t.Errorf("%d settings in the grammar", n)
	}
}

// TestQuotaEnds: while the quota is spent every call is refused, and then none.
func TestQuotaEnds(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	var left time.Duration
	i := New(Config{Quota: time.Hour}, Vendor{
		Clock: func() time.Time { return at },
		Spent: func(w http.ResponseWriter, _ *http.Request, rest time.Duration) {
			left = rest
			w.WriteHeader(http.StatusForbidden)
		},
	})
	h := i.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {}))
	ask := func() int {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
		return w.Code
	}
	at = at.Add(20 * time.Minute)
	if code := ask(); code != http.StatusForbidden || left != 40*time.Minute {
		t.Errorf("%d, %s left", code, left)
	}
	at = at.Add(40 * time.Minute)
	if code := ask(); code != http.StatusOK {
		t.Errorf("%d", code)
	}
}

// TestBefore: tokens are revoked and pages expired before a call, and the call
// goes on.
func TestBefore(t *testing.T) {
	t.Parallel()
	var said []string
	i := New(Config{Revoke: 1, ExpirePages: 1}, Vendor{Revoke: func() { said = append(said, "revoked") }, ExpirePages: func() { said = append(said, "expired") }})
	h := i.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { said = append(said, "answered") }))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	if got := strings.Join(said, " "); got != "revoked expired answered" {
		t.Error(got)
	}
}
