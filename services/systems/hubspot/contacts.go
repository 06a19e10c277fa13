package hubspot

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

const (
	datasetContacts = "contacts"
	pathContacts    = "/crm/v3/objects/contacts/"
	// maxInputs is how many contacts a batch holds (HubSpot, "Contacts").
	maxInputs = 100
)

// contact is one as it was answered: the raw values of its columns.
type contact struct {
	id     string
	emails []string // lower-case
	values map[string][]byte
}

// subject is one job of a batch: its addresses and, once asked, its contacts.
type subject struct {
	task     worker.Task
	emails   []string // lower-case: by which it is asked
	contacts []*contact
	err      error
}

func subjectOf(t worker.Task) *subject {
	return &subject{task: t, emails: emailsOf(t.Identifiers)}
}

// emailsOf returns the addresses among identifiers, each once, in lower case.
func emailsOf(ids []worker.Identifier) (emails []string) {
	for _, id := range ids {
		if e := strings.ToLower(strings.TrimSpace(id.Value)); id.Type == "email" && e != "" && !slices.Contains(emails, e) {
			emails = append(emails, e)
		}
	}
	return emails
}

// find asks for everyone's contacts. What stands in the way of one is that one's
// error.
func (w *Worker) find(ctx context.Context, subjects []*subject) {
	var emails []string
	for _, s := range subjects {
		for _, e := range s.emails {
			if !slices.Contains(emails, e) {
				emails = append(emails, e)
			}
		}
	}
	for some := range slices.Chunk(emails, maxInputs) {
		failed := func(emails []string, err error) { fail(subjects, emails, err) }
		err := vendorapi.Halve(some, func(emails []string) error { return w.findSome(ctx, emails, subjects) }, func(err error) bool {
			return vendorapi.MayBeOne(err, codeRefused, codeStranger)
		}, failed)
		if err != nil {
			failed(some, err)
		}
	}
}

// codeStranger is that of an answer about somebody who wasn't asked for.
const codeStranger = "stranger"

// findSome asks for some addresses. Those that HubSpot leaves without an answer
// are an error of whom they concern.
func (w *Worker) findSome(ctx context.Context, emails []string, subjects []*subject) error {
	found, err := w.read(ctx, "email", emails)
	var left *vendorapi.Unanswered
	if errors.As(err, &left) {
		fail(subjects, left.Keys, err)
	} else if err != nil {
		return err
	}
	for _, c := range found {
		for _, s := range subjects {
			if overlap(s.emails, c.emails) && !slices.ContainsFunc(s.contacts, func(o *contact) bool { return o.id == c.id }) {
				s.contacts = append(s.contacts, c)
			}
		}
	}
	return nil
}

// fail gives those whom addresses concern an error, unless they have one.
func fail(subjects []*subject, emails []string, err error) {
	for _, s := range subjects {
		if s.err == nil && overlap(s.emails, emails) {
			s.err = err
		}
	}
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// read asks for contacts by a property, or by id where it is empty.
func (w *Worker) read(ctx context.Context, by string, values []string) (found []*contact, err error) {
	body := map[string]any{"inputs": inputs(values), "properties": append([]string{"email", "hs_additional_emails"}, w.columns...)}
	if by != "" {
		body["idProperty"] = by
	}
	expect := vendorapi.Parts(values, func(a *vendorapi.Answer, t *vendorapi.Tally) error {
		found = nil
		return readBatch(a, t, func(s *vendorapi.Scanner) error {
			c := w.readContact(s)
			keys := []string{c.id}
			if by != "" {
				keys = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return !slices.Contains(c.emails, v) })
			}
			if s.Err() == nil && len(keys) == 0 {
				return worker.Permanent(codeStranger, "HubSpot answered with a contact that matches nobody who was asked for", nil)
			}
			if t.Found(keys...); !slices.ContainsFunc(found, func(o *contact) bool { return o.id == c.id }) {
				found = append(found, c)
			}
			return nil
		})
	})
	err = w.post(ctx, "contacts.read", "batch/read", body, true, expect)
	return found, err
}

// readBatch reads what a call about many answers: results, and errors, of which
// those about what isn't there name it. What is neither is left without an answer.
func readBatch(a *vendorapi.Answer, t *vendorapi.Tally, result func(*vendorapi.Scanner) error) error {
	var wrong error
	s := vendorapi.NewScanner(a.Body)
	s.Object(func(key []byte) {
		switch string(key) {
		case "results":
			s.Array(func() {
				if err := result(s); wrong == nil {
					wrong = err
				}
			})
		case "errors":
			s.Array(func() {
				category, ids := readError(s)
				if category != categoryAbsent {
					return
				}
				for _, id := range ids {
					t.Part(id)
				}
			})
		default:
			s.Skip()
		}
	})
	return cmp.Or(s.Err(), wrong)
}

