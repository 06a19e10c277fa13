package marketo

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// addMember adds a membership of a program.
func (s *store) addMember(values map[string]any) error {
	of, _ := values["leadId"].(int64)
	l := s.leads[of]
	if l == nil {
		return fmt.Errorf("its lead is missing")
	}
	l.programs = append(l.programs, values)
	program, _ := values["programId"].(int64)
	if !slices.Contains(s.programs, program) {
		s.programs = append(s.programs, program)
	}
	return nil
}

// memberships returns the calls of one lead's memberships, by the end of their
// path.
func memberships() map[string]string {
	return map[string]string{"listMembership.json": "listMembership", "programMembership.json": "programMembership", "smartCampaignMembership.json": "smartCampaignMembership"}
}

// routeMembers finds what answers a call of members of a program or of the
// memberships of a lead; nil where it is neither.
func (s *Server) routeMembers(path string) (string, func(http.ResponseWriter, call)) {
	if path == "/rest/v1/programs/members/describe.json" {
		return "programMembers.describe", s.describeMembers
	}
	if rest, ok := strings.CutPrefix(path, "/rest/v1/programs/"); ok {
		if program, ok := strings.CutSuffix(rest, "/members.json"); ok {
			return "programMembers", func(w http.ResponseWriter, c call) { s.programMembers(w, c, program) }
		}
	}
	if rest, ok := strings.CutPrefix(path, "/rest/v1/leads/"); ok {
		if lead, what, ok := strings.Cut(rest, "/"); ok && memberships()[what] != "" {
			return memberships()[what], func(w http.ResponseWriter, c call) { s.membership(w, c, lead, memberships()[what]) }
		}
	}
	return "", nil
}

// memberFields returns the fields of a program's members.
func memberFields() []string {
	return []string{"leadId", "programId", "statusName", "membershipDate", "reachedSuccess", "acquiredBy", "dietaryNeeds"}
}

func (s *Server) describeMembers(w http.ResponseWriter, _ call) {
	var fields []map[string]any
	for _, f := range memberFields() {
		fields = append(fields, map[string]any{"name": f, "displayName": f, "dataType": "string", "updateable": f == "dietaryNeeds", "crmManaged": false})
	}
	succeed(w, []any{map[string]any{
		"name": "API Program Membership", "description": "Map for API program membership fields", "dedupeFields": []string{"leadId", "programId"},
		"searchableFields": [][]string{{"leadId"}, {"reachedSuccess"}, {"statusName"}}, "fields": fields,
	}})
}

// programMembers answers programs/ID/members.json: of many leads, by their ids.
// Other filters aren't played. How many values a filter takes isn't published;
// here it is as many as of leads.
func (s *Server) programMembers(w http.ResponseWriter, c call, program string) {
	id, err := strconv.ParseInt(program, 10, 64)
	values, names := list(c.query.Get("filterValues")), list(c.query.Get("fields"))
	from, ok := s.openPage(c.query.Get("nextPageToken"), "member")
	size, sized := s.size(c)
	s.mu.RLock()
	defer s.mu.RUnlock()
	switch {
	case err != nil || !slices.Contains(s.store.programs, id):
		refuse(w, "702", "Program not found")
		return
	case c.query.Get("filterType") != "leadId":
		refuse(w, "1003", "Invalid filterType: "+c.query.Get("filterType"))
		return
	case len(values) == 0 || len(values) > MaxPage:
		refuse(w, "1003", "Between 1 and 300 filterValues")
		return
	case !ok:
		refuse(w, "1003", "Invalid nextPageToken")
		return
	case !sized:
		refuse(w, "1003", "Invalid value for batchSize")
		return
	}
	if names == nil {
		names = []string{"reachedSuccess", "programId", "acquiredBy", "membershipDate"}
	}
	for _, n := range names {
		if !slices.Contains(memberFields(), n) {
			refuse(w, "1006", "Field '"+n+"' not found")
			return
		}
	}
	found := []map[string]any{}
	for _, v := range values {
		lead, _ := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		for _, m := range s.programsOf(s.store.leads[lead]) {
			if m["programId"] != id {
				continue
			}
			row := map[string]any{"seq": len(found), "leadId": lead}
			for _, n := range names {
				row[n] = m[n]
			}
			found = append(found, row)
		}
	}
	s.sendRows(w, "member", found, from, size)
}

// programsOf returns a lead's memberships; none where it isn't shown.
func (s *Server) programsOf(l *lead) []map[string]any {
	if l == nil || !s.visible(l) {
		return nil
	}
	return l.programs
}

// membership answers what one lead is a member of: of the population's programs,
// and of one to three lists and smart campaigns, by its id.
func (s *Server) membership(w http.ResponseWriter, c call, lead, kind string) {
	id, err := strconv.ParseInt(lead, 10, 64)
	from, ok := s.openPage(c.query.Get("nextPageToken"), kind)
	if err != nil || !ok {
		refuse(w, "1003", "Invalid value")
		return
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	l := s.store.leads[id]
	if l == nil || !s.visible(l) {
		refuse(w, "1004", "Lead not found")
		return
	}
	const then = "2026-01-01T00:00:00Z"
	found := []map[string]any{}
	switch kind {
	case "programMembership":
		for _, m := range l.programs {
			found = append(found, map[string]any{
				"id": m["programId"], "progressionStatus": m["statusName"], "membershipDate": m["membershipDate"], "updatedAt": m["membershipDate"],
				"reachedSuccess": m["reachedSuccess"], "acquiredBy": m["acquiredBy"], "isExhausted": false,
			})
		}
	case "listMembership":
		for n := range 1 + id%3 {
			found = append(found, map[string]any{"id": 100 + n, "name": "List " + strconv.FormatInt(n, 10), "createdAt": then, "updatedAt": then})
		}
	default:
		for n := range 1 + id%3 {
			found = append(found, map[string]any{"smartCampaignId": 200 + n, "createdAt": then, "updatedAt": then})
		}
	}
	size, _ := s.size(c)
	s.sendRows(w, kind, found, from, cmp.Or(size, s.config.PageSize))
}

// sendRows answers a page of what was found.
func (s *Server) sendRows(w http.ResponseWriter, kind string, found []map[string]any, from int64, size int) {
	rest := found[min(int(from), len(found)):]
	page := rest[:min(size, len(rest))]
	body := map[string]any{"requestId": requestID(), "success": true, "result": page}
	if len(rest) > len(page) {
		body["nextPageToken"], body["moreResult"] = s.pageToken(kind, from+int64(len(page))), true
	}
	b, err := json.Marshal(body)
	if err != nil {
		refuse(w, "611", "System error")
		return
	}
	send(w, b)
}
