package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/identifier"
	"habeas.dev/services/internal/core"
)

// RefusedError says that a request isn't taken in, by intake's code.
type RefusedError struct{ Code string }

func (e *RefusedError) Error() string { return "the request isn't taken in: " + e.Code }

// source is what requests that agents take in come from.
const source = "console"

// ways are those on which requests come to an agent.
var ways = []string{"telephone", "letter", "e-mail", "in person"}

// newBody is what the form of a new request is given.
type newBody struct {
	ID        string // the request's, so that a form that is sent twice makes one
	Rights    []choice
	Laws      []choice
	Languages []choice
	Ways      []choice
	Behalf    []choice
	Types     []choice
	Today     string
	Typed     map[string]string
	// Known are the person's requests that there are; Ask tells that the agent is to say
	// that this one is another.
	Known  []row
	Ask    bool
	Sought bool // it was looked for them
}

// newRights returns the rights that an agent can take a request for: what others need is
// asked for at the portal.
func newRights() []dsar.Right {
	return slices.DeleteFunc(slices.Clone(dsar.Rights()), func(r dsar.Right) bool { return r == dsar.Rectification })
}

// whereTakenIn serves a page where agents can take requests in.
func (c *Console) whereTakenIn(serve func(http.ResponseWriter, *http.Request, User)) func(http.ResponseWriter, *http.Request, User) {
	return func(w http.ResponseWriter, r *http.Request, u User) {
		if c.TakeIn == nil {
			c.fail(w, r, u, http.StatusNotFound, "Requests can’t be taken in at this console.")
			return
		}
		serve(w, r, u)
	}
}

// newForm shows the form in which an agent takes in what came by telephone or mail.
func (c *Console) newForm(w http.ResponseWriter, r *http.Request, u User) {
	c.render(w, r, http.StatusOK, "new.html", page{User: u, Title: "New request", Here: "new", Body: c.newBodyOf(r, nil)})
}

// newBodyOf returns the form, with what was written into it.
func (c *Console) newBodyOf(r *http.Request, typed typedForm) newBody {
	get := func(name, otherwise string) string {
		if v, ok := typed[name]; ok {
			return v
		}
		return otherwise
	}
	lang := languageOf(r)
	b := newBody{ID: get("request_id", uuid.NewString()), Today: c.now().Format(time.DateOnly), Typed: typed,
		Rights: choices(wordsOf(newRights()), get("right", string(dsar.Access)))[1:], Laws: inWords(lang, choices(c.Policy.IDs(), get("law", ""))),
		Ways: choices(ways, get("way", ways[0]))[1:], Behalf: choices(wordsOf([]dsar.Check{dsar.CheckAgent, dsar.CheckOrganisation, dsar.CheckGuardian, dsar.CheckHeir}), get("behalf", ""))}
	var types []string
	for _, t := range c.identifierTypes() {
		if t != "email" && t != "phone" {
			types = append(types, string(t))
		}
	}
	b.Types = choices(types, get("type", ""))
	for _, l := range c.Languages.All() {
		b.Languages = append(b.Languages, choice{Value: l.Tag, Label: l.Name, Selected: l.Tag == get("language", lang.Tag)})
	}
	return b
}

// typedForm holds a form's values, one of each.
type typedForm = map[string]string

// readNew reads the form of a new request. Nothing of it is in an address, a log or an error.
func readNew(w http.ResponseWriter, r *http.Request) (typedForm, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, errTooLarge
	}
	typed := typedForm{}
	for name := range r.PostForm {
		v := identifier.Trim(r.PostForm.Get(name))
		if !utf8.ValidString(v) || strings.ContainsRune(v, 0) || len(v) > maxSought {
			return nil, errTooLarge
		}
		typed[name] = v
	}
	return typed, nil
}

// identifiersOf returns whom a form is about.
func identifiersOf(typed typedForm) []event.SubjectIdentifier {
	var ids []event.SubjectIdentifier
	for _, one := range []event.SubjectIdentifier{{Type: "email", Value: typed["email"]}, {Type: "phone", Value: typed["phone"]}, {Type: dsar.IdentifierType(typed["type"]), Value: typed["value"]}} {
		if one.Type != "" && one.Value != "" {
			ids = append(ids, one)
		}
	}
	return ids
}

