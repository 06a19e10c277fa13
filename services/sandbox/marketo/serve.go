package marketo

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// call is one call of the REST interface.
type call struct {
	method string
	query  url.Values // of the URL, and of the form of a POST that stands for a GET
	body   []byte
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if len(r.RequestURI) > MaxURI {
		http.Error(w, "Request-URI Too Long", http.StatusRequestURITooLong)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			http.Error(w, "Request Entity Too Large", http.StatusRequestEntityTooLarge)
		}
		return
	}
	query := r.URL.Query()
	if r.URL.Path == "/identity/oauth/token" {
		s.Count("token")
		s.giveToken(w, r, query, body)
		return
	}
	c := call{method: r.Method, query: query, body: body}
	if r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			refuse(w, "609", "Invalid form")
			return
		}
		for k, v := range form {
			query[k] = append(query[k], v...)
		}
		c.body = nil
	}
	for _, name := range []string{"fields", "filterValues", "activityTypeIds", "leadIds", "id"} { // repeated is as good as separated by commas
		if values := query[name]; len(values) > 1 {
			query.Set(name, strings.Join(values, ","))
		}
	}
	if r.Method == http.MethodPost && strings.EqualFold(query.Get("_method"), "GET") {
		c.method = http.MethodGet
	}
	kind, do := s.route(r, c.method)
	leave, code, message := s.enter(kind)
	if leave == nil {
		refuse(w, code, message)
		return
	}
	defer leave()
	if code, message := s.authorise(r); code != "" {
		refuse(w, code, message)
		return
	}
	if s.forbids(kind) {
		refuse(w, "603", "Access denied")
		return
	}
	if do == nil {
		refuse(w, "610", "Requested resource not found")
		return
	}
	s.synchronise()
	do(w, c)
}

// route finds what answers a call, and the call's name for [Server.Calls].
func (s *Server) route(r *http.Request, method string) (string, func(http.ResponseWriter, call)) {
	path := r.URL.Path
	if strings.HasPrefix(path, "/bulk/") {
		kind, do := s.routeExports(method, path)
		if do == nil {
			return kind, nil
		}
		return kind, func(w http.ResponseWriter, c call) { do(w, r, c) }
	}
	switch method + " " + path {
	case "GET /rest/v1/leads/describe.json":
		return "describe", s.describe
	case "GET /rest/v1/leads/describe2.json":
		return "describe2", s.describe2
	case "GET /rest/v1/leads.json":
		return "leads", s.leads
	case "POST /rest/v1/leads.json":
		return "leads.sync", s.update
	case "POST /rest/v1/leads/delete.json", "DELETE /rest/v1/leads.json":
		return "leads.delete", s.delete
	case "GET /rest/v1/activities/types.json":
		return "activityTypes", s.activityTypes
	case "GET /rest/v1/activities/pagingtoken.json":
		return "pagingToken", s.pagingToken
	case "GET /rest/v1/activities.json":
		return "activities", s.activities
	case "GET /rest/v1/activities/deletedleads.json":
		return "deletedLeads", s.deletedLeads
	}
	if id, ok := strings.CutPrefix(path, "/rest/v1/lead/"); ok && method == http.MethodGet {
		if id, ok = strings.CutSuffix(id, ".json"); ok {
			return "lead", func(w http.ResponseWriter, c call) {
				c.query.Set("filterType", "id")
				c.query.Set("filterValues", id)
				s.leads(w, c)
			}
		}
	}
	if method == http.MethodGet {
		if kind, do := s.routeMembers(path); do != nil {
			return kind, do
		}
	}
	if rest, ok := strings.CutPrefix(path, "/rest/v1/customobjects"); ok {
		return s.routeObjects(method, rest)
	}
	return "unknown", nil
}

// giveToken answers OAuth 2.0's client credentials. Before its end, the same
// token is given again, with what is left of its life.
func (s *Server) giveToken(w http.ResponseWriter, r *http.Request, query url.Values, body []byte) {
	if r.Method == http.MethodPost {
		if form, err := url.ParseQuery(string(body)); err == nil {
			for k, v := range form {
				query[k] = append(query[k], v...)
			}
		}
	}
	tell := func(status int, code, text string) {
		b, _ := json.Marshal(map[string]string{"error": code, "error_description": text})
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
		w.WriteHeader(status)
		w.Write(b)
	}
	switch {
	case query.Get("grant_type") != "client_credentials":
		tell(http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant type")
		return
	case query.Get("client_id") != s.config.ClientID, subtle.ConstantTimeCompare([]byte(query.Get("client_secret")), []byte(s.config.ClientSecret)) != 1:
		tell(http.StatusUnauthorized, "unauthorized", "No client with requested id: "+query.Get("client_id"))
		return
	}
	s.callMu.Lock()
	defer s.callMu.Unlock()
	now := s.config.Clock()
	if s.token == "" || !now.Before(s.until) {
		s.token, s.until = randomHex(16)+":ab", now.Add(s.config.TokenLife)
	}
	b, _ := json.Marshal(map[string]any{"access_token": s.token, "token_type": "bearer", "expires_in": int(s.until.Sub(now).Seconds()), "scope": "api@example.com"})
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Write(b)
}

func (s *Server) authorise(r *http.Request) (code, message string) {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.callMu.Lock()
	defer s.callMu.Unlock()
	switch {
	case !ok:
		return "600", "Access token not specified"
	case given != s.token || s.token == "":
		return "601", "Access token invalid"
	case !s.config.Clock().Before(s.until):
		return "602", "Access token expired"
	}
	return "", ""
}

// refuse answers an error: HTTP 200, with success false.
func refuse(w http.ResponseWriter, code, message string) {
	b, _ := json.Marshal(map[string]any{
		"requestId": requestID(), "success": false,
		"errors": []map[string]string{{"code": code, "message": message}},
	})
	send(w, b)
}

func send(w http.ResponseWriter, b []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json;charset=UTF-8")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	w.Write(b)
}

func requestID() string { return randomHex(2) + "#" + randomHex(6) }

// begin starts the answer of a success, up to the result.
func begin() []byte {
	b := make([]byte, 0, 4<<10)
	b = append(b, `{"requestId":"`...)
	b = append(b, requestID()...)
	return append(b, `","success":true,`...)
}

// list splits a value at commas.
func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}
