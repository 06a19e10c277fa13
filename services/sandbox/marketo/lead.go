package marketo

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// visible reports whether a lead is shown.
func (s *Server) visible(l *lead) bool {
	return l.deletedAt.IsZero() || s.config.Clock().Sub(l.deletedAt) < s.config.Settle
}

// leads answers leads.json: by id, by address, or by any other field, slowly.
func (s *Server) leads(w http.ResponseWriter, c call) {
	filter, values := c.query.Get("filterType"), list(c.query.Get("filterValues"))
	switch {
	case filter == "":
		refuse(w, "1002", "Missing value for required parameter 'filterType'")
		return
	case len(values) == 0:
		refuse(w, "1002", "Missing value for required parameter 'filterValues'")
		return
	case len(values) > MaxPage:
		refuse(w, "1003", "Too many filterValues: at most 300")
		return
	}
	size, ok := s.size(c)
	if !ok {
		refuse(w, "1003", "Invalid value for batchSize")
		return
	}
	from, ok := s.openPage(c.query.Get("nextPageToken"), "leads")
	if !ok {
		refuse(w, "1003", "Invalid nextPageToken")
		return
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	names := list(c.query.Get("fields"))
	if names == nil {
		names = []string{"id", "email", "updatedAt", "createdAt", "lastName", "firstName"}
	}
	var fields []int
	for _, n := range names {
		i, ok := s.store.number[strings.TrimSpace(n)]
		if !ok {
			refuse(w, "1006", "Field '"+n+"' not found")
			return
		}
		if !slices.Contains(fields, i) {
			fields = append(fields, i)
		}
	}
	if id := s.store.number["id"]; !slices.Contains(fields, id) {
		fields = append([]int{id}, fields...)
	}
	found, ok := s.find(filter, values)
	if !ok {
		refuse(w, "1003", "Invalid filterType: "+filter)
		return
	}
	if len(found) > 1000 && filter != "id" && filter != "email" {
		refuse(w, "1003", "Too many results match the filter")
		return
	}
	rest := found[min(int(from), len(found)):]
	page := rest[:min(size, len(rest))]
	b := append(begin(), `"result":[`...)
	for i, l := range page {
		if i > 0 {
			b = append(b, ',')
		}
		b = s.store.append(b, l, fields)
	}
	b = append(b, ']')
	if len(rest) > len(page) {
		b = append(b, `,"nextPageToken":"`+s.pageToken("leads", from+int64(len(page)))+`"`...)
	}
	send(w, append(b, '}'))
}

// find returns the leads that a filter finds, by id.
func (s *Server) find(filter string, values []string) ([]*lead, bool) {
	var found []*lead
	switch n, known := s.store.number[filter]; {
	case filter == "id":
		for _, v := range values {
			id, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			if l := s.store.leads[id]; err == nil && l != nil && s.visible(l) {
				found = append(found, l)
			}
		}
	case filter == "email":
		for _, v := range values {
			for _, l := range s.store.byEmail[strings.ToLower(strings.TrimSpace(v))] {
				if s.visible(l) {
					found = append(found, l)
				}
			}
		}
	case !known:
		return nil, false
	default:
		for _, l := range s.store.leads {
			var text string
			if json.Unmarshal(l.values[n], &text) != nil {
				text = string(l.values[n])
			}
			if s.visible(l) && slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, text) }) {
				found = append(found, l)
			}
		}
	}
	slices.SortFunc(found, func(a, b *lead) int { return int(a.id - b.id) })
	return slices.Compact(found), true
}

func (s *Server) size(c call) (int, bool) {
	size := s.config.PageSize
	if t := c.query.Get("batchSize"); t != "" {
		n, err := strconv.Atoi(t)
		if err != nil || n < 1 || n > MaxPage {
			return 0, false
		}
		size = min(size, n)
	}
	return size, true
}

func (s *Server) describe(w http.ResponseWriter, _ call) {
	type rest struct {
		Name     string `json:"name"`
		ReadOnly bool   `json:"readOnly"`
	}
	type described struct {
		ID      int    `json:"id"`
		Display string `json:"displayName"`
		Type    string `json:"dataType"`
		Length  int    `json:"length,omitempty"`
		REST    rest   `json:"rest"`
	}
	var out []described
	for i, a := range s.store.attributes {
		out = append(out, described{i + 1, a.display, a.typ, a.length, rest{a.name, a.readOnly}})
	}
	succeed(w, out)
}

