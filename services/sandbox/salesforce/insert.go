package salesforce

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// newID makes an id of 18 characters: a prefix, a number, and the letters that
// tell the case of the rest, of which a number has none.
func newID(prefix string, n int) string {
	id := prefix + fmt.Sprintf("9z%010d", n)
	const checks = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
	for block := range 3 {
		bits := 0
		for i := range 5 {
			if c := id[block*5+i]; c >= 'A' && c <= 'Z' {
				bits |= 1 << i
			}
		}
		id += string(checks[bits])
	}
	return id
}

// added is a record that a caller made.
type added struct {
	Object string         `json:"object"`
	ID     string         `json:"id"`
	Fields map[string]any `json:"fields"`
}

// tryInsert returns what making a record would come to. The caller holds the lock
// and commits.
func (s *Server) tryInsert(kind string, fields map[string]any) (itemResult, change) {
	o := s.store.object(kind)
	if o == nil {
		return failed("", "INVALID_TYPE", "sObject type '"+kind+"' is not supported."), change{}
	}
	if x := s.writable(o, "", fields); !x.Success {
		return x, change{}
	}
	for _, must := range []string{"LastName", "Company"} {
		if _, has := o.field(must); has && (o.name == "Lead" || o.name == "Contact" && must == "LastName") && fields[must] == nil {
			return failed("", "REQUIRED_FIELD_MISSING", "Required fields are missing: ["+must+"]", must), change{}
		}
	}
	s.made++
	id := newID(o.prefix, s.made)
	for s.store.byID[id[:15]] != nil { // of an earlier run
		s.made++
		id = newID(o.prefix, s.made)
	}
	return succeeded(id), change{Insert: []added{{o.name, id, fields}}}
}

// tryUpsert updates the record whose field has the value, or makes one.
func (s *Server) tryUpsert(kind, by string, fields map[string]any) (itemResult, change) {
	o := s.store.object(kind)
	if o == nil {
		return failed("", "INVALID_TYPE", "sObject type '"+kind+"' is not supported."), change{}
	}
	n, ok := o.field(by)
	key, _ := fields[by].(string)
	if !ok || key == "" {
		return failed("", "MISSING_ARGUMENT", by+" not specified"), change{}
	}
	for _, r := range o.rows {
		if !r.purged && r.deletedAt.IsZero() && r.values[n].key == fold(key) {
			rest := maps.Clone(fields)
			delete(rest, by)
			x := s.tryUpdate(kind, r.id, rest)
			if !x.Success {
				return x, change{}
			}
			return x, change{Set: map[string]map[string]any{r.id: rest}}
		}
	}
	return s.tryInsert(kind, fields)
}

// insertMany answers POST /composite/sobjects.
func (s *Server) insertMany(r request) answer {
	var in struct {
		AllOrNone bool             `json:"allOrNone"`
		Records   []map[string]any `json:"records"`
	}
	if err := json.Unmarshal(r.body, &in); err != nil {
		return refuse(&apiError{status: 400, code: "JSON_PARSER_ERROR", message: "Unexpected character or end of input"})
	}
	if len(in.Records) > MaxCollection {
		return refuse(&apiError{status: 400, code: "EXCEEDED_ID_LIMIT", message: "record limit reached. cannot submit more than 200 records in this operation"})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	results := make([]itemResult, len(in.Records))
	var all change
	for i, fields := range in.Records {
		attributes, _ := fields["attributes"].(map[string]any)
		kind, _ := attributes["type"].(string)
		var c change
		results[i], c = s.tryInsert(kind, without(fields, "attributes"))
		all.Insert = append(all.Insert, c.Insert...)
	}
	if in.AllOrNone && slices.ContainsFunc(results, func(x itemResult) bool { return !x.Success }) {
		return reply(rolledBack(results))
	}
	if err := s.commit(all); err != nil {
		return refuse(err)
	}
	return reply(results)
}

// insertOne answers POST /sobjects/{object}.
func (s *Server) insertOne(r request, o *object) answer {
	var fields map[string]any
	if json.Unmarshal(r.body, &fields) != nil {
		return refuse(&apiError{status: 400, code: "JSON_PARSER_ERROR", message: "Unexpected character or end of input"})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x, c := s.tryInsert(o.name, without(fields, "attributes"))
	a := s.single(x, func() change { return c })
	if a.status < 300 {
		a = reply(x)
		a.status = 201
	}
	return a
}

// upsertOne answers PATCH /sobjects/{object}/{field}/{value}.
func (s *Server) upsertOne(r request, o *object, field, value string) answer {
	var fields map[string]any
	if json.Unmarshal(r.body, &fields) != nil {
		return refuse(&apiError{status: 400, code: "JSON_PARSER_ERROR", message: "Unexpected character or end of input"})
	}
	fields = without(fields, "attributes")
	fields[field] = value
	s.mu.Lock()
	defer s.mu.Unlock()
	x, c := s.tryUpsert(o.name, field, fields)
	a := s.single(x, func() change { return c })
	if a.status < 300 {
		a = reply(map[string]any{"id": x.ID, "success": true, "errors": []any{}, "created": len(c.Insert) > 0})
		if len(c.Insert) > 0 {
			a.status = 201
		}
	}
	return a
}

func without(fields map[string]any, names ...string) map[string]any {
	out := maps.Clone(fields)
	maps.DeleteFunc(out, func(k string, _ any) bool {
		return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, k) })
	})
	return out
}

// rolledBack returns results of a call that was undone as a whole.
func rolledBack(results []itemResult) []itemResult {
	for i, x := range results {
		if x.Success {
			results[i] = failed(x.ID, "ALL_OR_NONE_OPERATION_ROLLED_BACK", "Record rolled back because not all records were valid and the request was using AllOrNone header")
		}
	}
	return results
}
