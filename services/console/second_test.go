package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/core"
)

// TestFourEyes: what two people must want is done when the second one says so, from page to
// page; what identifies the person isn't shown before, in whichever way somebody asks for it.
func TestFourEyes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.secondAsked()
	lea := d.session(console.User{Name: "lea", Role: console.Officer, ID: "https://id.example.com#7"})
	paul := d.session(console.User{Name: "paul", Role: console.Officer, ID: "https://id.example.com#9"})
	asked := fmt.Sprint(d.version(id))

	page := d.call(paul, "GET", "/requests/"+id, nil).Body.String()
	for _, want := range []string{"to refuse the request (", "the sixth in a month", "lea", "yes, I agree"} {
		if !strings.Contains(page, want) {
			t.Errorf("the second person doesn't read %q", want)
		}
	}
	page = d.call(lea, "GET", "/requests/"+id, nil).Body.String()
	if strings.Contains(page, "yes, I agree") || !strings.Contains(page, "You can take it back") {
		t.Error("who asked may agree")
	}
	if w := d.call(lea, "POST", "/requests/"+id+"/second", d.form(id, "asked", asked, "verdict", "agree")); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("who asked agrees: %d", w.Code)
	}

	// To look: before, while and after a second person is asked.
	reveal := func(who []*http.Cookie) (shown bool, to string) {
		w := d.call(who, "POST", "/requests/"+id+"/reveal", d.form(id))
		return strings.Contains(w.Body.String(), canary), w.Header().Get("Location")
	}
	if shown, to := reveal(lea); shown || to != "/requests/"+id+"?done=second-asked" {
		t.Errorf("shown: %v; to %q", shown, to)
	}
	if page := d.call(lea, "GET", "/requests/"+id+"?done=second-asked", nil).Body.String(); !strings.Contains(page, "isn’t done yet") {
		t.Error("who asked isn't told that a second person is")
	}
	look := fmt.Sprint(d.version(id))
	for _, path := range []string{"/reveal", "/sent", "/look", "/redact"} {
		if w := d.call(lea, "POST", "/requests/"+id+path, d.form(id, "object", "proof", "system", "billing")); strings.Contains(w.Body.String(), canary) || w.Code == http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := d.call(paul, "POST", "/requests/"+id+"/second", d.form(id, "asked", look, "verdict", "agree")); w.Code != http.StatusSeeOther {
		t.Errorf("the second agrees: %d", w.Code)
	}
	if shown, _ := reveal(lea); !shown {
		t.Error("who asked may not look")
	}
	if shown, _ := reveal(paul); shown {
		t.Error("who agreed looks without being asked for")
	}

	if w := d.call(paul, "POST", "/requests/"+id+"/second", d.form(id, "asked", asked, "verdict", "agree")); w.Code != http.StatusSeeOther {
		t.Errorf("the second agrees: %d", w.Code)
	}
	if s := stateOf(t, d, id); s.Status != core.StatusRefused || s.Refusal.By != "lea <https://id.example.com#7>" {
		t.Errorf("%s by %q", s.Status, s.Refusal.By)
	}
	page = d.call(paul, "GET", "/requests/"+id, nil).Body.String()
	for _, want := range []string{"a second person must agree", "agrees"} {
		if !strings.Contains(page, want) {
			t.Errorf("the trace lacks %q", want)
		}
	}
}

// TestFourEyesOfWhatWasGathered: to look at records, and to see them again beside a form that
// was refused, needs the second person as well.
func TestFourEyesOfWhatWasGathered(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.fourEyes = []core.FourEyes{core.FourEyesReveals}
	id := d.toldOfOthers()
	lea := d.session(console.User{Name: "lea", Role: console.Officer, ID: "https://id.example.com#7"})
	for _, call := range []struct {
		path string
		form url.Values
	}{
		{"/redact", d.form(id, "system", "billing", "value:1:note", "no reason that there is")},
		{"/look", d.form(id, "system", "billing")},
		{"/redact", d.form(id, "system", "billing", "value:1:note", "no reason that there is")},
	} {
		if w := d.call(lea, "POST", "/requests/"+id+call.path, call.form); w.Code == http.StatusOK || strings.Contains(w.Body.String(), "value:1:") {
			t.Errorf("%s: %d, and records are shown", call.path, w.Code)
		}
	}
	if s := stateOf(t, d, id); len(s.Unjudged()) != 1 || s.Unjudged()[0].Verb != core.VerbReveal || s.Unjudged()[0].System != "billing" || s.Right != dsar.Access {
		t.Errorf("%+v", s.Unjudged())
	}
}

// TestEveryActMayNeedASecond: whatever somebody does goes by the one function that asks a second
// person where one must agree: what calls the core itself is refused then, and nobody is asked.
func TestEveryActMayNeedASecond(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 20 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		calls := strings.Count(string(text), "Requests.Do(")
		if file != "second.go" && !strings.HasSuffix(file, "_test.go") && calls > 0 {
			t.Errorf("%s has the core do something by itself", file)
		}
		if file == "second.go" && calls == 0 {
			t.Error("second.go has it do nothing")
		}
	}
}

// TestFourEyesOfCorrections: what a correction would change is shown once a second person has
// agreed, who is asked for it there.
func TestFourEyesOfCorrections(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.fourEyes = []core.FourEyes{core.FourEyesReveals}
	id := d.toCorrect()
	lea := d.session(console.User{Name: "lea", Role: console.Officer, ID: "https://id.example.com#7"})
	paul := d.session(console.User{Name: "paul", Role: console.Officer, ID: "https://id.example.com#9"})
	w := d.call(lea, "POST", "/requests/"+id+"/corrections", d.form(id))
	if strings.Contains(w.Body.String(), "Dupond-before") || w.Header().Get("Location") != "/requests/"+id+"?done=second-asked" || len(stateOf(t, d, id).Unjudged()) != 1 {
		t.Fatalf("%d to %q, and %+v is asked", w.Code, w.Header().Get("Location"), stateOf(t, d, id).Unjudged())
	}
	if w := d.call(paul, "POST", "/requests/"+id+"/second", d.form(id, "asked", fmt.Sprint(d.version(id)), "verdict", "agree")); w.Header().Get("Location") != "/requests/"+id+"?done=second" {
		t.Fatalf("the second agrees: %d to %q", w.Code, w.Header().Get("Location"))
	}
	if w := d.call(lea, "POST", "/requests/"+id+"/corrections", d.form(id)); !strings.Contains(w.Body.String(), "Dupond-before") {
		t.Errorf("who asked may not look: %d", w.Code)
	}
}

// TestDeclinedIsNotDone: who declines, or takes back what they asked for, reads that it isn't
// done.
func TestDeclinedIsNotDone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.secondAsked()
	paul := d.session(console.User{Name: "paul", Role: console.Officer, ID: "https://id.example.com#9"})
	w := d.call(paul, "POST", "/requests/"+id+"/second", d.form(id, "asked", fmt.Sprint(d.version(id)), "verdict", "decline"))
	to := w.Header().Get("Location")
	if to != "/requests/"+id+"?done=second-declined" {
		t.Fatalf("%d to %q", w.Code, to)
	}
	if page := d.call(paul, "GET", to, nil).Body.String(); !strings.Contains(page, "It is noted: it isn’t done.") || strings.Contains(page, "What you agreed to is done") {
		t.Error("the page says something else")
	}
}

func stateOf(t *testing.T, d *desk, id string) core.State {
	t.Helper()
	s, err := d.requests.State(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
