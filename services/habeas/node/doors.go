package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/console"
	"habeas.dev/services/intake"
	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/recipients"
	"habeas.dev/services/internal/servertls"
	"habeas.dev/services/internal/topics"
)

// listenHTTP takes the address of the door, where this process has one; what it
// returns serves the door. A door that strangers reach, and nobody signs in at, isn't
// opened.
func (n *Node) listenHTTP(ctx context.Context, cfg config.Config, r Roles) (serve func(door http.Handler), err error) {
	if cfg.Listen == "" || !r.Intake {
		return func(http.Handler) {}, nil
	}
	if err := cfg.CheckDoor(); err != nil {
		return nil, err
	}
	l, err := n.listen(ctx, cfg.Listen)
	if err != nil {
		return nil, err
	}
	n.Address = l.Addr().String()
	if l, n.doorTLS, err = n.overTLS(l, cfg.TLS, false); err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	return func(door http.Handler) {
		if len(cfg.Callers) == 0 {
			n.log.Warn("no callers are configured: the door listens on loopback only, and believes whoever is on this machine", "listen", n.Address)
		}
		n.serve("http", intake.Server(door), l)
	}, nil
}

// serveMonitor serves /healthz, /readyz and /metrics.
func (n *Node) serveMonitor(ctx context.Context, cfg config.Config) error {
	if cfg.Monitor.Listen == "" {
		return nil
	}
	l, err := n.listen(ctx, cfg.Monitor.Listen)
	if err != nil {
		return err
	}
	n.MonitorAddress = l.Addr().String()
	if l, _, err = n.overTLS(l, cfg.Monitor.TLS, true); err != nil {
		return fmt.Errorf("monitor.tls: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", n.health.handler())
	mux.Handle("GET /readyz", n.health.handler())
	mux.Handle("GET /metrics", n.scrape)
	n.serve("monitor", &http.Server{Handler: mux, ReadHeaderTimeout: headerTime, ReadTimeout: headerTime, WriteTimeout: monitorTime, IdleTimeout: monitorTime, MaxHeaderBytes: 16 << 10}, l)
	return nil
}

// overTLS has a listener speak TLS, where its files are configured. Clients must have
// a certificate where needed is set, and their authorities are configured.
func (n *Node) overTLS(l net.Listener, files config.ServerTLS, needed bool) (net.Listener, *servertls.TLS, error) {
	if !files.Enabled() {
		return l, nil, nil
	}
	t, err := servertls.New(files, needed, now, n.log)
	if err != nil {
		return nil, nil, err
	}
	return tls.NewListener(l, t.Config()), t, nil
}

// takesIn returns what every door of an intake takes requests in by.
func (n *Node) takesIn(book *policy.Book, catalogue []dsar.System) (intake.Config, error) {
	validator, err := event.NewValidator()
	if err != nil {
		return intake.Config{}, err
	}
	c := intake.Config{Requests: n.Installation.Requests, Rows: n.Installation.Journal, Vault: n.seals(), Policy: book, Validator: validator,
		Proof: intake.Proof(n.Config.Proof), PerPerson: n.Config.PerPerson, Finder: n.Installation.Journal,
		Catalogue: catalogue, Purposes: n.purposes(), Lease: n.Config.Lease, Keep: keepOf(n.Config), Tracers: n.tel.Tracers(), Now: now, Log: n.log}
	c.Columns, c.Concepts = manifest.Fields(n.Manifests)
	c.Receivers = intake.Receivers(n.Manifests)
	if c.ToldBy = core.ChannelOutbox; n.Config.Letters.SMTP != "" {
		c.ToldBy = core.ChannelMail
	}
	c.ProveAgain, c.EraseAgain, c.LooksBack = n.Config.After(), n.Config.Erases(), true
	for _, kind := range n.Config.FourEyes {
		c.FourEyes = append(c.FourEyes, core.FourEyes(kind))
	}
	c.CorrectionReview = core.CorrectionReview(n.Config.Corrections.Review)
	return c, nil
}

// seals returns what requests are sealed by as they are taken in: what opens nothing, where
// this process has that.
func (n *Node) seals() intake.Vault {
	if n.Installation.Sealer != nil {
		return n.Installation.Sealer
	}
	return n.Installation.Vault
}

// takesInForAgents returns what takes in the requests that came to agents: what they were
// told is a claim.
func (n *Node) takesInForAgents(book *policy.Book, catalogue []dsar.System) (func(ctx context.Context, data []byte) error, error) {
	c, err := n.takesIn(book, catalogue)
	if err != nil {
		return nil, err
	}
	door, err := intake.New(c)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, data []byte) error {
		_, err := door.Submit(ctx, callers.Caller{}, data)
		if refusal := (*intake.Refusal)(nil); errors.As(err, &refusal) {
			return &console.RefusedError{Code: refusal.Code}
		}
		return err
	}, nil
}

func (n *Node) startIntake(book *policy.Book, catalogue []dsar.System) (*intake.Intake, error) {
	carrier, err := n.carrier(topics.UserIntake)
	if err != nil {
		return nil, err
	}
	c, err := n.takesIn(book, catalogue)
	if err != nil {
		return nil, err
	}
	c.Rejected, c.Outbox, c.Notices = carrier, n.Installation.Outbox, recipients.Door{Requests: n.Installation.Requests, Languages: n.languages, Now: now}.Handler()
	if len(n.Config.Producers) > 0 {
		if c.Producers, err = callers.NewProducers(n.Config.Producers); err != nil {
			return nil, err
		}
	}
	if err := n.knowCallers(&c); err != nil {
		return nil, err
	}
	doors, err := intake.New(c)
	if err != nil {
		return nil, err
	}
	return doors, n.consume(topics.UserIntake, intake.Group, doors.Consume)
}

// knowCallers has the door know its callers, where some are configured.
func (n *Node) knowCallers(c *intake.Config) error {
	if len(n.Config.Callers) == 0 {
		return nil
	}
	var clients func() *x509.CertPool
	if n.doorTLS != nil && n.Config.TLS.ClientCAFile != "" {
		clients = n.doorTLS.Clients
	}
	proxies, err := n.proxies()
	if err != nil {
		return err
	}
	c.Callers, err = callers.New(n.ctx, callers.Config{Callers: n.Config.Callers, Issuers: n.Config.Issuers, Tokens: n.Installation.Journal, Clients: clients, Now: now, Log: n.log})
	c.Limits = callers.NewLimits(proxies, now)
	return err
}

// URLs returns where this process listens.
func (n *Node) URLs() (all []string) {
	for at, url := range map[string]string{n.Address: n.URL(), n.ConsoleAddress: n.ConsoleURL(), n.PortalAddress: n.PortalURL(), n.MonitorAddress: n.MonitorURL()} {
		if at != "" {
			all = append(all, url)
		}
	}
	slices.Sort(all)
	return all
}

// URL returns where the HTTP door is.
func (n *Node) URL() string { return address(n.Config.TLS, n.Address) }

// MonitorURL returns where /healthz, /readyz and /metrics are.
func (n *Node) MonitorURL() string { return address(n.Config.Monitor.TLS, n.MonitorAddress) }

// ConsoleURL returns where the console is.
func (n *Node) ConsoleURL() string { return address(n.Config.Console.TLS, n.ConsoleAddress) }

func address(t config.ServerTLS, hostPort string) string {
	if t.Enabled() {
		return "https://" + hostPort
	}
	return "http://" + hostPort
}
