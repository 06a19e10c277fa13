package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/journal"
)

// newForm returns the form of a new request of somebody.
func newForm(d *desk, email string, pairs ...string) url.Values {
	f := url.Values{"request_id": {uuid.NewString()}, "email": {email}, "right": {"access"}, "law": {"EEA"}, "language": {"fr"}, "way": {"telephone"}, "received": {d.clock().Format("2006-01-02")}}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Set(pairs[i], pairs[i+1])
	}
	return f
}

// TestNewRequest: an agent takes in what came by telephone: it is in the journal once,
// assigned to them, and says how it came; a person's requests are shown while typing and
// before another one is taken in; what can't be taken in is said, with what was written.
func TestNewRequest(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	agent := d.as(console.Agent)
	form := newForm(d, "anna@example.com")
	id := form.Get("request_id")
	for range 2 { // a form that is sent twice makes one request
		w := d.call(agent, "POST", "/new", form)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/requests/"+id+"?done=new" {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	s, err := d.requests.State(t.Context(), id)
	if err != nil || s.Assignee != "a.agent" || s.Accepted.Source != "console" || s.Accepted.Locale != "fr" {
		t.Fatalf("%+v, %v", s.Accepted, err)
	}
	if page := d.call(agent, "GET", "/requests/"+id+"?done=new", nil).Body.String(); !strings.Contains(page, "taken in: telephone") || !strings.Contains(page, "assigned to you") {
		t.Error("its page doesn't say how it came")
	}

	// Known while typing, for whoever may search, as a search.
	known := d.call(agent, "POST", "/new/known", url.Values{"email": {" Anna@Example.com"}}).Body.String()
	if !strings.Contains(known, "/requests/"+id) || strings.Contains(strings.ToLower(known), "anna@") || strings.Contains(known, "<html") {
		t.Errorf("known while typing: %s", known)
	}
	if none := d.call(agent, "POST", "/new/known", url.Values{"email": {"other@example.com"}}).Body.String(); !strings.Contains(none, "No request of this person") {
		t.Errorf("of one who has none: %s", none)
	}
	searches, err := d.journal.Searches(t.Context(), journal.SearchFilter{By: "a.agent", Limit: 10})
	if err != nil || len(searches) < 3 {
		t.Errorf("%d searches are noted, %v", len(searches), err)
	}

	// Another one of hers is taken in once the agent has seen the first.
	again := newForm(d, "anna@example.com", "right", "erasure")
	w := d.call(agent, "POST", "/new", again)
	if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "/requests/"+id) || !strings.Contains(w.Body.String(), `value="anna@example.com"`) {
		t.Fatalf("a second one: %d %s", w.Code, w.Body)
	}
	if d.version(again.Get("request_id")) > 0 {
		t.Fatal("it was taken in before anybody saw the first")
	}
	again.Set("anyway", "yes")
	if w := d.call(agent, "POST", "/new", again); w.Code != http.StatusSeeOther {
		t.Errorf("a second one, seen: %d", w.Code)
	}

	for name, c := range map[string]struct{ form url.Values }{
		"nobody":      {newForm(d, "")},
		"tomorrow":    {newForm(d, "x@example.com", "received", d.clock().AddDate(0, 0, 2).Format("2006-01-02"))},
		"no day":      {newForm(d, "x@example.com", "received", "yesterday")},
		"no right":    {newForm(d, "x@example.com", "right", "everything")},
		"no law":      {newForm(d, "x@example.com", "law", "Mars")},
		"not granted": {newForm(d, "x@example.com", "right", string(dsar.OptOut))},
		"too often":   {newForm(d, "often@example.com")},
		"no way":      {newForm(d, "x@example.com", "way", "<script>")},
		"no id":       {newForm(d, "x@example.com", "request_id", "1")},
	} {
		w := d.call(agent, "POST", "/new", c.form)
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `role="alert"`) || strings.Contains(w.Body.String(), "<script>") {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	if strings.Contains(d.log.String(), "anna@") || strings.Contains(d.log.String(), "x@example") {
		t.Error("the log has whom it is about")
	}
}
