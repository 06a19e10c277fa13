package portal

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"filippo.io/age"
	"gocloud.dev/blob"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

const (
	// maxUpload bounds what a person sends, in bytes: a page that a telephone has
	// photographed has 5 MB.
	maxUpload = 10 << 20
	// maxText bounds an answer to a question, in characters.
	maxText = 4000
	// sweepEvery is how often it is looked for what was judged.
	sweepEvery = time.Minute
)

// kinds are what is taken, by how it begins. It is never shown by the portal; the console
// shows it as a picture or as a file, and as nothing else.
var kinds = []string{"image/jpeg", "image/png", "application/pdf"}

// send takes what a person was asked for: a file that proves something, or the answer to a
// question. It is sealed before it is stored.
func (p *Portal) send(w http.ResponseWriter, r *http.Request) {
	s, ok := p.proven(w, r)
	if !ok {
		return
	}
	if p.Uploads == nil {
		p.showRequest(w, r, http.StatusConflict, s, "error.notnow")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), answerTime)
	defer cancel()
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload+maxForm)
	sent, content, problem := p.sent(r)
	if problem != "" {
		p.showRequest(w, r, http.StatusUnprocessableEntity, s, problem)
		return
	}
	// It is asked first, so that nothing is stored that nobody waits for.
	state, err := p.Requests.State(ctx, s.RequestID)
	if err == nil {
		_, err = core.Decide(state, core.NoteSent{PersonSent: sent})
	}
	if err == nil {
		sent.Object = s.RequestID + "/" + strings.ToLower(rand.Text()) + ".age"
		sent.Bytes = int64(len(content))
		err = p.store(ctx, sent.Object, content)
	}
	if err == nil {
		_, err = p.Requests.Do(ctx, s.RequestID, core.NoteSent{PersonSent: sent})
	}
	p.done(w, r, s, err)
}

// sent reads the form: a file, or a text.
func (p *Portal) sent(r *http.Request) (sent core.PersonSent, content []byte, problem string) {
	sent.At = p.now()
	parts, err := r.MultipartReader()
	if err != nil {
		return sent, nil, "error.form"
	}
	part, err := parts.NextPart()
	if err != nil {
		return sent, nil, "error.form"
	}
	if content, err = io.ReadAll(io.LimitReader(part, maxUpload+1)); err != nil {
		return sent, nil, "error.file"
	}
	switch part.FormName() {
	case "file":
		sent.What = core.SentProof
		kind := http.DetectContentType(content)
		for _, k := range kinds {
			if kind == k && len(content) <= maxUpload {
				return sent, content, ""
			}
		}
		return sent, nil, "error.file"
	case "text":
		sent.What = core.SentClarification
		content = bytes.TrimSpace(content)
		if n := utf8.RuneCount(content); n == 0 || n > maxText || !utf8.Valid(content) {
			return sent, nil, "error.text"
		}
		return sent, content, ""
	default:
		return sent, nil, "error.form"
	}
}

// store seals what a person sent.
func (p *Portal) store(ctx context.Context, name string, content []byte) error {
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, p.Recipient)
	if err != nil {
		return fmt.Errorf("portal: %w", err)
	}
	if _, err := w.Write(content); err != nil {
		return fmt.Errorf("portal: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("portal: %w", err)
	}
	if err := p.Uploads.WriteAll(ctx, name, sealed.Bytes(), &blob.WriterOptions{ContentType: "application/age-encryption"}); err != nil {
		return fmt.Errorf("portal: uploads: %w", err)
	}
	return nil
}

// sweepUntil deletes what was judged, until the context ends.
func (p *Portal) sweepUntil(ctx context.Context) {
	if p.Uploads == nil {
		return
	}
	every := time.NewTicker(sweepEvery)
	defer every.Stop()
	for {
		if err := p.Sweep(ctx); err != nil && ctx.Err() == nil {
			p.Log.ErrorContext(ctx, "what people sent can't be looked through", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

// Sweep deletes what people sent for something that isn't awaited any more: it was judged,
// or the request has ended. What of one request fails holds up no other's.
func (p *Portal) Sweep(ctx context.Context) error {
	var failed error
	list := p.Uploads.List(nil)
	for {
		o, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			return failed
		}
		if err != nil {
			return errors.Join(failed, fmt.Errorf("portal: uploads: %w", err))
		}
		id, _, _ := strings.Cut(o.Key, "/")
		if !dsar.ValidRequestID(id) {
			continue
		}
		state, err := p.Requests.State(ctx, id)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("portal: request %s: %w", id, err))
			continue
		}
		if waits(state, o.Key, o.ModTime, p.Now()) {
			continue
		}
		if err := p.Uploads.Delete(ctx, o.Key); err != nil {
			failed = errors.Join(failed, fmt.Errorf("portal: uploads: %w", err))
		}
	}
}

// waits reports whether an object is still to be looked at. One of which there is no fact
// yet is just being stored, or was left by a process that died.
func waits(s core.State, object string, stored, now time.Time) bool {
	if s.Status.Ended() {
		return false
	}
	for _, sent := range s.Sent {
		if sent.Object == object {
			return s.Awaited != "" && !sent.At.Before(s.AwaitedSince)
		}
	}
	return now.Sub(stored) < draftTime
}
