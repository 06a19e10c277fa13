package salesforce

import (
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// readReply reads an answer in Salesforce's form: JSON, CSV, a file, or SOAP.
// Errors are a list of one with errorCode, or a SOAP fault.
func readReply(a *vendorapi.Answer) vendorapi.Reply {
	kind := a.Header.Get("Content-Type")
	switch {
	case strings.HasPrefix(kind, "text/xml"):
		return soapReply(a)
	case a.Status >= http.StatusMultipleChoices:
		return errorReply(a.Status, a.Body)
	case len(a.Body) == 0: // a file was taken
		return vendorapi.Reply{Own: a.Status == http.StatusCreated || a.Status == http.StatusNoContent}
	case strings.HasPrefix(kind, "application/json"):
		return vendorapi.Reply{Own: vendorapi.CheckJSON(a.Body) == nil}
	}
	return vendorapi.Reply{Own: !strings.HasPrefix(kind, "text/html")}
}

// What came of a call or of a record.
const (
	codeGone    = "gone"
	codeRefused = "refused"
	codeForbids = "no-permission"
)

// codes returns the codes of a whole call, of a subrequest, and of one record (REST
// API Developer Guide, "Status Codes and Error Responses"; SOAP API Developer
// Guide, "StatusCode"). After a time-out of a query nothing was done.
func (w *Worker) codes() vendorapi.Codes {
	return vendorapi.Codes{
		"INVALID_SESSION_ID":     vendorapi.Renewing,
		"REQUEST_LIMIT_EXCEEDED": w.limited,
		"QUERY_TIMEOUT":          vendorapi.Passing(0, "slow", "a query took Salesforce too long at the moment"),
		"UNABLE_TO_LOCK_ROW":     vendorapi.Passing(0, "locked", "someone else holds the record at the moment"),
		"INVALID_QUERY_LOCATOR": func(r vendorapi.Reply) error {
			return worker.Transient("page-expired", "Salesforce no longer knows the place in a long answer; it is asked anew", r.Detail)
		},
	}.
		With(vendorapi.Doubtful("unavailable", "Salesforce failed at the moment"), "SERVER_UNAVAILABLE", "UNKNOWN_EXCEPTION", "REQUEST_RUNNING_TOO_LONG").
		With(vendorapi.Final(codeGone, "Salesforce no longer has what was asked for"), "NOT_FOUND", "ENTITY_IS_DELETED").
		With(vendorapi.Final(codeForbids, "Salesforce forbids it: check the integration user's permissions"),
			"INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "API_DISABLED_FOR_ORG",
			"API_CURRENTLY_DISABLED", "FUNCTIONALITY_NOT_ENABLED", "FEATURENOTENABLED", "INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "FORBIDDEN").
		With(vendorapi.Final(codeRefused, "Salesforce refuses it"),
			"MALFORMED_QUERY", "MALFORMED_ID", "INVALID_FIELD", "INVALID_TYPE", "INVALID_ID_FIELD", "INVALID_QUERY_FILTER_OPERATOR", "QUERY_TOO_COMPLICATED",
			"JSON_PARSER_ERROR", "INVALID_INPUT", "MISSING_ARGUMENT", "INVALID_BATCH_SIZE", "EXCEEDED_ID_LIMIT", "METHOD_NOT_ALLOWED", "UNSUPPORTED_MEDIA_TYPE",
			"INVALIDJOB", "INVALIDJOBSTATE", "INVALIDENTITY", "INVALID_LOCATOR",
			"DELETE_FAILED", "DELETE_OPERATION_TOO_LARGE", "DELETE_REQUIRED_ON_CASCADE", "DEPENDENCY_EXISTS", "ENTITY_IS_LOCKED", "INVALID_CROSS_REFERENCE_KEY",
			"CANNOT_EXECUTE_FLOW_TRIGGER", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CANNOT_UPDATE_CONVERTED_LEAD", "FIELD_CUSTOM_VALIDATION_EXCEPTION",
			"FIELD_FILTER_VALIDATION_EXCEPTION", "FIELD_INTEGRITY_EXCEPTION", "INVALID_FIELD_FOR_INSERT_UPDATE", "INVALID_TYPE_ON_FIELD_IN_RECORD",
			"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "INVALID_EMAIL_ADDRESS", "STRING_TOO_LONG", "NUMBER_OUTSIDE_VALID_RANGE", "REQUIRED_FIELD_MISSING",
			"DUPLICATE_VALUE", "DUPLICATES_DETECTED")
}

// limited returns the error of REQUEST_LIMIT_EXCEEDED: too many calls at once, or
// in a day.
func (w *Worker) limited(r vendorapi.Reply) error {
	if strings.HasPrefix(r.Message, "Concurrent") {
		return vendorapi.Again(r.After, "too-many-at-once", "Salesforce is asked by too many at once", r.Detail)
	}
	return worker.RetryAt(w.config.Now().Add(max(r.After, w.config.QuotaPark)), "quota", "the org's calls of the day are used up", r.Detail)
}

// soapReply reads a SOAP envelope. A fault's code is sf:INVALID_SESSION_ID, and its
// text begins with that code.
func soapReply(a *vendorapi.Answer) vendorapi.Reply {
	var envelope struct {
		XMLName xml.Name
		Code    string `xml:"Body>Fault>faultcode"`
		Message string `xml:"Body>Fault>faultstring"`
	}
	if xml.Unmarshal(a.Body, &envelope) != nil || envelope.XMLName.Local != "Envelope" {
		return vendorapi.Reply{}
	}
	code := strings.TrimPrefix(envelope.Code, "sf:")
	return vendorapi.Reply{Own: true, Code: code, Message: strings.TrimPrefix(envelope.Message, code+": ")}
}

// errorReply reads [{"message","errorCode"}], of a whole call or of a subrequest.
func errorReply(status int, body []byte) vendorapi.Reply {
	r := vendorapi.Reply{Status: status, Detail: (&vendorapi.Answer{Status: status, Body: body}).Detail()}
	s := vendorapi.NewScanner(body)
	if !s.IsArray() {
		return r
	}
	s.Array(func() {
		s.Object(func(key []byte) {
			switch v := s.Value(); string(key) {
			case "errorCode":
				r.Code = vendorapi.Text(v)
			case "message":
				r.Message = vendorapi.Text(v)
			}
		})
	})
	s.End()
	r.Own = s.Err() == nil && r.Code != ""
	return r
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
