package console

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/manualrecords"
	"habeas.dev/services/internal/timeline"
	"habeas.dev/services/internal/words"
)

const (
	// maxReviewed and maxReviewText bound what one page shows of records that a person looks
	// at value by value: their number, and their bytes. habeas review shows more.
	maxReviewed   = 200
	maxReviewText = 1 << 20
	// maxReviewForm bounds the form of such a page, which has a field for each value.
	maxReviewForm = 4 << 20
	// maxSince bounds how many of others' acts it shows.
	maxSince = 3
)

// reviewBody is a page of records that may tell of others, of which each value is shown, or
// redacted for a reason.
type reviewBody struct {
	RequestID, System, Title string
	Acts                     int
	Records                  []reviewedRecord
	Reasons                  []core.RedactReason
	Reason                   string // as it was written
	// Since is what others did last, where somebody has acted in between.
	Since []timeline.Moment
}

type reviewedRecord struct {
	Title  string
	Number int64
	Values []reviewedValue
}

// reviewedValue is one value: Chosen is why it is redacted, empty where it is shown.
type reviewedValue struct {
	Field, Title, Text string
	// Hidden says that it is a secret, which isn't shown here, and is redacted like any other: of a
	// card the answer has the last digits. A File isn't shown here, either.
	Hidden, File bool
	Chosen       core.RedactReason
}

// Looks returns the systems of which somebody must look at what was gathered.
func (b requestBody) Looks() (systems []string) {
	for _, m := range b.Actions.Manual {
		if m.Others() && len(m.End.Objects) > 0 {
			systems = append(systems, m.System)
		}
	}
	return systems
}

// look lays what a worker has gathered before a person, value by value, and records that
// somebody looked. What the manifest's rules take to be about others is marked as that.
func (c *Console) look(w http.ResponseWriter, r *http.Request, u User) {
	id, form, ok := c.form(w, r, u)
	if !ok {
		return
	}
	s, err := c.state(r.Context(), id)
	var task *core.TaskState
	if err == nil {
		task, err = toReview(s, form.Get("system"))
	}
	if err == nil {
		s, err = c.do(r.Context(), id, core.Reveal{By: u.By(), Reason: form.Get("reason"), Gathered: task.System, Now: c.now()})
	}
	if err != nil {
		c.again(w, r, u, id, form, err)
		return
	}
	c.showReview(w, r, u, id, s, task, values{}, nil)
}

// redact answers with copies of what a worker has gathered that lack the chosen values.
func (c *Console) redact(w http.ResponseWriter, r *http.Request, u User) {
	id, ok := c.requestID(w, r, u)
	if !ok {
		return
	}
	form, wrong := readForm(w, r, maxReviewForm)
	if len(form.Values) == 0 {
		c.again(w, r, u, id, form, wrong)
		return
	}
	s, err := c.state(r.Context(), id)
	if err != nil {
		c.refused(w, r, u, err)
		return
	}
	task, err := toReview(s, form.Get("system"))
	if err != nil {
		c.again(w, r, u, id, form, err)
		return
	}
	if err = wrong; err == nil {
		err = c.attestReviewed(r.Context(), u, id, s, task, form)
	}
	if err == nil {
		http.Redirect(w, r, "/requests/"+id+"?done=answer", http.StatusSeeOther)
		return
	}
	// To show the records once more is to look at them once more.
	s, no := c.do(r.Context(), id, core.Reveal{By: u.By(), Reason: "to show the page again", Gathered: task.System, Now: c.now()})
	if no != nil {
		c.again(w, r, u, id, form, no)
		return
	}
	c.showReview(w, r, u, id, s, task, form, err)
}

// toReview returns the task of a system whose records wait for somebody to look.
func toReview(s core.State, system string) (*core.TaskState, error) {
	t := s.Task(system, dsar.Gather)
	if t == nil || t.Status != core.TaskIsFailed || t.End.Code != dsar.CodeOthers || len(t.End.Objects) == 0 {
		return nil, errNotReviewed
	}
	return t, nil
}

// attestReviewed ends the task with the copies. Nothing is copied where somebody has acted since
// the page was read: what is sealed for a task that then can't be ended would lie there unused.
func (c *Console) attestReviewed(ctx context.Context, u User, id string, s core.State, t *core.TaskState, form values) error {
	if s.Acts != form.acts() {
		return core.ErrChanged
	}
	cells, err := redacted(form)
	if err != nil {
		return err
	}
	objects, told, err := manualrecords.Redact(ctx, c.Vault, id, t.System, t.Attempt, t.End.Objects, cells)
	if errors.Is(err, manualrecords.ErrFile) {
		return errChoice
	}
	if err != nil {
		return err
	}
	_, err = c.do(ctx, id, core.IfUnchanged{Acts: form.acts(), Command: core.Attest{By: u.By(), Reason: form.Get("reason"),
		System: t.System, Action: dsar.Gather, Outcome: dsar.Gathered, Objects: objects, Redacted: append([]core.Redaction{}, told...), Now: c.now()}})
	return err
}

