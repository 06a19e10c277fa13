package marketo

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"time"
)

// activityColumns returns the columns of a file of activities; attributes is JSON.
func activityColumns() []string {
	return []string{"marketoGUID", "leadId", "activityDate", "activityTypeId", "campaignId", "primaryAttributeValueId", "primaryAttributeValue", "attributes"}
}

// write makes a job's file, with null for what is empty.
func (s *Server) write(j *export) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	out.Comma = j.comma
	row := make([]string, len(j.fields))
	for i, f := range j.fields {
		row[i] = f
		if other := j.headers[f]; other != "" {
			row[i] = other
		}
	}
	_ = out.Write(row) // a buffer takes everything
	add := func(raw func(field string) []byte) {
		for i, f := range j.fields {
			var t string
			if row[i] = string(raw(f)); json.Unmarshal(raw(f), &t) == nil && row[i] != "null" {
				row[i] = t
			} else if row[i] == "" {
				row[i] = "null"
			}
		}
		_ = out.Write(row) // a buffer takes everything
		j.records++
	}
	in := func(at time.Time) bool { return !at.Before(j.from) && at.Before(j.to) }
	for _, id := range s.store.sorted() {
		l := s.store.leads[id]
		if !s.visible(l) {
			continue
		}
		if j.kind == "leads" {
			field := "createdAt"
			if j.updated {
				field = "updatedAt"
			}
			var at time.Time
			if json.Unmarshal(l.values[s.store.number[field]], &at) == nil && in(at) {
				add(func(f string) []byte { return l.values[s.store.number[f]] })
			}
			continue
		}
		for _, a := range l.activities {
			var values map[string]json.RawMessage
			if in(a.at) && (len(j.types) == 0 || j.types[a.typ]) && json.Unmarshal(a.encoded, &values) == nil {
				add(func(f string) []byte { return values[f] })
			}
		}
	}
	out.Flush()
	j.file = b.Bytes()
}
