package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
)

// Redacted stands where a value was not let through.
const Redacted = "[redacted]"

// LogConfig configures a logger.
type LogConfig struct {
	// Format is "json" (the default) or "text".
	Format string
	// Level is the lowest level that is written; the zero value is info.
	Level slog.Level
	// Keys are attribute names that are let through beside those of [Keys]: the
	// caller vouches that what is logged under them is never personal data.
	Keys []string
}

// NewLogger returns a logger whose attributes hold no personal data. A value is
// written only where
//
//   - its key is one of [Keys] or of the configuration, and it is a string, a
//     number, a bool, a time or a duration;
//   - or it is a bool or a duration, whatever its key;
//   - or it is a [Safe], whose author vouches for it;
//   - or it is an error, of which [Describe] tells what can be told.
//
// Everything else is written as [Redacted]: a key that nobody has thought about
// is not let through (TestUnknownIsRedacted). Messages are written as they are:
// they MUST be constants, which the linter sloglint holds.
func NewLogger(w io.Writer, cfg LogConfig) (*slog.Logger, error) {
	keys := make(map[string]struct{}, len(known)+len(cfg.Keys))
	for _, k := range known {
		keys[k] = struct{}{}
	}
	for _, k := range cfg.Keys {
		keys[k] = struct{}{}
	}
	f := filter{keys: keys}
	opts := &slog.HandlerOptions{Level: cfg.Level}
	switch cfg.Format {
	case "", "json":
		f.next = slog.NewJSONHandler(w, opts)
	case "text":
		f.next = slog.NewTextHandler(w, opts)
	default:
		return nil, errors.New(`telemetry: the log format is neither "json" nor "text"`)
	}
	return slog.New(f), nil
}

// Safe is a text whose author vouches that it holds no personal data. Log it
// with slog.Any.
type Safe string

// Keys returns the attribute names that are let through: names of things, places
// and counts. What a person could be known by is not among them.
func Keys() []string { return append([]string(nil), known[:]...) }

// known is an array, and never written to.
var known = [...]string{
	// what it is about
	"request_id", "trace_id", "span_id", "system", "systems", "action", "stage", "right", "jurisdiction", "attempt", "attempts",
	"outcome", "status", "kind", "type", "code", "reason", "dataset", "object", "manifest", "version", "event_type", "event_id",
	// where
	"component", "service", "topic", "topics", "group", "partition", "partitions", "offset", "generation", "broker", "brokers", "addr",
	"listen", "port", "method", "route", "http_status", "dir", "driver", "dialect", "source", "stack", "signal",
	"vendor", "migration", "pid", "go_version", "commit", "log_format", "level",
	// how much, how long, when
	"n", "count", "total", "records", "requests", "tasks", "messages", "events", "facts", "rows", "bytes", "size", "batch", "lag", "depth",
	"limit", "max", "min", "in_flight", "pending", "dropped", "restored", "took", "elapsed", "wait", "delay", "timeout", "until", "since", "at", "due_at",
	"deadline", "lease", "interval", "seed", "workers", "concurrency", "tries", "ok",
}

// filter is a handler that replaces every value that isn't known to be safe by
// [Redacted].
type filter struct {
	next slog.Handler
	keys map[string]struct{}
}

func (f filter) Enabled(ctx context.Context, l slog.Level) bool { return f.next.Enabled(ctx, l) }

func (f filter) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(f.attr(a))
		return true
	})
	return f.next.Handle(ctx, clean)
}

func (f filter) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = f.attr(a)
	}
	return filter{next: f.next.WithAttrs(clean), keys: f.keys}
}

func (f filter) WithGroup(name string) slog.Handler {
	return filter{next: f.next.WithGroup(name), keys: f.keys}
}

func (f filter) attr(a slog.Attr) slog.Attr {
	if a.Equal(slog.Attr{}) {
		return a
	}
	if a.Value.Kind() == slog.KindLogValuer {
		a.Value = a.Value.Resolve()
	}
	_, allowed := f.keys[a.Key]
	switch a.Value.Kind() {
	case slog.KindBool, slog.KindDuration:
		return a
	case slog.KindGroup:
		in := a.Value.Group()
		out := make([]slog.Attr, len(in))
		for i := range in {
			out[i] = f.attr(in[i])
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(out...)}
	case slog.KindString, slog.KindInt64, slog.KindUint64, slog.KindFloat64, slog.KindTime:
		if allowed {
			return a
		}
	case slog.KindAny:
		switch v := a.Value.Any().(type) {
		case Safe:
			return slog.String(a.Key, string(v))
		case error:
			return slog.String(a.Key, Describe(v))
		case []string:
			if allowed {
				return a
			}
		case nil:
			return a
		}
	}
	return slog.String(a.Key, Redacted)
}

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

// Describe returns what can be said of an error without personal data: the texts
// that somebody vouched for, the well-known errors, and of everything else the
// type.
func Describe(err error) string {
	var parts []string
	describe(err, &parts, 0)
	return strings.Join(parts, ": ")
}

// maxDescribed bounds how many errors of one chain are told.
const maxDescribed = 8

func describe(err error, parts *[]string, depth int) {
	if err == nil || depth >= maxDescribed || len(*parts) >= maxDescribed {
		return
	}
	// Only err itself: a vouched error further down comes up in its turn.
	switch e := err.(type) { //nolint:errorlint // see above
	case Vouched:
		*parts = append(*parts, e.Vouched())
		return
	case syscall.Errno:
		*parts = append(*parts, e.Error())
		return
	case *net.OpError:
		*parts = append(*parts, e.Op+" "+e.Net)
	case *fs.PathError:
		*parts = append(*parts, e.Op) // the path may name a person's file
	case *os.SyscallError:
		*parts = append(*parts, e.Syscall)
	default:
		if plain := wellKnown(err); plain != "" {
			*parts = append(*parts, plain)
			return
		}
		if !isWrapper(err) {
			*parts = append(*parts, fmt.Sprintf("%T", err))
		}
	}
	switch e := err.(type) { //nolint:errorlint // walks the chain itself
	case interface{ Unwrap() error }:
		describe(e.Unwrap(), parts, depth+1)
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			describe(one, parts, depth+1)
		}
	}
}

// isWrapper reports whether an error's type says nothing by itself: fmt.Errorf's
// with %w, errors.Join's.
func isWrapper(err error) bool {
	switch fmt.Sprintf("%T", err) {
	case "*fmt.wrapError", "*fmt.wrapErrors", "*errors.joinError":
		return true
	default:
		return false
	}
}

// wellKnown returns the text of an error that is the same for everybody.
func wellKnown(err error) string {
	for _, known := range [...]error{context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed,
		fs.ErrNotExist, fs.ErrPermission, fs.ErrExist, os.ErrDeadlineExceeded} {
		if err == known { //nolint:errorlint // err itself, not what it wraps
			return known.Error()
		}
	}
	return ""
}
