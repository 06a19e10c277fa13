package telemetry

import (
	"context"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"syscall"
)

// Vouched is an error that knows which part of its text holds no personal data. The
// errors of pkg/worker are such.
type Vouched interface {
	error
	Vouched() string
}

// Vouch marks an error's whole text as free of personal data, because it comes from
// where there is none: the network, the broker, the file system outside of the
// vault. It is nil where err is.
func Vouch(err error) error {
	if err == nil {
		return nil
	}
	return vouched{err}
}

type vouched struct{ error }

func (v vouched) Vouched() string { return v.Error() }
func (v vouched) Unwrap() error   { return v.error }

// constant is unexported, so that what [Constant] is given can only be a constant.
type constant string

// Constant returns an error of a text that is a constant of the program, which it MUST
// be for the compiler to take it: it holds no personal data, and logs say it.
func Constant(text constant) error { return &constantError{string(text)} }

type constantError struct{ text string }

func (e *constantError) Error() string   { return e.text }
func (e *constantError) Vouched() string { return e.text }

// Describe returns what can be said of an error without personal data: the texts
// that somebody vouched for, the well-known errors, the codes of PostgreSQL, SQLite,
// MariaDB and Kafka with their words, and of everything else the type.
func Describe(err error) string { return (&description{}).of(err) }

// Cause returns what Describe does, less what may name a machine or an address, for
// whoever may ask a process how it is.
func Cause(err error) string { return (&description{anyone: true}).of(err) }

const (
	// maxDescribed bounds how many errors of one chain are told.
	maxDescribed = 8
	// maxDepth bounds how deep a chain is walked.
	maxDepth = 32
)

type description struct {
	anyone bool // for anyone: no addresses
	parts  []string
}

func (d *description) of(err error) string {
	d.walk(err, 0)
	return strings.Join(d.parts, ": ")
}

// say adds a part, unless it was said: of two addresses that refuse a connection alike
// one is enough.
func (d *description) say(part string) {
	if part != "" && !slices.Contains(d.parts, part) {
		d.parts = append(d.parts, part)
	}
}

func (d *description) walk(err error, depth int) {
	if err == nil || depth >= maxDepth || len(d.parts) >= maxDescribed {
		return
	}
	part, whole := d.words(err)
	d.say(part)
	if whole {
		return
	}
	switch e := err.(type) { //nolint:errorlint // walks the chain itself
	case interface{ Unwrap() error }:
		d.walk(e.Unwrap(), depth+1)
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			d.walk(one, depth+1)
		}
	}
}

// words returns what is said of err itself, and whether that is all that there is to
// say: a vouched error further down comes up in its turn.
func (d *description) words(err error) (part string, whole bool) {
	switch e := err.(type) { //nolint:errorlint // only err itself
	case vouched:
		if d.anyone {
			return "", false
		}
		return e.Vouched(), true
	case Vouched:
		return e.Vouched(), true
	case interface{ Summary() string }:
		return e.Summary(), false
	case syscall.Errno:
		return e.Error(), true
	case *net.OpError:
		return e.Op + " " + e.Net, false
	case *net.DNSError:
		return dnsWords(e), true
	case *url.Error:
		return e.Op, false
	case *fs.PathError:
		return e.Op, false // the path may name a person's file
	case *os.SyscallError:
		return e.Syscall, false
	case x509.UnknownAuthorityError:
		return "the certificate's authority isn't known", true
	case x509.HostnameError:
		return "the certificate is for another name", true
	case x509.CertificateInvalidError:
		if e.Reason == x509.Expired {
			return "the certificate has expired, or isn't valid yet", true
		}
		return "the certificate isn't valid", true
	}
	if text := codeWords(err); text != "" {
		return text, true
	}
	if text := wellKnown(err); text != "" {
		return text, true
	}
	name := fmt.Sprintf("%T", err)
	if text, ok := typeWords[name]; ok {
		return text, false
	}
	return name, false
}

func dnsWords(e *net.DNSError) string {
	switch {
	case e.IsNotFound:
		return "no such host"
	case e.IsTimeout:
		return "the name server doesn't answer"
	default:
		return "the name can't be looked up"
	}
}

