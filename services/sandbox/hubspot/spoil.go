package hubspot

import (
	"math/rand/v2"
	"net/http"

	"habeas.dev/services/sandbox/fault"
)

// spoils returns the ways in which answers must not count: results or absences that
// are missing, errors of some of many, and errors that pass.
func spoils() map[string]fault.Spoil {
	short, doubled, emptied := fault.Lists("results", "ids")
	return fault.Spoils(map[string]fault.Spoil{
		fault.Short: short, fault.Doubled: doubled, fault.Emptied: emptied,
		fault.Passing: fault.Says(says(http.StatusInternalServerError, "INTERNAL_ERROR"), says(http.StatusServiceUnavailable, "SERVICE_UNAVAILABLE"), says(http.StatusBadGateway, "")),
		fault.Unknown: fault.Says(says(http.StatusBadRequest, "BRAND_NEW_CATEGORY")),
		fault.Partly:  partly,
	})
}

// partly answers 207 with an error of another kind in the place of one result, or
// of what names the absent.
func partly(r *rand.Rand, _ *http.Request, a *fault.Answer) bool {
	category := []string{"RATE_LIMITS", "INTERNAL_ERROR", "BRAND_NEW_CATEGORY"}[r.IntN(3)]
	done := false
	return fault.Edit(a, func(_ string, m map[string]any) {
		results, ok := m["results"].([]any)
		if !ok || done {
			return
		}
		done = true
		if len(results) > 0 {
			m["results"] = results[1:]
		}
		m["errors"] = []map[string]any{{"status": "error", "category": category, "message": "Try again.", "context": map[string]any{}}}
		a.Status = http.StatusMultiStatus
	}) && done
}

func says(status int, category string) fault.Answer {
	return fault.Answer{Status: status, Body: []byte(`{"status":"error","message":"Try again.","category":"` + category + `"}`)}
}
