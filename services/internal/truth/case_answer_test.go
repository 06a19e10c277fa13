package truth

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/pgtest"
	"habeas.dev/services/sandbox/fault"
	"habeas.dev/services/sandbox/people"
)

// once spoils the nth answer that a spoil can change, and no other.
func once(n int, spoil func(*http.Request, *fault.Answer) bool) (*spoiler, *int) {
	changed := 0
	var mu sync.Mutex
	var s spoiler = func(r *http.Request, a *fault.Answer) {
		mu.Lock()
		defer mu.Unlock()
		whole := *a
		whole.Header = a.Header.Clone()
		if changed >= n || !spoil(r, &whole) {
			return
		}
		if changed++; changed == n {
			*a = whole
		}
	}
	return &s, &changed
}

// plays has a person of a population ask for access and erasure while one answer after
// another is spoilt, each alone, and holds what is said against what the vendor holds.
// The vendor is asked again: nobody is needed.
func playsSpoilt(t *testing.T, vendor string, spoils map[string]func(*http.Request, *fault.Answer) bool) {
	for name, spoil := range spoils {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tried := false
			for _, right := range []dsar.Right{dsar.Access, dsar.Erasure} {
				for n := 1; n <= spoiltAnswers; n++ {
					p := people.Generate(people.Config{Seed: 15, People: 4})
					s := newScene(t, sqLite)
					s.quiet = true
					change, changed := once(n, spoil)
					v := s.vendor(vendor, p, change)
					s.begin()
					state := s.asks(right, who(p, people.Camille)...)
					if *changed < n {
						break
					}
					tried = true
					if state.Status != core.StatusCompleted {
						t.Errorf("%s, with answer %d spoilt: %s %s", right, n, state.Status, ends(state))
						continue
					}
					for _, lie := range v.judge(s, p, right, people.Camille, state, false) {
						t.Errorf("with answer %d spoilt: %s", n, lie)
					}
				}
			}
			if !tried {
				t.Error("no answer was spoilt")
			}
		})
	}
}

// object changes the first object of a JSON answer that f changes.
func object(f func(m map[string]any) bool) func(*http.Request, *fault.Answer) bool {
	return func(_ *http.Request, a *fault.Answer) bool {
		done := false
		return fault.Edit(a, func(_ string, m map[string]any) { done = done || f(m) }) && done
	}
}

// says answers with a status and a body instead.
func says(status int, body string) func(*http.Request, *fault.Answer) bool {
	return func(r *http.Request, a *fault.Answer) bool {
		if strings.Contains(r.URL.Path, "oauth") {
			return false
		}
		a.Status, a.Body = status, []byte(body)
		a.Header.Set("Content-Type", "application/json")
		return true
	}
}

// TestCase14Salesforce: a page without an end, or a composite without a part for each
// question, is no answer.
func TestCase14Salesforce(t *testing.T) {
	t.Parallel()
	playsSpoilt(t, people.Salesforce, map[string]func(*http.Request, *fault.Answer) bool{
		"a page isn't the last, and names no next": object(func(m map[string]any) bool {
			if m["done"] != true {
				return false
			}
			m["done"] = false
			return true
		}),
		"a next page is there, and isn't named": object(func(m map[string]any) bool {
			_, named := m["nextRecordsUrl"]
			delete(m, "nextRecordsUrl")
			return named
		}),
		"a page says that it is the last, and names a next": object(func(m map[string]any) bool {
			if m["nextRecordsUrl"] == nil {
				return false
			}
			m["done"] = true
			return true
		}),
		"a page has fewer records than it says": object(func(m map[string]any) bool {
			list, ok := m["records"].([]any)
			if !ok || len(list) == 0 || m["totalSize"] == nil {
				return false
			}
			m["records"] = list[:len(list)-1]
			return true
		}),
		"a page has a record twice": object(func(m map[string]any) bool {
			list, ok := m["records"].([]any)
			if !ok || len(list) == 0 || m["done"] != true || m["totalSize"] == nil {
				return false
			}
			m["records"], m["totalSize"] = append(list, list[0]), len(list)+1
			return true
		}),
		"a composite lacks its last part": object(func(m map[string]any) bool {
			list, ok := m["compositeResponse"].([]any)
			if !ok || len(list) == 0 {
				return false
			}
			m["compositeResponse"] = list[:len(list)-1]
			return true
		}),
		"a composite has one part twice, and another not": object(func(m map[string]any) bool {
			list, ok := m["compositeResponse"].([]any)
			if !ok || len(list) < 2 {
				return false
			}
			list[len(list)-1] = list[0]
			return true
		}),
		"a composite has one part more": object(func(m map[string]any) bool {
			list, ok := m["compositeResponse"].([]any)
			if !ok || len(list) == 0 {
				return false
			}
			m["compositeResponse"] = append(list, list[0])
			return true
		}),
		"a composite has no parts": object(func(m map[string]any) bool {
			_, ok := m["compositeResponse"].([]any)
			m["compositeResponse"] = []any{}
			return ok
		}),
		"a composite answers null": says(http.StatusOK, "null"),
		"an empty object":          says(http.StatusOK, "{}"),
		"an empty list":            says(http.StatusOK, "[]"),
	})
}

