// Package mail gives mail to a server by SMTP, over TLS. What the server says is
// repeated nowhere but for its number: it may quote an address.
package mail

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
)

// mailTime bounds one mail, from the connection to the server's word.
const mailTime = time.Minute

// Server says by which server mail is sent.
type Server struct {
	// Address is HOST:PORT.
	Address string
	// From is the sender's address.
	From string
	// User and PasswordFile sign in; empty: without.
	User         string
	PasswordFile string
	// Plain lets mail go without TLS, for a relay on the same machine.
	Plain bool
}

// ErrRefused says that the server will never take a mail.
var ErrRefused = errors.New("the mail server refuses the letter")

// Check tells what is wrong before anything is sent.
func (s Server) Check() error {
	if _, err := mail.ParseAddress(s.From); err != nil {
		return errors.New("the sender isn't an address")
	}
	if _, _, err := net.SplitHostPort(s.Address); err != nil {
		return errors.New("the mail server isn't HOST:PORT")
	}
	return nil
}

// Message is a mail of plain text.
type Message struct {
	To []string
	// ID is the same whenever the same mail is sent again; without domain.
	ID      string
	Subject string
	Text    string
	// Language of the text, as in a Content-Language header.
	Language string
	Date     time.Time
}

// bytes is the mail as it travels (RFC 5322).
func (m Message) bytes(from *mail.Address) []byte {
	var b bytes.Buffer
	_, domain, _ := strings.Cut(from.Address, "@")
	head := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	head("From", from.String())
	head("To", "<"+strings.Join(m.To, ">, <")+">")
	head("Subject", mime.QEncoding.Encode("utf-8", m.Subject))
	head("Date", m.Date.UTC().Format(time.RFC1123Z))
	head("Message-ID", fmt.Sprintf("<%s@%s>", m.ID, domain))
	head("Auto-Submitted", "auto-generated")
	head("Content-Language", m.Language)
	head("MIME-Version", "1.0")
	head("Content-Type", "text/plain; charset=utf-8")
	head("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	body := quotedprintable.NewWriter(&b)
	_, _ = body.Write([]byte(strings.ReplaceAll(m.Text, "\n", "\r\n"))) // to memory
	_ = body.Close()
	return b.Bytes()
}

// Send gives a mail to the server. [ErrRefused] means that no second try helps.
func (s Server) Send(ctx context.Context, m Message) error {
	from, err := mail.ParseAddress(s.From)
	if err != nil {
		return errors.New("the sender isn't an address")
	}
	ctx, cancel := context.WithTimeout(ctx, mailTime)
	defer cancel()
	host, _, _ := net.SplitHostPort(s.Address)
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.Address)
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
	if err := s.secure(c, host); err != nil {
		return err
	}
	return give(c, from.Address, m.To, m.bytes(from))
}

// give hands a mail over.
func give(c *smtp.Client, from string, to []string, message []byte) error {
	steps := []func() error{func() error { return c.Mail(from) }}
	for _, one := range to {
		steps = append(steps, func() error { return c.Rcpt(one) })
	}
	steps = append(steps, func() error {
		w, err := c.Data()
		if err != nil {
			return err
		}
		if _, err := w.Write(message); err != nil {
			return err
		}
		return w.Close()
	})
	for _, step := range steps {
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
func (s Server) secure(c *smtp.Client, host string) error {
	if ok, _ := c.Extension("STARTTLS"); ok {
		if err := c.StartTLS(&tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}); err != nil {
			return errors.New("the mail server's certificate isn't good")
		}
	} else if !s.Plain {
		return errors.New("the mail server offers no TLS; set plain: true for a relay on this machine")
	}
	if s.User == "" {
		return nil
	}
	password, err := os.ReadFile(s.PasswordFile)
	if err != nil {
		return errors.New("the mail server's password can't be read from its file")
	}
	if err := c.Auth(smtp.PlainAuth("", s.User, strings.TrimSpace(string(password)), host)); err != nil {
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
