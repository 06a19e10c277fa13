package portal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/handover"
)

// suggested returns a passphrase for a draft whose answer is locked by one.
func suggested(d draft) string {
	if !d.keyed() {
		return ""
	}
	return handover.Passphrase()
}

// prove takes a code: that of a new request makes it, that of another lets it be followed.
func (p *Portal) prove(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		p.fail(w, r, http.StatusRequestEntityTooLarge, "error.form")
		return
	}
	d, ok := p.readDraft(r.PostForm.Get("draft"))
	if !ok {
		p.fail(w, r, http.StatusUnprocessableEntity, "error.old")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTime)
	defer cancel()
	if d.Proven.IsZero() {
		if d, ok = p.spend(ctx, w, r, d); !ok {
			return
		}
	}
	if d.Enters {
		p.enters(ctx, w, r, d)
		return
	}
	p.makes(ctx, w, r, d)
}

// spend tries a code. Where it isn't the one, or the passphrase is none, the answer is
// written; a passphrase that is too weak uses no try.
func (p *Portal) spend(ctx context.Context, w http.ResponseWriter, r *http.Request, d draft) (draft, bool) {
	passphrase := r.PostForm.Get("passphrase")
	d.Passphrase = passphrase
	if d.keyed() && handover.Check(passphrase) != nil {
		p.showCode(w, r, http.StatusUnprocessableEntity, d, "error.weak")
		return d, false
	}
	spent, live, err := p.Proofs.TryProof(ctx, d.Proof, p.keys.code(d.Proof, digits(r.PostForm.Get("code"))), p.now())
	switch {
	case err != nil:
		p.trouble(ctx, err)
		p.showCode(w, r, http.StatusServiceUnavailable, d, "error.broken")
	case !live:
		// Of a code that was never mailed, since there were too many, the same is said.
		p.fail(w, r, http.StatusForbidden, "error.spent")
	case !spent:
		p.showCode(w, r, http.StatusForbidden, d, "error.code")
	}
	if err != nil || !spent {
		return d, false
	}
	d.Proven = p.now()
	if !d.keyed() {
		return d, true
	}
	key, err := p.newKey(ctx, passphrase)
	if err != nil {
		p.broken(w, r, err)
		return d, false
	}
	d.Recipient, d.Wrapped = key.Recipient, key.Wrapped
	return d, true
}

// newKey makes an identity for the person. It takes memory, so that few are made at once.
func (p *Portal) newKey(ctx context.Context, passphrase string) (handover.Key, error) {
	select {
	case p.wrapping <- struct{}{}:
		defer func() { <-p.wrapping }()
		return handover.NewKey(passphrase)
	case <-ctx.Done():
		return handover.Key{}, ctx.Err()
	}
}

// makes hands a proven draft to intake. Where that fails the page says so, and the same is
// tried again without another code.
func (p *Portal) makes(ctx context.Context, w http.ResponseWriter, r *http.Request, d draft) {
	data, err := json.Marshal(d.submitted())
	if err != nil {
		p.broken(w, r, err)
		return
	}
	err = p.Door.Submit(ctx, data)
	switch {
	case errors.Is(err, ErrTooMany):
		p.fail(w, r, http.StatusTooManyRequests, "error.person")
		return
	case errors.Is(err, ErrRefused):
		p.Log.WarnContext(ctx, "intake refuses a request of the portal", "request_id", d.RequestID, "error", err)
		p.fail(w, r, http.StatusUnprocessableEntity, "error.refused")
		return
	case err == nil:
		if d.keyed() {
			err = handover.Leave(ctx, p.Outbox, d.RequestID, d.Wrapped)
		}
		if err == nil && d.forOther() {
			err = p.rememberFollower(ctx, d)
		}
	}
	if err != nil {
		p.trouble(ctx, fmt.Errorf("portal: request %s: %w", d.RequestID, err))
		p.showCode(w, r, http.StatusServiceUnavailable, d, "error.broken")
		return
	}
	p.lets(w, r, session{RequestID: d.RequestID, Until: p.Now().Add(sessionTime), Assurance: dsar.AssuranceProven})
}

// enters begins the session of who follows a request, where the address is the person's.
func (p *Portal) enters(ctx context.Context, w http.ResponseWriter, r *http.Request, d draft) {
	assurance, err := p.Door.Match(ctx, d.RequestID, "email", d.Email)
	if err == nil && assurance == "" {
		assurance, err = p.followed(ctx, d)
	}
	if err != nil {
		p.trouble(ctx, fmt.Errorf("portal: request %s: %w", d.RequestID, err))
		p.showCode(w, r, http.StatusServiceUnavailable, d, "error.broken")
		return
	}
	if assurance == "" {
		p.fail(w, r, http.StatusForbidden, "error.notyours")
		return
	}
	p.lets(w, r, session{RequestID: d.RequestID, Until: p.Now().Add(sessionTime), Assurance: assurance})
}

// lets begins a session, and goes to its request.
func (p *Portal) lets(w http.ResponseWriter, r *http.Request, s session) {
	if err := p.begin(w, s); err != nil {
		p.broken(w, r, err)
		return
	}
	http.Redirect(w, r, "/r/"+s.RequestID, http.StatusSeeOther)
}

// submitted returns a draft as a request: the address of who asks for themselves is proven,
// all else is a claim.
func (d draft) submitted() event.Submitted {
	s := event.Submitted{RequestID: d.RequestID, Right: dsar.Right(d.Right), Jurisdiction: d.Law, ReceivedAt: d.Proven.UTC().Truncate(time.Microsecond), Source: Source, Recipient: d.Recipient,
		Subject: event.Subject{Locale: d.Locale, OnBehalf: dsar.Check(d.OnBehalf), Identifiers: []event.SubjectIdentifier{{Type: "email", Value: d.Email, Verified: true}}}}
	if d.forOther() {
		s.Subject.Identifiers[0] = event.SubjectIdentifier{Type: "email", Value: d.Theirs}
	}
	for _, c := range d.Identifiers {
		s.Subject.Identifiers = append(s.Subject.Identifiers, event.SubjectIdentifier{Type: dsar.IdentifierType(c.Type), Value: c.Value})
	}
	if s.About = d.About; d.Message != "" {
		s.Details = &event.Details{Message: d.Message}
	}
	if d.Correct != "" {
		system, dataset, _ := strings.Cut(d.What, ".")
		s.Details = &event.Details{Corrections: []event.Correction{{System: system, Dataset: dataset, Column: d.Correct, Value: d.Value}}}
	}
	return s
}
