package intake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"gocloud.dev/blob"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/otlp"
	"habeas.dev/services/internal/policy"
)

// Requests applies commands to requests; lifecycle.Lifecycle does. Do MUST be
// idempotent for a Submit with the same digest, and fail with
// [core.ErrConflict] for another.
type Requests interface {
	Do(ctx context.Context, requestID string, c core.Command) (core.State, error)
	State(ctx context.Context, requestID string) (core.State, error)
}

// Rows tells where requests stand, and lists them; the journal does.
type Rows interface {
	Row(ctx context.Context, requestID string) (journal.Row, error)
	List(ctx context.Context, f journal.Filter) ([]journal.Row, error)
}

// Vault seals and fingerprints; vault.Sealer does, which opens nothing, and vault.Vault.
type Vault interface {
	CreateKeys(ctx context.Context, requestID string) (*vault.Keys, error)
	Keys(ctx context.Context, requestID string) (*vault.Keys, error)
	Shred(ctx context.Context, requestID string) error
	Fingerprint(typ dsar.IdentifierType, value string) string
	Digest(data []byte) string
}

// Publisher sends an event, keyed by its subject, and returns when it is
// acknowledged; transport.Carrier does.
type Publisher interface {
	Send(ctx context.Context, topic string, e event.Event) error
}

// Config is what an intake is made of. Every field must be set, but for those
// that say otherwise.
type Config struct {
	Requests  Requests
	Rows      Rows
	Vault     Vault
	Policy    *policy.Book
	Validator *event.Validator
	// Catalogue is every system that a request must reach.
	Catalogue []dsar.System
	// Columns and Concepts are what a correction can name.
	Columns  []string
	Concepts []string
	// Purposes are those for which the systems' data is used.
	Purposes manifest.Purposes
	// Receivers are the recipients of the systems' data; the law says which of them are told
	// of what a request changes.
	Receivers []Receiver
	// Outbox is where answers lie, sealed; nil: nobody may fetch any here.
	Outbox *blob.Bucket
	// Notices takes recipients' answers at the HTTP door; nil: nobody does.
	Notices http.Handler
	// Lease is how long the answer's assembly may go unheard of before its task
	// is sent again; 0: [dsar.DefaultLease].
	Lease time.Duration
	// ProveAgain is how long after the answer to an erasure its systems are asked again
	// whether anything has come back; 0: not by itself. EraseAgain has what has erased
	// again without asking a person.
	ProveAgain time.Duration
	EraseAgain bool
	// FourEyes are the kinds of acts that a second person must agree to.
	FourEyes []core.FourEyes
	// CorrectionReview says when corrections wait for a person; empty: where they are in doubt.
	CorrectionReview core.CorrectionReview
	// Keep says how long Habeas keeps what it holds of a request; nil: for ever, and its
	// end gets no receipt.
	Keep *core.Keep
	// Rejected takes what came on the topic and can't be read; only
	// [Intake.HandleMessage] needs it.
	Rejected Publisher
	// Callers tells who calls over HTTP; nil: the door listens on loopback only, and
	// believes whoever calls. Limits must be there with it.
	Callers *callers.Callers
	Limits  *callers.Limits
	// Producers tells who signed a record; nil: whoever may write to the topic is
	// believed.
	Producers *callers.Producers
	// Proof is when proof of identity is wanted before anything is disclosed; empty:
	// [ProofUnlessVerified].
	Proof Proof
	// Finder finds the requests that the same person made before; nil: they
	// aren't looked for.
	Finder RequestFinder
	// ToldBy is the channel by which people are told of their answers, before which requests
	// aren't completed; empty: nobody is told by Habeas.
	ToldBy core.Channel
	// LooksBack tells that coordinators look at the person's other requests, where one
	// depends on them, and that it waits for that ([core.LookBack]).
	LooksBack bool
	// PerPerson is how many requests of one person are taken in within a day; 0:
	// [DefaultPerPerson].
	PerPerson int
	// Tracers makes the spans of the door; nil: none.
	Tracers trace.TracerProvider
	Now     func() time.Time
	Log     *slog.Logger
}

// Receiver is a recipient of data, with its role in the catalogue of recipients.
type Receiver struct {
	core.Recipient
	Role string
	// Marks are those of what each dataset of Receives is used for, in its order.
	Marks [][]string
}

// Intake takes requests in. It is safe for many goroutines.
type Intake struct {
	Config
	types   map[dsar.IdentifierType]bool // that somebody may know
	tracer  trace.Tracer
	slots   chan struct{} // one for each submission over HTTP whose body is there
	docs    documentation
	reading atomic.Int64 // bytes of bodies that are being read
}

