package marketo

import (
	"strings"
	"time"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// readReply reads what every answer begins with. Marketo answers its own errors with
// HTTP 200 and success false.
func readReply(a *vendorapi.Answer) vendorapi.Reply {
	var r vendorapi.Reply
	good := false
	s := vendorapi.NewScanner(a.Body)
	s.Object(func(key []byte) {
		switch string(key) {
		case "success":
			r.Own, good = true, s.Bool()
		case "errors":
			s.Array(func() {
				s.Object(func(key []byte) {
					switch v := s.Value(); {
					case string(key) == "code" && r.Code == "":
						r.Code = idText(v)
					case string(key) == "message" && r.Message == "":
						r.Message = vendorapi.Text(v)
					}
				})
			})
		default:
			s.Skip()
		}
	})
	s.End()
	switch {
	case s.Err() != nil:
		return vendorapi.Reply{}
	case good:
		r.Code = ""
	case r.Code == "":
		r.Code = "none"
	}
	return r
}

// codes returns the codes of a whole call, and those of one record that isn't
// changed (Adobe, "Error Codes").
func (w *Worker) codes() vendorapi.Codes {
	return vendorapi.Codes{
		"606": vendorapi.Passing(ratePause, "rate-limited", "Marketo asks for fewer calls"),
		"615": vendorapi.Passing(0, "too-many-at-once", "Marketo is asked by too many at once"),
		"607": func(r vendorapi.Reply) error {
			return worker.RetryAt(w.quotaDay.end(w.config.Now()), "quota", "the day's calls of the Marketo instance are used up; they are renewed at midnight in Chicago", r.Detail)
		},
		"603":  vendorapi.Final(codeForbidden, "Marketo forbids the call: check the permissions of the worker's API user"),
		"702":  vendorapi.Final(codeSchema, "Marketo doesn't know a program that the manifest names under programs: take it out there"),
		"1003": w.invalid,
		"1004": vendorapi.Final(codeGone, "Marketo has no such lead"),
		"1006": vendorapi.Final(codeSchema, "Marketo doesn't know a field that the manifest declares: make it, or take the column out of the manifest"),
		"1013": vendorapi.Final(codeGone, "Marketo has no such record"),
		"1018": vendorapi.Final("crm-sync", "Marketo doesn't delete a lead that its CRM holds: erase it there first"),
		"1022": vendorapi.Passing(0, codeInUse, "a record is in use in Marketo; it is tried again later"),
	}.
		With(vendorapi.Renewing, "600", "601", "602").
		With(vendorapi.Doubtful("unavailable", "Marketo is unavailable for a moment"), "502", "604", "608", "611", "614", "713").
		With(vendorapi.Final(codeRefused, "Marketo refuses it"), "609", "610", "612", "701", "703", "704", "709", "710", "711", "712",
			"1001", "1002", "1005", "1007", "1008", "1009", "1010", "1011", "1014", "1015", "1021", "1025", "1026", "1035")
}

// invalid returns the error of code 1003, which is given for a page's name as for a
// value.
func (w *Worker) invalid(r vendorapi.Reply) error {
	if strings.Contains(r.Message, "nextPageToken") {
		w.forgetTypes()
		return worker.Transient("page-expired", "Marketo no longer knows the place in a long answer; it is asked anew", r.Detail)
	}
	return worker.Permanent(codeBadValue, "Marketo refuses to be asked for this address, or more than 1,000 leads have it: look for them by hand", r.Detail)
}

// ratePause is a quarter of the window of 20 seconds in which Marketo counts.
const ratePause = 5 * time.Second

// quotaDay is the day of Marketo's quota.
type quotaDay struct{ zone *time.Location }

// end returns when the day that runs at a time ends: at midnight, and a minute for
// the clocks.
func (d quotaDay) end(now time.Time) time.Time {
	y, m, day := now.In(d.zone).Date()
	return time.Date(y, m, day+1, 0, 1, 0, 0, d.zone).UTC()
}

// requestID returns Marketo's own id of a call.
func requestID(a *vendorapi.Answer) string {
	id := ""
	s := vendorapi.NewScanner(a.Body)
	s.Object(func(key []byte) {
		if string(key) == "requestId" {
			id = s.String()
		} else {
			s.Skip()
		}
	})
	return id
}
