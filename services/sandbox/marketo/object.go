package marketo

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Object is a custom object: records that refer to a lead by its address or id,
// and outlive it.
type Object struct {
	// Name is its API name: subscription_c.
	Name string
	// Link is the field that refers to a lead, and Lead the lead's: email or id.
	Link, Lead string
	// Each is how many records a lead has.
	Each int
}

type object struct {
	Object
	records []*objectRecord // by GUID
	byID    map[string]*objectRecord
}

type objectRecord struct {
	guid      string
	values    map[string]any
	deletedAt time.Time
}

// OwnObject is the object of which the population has records, where it has
// companies' own; its link is emailAddress.
const OwnObject = "subscription_c"

// objectFields returns an object's fields beside its link.
func objectFields() []string {
	return []string{"marketoGUID", "plan", "note", "createdAt", "updatedAt"}
}

// seedObject makes an object's records: the same for the same leads.
func (s *store) seedObject(o Object) {
	s.objects[o.Name] = &object{Object: o, byID: map[string]*objectRecord{}}
	for _, id := range s.sorted() {
		l := s.leads[id]
		var email string
		if json.Unmarshal(l.values[s.number["email"]], &email) != nil || email == "" {
			continue
		}
		for n := range o.Each {
			guid := fmt.Sprintf("%08x-%s-%04d", id, o.Name, n)
			values := map[string]any{
				"marketoGUID": guid, "plan": []string{"basic", "plus", "pro"}[n%3], "note": "written by " + l.name(s),
				"createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z",
			}
			values[o.Link] = any(id)
			if o.Lead == "email" {
				values[o.Link] = email
			}
			s.addRecord(o, guid, values)
		}
	}
}

// addRecord adds a record, and its object where it is the first.
func (s *store) addRecord(of Object, guid string, values map[string]any) {
	o := s.objects[of.Name]
	if o == nil {
		o = &object{Object: of, byID: map[string]*objectRecord{}}
		s.objects[of.Name] = o
	}
	r := &objectRecord{guid: guid, values: values}
	o.records, o.byID[guid] = append(o.records, r), r
}

// routeObjects finds what answers a call below /rest/v1/customobjects.
func (s *Server) routeObjects(method, rest string) (string, func(http.ResponseWriter, call)) {
	if rest == ".json" && method == http.MethodGet {
		return "customObjects.list", s.listObjects
	}
	name, what, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(rest, "/"), ".json"), "/")
	o := s.store.objects[name]
	if o == nil {
		return "customObjects", func(w http.ResponseWriter, _ call) { refuse(w, "1013", "Object not found") }
	}
	switch method + " " + what {
	case "GET describe":
		return "customObjects.describe", func(w http.ResponseWriter, _ call) { succeed(w, []any{o.describe()}) }
	case "GET ":
		return "customObjects", func(w http.ResponseWriter, c call) { s.queryObject(w, c, o) }
	case "POST delete":
		return "customObjects.delete", func(w http.ResponseWriter, c call) { s.deleteRecords(w, c, o) }
	}
	return "unknown", nil
}

func (o *object) describe() map[string]any {
	var fields []map[string]any
	for _, f := range append([]string{o.Link}, objectFields()...) {
		fields = append(fields, map[string]any{"name": f, "displayName": f, "dataType": "string", "length": 255, "updateable": f != "marketoGUID", "crmManaged": false})
	}
	return map[string]any{
		"name": o.Name, "displayName": o.Name, "description": "", "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z",
		"idField": "marketoGUID", "dedupeFields": []string{"marketoGUID"}, "searchableFields": [][]string{{"marketoGUID"}, {o.Link}},
		"relationships": []map[string]any{{"field": o.Link, "type": "child", "relatedTo": map[string]string{"name": "Lead", "field": o.Lead}}},
		"fields":        fields,
	}
}

func (s *Server) listObjects(w http.ResponseWriter, _ call) {
	all := []any{}
	for _, name := range slices.Sorted(maps.Keys(s.store.objects)) {
		all = append(all, s.store.objects[name].describe())
	}
	succeed(w, all)
}

