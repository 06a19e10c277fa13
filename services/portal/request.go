package portal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/handover"
	"habeas.dev/services/internal/remarks"
	"habeas.dev/services/internal/words"
)

// requestPage is a request as its person sees it.
type requestPage struct {
	RequestID  string
	Right      string
	Received   string
	Due        string
	DueLabel   string
	Line       string // how it stands, in a sentence
	Overdue    bool
	Ended      bool
	Awaits     core.ReminderOf
	Checks     []string
	Question   string // an agent's words to the person; may be none
	Paused     bool
	Sends      bool
	Sent       string
	Withdraws  bool
	Letters    []letterLine
	Answer     *answerPage
	Grievances []rightChoice // what the person can do about the answer
	About      string        // the earlier request that it is about
	Percentage int           // of the systems that have answered; -1: it isn't said
}

// letterLine is a letter that was written to the person.
type letterLine struct{ Day, About string }

// answerPage is an answer that is there.
type answerPage struct {
	Until   string
	Size    string
	Bytes   int64
	Fetches bool // the passphrase was given
	NoKey   bool
	Asked   bool // the desk knows that there is no passphrase
	Revoked bool
	Over    bool
	Opened  []string
	Receipt bool // it lies beside the answer
}

// enter has a code mailed to who wants to follow a request. It says the same, and takes as
// long, whatever the address and the number are.
func (p *Portal) enter(w http.ResponseWriter, r *http.Request) {
	id, ok := dsar.ReadRequestID(r.PathValue("id"))
	if !ok {
		p.fail(w, r, http.StatusNotFound, "error.number")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	email, problem := address(r.PostFormValue("email"))
	if problem != "" {
		p.render(w, r, http.StatusUnprocessableEntity, "enter.html", page{Title: "enter.title", Error: problem, Body: id})
		return
	}
	p.begins(w, r, draft{RequestID: id, Begun: p.now(), Email: email, Enters: true})
}

// request shows a request to who has proven their mailbox, and to anybody else how to do
// that: whether there is such a request isn't said.
func (p *Portal) request(w http.ResponseWriter, r *http.Request) {
	id, ok := dsar.ReadRequestID(r.PathValue("id"))
	if !ok {
		p.fail(w, r, http.StatusNotFound, "error.number")
		return
	}
	s, ok := p.session(r, id)
	if !ok {
		p.render(w, r, http.StatusOK, "enter.html", page{Title: "enter.title", Body: id})
		return
	}
	p.showRequest(w, r, http.StatusOK, s, "")
}

// showRequest shows a request's page, with what went wrong with the last form.
func (p *Portal) showRequest(w http.ResponseWriter, r *http.Request, status int, s session, problem string) {
	ctx, cancel := context.WithTimeout(r.Context(), callTime)
	defer cancel()
	state, err := p.Requests.State(ctx, s.RequestID)
	if err == nil && !state.Exists() {
		err = core.ErrUnknown
	}
	var body requestPage
	if err == nil {
		body, err = p.body(ctx, p.Languages.For(p.languageOf(r)), s, state)
	}
	if err != nil {
		p.broken(w, r, fmt.Errorf("portal: request %s: %w", s.RequestID, err))
		return
	}
	script := body.Answer != nil && !body.Answer.Over && !body.Answer.NoKey
	p.render(w, r, status, "request.html", page{Title: "request.title", Error: problem, Script: script, Body: body})
}

// body reads a state for its page.
func (p *Portal) body(ctx context.Context, l *words.Language, s session, state core.State) (requestPage, error) {
	l = l.Under(state.Accepted.Jurisdiction)
	local := func(t time.Time) string { return l.PlainDate(t.UTC()) }
	if j, ok := p.Policy.Jurisdiction(state.Accepted.Jurisdiction); ok {
		local = func(t time.Time) string { return l.PlainDate(j.Local(t)) }
	}
	b := requestPage{RequestID: s.RequestID, Right: l.Portal["right."+string(state.Right)], Received: local(state.Accepted.ReceivedAt), DueLabel: l.Portal["request.due"],
		Overdue: state.Overdue && !state.Status.Ended(), Ended: state.Status.Ended(), Awaits: state.Awaited, Paused: state.Paused, Percentage: -1}
	if !state.DueAt.IsZero() {
		b.Due = local(state.DueAt)
		if state.Status.Ended() || state.Overdue {
			b.DueLabel = l.Portal["request.was-due"]
		}
	}
	if state.Awaited == core.RemindProof {
		for _, c := range state.Proof.Checks {
			b.Checks = append(b.Checks, l.Portal["check."+string(c)])
		}
	}
	if state.Awaited == core.RemindClarification {
		if b.Question = state.Question; b.Question == remarks.Gone { // a portal without the vault opens nothing: it was mailed
			b.Question = ""
		}
	}
	b.Sends = p.Uploads != nil && state.Awaited != "" && len(state.Sent) < core.MaxSent
	for _, sent := range state.Sent {
		if state.Awaited != "" && !sent.At.Before(state.AwaitedSince) {
			b.Sent = local(sent.At)
		}
	}
	b.line(l, state)
	_, err := core.Decide(state, core.Cancel{By: core.ByTheSubject, Now: p.now()})
	b.Withdraws = err == nil
	for _, sent := range state.Letters {
		if about := l.Portal["letter."+string(sent.Letter)]; about != "" {
			b.Letters = append(b.Letters, letterLine{local(sent.At), about})
		}
	}
	b.Grievances = p.grievances(l, state, s)
	if about := state.Accepted.About; about != nil {
		b.About = about.RequestID
	}
	if state.Right.Decided() {
		return b, nil // its answer is the letter
	}
	if (state.Status == core.StatusCompleted || state.Status == core.StatusDelivering) && s.Assurance != dsar.AssuranceClaimed {
		b.Answer, err = p.answer(ctx, l, s, state, local)
		return b, err
	}
	return b, nil
}

// grievances returns what the law lets the person do about the answer: of a request that has
// been answered or refused, or whose time has run out.
func (p *Portal) grievances(l *words.Language, s core.State, by session) []rightChoice {
	j, ok := p.Policy.Jurisdiction(s.Accepted.Jurisdiction)
	answered := s.Status == core.StatusCompleted || s.Status == core.StatusRefused
	if !ok || by.Assurance == dsar.AssuranceClaimed || !answered && !s.Overdue || s.Right.Decided() {
		return nil
	}
	var all []rightChoice
	for _, right := range j.Granted(p.Now()) {
		if g, _ := j.Grant(right, p.Now()); !g.AboutEarlier() || !p.offered(right) || right == dsar.Appeal && !answered {
			continue
		}
		g, _ := j.Grant(right, p.Now())
		all = append(all, choiceOf(l, g, aboutLink(j.ID, right, s.Accepted.RequestID)))
	}
	return all
}

// line says how a request stands.
func (b *requestPage) line(l *words.Language, s core.State) {
	switch s.Status {
	case core.StatusCompleted:
		if s.Right.Decided() {
			b.Line = l.Portal["request.decided"]
		}
	case core.StatusReviewing:
		b.Line = l.Portal["request.reviewing"]
	case core.StatusRefused:
		b.Line = l.Portal["request.refused"]
	case core.StatusCancelled:
		b.Line = l.Portal["request.cancelled"]
	case core.StatusMerged:
		b.Line = l.Portal["request.merged"]
	case core.StatusNeedsAttention:
		b.Line = l.Portal["request.attention"]
	case core.StatusDelivering:
		b.Line = l.Portal["request.delivering"]
	case core.StatusAssembling:
		b.Line = l.Portal["request.assembling"]
	case core.StatusAccepted, core.StatusAwaitingProof, core.StatusAwaitingClarification:
		b.Line = l.Portal["request.accepted"]
	default:
		n, of := answered(s)
		b.Line = fmt.Sprintf(l.Portal["request.progress"], strconv.Itoa(n), strconv.Itoa(of))
		b.Percentage = 100 * n / max(of, 1)
	}
	if b.Awaits != "" {
		b.Line = ""
	}
}

// answered counts the systems that have ended what they are asked for now, and all.
func answered(s core.State) (n, of int) {
	for _, sys := range s.Accepted.Systems {
		if t := s.Task(sys.Name, s.Stage); t != nil && t.Status == core.TaskIsEnded {
			n++
		}
	}
	return n, len(s.Accepted.Systems)
}

// answer reads what there is of an answer.
func (p *Portal) answer(ctx context.Context, l *words.Language, s session, state core.State, local func(time.Time) string) (*answerPage, error) {
	a := &answerPage{Over: !state.RecordsForgotten.IsZero() || state.Bundle.Name == "", Revoked: state.KeyRevoked, Fetches: p.fetches(s), Bytes: state.Bundle.Bytes, Size: size(l, state.Bundle.Bytes)}
	if k := state.Accepted.Keep; k != nil && k.AnswerDays > 0 && !state.AnsweredAt.IsZero() {
		a.Until = local(state.AnsweredAt.AddDate(0, 0, k.AnswerDays))
	}
	a.Receipt = state.ReceiptLeft != nil && state.ReceiptLeft.Object != ""
	for _, at := range state.Opened {
		a.Opened = append(a.Opened, local(at))
	}
	for _, sent := range state.Sent {
		a.Asked = a.Asked || sent.What == core.SentNoPassphrase
	}
	if a.Over {
		return a, nil
	}
	_, err := handover.Read(ctx, p.Outbox, s.RequestID)
	if errors.Is(err, handover.ErrNoKey) || state.KeyRevoked {
		a.NoKey, a.Fetches = true, false
		return a, nil
	}
	return a, err
}

// size returns a number of bytes in a language's words.
func size(l *words.Language, n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf(l.Portal["answer.size.giga"], l.Number(n>>30))
	case n >= 1<<20:
		return fmt.Sprintf(l.Portal["answer.size.mega"], l.Number(n>>20))
	default:
		return fmt.Sprintf(l.Portal["answer.size.kilo"], l.Number(max(n>>10, 1)))
	}
}

