package salesforce

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// request is one call of the data API: over HTTP, or inside of a Composite.
type request struct {
	method, version, path string // path below /services/data/vNN.N, with its slash
	query                 url.Values
	body                  []byte
	inside                bool // of a Composite
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if len(r.RequestURI)+headerBytes(r.Header) > MaxURI {
		status := http.StatusRequestURITooLong
		if len(r.RequestURI) < MaxURI/2 {
			status = http.StatusRequestHeaderFieldsTooLarge
		}
		http.Error(w, http.StatusText(status), status)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			http.Error(w, "Request Entity Too Large", http.StatusRequestEntityTooLarge)
		}
		return
	}
	switch path := r.URL.Path; {
	case path == "/services/oauth2/token":
		s.Count("token")
		s.token(w, r, body)
	case strings.HasPrefix(path, "/services/Soap/u/"), strings.HasPrefix(path, "/services/Soap/c/"):
		s.soap(w, r, body)
	case path == "/services/data" || path == "/services/data/":
		write(w, reply([]map[string]string{{"label": "Winter '24", "url": "/services/data/v60.0", "version": "60.0"}}))
	case strings.HasPrefix(path, "/services/data/v"):
		s.data(w, r, body)
	default:
		write(w, refuse(&apiError{status: 404, code: "NOT_FOUND", message: "The requested resource does not exist"}))
	}
}

func headerBytes(h http.Header) int {
	n := 0
	for name, values := range h {
		for _, v := range values {
			n += len(name) + len(v) + 4
		}
	}
	return n
}

func write(w http.ResponseWriter, a answer) {
	h := w.Header()
	h.Set("Content-Type", cmp.Or(a.kind, "application/json;charset=UTF-8"))
	for name, v := range a.header {
		h.Set(name, v)
	}
	if a.status == http.StatusNoContent {
		h.Del("Content-Type")
	} else {
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	w.Write(a.body)
}

func origin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// data answers the REST data API.
func (s *Server) data(w http.ResponseWriter, r *http.Request, body []byte) {
	version, path := splitVersion(r.URL.Path)
	req := request{method: r.Method, version: version, path: path, query: r.URL.Query(), body: body}
	kind := kindOf(req)
	s.Count(kind)
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		token, _ = strings.CutPrefix(r.Header.Get("Authorization"), "OAuth ")
	}
	if !s.tokens.valid(token) {
		write(w, refuse(&apiError{status: 401, code: "INVALID_SESSION_ID", message: "Session expired or invalid"}))
		return
	}
	used, within := s.spend()
	w.Header().Set("Sforce-Limit-Info", "api-usage="+strconv.FormatInt(used, 10)+"/"+strconv.FormatInt(s.config.DailyCalls, 10))
	if !within {
		write(w, refuse(&apiError{status: 403, code: "REQUEST_LIMIT_EXCEEDED", message: "TotalRequests Limit exceeded."}))
		return
	}
	write(w, s.call(req))
}

// splitVersion splits /services/data/v60.0/query into v60.0 and /query.
func splitVersion(path string) (version, rest string) {
	path = strings.TrimPrefix(path, "/services/data/")
	version, rest, _ = strings.Cut(path, "/")
	return version, "/" + strings.TrimSuffix(rest, "/")
}

// kindOf names a call for [Server.Calls].
func kindOf(r request) string {
	head, rest, _ := strings.Cut(strings.TrimPrefix(r.path, "/"), "/")
	switch {
	case (head == "query" || head == "queryAll") && rest != "":
		return "queryMore"
	case r.path == "/composite/sobjects":
		return "collections." + map[string]string{"DELETE": "delete", "PATCH": "update", "POST": "insert", "GET": "read"}[r.method]
	case head == "":
		return "resources"
	case head == "jobs":
		kind, below, _ := strings.Cut(rest, "/")
		_, part, _ := strings.Cut(below, "/")
		return "jobs." + kind + "." + cmp.Or(part, strings.ToLower(r.method))
	default:
		return head
	}
}

// call answers one call of the data API.
func (s *Server) call(r request) answer {
	head, rest, _ := strings.Cut(strings.TrimPrefix(r.path, "/"), "/")
	allowed := func(methods ...string) *apiError {
		for _, m := range methods {
			if r.method == m {
				return nil
			}
		}
		return &apiError{status: 405, code: "METHOD_NOT_ALLOWED", message: "HTTP Method '" + r.method + "' not allowed. Allowed are " + strings.Join(methods, ",")}
	}
	var do func(request) answer
	methods := []string{"GET", "HEAD"}
	switch {
	case r.path == "/":
		do = s.resources
	case (head == "query" || head == "queryAll") && rest == "":
		do = func(r request) answer { return s.query(r, head == "queryAll") }
	case head == "query" || head == "queryAll":
		do = func(r request) answer { return s.more(r, rest) }
	case r.path == "/limits":
		do = s.limits
	case r.path == "/composite" && !r.inside:
		do, methods = s.composite, []string{"POST"}
	case r.path == "/composite/sobjects":
		methods = []string{"DELETE", "PATCH", "POST"}
		do = s.deleteMany
		switch r.method {
		case "PATCH":
			do = s.updateMany
		case "POST":
			do = s.insertMany
		}
	case r.path == "/sobjects":
		do = s.describeGlobal
	case head == "sobjects":
		return s.sobject(r, rest)
	case head == "jobs" && !r.inside:
		return s.jobs(r, rest)
	default:
		return refuse(&apiError{status: 404, code: "NOT_FOUND", message: "The requested resource does not exist"})
	}
	if err := allowed(methods...); err != nil {
		return refuse(err)
	}
	return do(r)
}

func (s *Server) resources(r request) answer {
	base := "/services/data/" + r.version
	return reply(map[string]string{"composite": base + "/composite", "limits": base + "/limits", "query": base + "/query", "queryAll": base + "/queryAll", "sobjects": base + "/sobjects"})
}

func (s *Server) limits(request) answer {
	used := min(s.used.Load(), s.config.DailyCalls)
	return reply(map[string]map[string]int64{"DailyApiRequests": {"Max": s.config.DailyCalls, "Remaining": s.config.DailyCalls - used}})
}

func (s *Server) now() time.Time { return s.config.Clock() }
