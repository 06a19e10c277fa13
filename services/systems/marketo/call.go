package marketo

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// What one call takes (Adobe, "Leads", "Activities").
const (
	maxPage   = 300 // records of a page, ids of a query or deletion
	maxLeads  = 30  // leads of a query for activities
	maxTypes  = 10  // types of the same
	typesLife = time.Hour
)

// longAgo is before any activity: Marketo is from 2006.
const longAgo = "2006-01-01T00:00:00Z"

var (
	asForm = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}}
	asJSON = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}
)

// get makes a call that changes nothing. Its parameters go in the body, where no
// proxy logs them.
func (w *Worker) get(ctx context.Context, name, path string, q url.Values, expect *vendorapi.Expect) error {
	q.Set("_method", "GET")
	return w.api.Do(ctx, vendorapi.Call{Name: name, Method: http.MethodPost, Path: "/rest/v1/" + path, Header: asForm, Body: []byte(q.Encode()), Safe: true, Expect: expect})
}

// ask asks for one thing, which the answer has as a member. read reads it.
func (w *Worker) ask(ctx context.Context, name, path string, q url.Values, member string, read func(s *vendorapi.Scanner)) error {
	return w.get(ctx, name, path, q, vendorapi.One(func(a *vendorapi.Answer) error {
		there := false
		err := readAnswer(a, func(s *vendorapi.Scanner, key string) {
			if key == member {
				there = true
				read(s)
			} else {
				s.Skip()
			}
		})
		if err == nil && !there {
			err = errors.New("the answer lacks what was asked for")
		}
		return err
	}))
}

func readAnswer(a *vendorapi.Answer, read func(s *vendorapi.Scanner, key string)) error {
	s := vendorapi.NewScanner(a.Body)
	s.Object(func(key []byte) { read(s, string(key)) })
	return s.Err()
}

// rows runs over the records of an answer of many pages. row MUST NOT keep raw.
func (w *Worker) rows(ctx context.Context, name, path string, q url.Values, row func(raw []byte) error) error {
	q.Set("batchSize", strconv.Itoa(maxPage))
	list := vendorapi.NewList()
	for {
		err := w.get(ctx, name, path, q, vendorapi.PageOf(list, func(a *vendorapi.Answer) (vendorapi.Page, error) { return readPage(a, path) }))
		if err != nil {
			return err
		}
		for _, raw := range list.Rows() {
			if err := row(raw); err != nil {
				return err
			}
		}
		if list.Next() == "" {
			return ctx.Err()
		}
		q.Set("nextPageToken", list.Next())
	}
}

// readPage reads a page. Of activities there is always a page that follows, and
// moreResult tells whether it is wanted; a page without rows may lack their list. Of
// anything else there is one only where it is wanted, and moreResult may be missing.
func readPage(a *vendorapi.Answer, path string) (vendorapi.Page, error) {
	p := vendorapi.Page{Total: -1}
	var more *bool
	err := readAnswer(a, func(s *vendorapi.Scanner, key string) {
		switch key {
		case "result":
			p.Listed = true
			s.Array(func() { p.Rows = append(p.Rows, s.Value()) })
		case "nextPageToken":
			p.Next = s.String()
		case "moreResult":
			b := s.Bool()
			more = &b
		default:
			s.Skip()
		}
	})
	switch {
	case more != nil && !*more:
		p.Next, p.Last = "", true
	case path == pathActivities || path == pathDeleted:
		if more == nil {
			p.Next = ""
		}
	case p.Next == "":
		p.Last = more == nil
	}
	p.Listed = p.Listed || more != nil && (path == pathActivities || path == pathDeleted)
	return p, err
}

const (
	pathLeads      = "leads.json"
	pathActivities = "activities.json"
	pathDeleted    = "activities/deletedleads.json"
)

// leadsBy runs over the leads with some value of a field: email or id.
func (w *Worker) leadsBy(ctx context.Context, field string, values, columns []string, row func(f *fields) error) error {
	f := newLeadFields(columns)
	return w.rows(ctx, "leads", pathLeads, url.Values{"filterType": {field}, "filterValues": {strings.Join(values, ",")}, "fields": {strings.Join(f.names, ",")}}, func(raw []byte) error {
		if err := f.read(raw); err != nil {
			return err
		}
		return row(f)
	})
}

