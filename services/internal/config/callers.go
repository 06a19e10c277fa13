package config

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"

	"habeas.dev/pkg/dsar"
)

// Caller is an upstream system that may call the HTTP door. Its name is the source of
// the requests that it submits. It signs in with a token (`habeas token create NAME`),
// a client certificate, or a JWT of an issuer.
type Caller struct {
	// Rights are those that it may ask for; none named: all.
	Rights []dsar.Right `yaml:"rights,omitempty"`
	// Believed says that what it calls verified, and proven, is. Of any other caller
	// an identifier is a claim, however it is sent.
	Believed bool `yaml:"believed"`
	// Proves says that what it calls verified a person has proven there and then, by a code
	// that they were mailed: that it is Habeas' own portal.
	Proves bool `yaml:"proves,omitempty"`
	// Reads lets it see where its own requests stand, and list them.
	Reads bool `yaml:"reads"`
	// Fetches lets it fetch the answers to its own requests, sealed as they lie in the outbox.
	Fetches bool `yaml:"fetches,omitempty"`
	// Callback is where it is told of every change of its requests' status.
	Callback Callback `yaml:"callback,omitempty"`
	// Tells says that it tells its people itself that their answers are there: a request is
	// completed once it has heard of that, or has fetched the answer, though no letter could go.
	Tells bool `yaml:"tells,omitempty"`
	// Cancels lets it cancel its own requests.
	Cancels bool `yaml:"cancels"`
	// PerMinute is how many calls it may make; default 600.
	PerMinute int `yaml:"per_minute"`
	// Certificates are names in client certificates that are its own: URI names
	// (spiffe://…) or DNS names, never the common name. The door's tls.client_ca_file
	// says who issues them.
	Certificates []string `yaml:"certificates,omitempty"`
	// JWTs are the subjects of tokens that are its own.
	JWTs []CallerJWT `yaml:"jwts,omitempty"`
}

// Producer is an upstream system that sends requests by Kafka, each signed. Its name is
// their source.
type Producer struct {
	// Keys are files of its public keys, PEM: two while it renews them.
	Keys []string `yaml:"keys"`
	// Rights are those that it may ask for; none named: all.
	Rights   []dsar.Right `yaml:"rights,omitempty"`
	Believed bool         `yaml:"believed"`
	// Callback is where it is told of every change of its requests' status.
	Callback Callback `yaml:"callback,omitempty"`
}

// Callback is an address to which signed messages are posted, as Standard Webhooks have them.
type Callback struct {
	// URL is the address; https, but on loopback.
	URL string `yaml:"url"`
	// SecretFile holds the secret: whsec_ and 24 to 64 bytes in base64; two of them, each on a
	// line, while it is changed. Read at every call.
	SecretFile string `yaml:"secret_file"`
}

func (c Callback) check() error {
	if (c.URL == "") != (c.SecretFile == "") {
		return errors.New("callback: url and secret_file go together")
	}
	return nil
}

// Enabled reports whether there is one.
func (c Callback) Enabled() bool { return c != Callback{} }

// Callbacks returns those of callers and producers, by the source of their requests.
func (c Config) Callbacks() map[string]Callback {
	all := map[string]Callback{}
	for name, p := range c.Producers {
		if p.Callback.Enabled() {
			all[name] = p.Callback
		}
	}
	for name, caller := range c.Callers {
		if caller.Callback.Enabled() {
			all[name] = caller.Callback
		}
	}
	return all
}

// maxProducerKeys bounds a producer's keys: a record is held against each.
const maxProducerKeys = 4

func (p Producer) check() error {
	if n := len(p.Keys); n == 0 || n > maxProducerKeys {
		return fmt.Errorf("keys: %d of them; from 1 to %d", n, maxProducerKeys)
	}
	if err := p.Callback.check(); err != nil {
		return err
	}
	return checkRights(p.Rights)
}

// CallerJWT tells a caller by what an issuer says of it.
type CallerJWT struct {
	Issuer  string `yaml:"issuer"`
	Subject string `yaml:"subject"`
}

// Issuer issues JWTs that the door takes as a sign-in.
type Issuer struct {
	Issuer string `yaml:"issuer"`
	// Audience is who its tokens must be meant for: the door's own, and nobody else's.
	Audience string `yaml:"audience"`
	// Keys is the address of its key set (JWKS); https, but on loopback.
	Keys string `yaml:"keys"`
	// Algorithms default to RS256, ES256, EdDSA.
	Algorithms []string `yaml:"algorithms,omitempty"`
	// Type is what the header's typ must be, as at+jwt (RFC 9068); empty: anything.
	Type string `yaml:"type"`
}

// DefaultPerMinute is how many calls a caller may make where the configuration says
// nothing: ten a second, far above what people ask for.
const DefaultPerMinute = 600

