package worker

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
)

// Worker serves one system: its manifest and its implementation, ready to take
// tasks. It is safe for many goroutines as far as the implementation is.
type Worker struct {
	manifest *manifest.Manifest
	system   string
	source   string // of its events: habeas/worker/<system>
	needs    []dsar.IdentifierType
	finds    []dsar.IdentifierType
	lease    time.Duration
	datasets map[string]*dataset
	order    []*dataset             // as in the manifest
	can      [len(actions)]*ability // nil where not declared
	lifts    bool                   // what restrict does can be undone
	holds    bool                   // single records are kept by a hold, and not all or nothing
	notes    func() []Note

	log         *slog.Logger
	now         func() time.Time
	pause       func(context.Context, time.Duration) error
	name        func() string
	timeout     time.Duration
	concurrency int // 0: the default of the method's form
	middleware  []Middleware
	configs     []func(*Config) // of Main
	tracing     *tracing
	metrics     *metrics
	meters      metric.MeterProvider

	life  sync.Mutex // guards what follows
	stop  context.CancelFunc
	done  chan struct{}
	over  bool
	watch func(context.Context) error // the subscription's watchdog; nil before it
}

// actions are those that a worker can be sent, in the order of ability's array.
var actions = [...]dsar.Action{dsar.Resolve, dsar.Gather, dsar.Plan, dsar.Erase, dsar.Prove, dsar.Rectify, dsar.Restrict, dsar.Assemble}

// dataset is what Records needs to know of a dataset.
type dataset struct {
	section  record.Section
	columns  map[string]string
	portable bool
	// others are the rules by which a person must look at the records.
	others []*manifest.Others
}

// New makes the worker of a system from its manifest and its implementation,
// any value with the interfaces of this package. It fails, naming what is
// missing, where the implementation lacks an ability that the manifest
// declares. An ability that the manifest doesn't declare is not used.
func New(m *manifest.Manifest, impl any, opts ...Option) (*Worker, error) {
	if m == nil || m.System == "" {
		return nil, errors.New("worker: the manifest names no system")
	}
	w := &Worker{
		manifest: m,
		system:   m.System,
		source:   "habeas/worker/" + m.System,
		needs:    m.Needs,
		finds:    m.Finds,
		lease:    m.Lease,
		datasets: datasetsOf(m),
		log:      slog.New(slog.DiscardHandler),
		now:      time.Now,
		pause:    Sleep,
		name:     randomName,
		timeout:  DefaultTimeout,
	}
	if w.lease <= 0 {
		w.lease = dsar.DefaultLease
	}
	for _, d := range m.Datasets {
		w.order = append(w.order, w.datasets[d.Name])
	}
	w.lifts = !m.RestrictsForGood
	w.holds = m.KeepsSingle()
	w.notes = func() []Note { return nil }
	if n, ok := impl.(Noter); ok {
		w.notes = n.Notes
	}
	if b, ok := impl.(Bounded); ok {
		w.timeout = b.CallTimeout()
	}
	for _, opt := range opts {
		opt(w)
	}
	for i, a := range actions {
		if !slices.Contains(m.Abilities, a.Ability()) {
			continue
		}
		call, ok := w.method(a, impl)
		if !ok {
			return nil, fmt.Errorf("worker: %s: the manifest declares the ability %s, which %T lacks: implement worker.%s",
				m.System, a.Ability(), impl, interfaceOf(a))
		}
		w.can[i] = &ability{call: w.wrap(call)}
		w.metrics.begin(a)
	}
	return w, nil
}

// Manifest returns the manifest that the worker was made with. It MUST NOT be changed.
func (w *Worker) Manifest() *manifest.Manifest { return w.manifest }

// System returns the system's name.
func (w *Worker) System() string { return w.system }

func datasetsOf(m *manifest.Manifest) map[string]*dataset {
	out := make(map[string]*dataset, len(m.Datasets))
	for i := range m.Datasets {
		d := newDataset(&m.Datasets[i])
		out[d.section.Dataset] = d
	}
	return out
}

func newDataset(d *manifest.Dataset) *dataset {
	out := &dataset{
		section:  record.Section{Dataset: d.Name, Columns: make([]string, len(d.Columns))},
		columns:  make(map[string]string, len(d.Columns)),
		portable: d.Portable(),
	}
	for i := range d.Others {
		if o := &d.Others[i]; o.NeedsPerson() {
			out.others = append(out.others, o)
		}
	}
	for i, c := range d.Columns {
		out.section.Columns[i] = c.Name
		out.columns[c.Name] = c.Concept
	}
	return out
}

// randomName returns the part of an object's name that keeps two deliveries of one
// attempt apart.
func randomName() string {
	var b [4]byte
	rand.Read(b[:]) // never fails (crypto/rand, since Go 1.24)
	return hex.EncodeToString(b[:])
}

func interfaceOf(a dsar.Action) string {
	return map[dsar.Action]string{
		dsar.Resolve: "Resolver", dsar.Gather: "Gatherer", dsar.Erase: "Eraser",
		dsar.Rectify: "Rectifier", dsar.Restrict: "Restricter", dsar.Assemble: "Assembler",
	}[a.Ability()]
}
