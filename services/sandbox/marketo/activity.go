package marketo

import (
	"bytes"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// activityType is one of Marketo's standard activity types.
type activityType struct {
	id            int64
	name, primary string
	secondary     string
}

// activityTypes returns those that a fresh Marketo instance lists, nearly.
func activityTypes() []activityType {
	return []activityType{
		{1, "Visit Webpage", "Webpage ID", "Query Parameters"}, {2, "Fill Out Form", "Webform ID", "Form Fields"}, {3, "Click Link", "Link ID", "Query Parameters"},
		{6, "Send Email", "Mailing ID", "Campaign Run ID"}, {7, "Email Delivered", "Mailing ID", "Campaign Run ID"}, {8, "Email Bounced", "Mailing ID", "Details"},
		{9, "Unsubscribe Email", "Mailing ID", "Form Fields"}, {10, "Open Email", "Mailing ID", "Device"}, {11, "Click Email", "Mailing ID", "Link"},
		{12, "New Lead", "Created Date", "Source Type"}, {13, "Change Data Value", "Attribute Name", "New Value"}, {19, "Sync Lead to SFDC", "", "Error"},
		{21, "Convert Lead", "", "SFDC Account ID"}, {22, "Change Score", "Score Name", "New Value"}, {23, "Change Owner", "", "New Owner"},
		{24, "Add to List", "List ID", "Source"}, {25, "Remove from List", "List ID", "Source"}, {26, "SFDC Activity", "Subject", "Description"},
		{27, "Email Bounced Soft", "Mailing ID", "Details"}, {29, "Delete Lead from SFDC", "", "SFDC ID"}, {30, "SFDC Activity Updated", "Subject", "Description"},
		{32, "Merge Leads", "Lead ID", "Merge IDs"}, {34, "Add to Opportunity", "Oppty ID", "Role"}, {35, "Remove from Opportunity", "Oppty ID", "Role"},
		{36, "Update Opportunity", "Oppty ID", "New Value"}, {37, "Delete Lead", "Lead ID", "Remove from SFDC"}, {38, "Send Alert", "Mailing ID", "Send To Owner"},
		{39, "Send Sales Email", "", "Artifact ID"}, {40, "Open Sales Email", "", "Artifact ID"}, {41, "Click Sales Email", "", "Link"},
		{42, "Add to SFDC Campaign", "Campaign ID", "Status"}, {43, "Remove from SFDC Campaign", "Campaign ID", "Status"}, {44, "Change Status in SFDC Campaign", "Campaign ID", "New Status"},
		{45, "Receive Sales Email", "", "Received By"}, {46, "Interesting Moment", "Type", "Description"}, {47, "Request Campaign", "Campaign ID", "Source"},
		{48, "Sales Email Bounced", "", "Details"}, {100, "Change Lead Partition", "Partition ID", "Reason"}, {101, "Change Revenue Stage", "Model ID", "New Stage"},
		{102, "Change Revenue Stage Manually", "Model ID", "New Stage"}, {104, "Change Status in Progression", "Program ID", "New Status"}, {106, "Enrich with Data.com", "", "Result"},
		{108, "Change Segment", "Segmentation ID", "New Segment ID"}, {110, "Call Webhook", "Webhook", "Response"}, {111, "Sent Forward to Friend Email", "Mailing ID", "Link"},
		{112, "Received Forward to Friend Email", "Mailing ID", "Link"}, {113, "Add to Nurture", "Program ID", "Track"}, {114, "Change Nurture Track", "Program ID", "New Track"},
		{115, "Change Nurture Cadence", "Program ID", "New Cadence"}, {123, "Change Program Member Data", "Program ID", "New Value"}, {145, "Push Lead to Marketo", "Source", "Reason"},
		{147, "Share Content", "Content", "Link"}, {148, "Vote in Poll", "Poll", "Choice"}, {152, "Enter Sweepstakes", "Sweepstakes", "Link"}, {155, "Respond to a Poll", "Poll", "Choice"},
	}
}

func (s *Server) activityTypes(w http.ResponseWriter, _ call) {
	type attribute struct {
		Name string `json:"name"`
		Type string `json:"dataType"`
	}
	type described struct {
		ID         int64       `json:"id"`
		Name       string      `json:"name"`
		Primary    *attribute  `json:"primaryAttribute,omitempty"`
		Attributes []attribute `json:"attributes"`
	}
	var out []described
	for _, t := range activityTypes() {
		d := described{ID: t.id, Name: t.name, Attributes: []attribute{{t.secondary, "string"}}}
		if t.primary != "" {
			d.Primary = &attribute{t.primary, "string"}
		}
		out = append(out, d)
	}
	succeed(w, out)
}

var tokenText = base32.StdEncoding.WithPadding('=')

// pageToken makes a page token: opaque to callers, and good for a while, or until
// [Server.ExpirePages].
func (s *Server) pageToken(kind string, at int64) string {
	s.callMu.Lock()
	defer s.callMu.Unlock()
	return tokenText.EncodeToString(fmt.Appendf(nil, "%s|%d|%d|%d", kind, s.epoch, at, s.config.Clock().Unix()))
}

// openPage reads a page token; an absent one is the beginning.
func (s *Server) openPage(token, kind string) (int64, bool) {
	if token == "" {
		return 0, true
	}
	b, err := tokenText.DecodeString(token)
	parts := strings.Split(string(b), "|")
	if err != nil || len(parts) != 4 || parts[0] != kind {
		return 0, false
	}
	s.callMu.Lock()
	defer s.callMu.Unlock()
	at, err := strconv.ParseInt(parts[2], 10, 64)
	made, madeErr := strconv.ParseInt(parts[3], 10, 64)
	fresh := s.config.Clock().Sub(time.Unix(made, 0)) < s.config.PageLife
	return at, err == nil && madeErr == nil && fresh && parts[1] == strconv.Itoa(s.epoch)
}

func (s *Server) pagingToken(w http.ResponseWriter, c call) {
	t, err := time.Parse(time.RFC3339, c.query.Get("sinceDatetime"))
	if err != nil {
		if t, err = time.Parse(time.DateOnly, c.query.Get("sinceDatetime")); err != nil {
			refuse(w, "1003", "Invalid value for sinceDatetime")
			return
		}
	}
	b := begin()
	b = append(b, `"nextPageToken":"`+s.pageToken("activities", position(t, 0))+`"}`...)
	send(w, b)
}

// position orders activities by their second, and within it by how many were
// handed out before.
func position(t time.Time, n int) int64 { return t.Unix()*10_000 + int64(n) }

// activities answers activities.json: those of some leads and types behind a
// page token.
func (s *Server) activities(w http.ResponseWriter, c call) {
	types, leads := list(c.query.Get("activityTypeIds")), list(c.query.Get("leadIds"))
	token := c.query.Get("nextPageToken")
	from, ok := s.openPage(token, "activities")
	size, sized := s.size(c)
	switch {
	case token == "":
		refuse(w, "1002", "Missing value for required parameter 'nextPageToken'")
		return
	case !ok:
		refuse(w, "1003", "Invalid nextPageToken")
		return
	case len(types) == 0:
		refuse(w, "1002", "Missing value for required parameter 'activityTypeIds'")
		return
	case len(types) > MaxTypes:
		refuse(w, "1003", "Too many activityTypeIds: at most 10")
		return
	case len(leads) > MaxLeadIDs:
		refuse(w, "1003", "Too many leadIds: at most 30")
		return
	case !sized:
		refuse(w, "1003", "Invalid value for batchSize")
		return
	}
	wanted := make(map[int64]bool, len(types))
	for _, t := range types {
		id, err := strconv.ParseInt(t, 10, 64)
		if err != nil {
			refuse(w, "1003", "Invalid value for activityTypeIds")
			return
		}
		wanted[id] = true
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found []*activity
	take := func(l *lead) {
		if l == nil || !s.visible(l) {
			return
		}
		for _, a := range l.activities {
			if wanted[a.typ] && a.at.Unix() >= from/10_000 {
				found = append(found, a)
			}
		}
	}
	if len(leads) == 0 {
		for _, l := range s.store.leads {
			take(l)
		}
	}
	for _, t := range leads {
		id, _ := strconv.ParseInt(t, 10, 64)
		take(s.store.leads[id])
	}
	slices.SortFunc(found, func(a, b *activity) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return int(a.id - b.id)
	})
	s.sendActivities(w, found, from, size, func(a *activity) ([]byte, time.Time) { return a.encoded, a.at })
}

// sendActivities answers a page of what lies behind a position, and always a
// token for what may come.
func (s *Server) sendActivities(w http.ResponseWriter, found []*activity, from int64, size int, encode func(*activity) ([]byte, time.Time)) {
	// Within the second at which the last page ended, some were handed out.
	skip := int(from % 10_000)
	for i, a := range found {
		if a.at.Unix() > from/10_000 || i >= skip {
			found = found[i:]
			break
		}
		if i == len(found)-1 {
			found = nil
		}
	}
	page := found[:min(size, len(found))]
	if s.config.ShortPages && len(page) > 1 && from%2 == 0 {
		page = page[:len(page)/2]
	}
	b := append(begin(), `"result":[`...)
	next := from
	for i, a := range page {
		if i > 0 {
			b = append(b, ',')
		}
		text, at := encode(a)
		b = append(b, bytes.TrimSpace(text)...)
		if at.Unix() == next/10_000 {
			next++
		} else {
			next = position(at, 1)
		}
	}
	b = append(b, `],"nextPageToken":"`+s.pageToken("activities", next)+`","moreResult":`+strconv.FormatBool(len(page) < len(found))+`}`...)
	send(w, b)
}

// deletedLeads answers activities/deletedleads.json: who was deleted since, by
// name.
func (s *Server) deletedLeads(w http.ResponseWriter, c call) {
	token := c.query.Get("nextPageToken")
	from, ok := s.openPage(token, "activities")
	size, sized := s.size(c)
	if token == "" || !ok || !sized {
		refuse(w, "1003", "Invalid nextPageToken")
		return
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found []*activity
	for i, l := range s.store.deleted {
		if l.deletedAt.Unix() < from/10_000 {
			continue
		}
		b, _ := json.Marshal(map[string]any{
			"id": 900_000_000 + i, "marketoGUID": strconv.Itoa(900_000_000 + i), "leadId": l.id, "activityDate": l.deletedAt.UTC().Format("2006-01-02T15:04:05Z"),
			"activityTypeId": 37, "primaryAttributeValueId": l.id, "primaryAttributeValue": l.name(s.store), "attributes": []any{},
		})
		found = append(found, &activity{id: int64(i), at: l.deletedAt, encoded: b})
	}
	s.sendActivities(w, found, from, size, func(a *activity) ([]byte, time.Time) { return a.encoded, a.at })
}