// activitiesOf runs over the activities of at most 30 leads.
func (w *Worker) activitiesOf(ctx context.Context, d *dataset, leads []string, row func(f *fields) error) error {
	types, from, err := w.activityTypes(ctx)
	if err != nil {
		return err
	}
	f := newFields(d.columns, "id", "leadId")
	for kinds := range slices.Chunk(types, maxTypes) {
		q := url.Values{"nextPageToken": {from}, "activityTypeIds": {strings.Join(kinds, ",")}, "leadIds": {strings.Join(leads, ",")}}
		err := w.rows(ctx, "activities", pathActivities, q, func(raw []byte) error {
			if err := f.read(raw); err != nil {
				return err
			}
			return row(f)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// activityTypes are the ids of all types, and the page token of the beginning:
// the same for every query, so that they are asked for once an hour.
type activityTypes struct {
	ids  []string
	from string
	at   time.Time
}

func (w *Worker) activityTypes(ctx context.Context) (ids []string, from string, err error) {
	w.typesMu.Lock()
	defer w.typesMu.Unlock()
	if t := w.types; t.from != "" && w.config.Now().Sub(t.at) < typesLife {
		return t.ids, t.from, nil
	}
	t := activityTypes{at: w.config.Now()}
	err = w.ask(ctx, "activities.types", "activities/types.json", url.Values{}, "result", func(s *vendorapi.Scanner) {
		t.ids = nil
		s.Array(func() {
			s.Object(func(key []byte) {
				if string(key) == "id" {
					t.ids = append(t.ids, strconv.FormatInt(s.Int(), 10))
				} else {
					s.Skip()
				}
			})
		})
	})
	if err != nil {
		return nil, "", err
	}
	if t.from, err = w.since(ctx, longAgo); err != nil {
		return nil, "", err
	}
	w.types = t
	return t.ids, t.from, nil
}

// since asks for the page token of what happened from a time on.
func (w *Worker) since(ctx context.Context, date string) (token string, err error) {
	err = w.ask(ctx, "activities.pagingtoken", "activities/pagingtoken.json", url.Values{"sinceDatetime": {date}}, "nextPageToken", func(s *vendorapi.Scanner) {
		token = s.String()
	})
	return token, err
}

// forgetTypes drops the types and the page token, so that they are asked for again.
func (w *Worker) forgetTypes() {
	w.typesMu.Lock()
	defer w.typesMu.Unlock()
	w.types = activityTypes{}
}

// fields is one row: the raw value of each field that was asked for.
type fields struct {
	names  []string
	values [][]byte
	at     map[string]int
}

// newFields asks for columns, and for what a row is known by.
func newFields(columns []string, links ...string) *fields {
	f := &fields{names: slices.Clone(columns), at: map[string]int{}}
	for _, l := range links {
		if !slices.Contains(f.names, l) {
			f.names = append(f.names, l)
		}
	}
	for i, n := range f.names {
		f.at[n] = i
	}
	f.values = make([][]byte, len(f.names))
	return f
}

// newLeadFields asks for a lead's columns.
func newLeadFields(columns []string) *fields { return newFields(columns, "id", "email") }

func (f *fields) read(raw []byte) error {
	clear(f.values)
	s := vendorapi.NewScanner(raw)
	s.Object(func(key []byte) {
		if i, ok := f.at[string(key)]; ok {
			f.values[i] = s.Value()
		} else {
			s.Skip()
		}
	})
	if s.Err() != nil {
		return worker.Transient("broken-answer", "Marketo's answer could not be read", nil)
	}
	return nil
}

func (f *fields) get(name string) []byte { return f.values[f.at[name]] }

// id returns a row's id, as text.
func (f *fields) id(name string) (string, error) {
	if n := vendorapi.Int(f.get(name)); n > 0 {
		return strconv.FormatInt(n, 10), nil
	}
	return "", worker.Permanent(codeBadID, "Marketo answered with a record that has no id", nil)
}
