package console_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/core"
)

// TestInBetween has somebody act on what they have seen, after another has acted:
// nothing is done; they are shown what the other did, and what they wrote is
// still there.
func TestInBetween(t *testing.T) {
	t.Parallel()
	for _, m := range mayDo() {
		method, path, _ := strings.Cut(m.pattern, " ")
		_, act, ofRequest := strings.Cut(path, "{id}/")
		if method != http.MethodPost || !ofRequest || slices.Contains([]string{"reveal", "open-plan", "sent", "preview", "look", "corrections"}, act) {
			continue // to look changes nothing
		}
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			id := m.on(d)
			mine := m.form(d, id)
			mine.Set("reason", "what I had written")
			var other core.Command = core.Hold{By: "the.other", Reason: "a lawsuit came", Dataset: "invoices", Now: d.clock()}
			if strings.HasSuffix(path, "/decide") { // of which nothing can be held
				other = core.Assign{By: "the.other", Reason: "a lawsuit came", To: "paul", Now: d.clock()}
			}
			d.do(id, other)
			before := d.version(id)
			target := strings.ReplaceAll(path, "{id}", id)
			var w *httptest.ResponseRecorder
			if strings.HasSuffix(path, "/answer") {
				w = d.send(d.as(console.Officer), multipartForm(t, target, mine))
			} else {
				w = d.call(d.as(console.Officer), method, target, mine)
			}
			types, _ := d.facts(id, before+1)
			if strings.HasSuffix(path, "/redact") && len(types) == 1 { // the records are shown once more
				types = slices.DeleteFunc(types, func(typ string) bool { return typ == "identifiers.revealed" })
			}
			if w.Code != http.StatusConflict || len(types) > 0 {
				t.Fatalf("%d, and this was done: %v", w.Code, types)
			}
			html := w.Body.String()
			for _, want := range []string{"Somebody else has acted", "a lawsuit came", "the.other"} {
				if !strings.Contains(html, want) {
					t.Errorf("the page lacks %q", want)
				}
			}
			if path != "/requests/{id}/lift" && !strings.Contains(html, "what I had written") {
				t.Error("what was written is gone")
			}
			// Having seen it, they may.
			again := m.form(d, id)
			if strings.HasSuffix(path, "/answer") {
				w = d.send(d.as(console.Officer), multipartForm(t, target, again))
			} else {
				w = d.call(d.as(console.Officer), method, target, again)
			}
			done := http.StatusSeeOther
			if act == "new-passphrase" {
				done = http.StatusOK // it is shown once
			}
			if w.Code != done {
				t.Errorf("and then: %d", w.Code)
			}
		})
	}
}

// TestAtOnce has many act at once on what all have seen: one does.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.running()
	form := d.form(id)
	const many = 16
	codes := make([]int, many)
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() {
			codes[i] = d.call(d.as(console.Agent), "POST", "/requests/"+id+"/"+[]string{"ask-proof", "ask-clarification", "extend"}[i%3], form).Code
		})
	}
	all.Wait()
	won := 0
	for _, code := range codes {
		switch code {
		case http.StatusSeeOther:
			won++
		case http.StatusConflict:
		default:
			t.Errorf("%d", code)
		}
	}
	if won != 1 || d.acts(id) != 1 {
		t.Errorf("%d were told that they did it; %d acts", won, d.acts(id))
	}
}

// TestReason wants one, which may stay for ever.
func TestReason(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.running()
	for reason, ok := range map[string]bool{"": false, "  \n ": false, "write to " + canary: false, strings.Repeat("é", 501): false, strings.Repeat("é", 500): true} {
		before := d.version(id)
		w := d.call(d.as(console.Agent), "POST", "/requests/"+id+"/reveal", d.form(id, "reason", reason))
		if types, _ := d.facts(id, before+1); (len(types) > 0) != ok || (w.Code == http.StatusOK) != ok {
			t.Errorf("%.20q: %d, %v", reason, w.Code, types)
		}
	}
	if _, texts := d.facts(id, 1); strings.Contains(strings.Join(texts, ""), canary) {
		t.Error("the journal holds who it is")
	}
}

// TestAssign gives a request to somebody, whose list shows it; never to a name by
// which the person is known.
func TestAssign(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id, other := d.failed(), d.failed()
	path := "/requests/" + id + "/assign"
	for to, ok := range map[string]bool{canary: false, strings.ToUpper(canary): false, strings.Repeat("x", 201): false, "a.agent": true} {
		if w := d.call(d.as(console.Agent), "POST", path, d.form(id, "to", to)); (w.Code == http.StatusSeeOther) != ok {
			t.Errorf("%.20q: %d", to, w.Code)
		}
	}
	mine := d.call(d.as(console.Agent), "GET", "/?view=mine", nil).Body.String()
	if !strings.Contains(mine, id) || strings.Contains(mine, other) {
		t.Error("the list of mine isn't it")
	}
	if w := d.call(d.as(console.Officer), "GET", "/?view=mine", nil); strings.Contains(w.Body.String(), id) {
		t.Error("it is in another one's list")
	}
	if w := d.call(d.as(console.Viewer), "GET", "/requests/"+id, nil); !strings.Contains(w.Body.String(), "a.agent assigned it to a.agent") {
		t.Error("the timeline doesn't say it")
	}
	d.call(d.as(console.Agent), "POST", path, d.form(id, "to", ""))
	if w := d.call(d.as(console.Agent), "GET", "/?view=mine", nil); strings.Contains(w.Body.String(), id) {
		t.Error("it is still in the list")
	}
}

