package marketo

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"habeas.dev/services/sandbox/people"
)

// attribute is one field of a lead.
type attribute struct {
	name, display, typ string
	length             int
	readOnly           bool
}

// attributes returns the fields of leads that the stand-in knows: standard ones
// that the population fills or that a worker changes.
func attributes() []attribute {
	return []attribute{
		{"id", "Id", "integer", 0, true}, {"firstName", "First Name", "string", 255, false}, {"lastName", "Last Name", "string", 255, false},
		{"email", "Email Address", "email", 255, false}, {"phone", "Phone Number", "phone", 255, false}, {"company", "Company Name", "string", 255, false},
		{"title", "Job Title", "string", 255, false}, {"city", "City", "string", 255, false}, {"country", "Country", "string", 255, false},
		{"leadSource", "Lead Source", "string", 255, false}, {"leadScore", "Lead Score", "score", 0, false},
		{"unsubscribed", "Unsubscribed", "boolean", 0, false}, {"unsubscribedReason", "Unsubscribed Reason", "text", 0, false},
		{"doNotCall", "Do Not Call", "boolean", 0, false}, {"doNotCallReason", "Do Not Call Reason", "text", 0, false},
		{"emailInvalid", "Email Invalid", "boolean", 0, false}, {"marketingSuspended", "Marketing Suspended", "boolean", 0, false},
		{"createdAt", "Created At", "datetime", 0, true}, {"updatedAt", "Updated At", "datetime", 0, true},
	}
}

// store holds leads and activities. Values are encoded once: an answer is put
// together by copying.
type store struct {
	attributes []attribute
	number     map[string]int // of an attribute, by name
	leads      map[int64]*lead
	byEmail    map[string][]*lead // folded
	last       int64              // the highest id
	deleted    []*lead            // in the order of their deletion
	programs   []int64            // that have members
	objects    map[string]*object // by API name
	// durable are the addresses of which a lead had unsubscribed when it was
	// deleted: a new lead of the same address has unsubscribed too.
	durable map[string]bool
}

type lead struct {
	id         int64
	email      string // folded
	values     [][]byte
	activities []*activity      // by time
	programs   []map[string]any // memberships, by program
	deletedAt  time.Time
	synced     bool // the CRM was asked whether it makes this lead again
}

type activity struct {
	id      int64
	typ     int64
	at      time.Time
	encoded []byte
}

func seed(p *people.Population, hidden []string) (*store, string, error) {
	s := &store{number: map[string]int{}, leads: map[int64]*lead{}, byEmail: map[string][]*lead{}, objects: map[string]*object{}, durable: map[string]bool{}}
	for _, a := range attributes() {
		if !slices.Contains(hidden, a.name) {
			s.number[a.name] = len(s.attributes)
			s.attributes = append(s.attributes, a)
		}
	}
	h := sha256.New()
	for r := range p.All(people.Marketo) {
		fmt.Fprintln(h, r.Key, r.Values["email"])
		var err error
		switch r.Dataset {
		case "leads":
			err = s.addLead(r.Values, hidden)
		case "activities":
			err = s.addActivity(r.Values)
		case "program_members":
			err = s.addMember(r.Values)
		case "subscriptions":
			s.addRecord(Object{Name: OwnObject, Link: "emailAddress", Lead: "email"}, r.Key, r.Values)
		default:
			err = fmt.Errorf("unknown dataset")
		}
		if err != nil {
			return nil, "", fmt.Errorf("%s %s of the population: %w", r.Dataset, r.Key, err)
		}
	}
	for _, l := range s.leads {
		slices.SortFunc(l.activities, func(a, b *activity) int {
			if c := a.at.Compare(b.at); c != 0 {
				return c
			}
			return int(a.id - b.id)
		})
	}
	return s, hex.EncodeToString(h.Sum(nil))[:32], nil
}

func (s *store) addLead(values map[string]any, hidden []string) error {
	id, ok := values["id"].(int64)
	if !ok {
		return fmt.Errorf("no id")
	}
	l := &lead{id: id, values: make([][]byte, len(s.attributes))}
	for i := range l.values {
		l.values[i] = []byte("null")
		if s.attributes[i].typ == "boolean" {
			l.values[i] = []byte("false")
		}
	}
	for name, v := range values {
		if slices.Contains(hidden, name) {
			continue
		}
		n, ok := s.number[name]
		if !ok {
			return fmt.Errorf("unknown field %s", name)
		}
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		l.values[n] = b
	}
	email, _ := values["email"].(string)
	s.put(l, email)
	return nil
}

func (s *store) put(l *lead, email string) {
	l.email = strings.ToLower(email)
	s.leads[l.id] = l
	s.byEmail[l.email] = append(s.byEmail[l.email], l)
	s.last = max(s.last, l.id)
}

func (s *store) addActivity(values map[string]any) error {
	a := &activity{}
	a.id, _ = values["id"].(int64)
	a.typ, _ = values["activityTypeId"].(int64)
	of, _ := values["leadId"].(int64)
	at, _ := values["activityDate"].(string)
	var err error
	if a.at, err = time.Parse(time.RFC3339, at); err != nil {
		return err
	}
	l := s.leads[of]
	if l == nil {
		return fmt.Errorf("its lead is missing")
	}
	if a.encoded, err = json.Marshal(values); err != nil {
		return err
	}
	l.activities = append(l.activities, a)
	return nil
}

// append writes a lead with some of its fields.
func (s *store) append(b []byte, l *lead, fields []int) []byte {
	b = append(b, '{')
	for i, n := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, s.attributes[n].name...)
		b = append(b, `":`...)
		b = append(b, l.values[n]...)
	}
	return append(b, '}')
}

// sorted returns the ids of all leads.
func (s *store) sorted() []int64 { return slices.Sorted(maps.Keys(s.leads)) }

func (l *lead) name(s *store) string {
	var parts []string
	for _, f := range []string{"firstName", "lastName"} {
		var t string
		if n, ok := s.number[f]; ok && json.Unmarshal(l.values[n], &t) == nil && t != "" {
			parts = append(parts, t)
		}
	}
	return strings.Join(parts, " ")
}

func number(n int64) []byte { return strconv.AppendInt(nil, n, 10) }
