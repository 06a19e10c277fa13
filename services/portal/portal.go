// Package portal is the site at which people ask for their data: they say where they live,
// choose what that law grants them, prove their mailbox by a code, follow their request,
// send what is wanted of them, and receive the answer.
//
// Its pages are rendered here and need no script, but to open the answer in the browser. GET
// changes nothing (TestGETChangesNothing). The portal opens nothing: what identifies a person
// goes to intake, which seals it; what a person sends is sealed to a public key as it comes;
// the answer and the identity that opens it are age files, the latter under a passphrase
// that the portal sees when it is typed and keeps nowhere. Whether anybody is known it
// doesn't know itself, and so can't tell (TestNobodyIsTold).
package portal

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"filippo.io/age"
	"gocloud.dev/blob"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/mail"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/words"
)

const (
	// Source is the portal's name as a caller: the source of its requests.
	Source = "portal"

	// maxForm bounds a form without its file, in bytes.
	maxForm = 64 << 10
	// headerTime, answerTime and idleTime bound how long a connection may take; a download
	// has downloadTime.
	headerTime   = 10 * time.Second
	answerTime   = time.Minute
	idleTime     = 2 * time.Minute
	downloadTime = 6 * time.Hour
	// callTime bounds what one page asks of the journal and of intake.
	callTime = 20 * time.Second
)

// ErrRefused says that a request can't be taken in, now or later, and [ErrTooMany] that the
// person has asked too often today.
var (
	ErrRefused = errors.New("portal: intake refuses the request")
	ErrTooMany = errors.New("portal: too many requests of one person")
)

// Door takes requests in; intake does. Submit MUST be idempotent for the same content.
type Door interface {
	// Submit takes in the data of a dsar.request.submitted.v1. Its errors are ErrRefused,
	// ErrTooMany, and those after which the same may be tried again.
	Submit(ctx context.Context, data []byte) error
	// Match returns how sure it is that an identifier is of a request's person; empty where
	// it isn't.
	Match(ctx context.Context, requestID string, typ dsar.IdentifierType, value string) (dsar.Assurance, error)
}

// Requests reads requests and applies commands to them; lifecycle.Lifecycle implements it.
type Requests interface {
	State(ctx context.Context, requestID string) (core.State, error)
	Do(ctx context.Context, requestID string, c core.Command) (core.State, error)
}

// Mailer sends mail; mail.Server implements it.
type Mailer interface {
	Send(ctx context.Context, m mail.Message) error
}

// Brand is how the company looks.
type Brand struct {
	Name     string // of the company
	Accent   string // #rrggbb
	Logo     []byte // a picture, of LogoType; none: the name alone
	LogoType string
	Notice   string // address of the privacy notice
}

// Config configures a [Portal]. Every field must be set, but for those that say otherwise.
type Config struct {
	Door     Door
	Requests Requests
	Proofs   journal.Proofs
	Policy   *policy.Book
	Mailer   Mailer
	// Outbox is where answers and their keys lie.
	Outbox *blob.Bucket
	// Uploads is where what people send lies, sealed to Recipient; nil: nothing can be sent.
	Uploads   *blob.Bucket
	Recipient age.Recipient
	// Secret is what codes and cookies are keyed by: at least 32 bytes, the same in all
	// portals of one address.
	Secret []byte
	// URL is the address under which people reach it: https://privacy.example.com.
	URL   string
	Brand Brand
	// Languages are those of the pages; nil: those that are built in.
	Languages *words.Languages
	// Concepts are what a correction can name.
	Concepts []string
	// Datasets are those that an answer's page can ask about, by system.dataset.
	Datasets map[string]Dataset
	// Identifiers are those that people are asked for beside their address.
	Identifiers []dsar.IdentifierType
	// Proxies are those whose word on the origin is believed.
	Proxies []netip.Prefix
	Now     func() time.Time
	Log     *slog.Logger
}

// Portal serves the pages. It is safe for many goroutines, and any number of them may run.
type Portal struct {
	Config
	keys     keys
	pages    map[string]pages
	assets   map[string]asset
	post     *post
	limits   *callers.Limits   // for the origin alone
	asks     *callers.Networks // in this process
	wrapping chan struct{}     // one for each passphrase that is worked on: each takes 64 MiB
}

