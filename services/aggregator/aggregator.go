// Package aggregator assembles the answer to a request: it opens what the
// workers gathered, writes the bundle, encrypts it to the request's own key and
// leaves it in the outbox.
//
// It holds no state: a task that comes twice writes the same bundle again in the
// first one's place (TestHandleTwice), and a process that dies leaves the old
// bundle or none, never half of one (TestBrokenOff).
package aggregator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"gocloud.dev/blob"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/core"
)

// Group is the aggregator's consumer group.
const Group = "habeas.aggregator"

// Config is what an aggregator works with.
type Config struct {
	Vault *vault.Vault
	// Outbox takes the bundles, as <request id>.zip.age. Its writes MUST be
	// atomic, as those of every gocloud.dev/blob driver are. With fileblob, set
	// NoTempDir, so that a half-written file is on the same disk.
	Outbox *blob.Bucket
	// Manifests are those of every system that a request can reach.
	Manifests []*manifest.Manifest
	// Policy says what the answer must tell by law, in the answer's language;
	// nil: only what is true everywhere. [FromBook] makes one.
	Policy Policy
	// Letter words what opens the answer; nil: nothing does.
	Letter func(t core.AssembleTask) (*bundle.Letter, error)
	// Software names the program in bag-info.txt; may be empty.
	Software string
	// Tracers makes a span of each task; nil: none.
	Tracers trace.TracerProvider
	Now     func() time.Time
	Log     *slog.Logger // nil: none
}

// Policy gives what the law makes of an answer.
type Policy func(jurisdiction, locale string, right dsar.Right) bundle.Policy

// Aggregator assembles answers. It can be used by many goroutines at once.
type Aggregator struct {
	cfg       Config
	manifests map[string]*manifest.Manifest
	bundles   bundle.Writer
	tracer    trace.Tracer
	opening   sync.Mutex // held while a bundle's file is made
	log       *slog.Logger
}

// New returns an aggregator; the configuration's fields MUST be set, but for
// those that say otherwise.
func New(cfg Config) (*Aggregator, error) {
	switch {
	case cfg.Vault == nil:
		return nil, errors.New("aggregator: no vault")
	case cfg.Outbox == nil:
		return nil, errors.New("aggregator: no outbox")
	case cfg.Now == nil:
		return nil, errors.New("aggregator: no clock")
	}
	a := &Aggregator{cfg: cfg, manifests: make(map[string]*manifest.Manifest, len(cfg.Manifests)), log: cfg.Log}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.cfg.Policy == nil {
		a.cfg.Policy = func(string, string, dsar.Right) bundle.Policy { return bundle.Policy{} }
	}
	if a.cfg.Tracers == nil {
		a.cfg.Tracers = noop.NewTracerProvider()
	}
	a.tracer = a.cfg.Tracers.Tracer("habeas.dev/services/aggregator")
	for _, m := range cfg.Manifests {
		a.manifests[m.System] = m
	}
	return a, nil
}

// ErrNotATask says that an event is no task for the aggregator. Coming again
// won't change that.
var ErrNotATask = errors.New("aggregator: the event is no task of the aggregator's")

// Handle does one task, and returns the report of it. The errors are
// [ErrNotATask], which nothing can mend, and that ctx is over; whatever else
// goes wrong is in the report: failed where a person must look at it, parked
// where the vault or the outbox could not be reached.
func (a *Aggregator) Handle(ctx context.Context, e event.Event) (event.Event, error) {
	t, err := decode(e)
	if err != nil {
		return event.Event{}, err
	}
	ctx, span := a.begin(ctx, t, e)
	defer span.End()
	r := dsar.Report{RequestID: t.RequestID, System: dsar.Aggregator, Action: dsar.Assemble, Attempt: t.Attempt}
	object, err := a.assemble(ctx, t, e.Time)
	if err != nil {
		if ctx.Err() != nil {
			// Nobody can tell whether the error is the stop's.
			return event.Event{}, fmt.Errorf("aggregator: %w", context.Cause(ctx))
		}
		a.fault(&r, t, err)
	} else {
		r.Kind, r.Outcome, r.Objects = dsar.ReportEnded, dsar.Assembled, []dsar.Object{object}
	}
	a.tell(ctx, r)
	outcome(span, r)
	data, err := json.Marshal(r)
	if err != nil {
		return event.Event{}, fmt.Errorf("aggregator: %w", err) // plain data: can't be
	}
	return event.Event{
		ID: event.ReportID(r.RequestID, r.System, r.Action, r.Attempt, r.Kind, 0), Source: source, Type: event.TypeReport,
		Subject: r.RequestID, Time: a.cfg.Now().UTC(), TraceParent: cmp.Or(telemetry.TraceParent(span.SpanContext()), e.TraceParent), Data: data,
	}, nil
}

// source is the CloudEvents source of what the aggregator sends.
const source = "habeas/aggregator"

// decode reads a task. What it refuses is quoted nowhere.
func decode(e event.Event) (core.AssembleTask, error) {
	var t core.AssembleTask
	if e.Type != event.TypeTask {
		return t, fmt.Errorf("%w: its type is another", ErrNotATask)
	}
	if json.Unmarshal(e.Data, &t) != nil {
		return t, fmt.Errorf("%w: its data is not a task", ErrNotATask)
	}
	switch {
	case t.System != dsar.Aggregator || t.Action != dsar.Assemble:
		return t, fmt.Errorf("%w: it is for another system or action", ErrNotATask)
	case t.Answer == nil:
		return t, fmt.Errorf("%w: it has no answer to assemble", ErrNotATask)
	case t.RequestID == "" || e.Subject != t.RequestID:
		return t, fmt.Errorf("%w: its subject is not its request", ErrNotATask)
	}
	return t, nil
}

// tell logs what became of a task; the caller's report holds no personal data.
func (a *Aggregator) tell(ctx context.Context, r dsar.Report) {
	level := slog.LevelDebug
	switch r.Kind {
	case dsar.ReportParked:
		level = slog.LevelInfo
	case dsar.ReportFailed:
		level = slog.LevelWarn
	default:
	}
	if !a.log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{slog.String("request_id", r.RequestID), slog.Int("attempt", r.Attempt), slog.String("outcome", string(r.Kind))}
	for _, o := range r.Objects {
		attrs = append(attrs, slog.Int64("bytes", o.Bytes), slog.Int64("records", o.Records))
	}
	if r.Code != "" {
		attrs = append(attrs, slog.String("code", r.Code), slog.String("reason", r.Reason))
	}
	a.log.LogAttrs(ctx, level, "task of a bundle", attrs...)
}
