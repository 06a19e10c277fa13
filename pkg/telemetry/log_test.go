package telemetry_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/segmentio/kafka-go"
	"go.opentelemetry.io/otel/trace"
	"pgregory.net/rapid"

	"habeas.dev/pkg/telemetry"
)

// canary stands for personal data: no log may ever hold it.
const canary = "camille.o'brien@example.com"

func logged(t *testing.T, cfg telemetry.LogConfig, log func(*slog.Logger)) map[string]any {
	t.Helper()
	var b bytes.Buffer
	l, err := telemetry.NewLogger(&b, cfg)
	if err != nil {
		t.Fatal(err)
	}
	log(l)
	var line map[string]any
	if err := json.Unmarshal(b.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, b.String())
	}
	return line
}

// person is logged by mistake, in every way that slog has.
type person struct{ Email string }

func (p person) String() string { return p.Email }

type lazyPerson struct{ person }

func (p lazyPerson) LogValue() slog.Value {
	return slog.GroupValue(slog.String("email", p.Email), slog.String("system", "billing"))
}

func TestUnknownIsRedacted(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]slog.Value{
		"a text":               slog.StringValue(canary),
		"a number":             slog.Int64Value(33123456789),
		"an unsigned number":   slog.Uint64Value(33123456789),
		"a fraction":           slog.Float64Value(48.85),
		"a time":               slog.TimeValue(time.Date(1970, 1, 2, 3, 4, 5, 0, time.UTC)),
		"texts":                slog.AnyValue([]string{canary}),
		"bytes":                slog.AnyValue([]byte(canary)),
		"a struct":             slog.AnyValue(person{canary}),
		"a pointer":            slog.AnyValue(&person{canary}),
		"a map":                slog.AnyValue(map[string]string{"email": canary}),
		"a lazy value":         slog.AnyValue(slog.StringValue(canary)),
		"raw JSON":             slog.AnyValue(json.RawMessage(`"` + canary + `"`)),
		"a text's own type":    slog.AnyValue(status(canary)),
		"a reader of a person": slog.AnyValue(strings.NewReader(canary)),
	} {
		line := logged(t, telemetry.LogConfig{}, func(l *slog.Logger) { l.Info("m", slog.Attr{Key: "whatever", Value: value}) })
		if line["whatever"] != telemetry.Redacted {
			t.Errorf("%s is let through: %v", name, line["whatever"])
		}
	}
}

type status string

func TestKnownIsWritten(t *testing.T) {
	t.Parallel()
	line := logged(t, telemetry.LogConfig{Keys: []string{"shelf"}}, func(l *slog.Logger) {
		l.Info("m", "system", "billing", "records", 12, "shelf", "top", "topics", []string{"a", "b"}, "at", time.Unix(0, 0).UTC(),
			"anything", true, "whenever", time.Second, "nothing", nil, "vouched", telemetry.Safe("by me"))
	})
	for key, want := range map[string]any{"system": "billing", "records": 12.0, "shelf": "top", "at": "1970-01-01T00:00:00Z",
		"anything": true, "whenever": float64(time.Second), "nothing": nil, "vouched": "by me"} {
		if got := line[key]; got != want {
			t.Errorf("%s: %v, want %v", key, got, want)
		}
	}
	if got := fmt.Sprint(line["topics"]); got != "[a b]" {
		t.Error(got)
	}
	// A known key lets a text through, and nothing whose text somebody else makes.
	line = logged(t, telemetry.LogConfig{}, func(l *slog.Logger) { l.Info("m", "system", person{canary}) })
	if line["system"] != telemetry.Redacted {
		t.Errorf("a struct is let through: %v", line["system"])
	}
}

func TestGroupsAreFilteredWithin(t *testing.T) {
	t.Parallel()
	line := logged(t, telemetry.LogConfig{}, func(l *slog.Logger) {
		l.With("name", canary, "system", "billing").WithGroup("request").With("email", canary).
			Info("m", slog.Group("subject", "email", canary, "status", "open"), "who", lazyPerson{person{canary}})
	})
	if text := fmt.Sprint(line); strings.Contains(text, canary) {
		t.Error(text)
	}
	request, _ := line["request"].(map[string]any)
	subject, _ := request["subject"].(map[string]any)
	who, _ := request["who"].(map[string]any)
	if line["system"] != "billing" || subject["status"] != "open" || who["system"] != "billing" {
		t.Errorf("what is known is gone as well: %v", line)
	}
}

