package hubspot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

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
	// settleWait is when to look again at a contact that is deleted and still
	// shown.
	settleWait = time.Minute
)

// contact is one as it was answered: the raw values of its columns.
type contact struct {
	id     string
	emails []string // lower-case
	values map[string][]byte
}

// subject is one job of a batch: its addresses and, once asked, its contacts.
type subject struct {
	emails   []string // lower-case
	contacts []*contact
	err      error
}

func subjectOf(t worker.Task) *subject {
	s := &subject{}
	for _, id := range t.Identifiers {
		if e := strings.ToLower(strings.TrimSpace(id.Value)); id.Type == "email" && e != "" && !slices.Contains(s.emails, e) {
			s.emails = append(s.emails, e)
		}
	}
	return s
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
		w.findSome(ctx, some, subjects)
	}
}

// findSome asks for some addresses, and in halves where HubSpot refuses them as
// they are: one that it doesn't take must not stand in the others' way.
func (w *Worker) findSome(ctx context.Context, emails []string, subjects []*subject) {
	found, err := w.read(ctx, "email", emails)
	var e *worker.Error
	if errors.As(err, &e) && e.Code == codeRefused && len(emails) > 1 {
		half := len(emails) / 2
		w.findSome(ctx, emails[:half], subjects)
		w.findSome(ctx, emails[half:], subjects)
		return
	}
	for _, s := range subjects {
		if err != nil && s.err == nil && overlap(s.emails, emails) {
			s.err = err
		}
	}
	for _, c := range found {
		whose := false
		for _, s := range subjects {
			if overlap(s.emails, c.emails) {
				whose = true
				if !slices.ContainsFunc(s.contacts, func(o *contact) bool { return o.id == c.id }) {
					s.contacts = append(s.contacts, c)
				}
			}
		}
		for _, s := range subjects {
			if !whose && s.err == nil && overlap(s.emails, emails) {
				s.err = worker.Permanent("stranger", "HubSpot answered with a contact that matches nobody who was asked for", nil)
			}
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
	err = w.post(ctx, "contacts.read", "batch/read", body, true, func(a *vendorapi.Answer) error {
		found = nil
		s := vendorapi.NewScanner(a.Body)
		s.Object(func(key []byte) {
			if string(key) != "results" {
				s.Skip()
				return
			}
			s.Array(func() { found = append(found, w.readContact(s)) })
		})
		s.End()
		return s.Err()
	})
	return found, err
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
	w.lacks.look(w.columns, c.values)
	for e := range strings.SplitSeq(vendorapi.Text(c.values["email"])+";"+vendorapi.Text(c.values["hs_additional_emails"]), ";") {
		if e = strings.ToLower(strings.TrimSpace(e)); e != "" {
			c.emails = append(c.emails, e)
		}
	}
	return c
}

func (w *Worker) post(ctx context.Context, name, path string, body any, safe bool, read func(*vendorapi.Answer) error) error {
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("hubspot: write a call: %w", err)
	}
	_, err = w.api.Do(ctx, vendorapi.Call{Name: name, Method: http.MethodPost, Path: pathContacts + path, Body: b, Safe: safe, Read: read,
		Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}})
	return err
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
				rec[column] = vendorapi.Plain(c.values[column])
			}
			if subjects[i].err == nil {
				subjects[i].err = j.Records.Write(datasetContacts, rec)
			}
		}
		j.Err = subjects[i].err
	}
	return nil
}

// Plan writes the ids of the contacts of many subjects.
func (w *Worker) Plan(ctx context.Context, jobs []*worker.PlanJob) error {
	return each(ctx, w, jobs, func(j *worker.PlanJob) *worker.Job { return &j.Job }, func(j *worker.PlanJob, s *subject) {
		for _, c := range s.contacts {
			if j.Err == nil {
				j.Err = j.Plan.Erase(datasetContacts, c.id)
			}
		}
	})
}

// Prove counts the contacts that are still there.
func (w *Worker) Prove(ctx context.Context, jobs []*worker.EraseJob) error {
	return each(ctx, w, jobs, func(j *worker.EraseJob) *worker.Job { return &j.Job }, func(j *worker.EraseJob, s *subject) {
		for _, c := range s.contacts {
			if w.deleted.Has(c.id) {
				j.Err = worker.RetryAfter(settleWait, "settling", "HubSpot has deleted the contact and still shows it; it is asked again in a minute", nil)
			}
		}
		j.Counts = counts(len(s.contacts), 0)
	})
}

// Erase deletes the contacts of many subjects, each once.
func (w *Worker) Erase(ctx context.Context, jobs []*worker.EraseJob) error {
	return each(ctx, w, jobs, func(j *worker.EraseJob) *worker.Job { return &j.Job }, func(j *worker.EraseJob, s *subject) {
		for _, c := range s.contacts {
			if err := w.erase(ctx, c.id); err != nil {
				j.Err = err
				return
			}
		}
		j.Counts = worker.Reconcile(j.Plan.Counts(), counts(len(s.contacts), len(s.contacts)))
	})
}

// each finds everyone's contacts, and does what is to be done for each job.
func each[J any](ctx context.Context, w *Worker, jobs []J, of func(J) *worker.Job, do func(J, *subject)) error {
	subjects := make([]*subject, len(jobs))
	for i, j := range jobs {
		subjects[i] = subjectOf(of(j).Task)
	}
	w.find(ctx, subjects)
	for i, j := range jobs {
		if of(j).Err = subjects[i].err; subjects[i].err == nil {
			do(j, subjects[i])
		}
	}
	return nil
}

func counts(found, erased int) []dsar.Counts {
	if found == 0 {
		return nil
	}
	return []dsar.Counts{{Dataset: datasetContacts, Found: int64(found), Erased: int64(erased)}}
}

// erase deletes a contact for good. Where the answer is lost, and HubSpot still
// shows the contact, it is left a minute: it may be deleted, and must not be
// deleted twice.
func (w *Worker) erase(ctx context.Context, id string) error {
	if w.deleted.Has(id) { // and still shown
		return nil
	}
	err := w.post(ctx, "contacts.delete", "gdpr-delete", map[string]string{"objectId": id}, false, nil)
	if vendorapi.IsUnsure(err) {
		var found []*contact
		if found, err = w.read(ctx, "", []string{id}); err == nil && len(found) > 0 {
			return worker.RetryAfter(settleWait, "unsure", "HubSpot's answer to a deletion was lost; it is asked in a minute what became of it", nil)
		}
	}
	if err == nil || errors.Is(err, errGone) {
		w.deleted.Add(id)
		return nil
	}
	return err
}

// Rectify writes the corrected properties.
func (w *Worker) Rectify(ctx context.Context, jobs []*worker.RectifyJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.RectifyJob) (err error) {
		j.Counts, err = w.rectify(ctx, j.Task, j.Changes)
		return err
	})
}

func (w *Worker) rectify(ctx context.Context, t worker.Task, changes []worker.Change) ([]dsar.Counts, error) {
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
	var list []map[string]any
	for _, contact := range s.contacts {
		list = append(list, map[string]any{"id": contact.id, "properties": values})
	}
	c.Found, c.Rectified = int64(len(list)), int64(len(list))
	return []dsar.Counts{c}, w.post(ctx, "contacts.update", "batch/update", map[string]any{"inputs": list}, true, nil)
}