// TestMany retries and assigns several at once: what somebody else has changed
// since the list was made stays theirs, and that is said.
func TestMany(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, second, running := d.failed(), d.failed(), d.running()
	d.do(second, core.Assign{By: "zoe", To: "zoe", Now: d.clock()})
	form := map[string][]string{"id": {first, second}, "to": {"paul"}, "reason": {"he knows billing"}, "was:" + first: {""}, "was:" + second: {""}, "page": {"/?view=open"}}
	w := d.call(d.as(console.Agent), "POST", "/assign", form)
	to := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther || !strings.HasPrefix(to, "/?") || !strings.Contains(to, "view=open") {
		t.Fatalf("%d %q", w.Code, to)
	}
	if page := d.call(d.as(console.Agent), "GET", to, nil).Body.String(); !strings.Contains(page, "1 of 2 assigned") {
		t.Error("the page doesn't say that one was not")
	}
	for id, want := range map[string]string{first: "paul", second: "zoe"} {
		if row, err := d.journal.Row(t.Context(), id); err != nil || row.Assignee != want {
			t.Errorf("%s: %q %v", id, row.Assignee, err)
		}
	}
	w = d.call(d.as(console.Agent), "POST", "/retry", map[string][]string{"id": {first, second, running}, "reason": {"billing is back"}, "page": {"https://evil.example.com/"}})
	if to := w.Header().Get("Location"); to != "/?did=retry&done=2&of=3" {
		t.Errorf("%d %q", w.Code, to)
	}
	for _, id := range []string{first, second} {
		if s, err := d.requests.State(t.Context(), id); err != nil || s.Status != core.StatusGathering {
			t.Errorf("%s: %s %v", id, s.Status, err)
		}
	}
	for name, ids := range map[string][]string{"none": nil, "no ids": {"x"}, "a path": {"../" + first}, "too many": slices.Repeat([]string{first}, 51)} {
		if w := d.call(d.as(console.Agent), "POST", "/retry", map[string][]string{"id": ids, "reason": {"r"}}); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

// TestFiles answers a gather by hand: records are sealed into the vault, and the
// fact names them.
func TestFiles(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.failed()
	before := d.version(id)
	form := d.form(id, "system", "billing", "action", "gather", "outcome", "gathered")
	w := d.send(d.as(console.Agent), multipartForm(t, "/requests/"+id+"/answer", form, "file:invoices", "number,amount\n"+canary+",10\n2,20\n"))
	types, texts := d.facts(id, before+1)
	if w.Code != http.StatusSeeOther || len(types) == 0 || types[0] != "task.ended" {
		t.Fatalf("%d %v", w.Code, types)
	}
	for _, want := range []string{`"by":"a.agent"`, `"gathered":2`, `"outcome":"gathered"`} {
		if !strings.Contains(texts[0], want) {
			t.Errorf("%s lacks %s", texts[0], want)
		}
	}
	s, err := d.requests.State(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	objects := s.Task("billing", dsar.Gather).End.Objects
	if len(objects) != 1 || strings.Contains(strings.Join(texts, ""), canary) {
		t.Fatalf("%v", objects)
	}
	o, err := d.vault.OpenObject(t.Context(), id, objects[0].Name)
	if err != nil {
		t.Fatal(err)
	}
	_ = o.Close()
}

// TestNothingPersonal walks through the pages as somebody who looks for a person
// does: what the person is known by is in no answer but the one that reveals it,
// no address, no header, no log, and the journal doesn't hold it.
func TestNothingPersonal(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var ids []string
	for _, on := range []func(*desk) string{(*desk).running, (*desk).failed, (*desk).tooLarge, (*desk).proofAsked, (*desk).completed, (*desk).held} {
		ids = append(ids, on(d))
	}
	for _, role := range everyone[1:] {
		look := func(what string, w *httptest.ResponseRecorder) {
			if strings.Contains(w.Body.String(), canary) {
				t.Errorf("%s shows it to %s", what, role)
			}
			for name, values := range w.Result().Header {
				if strings.Contains(strings.Join(values, " "), canary) {
					t.Errorf("%s: header %s", what, name)
				}
			}
		}
		found := d.call(d.as(role), "POST", "/find", map[string][]string{"for": {canary}})
		look("find", found)
		for _, id := range ids {
			if !strings.Contains(found.Body.String(), id) {
				t.Errorf("%s isn't found", id)
			}
			look("the page", d.call(d.as(role), "GET", "/requests/"+id, nil))
			look("the export", d.call(d.as(role), "GET", "/requests/"+id+"/trace.json", nil))
			look("a refused reveal", d.call(d.as(role), "POST", "/requests/"+id+"/reveal", d.form(id, "reason", "")))
		}
		for _, page := range []string{"/", "/?view=open", "/?view=all", "/?view=ended", "/systems"} {
			look(page, d.call(d.as(role), "GET", page, nil))
		}
	}
	d.call(d.as(console.Agent), "POST", "/requests/"+ids[0]+"/reveal", d.form(ids[0]))
	for _, id := range ids {
		if _, texts := d.facts(id, 1); strings.Contains(strings.Join(texts, ""), canary) {
			t.Error("the journal holds it")
		}
	}
	if strings.Contains(d.log.String(), canary) {
		t.Error("the log holds it")
	}
}
