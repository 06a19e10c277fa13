package mail_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"habeas.dev/services/internal/mail"
)

const address = "kanarienvogel@example.com"

// server answers each verb by its line, and everything else with 250. An empty
// line hangs up.
type server struct {
	greeting string
	ehlo     []string // what it can do
	says     map[string]string
	tls      *tls.Config
}

func (s server) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	say := func(line string) { _, _ = fmt.Fprintf(c, "%s\r\n", line) }
	if say(s.greeting); s.greeting[0] != '2' {
		return
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(line)), " ")
		answer, ok := s.says[verb]
		switch {
		case verb == "EHLO":
			say("250-mail.example.com")
			for _, extension := range s.ehlo {
				say("250-" + extension)
			}
			say("250 HELP")
		case verb == "STARTTLS" && s.tls != nil:
			say("220 go on")
			over := tls.Server(c, s.tls)
			c, in = over, bufio.NewReader(over)
		case ok && answer == "":
			return
		case ok:
			say(answer)
		case verb == "DATA":
			say("354 go on")
			for line := ""; line != ".\r\n" && err == nil; {
				line, err = in.ReadString('\n')
			}
			say("250 ok")
		default:
			say("250 ok")
		}
	}
}

func (s server) start(t *testing.T) mail.Server {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if s.greeting == "" {
		s.greeting = "220 mail.example.com"
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return mail.Server{Address: l.Addr().String(), From: "Example Cloud <privacy@example.com>", Plain: true}
}

func message() mail.Message {
	return mail.Message{To: []string{address}, ID: "one", Subject: "s", Text: "t", Language: "en", Date: time.Now()}
}

// TestNoErrorHoldsTheAddress: whatever a server says, and wherever, errors tell
// its codes and their cause, and neither they nor what they wrap holds its words.
func TestNoErrorHoldsTheAddress(t *testing.T) {
	t.Parallel()
	unverified := httptest.NewUnstartedServer(nil)
	unverified.StartTLS()
	t.Cleanup(unverified.Close)
	password := t.TempDir() + "/password"
	if err := os.WriteFile(password, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	words := " " + address + " secret"
	for name, c := range map[string]struct {
		server
		change  func(*mail.Server)
		code    int
		status  string
		refused bool
		cause   error // that the error wraps
		text    string
	}{
		"greeted with a refusal":   {server: server{greeting: "554 5.7.1" + words}, code: 554, status: "5.7.1", refused: true},
		"greeted with a delay":     {server: server{greeting: "421" + words}, code: 421},
		"the sender is refused":    {server: server{says: map[string]string{"MAIL": "550" + words}}, code: 550, refused: true},
		"the person is unknown":    {server: server{ehlo: []string{"ENHANCEDSTATUSCODES"}, says: map[string]string{"RCPT": "550 5.1.1" + words}}, code: 550, status: "5.1.1", refused: true},
		"the person's box is full": {server: server{ehlo: []string{"ENHANCEDSTATUSCODES"}, says: map[string]string{"RCPT": "452 4.2.2" + words}}, code: 452, status: "4.2.2"},
		"the letter is refused":    {server: server{says: map[string]string{"DATA": "554" + words}}, code: 554, refused: true},
		"it hangs up":              {server: server{says: map[string]string{"RCPT": ""}}, text: "doesn't take the letter: "},
		"the password is wrong":    {server: server{ehlo: []string{"AUTH PLAIN"}, says: map[string]string{"AUTH": "535 5.7.8" + words}}, change: func(s *mail.Server) { s.User, s.PasswordFile = "u", password }, code: 535, status: "5.7.8", text: "password"},
		"no password":              {change: func(s *mail.Server) { s.User, s.PasswordFile = "u", "nowhere" }, cause: syscall.ENOENT, text: "password"},
		"nobody listens":           {change: func(s *mail.Server) { s.Address = "127.0.0.1:1" }, cause: syscall.ECONNREFUSED, text: "can't be reached"},
		"nobody of that name":      {change: func(s *mail.Server) { s.Address = "nowhere.invalid:25" }, text: "its name isn't known"},
		"no TLS":                   {change: func(s *mail.Server) { s.Plain = false }, text: "TLS"},
		"a stranger's certificate": {server: server{ehlo: []string{"STARTTLS"}, tls: unverified.TLS}, text: "its certificate isn't good"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := c.start(t)
			if c.change != nil {
				c.change(&s)
			}
			err := s.Send(t.Context(), message())
			var e *mail.Error
			if !errors.As(err, &e) || e.Code != c.code || e.Status != c.status || errors.Is(err, mail.ErrRefused) != c.refused || c.cause != nil && !errors.Is(err, c.cause) || !strings.Contains(err.Error(), c.text) {
				t.Fatalf("%#v: %v", err, err)
			}
			for told := range chain(err) {
				for _, words := range []string{"kanarienvogel", "secret"} {
					if strings.Contains(told, words) {
						t.Errorf("%q is told: %s", words, told)
					}
				}
			}
		})
	}
}

// chain returns the texts of an error and all that it wraps.
func chain(err error) func(func(string) bool) {
	return func(yield func(string) bool) {
		if err == nil || !yield(fmt.Sprintf("%v %+v %#v", err, err, err)) {
			return
		}
		switch e := err.(type) { //nolint:errorlint // each of them is looked at
		case interface{ Unwrap() error }:
			chain(e.Unwrap())(yield)
		case interface{ Unwrap() []error }:
			for _, one := range e.Unwrap() {
				chain(one)(yield)
			}
		}
	}
}

// TestAnEndedContextEndsAMail: a server that says nothing holds nobody up.
func TestAnEndedContextEndsAMail(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		cancel()
		_, _ = io.Copy(io.Discard, c)
		_ = c.Close()
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	s := mail.Server{Address: l.Addr().String(), From: "privacy@example.com", Plain: true}
	if err := s.Send(ctx, message()); !errors.Is(err, context.Canceled) || errors.Is(err, mail.ErrRefused) {
		t.Errorf("%v", err)
	}
}

// TestNoAddress: what isn't an address is refused, and not told.
func TestNoAddress(t *testing.T) {
	t.Parallel()
	m := message()
	m.To = []string{"kanarienvogel at example.com"}
	if err := (server{}).start(t).Send(t.Context(), m); !errors.Is(err, mail.ErrRefused) || strings.Contains(err.Error(), "kanarienvogel") {
		t.Errorf("%v", err)
	}
}
