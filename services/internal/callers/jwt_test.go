package callers_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"pgregory.net/rapid"

	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/journal/memjournal"
)

var now = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

const (
	issuerName = "https://login.example.com"
	audience   = "https://habeas.example.com"
)

// provider issues JWTs, and counts how often its keys are asked for.
type provider struct {
	*httptest.Server
	rsa     *rsa.PrivateKey
	ecdsa   *ecdsa.PrivateKey
	ed      ed25519.PrivateKey
	fetches atomic.Int64
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{}
	var err error
	p.rsa, err = rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	p.ecdsa, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	_, p.ed, err = ed25519.GenerateKey(rand.Reader)
	must(t, err)
	b64 := base64.RawURLEncoding.EncodeToString
	point, err := p.ecdsa.PublicKey.Bytes()
	must(t, err)
	set := map[string]any{"keys": []map[string]any{
		{"kid": "r", "kty": "RSA", "use": "sig", "n": b64(p.rsa.N.Bytes()), "e": b64(big.NewInt(int64(p.rsa.E)).Bytes())},
		{"kid": "e", "kty": "EC", "use": "sig", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])},
		{"kid": "d", "kty": "OKP", "use": "sig", "crv": "Ed25519", "x": b64(p.ed.Public().(ed25519.PublicKey))},
	}}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.fetches.Add(1)
		_ = json.NewEncoder(w).Encode(set)
	}))
	t.Cleanup(p.Close)
	return p
}

// knows returns callers of whom one signs in with JWTs.
func (p *provider) knows(t *testing.T) *callers.Callers {
	t.Helper()
	c, err := callers.New(t.Context(), callers.Config{
		Callers: map[string]config.Caller{"signup-page": {JWTs: []config.CallerJWT{{Issuer: issuerName, Subject: "signup"}}}},
		Issuers: []config.Issuer{{Issuer: issuerName, Audience: audience, Keys: p.URL, Type: "at+jwt"}},
		Tokens:  memjournal.New(memjournal.Config{}), Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	})
	must(t, err)
	return c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// good returns the claims of a token that opens the door.
func good() jwt.MapClaims {
	return jwt.MapClaims{"iss": issuerName, "aud": audience, "sub": "signup", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
}

func sign(t rapid.TB, method jwt.SigningMethod, kid string, key any, claims jwt.MapClaims) string {
	token := jwt.NewWithClaims(method, claims)
	token.Header["kid"], token.Header["typ"] = kid, "at+jwt"
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func ask(c *callers.Callers, token string) (callers.Caller, error) {
	r := httptest.NewRequest(http.MethodGet, "/v1/requests", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return c.Of(r)
}

// TestJWTs: a token of the issuer's, by each of its keys, is the caller's.
func TestJWTs(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	c := p.knows(t)
	for name, token := range map[string]string{
		"RS256": sign(t, jwt.SigningMethodRS256, "r", p.rsa, good()), "ES256": sign(t, jwt.SigningMethodES256, "e", p.ecdsa, good()), "EdDSA": sign(t, jwt.SigningMethodEdDSA, "d", p.ed, good()),
	} {
		if got, err := ask(c, token); err != nil || got.Name != "signup-page" {
			t.Errorf("%s: %q %v", name, got.Name, err)
		}
	}
}

// TestForgedJWTs: whatever is changed of a token, it opens nothing, the error quotes
// nothing of it, and the issuer is asked for its keys a few times at most.
func TestForgedJWTs(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	c := p.knows(t)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	public, err := x509.MarshalPKIXPublicKey(&p.rsa.PublicKey)
	must(t, err)
	asSecret := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	with := func(name string, value any) jwt.MapClaims {
		claims := good()
		if value == nil {
			delete(claims, name)
		} else {
			claims[name] = value
		}
		return claims
	}
	issued := func(t rapid.TB, claims jwt.MapClaims) string {
		return sign(t, jwt.SigningMethodES256, "e", p.ecdsa, claims)
	}
	forgeries := map[string]func(t *rapid.T) string{
		"alg none": func(t *rapid.T) string {
			return sign(t, jwt.SigningMethodNone, "r", jwt.UnsafeAllowNoneSignatureType, good())
		},
		"no signature": func(t *rapid.T) string {
			whole := issued(t, good())
			return whole[:strings.LastIndexByte(whole, '.')+1]
		},
		"HS256 with the public key": func(t *rapid.T) string { return sign(t, jwt.SigningMethodHS256, "r", asSecret, good()) },
		"an algorithm not listed":   func(t *rapid.T) string { return sign(t, jwt.SigningMethodRS512, "r", p.rsa, good()) },
		"a stranger's key":          func(t *rapid.T) string { return sign(t, jwt.SigningMethodRS256, "r", stranger, good()) },
		"unknown kid": func(t *rapid.T) string {
			return sign(t, jwt.SigningMethodRS256, rapid.String().Draw(t, "kid"), stranger, good())
		},
		"another audience": func(t *rapid.T) string {
			return issued(t, with("aud", rapid.SampledFrom([]any{"console", []string{"a", "b"}, "", nil}).Draw(t, "aud")))
		},
		"another issuer": func(t *rapid.T) string {
			return issued(t, with("iss", rapid.SampledFrom([]any{"https://evil.example", issuerName + "/", "", nil}).Draw(t, "iss")))
		},
		"expired": func(t *rapid.T) string {
			return issued(t, with("exp", now.Add(-time.Duration(rapid.Int64Range(61, 1<<30).Draw(t, "s"))*time.Second).Unix()))
		},
		"no end":          func(t *rapid.T) string { return issued(t, with("exp", nil)) },
		"not yet":         func(t *rapid.T) string { return issued(t, with("nbf", now.Add(2*time.Minute).Unix())) },
		"from the future": func(t *rapid.T) string { return issued(t, with("iat", now.Add(2*time.Minute).Unix())) },
		"too long":        func(t *rapid.T) string { return issued(t, with("exp", now.Add(48*time.Hour).Unix())) },
		"without a beginning": func(t *rapid.T) string {
			claims := with("iat", nil)
			claims["exp"] = now.Add(time.Duration(rapid.Int64Range(1, 1<<30).Draw(t, "s")) * time.Second).Unix()
			return issued(t, claims)
		},
		"another subject": func(t *rapid.T) string {
			return issued(t, with("sub", rapid.SampledFrom([]any{"", nil, "signup ", "Signup", "other"}).Draw(t, "sub")))
		},
		"an ID token": func(t *rapid.T) string {
			token := jwt.NewWithClaims(jwt.SigningMethodES256, good())
			token.Header["kid"] = "e"
			text, err := token.SignedString(p.ecdsa)
			if err != nil {
				t.Fatal(err)
			}
			return text
		},
		"critical, and unknown": func(t *rapid.T) string {
			token := jwt.NewWithClaims(jwt.SigningMethodES256, good())
			token.Header["kid"], token.Header["typ"], token.Header["crit"] = "e", "at+jwt", []string{"bound-to"}
			text, err := token.SignedString(p.ecdsa)
			if err != nil {
				t.Fatal(err)
			}
			return text
		},
		"one byte changed": func(t *rapid.T) string {
			whole := []byte(issued(t, good()))
			at := rapid.IntRange(0, len(whole)-3).Draw(t, "at") // the last characters carry spare bits
			whole[at] ^= byte(1 << rapid.IntRange(0, 4).Draw(t, "bit"))
			return string(whole)
		},
		"members that are read in two ways": func(t *rapid.T) string {
			return written(t, p, `{"alg":"ES256","kid":"e","typ":"at+jwt"}`, rapid.SampledFrom(readInTwoWays()).Draw(t, "claims"))
		},
		"a header that says more": func(t *rapid.T) string {
			more := rapid.SampledFrom([]string{`"b64":true`, `"zip":"DEF"`, `"jku":"https://keys.example"`, `"Kid":"d"`, `"alg":"none"`, `"crit":["exp"]`, `"mine":1`}).Draw(t, "more")
			claims, err := json.Marshal(good())
			if err != nil {
				t.Fatal(err)
			}
			return written(t, p, `{"alg":"ES256","kid":"e","typ":"at+jwt",`+more+`}`, string(claims))
		},
		"not a JWT": func(t *rapid.T) string { return rapid.StringMatching(`[A-Za-z0-9._-]{1,200}`).Draw(t, "text") },
	}
	for name, forge := range forgeries {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				token := forge(t)
				got, err := ask(c, token)
				if !errors.Is(err, callers.ErrUnknown) || got.Name != "" {
					t.Fatalf("%q %v", got.Name, err)
				}
				for _, said := range []string{"evil", "signup", token} {
					if len(said) > 3 && strings.Contains(err.Error(), said) {
						t.Fatalf("the error quotes the token: %v", err)
					}
				}
			})
		})
	}
	if n := p.fetches.Load(); n > 6 {
		t.Errorf("the issuer was asked for its keys %d times", n)
	}
}

