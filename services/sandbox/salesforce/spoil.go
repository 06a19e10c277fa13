package salesforce

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"regexp"

	"habeas.dev/services/sandbox/fault"
)

// spoils returns the ways in which answers must not count: lists of a page, of a
// Composite, of a collection and of SOAP that lack something, pages without end,
// and errors that pass, of the whole call or of a part.
func spoils() map[string]fault.Spoil {
	short, doubled, emptied := fault.Lists("compositeResponse", "records", "body")
	inShort, inDoubled, inEmptied := fault.Lists("records", "body")
	result := regexp.MustCompile(`(?s)<result>.*?</result>`)
	soap := func(change func(result []byte) []byte, times int) fault.Spoil {
		return func(_ *rand.Rand, _ *http.Request, a *fault.Answer) bool {
			n := 0
			was := len(a.Body)
			a.Body = result.ReplaceAllFunc(a.Body, func(r []byte) []byte {
				if n++; n > times && times > 0 {
					return r
				}
				return change(r)
			})
			return len(a.Body) != was
		}
	}
	nothing := func([]byte) []byte { return nil }
	double := func(r []byte) []byte { return append(append([]byte(nil), r...), r...) }
	return fault.Spoils(map[string]fault.Spoil{
		fault.Short:   fault.Any(short, inShort, soap(nothing, 1)),
		fault.Doubled: fault.Any(doubled, inDoubled, soap(double, 1)),
		fault.Emptied: fault.Any(emptied, inEmptied, soap(nothing, 0)),
		fault.Unended: func(r *rand.Rand, req *http.Request, a *fault.Answer) bool {
			return fault.Without("nextRecordsUrl")(r, req, a) || fault.Without("done")(r, req, a)
		},
		fault.Passing: fault.Says(passing()...),
		fault.Unknown: fault.Any(fault.Says(says(http.StatusBadRequest, "BRAND_NEW_CODE")), inside(says(http.StatusBadRequest, "BRAND_NEW_CODE"))),
		fault.Partly:  inside(append(passing(), says(http.StatusBadRequest, "QUERY_TIMEOUT"))...),
	})
}

func passing() []fault.Answer {
	return []fault.Answer{says(http.StatusServiceUnavailable, "SERVER_UNAVAILABLE"), says(http.StatusInternalServerError, "UNKNOWN_EXCEPTION")}
}

func says(status int, code string) fault.Answer {
	return fault.Answer{Status: status, Body: apiError{code: code, message: "Try again."}.json()}
}

// inside returns the spoil that answers one of some errors for one part of a
// Composite. A query alone times out.
func inside(errors ...fault.Answer) fault.Spoil {
	return func(r *rand.Rand, _ *http.Request, a *fault.Answer) bool {
		e := errors[r.IntN(len(errors))]
		done := false
		return fault.Edit(a, func(name string, m map[string]any) {
			_, query := m["body"].(map[string]any)
			if name != "compositeResponse" || done || !query && e.Status == http.StatusBadRequest {
				return
			}
			m["body"], m["httpStatusCode"], done = json.RawMessage(e.Body), e.Status, true
		}) && done
	}
}