// TestCase14Marketo: what isn't success, or lacks its result, is no answer.
func TestCase14Marketo(t *testing.T) {
	t.Parallel()
	playsSpoilt(t, people.Marketo, map[string]func(*http.Request, *fault.Answer) bool{
		// Of activities Marketo leaves out the list of a page without rows: nobody can tell.
		"success without a result": func(r *http.Request, a *fault.Answer) bool {
			return !strings.Contains(r.URL.Path, "/activities") && object(func(m map[string]any) bool {
				_, ok := m["result"].([]any)
				delete(m, "result")
				return ok && m["success"] == true
			})(r, a)
		},
		"a result, and no word of success": object(func(m map[string]any) bool {
			_, ok := m["success"]
			delete(m, "success")
			return ok
		}),
		"no success, and no errors": object(func(m map[string]any) bool {
			if m["success"] != true {
				return false
			}
			m["success"] = false
			delete(m, "result")
			return true
		}),
		"more, and no token": object(func(m map[string]any) bool {
			if _, ok := m["moreResult"]; !ok {
				return false
			}
			m["moreResult"] = true
			delete(m, "nextPageToken")
			return true
		}),
		"an error that passes":      says(http.StatusOK, `{"requestId":"1","success":false,"errors":[{"code":"604","message":"Request timed out"}]}`),
		"an error of no known code": says(http.StatusOK, `{"requestId":"1","success":false,"errors":[{"code":"9999","message":"New"}]}`),
		"an empty object":           says(http.StatusOK, "{}"),
	})
}

// TestCase14PaymentTech: a profile's answer without its status is no answer.
func TestCase14PaymentTech(t *testing.T) {
	t.Parallel()
	drop := func(member string) func(*http.Request, *fault.Answer) bool {
		return object(func(m map[string]any) bool {
			_, there := m[member]
			delete(m, member)
			return there
		})
	}
	playsSpoilt(t, people.PaymentTech, map[string]func(*http.Request, *fault.Answer) bool{
		"no status":    drop("procStatus"),
		"no reference": drop("customerRefNum"),
		"half": func(_ *http.Request, a *fault.Answer) bool {
			a.Body = a.Body[:len(a.Body)/2]
			return true
		},
		"a page to log in":              says(http.StatusOK, "<html><body>Please log in</body></html>"),
		"an empty object":               says(http.StatusOK, "{}"),
		"no profile, and not its words": says(http.StatusNotFound, `{"message":"no such path"}`),
	})
}

// TestCase14AnothersProfile: an answer about somebody else is nobody's, and is shown to
// nobody.
func TestCase14AnothersProfile(t *testing.T) {
	t.Parallel()
	p := people.Generate(people.Config{Seed: 15, People: 4})
	s := newScene(t, sqLite)
	s.quiet = true
	change, changed := once(1, object(func(m map[string]any) bool {
		_, there := m["customerRefNum"]
		if there {
			m["customerRefNum"] = p.CustomerRef(people.Californian)
		}
		return there
	}))
	v := s.vendor(people.PaymentTech, p, change)
	s.begin()
	s.stops(s.asks(dsar.Erasure, who(p, people.Camille)...), people.PaymentTech, "another reference")
	if *changed == 0 || !v.holds(people.Californian) || !v.holds(people.Camille) {
		t.Error("something was erased")
	}
}

// TestCase15HubSpot: an answer of which a part failed is none for that part.
func TestCase15HubSpot(t *testing.T) {
	t.Parallel()
	partly := func(category string, keep bool) func(*http.Request, *fault.Answer) bool {
		return func(_ *http.Request, a *fault.Answer) bool {
			done := false
			ok := fault.Edit(a, func(_ string, m map[string]any) {
				list, ok := m["results"].([]any)
				if !ok || done {
					return
				}
				done = true
				if !keep && len(list) > 0 {
					m["results"] = list[1:]
				}
				m["errors"] = []map[string]any{{"status": "error", "category": category, "message": "Try again."}}
				m["numErrors"] = 1
			})
			if ok && done {
				a.Status = http.StatusMultiStatus
			}
			return ok && done
		}
	}
	playsSpoilt(t, people.HubSpot, map[string]func(*http.Request, *fault.Answer) bool{
		"rate limits":             partly("RATE_LIMITS", false),
		"rate limits, beside all": partly("RATE_LIMITS", true),
		"an unknown category":     partly("SOMETHING_NEW", false),
		"no category":             partly("", false),
		"207 without errors": func(_ *http.Request, a *fault.Answer) bool {
			done := false
			_ = fault.Edit(a, func(_ string, m map[string]any) {
				if list, ok := m["results"].([]any); ok && len(list) > 0 && !done {
					m["results"], done = list[1:], true
				}
			})
			if done {
				a.Status = http.StatusMultiStatus
			}
			return done
		},
		"an absence of what exists": func(_ *http.Request, a *fault.Answer) bool {
			done := false
			_ = fault.Edit(a, func(_ string, m map[string]any) {
				if list, ok := m["results"].([]any); ok && len(list) > 0 && !done {
					m["results"], done = []any{}, true
				}
			})
			return done
		},
		"an empty object": says(http.StatusOK, "{}"),
	})
}