func (s *Server) describe2(w http.ResponseWriter, _ call) {
	type described struct {
		Name       string `json:"name"`
		Display    string `json:"displayName"`
		Type       string `json:"dataType"`
		Length     int    `json:"length,omitempty"`
		Updateable bool   `json:"updateable"`
		CRM        bool   `json:"crmManaged"`
	}
	var fields []described
	for _, a := range s.store.attributes {
		fields = append(fields, described{a.name, a.display, a.typ, a.length, !a.readOnly, false})
	}
	succeed(w, []map[string]any{{"name": "API Lead", "searchableFields": [][]string{{"id"}, {"email"}}, "fields": fields}})
}

func succeed(w http.ResponseWriter, result any) {
	r, err := json.Marshal(result)
	if err != nil {
		refuse(w, "611", "System error")
		return
	}
	b := append(begin(), `"result":`...)
	send(w, append(append(b, r...), '}'))
}

// itemResult is what is said of one record.
type itemResult struct {
	ID      int64    `json:"id,omitempty"`
	Status  string   `json:"status"`
	Reasons []reason `json:"reasons,omitempty"`
}

type reason struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func skipped(id int64, code, message string) itemResult {
	return itemResult{id, "skipped", []reason{{code, message}}}
}

// delete answers leads/delete.json.
func (s *Server) delete(w http.ResponseWriter, c call) {
	var ids []int64
	if len(c.body) > 0 {
		var in struct {
			Input []struct {
				ID json.Number `json:"id"`
			} `json:"input"`
		}
		if err := json.Unmarshal(c.body, &in); err != nil {
			refuse(w, "609", "Invalid JSON")
			return
		}
		for _, x := range in.Input {
			id, _ := x.ID.Int64()
			ids = append(ids, id)
		}
	} else {
		for _, t := range list(c.query.Get("id")) {
			id, _ := strconv.ParseInt(t, 10, 64)
			ids = append(ids, id)
		}
	}
	switch {
	case len(ids) == 0:
		refuse(w, "1002", "Missing value for required parameter 'input'")
		return
	case len(ids) > MaxPage:
		refuse(w, "1003", "Too many records: at most 300")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	results := make([]itemResult, len(ids))
	change := change{At: s.config.Clock().UTC()}
	for i, id := range ids {
		l := s.store.leads[id]
		switch {
		case l == nil || !l.deletedAt.IsZero() || slices.Contains(change.Delete, id):
			if l != nil {
				s.Repeat()
			}
			results[i] = skipped(id, "1004", "Lead not found")
		case s.Locked():
			results[i] = skipped(id, "1022", "Lead is in use")
		default:
			results[i] = itemResult{ID: id, Status: "deleted"}
			change.Delete = append(change.Delete, id)
		}
	}
	if err := s.commit(change); err != nil {
		refuse(w, "611", "System error")
		return
	}
	succeed(w, results)
}

// update answers leads.json by POST: updateOnly, createOnly, createOrUpdate and
// createDuplicate.
func (s *Server) update(w http.ResponseWriter, c call) {
	var in struct {
		Action string           `json:"action"`
		Lookup string           `json:"lookupField"`
		Input  []map[string]any `json:"input"`
	}
	d := json.NewDecoder(bytes.NewReader(c.body))
	d.UseNumber()
	if err := d.Decode(&in); err != nil {
		refuse(w, "609", "Invalid JSON")
		return
	}
	in.Action, in.Lookup = cmp.Or(in.Action, "createOrUpdate"), cmp.Or(in.Lookup, "email")
	switch {
	case !slices.Contains([]string{"updateOnly", "createOnly", "createOrUpdate", "createDuplicate"}, in.Action):
		refuse(w, "1003", "Invalid value for action")
		return
	case in.Lookup != "id" && in.Lookup != "email":
		refuse(w, "1003", "Invalid lookupField")
		return
	case len(in.Input) == 0:
		refuse(w, "1002", "Missing value for required parameter 'input'")
		return
	case len(in.Input) > MaxPage:
		refuse(w, "1003", "Too many records: at most 300")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	results := make([]itemResult, len(in.Input))
	change := change{At: s.config.Clock().UTC(), Set: map[int64]map[string]any{}, Create: map[int64]map[string]any{}}
	for i, record := range in.Input {
		results[i] = s.upsert(&change, in.Action, in.Lookup, record)
	}
	if err := s.commit(change); err != nil {
		refuse(w, "611", "System error")
		return
	}
	succeed(w, results)
}

// upsert notes what becomes of one record of an update.
func (s *Server) upsert(c *change, action, lookup string, record map[string]any) itemResult {
	found, _ := s.find(lookup, []string{text(record[lookup])})
	for name := range record {
		if n, ok := s.store.number[name]; name != lookup && (!ok || s.store.attributes[n].readOnly) {
			return skipped(0, "1006", "Field '"+name+"' not found")
		}
	}
	switch {
	case action == "createDuplicate", len(found) == 0 && action != "updateOnly" && lookup == "email":
		id := s.store.last + 1 + int64(len(c.Create))
		c.Create[id] = record
		return itemResult{ID: id, Status: "created"}
	case len(found) == 0:
		return skipped(0, "1004", "Lead not found")
	case action == "createOnly":
		return skipped(0, "1005", "Lead already exists")
	case len(found) > 1:
		return skipped(0, "1007", "Multiple lead match lookup criteria")
	case s.Locked():
		return skipped(found[0].id, "1022", "Lead is in use")
	}
	if lookup == "id" {
		delete(record, lookup)
	}
	c.Set[found[0].id] = record
	return itemResult{ID: found[0].id, Status: "updated"}
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// change is a line of the file of changes.
type change struct {
	Delete []int64                  `json:"delete,omitempty"`
	Set    map[int64]map[string]any `json:"set,omitempty"`
	// Again are leads that the CRM made again: the new id by the old one.
	Again map[int64]int64 `json:"again,omitempty"`
	// Records are records of custom objects that were deleted, by object.
	Records map[string][]string `json:"records,omitempty"`
	// Create are new leads, by id.
	Create map[int64]map[string]any `json:"create,omitempty"`
	// Asked are leads that the CRM was asked about, and doesn't hold.
	Asked []int64   `json:"asked,omitempty"`
	At    time.Time `json:"at"`
}

func (s *Server) replay(line []byte) error {
	var c change
	if err := json.Unmarshal(line, &c); err != nil {
		return err
	}
	s.apply(c)
	return nil
}

// commit writes a change down, then carries it out. The caller holds the lock.
func (s *Server) commit(c change) error {
	if len(c.Delete)+len(c.Set)+len(c.Again)+len(c.Asked)+len(c.Records)+len(c.Create) == 0 {
		return nil
	}
	if err := s.Append(c); err != nil {
		return err
	}
	s.apply(c)
	return nil
}

func (s *Server) apply(c change) {
	for name, ids := range c.Records {
		if o := s.store.objects[name]; o != nil {
			for _, id := range ids {
				if r := o.byID[id]; r != nil && r.deletedAt.IsZero() {
					r.deletedAt = c.At
				}
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.Create)) {
		if s.store.leads[id] == nil {
			s.store.create(id, c.Create[id], c.At)
		}
	}
	for _, id := range c.Delete {
		if l := s.store.leads[id]; l != nil && l.deletedAt.IsZero() {
			l.deletedAt = c.At
			if n, ok := s.store.number["unsubscribed"]; ok && string(l.values[n]) == "true" {
				s.store.durable[l.email] = true
			}
			s.store.deleted = append(s.store.deleted, l)
		}
	}
	for id, fields := range c.Set {
		if l := s.store.leads[id]; l != nil {
			for name, v := range fields {
				if n, ok := s.store.number[name]; ok {
					l.values[n], _ = json.Marshal(v)
				}
				if e, ok := v.(string); ok && name == "email" {
					s.store.byEmail[l.email] = slices.DeleteFunc(slices.Clone(s.store.byEmail[l.email]), func(o *lead) bool { return o == l })
					s.store.put(l, e)
				}
			}
		}
	}
	for old, id := range c.Again {
		l := s.store.leads[old]
		if l == nil || s.store.leads[id] != nil {
			continue
		}
		l.synced = true
		again := &lead{id: id, values: slices.Clone(l.values)}
		again.values[s.store.number["id"]] = number(id)
		s.store.put(again, l.email)
	}
	for _, id := range c.Asked {
		if l := s.store.leads[id]; l != nil {
			l.synced = true
		}
	}
}

// synchronise makes deleted leads again whom the CRM still holds, as Marketo's
// synchronisation with Salesforce does.
func (s *Server) synchronise() {
	if s.config.CRM == nil {
		return
	}
	s.mu.RLock()
	due := s.due()
	s.mu.RUnlock()
	if !due {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Clock()
	c := change{At: now.UTC(), Again: map[int64]int64{}}
	next := s.store.last
	for _, l := range s.store.deleted {
		if l.synced || now.Sub(l.deletedAt) < s.config.SyncEvery {
			continue
		}
		if l.email != "" && s.config.CRM.HoldsContact(l.email) {
			next++
			c.Again[l.id] = next
		} else {
			c.Asked = append(c.Asked, l.id)
		}
	}
	// A change that can't be kept isn't made: the next call tries again.
	_ = s.commit(c)
}

func (s *Server) due() bool {
	now := s.config.Clock()
	return slices.ContainsFunc(s.store.deleted, func(l *lead) bool { return !l.synced && now.Sub(l.deletedAt) >= s.config.SyncEvery })
}
