package salesforce

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// change is a line of the file of changes.
type change struct {
	Delete []string                  `json:"delete,omitempty"`
	Purge  []string                  `json:"purge,omitempty"`
	Set    map[string]map[string]any `json:"set,omitempty"` // by id, by field
	Insert []added                   `json:"insert,omitempty"`
	At     time.Time                 `json:"at"`
}

// replay applies a change of an earlier run.
func (s *Server) replay(line []byte) error {
	var c change
	if err := json.Unmarshal(line, &c); err != nil {
		return err
	}
	return s.apply(c)
}

// apply carries a change out. The caller holds the lock, or is alone.
func (s *Server) apply(c change) error {
	for _, a := range c.Insert {
		if err := s.insert(a, c.At); err != nil {
			return err
		}
	}
	for _, id := range c.Delete {
		if r := s.store.byID[id[:15]]; r != nil {
			r.deletedAt = c.At
			r.object.derive(r)
		}
	}
	for _, id := range c.Purge {
		if r := s.store.byID[id[:15]]; r != nil {
			r.purge(c.At, s.config.Settle > 0)
		}
	}
	for id, fields := range c.Set {
		r := s.store.byID[id[:15]]
		if r == nil {
			continue
		}
		for name, content := range fields {
			n, ok := r.object.field(name)
			if !ok {
				return fmt.Errorf("%s has no field %s", r.object.name, name)
			}
			v, err := encode(r.object.fields[n], content)
			if err != nil {
				return fmt.Errorf("%s.%s: %w", r.object.name, name, err)
			}
			r.set(n, v)
		}
		r.object.derive(r)
	}
	return nil
}

// insert adds a record that a caller made.
func (s *Server) insert(a added, at time.Time) error {
	o := s.store.object(a.Object)
	if o == nil {
		return fmt.Errorf("no object %s", a.Object)
	}
	r := s.store.blank(o, a.ID)
	s.store.place(r)
	now := at.UTC().Format(wireTime)
	values := map[string]any{"Id": a.ID, "CreatedDate": now}
	if _, ok := o.field("LastModifiedDate"); ok {
		values["LastModifiedDate"] = now
	}
	for name, v := range a.Fields {
		values[name] = v
	}
	return s.store.fill(r, values)
}

func (r *row) set(n int, v value) {
	if index := r.object.index[n]; index != nil {
		if old := r.values[n]; !old.null {
			index[old.key] = slices.DeleteFunc(slices.Clone(index[old.key]), func(o *row) bool { return o == r })
		}
		if !v.null {
			index[v.key] = append(slices.Clip(index[v.key]), r)
		}
	}
	r.values[n] = v
}

// purge forgets a row's content, unless it is still shown for a while; its id
// stays known as one that was deleted.
func (r *row) purge(at time.Time, shown bool) {
	if r.purged {
		return
	}
	r.purged, r.purgedAt = true, at
	if shown {
		return
	}
	for n := range r.values {
		if r.object.fields[n].name == "Id" {
			continue
		}
		r.set(n, value{null: true, encoded: []byte("null")})
	}
}

// commit writes a change down, then carries it out.
func (s *Server) commit(c change) *apiError {
	if len(c.Delete)+len(c.Purge)+len(c.Set)+len(c.Insert) == 0 {
		return nil
	}
	c.At = s.now().UTC()
	err := s.Append(c)
	if err == nil {
		err = s.apply(c)
	}
	if err != nil {
		return &apiError{status: 500, code: "UNKNOWN_EXCEPTION", message: "An unexpected error occurred."}
	}
	return nil
}