// TestCase16PassingTrouble: what passes is asked again, whole or inside of a composite,
// and needs nobody.
func TestCase16PassingTrouble(t *testing.T) {
	t.Parallel()
	spoils := map[string]func(*http.Request, *fault.Answer) bool{}
	for _, e := range []struct {
		status int
		code   string
	}{{503, "SERVER_UNAVAILABLE"}, {500, "UNKNOWN_EXCEPTION"}, {400, "QUERY_TIMEOUT"}, {502, "BAD_GATEWAY"}, {504, ""}, {400, "UNABLE_TO_LOCK_ROW"}, {403, "REQUEST_LIMIT_EXCEEDED"}, {500, "MALFORMED_QUERY"}, {503, "INSUFFICIENT_ACCESS"}} {
		body, err := json.Marshal([]map[string]string{{"errorCode": e.code, "message": "Try again."}})
		if err != nil {
			t.Fatal(err)
		}
		text := string(body)
		if e.code == "" {
			text = "<html>Gateway Timeout</html>"
		}
		if e.code != "QUERY_TIMEOUT" && e.code != "UNABLE_TO_LOCK_ROW" {
			spoils[fmt.Sprint(e.status, " ", e.code)] = says(e.status, text)
		}
		if e.code == "" || e.code == "UNABLE_TO_LOCK_ROW" {
			continue
		}
		spoils[fmt.Sprint(e.status, " ", e.code, " inside")] = func(_ *http.Request, a *fault.Answer) bool {
			done := false
			return fault.Edit(a, func(name string, m map[string]any) {
				if _, query := m["body"].(map[string]any); name == "compositeResponse" && !done && query {
					m["body"], m["httpStatusCode"], done = json.RawMessage(text), e.status, true
				}
			}) && done
		}
	}
	playsSpoilt(t, people.Salesforce, spoils)
}

// TestCase16OtherVendors: the same of the others, in their own words.
func TestCase16OtherVendors(t *testing.T) {
	t.Parallel()
	t.Run("HubSpot", func(t *testing.T) {
		t.Parallel()
		playsSpoilt(t, people.HubSpot, map[string]func(*http.Request, *fault.Answer) bool{
			"502 of a proxy":   says(http.StatusBadGateway, "<html>Bad Gateway</html>"),
			"423 locked":       says(http.StatusLocked, `{"status":"error","category":"LOCKED","message":"x"}`),
			"477 migration":    says(477, `{"status":"error","category":"MIGRATION_IN_PROGRESS","message":"x"}`),
			"429":              says(http.StatusTooManyRequests, `{"status":"error","category":"RATE_LIMITS","message":"x"}`),
			"404 of a proxy":   says(http.StatusNotFound, "<html>Not Found</html>"),
			"400 of no vendor": says(http.StatusBadRequest, "nonsense"),
		})
	})
	t.Run("Marketo", func(t *testing.T) {
		t.Parallel()
		spoils := map[string]func(*http.Request, *fault.Answer) bool{}
		for _, code := range []string{"502", "608", "611", "606", "615", "713"} {
			spoils[code] = says(http.StatusOK, `{"requestId":"1","success":false,"errors":[{"code":"`+code+`","message":"x"}]}`)
		}
		playsSpoilt(t, people.Marketo, spoils)
	})
}

// TestCase17Pooler: behind PgBouncer in transaction mode, with a pool of two, everything
// works, also where four processes ask at once.
func TestCase17Pooler(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	pooler := server.Pooler(t, 2)
	const clients = 5
	for process := range 4 {
		t.Run(fmt.Sprint("process ", process), func(t *testing.T) {
			t.Parallel()
			s := newScene(t, postgreSQL)
			db := newStore(t, postgreSQL)
			m := ordinary(t, fmt.Sprintf(numbered, "desk", "")+"schema: "+db.schema+"\n")
			for _, statement := range numberedTables("notes") {
				db.exec(statement)
			}
			for p := range clients {
				db.row("users", p, email(p), "PERSON")
				db.row("notes", p, p, email(p))
			}
			s.stores["desk"] = db
			s.sites = append(s.sites, site{manifest: m, source: pooler})
			s.begin()
			for p := range clients {
				s.shows(s.completes(dsar.Access, "email "+email(p)), "desk", "notes", fmt.Sprint(p))
				s.numbers(s.completes(dsar.Erasure, "email "+email(p)), "desk", "notes", 1, 1, 0)
			}
			s.holds("desk", "SELECT id FROM notes")
		})
	}
}