const (
	// wrapsAtOnce is how many passphrases are worked on at once.
	wrapsAtOnce = 2
	// asksPerHour is how many codes one origin has sent within an hour, and as many at once:
	// a company's many people share an origin.
	asksPerHour = 60
)

// New returns a portal. Run sends its mail.
func New(c Config) (*Portal, error) {
	if c.Door == nil || c.Requests == nil || c.Proofs == nil || c.Policy == nil || c.Mailer == nil || c.Outbox == nil || c.Now == nil || c.Log == nil {
		return nil, errors.New("portal: the configuration is incomplete")
	}
	k, err := newKeys(c.Secret)
	if err != nil {
		return nil, err
	}
	pages, err := parsePages(c.Languages)
	if err != nil {
		return nil, err
	}
	files, err := readAssets()
	if err != nil {
		return nil, err
	}
	return &Portal{Config: c, keys: k, pages: pages, assets: files, post: newPost(c.Mailer, c.Log), wrapping: make(chan struct{}, wrapsAtOnce),
		limits: callers.NewLimits(c.Proxies, c.Now), asks: callers.NewNetworks(asksPerHour, time.Hour, c.Now)}, nil
}

// Run sends the mail of the pages, and deletes what people sent once it was looked at, until
// the context ends.
func (p *Portal) Run(ctx context.Context) error {
	var sweeping sync.WaitGroup
	defer sweeping.Wait()
	sweeping.Go(func() { p.sweepUntil(ctx) })
	return p.post.run(ctx)
}

// Server returns an HTTP server for the portal.
func (p *Portal) Server() *http.Server {
	return &http.Server{Handler: p.Handler(), ReadHeaderTimeout: headerTime, ReadTimeout: answerTime, WriteTimeout: answerTime, IdleTimeout: idleTime, MaxHeaderBytes: 32 << 10}
}

// Handler returns every page.
func (p *Portal) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.home)
	mux.HandleFunc("GET /ask", p.ask)
	mux.HandleFunc("POST /ask", p.submitAsk)
	mux.HandleFunc("POST /prove", p.prove)
	mux.HandleFunc("GET /confirm", p.confirm)
	mux.HandleFunc("GET /follow", p.follow)
	mux.HandleFunc("POST /language", p.setLanguage)
	mux.HandleFunc("GET /r/{id}", p.request)
	mux.HandleFunc("POST /r/{id}/enter", p.enter)
	mux.HandleFunc("POST /r/{id}/leave", p.leave)
	mux.HandleFunc("POST /r/{id}/withdraw", p.withdraw)
	mux.HandleFunc("POST /r/{id}/send", p.send)
	mux.HandleFunc("POST /r/{id}/receive", p.receive)
	mux.HandleFunc("POST /r/{id}/no-passphrase", p.noPassphrase)
	mux.HandleFunc("GET /r/{id}/answer.zip.age", p.download)
	mux.HandleFunc("GET /r/{id}/key.age", p.downloadKey)
	mux.HandleFunc("GET /r/{id}/receipt.html.age", p.downloadReceipt)
	mux.HandleFunc("GET /brand.css", p.brandCSS)
	mux.HandleFunc("GET /logo", p.logo)
	mux.HandleFunc("GET /assets/{file}", p.serveAsset)
	mux.HandleFunc("GET /onefile.html", p.oneFile)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { p.fail(w, r, http.StatusNotFound, "error.none") })
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.fail(w, r, http.StatusForbidden, "error.site") }))
	return secured(sameOrigin.Handler(mux))
}

// secured adds headers that make browsers load nothing from elsewhere, run no script in a
// page, show the portal in no frame, keep no page, and tell nobody where they came from.
func secured(next http.Handler) http.Handler {
	rules := strings.Join([]string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
		"form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"}, "; ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", rules)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Robots-Tag", "noindex")
		next.ServeHTTP(w, r)
	})
}

// now returns the time as the journal keeps it.
func (p *Portal) now() time.Time { return journal.Time(p.Now()) }

// trouble logs what a page can't be made for; the person is told that it can't.
func (p *Portal) trouble(ctx context.Context, err error) {
	if !errors.Is(err, context.Canceled) {
		p.Log.ErrorContext(ctx, "a page of the portal couldn't be made", "error", err)
	}
}
