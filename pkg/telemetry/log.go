package telemetry

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"reflect"

	"go.opentelemetry.io/otel/trace"
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
	// Fold writes a line that says what one said shortly before only as a count in a
	// later one (see fold.go). The zero value writes every line.
	Fold bool
}

// NewLogger returns a logger whose attributes hold no personal data. A value is
// written only where
//
//   - its key is one of [Keys] or of the configuration, and it is a string (of
//     whatever type), a number, a bool, a time or a duration;
//   - or it is a bool or a duration, whatever its key;
//   - or it is a [Safe], whose author vouches for it;
//   - or it is an error, of which [Describe] tells what can be told.
//
// Everything else is written as [Redacted]: a key that nobody has thought about
// is not let through (TestUnknownIsRedacted). Messages are written as they are:
// they MUST be constants, which the linter sloglint holds. A line about a request, by
// its request_id or its context, has the trace_id of that request.
func NewLogger(w io.Writer, cfg LogConfig) (*slog.Logger, error) {
	keys := make(map[string]struct{}, len(known)+len(cfg.Keys))
	for _, k := range known {
		keys[k] = struct{}{}
	}
	for _, k := range cfg.Keys {
		keys[k] = struct{}{}
	}
	f := filter{keys: keys}
	var folded *fold
	if cfg.Fold {
		folded = newFold()
	}
	f.fold = folded
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
	"outcome", "status", "kind", "type", "code", "reason", "check", "setting", "want", "has", "cure", "letter", "dataset", "columns", "object", "manifest", "version", "event_type", "event_id",
	// where
	"component", "service", "topic", "topics", "group", "partition", "partitions", "offset", "generation", "broker", "brokers", "addr",
	"listen", "port", "method", "issuer", "route", "http_status", "dir", "driver", "dialect", "source", "stack", "signal",
	"vendor", "migration", "pid", "go_version", "commit", "log_format", "level",
	// how much, how long, when
	"n", "count", "total", "records", "requests", "tasks", "messages", "events", "facts", "rows", "bytes", "size", "entries", "keys", "from", "to", "start", "end", "batch", "lag", "depth",
	"after", "repeated", "limit", "max", "min", "in_flight", "pending", "dropped", "restored", "took", "elapsed", "wait", "delay", "timeout", "until", "since", "at", "due_at",
	"deadline", "lease", "interval", "seed", "workers", "concurrency", "tries", "ok",
}

// filter is a handler that replaces every value that isn't known to be safe by
// [Redacted].
type filter struct {
	next  slog.Handler
	keys  map[string]struct{}
	fold  *fold
	bound []slog.Attr // those of With, for what a line is about
}

func (f filter) Enabled(ctx context.Context, l slog.Level) bool { return f.next.Enabled(ctx, l) }

func (f filter) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	about := about{message: r.Message}
	for _, a := range f.bound {
		about.add(a)
	}
	r.Attrs(func(a slog.Attr) bool {
		a = f.attr(a)
		about.add(a)
		clean.AddAttrs(a)
		return true
	})
	if f.fold != nil {
		repeated, write := f.fold.take(r.Time, &about)
		if !write {
			return nil
		}
		if repeated > 0 {
			clean.AddAttrs(slog.Int("repeated", repeated))
		}
	}
	if id := about.trace(ctx); id != "" {
		clean.AddAttrs(slog.String("trace_id", id))
	}
	return f.next.Handle(ctx, clean)
}

func (f filter) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = f.attr(a)
	}
	f.next, f.bound = f.next.WithAttrs(clean), append(f.bound[:len(f.bound):len(f.bound)], clean...)
	return f
}

func (f filter) WithGroup(name string) slog.Handler {
	f.next = f.next.WithGroup(name)
	return f
}

// about is what a line is about, as its attributes say.
type about struct {
	message   string
	requestID string
	traced    bool // it names its trace itself
	failure   bool // it tells of an error, or of a code of one
	said      string
}

func (b *about) add(a slog.Attr) {
	switch a.Key {
	case "request_id":
		b.requestID = a.Value.String()
		return
	case "trace_id":
		b.traced = true
		return
	case "span_id", "event_id", "object":
		return
	case "error", "code":
		b.failure = b.failure || a.Value.String() != ""
	}
	if a.Value.Kind() == slog.KindString {
		b.said += "\x00" + a.Key + "\x00" + a.Value.String()
	}
}

// trace returns the id of the trace that a line belongs to, empty where there is none.
func (b *about) trace(ctx context.Context) string {
	if b.traced {
		return ""
	}
	if b.requestID != "" {
		if sc, err := SpanContext(b.requestID); err == nil {
			return sc.TraceID().String()
		}
	}
	if sc := trace.SpanContextFromContext(ctx); sc.HasTraceID() {
		return sc.TraceID().String()
	}
	return ""
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
		default:
			if text := reflect.ValueOf(v); allowed && text.Kind() == reflect.String {
				return slog.String(a.Key, text.String())
			}
		}
	}
	return slog.String(a.Key, Redacted)
}
