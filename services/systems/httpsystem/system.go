package httpsystem

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/webhook"
)

const (
	// MaxLine is the longest line, in bytes: a record with a long text.
	MaxLine = 1 << 20
	// silence is how long neither side may say nothing. A service that is at work on
	// something long says {} meanwhile.
	silence = 30 * time.Second
	// longest bounds one call, whatever it says meanwhile: a system that takes longer for
	// some people answers 202.
	longest = 30 * time.Minute
	// concurrent is how many calls are out at once where the configuration doesn't say.
	concurrent = 4
	// maxPark is the longest wait that a service may ask for.
	maxPark = 24 * time.Hour
)

// Config says where a service is and how hard it may be asked. Secret and Manifest are
// needed.
type Config struct {
	// URL is the service's base; the manifest's http.url where empty.
	URL string
	// Secret signs what is asked: whsec_ and 24 to 64 bytes in base64; two of them, each on
	// a line, while one is being changed. It is read anew at each call.
	Secret   vendorapi.Secret
	Manifest *manifest.Manifest
	vendorapi.Access
	// Silence is how long the service may say nothing; half a minute where zero.
	Silence time.Duration
}

// System calls a service. It is safe for concurrent use.
type System struct {
	config Config
	base   string
	batch  int
	api    *vendorapi.Client

	mu      sync.Mutex
	about   about
	checked time.Time // when it was asked what it is; zero: not yet
}

var (
	_ worker.Resolver   = (*System)(nil)
	_ worker.Gatherer   = (*System)(nil)
	_ worker.Eraser     = (*System)(nil)
	_ worker.Rectifier  = (*System)(nil)
	_ worker.Restricter = (*System)(nil)
	_ worker.Noter      = (*System)(nil)
)

// New returns a system. It makes no call.
func New(c Config) (*System, error) {
	if c.Manifest == nil || c.Manifest.HTTP == nil {
		return nil, errors.New("httpsystem: the manifest doesn't say http")
	}
	name := "system " + c.Manifest.System + ": "
	base, err := address(cmp.Or(c.URL, c.Manifest.HTTP.URL))
	if err != nil {
		return nil, errors.New(name + err.Error())
	}
	if c.Secret.IsZero() {
		return nil, errors.New(name + "a secret signs what the service is asked: name its file with client_secret_file; make one with: echo whsec_$(openssl rand -base64 32)")
	}
	c.Access = c.Or(vendorapi.Access{Concurrent: concurrent})
	c.Silence = cmp.Or(c.Silence, silence)
	if c.HTTPClient == nil {
		c.HTTPClient = client(c.Concurrent)
	}
	s := &System{config: c, base: base, batch: max(int(c.Manifest.HTTP.Batch), 1)}
	s.api, err = vendorapi.New(vendorapi.Config{
		Vendor: "the service of " + c.Manifest.System, Parse: readReply, Codes: codes(), Access: c.Access,
		Account: "http/" + c.Manifest.System, Timeout: longest, Silence: c.Silence, MaxAnswer: maxRefusal,
	})
	return s, err
}

// client returns a client that speaks HTTP/1.1 to a service, which says itself when it is
// full, and HTTP/2 where both can.
func client(atOnce int) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = atOnce
	t.DisableCompression = true // lines are to come one by one
	return &http.Client{Transport: t}
}

// address checks a service's base address: https, or http on this machine.
func address(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return "", errors.New("nothing says where the service is: write url: https://… in the configuration, or http: {url: …} in the manifest")
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("the service's url isn't an address, as https://orders.example.com/habeas")
	case u.Scheme == "https":
	case u.Scheme != "http":
		return "", errors.New("the service's url isn't https")
	case !webhook.Loopback(u.Hostname()):
		return "", errors.New("the service's url isn't https: people's data would go in the open; plain http is for this machine only")
	}
	return u.JoinPath("/").String(), nil
}

// MaxBatch returns how many tasks one call takes at most.
func (s *System) MaxBatch() int { return s.batch }

// Resolve implements worker.Resolver.
func (s *System) Resolve(ctx context.Context, jobs []*worker.ResolveJob) error {
	return run(ctx, s, "resolve", jobs, resolve, worker.Each)
}

// Gather implements worker.Gatherer.
func (s *System) Gather(ctx context.Context, jobs []*worker.GatherJob) error {
	return run(ctx, s, "gather", jobs, gather, worker.Each)
}

// Plan implements worker.Eraser.
func (s *System) Plan(ctx context.Context, jobs []*worker.PlanJob) error {
	return run(ctx, s, "plan", jobs, plan, worker.Each)
}

// Erase implements worker.Eraser.
func (s *System) Erase(ctx context.Context, jobs []*worker.EraseJob) error {
	return run(ctx, s, "erase", jobs, s.erase, worker.Each)
}

// Prove implements worker.Eraser.
func (s *System) Prove(ctx context.Context, jobs []*worker.EraseJob) error {
	return run(ctx, s, "prove", jobs, prove, worker.Each)
}

// Rectify implements worker.Rectifier.
func (s *System) Rectify(ctx context.Context, jobs []*worker.RectifyJob) error {
	return run(ctx, s, "rectify", jobs, rectify, worker.Each)
}

// Restrict implements worker.Restricter.
func (s *System) Restrict(ctx context.Context, jobs []*worker.RestrictJob) error {
	return run(ctx, s, "restrict", jobs, restrict, worker.Each)
}

// run asks the service for the tasks of jobs: one by one, or as many in a call as it takes.
func run[J any](ctx context.Context, s *System, action string, jobs []J, of func(context.Context, J) *task,
	each func(context.Context, []J, func(context.Context, J) error) error,
) error {
	if s.batch == 1 {
		return each(ctx, jobs, func(ctx context.Context, j J) error {
			return s.ask(ctx, action, []*task{of(ctx, j)})
		})
	}
	tasks := make([]*task, len(jobs))
	for i, j := range jobs {
		tasks[i] = of(ctx, j)
	}
	for some := range slices.Chunk(tasks, s.batch) {
		if err := s.ask(ctx, action, some); err != nil {
			return err
		}
	}
	return nil
}
