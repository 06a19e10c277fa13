package salesforce

import (
	"encoding/json"
	"net/url"
	"strings"
)

type subrequest struct {
	Method      string          `json:"method"`
	URL         string          `json:"url"`
	ReferenceID string          `json:"referenceId"`
	Body        json.RawMessage `json:"body"`
}

// composite answers POST /composite: up to 25 calls as one, in order.
func (s *Server) composite(r request) answer {
	var in struct {
		AllOrNone bool         `json:"allOrNone"`
		Requests  []subrequest `json:"compositeRequest"`
	}
	bad := func(message string) answer {
		return refuse(&apiError{status: 400, code: "INVALID_INPUT", message: message})
	}
	if err := json.Unmarshal(r.body, &in); err != nil {
		return refuse(&apiError{status: 400, code: "JSON_PARSER_ERROR", message: "Unexpected character or end of input"})
	}
	switch {
	case len(in.Requests) == 0:
		return bad("compositeRequest is missing")
	case len(in.Requests) > MaxSubrequests:
		return bad("The composite request exceeds the limit of 25 subrequests")
	case in.AllOrNone:
		return bad("allOrNone isn't known to this stand-in")
	}
	calls := make([]request, len(in.Requests))
	seen := map[string]bool{}
	heavy := 0
	for i, sub := range in.Requests {
		if sub.ReferenceID == "" || seen[sub.ReferenceID] {
			return bad("Every subrequest needs a referenceId of its own")
		}
		seen[sub.ReferenceID] = true
		path, query, _ := strings.Cut(sub.URL, "?")
		values, err := url.ParseQuery(query)
		if err != nil || !strings.HasPrefix(path, "/services/data/v") || strings.Contains(path, "@{") {
			return bad("The url of subrequest " + sub.ReferenceID + " is invalid")
		}
		version, rest := splitVersion(path)
		calls[i] = request{method: sub.Method, version: version, path: rest, query: values, body: sub.Body, inside: true}
		if strings.HasPrefix(rest, "/query") || strings.HasPrefix(rest, "/composite/") {
			heavy++
		}
	}
	if heavy > MaxHeavy {
		return bad("The composite request exceeds the limit of 5 subrequests that are queries or sObject collections")
	}
	out := []byte(`{"compositeResponse":[`)
	for i, call := range calls {
		a := s.call(call)
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, `{"body":`...)
		if len(a.body) == 0 {
			a.body = []byte("null")
		}
		out = append(out, a.body...)
		out = append(out, `,"httpHeaders":{},"httpStatusCode":`+itoa(a.status)+`,"referenceId":`...)
		id, _ := json.Marshal(in.Requests[i].ReferenceID)
		out = append(out, id...)
		out = append(out, '}')
	}
	return answer{status: 200, body: append(out, "]}"...)}
}