// queryObject answers customobjects/NAME.json: by the object's link or GUID.
func (s *Server) queryObject(w http.ResponseWriter, c call, o *object) {
	filter, values, names := c.query.Get("filterType"), list(c.query.Get("filterValues")), list(c.query.Get("fields"))
	if len(c.body) > 0 { // a POST that stands for a GET may hold its lookup as JSON
		var in struct {
			Filter string           `json:"filterType"`
			Input  []map[string]any `json:"input"`
			Fields []string         `json:"fields"`
			Page   string           `json:"nextPageToken"`
			Size   json.Number      `json:"batchSize"`
		}
		if err := json.Unmarshal(c.body, &in); err != nil {
			refuse(w, "609", "Invalid JSON")
			return
		}
		filter, names = in.Filter, in.Fields
		if filter == "idField" || filter == "dedupeFields" {
			filter = "marketoGUID"
		}
		for _, record := range in.Input {
			values = append(values, fmt.Sprint(record[filter]))
		}
		if in.Page != "" {
			c.query.Set("nextPageToken", in.Page)
		}
		if in.Size != "" {
			c.query.Set("batchSize", in.Size.String())
		}
	}
	from, ok := s.openPage(c.query.Get("nextPageToken"), "object")
	size, sized := s.size(c)
	switch {
	case filter != o.Link && filter != "marketoGUID":
		refuse(w, "1003", "Invalid filterType: "+filter)
		return
	case len(values) == 0:
		refuse(w, "1002", "Missing value for required parameter 'filterValues'")
		return
	case len(values) > MaxPage:
		refuse(w, "1003", "Too many filterValues: at most 300")
		return
	case !ok:
		refuse(w, "1003", "Invalid nextPageToken")
		return
	case !sized:
		refuse(w, "1003", "Invalid value for batchSize")
		return
	}
	if names == nil {
		names = append([]string{o.Link}, objectFields()...)
	}
	for _, n := range names {
		if n != o.Link && !slices.Contains(objectFields(), n) {
			refuse(w, "1006", "Field '"+n+"' not found")
			return
		}
	}
	wanted := map[string]bool{}
	for _, v := range values {
		wanted[strings.ToLower(strings.TrimSpace(v))] = true
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	found := []map[string]any{}
	for _, r := range o.records {
		if !wanted[strings.ToLower(fmt.Sprint(r.values[filter]))] || !s.shown(r.deletedAt) {
			continue
		}
		row := map[string]any{"seq": len(found), "marketoGUID": r.guid}
		for _, n := range names {
			row[n] = r.values[n]
		}
		found = append(found, row)
	}
	s.sendRows(w, "object", found, from, size)
}

// deleteRecords answers customobjects/NAME/delete.json.
func (s *Server) deleteRecords(w http.ResponseWriter, c call, o *object) {
	var in struct {
		By    string           `json:"deleteBy"`
		Input []map[string]any `json:"input"`
	}
	if err := json.Unmarshal(c.body, &in); err != nil {
		refuse(w, "609", "Invalid JSON")
		return
	}
	switch {
	case in.By != "" && in.By != "idField" && in.By != "dedupeFields":
		refuse(w, "1003", "Invalid value for deleteBy")
		return
	case len(in.Input) == 0 || len(in.Input) > MaxPage:
		refuse(w, "1003", "Between 1 and 300 records")
		return
	}
	type result struct {
		Seq     int      `json:"seq"`
		GUID    string   `json:"marketoGUID,omitempty"`
		Status  string   `json:"status"`
		Reasons []reason `json:"reasons,omitempty"`
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	results := make([]result, len(in.Input))
	change := change{At: s.config.Clock().UTC(), Records: map[string][]string{}}
	for i, x := range in.Input {
		id, _ := x["marketoGUID"].(string)
		r := o.byID[id]
		switch {
		case r == nil || !r.deletedAt.IsZero() || slices.Contains(change.Records[o.Name], id):
			if r != nil {
				s.Repeat()
			}
			results[i] = result{i, "", "skipped", []reason{{"1013", "Object not found"}}}
		case s.Locked():
			results[i] = result{i, id, "skipped", []reason{{"1022", "Object is in use"}}}
		default:
			results[i] = result{i, id, "deleted", nil}
			change.Records[o.Name] = append(change.Records[o.Name], id)
		}
	}
	if err := s.commit(change); err != nil {
		refuse(w, "611", "System error")
		return
	}
	succeed(w, results)
}

// shown reports whether what was deleted at a time is still shown.
func (s *Server) shown(deletedAt time.Time) bool {
	return deletedAt.IsZero() || s.config.Clock().Sub(deletedAt) < s.config.Settle
}

// create makes a new lead.
func (s *store) create(id int64, values map[string]any, at time.Time) {
	l := &lead{id: id, values: make([][]byte, len(s.attributes))}
	for i, a := range s.attributes {
		l.values[i] = []byte("null")
		switch {
		case a.name == "id":
			l.values[i] = number(id)
		case a.name == "createdAt" || a.name == "updatedAt":
			l.values[i], _ = json.Marshal(at.Format("2006-01-02T15:04:05Z"))
		case a.typ == "boolean":
			l.values[i] = []byte("false")
		}
		if v, ok := values[a.name]; ok && !a.readOnly {
			l.values[i], _ = json.Marshal(v)
		}
	}
	email, _ := values["email"].(string)
	if n, ok := s.number["unsubscribed"]; ok && s.durable[strings.ToLower(email)] {
		l.values[n] = []byte("true")
	}
	s.put(l, email)
}