// withdraw ends a request, because its person wants it no more.
func (p *Portal) withdraw(w http.ResponseWriter, r *http.Request) {
	s, ok := p.proven(w, r)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTime)
	defer cancel()
	_, err := p.Requests.Do(ctx, s.RequestID, core.Cancel{By: core.ByTheSubject, Now: p.now()})
	p.done(w, r, s, err)
}

// proven returns the session of a request's form; where there is none, the answer is
// written.
func (p *Portal) proven(w http.ResponseWriter, r *http.Request) (session, bool) {
	id, ok := dsar.ReadRequestID(r.PathValue("id"))
	if !ok {
		p.fail(w, r, http.StatusNotFound, "error.number")
		return session{}, false
	}
	s, ok := p.session(r, id)
	if !ok {
		p.render(w, r, http.StatusForbidden, "enter.html", page{Title: "enter.title", Body: id})
	}
	return s, ok
}

// done goes back to a request's page, or says why something wasn't done.
func (p *Portal) done(w http.ResponseWriter, r *http.Request, s session, err error) {
	switch {
	case err == nil:
		http.Redirect(w, r, "/r/"+s.RequestID, http.StatusSeeOther)
	case errors.Is(err, core.ErrNotAllowed), errors.Is(err, core.ErrEnded), errors.Is(err, core.ErrAnswered), errors.Is(err, core.ErrBegun), errors.Is(err, core.ErrNotAwaited):
		p.showRequest(w, r, http.StatusConflict, s, "error.notnow")
	default:
		p.trouble(r.Context(), fmt.Errorf("portal: request %s: %w", s.RequestID, err))
		p.showRequest(w, r, http.StatusServiceUnavailable, s, "error.broken")
	}
}
