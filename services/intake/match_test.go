package intake_test

import (
	"encoding/json"
	"strings"
	"testing"

	"habeas.dev/services/internal/config"
)

// TestMatch: the portal, and no other caller, is told how sure it is that an identifier is of
// a request's person; what the portal calls verified is proven.
func TestMatch(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	tokens := w.signsIn(map[string]config.Caller{"portal": {Believed: true, Proves: true}, "signup-page": {Believed: true, Reads: true}})
	const id, none = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", "0b6fd3a2-1d7c-4c53-8f53-70d5f2f0a9c4"
	as := func(caller string) []string { return []string{"Authorization", "Bearer " + tokens[caller]} }
	submitted := map[string]any{"request_id": id, "right": "access", "jurisdiction": "EEA", "received_at": "2026-11-20T09:30:00Z", "source": "portal",
		"subject": map[string]any{"identifiers": []any{map[string]any{"type": "email", "value": "camille@example.com", "verified": true}, map[string]any{"type": "account_id", "value": "A-1"}}}}
	if a := w.do("POST", "/v1/requests", "/v1/requests", text(t, submitted), as("portal")...); a.Code != 202 {
		t.Fatalf("%d: %s", a.Code, a.Body)
	}
	for _, c := range []struct {
		caller, id, typ, value string
		code                   int
		assurance              string
	}{
		{"portal", id, "email", "Camille@example.com ", 200, "proven"}, {"portal", id, "account_id", "A-1", 200, "claimed"},
		{"portal", id, "email", "sam@example.com", 200, ""}, {"portal", none, "email", "camille@example.com", 200, ""},
		{"portal", id, "email", " ", 400, ""}, {"portal", id, "email", strings.Repeat("é", 1025), 400, ""}, {"portal", id, "no_such_type", "x", 400, ""}, {"portal", "nothing", "email", "x", 400, ""},
		{"signup-page", id, "email", "camille@example.com", 403, ""},
	} {
		a := w.do("POST", "/v1/requests/"+c.id+"/match", "/v1/requests/{request_id}/match", text(t, map[string]any{"type": c.typ, "value": c.value}), as(c.caller)...)
		var got struct{ Assurance string }
		if a.Code == 200 && json.Unmarshal(a.Body.Bytes(), &got) != nil || a.Code != c.code || got.Assurance != c.assurance {
			t.Errorf("%+v: %d %s", c, a.Code, a.Body)
		}
	}
	for _, body := range []string{`{"type": "email", "value": "camille@example.com", "more": 1}`, `{"type": "email", "value": "camille@example.com"}{}`} {
		if a := w.do("POST", "/v1/requests/"+id+"/match", "/v1/requests/{request_id}/match", []byte(body), as("portal")...); a.Code != 400 {
			t.Errorf("%s: %d", body, a.Code)
		}
	}
}
