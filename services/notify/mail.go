package notify

import (
	"context"
	"errors"
	"fmt"

	"habeas.dev/services/internal/mail"
	"habeas.dev/services/internal/words"
)

// Mail sends messages to people.
type Mail struct {
	Server mail.Server
	To     []string
	// Language is the mail's.
	Language *words.Language
}

var _ Channel = Mail{}

// Deliver implements [Channel].
func (m Mail) Deliver(ctx context.Context, one Message) error {
	err := m.Server.Send(ctx, mail.Message{To: m.To, ID: one.ID, Subject: one.Subject(m.Language), Text: one.Text(m.Language), Language: m.Language.Tag, Date: one.At})
	if errors.Is(err, mail.ErrRefused) {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return err
}
