// Package aggregator assembles the answer to a request, as a worker of the SDK
// ([NewWorker]) does its system's tasks: it opens what the
// workers gathered, writes the bundle, encrypts it to the request's own key and
// leaves it in the outbox.
//
// It holds no state: a task that comes twice writes the same bundle again in the
// first one's place (TestHandleTwice), and a process that dies leaves the old
// bundle or none, never half of one (TestBrokenOff).
package aggregator

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"gocloud.dev/blob"
	"golang.org/x/mod/sumdb/note"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
	"habeas.dev/services/internal/words"
)

// Group is the aggregator's consumer group.
const Group = "habeas.aggregator"

// Config is what an aggregator works with.
type Config struct {
	// Outbox takes the bundles, as <request id>.zip.age. Its writes MUST be
	// atomic, as those of every gocloud.dev/blob driver are. With fileblob, set
	// NoTempDir, so that a half-written file is on the same disk.
	Outbox *blob.Bucket
	// Manifests are those of every system that a request can reach.
	Manifests []*manifest.Manifest
	// Policy says what the answer must tell by law, in the answer's language;
	// nil: only what is true everywhere. [FromBook] makes one.
	Policy Policy
	// Language picks the language of an answer, by the law and the subject's locale; nil:
	// the locale's, of those that are built in.
	Language func(jurisdiction, locale string) *words.Language
	// Letter words what opens the answer; nil: nothing does.
	Letter func(d *statement.Document) (*bundle.Letter, error)
	// Portal is the address at which people ask for what is wrong to be corrected; empty:
	// there is none.
	Portal string
	// Software names the program in bag-info.txt; may be empty.
	Software string
	// Signer signs the bundles; nil: nobody does.
	Signer note.Signer
	// Refused is called for each object that the outbox doesn't take; nil: nobody is told.
	Refused func()
	Now     func() time.Time
}

// Policy gives who answers a request that was received at that time, and what they say
// by its law now.
type Policy func(jurisdiction string, lang *words.Language, right dsar.Right, received, now time.Time) statement.Controller

// Aggregator assembles answers. It can be used by many goroutines at once.
type Aggregator struct {
	cfg       Config
	manifests map[string]*manifest.Manifest
	bundles   bundle.Writer
	opening   sync.Mutex // held while a bundle's file is made
	described sync.Map   // statement.System by description: systems, languages and laws are few
}

// refused says that the outbox took nothing.
func (a *Aggregator) refused(err error) {
	if out := (*outboxError)(nil); a.cfg.Refused != nil && errors.As(err, &out) {
		a.cfg.Refused()
	}
}

// New returns an aggregator; the configuration's fields MUST be set, but for
// those that say otherwise.
func New(cfg Config) (*Aggregator, error) {
	switch {
	case cfg.Outbox == nil:
		return nil, errors.New("aggregator: no outbox")
	case cfg.Now == nil:
		return nil, errors.New("aggregator: no clock")
	}
	a := &Aggregator{cfg: cfg, manifests: make(map[string]*manifest.Manifest, len(cfg.Manifests))}
	if a.cfg.Policy == nil {
		a.cfg.Policy = func(string, *words.Language, dsar.Right, time.Time, time.Time) statement.Controller {
			return statement.Controller{}
		}
	}
	if a.cfg.Language == nil {
		a.cfg.Language = func(_, locale string) *words.Language { return words.For(locale) }
	}
	for _, m := range cfg.Manifests {
		a.manifests[m.System] = m
	}
	return a, nil
}

// atOnce is how many bundles are written at the same time. It bounds the memory
// (a few MiB each at most, see services/internal/bundle) and is enough to keep the processors
// busy while others wait for the disk or the broker.
const atOnce = 32

// NewWorker returns the worker that serves an aggregator's tasks.
func NewWorker(a *Aggregator, opts ...worker.Option) (*worker.Worker, error) {
	m := &manifest.Manifest{System: dsar.Aggregator, Abilities: []dsar.Action{dsar.Assemble}}
	opts = append([]worker.Option{worker.WithClock(a.cfg.Now), worker.WithConcurrency(atOnce), worker.WithTimeout(assembleTime)}, opts...)
	return worker.New(m, a, opts...)
}

// Assemble implements worker.Assembler.
func (a *Aggregator) Assemble(ctx context.Context, jobs []*worker.AssembleJob) error {
	return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.AssembleJob) error {
		var t core.AssembleTask
		// The decoder's text may quote the data.
		if json.Unmarshal(j.Data, &t) != nil || t.Answer == nil {
			return worker.Permanent("no-answer", "the task has no answer that could be assembled", nil)
		}
		write := func() (dsar.Object, error) { return a.assemble(ctx, t, j) }
		if t.Answer.Again != nil {
			write = func() (dsar.Object, error) { return a.addendum(ctx, t, j) }
		}
		object, err := write()
		if err != nil {
			return fault(t, err)
		}
		j.Object = object
		return nil
	})
}
