package letters

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"time"

	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/letter"
	transport "habeas.dev/services/internal/mail"
)

// SMTP configures the mail server that letters are sent by.
type SMTP = transport.Server

// Keys opens sealed identifiers; vault.Vault implements it.
type Keys interface {
	Keys(ctx context.Context, requestID string) (*vault.Keys, error)
}

// mailer sends letters by SMTP.
type mailer struct {
	server SMTP
	keys   Keys
	now    func() time.Time
}

// NewMailer returns a [Mailer] that sends letters by SMTP to the address that the
// person gave with the request: a verified one before others, and never one that a
// system found. The address is in no error.
func NewMailer(s SMTP, keys Keys, now func() time.Time) (Mailer, error) {
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("letters: %w", err)
	}
	return &mailer{server: s, keys: keys, now: now}, nil
}

// Send implements [Mailer]. The mail's Message-ID is the same each time.
func (m *mailer) Send(ctx context.Context, s core.State, l letter.Letter, cause int) error {
	to, err := m.address(ctx, s)
	if err != nil {
		return err
	}
	return m.server.Send(ctx, transport.Message{To: []string{to}, ID: fmt.Sprintf("%s.%d.%s", s.Accepted.RequestID, cause, l.Kind),
		Subject: l.Subject, Text: l.Text(), Language: l.Language, Date: m.now()})
}

// address returns the e-mail address that the person is written to.
func (m *mailer) address(ctx context.Context, s core.State) (string, error) {
	given, ok := addressee(s)
	if !ok {
		return "", ErrNoAddress
	}
	keys, err := m.keys.Keys(ctx, s.Accepted.RequestID)
	if errors.Is(err, vault.ErrShredded) {
		return "", ErrNoAddress
	}
	if err != nil {
		return "", err
	}
	plain, err := keys.Open(given.Sealed, vault.Identifier)
	if err != nil {
		return "", fmt.Errorf("the person's address can't be opened: %w", err)
	}
	to, err := mail.ParseAddress(string(plain))
	if err != nil {
		return "", ErrNoAddress // the parser's words quote it
	}
	return to.Address, nil
}