// readError reads {category, context: {ids}}.
func readError(s *vendorapi.Scanner) (category string, ids []string) {
	s.Object(func(key []byte) {
		switch {
		case string(key) == "category":
			category = s.String()
		case string(key) == "context" && s.IsObject():
			s.Object(func(key []byte) {
				if string(key) != "ids" {
					s.Skip()
					return
				}
				s.Array(func() { ids = append(ids, strings.ToLower(s.String())) })
			})
		default:
			s.Skip()
		}
	})
	return category, ids
}

func inputs(ids []string) (list []map[string]any) {
	for _, id := range ids {
		list = append(list, map[string]any{"id": id})
	}
	return list
}

func (w *Worker) readContact(s *vendorapi.Scanner) *contact {
	c := &contact{values: map[string][]byte{}}
	s.Object(func(key []byte) {
		switch string(key) {
		case "id":
			c.values["id"] = s.Value()
			c.id = vendorapi.Text(c.values["id"])
		case "properties":
			s.Object(func(key []byte) { c.values[string(key)] = s.Value() })
		default:
			s.Skip()
		}
	})
	w.missing.look(w.columns, c.values)
	for e := range strings.SplitSeq(vendorapi.Text(c.values["email"])+";"+vendorapi.Text(c.values["hs_additional_emails"]), ";") {
		if e = strings.ToLower(strings.TrimSpace(e)); e != "" {
			c.emails = append(c.emails, e)
		}
	}
	return c
}

func (w *Worker) post(ctx context.Context, name, path string, body any, safe bool, expect *vendorapi.Expect) error {
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("hubspot: write a call: %w", err)
	}
	return w.api.Do(ctx, vendorapi.Call{Name: name, Method: http.MethodPost, Path: pathContacts + path, Body: b, Safe: safe, Expect: expect,
		Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}})
}

// Gather copies the contacts of many subjects.
func (w *Worker) Gather(ctx context.Context, jobs []*worker.GatherJob) error {
	subjects := make([]*subject, len(jobs))
	for i, j := range jobs {
		subjects[i] = subjectOf(j.Task)
	}
	w.find(ctx, subjects)
	for i, j := range jobs {
		for _, c := range subjects[i].contacts {
			rec := record.Record{}
			for _, column := range w.columns {
				rec[column] = vendorapi.RecordValue(c.values[column])
			}
			if subjects[i].err == nil {
				subjects[i].err = j.Records.Write(datasetContacts, rec)
			}
		}
		j.Err = subjects[i].err
	}
	return nil
}

// Rectify writes the corrected properties, and tells what HubSpot answers that it holds of them.
func (w *Worker) Rectify(ctx context.Context, jobs []*worker.RectifyJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.RectifyJob) (err error) {
		j.Counts, err = w.rectify(ctx, j.Task, j.Changes, j.Stands)
		return err
	})
}

func (w *Worker) rectify(ctx context.Context, t worker.Task, changes []worker.Change, stands func(dataset, column string, is any)) ([]dsar.Counts, error) {
	c := dsar.Counts{Dataset: datasetContacts}
	values := map[string]string{}
	for _, change := range changes {
		if slices.Contains([]string{"id", "createdate", "lastmodifieddate", "hs_additional_emails"}, change.Column) {
			c.Unchanged = append(c.Unchanged, change.Column)
			continue
		}
		values[change.Column] = change.Value
		c.Changed = append(c.Changed, change.Column)
	}
	if len(values) == 0 {
		return nil, worker.Permanent("not-rectifiable", "none of the corrected fields can be changed in HubSpot", nil)
	}
	s := subjectOf(t)
	w.find(ctx, []*subject{s})
	if s.err != nil || len(s.contacts) == 0 {
		return nil, s.err
	}
	var ids []string
	var list []map[string]any
	for _, contact := range s.contacts {
		ids = append(ids, contact.id)
		list = append(list, map[string]any{"id": contact.id, "properties": values})
	}
	c.Found = int64(len(list))
	expect := vendorapi.Parts(ids, func(a *vendorapi.Answer, t *vendorapi.Tally) error {
		c.Rectified = 0
		return readBatch(a, t, func(s *vendorapi.Scanner) error {
			s.Object(func(key []byte) {
				switch string(key) {
				case "id":
					t.Part(s.String())
				case "properties":
					s.Object(func(key []byte) {
						if _, is := values[string(key)]; is {
							stands(datasetContacts, string(key), vendorapi.RecordValue(s.Value()))
						} else {
							s.Skip()
						}
					})
				default:
					s.Skip()
				}
			})
			c.Rectified++
			return nil
		})
	})
	return []dsar.Counts{c}, w.post(ctx, "contacts.update", "batch/update", map[string]any{"inputs": list}, true, expect)
}
