package salesforce

import (
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"
	"time"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// judge says what an answer of a whole call means.
func (w *Worker) judge(a *vendorapi.Answer) error {
	if a.Status < 300 {
		if a.Status == http.StatusCreated && len(a.Body) == 0 {
			return nil // a file was taken
		}
		if strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") {
			return vendorapi.Whole(a.Body)
		}
		return nil
	}
	after := a.RetryAfter(w.config.Now())
	if strings.HasPrefix(a.Header.Get("Content-Type"), "text/xml") {
		code, message := soapFault(a.Body)
		return w.meaning(a.Status, code, message, a.Detail(), after)
	}
	return w.refusal(a.Status, a.Body, after)
}

// codeGone is that of the error of a thing that isn't there.
const codeGone = "gone"

// soapFault reads a SOAP fault: sf:INVALID_SESSION_ID.
func soapFault(body []byte) (code, message string) {
	var fault struct {
		Code    string `xml:"Body>Fault>faultcode"`
		Message string `xml:"Body>Fault>faultstring"`
	}
	if xml.Unmarshal(body, &fault) != nil {
		return "", ""
	}
	code = strings.TrimPrefix(fault.Code, "sf:")
	return code, strings.TrimPrefix(fault.Message, code+": ")
}

// refusal says what an error means, of a whole call or of a subrequest: the
// HTTP status and a list of one with errorCode.
func (w *Worker) refusal(status int, body []byte, after time.Duration) error {
	code, message := firstError(body)
	return w.meaning(status, code, message, (&vendorapi.Answer{Status: status, Body: body}).Detail(), after)
}

func (w *Worker) meaning(status int, code, message string, detail error, after time.Duration) error {
	open := vendorapi.Code(code)
	switch {
	case status == http.StatusUnauthorized || code == "INVALID_SESSION_ID":
		return vendorapi.Stale(detail)
	case code == "REQUEST_LIMIT_EXCEEDED" && strings.HasPrefix(message, "Concurrent"):
		return vendorapi.Again(after, "too-many-at-once", "Salesforce is asked by too many at once", detail)
	case code == "REQUEST_LIMIT_EXCEEDED":
		return worker.RetryAt(w.config.Now().Add(max(after, w.config.QuotaPark)), "quota", "the org's calls of the day are used up", detail)
	case status == http.StatusTooManyRequests:
		return vendorapi.Again(after, "rate-limited", "Salesforce asks for fewer calls", detail)
	case code == "UNABLE_TO_LOCK_ROW":
		return vendorapi.Again(after, "locked", "someone else holds the record at the moment", detail)
	case status >= 500 && open == "unknown":
		return vendorapi.Unsure("unavailable", "Salesforce failed (HTTP "+strconv.Itoa(status)+")", detail)
	case code == "INVALID_QUERY_LOCATOR":
		return worker.Transient("page-expired", "Salesforce no longer knows the place in a long answer; it is asked anew", detail)
	case status == http.StatusNotFound:
		return worker.Permanent(codeGone, "Salesforce no longer has what was asked for", detail)
	case status == http.StatusForbidden:
		return worker.Permanent("no-permission", "Salesforce forbids the call ("+open+"): check the integration user's permissions", detail)
	default:
		return worker.Permanent("refused", "Salesforce refused the call (HTTP "+strconv.Itoa(status)+", "+open+")", detail)
	}
}

// firstError reads [{"message","errorCode"}].
func firstError(body []byte) (code, message string) {
	s := vendorapi.NewScanner(body)
	if !s.IsArray() {
		return "", ""
	}
	s.Array(func() {
		s.Object(func(key []byte) {
			switch v := s.Value(); string(key) {
			case "errorCode":
				code = vendorapi.Text(v)
			case "message":
				message = vendorapi.Text(v)
			}
		})
	})
	if s.Err() != nil {
		return "", ""
	}
	return code, message
}

// usage reads what an answer says of the org's calls of the day, by everyone
// together: api-usage=18/5000.
func usage(a *vendorapi.Answer) (used, limit int64, ok bool) {
	rest, ok := strings.CutPrefix(a.Header.Get("Sforce-Limit-Info"), "api-usage=")
	if !ok {
		return 0, 0, false
	}
	rest, _, _ = strings.Cut(rest, ";")
	had, most, ok := strings.Cut(rest, "/")
	used, err1 := strconv.ParseInt(had, 10, 64)
	limit, err2 := strconv.ParseInt(most, 10, 64)
	return used, limit, ok && err1 == nil && err2 == nil && limit > 0
}
