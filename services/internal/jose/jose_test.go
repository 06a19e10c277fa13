package jose_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"habeas.dev/services/internal/jose"
)

const header = `{"alg":"ES256","kid":"e","typ":"at+jwt"}`

func compact(header, payload, signature string) string {
	b64 := base64.RawURLEncoding.EncodeToString
	return b64([]byte(header)) + "." + b64([]byte(payload)) + "." + b64([]byte(signature))
}

// TestHeaders: a header is read as it is written, or refused.
func TestHeaders(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		header: nil,
		`{"alg":"RS256","kid":"a","x5t":"AA","x5t#S256":"AA"}`: nil,
		`{"alg":"RS256"}`:                                           nil,
		`{"kid":"e"}`:                                               jose.ErrMissed,
		`{"alg":"ES256","alg":"none","kid":"e"}`:                    jose.ErrObject,
		`{"alg":"ES256","\u0061lg":"none"}`:                         jose.ErrObject,
		`{"Alg":"ES256","alg":"ES256"}`:                             jose.ErrName,
		`{"alg":"ES256","Kid":"e"}`:                                 jose.ErrName,
		`{"alg":"ES256","\u212aid":"e"}`:                            jose.ErrName, // the Kelvin sign folds to k
		`{"alg":["ES256"]}`:                                         jose.ErrType,
		`{"alg":null}`:                                              jose.ErrType,
		`{"alg":"ES256","kid":7}`:                                   jose.ErrType,
		`{"alg":"ES256","kid":""}`:                                  jose.ErrType,
		`{"alg":"ES256","kid":"\ud800"}`:                            jose.ErrType,
		`{"alg":"ES256","kid":"` + strings.Repeat("k", 1025) + `"}`: jose.ErrType,
		`{"alg":"ES256","b64":false}`:                               jose.ErrHeader,
		`{"alg":"ES256","b64":false,"crit":["b64"]}`:                jose.ErrHeader,
		`{"alg":"ES256","b64":true}`:                                jose.ErrHeader,
		`{"alg":"ES256","crit":[]}`:                                 jose.ErrHeader,
		`{"alg":"ES256","crit":null}`:                               jose.ErrHeader,
		`{"alg":"ES256","Crit":["exp"]}`:                            jose.ErrHeader,
		`{"alg":"ES256","zip":"DEF"}`:                               jose.ErrHeader,
		`{"alg":"ES256","jku":"https://evil.example/keys"}`:         jose.ErrHeader,
		`{"alg":"ES256","jwk":{"kty":"EC"}}`:                        jose.ErrHeader,
		`{"alg":"ES256","x5c":[]}`:                                  jose.ErrHeader,
		`{"alg":"ES256","mine":1}`:                                  jose.ErrHeader,
		`{"alg":"ES256"} {}`:                                        jose.ErrObject,
		`{"alg":"ES256",}`:                                          jose.ErrObject,
		`{"alg" "ES256"}`:                                           jose.ErrObject,
		`["alg"]`:                                                   jose.ErrObject,
		``:                                                          jose.ErrObject,
		"{\"alg\":\"ES256\",\"kid\":\"\xff\"}":                      jose.ErrObject,
		`{"alg":"ES256","m":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`: jose.ErrObject,
	} {
		if _, _, err := jose.ReadToken(compact(text, `{}`, "")); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
		if _, err := jose.ReadDetached(compact(text, ``, "s")); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%s, of a detached one: %v, want %v", text, err, want)
		}
	}
}

// TestClaims: claims are read as they are written, or refused.
func TestClaims(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		`{"iss":"i","sub":"s","aud":"a","exp":2,"nbf":1,"iat":1,"jti":"j","groups":["a","a"],"cnf":{"a":{"b":1}}}`: nil,
		`{"aud":["a","b"],"exp":1.5,"iat":1e3}`: nil,
		`{"sub":"a","sub":"b"}`:                 jose.ErrObject,
		`{"sub":"a","s\u0075b":"b"}`:            jose.ErrObject,
		`{"cnf":{"a":1,"a":2}}`:                 jose.ErrObject,
		`{"Sub":"a"}`:                           jose.ErrName,
		`{"sub":"a","SUB":"b"}`:                 jose.ErrName,
		`{"\u017fub":"a"}`:                      jose.ErrName, // the long s folds to s
		`{"Exp":1}`:                             jose.ErrName,
		`{"exp":"1"}`:                           jose.ErrType,
		`{"nbf":"1"}`:                           jose.ErrType,
		`{"iat":"1"}`:                           jose.ErrType,
		`{"exp":null}`:                          jose.ErrType,
		`{"exp":true}`:                          jose.ErrType,
		`{"exp":[1]}`:                           jose.ErrType,
		`{"exp":-1}`:                            jose.ErrType,
		`{"exp":1e999}`:                         jose.ErrType,
		`{"exp":1e15}`:                          jose.ErrType,
		`{"exp":1.` + strings.Repeat("0", 40) + `}`: jose.ErrType,
		`{"sub":7}`:           jose.ErrType,
		`{"sub":""}`:          jose.ErrType,
		`{"iss":["i"]}`:       jose.ErrType,
		`{"aud":7}`:           jose.ErrType,
		`{"aud":{"a":1}}`:     jose.ErrType,
		`{"aud":[]}`:          jose.ErrType,
		`{"aud":["a",7]}`:     jose.ErrType,
		`{"aud":["a",["b"]]}`: jose.ErrType,
		`{"aud":["a",null]}`:  jose.ErrType,
		`{"aud":null}`:        jose.ErrType,
		`{"aud":[` + strings.Repeat(`"a",`, 40) + `"a"]}`: jose.ErrType,
		`null`: jose.ErrObject,
		`{}}`:  jose.ErrObject,
	} {
		if _, _, err := jose.ReadToken(compact(header, text, "")); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
}