// sourceForm is the form of a caller's, and of a producer's, name.
var sourceForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$`)

// checkCallers tells what is wrong with who may call.
func (c Config) checkCallers() error {
	issuers := map[string]bool{}
	for i, is := range c.Issuers {
		if err := is.check(); err != nil {
			return fmt.Errorf("issuers[%d]: %w", i, err)
		}
		if issuers[is.Issuer] {
			return fmt.Errorf("issuers[%d]: %s is there twice", i, is.Issuer)
		}
		issuers[is.Issuer] = true
	}
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(c.Callers)) {
		if !sourceForm.MatchString(name) {
			return fmt.Errorf("callers: %q: a name has small letters, digits, and . _ - between them, at most 63", name)
		}
		if err := c.Callers[name].check(issuers); err != nil {
			return fmt.Errorf("callers.%s: %w", name, err)
		}
		for _, credential := range c.Callers[name].credentials() {
			if other := seen[credential]; other != "" {
				return fmt.Errorf("callers.%s: %s is %s's already; each is one caller's", name, credential, other)
			}
			seen[credential] = name
		}
		if len(c.Callers[name].Certificates) > 0 && c.TLS.ClientCAFile == "" {
			return fmt.Errorf("callers.%s: certificates need tls.client_ca_file: who issues them", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Producers)) {
		if !sourceForm.MatchString(name) {
			return fmt.Errorf("producers: %q: a name has small letters, digits, and . _ - between them, at most 63", name)
		}
		if err := c.Producers[name].check(); err != nil {
			return fmt.Errorf("producers.%s: %w", name, err)
		}
	}
	if c.PerPerson < 0 {
		return fmt.Errorf("per_person is %d; at least 1", c.PerPerson)
	}
	for _, p := range c.Proxies {
		if _, err := netip.ParsePrefix(p); err != nil {
			return fmt.Errorf("proxies: %q is no network, as 10.1.0.0/16", p)
		}
	}
	for name, t := range map[string]ServerTLS{"tls": c.TLS, "monitor.tls": c.Monitor.TLS, "console.tls": c.Console.TLS, "portal.tls": c.Portal.TLS} {
		if err := t.check(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// credentials returns what tells the caller from others.
func (c Caller) credentials() []string {
	all := slices.Clone(c.Certificates)
	for _, j := range c.JWTs {
		all = append(all, j.Subject+" of "+j.Issuer)
	}
	return all
}

func (c Caller) check(issuers map[string]bool) error {
	if err := checkRights(c.Rights); err != nil {
		return err
	}
	if err := c.Callback.check(); err != nil {
		return err
	}
	if c.Tells && !c.Callback.Enabled() && !c.Fetches {
		return errors.New("tells: it must hear of answers, by callback or fetches, to tell anybody")
	}
	if c.PerMinute < 0 {
		return fmt.Errorf("per_minute is %d; at least 1", c.PerMinute)
	}
	for _, j := range c.JWTs {
		switch {
		case !issuers[j.Issuer]:
			return fmt.Errorf("jwts: %q is not one of those under issuers", j.Issuer)
		case j.Subject == "":
			return errors.New("jwts: subject is missing: which of the issuer's tokens are this caller's")
		}
	}
	return nil
}

// CallersAsk returns an error that names a caller who may ask for a right which no law
// grants: granted are those that some law does.
func (c Config) CallersAsk(granted []dsar.Right) error {
	for _, name := range slices.Sorted(maps.Keys(c.Callers)) {
		for _, r := range c.Callers[name].Rights {
			if !slices.Contains(granted, r) {
				return fmt.Errorf("callers: %s: rights: no law grants %q; there are %v", name, r, granted)
			}
		}
	}
	return nil
}

func checkRights(rights []dsar.Right) error {
	for _, r := range rights {
		if !r.Valid() {
			return fmt.Errorf("rights: %q is no right", r)
		}
	}
	return nil
}

// algorithms are those whose keys are public: with any other, who can check a token
// can make one.
var algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

func (i Issuer) check() error {
	keys, err := url.Parse(i.Keys)
	switch {
	case i.Issuer == "":
		return errors.New("issuer is missing")
	case i.Audience == "":
		return errors.New("audience is missing: one of this door's own, else tokens for other services open it")
	case err != nil || keys.Host == "" || keys.Scheme != "https" && (keys.Scheme != "http" || !loopback(keys.Hostname())):
		return errors.New("keys is not the https address of its key set (JWKS), as its discovery document names under jwks_uri")
	}
	for _, a := range i.Algorithms {
		if !slices.Contains(algorithms, a) {
			return fmt.Errorf("algorithms: %q is none of those with public keys: %v", a, algorithms)
		}
	}
	return nil
}

// CheckDoor refuses a door that strangers reach, and nobody signs in at.
func (c Config) CheckDoor() error {
	if c.Listen == "" || len(c.Callers) > 0 {
		return nil
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err == nil && loopback(host) {
		return nil
	}
	return fmt.Errorf("listen %q: without callers: whoever reaches the door could have anybody erased; name callers: (see docs/upstream.md), or listen on loopback, as 127.0.0.1:8420", c.Listen)
}

// loopback reports whether a host is this machine alone.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// ServerTLS names the files by which a listener speaks TLS; they are read again when
// they change. The zero value is plain text.
type ServerTLS struct {
	CertFile string `yaml:"cert_file"` // the certificate and its chain, PEM
	KeyFile  string `yaml:"key_file"`
	// ClientCAFile are the authorities of client certificates, PEM. At the door a
	// client may have one; at the monitor's and the console's listener it must.
	ClientCAFile string `yaml:"client_ca_file"`
}

// Enabled reports whether the listener speaks TLS.
func (t ServerTLS) Enabled() bool { return t.CertFile != "" }

func (t ServerTLS) check() error {
	if (t.CertFile == "") != (t.KeyFile == "") || t.CertFile == "" && t.ClientCAFile != "" {
		return errors.New("cert_file and key_file go together, and client_ca_file with both")
	}
	return nil
}

// Monitor is the listener of /healthz, /readyz and /metrics, for those who run Habeas.
type Monitor struct {
	Listen string    `yaml:"listen"` // HOST:PORT; nowhere by default
	TLS    ServerTLS `yaml:"tls"`
}
