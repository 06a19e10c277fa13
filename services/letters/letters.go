// Package letters writes to the person: it follows the facts of every request,
// and for those that the law has the person told of, leaves a letter in the
// outbox, or sends it by mail where that is configured. Each letter becomes a
// fact itself.
//
// It holds no state. What was sent is in the journal; a fact that comes twice
// writes the same letter in the same place, and a mail that was sent before its
// fact could be recorded is sent again under the same Message-ID
// (TestWhateverComesTwice).
package letters

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"gocloud.dev/blob"

	"habeas.dev/pkg/event"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/correspondence"
	"habeas.dev/services/internal/letter"
	"habeas.dev/services/internal/mail"
	"habeas.dev/services/internal/outbox"
	"habeas.dev/services/internal/prints"
	"habeas.dev/services/internal/transport"
)

// Group is the consumer group of the letters' service: each fact is looked at by
// one process.
const Group = "habeas.letters"

// Requests reads requests and applies commands to them; lifecycle.Lifecycle
// implements it.
type Requests interface {
	State(ctx context.Context, requestID string) (core.State, error)
	Do(ctx context.Context, requestID string, c core.Command) (core.State, error)
	// Told returns a request as it was after a fact, and what can be told of it then.
	Told(ctx context.Context, requestID string, version int) (core.State, *core.Answer, error)
}

// Mailer sends a letter to the person of a request. With ErrNoAddress and
// ErrRefused it stays in the outbox; any other error wants to be tried again.
type Mailer interface {
	Send(ctx context.Context, s core.State, l letter.Letter, cause int) error
}

// ErrNoAddress says that a person has no address that mail can be sent to.
var ErrNoAddress = telemetry.Constant("no address was given with the request")

// ErrRefused says that the mail server refuses a letter for good.
var ErrRefused = mail.ErrRefused

// Config configures [Letters]. Every field must be set, but Mailer, Earlier, Vault, Refused and Tracers.
type Config struct {
	Requests Requests
	Writer   *letter.Writer
	// Outbox takes every letter, as letters/<request>.<fact>-<letter>.<language>.txt: in the
	// open where it waits for whoever posts it, sealed where it is mailed (TestMailedAreSealed).
	Outbox *blob.Bucket
	// Mailer sends letters as well; nil: they stay in the outbox.
	Mailer Mailer
	// Earlier finds a person's other requests, so that letters to one address are
	// bounded; nil: they aren't. Vault opens the address, by which they are found, makes
	// the letters' digests, and seals what is mailed.
	Earlier Earlier
	Vault   prints.Vault
	// Refused is called for each letter that the outbox doesn't take; nil: nobody is told.
	Refused func()
	// Tracers get a span for each letter that is written; nil: none.
	Tracers trace.TracerProvider
	Now     func() time.Time
	Log     *slog.Logger
}

// Letters writes letters to people when their requests' facts ask for one. It is
// safe for many goroutines.
type Letters struct {
	Config
	opening sync.Mutex // held while a letter's file is made
}

// New returns the service.
func New(c Config) *Letters { return &Letters{Config: c} }

// maxAge is the age from which an occasion is no longer written about, so that
// reading old facts anew sends no letters.
const maxAge = 30 * 24 * time.Hour

// Run handles facts until the context ends.
func (l *Letters) Run(ctx context.Context, s transport.Subscriber) error {
	return transport.Loop(ctx, s, event.TopicEvents, l.Log, func(ctx context.Context, m transport.Received) error {
		e, err := event.Decode(m.Headers, m.Payload)
		if err == nil && occasion(e.Type) {
			return l.Handle(ctx, e.Subject)
		}
		return nil // a stranger's, or nothing to write about
	})
}

// occasion reports whether a fact of this type may ask for a letter.
func occasion(typ string) bool {
	for _, f := range []core.Event{core.Accepted{}, core.ProofAsked{}, core.ClarificationAsked{}, core.Extended{}, core.Refused{}, core.AnswerAvailable{}, core.Completed{}, core.DeliveryAsked{}, core.AddendumIssued{}, core.GrievanceDecided{}} {
		if typ == event.FactType(core.TypeOf(f)) {
			return true
		}
	}
	return false
}

