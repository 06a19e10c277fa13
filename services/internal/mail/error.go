package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"regexp"
	"syscall"

	gomail "github.com/wneessen/go-mail"

	"habeas.dev/pkg/telemetry"
)

// ErrRefused says that the server will never take a mail.
var ErrRefused = telemetry.Constant("the mail server refuses the letter for good")

// Error says what failed, and why, by codes alone: what a server says, and the
// text of the library's errors, may quote the address (TestNoErrorHoldsTheAddress).
type Error struct {
	// Step is what failed, in words of our own.
	Step string
	// Code is the server's reply (550), and Status its enhanced status (5.1.1,
	// RFC 3463); zero and empty where the server said none.
	Code   int
	Status string

	refused bool
	cause   error // one of those that hold no text of the server's, or nil
}

// Error implements error.
func (e *Error) Error() string {
	switch {
	case e.Code != 0 && e.Status != "":
		return fmt.Sprintf("%s (%d %s)", e.Step, e.Code, e.Status)
	case e.Code != 0:
		return fmt.Sprintf("%s (%d)", e.Step, e.Code)
	case e.cause != nil:
		return e.Step + ": " + e.cause.Error()
	default:
		return e.Step
	}
}

// Unwrap returns what a caller decides on: [ErrRefused], a context's error, an
// operating system's.
func (e *Error) Unwrap() []error {
	var all []error
	if e.refused {
		all = append(all, ErrRefused)
	}
	if e.cause != nil {
		all = append(all, e.cause)
	}
	return all
}

// The causes that have no value of their own elsewhere.
var (
	errNoName      = telemetry.Constant("its name isn't known")
	errCertificate = telemetry.Constant("its certificate isn't good")
	errHungUp      = telemetry.Constant("it hung up")
)

// failed returns the error of a step, with the code or the cause of err, and
// nothing of its text.
func failed(ctx context.Context, step string, err error) *Error {
	e := &Error{Step: step}
	var reply *textproto.Error
	var sent *gomail.SendError
	switch {
	case errors.As(err, &sent) && sent.ErrorCode() != 0:
		e.Code, e.Status = sent.ErrorCode(), status(sent.EnhancedStatusCode())
	case errors.As(err, &reply):
		e.Code, e.Status = reply.Code, status(reply.Msg)
	case sent != nil && ctx.Err() == nil:
		e.cause = errors.New(sent.Reason.String()) // a text of the library's own; it tells no more
	default:
		e.cause = cause(ctx, err)
	}
	e.refused = e.Code >= 500
	return e
}

// enhanced is an enhanced status code at the beginning of a reply.
var enhanced = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)

func status(reply string) string { return enhanced.FindString(reply) }

// cause returns that within err whose text is known to be nobody's words.
func cause(ctx context.Context, err error) error {
	var errno syscall.Errno
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &certificate):
		return errCertificate
	case errors.As(err, &name):
		return errNoName
	case errors.Is(err, os.ErrDeadlineExceeded):
		return os.ErrDeadlineExceeded
	case errors.Is(err, io.EOF):
		return errHungUp
	case errors.As(err, &errno):
		return errno
	default:
		return nil
	}
}
