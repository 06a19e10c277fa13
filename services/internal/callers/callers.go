// Package callers tells who calls the HTTP door: by a token of Habeas' own, by a
// client certificate, or by a JWT of a configured issuer. Whatever they sign in with,
// it is one [Caller], with a name that is the source of its requests.
//
// What is refused costs little: a forged token is compared with hashes in memory, a
// forged JWT asks its issuer for nothing beyond a limit (TestForgedJWTs).
package callers

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/config"
)

// Caller is an upstream system, and what it may.
type Caller struct {
	// Name is the source of its requests; empty where the door knows no callers.
	Name string
	config.Caller
}

// Known reports whether the caller has signed in.
func (c Caller) Known() bool { return c.Name != "" }

// MayAsk reports whether the caller may ask for a right.
func (c Caller) MayAsk(r dsar.Right) bool { return len(c.Rights) == 0 || slices.Contains(c.Rights, r) }

// Owns reports whether requests of a source are the caller's own.
func (c Caller) Owns(source string) bool { return !c.Known() || c.Name == source }

// The errors of [Callers.Of]; any other is the journal's or the issuer's.
var (
	// ErrUnknown says that nobody has signed in, or with what isn't good.
	ErrUnknown = telemetry.Constant("callers: not signed in")
)

// Config is what the door knows of callers.
type Config struct {
	Callers map[string]config.Caller
	Issuers []config.Issuer
	// Tokens finds tokens; the journal's notes hold them.
	Tokens Notes
	// Clients returns the authorities of client certificates as they are now; nil:
	// there are none.
	Clients func() *x509.CertPool
	Now     func() time.Time
	Log     *slog.Logger
}

// Callers tells who calls. It is safe for many goroutines.
type Callers struct {
	callers      map[string]Caller
	certificates map[string]string // a certificate's name to a caller's
	subjects     map[config.CallerJWT]string
	clients      func() *x509.CertPool
	tokens       *cachedTokens
	issuers      *issuers
	now          func() time.Time
}

// New returns callers; the context ends what looks after the issuers' keys.
func New(ctx context.Context, c Config) (*Callers, error) {
	all := &Callers{callers: map[string]Caller{}, certificates: map[string]string{}, subjects: map[config.CallerJWT]string{},
		clients: c.Clients, tokens: newCachedTokens(c.Tokens, c.Now), now: c.Now}
	for name, caller := range c.Callers {
		all.callers[name] = Caller{name, caller}
		for _, certificate := range caller.Certificates {
			all.certificates[certificate] = name
		}
		for _, j := range caller.JWTs {
			all.subjects[j] = name
		}
	}
	var err error
	all.issuers, err = newIssuers(ctx, c.Issuers, c.Now, c.Log)
	return all, err
}

// Of returns who sends a request: by its Authorization header where there is one,
// else by its certificate. The error is [ErrUnknown] where that is nobody.
func (c *Callers) Of(r *http.Request) (Caller, error) {
	headers := r.Header.Values("Authorization")
	switch {
	case len(headers) > 1:
		return Caller{}, fmt.Errorf("%w: more than one Authorization", ErrUnknown)
	case len(headers) == 1:
		scheme, credential, _ := strings.Cut(headers[0], " ")
		if !strings.EqualFold(scheme, "Bearer") || len(credential) > maxCredential {
			return Caller{}, fmt.Errorf("%w: no bearer token", ErrUnknown)
		}
		return c.byBearer(r.Context(), strings.TrimSpace(credential))
	case r.TLS != nil && len(r.TLS.PeerCertificates) > 0:
		return c.byCertificate(r.TLS.PeerCertificates)
	default:
		return Caller{}, fmt.Errorf("%w: no credential", ErrUnknown)
	}
}

// maxCredential bounds a bearer token: JWTs with many claims have some kilobytes.
const maxCredential = 8 << 10

func (c *Callers) byBearer(ctx context.Context, credential string) (Caller, error) {
	if strings.HasPrefix(credential, tokenPrefix) {
		name, err := c.tokens.owner(ctx, credential)
		if err != nil {
			return Caller{}, err
		}
		return c.named(name)
	}
	who, err := c.issuers.read(credential)
	if err != nil {
		return Caller{}, err
	}
	return c.named(c.subjects[who])
}

// byCertificate checks the certificate anew: the connection may be older than the
// list of authorities, and than the certificate's end.
func (c *Callers) byCertificate(chain []*x509.Certificate) (Caller, error) {
	if c.clients == nil {
		return Caller{}, fmt.Errorf("%w: no authority of client certificates", ErrUnknown)
	}
	between := x509.NewCertPool()
	for _, more := range chain[1:] {
		between.AddCert(more)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: c.clients(), Intermediates: between, CurrentTime: c.now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		return Caller{}, fmt.Errorf("%w: the certificate is not, or no more, good", ErrUnknown)
	}
	names := slices.Clone(chain[0].DNSNames)
	for _, u := range chain[0].URIs {
		names = append(names, u.String())
	}
	var owners []string
	for _, name := range names {
		if owner := c.certificates[name]; owner != "" && !slices.Contains(owners, owner) {
			owners = append(owners, owner)
		}
	}
	if len(owners) != 1 {
		return Caller{}, fmt.Errorf("%w: the certificate is that of %d callers", ErrUnknown, len(owners))
	}
	return c.named(owners[0])
}

func (c *Callers) named(name string) (Caller, error) {
	caller, ok := c.callers[name]
	if !ok {
		return Caller{}, fmt.Errorf("%w: the configuration has no such caller", ErrUnknown)
	}
	return caller, nil
}