// TestCanariesNeverPass logs a canary under any name but the known ones, at any
// depth, as text or within an error, in both formats.
func TestCanariesNeverPass(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, k := range telemetry.Keys() {
		known[k] = true
	}
	rapid.Check(t, func(t *rapid.T) {
		var b bytes.Buffer
		l, err := telemetry.NewLogger(&b, telemetry.LogConfig{Format: rapid.SampledFrom([]string{"json", "text"}).Draw(t, "format"), Level: slog.LevelDebug})
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(0, 3).Draw(t, "depth") {
			l = l.WithGroup(rapid.StringMatching(`[a-z]{1,8}`).Draw(t, "group"))
		}
		key := rapid.StringMatching(`[a-z_]{1,12}`).Filter(func(s string) bool { return !known[s] }).Draw(t, "key")
		value := rapid.SampledFrom([]any{canary, []string{canary}, errors.New(canary), fmt.Errorf("for %s: %w", canary, io.EOF), person{canary}, lazyPerson{person{canary}},
			errors.Join(errors.New(canary), context.Canceled), &fs.PathError{Op: "open", Path: "/home/" + canary, Err: syscall.ENOENT}}).Draw(t, "value")
		if rapid.Bool().Draw(t, "before") {
			l.With(key, value).Debug("m")
		} else {
			l.Debug("m", slog.Group("g", key, value), key, value)
		}
		if strings.Contains(b.String(), "camille") {
			t.Fatalf("%s", b.String())
		}
	})
}

type vouched struct{ public, private string }

func (v vouched) Error() string   { return v.public + v.private }
func (v vouched) Vouched() string { return v.public }

func TestDescribe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"nil":                {nil, ""},
		"somebody's words":   {errors.New(canary), "*errors.errorString"},
		"wrapped":            {fmt.Errorf("%s: %w", canary, context.DeadlineExceeded), "context deadline exceeded"},
		"wrapped twice":      {fmt.Errorf("a %w b %w", context.Canceled, io.EOF), "context canceled: EOF"},
		"joined":             {errors.Join(io.ErrUnexpectedEOF, errors.New(canary)), "unexpected EOF: *errors.errorString"},
		"vouched in part":    {fmt.Errorf("%s: %w", canary, vouched{"the vendor is down", canary}), "the vendor is down"},
		"vouched in full":    {telemetry.Vouch(errors.New("no broker at 127.0.0.1:9092")), "no broker at 127.0.0.1:9092"},
		"a file":             {&fs.PathError{Op: "open", Path: canary, Err: syscall.ENOSPC}, "open: no space left on device"},
		"a call":             {os.NewSyscallError("fsync", syscall.EIO), "fsync: input/output error"},
		"a connection":       {&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "dial tcp: connect: connection refused"},
		"a type of its own":  {&person2{canary}, "*telemetry_test.person2"},
		"not there":          {fs.ErrNotExist, "file does not exist"},
		"vouched, with more": {errors.Join(vouched{"first", ""}, vouched{"second", ""}), "first: second"},
	} {
		if got := telemetry.Describe(c.err); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if telemetry.Vouch(nil) != nil {
		t.Error("nothing is vouched for as something")
	}
	if !errors.Is(telemetry.Vouch(io.EOF), io.EOF) {
		t.Error("what is vouched for is hidden")
	}
}

// person2 is an error whose text is personal.
type person2 struct{ email string }

func (p *person2) Error() string { return p.email }

// TestDescribeEnds gives it a chain longer than anybody's, and one that splits.
func TestDescribeEnds(t *testing.T) {
	t.Parallel()
	deep := io.EOF
	for range 100 {
		deep = fmt.Errorf("x: %w", deep)
	}
	_ = telemetry.Describe(deep)
	var wide []error
	for i := range 100 {
		wide = append(wide, vouched{fmt.Sprint("e", i), ""})
	}
	if got := strings.Count(telemetry.Describe(errors.Join(wide...)), ": "); got > 8 {
		t.Error(got)
	}
}

func TestLogFormat(t *testing.T) {
	t.Parallel()
	if _, err := telemetry.NewLogger(io.Discard, telemetry.LogConfig{Format: "xml"}); err == nil {
		t.Error("XML is taken for a format")
	}
	var b bytes.Buffer
	l, err := telemetry.NewLogger(&b, telemetry.LogConfig{Format: "text", Level: slog.LevelWarn})
	if err != nil {
		t.Fatal(err)
	}
	l.Info("not this")
	l.Warn("but this", "system", "billing", "email", canary)
	if got := b.String(); strings.Contains(got, "not this") || !strings.Contains(got, `level=WARN msg="but this" system=billing email=[redacted]`) {
		t.Error(got)
	}
}

