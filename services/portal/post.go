package portal

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"habeas.dev/services/internal/mail"
)

const (
	// queued bounds the mails that wait: more than this waits only where the server is down,
	// and by then their codes are old.
	queued = 256
	// mailTries is how often a mail is tried, and mailPause how long it waits in between at
	// first.
	mailTries = 4
	mailPause = 2 * time.Second
)

// post sends mail behind the pages' back: a page takes as long whether it has a mail sent
// or not, and says the same.
type post struct {
	mailer Mailer
	log    *slog.Logger
	queue  chan mail.Message
}

func newPost(m Mailer, log *slog.Logger) *post {
	return &post{mailer: m, log: log, queue: make(chan mail.Message, queued)}
}

// send has a mail sent soon; where too many wait it is dropped, and that is logged.
func (p *post) send(m mail.Message) {
	select {
	case p.queue <- m:
	default:
		p.log.Error("a code isn't mailed: too many mails wait; is the mail server down?")
	}
}

func (p *post) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case m := <-p.queue:
			p.deliver(ctx, m)
		}
	}
}

// deliver tries a mail until the server has it, refuses it, or it isn't worth it any more.
func (p *post) deliver(ctx context.Context, m mail.Message) {
	for try := range mailTries {
		err := p.mailer.Send(ctx, m)
		switch {
		case err == nil, ctx.Err() != nil:
			return
		case errors.Is(err, mail.ErrRefused), try == mailTries-1:
			p.log.Warn("a code isn't mailed", "error", err)
			return
		}
		pause := time.NewTimer(mailPause << try)
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}