// New returns an intake. Its errors are mistakes in the configuration.
func New(c Config) (*Intake, error) {
	switch {
	case c.Requests == nil, c.Rows == nil, c.Vault == nil, c.Policy == nil, c.Validator == nil, c.Now == nil, c.Log == nil:
		return nil, errors.New("intake: the configuration is incomplete")
	case c.Callers != nil && c.Limits == nil:
		return nil, errors.New("intake: callers without limits")
	case len(c.Catalogue) == 0:
		return nil, errors.New("intake: no system in the catalogue: a request would reach nobody")
	}
	c.PerPerson = min(cmp.Or(c.PerPerson, DefaultPerPerson), journal.MaxList)
	switch c.Proof {
	case "":
		c.Proof = ProofUnlessVerified
	case ProofNever:
		c.Log.Warn("proof of identity is never asked for: whoever can send a request is believed that its identifiers are the person's; set proof: unverified unless every caller checks them")
	}
	docs, err := newDocumentation()
	if err != nil {
		return nil, fmt.Errorf("intake: %w", err)
	}
	in := &Intake{Config: c, docs: docs, types: map[dsar.IdentifierType]bool{}, slots: make(chan struct{}, MaxInFlight)}
	for _, t := range wellKnown() {
		in.types[t] = true
	}
	in.Catalogue = slices.Clone(c.Catalogue)
	for i := range in.Catalogue {
		s := &in.Catalogue[i]
		for _, t := range slices.Concat(s.Needs, s.Finds) {
			in.types[t] = true
		}
		// The schemas know lists, not null.
		if s.Abilities == nil {
			s.Abilities = []dsar.Action{}
		}
		if s.Needs == nil {
			s.Needs = []dsar.IdentifierType{}
		}
	}
	if c.Tracers == nil {
		c.Tracers = noop.NewTracerProvider()
	}
	in.tracer = c.Tracers.Tracer("habeas.dev/services/intake")
	return in, nil
}

// wellKnown returns the identifier types that an upstream may always send, also
// where no system can be asked by them.
func wellKnown() []dsar.IdentifierType {
	return []dsar.IdentifierType{"email", "phone", "account_id", "customer_ref", "cookie_id", "tax_id"}
}

// Submit takes in a request of a caller: the data of dsar.request.submitted.v1 as it
// came.
// Nil means that the request is in the journal. The same content again returns
// the receipt of the first time and starts nothing; other content under the same
// request_id is [ErrConflict]. An error that is a [Refusal] is final; with any
// other nothing was taken in, and the same may be submitted again.
func (in *Intake) Submit(ctx context.Context, from callers.Caller, data []byte) (Receipt, error) {
	s, err := in.read(data)
	if err == nil {
		err = may(from, s)
	}
	if err != nil {
		return Receipt{}, err
	}
	return in.take(ctx, from, s)
}

// take takes in what was read.
func (in *Intake) take(ctx context.Context, from callers.Caller, s event.Submitted) (Receipt, error) {
	ctx, span := in.tracer.Start(otlp.Begin(ctx, s.RequestID), "intake")
	defer span.End()
	content, err := canonical(s)
	if err != nil {
		return Receipt{}, err
	}
	// A repeat is answered from the journal, before anything is sealed.
	state, err := in.Requests.State(ctx, s.RequestID)
	if err != nil {
		return Receipt{}, fmt.Errorf("intake: %w", err)
	}
	if state.Exists() {
		return in.repeat(ctx, state, content)
	}
	// What isn't taken in is refused before there are keys of it: they would be nobody's.
	s, proof := in.trusted(from, s)
	ids := in.identifiersOf(s.Subject, proof, from.Proves)
	rows, err := in.others(ctx, from, s, ids)
	if err != nil {
		return Receipt{}, err
	}
	accepted, err := in.seal(ctx, from, s, proof, ids, content)
	if err != nil {
		return Receipt{}, err
	}
	// Of two that come here with the same request_id, one is first; the other
	// is told what a repeat is told.
	submit := core.Submit{Accepted: accepted, Across: make([]string, len(ids))}
	for i, id := range ids {
		submit.Across[i] = id.across
	}
	if err := in.lookBack(ctx, &submit, ids, rows); err != nil {
		return Receipt{}, fmt.Errorf("intake: %w", err)
	}
	state, err = in.Requests.Do(ctx, s.RequestID, submit)
	switch {
	case errors.Is(err, core.ErrConflict):
		return Receipt{}, ErrConflict
	case errors.Is(err, journal.ErrInvalid): // sent again it would be as large
		return Receipt{}, in.discard(ctx, s.RequestID)
	case err != nil:
		return Receipt{}, fmt.Errorf("intake: %w", err)
	}
	return in.receipt(state.Accepted), nil
}

// discard destroys the keys of a request that is too large when sealed, so that they aren't
// left to nobody, and returns [ErrTooLarge]. Where the request is known by now, another
// content of it was taken in meanwhile, and the keys are its own. Between that look and the
// end of the keys another may still be taken in, whose keys are then gone: its systems can't be
// asked, nobody can be told, and the log names the request, since a person must ask for it anew.
func (in *Intake) discard(ctx context.Context, requestID string) error {
	state, err := in.Requests.State(ctx, requestID)
	if err == nil && !state.Exists() {
		err = in.Vault.Shred(ctx, requestID)
		in.noteShredded(ctx, requestID)
	}
	if err != nil {
		return fmt.Errorf("intake: %w", err)
	}
	return ErrTooLarge
}

// noteShredded logs that a request whose keys were destroyed was taken in meanwhile.
func (in *Intake) noteShredded(ctx context.Context, requestID string) {
	switch state, err := in.Requests.State(ctx, requestID); {
	case err != nil:
		in.Log.ErrorContext(ctx, "the keys of a request that is too large are destroyed, and whether another content of it was taken in meanwhile isn't known", "request_id", requestID, "error", err)
	case state.Exists():
		in.Log.ErrorContext(ctx, "a request was taken in while the keys of another content of it, which is too large, were destroyed: it can't be carried out; cancel it, and have it submitted under another id", "request_id", requestID)
	}
}
