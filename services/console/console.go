// Package console is the page that support agents have open all day: it finds
// requests, shows the trace of one and updates it while it is open, and takes
// what people decide, each decision a fact in the journal under their name.
//
// Pages are rendered here with Go's templates; htmx brings in what changes.
// There is no build step and nothing comes from elsewhere. What a person is
// known by is never in a URL, a log or a page, until somebody asks to see it,
// which is a fact too (TestNothingPersonal).
package console

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/correction"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/letter"
	"habeas.dev/services/internal/operator"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/remarks"
	"habeas.dev/services/internal/words"
)

const (
	// maxForm bounds the size of a form without its files: many times what a person
	// writes into one.
	maxForm = 64 << 10
	// maxReason bounds a reason, in characters.
	maxReason = 500
	// maxName bounds an agent's name, in characters: as the schema has it.
	maxName = 200
	// maxFiles bounds the files of one answer together.
	maxFiles = 256 << 20
	// headerTime and answerTime bound how long a caller may take.
	headerTime = 10 * time.Second
	answerTime = 5 * time.Minute
	idleTime   = 2 * time.Minute
)

// Requests applies commands to requests; lifecycle.Lifecycle implements it.
type Requests interface {
	Do(ctx context.Context, requestID string, c core.Command) (core.State, error)
}

// Journal is what the pages read.
type Journal interface {
	Facts(ctx context.Context, requestID string, from int) ([]journal.Fact, error)
	Row(ctx context.Context, requestID string) (journal.Row, error)
	journal.Lister
	journal.Notes
	journal.Searches
}

// Vault seals and opens; vault.Vault implements it.
type Vault interface {
	Fingerprint(typ dsar.IdentifierType, value string) string
	Keys(ctx context.Context, requestID string) (*vault.Keys, error)
	Create(ctx context.Context, requestID, name string) (*vault.ObjectWriter, error)
	OpenObject(ctx context.Context, requestID, name string) (io.ReadCloser, error)
}

// Answers hands answers to their persons.
type Answers interface {
	// Passphrase makes another passphrase by which the person opens the answer, and returns
	// it: it is kept nowhere.
	Passphrase(ctx context.Context, requestID string) (string, error)
	// Revoke has the answer served to nobody.
	Revoke(ctx context.Context, requestID string) error
}

// Sent opens what people have sent at the portal.
type Sent interface {
	Open(ctx context.Context, object string) (io.ReadCloser, error)
}

// Config configures a [Console]. All fields must be set but Traces, Tasks,
// Accounts, Sent, TakeIn, Letters, Writer, Phrases and Evidence.
type Config struct {
	Requests  Requests
	Journal   Journal
	Vault     Vault
	Manifests []*manifest.Manifest
	Policy    *policy.Book
	Answers   Answers
	// Sent is what people have sent; nil: they can't send anything.
	Sent Sent
	// Letters opens those that were written, and Writer writes those that would be; nil: none
	// is shown.
	Letters  Letters
	Writer   *letter.Writer
	Phrases  Phrases
	Evidence Evidence
	// Corrections looks up what a correction would change; nil: no system can be asked from
	// here.
	Corrections func(ctx context.Context, s core.State) ([]correction.System, error)
	// Operator says who answers for the data, in the register.
	Operator operator.Operator
	// TakeIn takes in a request that came to an agent: the data of
	// dsar.request.submitted.v1, of which nothing is believed. It returns a [RefusedError]
	// where it never will. nil: agents take none in.
	TakeIn func(ctx context.Context, data []byte) error
	// Languages are those of the pages; nil: those that are built in.
	Languages *words.Languages
	// SignIn tells who is at the other end.
	SignIn SignIn
	// Traces is the address of a request's trace in the observability stack,
	// with {trace} for its id; empty: no link.
	Traces string
	// Tasks returns how many tasks a system's worker has yet to do; nil: not known.
	Tasks func(ctx context.Context, system string) (int64, error)
	// Accounts returns the state of vendors' accounts; nil: not known.
	Accounts func(ctx context.Context) ([]vendorapi.Account, error)
	Now      func() time.Time
	Log      *slog.Logger
}

// Console serves the pages. It is safe for many goroutines, and any number of
// them may run: it holds nothing that isn't in the journal.
type Console struct {
	Config
	pages  map[string]pages // by language
	counts *cached[map[core.Status]int]
	waits  *cached[waits]
	needed *cached[map[string]journal.Needed]
	known  *cached[fleet]
	people *cached[[]string] // who has requests in hand
	year   *cached[overview]

	streams streams
	closing chan struct{} // closed when the server shuts down
	once    sync.Once
}

