package portal

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/handover"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/onefile"
)

// passphraseTries is how often a request's passphrase may be tried within a day.
const passphraseTries = 10

// receive takes the passphrase of who has proven their mailbox. Who has it may fetch the
// answer for a while; that it is given is a fact.
func (p *Portal) receive(w http.ResponseWriter, r *http.Request) {
	s, ok := p.proven(w, r)
	if !ok {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	passphrase := r.PostFormValue("passphrase")
	ctx, cancel := context.WithTimeout(r.Context(), callTime)
	defer cancel()
	wrapped, problem, err := p.try(ctx, s)
	if err != nil || problem != "" {
		p.refuses(w, r, s, problem, err)
		return
	}
	select {
	case p.wrapping <- struct{}{}:
		err = handover.Opens(wrapped, passphrase)
		<-p.wrapping
	case <-ctx.Done():
		err = ctx.Err()
	}
	if errors.Is(err, handover.ErrPassphrase) {
		p.refuses(w, r, s, "error.passphrase", nil)
		return
	}
	if err == nil {
		_, err = p.Requests.Do(ctx, s.RequestID, core.OpenAnswer{Now: p.now()})
	}
	if err == nil {
		s.Opened = p.Now()
		err = p.begin(w, s)
	}
	p.done(w, r, s, err)
}

// refuses says why a passphrase doesn't serve.
func (p *Portal) refuses(w http.ResponseWriter, r *http.Request, s session, problem string, err error) {
	if err != nil {
		p.done(w, r, s, err)
		return
	}
	p.showRequest(w, r, http.StatusForbidden, s, problem)
}

// try counts a try of a request's passphrase, and returns what it is tried on.
func (p *Portal) try(ctx context.Context, s session) (wrapped []byte, problem string, err error) {
	state, err := p.Requests.State(ctx, s.RequestID)
	if err != nil {
		return nil, "", err
	}
	if state.KeyRevoked || s.Assurance == dsar.AssuranceClaimed {
		return nil, "error.notnow", nil
	}
	if wrapped, err = handover.Read(ctx, p.Outbox, s.RequestID); err != nil {
		if errors.Is(err, handover.ErrNoKey) {
			return nil, "error.notnow", nil
		}
		return nil, "", err
	}
	now := p.now()
	day := now.Format(time.DateOnly)
	who := "answer:" + s.RequestID
	// Nothing ever spends it: its tries are what counts.
	err = p.Proofs.AddProof(ctx, journal.Proof{ID: who + ":" + day, Who: who, Hash: []byte(rand.Text()), At: now, Ends: now.Add(24 * time.Hour), Tries: passphraseTries}, journal.ProofLimits{PerDay: 2, Failed: 10 * passphraseTries})
	if errors.Is(err, journal.ErrOften) {
		return nil, "error.tries", nil
	}
	if err != nil {
		return nil, "", err
	}
	_, live, err := p.Proofs.TryProof(ctx, who+":"+day, []byte("counted"), now)
	if err == nil && !live {
		return nil, "error.tries", nil
	}
	return wrapped, "", err
}

// noPassphrase tells the desk that a person has no passphrase.
func (p *Portal) noPassphrase(w http.ResponseWriter, r *http.Request) {
	s, ok := p.proven(w, r)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTime)
	defer cancel()
	_, err := p.Requests.Do(ctx, s.RequestID, core.NoteSent{PersonSent: core.PersonSent{What: core.SentNoPassphrase, Moment: core.Moment{At: p.now()}}})
	p.done(w, r, s, err)
}

// download gives the answer to who had the passphrase, as it lies in the outbox.
func (p *Portal) download(w http.ResponseWriter, r *http.Request) {
	s, state, ok := p.fetched(w, r)
	if !ok {
		return
	}
	from, err := p.Outbox.NewReader(r.Context(), state.Bundle.Name, nil)
	if err != nil {
		p.broken(w, r, fmt.Errorf("portal: answer of request %s: %w", s.RequestID, err))
		return
	}
	defer func() { _ = from.Close() }() // it was only read
	deadline := http.NewResponseController(w)
	_ = deadline.SetWriteDeadline(time.Now().Add(downloadTime)) // recorders have none
	attach(w, "answer.zip.age", from.Size())
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, from) // who went away is told nothing
	}
}

// downloadReceipt gives the receipt, as it lies beside the answer.
func (p *Portal) downloadReceipt(w http.ResponseWriter, r *http.Request) {
	s, state, ok := p.fetched(w, r)
	if !ok {
		return
	}
	if state.ReceiptLeft == nil || state.ReceiptLeft.Object == "" {
		p.showRequest(w, r, http.StatusNotFound, s, "error.notnow")
		return
	}
	sealed, err := p.Outbox.ReadAll(r.Context(), state.ReceiptLeft.Object)
	if err != nil {
		p.broken(w, r, fmt.Errorf("portal: receipt of request %s: %w", s.RequestID, err))
		return
	}
	attach(w, "receipt.html.age", int64(len(sealed)))
	_, _ = w.Write(sealed)
}

// downloadKey gives the identity that opens the answer, under its passphrase.
func (p *Portal) downloadKey(w http.ResponseWriter, r *http.Request) {
	s, _, ok := p.fetched(w, r)
	if !ok {
		return
	}
	wrapped, err := handover.Read(r.Context(), p.Outbox, s.RequestID)
	if err != nil {
		p.broken(w, r, err)
		return
	}
	attach(w, "key.age", int64(len(wrapped)))
	_, _ = w.Write(wrapped)
}

func attach(w http.ResponseWriter, name string, n int64) {
	w.Header().Set("Content-Type", "application/age-encryption")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
}

// fetched returns the session of who may fetch an answer now; else the answer is written.
func (p *Portal) fetched(w http.ResponseWriter, r *http.Request) (s session, state core.State, ok bool) {
	if s, ok = p.proven(w, r); !ok {
		return s, state, false
	}
	state, err := p.Requests.State(r.Context(), s.RequestID)
	switch {
	case err != nil:
		p.broken(w, r, err)
	case state.GivesOut() != nil || state.KeyRevoked || !p.fetches(s):
		p.showRequest(w, r, http.StatusForbidden, s, "error.notnow")
	default:
		return s, state, true
	}
	return s, state, false
}

// oneFile serves the empty frame into which a browser seals an answer that it has opened. It
// leaves as a text, since it is no page of this site.
func (p *Portal) oneFile(w http.ResponseWriter, r *http.Request) {
	frame, err := onefile.Frame(p.Languages.For(p.languageOf(r)))
	if err != nil {
		p.broken(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, frame)
}
