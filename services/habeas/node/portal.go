package node

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/intake"
	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/mail"
	"habeas.dev/services/internal/operator"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/portal"
)

// maxLogo bounds the company's picture, in bytes: every page has it.
const maxLogo = 64 << 10

// listenPortal takes the portal's address, where this process has one. A local portal is
// where it listens.
func (n *Node) listenPortal(ctx context.Context, cfg *config.Config, r Roles) error {
	if !r.Portal || cfg.Portal.Listen == "" {
		return nil
	}
	l, err := n.listen(ctx, cfg.Portal.Listen)
	if err != nil {
		return err
	}
	n.PortalAddress = l.Addr().String()
	if n.portalListener, _, err = n.overTLS(l, cfg.Portal.TLS, false); err != nil {
		return fmt.Errorf("portal.tls: %w", err)
	}
	if cfg.Portal.Local {
		cfg.Portal.URL = address(cfg.Portal.TLS, n.PortalAddress)
	}
	return nil
}

// startPortal serves the portal. doors is intake in the same process; nil where it is
// elsewhere.
func (n *Node) startPortal(ctx context.Context, book *policy.Book, doors *intake.Intake) error {
	c := n.Config.Portal
	secret, err := portalSecret(n.Config)
	if err != nil {
		return err
	}
	brand, err := portalBrand(n.Config)
	if err != nil {
		return err
	}
	uploads, recipient, err := installation.OpenUploads(ctx, n.Config)
	if err != nil {
		return err
	}
	n.onStop(uploads.Close)
	proxies, err := n.proxies()
	if err != nil {
		return err
	}
	p := portal.Config{Languages: n.languages, Requests: n.Installation.Requests, Proofs: n.Installation.Journal, Policy: book, Outbox: n.Installation.Outbox, Uploads: uploads, Recipient: recipient,
		Secret: secret, URL: c.URL, Brand: brand, Identifiers: c.Identifiers, Proxies: proxies, Mailer: n.portalMailer(), Now: now, Log: n.log}
	_, p.Concepts = manifest.Fields(n.Manifests)
	p.Datasets = portalDatasets(n.Manifests)
	if p.Door, err = portalDoor(c, doors); err != nil {
		return err
	}
	serves, err := portal.New(p)
	if err != nil {
		return err
	}
	n.run("portal", serves.Run)
	n.serve("portal", serves.Server(), n.portalListener)
	return nil
}

// portalDatasets returns what the portal is to know of datasets. An address says system.dataset,
// which no other name can be: neither has a dot.
func portalDatasets(manifests []*manifest.Manifest) map[string]portal.Dataset {
	all := map[string]portal.Dataset{}
	for _, m := range manifests {
		for i := range m.Datasets {
			ds := &m.Datasets[i]
			_, concepts := manifest.Fields([]*manifest.Manifest{{Datasets: m.Datasets[i : i+1]}})
			all[m.System+"."+ds.Name] = portal.Dataset{Title: ds.Title, Concepts: concepts}
		}
	}
	return all
}

// portalDoor returns where the portal's requests go.
func portalDoor(c config.Portal, doors *intake.Intake) (portal.Door, error) {
	if doors != nil {
		return inProcess{doors}, nil
	}
	if c.Door == "" {
		return nil, errors.New("portal: without intake in the same process it needs portal.door and portal.token_file")
	}
	token, err := os.ReadFile(c.TokenFile)
	if err != nil {
		return nil, fmt.Errorf("portal.token_file: %w", err)
	}
	return portal.NewHTTPDoor(c.Door, strings.TrimSpace(string(token))), nil
}

// inProcess is intake as the portal's door.
type inProcess struct{ intake *intake.Intake }