// TestForms: what is no compact JWS is refused, though a decoder of base64 would read it.
func TestForms(t *testing.T) {
	t.Parallel()
	good := compact(header, `{}`, "s")
	for text, want := range map[string]error{
		good: nil, "": jose.ErrForm, "a.b": jose.ErrForm, good + ".": jose.ErrForm, good + "=": jose.ErrForm, good + "\n": jose.ErrForm,
		good[:4] + "\r\n" + good[4:]: jose.ErrForm, " " + good: jose.ErrForm, good[:len(good)-1] + "+": jose.ErrForm,
		good + strings.Repeat("A", jose.MaxToken): jose.ErrLength,
	} {
		if _, _, err := jose.ReadToken(text); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%.60q: %v, want %v", text, err, want)
		}
	}
	for _, text := range []string{good, compact(header, "", ""), compact(header, "", "s") + "\n"} {
		if _, err := jose.ReadDetached(text); !errors.Is(err, jose.ErrForm) {
			t.Errorf("%q, as a detached one: %v", text, err)
		}
	}
}

// TestGoodAt: the clock's leeway is given both ways, and a token ends after it begins.
func TestGoodAt(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	at := func(seconds int) time.Time { return now.Add(time.Duration(seconds) * time.Second) }
	for name, c := range map[string]struct {
		claims jose.Claims
		want   error
	}{
		"good":                    {jose.Claims{IssuedAt: at(-10), Expires: at(10)}, nil},
		"good, by the leeway":     {jose.Claims{IssuedAt: at(-100), Expires: at(-59)}, nil},
		"begins, by the leeway":   {jose.Claims{IssuedAt: at(60), NotBefore: at(60), Expires: at(100)}, nil},
		"no end":                  {jose.Claims{IssuedAt: at(-10)}, jose.ErrMissed},
		"no beginning":            {jose.Claims{Expires: at(10)}, jose.ErrMissed},
		"ends before it begins":   {jose.Claims{IssuedAt: at(20), Expires: at(10)}, jose.ErrOrder},
		"ends when it begins":     {jose.Claims{IssuedAt: at(10), Expires: at(10)}, jose.ErrOrder},
		"ends before it is good":  {jose.Claims{IssuedAt: at(-20), NotBefore: at(30), Expires: at(10)}, jose.ErrOrder},
		"from the future":         {jose.Claims{IssuedAt: at(61), Expires: at(100)}, jose.ErrFuture},
		"not yet":                 {jose.Claims{IssuedAt: at(0), NotBefore: at(61), Expires: at(100)}, jose.ErrEarly},
		"over, beyond the leeway": {jose.Claims{IssuedAt: at(-100), Expires: at(-60)}, jose.ErrEnded},
	} {
		if err := c.claims.GoodAt(now, time.Minute); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// FuzzReadToken: what is read, another reader reads the same in; what isn't is refused by
// a constant, and nothing panics.
func FuzzReadToken(f *testing.F) {
	for _, claims := range []string{
		`{"iss":"i","sub":"s","aud":"a","exp":2,"nbf":1,"iat":1}`, `{"aud":["a","b"],"exp":1.5}`, `{"sub":"a","Sub":"b"}`, `{"exp":"1"}`, `{"sub":"\ud800"}`, `{"aud":[[]]}`, `{"exp":1e400}`, `[`,
	} {
		f.Add(header, claims)
	}
	f.Add(`{"alg":"none","crit":["b64"],"b64":false}`, `{}`)
	known := []error{jose.ErrLength, jose.ErrForm, jose.ErrObject, jose.ErrHeader, jose.ErrName, jose.ErrType, jose.ErrMissed}
	f.Fuzz(func(t *testing.T, head, claims string) {
		token := compact(head, claims, "s")
		h, c, err := jose.ReadToken(token)
		if err != nil {
			for _, is := range known {
				if err == is { //nolint:errorlint // nothing is wrapped
					return
				}
			}
			t.Fatalf("%v is none of the errors", err)
		}
		var other jwt.RegisteredClaims
		parsed, _, err := jwt.NewParser(jwt.WithStrictDecoding()).ParseUnverified(token, &other)
		if err != nil {
			if errors.Is(err, jwt.ErrTokenUnverifiable) { // an algorithm that it doesn't have
				return
			}
			t.Fatalf("read, and another reader doesn't: %v", err)
		}
		kid, _ := parsed.Header["kid"].(string)
		typ, _ := parsed.Header["typ"].(string)
		if parsed.Header["alg"] != h.Algorithm || kid != h.KeyID || typ != h.Type || other.Issuer != c.Issuer || other.Subject != c.Subject || strings.Join(other.Audience, "\x00") != strings.Join(c.Audience, "\x00") {
			t.Fatalf("%+v %+v, another reader: %+v %+v", h, c, parsed.Header, other)
		}
		for ours, theirs := range map[*time.Time]*jwt.NumericDate{&c.Expires: other.ExpiresAt, &c.NotBefore: other.NotBefore, &c.IssuedAt: other.IssuedAt} {
			if ours.IsZero() != (theirs == nil) || theirs != nil && ours.Sub(theirs.Time).Abs() > time.Second { // theirs has whole seconds
				t.Fatalf("%s, another reader: %v", ours, theirs)
			}
		}
	})
}
