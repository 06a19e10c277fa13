package intake

import (
	"encoding/json"
	"net/http"

	"habeas.dev/services/intake/api"
)

// problemBase begins the type of every problem; the code follows. docs/upstream.md
// explains the codes.
const problemBase = "https://habeas.dev/problems/"

// problem is an answer that isn't the one that was hoped for (RFC 9457).
type problem struct {
	status int
	code   string
	title  string
}

// The problems of the HTTP door, as schemas/openapi.yaml has them.
var (
	problemInvalid     = problem{http.StatusBadRequest, "invalid", "The request can't be taken in"}
	problemUnknown     = problem{http.StatusUnauthorized, "unauthenticated", "Nobody has signed in"}
	problemForbidden   = problem{http.StatusForbidden, "forbidden", "This caller may not do this"}
	problemRate        = problem{http.StatusTooManyRequests, "rate", "Too many calls"}
	problemCancel      = problem{http.StatusConflict, "not-cancellable", "The request can't be cancelled any more"}
	problemNoAnswer    = problem{http.StatusConflict, "no-answer", "There is no answer to be fetched"}
	problemNoReceipt   = problem{http.StatusConflict, "no-receipt", "There is no receipt to be fetched"}
	problemNotFound    = problem{http.StatusNotFound, "not-found", "There is no such request"}
	problemPath        = problem{http.StatusNotFound, "not-found", "There is nothing at this path"}
	problemMethod      = problem{http.StatusMethodNotAllowed, "method", "This path doesn't know this method"}
	problemTimeout     = problem{http.StatusRequestTimeout, "timeout", "The body didn't arrive"}
	problemConflict    = problem{http.StatusConflict, "conflict", "The request_id was used before"}
	problemTooLarge    = problem{http.StatusRequestEntityTooLarge, "too-large", "The body is too large"}
	problemContentType = problem{http.StatusUnsupportedMediaType, "content-type", "The body isn't JSON by its content type"}
	problemBusy        = problem{http.StatusTooManyRequests, "busy", "Too many submissions at once"}
	problemUnavailable = problem{http.StatusServiceUnavailable, "unavailable", "Requests can't be taken in now"}
)

// write answers with a problem. The detail MUST NOT quote what was sent.
func (p problem) write(w http.ResponseWriter, detail string, errors ...api.Violation) {
	body := api.Problem{Type: problemBase + p.code, Title: p.title, Status: p.status, Code: p.code}
	if detail != "" {
		body.Detail = &detail
	}
	if len(errors) > 0 {
		body.Errors = &errors
	}
	writeJSON(w, p.status, "application/problem+json", body)
}

// writeRefusal answers with the problem that a refusal is.
func writeRefusal(w http.ResponseWriter, r *Refusal) {
	p := problemInvalid
	switch r.Code {
	case problemConflict.code:
		p = problemConflict
	case problemForbidden.code:
		p = problemForbidden
	case problemRate.code:
		p = problemRate
		w.Header().Set("Retry-After", retryPerson)
	}
	p.code = r.Code
	errors := make([]api.Violation, len(r.Violations))
	for i, v := range r.Violations {
		errors[i] = api.Violation{Pointer: v.Pointer, Rule: v.Rule}
	}
	p.write(w, r.Reason, errors...)
}

func writeJSON(w http.ResponseWriter, status int, contentType string, body any) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	text, err := json.Marshal(body)
	if err != nil { // strings, numbers and times: can't be
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // who doesn't wait for the answer can ask again
}