// typeWords has what is said in place of an error's type; nothing where the type says
// nothing by itself, as fmt.Errorf's with %w.
var typeWords = map[string]string{
	"*fmt.wrapError":                    "",
	"*fmt.wrapErrors":                   "",
	"*errors.joinError":                 "",
	"*fmt.fmtError":                     "",
	"*pgconn.ConnectError":              "connecting to PostgreSQL",
	"*pgconn.perDialConnectError":       "",
	"*pgconn.connLockError":             "",
	"*pgconn.errTimeout":                "",
	"*pgconn.ParseConfigError":          "the database's address can't be read",
	"*poll.DeadlineExceededError":       "i/o timeout",
	"*tls.CertificateVerificationError": "",
	"*tls.permanentError":               "",
	"tls.alert":                         "TLS alert",
	"tls.AlertError":                    "TLS alert",
	"tls.RecordHeaderError":             "the other end doesn't speak TLS",
	"*http.httpError":                   "timeout of an HTTP call",
	"*http.timeoutError":                "timeout of an HTTP call",
	"*json.SyntaxError":                 "not JSON",
	"*json.UnmarshalTypeError":          "JSON of another form",
	"*strconv.NumError":                 "not a number",
	"*time.ParseError":                  "not a time",
	"*backoff.PermanentError":           "",
	"*exec.ExitError":                   "the program failed",
	"kafka.MessageTooLargeError":        "the message is larger than Kafka takes",
	"*kafka.TransportError":             "",
	"kafka.WriteErrors":                 "some messages weren't written",
	"*mail.ParseError":                  "not a mail address",
}

// codeWords returns the code that a database or a broker has answered with, and what it
// means; empty for another error. The texts that come with it may hold values.
func codeWords(err error) string {
	if e, ok := err.(interface{ SQLState() string }); ok {
		return sqlStateWords(e.SQLState())
	}
	t := reflect.TypeOf(err)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.PkgPath() {
	case "github.com/segmentio/kafka-go":
		if e, ok := err.(interface{ Title() string }); ok && t.Kind() == reflect.Int {
			return fmt.Sprintf("Kafka [%d] %s", reflect.ValueOf(err).Int(), e.Title())
		}
	case "modernc.org/sqlite":
		if e, ok := err.(interface{ Code() int }); ok {
			return strings.TrimSpace(fmt.Sprintf("SQLite %d %s", e.Code(), sqliteWords[e.Code()&0xff]))
		}
	case "github.com/go-sql-driver/mysql":
		if v := reflect.Indirect(reflect.ValueOf(err)); v.Kind() == reflect.Struct {
			if n := v.FieldByName("Number"); n.IsValid() && n.CanUint() {
				return fmt.Sprintf("MariaDB %d", n.Uint())
			}
		}
	}
	return ""
}

// sqliteWords are those of SQLite's primary result codes that an operator meets
// (sqlite.org/rescode.html).
var sqliteWords = map[int]string{
	5: "busy", 6: "locked", 7: "out of memory", 8: "read-only", 9: "interrupted", 10: "disk I/O error", 11: "malformed file",
	13: "disk full", 14: "can't open the file", 19: "constraint", 23: "not authorised", 26: "not a database",
}

// sqlStateWords returns an SQLSTATE with the name of its class (PostgreSQL's appendix A),
// or of the condition where it is one that an operator meets.
func sqlStateWords(code string) string {
	if len(code) != 5 || strings.IndexFunc(code, func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') }) >= 0 {
		return "SQLSTATE"
	}
	words, ok := sqlConditions[code]
	if !ok {
		words = sqlClasses[code[:2]]
	}
	return strings.TrimSpace("SQLSTATE " + code + " " + words)
}

var sqlConditions = map[string]string{
	"23502": "not null violation", "23503": "foreign key violation", "23505": "unique violation", "23514": "check violation",
	"25006": "read-only transaction", "28P01": "wrong password", "28000": "may not sign in", "3D000": "no such database", "40001": "serialization failure",
	"40P01": "deadlock", "42501": "not permitted", "42703": "no such column", "42P01": "no such table", "53100": "disk full", "53200": "out of memory",
	"53300": "too many connections", "55P03": "lock not available", "57014": "query cancelled", "57P01": "the server shuts down", "57P02": "the server crashed",
	"57P03": "the server can't be connected to now",
}

var sqlClasses = map[string]string{
	"08": "connection exception", "0A": "not supported", "22": "data exception", "23": "constraint violation", "25": "invalid transaction state",
	"28": "may not sign in", "40": "transaction rollback", "42": "syntax or access", "53": "insufficient resources", "54": "limit exceeded",
	"55": "not in the needed state", "57": "operator intervention", "58": "system error", "P0": "raised by a function", "XX": "internal error",
}

// wellKnown returns the text of an error that is the same for everybody.
func wellKnown(err error) string {
	for _, known := range [...]error{context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed,
		fs.ErrNotExist, fs.ErrPermission, fs.ErrExist, os.ErrDeadlineExceeded, sql.ErrConnDone, sql.ErrTxDone, sql.ErrNoRows, driver.ErrBadConn,
		http.ErrServerClosed, http.ErrHandlerTimeout, errors.ErrUnsupported} {
		if err == known { //nolint:errorlint // err itself, not what it wraps
			return known.Error()
		}
	}
	return ""
}