// TestTraceID: a line about a request has the request's trace, however it was named; no
// other line has one.
func TestTraceID(t *testing.T) {
	t.Parallel()
	const id = "9f0d6c0e-1b2c-4d3e-8f4a-5b6c7d8e9f00"
	want := strings.ReplaceAll(id, "-", "")
	sc, err := telemetry.SpanContext(id)
	if err != nil {
		t.Fatal(err)
	}
	in := trace.ContextWithSpanContext(t.Context(), sc)
	for name, log := range map[string]func(*slog.Logger){
		"an attribute": func(l *slog.Logger) { l.Info("m", "request_id", id) },
		"With":         func(l *slog.Logger) { l.With("request_id", id).Info("m") },
		"a context":    func(l *slog.Logger) { l.InfoContext(in, "m") },
		"said already": func(l *slog.Logger) { l.InfoContext(in, "m", "trace_id", want) },
	} {
		if got := logged(t, telemetry.LogConfig{}, log)["trace_id"]; got != want {
			t.Errorf("%s: %v, want %s", name, got, want)
		}
	}
	if line := logged(t, telemetry.LogConfig{}, func(l *slog.Logger) { l.Info("m", "request_id", "none") }); line["trace_id"] != nil {
		t.Error(line)
	}
}

// TestFold: what many requests meet in one outage is one line, and a count in the next;
// what differs in a word is another.
func TestFold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		l, err := telemetry.NewLogger(&b, telemetry.LogConfig{Fold: true})
		if err != nil {
			t.Fatal(err)
		}
		lines := func() []string { defer b.Reset(); return strings.Split(strings.TrimSpace(b.String()), "\n") }
		down := fmt.Errorf("x: %w", syscall.ECONNREFUSED)
		for n := range 500 {
			l.Warn("a message is tried again", "topic", "dsar.reports", "request_id", fmt.Sprintf("00000000-0000-4000-8000-%012d", n), "offset", n, "error", down)
		}
		if got := lines(); len(got) != 1 || strings.Contains(got[0], "repeated") {
			t.Errorf("%d lines: %v", len(got), got[0])
		}
		l.Warn("a message is tried again", "topic", "dsar.events", "error", down)
		l.Warn("a message is tried again", "topic", "dsar.reports", "error", syscall.EPIPE)
		l.Warn("another thing", "topic", "dsar.reports")
		l.Warn("another thing", "topic", "dsar.reports")
		if got := lines(); len(got) != 4 {
			t.Errorf("%d lines: %v", len(got), got)
		}
		time.Sleep(5 * time.Minute) //nolint:forbidigo // in a bubble of synctest
		l.Warn("a message is tried again", "topic", "dsar.reports", "error", down)
		if got := lines(); len(got) != 1 || !strings.Contains(got[0], `"repeated":499`) {
			t.Errorf("%v", got)
		}
		// A day of one a second is a few dozen lines.
		n := 0
		for range 24 * 60 * 60 {
			time.Sleep(time.Second) //nolint:forbidigo // in a bubble of synctest
			l.Warn("a message is tried again", "topic", "dsar.reports", "error", down)
			n += strings.Count(b.String(), "\n")
			b.Reset()
		}
		if n < 10 || n > 40 {
			t.Errorf("%d lines of a day", n)
		}
	})
}

// state is a text of a type of its own, as rights and outcomes are.
type state string

// TestNamedTexts: a known key lets a text through whatever its type is.
func TestNamedTexts(t *testing.T) {
	t.Parallel()
	if got := logged(t, telemetry.LogConfig{}, func(l *slog.Logger) { l.Info("m", "status", state("open"), "mood", state(canary)) }); got["status"] != "open" || got["mood"] != telemetry.Redacted {
		t.Error(got)
	}
}

// sqlError has a code that PostgreSQL's errors have, and a text with a value.
type sqlError struct{ code string }

func (e *sqlError) Error() string    { return canary }
func (e *sqlError) SQLState() string { return e.code }

// TestCodes: an error's code comes with its words, whatever else the error says.
func TestCodes(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"SQLSTATE 57P03 the server can't be connected to now": &sqlError{"57P03"},
		"SQLSTATE 08006 connection exception":                 &sqlError{"08006"},
		"SQLSTATE 99999":                                      &sqlError{"99999"},
		"SQLSTATE":                                            &sqlError{canary},
		"Kafka [15] Group Coordinator Not Available":          kafka.GroupCoordinatorNotAvailable,
		"no such host":                                        &net.DNSError{Err: canary, Name: canary, IsNotFound: true},
		"Get: EOF":                                            &url.Error{Op: "Get", URL: canary, Err: io.EOF},
		"the certificate's authority isn't known":             x509.UnknownAuthorityError{},
		"the text of a program":                               telemetry.Constant("the text of a program"),
	} {
		if got := telemetry.Describe(fmt.Errorf("%s: %w", canary, err)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := telemetry.Cause(telemetry.Vouch(fmt.Errorf("10.0.0.1:9092: %w", io.EOF))); got != "EOF" {
		t.Errorf("%q shows an address", got)
	}
}