// redacted returns the values that a form redacts, each with its reason.
func redacted(form values) (map[manualrecords.Cell]core.RedactReason, error) {
	out := map[manualrecords.Cell]core.RedactReason{}
	for field := range form.Values {
		at, is := strings.CutPrefix(field, "value:")
		reason := core.RedactReason(form.Get(field))
		if !is || reason == "" {
			continue
		}
		number, column, _ := strings.Cut(at, ":")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || !slices.Contains(core.RedactReasons(), reason) {
			return nil, errChoice
		}
		out[manualrecords.Cell{Record: n, Column: column}] = reason
	}
	return out, nil
}

// showReview writes the page of the records: as the manifest's rules have it, or as somebody
// has chosen before something was wrong.
func (c *Console) showReview(w http.ResponseWriter, r *http.Request, u User, id string, s core.State, t *core.TaskState, form values, why error) {
	lang := languageOf(r)
	b := reviewBody{RequestID: id, System: t.System, Title: t.System, Acts: s.Acts, Reasons: core.RedactReasons(), Reason: form.Get("reason")}
	if m := c.manifest(t.System); m != nil {
		b.Title = lang.Text(m.Title)
	}
	var err error
	if b.Records, err = c.reviewed(r.Context(), lang, id, s, t, form); err != nil {
		c.again(w, r, u, id, form, err)
		return
	}
	p := page{User: u, Title: "Look and redact", Here: "requests", Path: "/requests/" + id, Body: b}
	status := http.StatusOK
	if why != nil {
		if p.Error, status = explain(why); status == http.StatusServiceUnavailable {
			c.trouble(r.Context(), why)
		}
	}
	if errors.Is(why, core.ErrChanged) {
		b.Since = c.lastActs(r, id, u)
		p.Body = b
	}
	c.render(w, r, status, "review.html", p)
}

// lastActs returns what people did last with a request.
func (c *Console) lastActs(r *http.Request, id string, u User) []timeline.Moment {
	b, err := c.body(r, id, u.Role)
	if err != nil {
		c.trouble(r.Context(), err)
		return nil
	}
	acts := slices.DeleteFunc(slices.Clone(b.Moments), func(m timeline.Moment) bool { return m.By == "" })
	return acts[max(0, len(acts)-maxSince):]
}

// reviewed reads the records of a task.
func (c *Console) reviewed(ctx context.Context, lang *words.Language, id string, s core.State, t *core.TaskState, form values) (out []reviewedRecord, err error) {
	person, err := c.person(ctx, id, s)
	if err != nil {
		return nil, err
	}
	size := 0
	err = manualrecords.Look(ctx, c.Vault, id, t.End.Objects, func(sec record.Section, n int64, row []json.RawMessage) error {
		for _, value := range row {
			size += len(value)
		}
		if n >= maxReviewed || size > maxReviewText {
			return errReviewLarge
		}
		one := reviewedRecord{Title: sec.Dataset, Number: n + 1}
		d := c.dataset(t.System, sec.Dataset)
		if d != nil {
			one.Title = lang.Text(d.Title)
		}
		for i, column := range sec.Columns {
			if v := (reviewedValue{Field: fmt.Sprintf("value:%d:%s", n, column), Title: column, Text: record.Text(row[i])}); v.Text != "" {
				if k := columnOf(d, column); k != nil {
					v.Title, v.Hidden = cmp.Or(lang.Text(k.Title), column), k.Secret != ""
					v.File = d.File != nil && d.File.Content == column
				}
				if v.File {
					v.Text = ""
				}
				v.Chosen = chosen(form, v.Field, d, person, sec, row, column)
				one.Values = append(one.Values, v)
			}
		}
		out = append(out, one)
		return nil
	})
	return out, err
}

// chosen returns why a value is redacted: as the form has it, or as the manifest's rules do.
func chosen(form values, field string, d *manifest.Dataset, person manifest.Person, sec record.Section, row []json.RawMessage, column string) core.RedactReason {
	if form.Values != nil {
		return core.RedactReason(form.Get(field))
	}
	if d == nil {
		return ""
	}
	for i := range d.Others {
		rule := &d.Others[i]
		if slices.Contains(rule.Columns, column) && rule.Concern(person, func(name string) string {
			if at := slices.Index(sec.Columns, name); at >= 0 {
				return record.Text(row[at])
			}
			return ""
		}) {
			return core.RedactAnother
		}
	}
	return ""
}

// person opens the identifiers by which the person was looked for.
func (c *Console) person(ctx context.Context, id string, s core.State) (manifest.Person, error) {
	keys, err := c.Vault.Keys(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("request %s: %w", id, err)
	}
	out := manifest.Person{}
	for _, one := range s.Identifiers {
		value, err := keys.Open(one.Sealed, vault.Identifier)
		if err != nil {
			return nil, fmt.Errorf("request %s: %w", id, err)
		}
		out.Add(one.Type, string(value))
	}
	return out, nil
}

func columnOf(d *manifest.Dataset, name string) *manifest.Column {
	if d == nil {
		return nil
	}
	return d.Column(name)
}