// knownOf returns the requests of whoever a form is about, each once, and notes that it was
// looked for them. Somebody who has looked for too many is shown none.
func (c *Console) knownOf(r *http.Request, u User, typed typedForm) ([]row, error) {
	var out []row
	for _, id := range identifiersOf(typed) {
		if often, err := c.searchesOften(r.Context(), u); err != nil || often {
			return out, err
		}
		rows, err := c.requestsOf(r.Context(), id.Value)
		if err == nil {
			err = c.Journal.AddSearch(r.Context(), c.searched(u, id.Value, len(rows)))
		}
		if err != nil {
			return nil, err
		}
		for _, one := range rows {
			if !slices.ContainsFunc(out, func(r row) bool { return r.RequestID == one.RequestID }) {
				out = append(out, c.row(languageOf(r), one))
			}
		}
	}
	return out, nil
}

// showKnown answers while somebody types with the requests that the person has already.
func (c *Console) showKnown(w http.ResponseWriter, r *http.Request, u User) {
	typed, err := readNew(w, r)
	b := newBody{Sought: len(identifiersOf(typed)) > 0}
	if err == nil {
		b.Known, err = c.knownOf(r, u, typed)
	}
	if errors.Is(err, errTooLarge) {
		http.Error(w, languageOf(r).Say(errTooLarge.Error()), http.StatusUnprocessableEntity)
		return
	}
	if err != nil {
		c.trouble(r.Context(), err)
		http.Error(w, languageOf(r).Say("this page can't be shown"), http.StatusServiceUnavailable)
		return
	}
	html, err := c.part(languageOf(r), "new.html", "known", page{Lang: languageOf(r), User: u, Now: c.Now(), Body: b})
	if err != nil {
		c.trouble(r.Context(), err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(html)
}

// takeIn takes in a request in the name of an agent. Whom it is about is a claim: an agent
// who knows more judges the proof.
func (c *Console) takeIn(w http.ResponseWriter, r *http.Request, u User) {
	typed, err := readNew(w, r)
	var s event.Submitted
	if err == nil {
		s, err = c.submitted(typed)
	}
	var same []row
	if err == nil && typed["anyway"] != "yes" {
		if same, err = c.knownOf(r, u, typed); err == nil {
			same = slices.DeleteFunc(same, func(known row) bool { return known.Ended() || known.RequestID == s.RequestID })
		}
	}
	if err == nil && len(same) == 0 {
		err = c.accept(r.Context(), u, s, typed["way"])
	}
	if err == nil && len(same) == 0 {
		http.Redirect(w, r, "/requests/"+s.RequestID+"?done=new", http.StatusSeeOther)
		return
	}
	b := c.newBodyOf(r, typed)
	b.Known, b.Ask, b.Sought = same, len(same) > 0, len(same) > 0
	text, status := "", http.StatusConflict
	if err != nil {
		if text, status = explain(err); status == http.StatusServiceUnavailable {
			c.trouble(r.Context(), err)
		}
	}
	c.render(w, r, status, "new.html", page{User: u, Title: "New request", Here: "new", Path: "/new", Error: text, Body: b})
}

// submitted returns what a form asks for.
func (c *Console) submitted(typed typedForm) (event.Submitted, error) {
	s := event.Submitted{RequestID: typed["request_id"], Right: dsar.Right(typed["right"]), Jurisdiction: typed["law"], Source: source,
		Subject: event.Subject{Identifiers: identifiersOf(typed), Locale: typed["language"], OnBehalf: dsar.Check(typed["behalf"])}}
	day, err := time.Parse(time.DateOnly, typed["received"])
	known := func(l []string, v string) bool { return slices.Contains(l, v) }
	switch {
	case err != nil || day.After(c.now()):
		return s, errDay
	case len(s.Subject.Identifiers) == 0:
		return s, errNobody
	case uuid.Validate(s.RequestID) != nil || !known(wordsOf(newRights()), typed["right"]) || !known(c.Policy.IDs(), s.Jurisdiction) || !known(ways, typed["way"]):
		return s, errChoice
	}
	// What came today came now: a request isn't from before the day began somewhere else.
	if s.ReceivedAt = day; day.Format(time.DateOnly) == c.now().Format(time.DateOnly) {
		s.ReceivedAt = c.now()
	}
	return s, nil
}

// accept has a request taken in, and assigns it to who did it.
func (c *Console) accept(ctx context.Context, u User, s event.Submitted, way string) error {
	var data bytes.Buffer
	if err := json.NewEncoder(&data).Encode(s); err != nil {
		return err
	}
	if err := c.TakeIn(ctx, data.Bytes()); err != nil {
		refused := (*RefusedError)(nil)
		if !errors.As(err, &refused) {
			return err
		}
		switch refused.Code {
		case "rate":
			return errOften
		case "right-not-granted":
			return errRight
		default:
			return errNotIn
		}
	}
	_, err := c.do(ctx, s.RequestID, core.Assign{By: u.By(), To: u.Name, Reason: "taken in: " + way, Now: c.now()})
	return err
}