// Handle writes every letter that a request's facts ask for and that was not
// written yet.
func (l *Letters) Handle(ctx context.Context, requestID string) error {
	state, err := l.Requests.State(ctx, requestID)
	if err != nil {
		return fmt.Errorf("letters: request %s: %w", requestID, err)
	}
	for _, o := range state.Unwritten() {
		if l.Now().Sub(o.At) > maxAge {
			continue
		}
		if err := l.send(ctx, state, o); err != nil {
			return fmt.Errorf("letters: request %s: %s: %w", requestID, o.Letter, err)
		}
	}
	return nil
}

func (l *Letters) send(ctx context.Context, state core.State, o core.Occasion) error {
	requestID := state.Accepted.RequestID
	if l.Tracers != nil {
		var span trace.Span
		ctx, span = l.Tracers.Tracer("habeas.dev/services/letters").Start(telemetry.Continue(ctx, telemetry.RequestTraceParent(requestID)), "letter "+string(o.Letter))
		defer span.End()
	}
	then, told, err := l.Requests.Told(ctx, requestID, o.Cause)
	if err != nil {
		return err
	}
	stated := correspondence.Document(l.Writer, then, told, o)
	written, err := l.Writer.Write(o.Letter, &stated, false)
	if err != nil {
		return err
	}
	name := outbox.LetterName(requestID, o.Cause, written.Kind, written.Language)
	if err := l.leaveCopy(ctx, requestID, name, written.Whole()); err != nil {
		return err
	}
	digest, err := l.digest(ctx, requestID, written.Whole())
	if err != nil {
		return err
	}
	channel := core.ChannelOutbox
	if l.Mailer != nil {
		err := l.often(ctx, state)
		if err == nil {
			err = l.Mailer.Send(ctx, state, written, o.Cause)
		}
		switch {
		case err == nil:
			channel = core.ChannelMail
		case errors.Is(err, ErrNoAddress), errors.Is(err, ErrRefused), errors.Is(err, ErrOften):
			l.Log.WarnContext(ctx, "a letter stays in the outbox", "request_id", requestID, "letter", string(o.Letter), "reason", err.Error())
			if err := l.leave(ctx, name, written.Whole()); err != nil { // for whoever posts it
				return err
			}
		default:
			return err
		}
	}
	_, err = l.Requests.Do(ctx, requestID, core.NoteLetter{LetterSent: core.LetterSent{
		Letter: o.Letter, Language: written.Language, Cause: o.Cause, Channel: channel, Digest: digest, Moment: core.Moment{At: l.Now().UTC().Truncate(time.Microsecond)}}})
	return err
}

// digest returns a letter's hash, keyed by its request; empty where the request's keys are
// gone, or nothing opens keys here.
func (l *Letters) digest(ctx context.Context, requestID, text string) (digest string, err error) {
	if l.Vault == nil {
		return "", nil
	}
	keys, err := l.Vault.Keys(ctx, requestID)
	if err == nil {
		digest, err = keys.Digest([]byte(text))
	}
	if errors.Is(err, vault.ErrShredded) || errors.Is(err, vault.ErrNoKeys) {
		return "", nil
	}
	return digest, err
}

// leaveCopy leaves a letter: sealed where it is about to be mailed, so that nobody needs to
// read it there. It is in the open where the request's keys are gone.
func (l *Letters) leaveCopy(ctx context.Context, requestID, name, text string) error {
	if l.Mailer == nil || l.Vault == nil {
		return l.leave(ctx, name, text)
	}
	keys, err := l.Vault.Keys(ctx, requestID)
	var sealed []byte
	if err == nil {
		sealed, err = letter.Seal(keys, text)
	}
	switch {
	case errors.Is(err, vault.ErrShredded), errors.Is(err, vault.ErrNoKeys):
		return l.leave(ctx, name, text)
	case err != nil:
		return err
	}
	return l.leave(ctx, name, string(sealed))
}

// leave writes a letter to the outbox.
func (l *Letters) leave(ctx context.Context, name, text string) (err error) {
	defer func() {
		if err != nil && l.Refused != nil {
			l.Refused()
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l.opening.Lock() // files made in one folder at the same time have the kernel spin
	out, err := l.Outbox.NewWriter(ctx, name, &blob.WriterOptions{ContentType: "text/plain; charset=utf-8"})
	l.opening.Unlock()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(out, text); err != nil {
		cancel() // Close would commit otherwise
		_ = out.Close()
		return err
	}
	return out.Close()
}