// deleteMany answers DELETE /composite/sobjects?ids=…&allOrNone=….
func (s *Server) deleteMany(r request) answer {
	ids := strings.Split(r.query.Get("ids"), ",")
	if r.query.Get("ids") == "" {
		return refuse(&apiError{status: 400, code: "REQUIRED_FIELD_MISSING", message: "The ids parameter is required"})
	}
	if len(ids) > MaxCollection {
		return refuse(&apiError{status: 400, code: "EXCEEDED_ID_LIMIT", message: "record limit reached. cannot submit more than 200 records in this operation"})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	results := make([]itemResult, len(ids))
	var todo []string
	gone := map[string]bool{}
	for i, id := range ids {
		results[i] = s.tryDelete(strings.TrimSpace(id), gone)
		if results[i].Success {
			todo = append(todo, s.cascade(id, gone)...)
		}
	}
	if r.query.Get("allOrNone") == "true" && slices.ContainsFunc(results, func(x itemResult) bool { return !x.Success }) {
		return reply(rolledBack(results))
	}
	if err := s.commit(change{Delete: todo}); err != nil {
		return refuse(err)
	}
	return reply(results)
}

// tryDelete returns what a deletion would come to, without doing it. In gone are
// the records that this call deletes before.
func (s *Server) tryDelete(id string, gone map[string]bool) itemResult {
	if !isID(id) {
		return failed("", "MALFORMED_ID", "malformed id "+id)
	}
	r := s.store.byID[id[:15]]
	switch {
	case r == nil:
		return failed(id, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
	case !r.deletedAt.IsZero() || r.purged || gone[r.id]:
		s.Repeat()
		return failed(id, "ENTITY_IS_DELETED", "entity is deleted")
	case s.Locked():
		return failed(id, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records: "+id)
	case r.object.name == "ContentVersion":
		return failed(id, "INSUFFICIENT_ACCESS_OR_READONLY", "entity type ContentVersion does not support delete")
	case r.object.name == "Contact" && r.is("IsPersonAccount"):
		return failed(id, "INSUFFICIENT_ACCESS_OR_READONLY", "the contact of a person account is deleted with its account")
	}
	if r.object.name == "Contact" {
		if cases := s.store.object("Case"); cases != nil {
			var open []string
			for _, c := range cases.lookup("ContactId", r.id[:15]) {
				if c.deletedAt.IsZero() && !c.purged && !gone[c.id] {
					n, _ := cases.field("CaseNumber")
					open = append(open, strings.Trim(string(c.values[n].encoded), `"`))
				}
			}
			if len(open) > 0 {
				n, _ := r.object.field("Name")
				return failed(id, "DELETE_FAILED", "Your attempt to delete "+strings.Trim(string(r.values[n].encoded), `"`)+" could not be completed because it is associated with the following cases.: "+strings.Join(open, ", "))
			}
		}
	}
	return succeeded(r.id)
}

// cascade returns a record and what goes with it.
func (s *Server) cascade(id string, gone map[string]bool) []string {
	r := s.store.byID[id[:15]]
	out := []string{r.id}
	gone[r.id] = true
	for _, c := range s.below(r) {
		if c.deletedAt.IsZero() && !c.purged && !gone[c.id] {
			out = append(out, s.cascade(c.id, gone)...)
		}
	}
	return out
}

// tryPurge carries out emptyRecycleBin for one id, and returns what came of it.
// Records whose parent is purged by the same call fail, as in Salesforce.
func (s *Server) tryPurge(id string, all map[string]bool) itemResult {
	if !isID(id) {
		return failed("", "MALFORMED_ID", "malformed id "+id)
	}
	r := s.store.byID[id[:15]]
	switch {
	case r == nil:
		return failed(id, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
	case r.purged:
		s.Repeat()
		return failed(id, "ENTITY_IS_DELETED", "entity is deleted")
	case r.deletedAt.IsZero():
		return failed(id, "INVALID_ID_FIELD", "entity is not in the recycle bin")
	case s.Locked():
		return failed(id, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
	}
	for _, c := range cascades() {
		if c.child != r.object.name {
			continue
		}
		n, ok := r.object.field(c.field)
		if !ok || r.values[n].null || !all[r.values[n].key] {
			continue
		}
		if parent := s.store.byID[r.values[n].key]; parent != nil && parent.object.name == c.parent {
			return failed(id, "DELETE_OPERATION_TOO_LARGE", "entity will be purged with its parent")
		}
	}
	return succeeded(r.id)
}

// updateMany answers PATCH /composite/sobjects.
func (s *Server) updateMany(r request) answer {
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
	set := map[string]map[string]any{}
	for i, fields := range in.Records {
		id, _ := fields["id"].(string)
		if id == "" {
			id, _ = fields["Id"].(string)
		}
		attributes, _ := fields["attributes"].(map[string]any)
		kind, _ := attributes["type"].(string)
		fields = without(fields, "id", "attributes")
		results[i] = s.tryUpdate(kind, id, fields)
		if results[i].Success {
			set[results[i].ID] = fields
		}
	}
	if in.AllOrNone && len(set) < len(results) {
		return reply(rolledBack(results))
	}
	if err := s.commit(change{Set: set}); err != nil {
		return refuse(err)
	}
	return reply(results)
}

func (s *Server) tryUpdate(kind, id string, fields map[string]any) itemResult {
	if !isID(id) {
		return failed("", "MALFORMED_ID", "malformed id "+id)
	}
	r := s.store.byID[id[:15]]
	switch {
	case r == nil || !strings.EqualFold(kind, r.object.name):
		return failed(id, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
	case !r.deletedAt.IsZero() || r.purged:
		return failed(id, "ENTITY_IS_DELETED", "entity is deleted")
	case s.Locked():
		return failed(id, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records: "+id)
	}
	return s.writable(r.object, r.id, fields)
}

// writable checks the fields of a record that is made or changed.
func (s *Server) writable(o *object, id string, fields map[string]any) itemResult {
	for name, content := range fields {
		n, ok := o.field(name)
		if !ok {
			return failed(id, "INVALID_FIELD", "No such column '"+name+"' on sobject of type "+o.name, name)
		}
		f := o.fields[n]
		if derived(o, f.name) {
			return failed(id, "INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: "+f.name+". Please check the security settings of this field and verify that it is read/write for your profile or permission set.", f.name)
		}
		if _, err := encode(f, content); err != nil {
			return failed(id, "INVALID_TYPE_ON_FIELD_IN_RECORD", "value not of required type: "+f.name, f.name)
		}
	}
	return succeeded(id)
}

// derived reports whether Salesforce sets a field itself.
func derived(o *object, name string) bool {
	switch name {
	case "Id", "IsDeleted", "SystemModstamp", "CreatedDate", "LastModifiedDate", "IsPersonAccount", "PersonContactId":
		return true
	case "Name":
		_, made := o.field("LastName")
		return made
	}
	return false
}