// written returns a token with this header and these claims, as they are written, that the
// provider has signed.
func written(t rapid.TB, p *provider, header, claims string) string {
	b64 := base64.RawURLEncoding.EncodeToString
	text := b64([]byte(header)) + "." + b64([]byte(claims))
	sig, err := jwt.SigningMethodES256.Sign(text, p.ecdsa)
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + b64(sig)
}

// readInTwoWays returns claims of which some program would read that they are the caller's,
// and good.
func readInTwoWays() []string {
	of := func(sub, aud, exp, iat, more string) string {
		return fmt.Sprintf(`{"iss":%q,%s,%s,%s,%s%s}`, issuerName, sub, aud, exp, iat, more)
	}
	sub, aud := `"sub":"signup"`, fmt.Sprintf(`"aud":%q`, audience)
	exp, iat := fmt.Sprintf(`"exp":%d`, now.Add(time.Hour).Unix()), fmt.Sprintf(`"iat":%d`, now.Unix())
	return []string{
		of(`"sub":"other","sub":"signup"`, aud, exp, iat, ""),
		of(`"Sub":"signup"`, aud, exp, iat, ""),
		of(`"sub":"other","SUB":"signup"`, aud, exp, iat, ""),
		of(sub, aud, `"Exp":`+exp[6:], iat, ""),
		of(sub, aud, exp, iat, `,"nbf":"1"`),
		of(sub, aud, `"exp":"`+exp[6:]+`"`, iat, ""),
		of(sub, aud, exp, `"iat":"`+iat[6:]+`"`, ""),
		of(sub, aud, iat[:1]+"exp"+iat[4:], exp[:1]+"iat"+exp[4:], ""), // ends before it begins
		of(sub, fmt.Sprintf(`"aud":[%q,7]`, audience), exp, iat, ""),
		of(sub, fmt.Sprintf(`"aud":{%q:true}`, audience), exp, iat, ""),
		of(sub, aud, exp, iat, `,"cnf":{"x":1,"x":2}`),
		of(sub, aud, exp, iat, `} {`),
	}
}

// TestIssuerDown: a door whose issuer doesn't answer starts, and lets nobody in by it.
func TestIssuerDown(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.Close()
	c := p.knows(t)
	if got, err := ask(c, sign(t, jwt.SigningMethodRS256, "r", p.rsa, good())); !errors.Is(err, callers.ErrUnknown) {
		t.Errorf("%q %v", got.Name, err)
	}
}
