package hubspot

import (
	"net/http"
	"time"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

const (
	// dailyWait is when to ask again once the day's calls are used up. They are
	// renewed at midnight in the account's time zone, which the answer doesn't tell.
	dailyWait = time.Hour
	// lockedWait is what HubSpot asks for at least between two tries of a record
	// that is locked.
	lockedWait = 2 * time.Second
	// statusMigrating is HubSpot's own: the account is being moved.
	statusMigrating = 477
)

// HubSpot's categories of errors, and what stands for those that are told by a
// status or a policy.
const (
	categoryAbsent    = "OBJECT_NOT_FOUND"
	categoryDaily     = "DAILY"
	categoryLocked    = "LOCKED"
	categoryMigrating = "MIGRATING"
)

const codeRefused = "refused"

// errGone is a contact that isn't there.
var errGone = worker.Permanent("gone", "HubSpot has no such contact", nil)

// codes returns the meanings of HubSpot's categories (HubSpot, "Error handling").
func codes() vendorapi.Codes {
	return vendorapi.Codes{
		categoryDaily: func(r vendorapi.Reply) error {
			return worker.RetryAfter(max(r.After, dailyWait), "quota", "the day's calls of the HubSpot account are used up", r.Detail)
		},
		categoryLocked:   vendorapi.Passing(lockedWait, "locked", "HubSpot has a record locked for a moment"),
		categoryAbsent:   func(vendorapi.Reply) error { return errGone },
		"MISSING_SCOPES": vendorapi.Final("no-permission", "HubSpot forbids the call: give the private app the scopes crm.objects.contacts.read and .write"),
	}.
		With(vendorapi.Passing(0, "rate-limited", "HubSpot asks for fewer calls"), "RATE_LIMIT", "RATE_LIMITS", categoryMigrating).
		With(vendorapi.Renewing, "INVALID_AUTHENTICATION", "EXPIRED_AUTHENTICATION").
		With(vendorapi.Final(codeRefused, "HubSpot refuses the call"), "VALIDATION_ERROR", "CONFLICT", "METHOD_NOT_ALLOWED")
}

// readReply reads an answer in HubSpot's form: an object, or, of a deletion,
// nothing with HTTP 204. An error has a category; one of the limits a policy.
func readReply(a *vendorapi.Answer) vendorapi.Reply {
	switch a.Status {
	case http.StatusNoContent:
		return vendorapi.Reply{Own: true}
	case http.StatusLocked:
		return vendorapi.Reply{Own: true, Code: categoryLocked}
	case statusMigrating:
		return vendorapi.Reply{Own: true, Code: categoryMigrating}
	}
	var category, kind, policy string
	s := vendorapi.NewScanner(a.Body)
	s.Object(func(key []byte) {
		switch string(key) {
		case "category":
			category = s.String()
		case "errorType":
			kind = s.String()
		case "policyName":
			policy = s.String()
		default:
			s.Skip()
		}
	})
	s.End()
	switch {
	case s.Err() != nil:
		return vendorapi.Reply{}
	case policy == categoryDaily:
		return vendorapi.Reply{Own: true, Code: categoryDaily}
	case a.Status < http.StatusMultipleChoices:
		return vendorapi.Reply{Own: true}
	case category == "":
		category = kind
	}
	return vendorapi.Reply{Own: category != "", Code: category}
}