// Submit implements portal.Door.
func (d inProcess) Submit(ctx context.Context, data []byte) error {
	_, err := d.intake.Submit(ctx, callers.Caller{Name: portal.Source, Caller: config.Caller{Believed: true, Proves: true}}, data)
	var refusal *intake.Refusal
	switch {
	case errors.Is(err, intake.ErrOften):
		return portal.ErrTooMany
	case errors.As(err, &refusal):
		return fmt.Errorf("%w: %w", portal.ErrRefused, err)
	default:
		return err
	}
}

// Match implements portal.Door.
func (d inProcess) Match(ctx context.Context, requestID string, typ dsar.IdentifierType, value string) (dsar.Assurance, error) {
	return d.intake.Match(ctx, requestID, typ, value)
}

// portalMailer returns what mails codes: the letters' server, or a folder where the portal
// is for this machine alone.
func (n *Node) portalMailer() portal.Mailer {
	if s := n.Config.Letters; s.SMTP != "" {
		return mail.Server{Address: s.SMTP, From: s.From, User: s.User, PasswordFile: s.PasswordFile, Plain: s.Plain, Brand: mailBrand(n.Config)}
	}
	return mailFolder(n.Config.Room(config.RoomMail))
}

// mailFolder leaves mail in a folder, for a machine without a mail server.
type mailFolder string

// Send implements portal.Mailer. The newest mail has the last name.
func (f mailFolder) Send(_ context.Context, m mail.Message) error {
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return err
	}
	name := filepath.Join(string(f), m.Date.UTC().Format("20060102T150405.000000")+".txt")
	return os.WriteFile(name, []byte("To: "+strings.Join(m.To, ", ")+"\nSubject: "+m.Subject+"\n\n"+m.Text), 0o600)
}

// portalSecret returns what codes and cookies are keyed by.
func portalSecret(cfg config.Config) ([]byte, error) {
	path := cfg.Portal.SecretFile
	if path == "" {
		path = filepath.Join(cfg.Data, "portal.key")
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = io.WriteString(f, rand.Text()+rand.Text()+"\n")
			err = errors.Join(err, f.Close())
		}
		if err != nil && !errors.Is(err, os.ErrExist) {
			return nil, fmt.Errorf("the portal's secret: %w; name one under portal.secret_file", err)
		}
	}
	secret, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("portal.secret_file: %w", err)
	}
	return bytes.TrimSpace(secret), nil
}

// mailBrand returns how the company looks in mails to people.
func mailBrand(cfg config.Config) *mail.Brand {
	return &mail.Brand{Name: companyName(cfg), Accent: cfg.Portal.Accent}
}

// companyName returns what the company is called, where that is configured.
func companyName(cfg config.Config) string {
	return cmp.Or(cfg.Controller, operator.Operator{Controllers: cfg.Controllers}.For("").Name)
}

// portalBrand returns how the company looks.
func portalBrand(cfg config.Config) (portal.Brand, error) {
	b := portal.Brand{Name: companyName(cfg), Accent: cfg.Portal.Accent, Notice: cfg.Portal.Notice}
	if cfg.Portal.Logo == "" {
		return b, nil
	}
	var err error
	if b.Logo, err = os.ReadFile(cfg.Portal.Logo); err != nil {
		return b, fmt.Errorf("portal.logo: %w", err)
	}
	switch ext := filepath.Ext(cfg.Portal.Logo); {
	case len(b.Logo) > maxLogo:
		return b, fmt.Errorf("portal.logo: %d bytes, at most %d", len(b.Logo), maxLogo)
	case ext == ".svg":
		b.LogoType = "image/svg+xml"
	case ext == ".png":
		b.LogoType = "image/png"
	default:
		return b, errors.New("portal.logo: neither .svg nor .png")
	}
	return b, nil
}

// proxies returns the networks of proxies that are believed.
func (n *Node) proxies() ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, text := range n.Config.Proxies {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("proxies: %w", err)
		}
		all = append(all, p)
	}
	return all, nil
}

// PortalURL returns where the portal is.
func (n *Node) PortalURL() string { return n.Config.Portal.URL }