// New returns a console.
func New(c Config) (*Console, error) {
	if c.Policy != nil { // laws go by their titles
		c.Languages = c.Languages.Naming(c.Policy.Named())
	}
	pages, err := parsePages(c.Languages)
	if err != nil {
		return nil, err
	}
	out := &Console{Config: c, pages: pages, streams: streams{each: map[string]int{}}, closing: make(chan struct{})}
	out.counts = newCached(c.Now, c.Journal.Counts)
	out.needed = newCached(c.Now, c.Journal.Needed)
	out.waits = newCached(c.Now, out.countWaits)
	out.known = newCached(c.Now, out.fleet)
	out.people = newCached(c.Now, out.assignees)
	out.year = newCached(c.Now, out.readOverview)
	out.year.fresh, out.year.within = overviewFor, overviewTime
	return out, nil
}

// Server returns an HTTP server for the console: it bounds how long a caller may
// take, and open streams end when it shuts down.
func (c *Console) Server() *http.Server {
	s := &http.Server{Handler: c.Handler(), ReadHeaderTimeout: headerTime, ReadTimeout: answerTime, WriteTimeout: answerTime, IdleTimeout: idleTime, MaxHeaderBytes: 32 << 10}
	s.RegisterOnShutdown(func() { c.once.Do(func() { close(c.closing) }) })
	return s
}

// Handler returns every page and call, each behind the role that it needs.
func (c *Console) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range c.handlers() {
		mux.Handle(pattern, h)
	}
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, languageOf(r).Say("this form was sent from another site"), http.StatusForbidden)
	}))
	return secured(speaking(c.Languages, sameOrigin.Handler(mux)))
}

// handlers returns everything that is served, by pattern (TestWhoMayDoWhat).
func (c *Console) handlers() map[string]http.Handler {
	all := map[string]http.Handler{"GET /assets/{file}": static()}
	for _, r := range c.routes() {
		all[r.pattern] = c.guard(r)
	}
	maps.Copy(all, c.SignIn.Routes())
	return all
}

// static returns the files that pages need, for everyone.
func static() http.Handler {
	files, err := fs.Sub(assets, "assets")
	if err != nil {
		panic(err) // the folder is embedded
	}
	server := http.StripPrefix("/assets/", http.FileServerFS(files))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !fs.ValidPath(r.PathValue("file")) {
			http.NotFound(w, r) // http.FileServerFS has it for a fault of the server
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=3600")
		server.ServeHTTP(w, r)
	})
}

// secured adds headers that make browsers load nothing from elsewhere, run no
// script in a page, show the console in no frame, and keep no page.
func secured(next http.Handler) http.Handler {
	policy := strings.Join([]string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
		"form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'",
	}, "; ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// reading is a request as it is read here: its facts, what each of them says, and what they
// come to.
type reading struct {
	facts  []journal.Fact
	events []core.Event
	state  core.State
}

// read reads a request with what people wrote in it.
func (c *Console) read(ctx context.Context, id string) (reading, error) {
	return c.readBy(ctx, id, remarks.Remarks{Vault: c.Vault}.Opens(ctx, id))
}

// closed returns a fact without what people wrote in it, which costs no key.
func closed(e core.Event) (core.Event, error) { return remarks.Closed(e), nil }

// readBy reads a request whose facts are each as opens returns them.
func (c *Console) readBy(ctx context.Context, id string, opens func(core.Event) (core.Event, error)) (reading, error) {
	facts, err := c.Journal.Facts(ctx, id, 1)
	if err == nil && len(facts) == 0 {
		err = core.ErrUnknown
	}
	if err != nil {
		return reading{}, err
	}
	events, err := journal.Events(facts, opens)
	if err != nil {
		return reading{}, err
	}
	return reading{facts, events, core.Fold(events)}, nil
}

// state returns what a request's facts come to.
func (c *Console) state(ctx context.Context, id string) (core.State, error) {
	r, err := c.read(ctx, id)
	return r.state, err
}

// trouble is what the log is told of a page that couldn't be made; the person is
// told that it couldn't.
func (c *Console) trouble(ctx context.Context, err error) {
	if !errors.Is(err, context.Canceled) {
		c.Log.ErrorContext(ctx, "a page couldn't be made", "error", err)
	}
}
