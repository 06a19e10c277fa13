package hubspot

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"habeas.dev/services/sandbox/people"
)

// TestKept: what callers change is there after a restart, and what they deleted
// isn't.
func TestKept(t *testing.T) {
	t.Parallel()
	dir, p := t.TempDir(), people.Generate(people.Config{Seed: 3, People: 12})
	open := func() *Server {
		s, err := New(Config{Population: p, Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	call := func(s *Server, path, body string) (int, string) {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, pathContacts+path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+DefaultToken)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	gone, kept := p.Person(people.Leaver), p.Person(people.Camille)
	s := open()
	if code, text := call(s, "gdpr-delete", `{"idProperty":"email","objectId":"`+gone.Email+`"}`); code != http.StatusNoContent {
		t.Fatal(code, text)
	}
	if code, text := call(s, "batch/update", `{"idProperty":"email","inputs":[{"id":"`+kept.Email+`","properties":{"city":"Lyon"}}]}`); code != http.StatusOK {
		t.Fatal(code, text)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open()
	code, text := call(s, "batch/read", `{"idProperty":"email","properties":["city"],"inputs":[{"id":"`+gone.Email+`"},{"id":"`+kept.Email+`"}]}`)
	if code != http.StatusMultiStatus || !strings.Contains(text, `"city":"Lyon"`) || !strings.Contains(text, "OBJECT_NOT_FOUND") || s.Holds(gone.Email) || !s.Holds(kept.Email) {
		t.Errorf("%d %s", code, text)
	}
	for body, want := range map[string]int{`{`: 400, `{"inputs":[]}`: 400, `{"idProperty":"phone","inputs":[{"id":"1"}]}`: 400, `{"inputs":[{"id":"0"}]}`: 207} {
		if code, text := call(s, "batch/read", body); code != want {
			t.Errorf("%s: %d %s", body, code, text)
		}
	}
}
