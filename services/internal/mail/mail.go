// Package mail gives mail to a server by SMTP, over TLS. What the server says is
// repeated nowhere but for its codes: it may quote an address.
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/mail"
	"os"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
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
	// Brand is how mails to people look; nil: they are plain text only.
	Brand *Brand
}

// Check tells what is wrong before anything is sent.
func (s Server) Check() error {
	if _, err := mail.ParseAddress(s.From); err != nil {
		return errors.New("the sender isn't an address")
	}
	if _, _, err := s.hostPort(); err != nil {
		return errors.New("the mail server isn't HOST:PORT")
	}
	return nil
}

func (s Server) hostPort() (host string, port int, err error) {
	host, text, err := net.SplitHostPort(s.Address)
	if err != nil {
		return "", 0, err
	}
	port, err = net.DefaultResolver.LookupPort(context.Background(), "tcp", text) // of a list on this machine
	return host, port, err
}

// Message is a mail: a text, of which a server that has a brand sends an HTML part besides.
type Message struct {
	To []string
	// ID is the same whenever the same mail is sent again; without domain.
	ID      string
	Subject string
	Text    string
	// Strong is what of the text is to be seen first; empty: nothing.
	Strong string
	// Language of the text, as in a Content-Language header.
	Language string
	Date     time.Time
}

// Send gives a mail to the server. Its errors are [*Error]; [ErrRefused] means
// that no second try helps.
func (s Server) Send(ctx context.Context, m Message) error {
	letter, err := s.compose(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, mailTime)
	defer cancel()
	client, conn, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // it has the letter, or the error says that it hasn't
	if err := s.signIn(ctx, conn); err != nil {
		return err
	}
	if err := client.SendWithSMTPClient(conn, letter); err != nil && !letter.IsDelivered() {
		return failed(ctx, "the mail server doesn't take the letter", err)
	}
	_ = conn.Quit()
	return nil
}

// compose returns the mail as it travels.
func (s Server) compose(m Message) (*gomail.Msg, error) {
	from, err := mail.ParseAddress(s.From)
	if err != nil {
		return nil, &Error{Step: "the sender isn't an address"}
	}
	letter := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	letter.FromMailAddress(from)
	if err := letter.To(m.To...); err != nil {
		return nil, &Error{Step: "the mail goes to what isn't an address", refused: true}
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	letter.Subject(m.Subject)
	letter.SetDateWithValue(m.Date.UTC())
	letter.SetMessageIDWithValue(m.ID + "@" + domain)
	letter.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody's absence answers it
	letter.SetGenHeader("Content-Language", m.Language)
	letter.SetBodyString(gomail.TypeTextPlain, m.Text)
	if s.Brand != nil {
		page, err := s.Brand.html(m)
		if err != nil {
			return nil, &Error{Step: "the mail can't be made a page"}
		}
		letter.AddAlternativeString(gomail.TypeTextHTML, page)
	}
	return letter, nil
}

// dial connects to the server, over TLS where that isn't waived.
func (s Server) dial(ctx context.Context) (*gomail.Client, *smtp.Client, error) {
	host, port, err := s.hostPort()
	if err != nil {
		return nil, nil, &Error{Step: "the mail server isn't HOST:PORT"}
	}
	client, err := gomail.NewClient(host, gomail.WithPort(port), gomail.WithTimeout(mailTime), gomail.WithTLSPolicy(gomail.TLSOpportunistic),
		gomail.WithTLSConfig(&tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}),
		gomail.WithoutNoop(), gomail.WithDialContextFunc(untilDone(ctx)))
	if err != nil {
		return nil, nil, &Error{Step: "the mail server's name or port can't be used"}
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return nil, nil, failed(ctx, "the mail server can't be reached", err)
	}
	if _, err := conn.GetTLSConnectionState(); err != nil && !s.Plain {
		_ = conn.Close()
		return nil, nil, &Error{Step: "the mail server offers no TLS; set plain: true for a relay on this machine"}
	}
	return client, conn, nil
}

// untilDone dials connections that are closed once the context of the mail is
// over: the library looks at it only while it connects.
func untilDone(mail context.Context) gomail.DialContextFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err == nil {
			context.AfterFunc(mail, func() { _ = conn.Close() })
		}
		return conn, err
	}
}

// signIn gives the server the password, where there is one. PLAIN goes over TLS
// only, or to this machine.
func (s Server) signIn(ctx context.Context, conn *smtp.Client) error {
	if s.User == "" {
		return nil
	}
	password, err := os.ReadFile(s.PasswordFile)
	if err != nil {
		return failed(ctx, "the mail server's password can't be read from its file", err)
	}
	host, _, err := s.hostPort()
	if err != nil {
		return &Error{Step: "the mail server isn't HOST:PORT"}
	}
	if err := conn.Auth(smtp.PlainAuth("", s.User, strings.TrimSpace(string(password)), host, false)); err != nil {
		e := failed(ctx, "the mail server doesn't take the password", err)
		e.refused = false // another password may do
		return e
	}
	return nil
}
