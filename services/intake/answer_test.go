package intake_test

import (
	"net/http"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
)

// answered plays the request to its answer, which lies in the outbox.
func (w *fixture) answered(answer []byte) {
	w.t.Helper()
	const name = requestID + ".zip.age"
	must(w.t, w.Outbox.WriteAll(w.t.Context(), name, answer, nil))
	for range 3 {
		state, err := w.Requests.State(w.t.Context(), requestID)
		must(w.t, err)
		for _, task := range state.Tasks {
			if task.Status != core.TaskIsSent {
				continue
			}
			r := dsar.Report{RequestID: requestID, System: task.System, Action: task.Action, Attempt: task.Attempt, Kind: dsar.ReportEnded, Outcome: dsar.NothingFound}
			if task.Action == dsar.Assemble {
				r.Outcome, r.Objects = dsar.Assembled, []dsar.Object{{Name: name, Bytes: int64(len(answer))}}
			}
			_, err := w.Requests.Do(w.t.Context(), requestID, core.TakeReport{Report: r, Now: now})
			must(w.t, err)
		}
	}
	if state, err := w.Requests.State(w.t.Context(), requestID); err != nil || state.Status != core.StatusCompleted {
		w.t.Fatalf("%s, %v", state.Status, err)
	}
}

// TestFetchAnswer: whose request it is, and who may, fetches the answer as it lies in the
// outbox. That is a fact, once an hour; another caller learns nothing, and what was
// destroyed isn't there.
func TestFetchAnswer(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.Outbox = memblob.OpenBucket(nil)
	w.Keep = &core.Keep{AnswerDays: 30}
	at := now
	w.Now = func() time.Time { return at }
	var tokens map[string]string
	later := func(by time.Duration) { // a token lasts an hour
		at = at.Add(by)
		tokens = w.signsIn(map[string]config.Caller{"signup-page": {Believed: true, Fetches: true}, "other": {Believed: true, Fetches: true}})
	}
	later(0)
	get := func(method, what, who string) (int, string) {
		t.Helper()
		a := w.do(method, "/v1/requests/"+requestID+"/"+what, "/v1/requests/{request_id}/"+what, nil, "Authorization", "Bearer "+tokens[who])
		return a.Code, a.Body.String()
	}
	fetch := func(method, who string) (int, string) { t.Helper(); return get(method, "answer", who) }
	receipt := func(who string) (int, string) { t.Helper(); return get("GET", "receipt", who) }
	if a := w.do("POST", "/v1/requests", "/v1/requests", text(t, request()), "Authorization", "Bearer "+tokens["signup-page"]); a.Code != http.StatusAccepted {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	if code, _ := fetch("GET", "signup-page"); code != http.StatusConflict {
		t.Errorf("before there is an answer: %d", code)
	}
	const sealed = "age-encryption.org/v1 and so on"
	w.answered([]byte(sealed))
	facts := func(want int) {
		t.Helper()
		state, err := w.Requests.State(t.Context(), requestID)
		must(t, err)
		if len(state.Fetched) != want || want > 0 && state.Fetched[0].By != "caller signup-page" {
			t.Errorf("fetched: %+v, not %d times", state.Fetched, want)
		}
	}
	if code, _ := fetch("GET", "other"); code != http.StatusNotFound {
		t.Errorf("another caller: %d", code)
	}
	facts(0)
	for range 3 {
		if code, got := fetch("GET", "signup-page"); code != http.StatusOK || got != sealed {
			t.Errorf("%d %q", code, got)
		}
	}
	facts(1)
	later(core.FetchedOnce)
	if code, got := fetch("GET", "signup-page"); code != http.StatusOK || got != sealed {
		t.Errorf("an hour later: %d %q", code, got)
	}
	facts(2)
	if code, _ := receipt("signup-page"); code != http.StatusConflict {
		t.Errorf("a receipt before there is one: %d", code)
	}
	const left = requestID + ".receipt.html.age"
	must(t, w.Outbox.WriteAll(t.Context(), left, []byte("a receipt"), nil))
	for _, c := range []core.Command{core.IssueReceipt{Sealed: []byte("s"), Leaf: []byte("l"), Now: at}, core.ChangeAnswerKey{By: "agent", Reason: "they called", Now: at}, core.LeaveReceipt{Object: left, Now: at}} {
		_, err := w.Requests.Do(t.Context(), requestID, c)
		must(t, err)
	}
	if code, got := receipt("signup-page"); code != http.StatusOK || got != "a receipt" {
		t.Errorf("%d %q", code, got)
	}
	if code, _ := receipt("other"); code != http.StatusNotFound {
		t.Errorf("another caller's receipt: %d", code)
	}
	for range core.MaxFetched - 2 {
		at = at.Add(core.FetchedOnce)
		_, err := w.Requests.Do(t.Context(), requestID, core.FetchAnswer{By: "caller signup-page", Now: at})
		must(t, err)
	}
	later(core.FetchedOnce)
	if code, _ := fetch("GET", "signup-page"); code != http.StatusConflict {
		t.Errorf("fetched as often as may be: %d", code)
	}
	_, err := w.Requests.Do(t.Context(), requestID, core.Forget{By: core.ByPolicy, Part: core.PartRecords, Document: []byte("d"), Salt: []byte("s"), Leaf: []byte("l"), Now: at})
	must(t, err)
	if code, _ := fetch("GET", "signup-page"); code != http.StatusConflict {
		t.Errorf("destroyed: %d", code)
	}
	if code, _ := receipt("signup-page"); code != http.StatusConflict {
		t.Errorf("a receipt of what was destroyed: %d", code)
	}
	facts(core.MaxFetched)
}
