package letters

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"os"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/letter"
	"habeas.dev/pkg/vault"
)

// mailTime bounds one mail, from the connection to the server's word.
const mailTime = time.Minute

// SMTP says by which server mail is sent.
type SMTP struct {
	// Address is HOST:PORT.
	Address string
	// From is the sender's address.
	From string
	// User and PasswordFile sign in; empty: without.
	User         string
	PasswordFile string
	// Plain lets letters go without TLS, for a relay on the same machine.
	Plain bool
}

// Keys opens what is sealed; vault.Vault does.
type Keys interface {
	Keys(ctx context.Context, requestID string) (*vault.Keys, error)
}

// mailer sends by SMTP.
type mailer struct {
	server SMTP
	from   *mail.Address
	keys   Keys
	now    func() time.Time
}

// NewMailer sends letters by a mail server, to the address that the person gave
// with the request; a verified one before others, and never one that a system
// found. The address is in no error.
func NewMailer(s SMTP, keys Keys, now func() time.Time) (Mailer, error) {
	from, err := mail.ParseAddress(s.From)
	if err != nil {
		return nil, errors.New("letters: the sender isn't an address")
	}
	if _, _, err := net.SplitHostPort(s.Address); err != nil {
		return nil, errors.New("letters: the mail server isn't HOST:PORT")
	}
	return &mailer{server: s, from: from, keys: keys, now: now}, nil
}

// Send implements [Mailer].
func (m *mailer) Send(ctx context.Context, s dsar.State, l letter.Letter, cause int) error {
	to, err := m.address(ctx, s)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, mailTime)
	defer cancel()
	return m.deliver(ctx, to, m.message(to, s.Accepted.RequestID, l, cause))
}

// address is where the person is written to.
func (m *mailer) address(ctx context.Context, s dsar.State) (string, error) {
	var given *dsar.Identifier
	for i := range s.Accepted.Identifiers {
		id := &s.Accepted.Identifiers[i]
		if id.Type == "email" && (given == nil || id.Verified && !given.Verified) {
			given = id
		}
	}
	if given == nil {
		return "", ErrNoAddress
	}
	keys, err := m.keys.Keys(ctx, s.Accepted.RequestID)
	if errors.Is(err, vault.ErrShredded) {
		return "", ErrNoAddress
	}
	if err != nil {
		return "", err
	}
	plain, err := keys.Open(given.Sealed, "identifier")
	if err != nil {
		return "", errors.New("the person's address can't be opened with the request's key")
	}
	to, err := mail.ParseAddress(string(plain))
	if err != nil {
		return "", ErrNoAddress // the parser's words quote it
	}
	return to.Address, nil
}

// message is the mail, with a Message-ID that is the same each time.
func (m *mailer) message(to, requestID string, l letter.Letter, cause int) []byte {
	var b bytes.Buffer
	_, domain, _ := strings.Cut(m.from.Address, "@")
	head := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	head("From", m.from.String())
	head("To", "<"+to+">")
	head("Subject", mime.QEncoding.Encode("utf-8", l.Subject))
	head("Date", m.now().UTC().Format(time.RFC1123Z))
	head("Message-ID", fmt.Sprintf("<%s.%d.%s@%s>", requestID, cause, l.Kind, domain))
	head("Auto-Submitted", "auto-generated")
	head("Content-Language", l.Language)
	head("MIME-Version", "1.0")
	head("Content-Type", "text/plain; charset=utf-8")
	head("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	body := quotedprintable.NewWriter(&b)
	_, _ = body.Write([]byte(strings.ReplaceAll(l.Text(), "\n", "\r\n"))) // to memory
	_ = body.Close()
	return b.Bytes()
}

// deliver gives the mail to the server. What the server says is not repeated: it
// may quote the address.
func (m *mailer) deliver(ctx context.Context, to string, message []byte) error {
	host, _, _ := net.SplitHostPort(m.server.Address)
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.server.Address)
	if err != nil {
		return errors.New("the mail server can't be reached")
	}
	defer func() { _ = conn.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return errors.New("the mail server doesn't greet")
	}
	defer func() { _ = c.Close() }()
	if err := m.secure(c, host); err != nil {
		return err
	}
	for _, step := range []func() error{
		func() error { return c.Mail(m.from.Address) },
		func() error { return c.Rcpt(to) },
		func() error {
			w, err := c.Data()
			if err != nil {
				return err
			}
			if _, err := w.Write(message); err != nil {
				return err
			}
			return w.Close()
		},
	} {
		if err := step(); err != nil {
			if code := replyCode(err); strings.HasPrefix(code, " (5") {
				return fmt.Errorf("%w%s", ErrRefused, code)
			}
			return fmt.Errorf("the mail server doesn't take the letter now%s", replyCode(err))
		}
	}
	_ = c.Quit() // it has the letter
	return nil
}

// secure turns TLS on, and signs in.
func (m *mailer) secure(c *smtp.Client, host string) error {
	if ok, _ := c.Extension("STARTTLS"); ok {
		if err := c.StartTLS(&tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}); err != nil {
			return errors.New("the mail server's certificate isn't good")
		}
	} else if !m.server.Plain {
		return errors.New("the mail server offers no TLS; set plain: true for a relay on this machine")
	}
	if m.server.User == "" {
		return nil
	}
	password, err := os.ReadFile(m.server.PasswordFile)
	if err != nil {
		return errors.New("the mail server's password can't be read from its file")
	}
	if err := c.Auth(smtp.PlainAuth("", m.server.User, strings.TrimSpace(string(password)), host)); err != nil {
		return fmt.Errorf("the mail server doesn't take the password%s", replyCode(err))
	}
	return nil
}

// replyCode is the number of a server's refusal.
func replyCode(err error) string {
	code, _, _ := strings.Cut(err.Error(), " ")
	if len(code) == 3 && strings.Trim(code, "0123456789") == "" {
		return " (" + code + ")"
	}
	return ""
}
