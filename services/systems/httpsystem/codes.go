package httpsystem

import (
	"net/http"
	"strconv"
	"time"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

const (
	// maxRefusal bounds what is read of an answer that isn't lines; its beginning is
	// sealed, for whoever mends it.
	maxRefusal = 64 << 10

	codeRefused  = "refused"
	codeNotSetUp = "not-set-up"
)

// codes returns what the service's statuses mean.
func codes() vendorapi.Codes {
	notSetUp := vendorapi.Final(codeNotSetUp, "the service isn't set up as the manifest says: look at its address, its secret and its log")
	return vendorapi.Codes{
		status(http.StatusConflict): vendorapi.Passing(0, "at-work", "the service is still at work on the same"),
		status(http.StatusGone):     vendorapi.Final("gone", "the service says that the system is gone: retire it"),
	}.
		With(vendorapi.Final(codeRefused, "the service refuses what it is asked"), statuses(400, 413, 415, 422)...).
		With(notSetUp, statuses(300, 301, 302, 303, 304, 307, 308, 401, 403, 404, 405, 406, 411)...).
		With(wait, statuses(408, 425, 429, 503)...)
}

// wait returns what is meant by an answer that asks to come later: a day at most.
func wait(r vendorapi.Reply) error {
	return vendorapi.Again(min(r.After, maxPark), "come-later", "the service asks to come later", r.Detail)
}

func status(code int) string { return "HTTP_" + strconv.Itoa(code) }

func statuses(codes ...int) []string {
	out := make([]string, len(codes))
	for i, c := range codes {
		out[i] = status(c)
	}
	return out
}

// readReply reads an answer's status: lines come with 200, and 202 says that they will.
func readReply(a *vendorapi.Answer) vendorapi.Reply {
	if a.Status == http.StatusOK || a.Status == http.StatusAccepted {
		return vendorapi.Reply{Own: true}
	}
	return vendorapi.Reply{Own: true, Code: status(a.Status)}
}

// minAccepted is the shortest wait before a service is asked again what became of what it
// has accepted.
const minAccepted = time.Second

// accepted returns the error of tasks that the service is at work on.
func accepted(a *vendorapi.Answer, now time.Time) error {
	after := min(max(a.RetryAfter(now), minAccepted), maxPark)
	return worker.RetryAfter(after, "accepted", "the service is at work on it", nil)
}
