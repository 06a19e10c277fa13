package salesforce

import (
	"encoding/json"
	"net/http"
	"strings"
)

// sobject answers /sobjects/{object}, …/describe and …/{id}.
func (s *Server) sobject(r request, rest string) answer {
	name, id, _ := strings.Cut(rest, "/")
	id, part, _ := strings.Cut(id, "/")
	o := s.store.object(name)
	if o == nil {
		return refuse(&apiError{status: 404, code: "NOT_FOUND", message: "The requested resource does not exist"})
	}
	switch {
	case id == "" && r.method == "POST":
		return s.insertOne(r, o)
	case id == "" && r.method == "GET":
		return reply(map[string]any{"objectDescribe": map[string]any{"name": o.name, "label": o.name, "keyPrefix": o.prefix, "queryable": true}, "recentItems": []any{}})
	case id == "describe" && r.method == "GET":
		return s.describe(o)
	case id == "" || id == "describe":
		return refuse(&apiError{status: 405, code: "METHOD_NOT_ALLOWED", message: "HTTP Method '" + r.method + "' not allowed"})
	}
	if _, external := o.field(id); external && part != "" && r.method == "PATCH" {
		return s.upsertOne(r, o, id, part)
	}
	if !isID(id) {
		return refuse(&apiError{status: 404, code: "NOT_FOUND", message: "Provided external ID field does not exist or is not accessible: " + id})
	}
	if part != "" {
		return s.readBlob(r, o, id, part)
	}
	switch r.method {
	case "GET":
		return s.readOne(r, o, id)
	case "DELETE":
		s.mu.Lock()
		defer s.mu.Unlock()
		gone := map[string]bool{}
		return s.single(s.tryDelete(id, gone), func() change { return change{Delete: s.cascade(id, gone)} })
	case "PATCH":
		var fields map[string]any
		if json.Unmarshal(r.body, &fields) != nil {
			return refuse(&apiError{status: 400, code: "JSON_PARSER_ERROR", message: "Unexpected character or end of input"})
		}
		fields = without(fields, "attributes")
		s.mu.Lock()
		defer s.mu.Unlock()
		result := s.tryUpdate(o.name, id, fields)
		return s.single(result, func() change { return change{Set: map[string]map[string]any{result.ID: fields}} })
	}
	return refuse(&apiError{status: 405, code: "METHOD_NOT_ALLOWED", message: "HTTP Method '" + r.method + "' not allowed"})
}

// single turns an item's result into a whole call's: 204, or an error in the
// other shape.
func (s *Server) single(x itemResult, make func() change) answer {
	if !x.Success {
		e := x.Errors[0]
		status := http.StatusBadRequest
		if e.Status == "ENTITY_IS_DELETED" || e.Status == "INVALID_CROSS_REFERENCE_KEY" {
			status = http.StatusNotFound
		}
		return refuse(&apiError{status: status, code: e.Status, message: e.Message, fields: e.Fields})
	}
	if err := s.commit(make()); err != nil {
		return refuse(err)
	}
	return answer{status: http.StatusNoContent}
}

// readBlob answers a file's bytes.
func (s *Server) readBlob(r request, o *object, id, name string) answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n, ok := o.field(name)
	found := s.store.byID[id[:15]]
	if !ok || o.fields[n].typ != blobType || r.method != "GET" || r.inside || found == nil || found.object != o || found.purged || !found.deletedAt.IsZero() {
		return refuse(&apiError{status: 404, code: "NOT_FOUND", message: "The requested resource does not exist"})
	}
	return answer{status: 200, body: found.values[n].blob, kind: "application/octet-stream"}
}

func (s *Server) readOne(r request, o *object, id string) answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	found := s.store.byID[id[:15]]
	if found == nil || found.object != o || found.purged || !found.deletedAt.IsZero() {
		return refuse(&apiError{status: 404, code: "NOT_FOUND", message: "The requested resource does not exist"})
	}
	var columns []*column
	wanted := r.query.Get("fields")
	for n, f := range o.fields {
		if wanted == "" {
			columns = append(columns, &column{key: []byte(`"` + f.name + `":`), field: n})
		}
	}
	for name := range strings.SplitSeq(wanted, ",") {
		if name == "" {
			continue
		}
		n, ok := o.field(strings.TrimSpace(name))
		if !ok {
			return refuse(&apiError{status: 400, code: "INVALID_FIELD", message: "No such column '" + name + "' on sobject of type " + o.name})
		}
		columns = append(columns, &column{key: []byte(`"` + o.fields[n].name + `":`), field: n})
	}
	return answer{status: 200, body: s.store.appendRow(nil, r.version, o, columns, found)}
}
