package intake_test

import (
	"net/http"
	"testing"

	"habeas.dev/services/internal/core"
)

const appealID = "5b0e2a5c-2f6e-4b0b-8a51-7a5c5a1b9f02"

// TestAppealIsAboutARequest: an appeal names an ended request of the same person under the
// same law; whatever else is refused alike, so that nobody learns of others' requests.
func TestAppealIsAboutARequest(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	taken := func(body []byte) {
		t.Helper()
		if r := w.post(body); r.Code != http.StatusAccepted {
			t.Fatalf("%d: %s", r.Code, r.Body)
		}
	}
	taken(text(t, request(with("jurisdiction", "Colorado"))))
	appeal := func(changes ...func(map[string]any)) []byte {
		return text(t, request(append([]func(map[string]any){with("request_id", appealID), with("right", "appeal"), with("jurisdiction", "Colorado"), with("about", requestID),
			with("details", map[string]any{"message": "Look again, " + canary})}, changes...)...))
	}
	refused := func(why string, body []byte, rule string) {
		t.Helper()
		_, err := w.Submit(t.Context(), body)
		if err == nil || err.Error() != rule {
			t.Errorf("%s: %v, want %s", why, err, rule)
		}
	}
	const notTheirs = "/about: must be a request of the same person, under the same law"
	refused("it hasn't ended", appeal(), "/about: must be a request that has ended, and no appeal or complaint")
	_, err := w.Requests.Do(t.Context(), requestID, core.Refuse{By: "lea", Ground: core.NotProven, Now: now})
	must(t, err)
	refused("another law", appeal(with("jurisdiction", "Virginia")), notTheirs)
	refused("nobody's", appeal(with("about", appealID)), notTheirs)
	refused("another person's", appeal(with("subject", map[string]any{"identifiers": []any{identifier("email", "sam@example.com")}})), notTheirs)
	refused("about nothing", appeal(func(m map[string]any) { delete(m, "about") }), "/about: must be there with an appeal, may be with a complaint, and with nothing else")
	refused("no appeal", text(t, request(with("request_id", appealID), with("about", requestID))), "/about: must be there with an appeal, may be with a complaint, and with nothing else")

	taken(appeal())
	a := w.accepted(appealID)
	if a.About == nil || a.About.RequestID != requestID || len(a.About.DecidedBy) != 1 || len(a.Systems) > 0 || !a.Terms.NoProof {
		t.Errorf("%+v", a)
	}
	w.discreet("the log", w.log.String())
}

// TestComplaintAboutNoRequest: a complaint can be about anything that is done with data, and then
// names no request.
func TestComplaintAboutNoRequest(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	if r := w.post(text(t, request(with("request_id", appealID), with("right", "complaint"), with("jurisdiction", "EEA"), with("details", map[string]any{"message": "You write too much"})))); r.Code != http.StatusAccepted {
		t.Fatalf("%d: %s", r.Code, r.Body)
	}
	if a := w.accepted(appealID); a.About != nil || len(a.Systems) > 0 {
		t.Errorf("%+v", a)
	}
}
