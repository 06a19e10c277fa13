package marketo

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// judge says what an answer of a whole call means. Marketo answers its own
// errors with HTTP 200 and success false.
func (w *Worker) judge(a *vendorapi.Answer) error {
	after := a.RetryAfter(w.config.Now())
	switch {
	case a.Status >= 500:
		return vendorapi.Unsure("unavailable", "Marketo failed (HTTP "+strconv.Itoa(a.Status)+")", a.Detail())
	case a.Status == http.StatusTooManyRequests:
		return vendorapi.Again(after, "rate-limited", "Marketo asks for fewer calls", a.Detail())
	case a.Status == http.StatusUnauthorized:
		return vendorapi.Stale(a.Detail())
	case a.Status != http.StatusOK:
		return worker.Permanent("refused", "Marketo refused the call (HTTP "+strconv.Itoa(a.Status)+")", a.Detail())
	}
	good, code, message, err := envelope(a.Body)
	switch {
	case err != nil:
		return err
	case good:
		return nil
	}
	return w.meaning(code, message, a.Detail(), after)
}

// envelope reads what every answer begins with.
func envelope(body []byte) (good bool, code, message string, err error) {
	s := vendorapi.NewScanner(body)
	s.Object(func(key []byte) {
		switch string(key) {
		case "success":
			good = s.Bool()
		case "errors":
			s.Array(func() {
				s.Object(func(key []byte) {
					switch v := s.Value(); {
					case string(key) == "code" && code == "":
						code = vendorapi.Text(v)
					case string(key) == "message" && message == "":
						message = vendorapi.Text(v)
					}
				})
			})
		default:
			s.Skip()
		}
	})
	if err = s.Err(); err == nil {
		err = vendorapi.Whole(body)
	}
	return good, code, message, err
}

// meaning is what a code of an error of a whole call means (Adobe, "Error
// Codes"). Messages are read only, never repeated: they may quote values.
func (w *Worker) meaning(code, message string, detail error, after time.Duration) error {
	switch code {
	case "600", "601", "602":
		return vendorapi.Stale(detail)
	case "606":
		return vendorapi.Again(max(after, ratePause), "rate-limited", "Marketo asks for fewer calls", detail)
	case "615":
		return vendorapi.Again(after, "too-many-at-once", "Marketo is asked by too many at once", detail)
	case "608", "713":
		return vendorapi.Again(after, "unavailable", "Marketo is unavailable for a moment", detail)
	case "502", "604", "611", "614":
		return vendorapi.Unsure("unavailable", "Marketo failed ("+code+")", detail)
	case "607":
		return worker.RetryAt(w.quotaDay.end(w.config.Now()), "quota", "the day's calls of the Marketo instance are used up; they are renewed at midnight in Chicago", detail)
	case "603":
		return worker.Permanent(codeForbidden, "Marketo forbids the call: check the permissions of the worker's API user", detail)
	case "1006":
		return worker.Permanent(codeSchema, "Marketo doesn't know a field that the manifest declares: make it, or take the column out of the manifest", detail)
	case "702":
		return worker.Permanent(codeSchema, "Marketo doesn't know a program that the manifest names under programs: take it out there", detail)
	case "1003":
		if strings.Contains(message, "nextPageToken") {
			w.forgetTypes()
			return worker.Transient("page-expired", "Marketo no longer knows the place in a long answer; it is asked anew", detail)
		}
		return worker.Permanent(codeBadValue, "Marketo refuses to be asked for this address, or more than 1,000 leads have it: look for them by hand", detail)
	}
	return worker.Permanent("refused", "Marketo refused the call ("+vendorapi.Code(code)+")", detail)
}

// ratePause is a quarter of the window of 20 seconds in which Marketo counts.
const ratePause = 5 * time.Second

// quotaDay is the day of Marketo's quota.
type quotaDay struct{ zone *time.Location }

// end is when the day that runs at a time ends: at midnight, and a minute for
// the clocks.
func (d quotaDay) end(now time.Time) time.Time {
	y, m, day := now.In(d.zone).Date()
	return time.Date(y, m, day+1, 0, 1, 0, 0, d.zone).UTC()
}

// requestID is Marketo's own id of a call.
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
