package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/oauth2"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
)

// deviceProvider is a provider of OpenID Connect with the device flow.
type deviceProvider struct {
	*httptest.Server
	key    *ecdsa.PrivateKey
	polled atomic.Int64
	role   atomic.Value              // what its tokens say of the person
	issued atomic.Pointer[time.Time] // when it gave its word
}

func newDeviceProvider(t *testing.T) *deviceProvider {
	t.Helper()
	p := &deviceProvider{}
	p.role.Store("v")
	p.says(time.Now())
	var err error
	if p.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	answer := func(w http.ResponseWriter, status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"device_authorization_endpoint": p.URL + "/device", "id_token_signing_alg_values_supported": []string{"ES256"}})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		point, _ := p.key.PublicKey.Bytes()
		b64 := base64.RawURLEncoding.EncodeToString
		answer(w, 200, map[string]any{"keys": []map[string]any{{"kid": "k", "kty": "EC", "alg": "ES256", "use": "sig", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}}})
	})
	mux.HandleFunc("POST /device", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, map[string]any{"device_code": "d", "user_code": "ABCD-EFGH", "verification_uri": p.URL + "/confirm", "expires_in": 60, "interval": 1})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, _ *http.Request) {
		if p.polled.Add(1) == 1 {
			answer(w, 400, map[string]any{"error": "authorization_pending"})
			return
		}
		token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{"iss": p.URL, "aud": "habeas-cli", "sub": "00u1", "preferred_username": "lea", "roles": p.role.Load(), "iat": p.issued.Load().Unix(), "exp": p.issued.Load().Add(time.Minute).Unix()})
		token.Header["kid"] = "k"
		text, _ := token.SignedString(p.key)
		answer(w, 200, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": text})
	})
	return p
}

// says has the provider give its word as of a time.
func (p *deviceProvider) says(at time.Time) { p.issued.Store(&at) }

// TestLogin: who has signed in by the device flow is who acts, in the facts; a sign-in
// that was altered, or is over, acts as nobody; without one the machine's user acts.
func TestLogin(t *testing.T) {
	t.Parallel()
	p := newDeviceProvider(t)
	dir := t.TempDir()
	file, kept := filepath.Join(dir, config.File), filepath.Join(dir, "login.json")
	write(t, file, fmt.Sprintf("data: %s\nconsole: {oidc: {issuer: %q, client_id: habeas, device_client_id: habeas-cli, roles: {viewer: [v], agent: [a], privacy-officer: [o]}}}\n", dir, p.URL))
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	in, err := installation.Make(t.Context(), cfg, installation.Parts{Journal: true, Vault: true, Outbox: true})
	if err != nil {
		t.Fatal(err)
	}
	const id = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	at := now()
	if _, err := in.Requests.Accept(t.Context(), core.Accepted{RequestID: id, Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: at, AcceptedAt: at, DueAt: at.AddDate(0, 1, 0), Source: "test", Digest: "d",
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "abcdefabcdefabcd", Sealed: []byte("sealed"), Assurance: dsar.AssuranceVerified}},
		Systems:     []dsar.System{{Name: "s", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}}}); err != nil {
		t.Fatal(err)
	}
	call := func(args ...string) (string, error) {
		cmd := command(t.Context(), args...)
		cmd.Env = append(os.Environ(), asProgram+"=1", "HABEAS_CONFIG="+file, "HABEAS_LOGIN="+kept, "HABEAS_USER=paul")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	lastBy := func() string {
		t.Helper()
		facts, err := in.Facts(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		var act struct{ By string }
		if err := json.Unmarshal(facts[len(facts)-1].Data, &act); err != nil {
			t.Fatal(err)
		}
		return act.By
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	assign := func(to string) (string, error) { return call("assign", id, "--to", to, "--reason", "a test") }
	if out, err := assign("one"); err != nil || lastBy() != core.Actor("paul", core.LocalUser(host)) {
		t.Fatalf("%v %s: %s", err, out, lastBy())
	}
	out, err := call("login")
	if err != nil || !strings.Contains(out, "/confirm") || !strings.Contains(out, "ABCD-EFGH") || !strings.Contains(out, "Signed in as lea") {
		t.Fatalf("%v %s", err, out)
	}
	if out, err := assign("two"); err != nil || lastBy() != "lea <"+p.URL+"#00u1>" {
		t.Errorf("%v %s: %s", err, out, lastBy())
	}
	for role, want := range map[string]string{"v": "it takes the role privacy-officer", "a": "it takes the role privacy-officer", "o": "has no plan"} {
		p.role.Store(role)
		if out, err := call("login"); err != nil {
			t.Fatalf("%v %s", err, out)
		}
		out, err := call("plan", id, "--keys", "--reason", "a test")
		if err == nil || !strings.Contains(out, want) {
			t.Errorf("as %s: %v %s", role, err, out)
		}
	}
	text, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(kept); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	parts := strings.Split(string(text), ".")
	claims, _ := base64.RawURLEncoding.DecodeString(parts[1])
	parts[1] = base64.RawURLEncoding.EncodeToString(bytes.Replace(claims, []byte("00u1"), []byte("00u2"), 1))
	write(t, kept, strings.Join(parts, "."))
	before := lastBy()
	if out, err := assign("three"); err == nil || !strings.Contains(out, "habeas login again") || lastBy() != before {
		t.Errorf("altered: %v %s", err, out)
	}
	p.says(time.Now().Add(-11 * time.Hour))
	if out, err := call("login"); err == nil || !strings.Contains(out, "is over") {
		t.Errorf("an old word: %v %s", err, out)
	}
	if out, err := call("logout"); err != nil {
		t.Errorf("%v %s", err, out)
	}
	if out, err := call("plan", id, "--keys", "--reason", "a test"); err == nil || !strings.Contains(out, "sign in by habeas login") {
		t.Errorf("signed out: %v %s", err, out)
	}
	if out, err := assign("four"); err != nil || lastBy() != core.Actor("paul", core.LocalUser(host)) {
		t.Errorf("signed out: %v %s", err, out)
	}
}

// TestProvidersWord: of what a provider answers nothing is repeated but OAuth's code.
func TestProvidersWord(t *testing.T) {
	t.Parallel()
	const secret = "lea@example.com"
	for want, refused := range map[string]*oauth2.RetrieveError{
		"access_denied": {Response: &http.Response{StatusCode: http.StatusBadRequest}, Body: []byte(secret), ErrorCode: "access_denied", ErrorDescription: secret},
		"status 502":    {Response: &http.Response{StatusCode: http.StatusBadGateway, Status: "502 " + secret}, Body: []byte("<h1>" + secret)},
	} {
		if got := providersWord(fmt.Errorf("device: %w", refused)).Error(); !strings.Contains(got, want) || strings.Contains(got, secret) {
			t.Errorf("%s: %s", want, got)
		}
	}
}
