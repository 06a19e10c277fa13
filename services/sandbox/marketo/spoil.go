package marketo

import (
	"math/rand/v2"
	"net/http"
	"strings"

	"habeas.dev/services/sandbox/fault"
)

// spoils returns the ways in which answers must not count. What is missing from a
// page shows only where records are counted by those that were sent: Marketo tells
// nothing of how many there are.
func spoils() map[string]fault.Spoil {
	short, doubled, emptied := fault.Lists("result")
	changes := func(r *http.Request) bool {
		return strings.HasSuffix(r.URL.Path, "/delete.json") || r.Header.Get("Content-Type") == "application/json"
	}
	of := func(those func(*http.Request) bool, s fault.Spoil) fault.Spoil {
		return func(rnd *rand.Rand, r *http.Request, a *fault.Answer) bool { return those(r) && s(rnd, r, a) }
	}
	read := func(r *http.Request) bool {
		return !changes(r) && strings.HasPrefix(r.URL.Path, "/rest/") && !strings.Contains(r.URL.Path, "/activities")
	}
	return fault.Spoils(map[string]fault.Spoil{
		fault.Short: of(changes, short),
		fault.Doubled: of(func(r *http.Request) bool {
			return changes(r) || strings.HasSuffix(r.URL.Path, "/leads.json") || strings.HasSuffix(r.URL.Path, "/activities.json")
		}, doubled),
		fault.Emptied: fault.Any(of(changes, emptied), of(read, fault.Without("result"))),
		fault.Unended: fault.Without("moreResult"),
		fault.Passing: fault.Says(says("604"), says("608"), says("611"), says("713"), says("502")),
		fault.Unknown: fault.Says(says("699")),
		fault.Partly: of(changes, func(rnd *rand.Rand, _ *http.Request, a *fault.Answer) bool {
			done := false
			return fault.Edit(a, func(name string, m map[string]any) {
				if _, ok := m["status"]; ok && name == "result" && !done {
					m["status"], m["reasons"], done = "skipped", []map[string]string{{"code": []string{"611", "1099"}[rnd.IntN(2)], "message": "Try again."}}, true
				}
			}) && done
		}),
	})
}

func says(code string) fault.Answer {
	return fault.Answer{Status: http.StatusOK, Body: []byte(`{"requestId":"1#2","success":false,"errors":[{"code":"` + code + `","message":"Try again."}]}`)}
}
