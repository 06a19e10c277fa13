package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/journal"
)

// asked is a request of this run, and what its upstream knows of it.
type asked struct {
	id        string
	right     dsar.Right
	person    int
	data      event.Submitted
	http      bool     // it is posted; else it is published
	receipt   string   // the first answer over HTTP
	cancelled bool     // an agent gave up on it
	byHand    []string // the systems in which an agent did what no worker can
}

// addRequests makes a request for everybody.
func (w *simulation) addRequests(seed uint64) {
	rights := []dsar.Right{dsar.Access, dsar.Access, dsar.Portability, dsar.Erasure, dsar.Erasure, dsar.Erasure, dsar.Rectification, dsar.Restriction, dsar.KnowCategories}
	for p := range people {
		a := &asked{id: uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, seed, p)).String(), right: rights[w.rng.IntN(len(rights))], person: p, http: w.rng.IntN(2) == 0}
		a.data = event.Submitted{
			RequestID: a.id, Right: a.right, Jurisdiction: "EEA", Source: "simulation",
			// Some are nearly due when they arrive.
			ReceivedAt: start.Add(-time.Duration(w.rng.IntN(32)) * 24 * time.Hour),
			Subject: event.Subject{
				Identifiers: []event.SubjectIdentifier{{Type: "email", Value: strings.Replace(email(p), "example", "EXAMPLE", 1), Verified: true}, {Type: "email", Value: email(p)}},
				Locale:      []string{"fr", "en", ""}[w.rng.IntN(3)],
			},
		}
		if w.rng.IntN(4) == 0 { // they name somebody else's address as theirs, and nobody has verified it
			a.data.Subject.Identifiers = append(a.data.Subject.Identifiers, event.SubjectIdentifier{Type: "email", Value: email((p + 1) % people)})
		}
		switch a.right {
		case dsar.KnowCategories:
			a.data.Jurisdiction = "California"
		case dsar.Rectification:
			a.data.Details = &event.Details{Corrections: []event.Correction{{Column: "note", Value: corrected(p)}}}
		}
		w.asked = append(w.asked, a)
	}
}

func corrected(p int) string { return fmt.Sprintf("%s %d's corrected note", canary, p) }

// submitAll submits requests as an upstream does: those that it doesn't know to be
// accepted, and, while things go wrong, others again. Once a request is accepted,
// somebody may use its id for another one, too.
func (w *simulation) submitAll(ctx context.Context) {
	for _, a := range w.asked {
		known := false
		w.look(func() {
			_, err := w.journal.Row(ctx, a.id)
			known = err == nil
		})
		data := a.data
		liar := false
		switch {
		case w.calm && (known || w.isOnItsWay(a)):
			continue
		case !w.calm && w.rng.IntN(3) > 0:
			continue
		case known && w.rng.IntN(4) == 0:
			liar = true
			data.Subject.Identifiers = []event.SubjectIdentifier{{Type: "email", Value: email(a.person) + ".example"}}
		}
		w.submit(ctx, a, data, liar)
	}
}

func (w *simulation) isOnItsWay(a *asked) bool {
	return slices.ContainsFunc(w.topic(event.TopicRequests).messages, func(m *message) bool { return m.Key == a.id })
}

func (w *simulation) submit(ctx context.Context, a *asked, data event.Submitted, liar bool) {
	text, err := json.Marshal(data)
	w.must(err)
	if a.http {
		w.post(ctx, a, string(text), liar)
		return
	}
	e := event.Event{ID: a.id, Source: "simulation", Type: event.TypeSubmitted, Data: text}
	m := journal.Message{Topic: event.TopicRequests, Key: a.id, Headers: e.Headers(), Payload: text}
	if w.rng.IntN(2) == 0 {
		m.Headers = map[string]string{event.HeaderContentType: event.ContentTypeStructured}
		m.Payload, err = json.Marshal(map[string]any{"specversion": "1.0", "id": e.ID, "source": e.Source, "type": e.Type, "data": json.RawMessage(text)})
		w.must(err)
	}
	w.publish(m)
}

// post submits over HTTP. The answer to the same request is always the same.
func (w *simulation) post(ctx context.Context, a *asked, body string, liar bool) {
	d := w.all.doors[w.rng.IntN(len(w.all.doors))]
	answer := httptest.NewRecorder()
	alive := w.run(ctx, &d.process, func(ctx context.Context) error {
		r := httptest.NewRequest(http.MethodPost, "http://localhost/v1/requests", strings.NewReader(body)).WithContext(ctx)
		r.RemoteAddr = "127.0.0.1:40000" // a door without callers believes its own machine
		r.Header.Set("Content-Type", "application/json")
		d.handler.ServeHTTP(answer, r)
		return w.point()
	})
	if !alive {
		return // the line broke before the answer
	}
	w.spy.look(w, "an answer over HTTP", answer.Body.Bytes())
	switch got := answer.Code; {
	case got == http.StatusServiceUnavailable && !w.calm:
	case liar && got == http.StatusConflict:
	case got != http.StatusAccepted || liar:
		w.fail("request %s was answered with %d: %s", a.id, got, answer.Body)
	case a.receipt == "":
		a.receipt = answer.Body.String()
	case a.receipt != answer.Body.String():
		w.fail("request %s was answered differently the second time: %s and %s", a.id, a.receipt, answer.Body)
	}
}
