package callers_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/servertls"
)

// authority issues certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{}
	template := &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	var der []byte
	a.key, der = issue(t, template, nil)
	var err error
	a.certificate, err = x509.ParseCertificate(der)
	must(t, err)
	return a
}

// issue signs a certificate by an authority, or by itself.
func issue(t *testing.T, template *x509.Certificate, by *authority) (*ecdsa.PrivateKey, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template.SerialNumber, template.NotBefore = big.NewInt(now.UnixNano()), time.Unix(0, 0)
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	must(t, err)
	return key, der
}

func (a *authority) client(t *testing.T, names ...string) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{Subject: pkix.Name{CommonName: "signup-page"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	for _, n := range names {
		u, err := url.Parse(n)
		must(t, err)
		if u.Scheme == "" {
			template.DNSNames = append(template.DNSNames, n)
		} else {
			template.URIs = append(template.URIs, u)
		}
	}
	key, der := issue(t, template, a)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// write writes a server's certificate and key, and whom it believes, into a folder.
func (a *authority) write(t *testing.T, dir string, clients *authority) config.ServerTLS {
	t.Helper()
	key, der := issue(t, &x509.Certificate{DNSNames: []string{"habeas.example.com"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, a)
	text, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	files := config.ServerTLS{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem"), ClientCAFile: filepath.Join(dir, "clients.pem")}
	for path, content := range map[string][]byte{files.CertFile: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), files.KeyFile: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}), files.ClientCAFile: clients.pem()} {
		must(t, os.WriteFile(path, content, 0o600))
	}
	return files
}

// TestCertificates: over real TLS, a caller is told by the names in its certificate,
// and by nothing else in it.
func TestCertificates(t *testing.T) {
	t.Parallel()
	d := newTLSDoor(t)
	for name, c := range map[string]struct {
		certificate tls.Certificate
		want        string
	}{
		"a URI name":        {d.clients.client(t, "spiffe://example.com/signup"), "signup-page"},
		"a DNS name":        {d.clients.client(t, "desk.example.com"), "support-desk"},
		"one of its names":  {d.clients.client(t, "other.example.com", "desk.example.com"), "support-desk"},
		"nobody's name":     {d.clients.client(t, "spiffe://example.com/other"), ""},
		"only common name":  {d.clients.client(t), ""},
		"two callers' name": {d.clients.client(t, "desk.example.com", "spiffe://example.com/signup"), ""},
		"none":              {tls.Certificate{}, ""},
	} {
		if got := d.get(t, d.dial(c.certificate)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	stranger := newAuthority(t, "clients").client(t, "desk.example.com") // another of the same name
	if res, err := d.dial(stranger).Get(d.url); err == nil {
		_ = res.Body.Close()
		t.Error("a stranger's authority is believed")
	}
}

// TestRenewed: other files hold without a restart: a new certificate from the next
// connection on, another list of authorities also on connections that are open.
func TestRenewed(t *testing.T) {
	t.Parallel()
	d := newTLSDoor(t)
	client := d.dial(d.clients.client(t, "desk.example.com"))
	if got := d.get(t, client); got != "support-desk" {
		t.Fatalf("%q", got)
	}
	before := d.serial.Load()
	others := newAuthority(t, "others")
	d.server.write(t, d.dir, others)
	d.moved.Add(int64(10 * time.Second))
	if got := d.get(t, client); got != "" {
		t.Errorf("an open connection of a withdrawn authority is %q", got)
	}
	if got := d.get(t, d.dial(others.client(t, "desk.example.com"))); got != "support-desk" || d.serial.Load() == before {
		t.Errorf("after the renewal: %q", got)
	}
	must(t, os.WriteFile(filepath.Join(d.dir, "key.pem"), []byte("half of a"), 0o600))
	d.moved.Add(int64(10 * time.Second))
	if got := d.get(t, d.dial(others.client(t, "desk.example.com"))); got != "support-desk" {
		t.Errorf("while the files are being written: %q", got)
	}
}

// tlsDoor is a server that answers with the caller's name.
type tlsDoor struct {
	server, clients *authority
	dir, url        string
	moved           atomic.Int64 // the clock
	serial          atomic.Pointer[string]
	pool            *x509.CertPool
}

func newTLSDoor(t *testing.T) *tlsDoor {
	t.Helper()
	d := &tlsDoor{server: newAuthority(t, "servers"), clients: newAuthority(t, "clients"), dir: t.TempDir(), pool: x509.NewCertPool()}
	d.pool.AddCert(d.server.certificate)
	clock := func() time.Time { return now.Add(time.Duration(d.moved.Load())) }
	files := d.server.write(t, d.dir, d.clients)
	speaks, err := servertls.New(files, false, clock, slog.New(slog.DiscardHandler))
	must(t, err)
	all, err := callers.New(t.Context(), callers.Config{Callers: map[string]config.Caller{"signup-page": {Certificates: []string{"spiffe://example.com/signup"}}, "support-desk": {Certificates: []string{"desk.example.com"}}},
		Tokens: memjournal.New(memjournal.Config{}), Clients: speaks.Clients, Now: clock, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, _ := all.Of(r)
		_, _ = io.WriteString(w, c.Name)
	}))
	server.Listener = tls.NewListener(server.Listener, speaks.Config())
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	t.Cleanup(server.Close)
	d.url = "https://" + server.Listener.Addr().String()
	return d
}

// dial returns a client with a certificate of its own.
func (d *tlsDoor) dial(certificate tls.Certificate) *http.Client {
	c := &tls.Config{RootCAs: d.pool, ServerName: "habeas.example.com", MinVersion: tls.VersionTLS12, VerifyConnection: func(s tls.ConnectionState) error {
		print := string(s.PeerCertificates[0].Raw)
		d.serial.Store(&print)
		return nil
	}}
	if certificate.PrivateKey != nil {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificate, nil }
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true}}
}

func (d *tlsDoor) get(t *testing.T, c *http.Client) string {
	t.Helper()
	res, err := c.Get(d.url)
	must(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(t, err)
	return string(text)
}
