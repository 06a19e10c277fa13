package callers

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/jose"
)

const (
	// leeway is how far the clocks of an issuer and ours may be apart.
	leeway = time.Minute
	// maxLife bounds how long a token may be good: who steals a longer one has it for
	// as long, since a JWT can't be revoked.
	maxLife = 24 * time.Hour
	// keysEvery is how often an issuer's keys are read again: a key that it withdraws
	// is good for so long.
	keysEvery = 5 * time.Minute
	// keysTimeout bounds one reading of them.
	keysTimeout = 5 * time.Second
	// unknownKeyEvery and unknownKeys bound the readings that tokens with unknown key
	// ids cause: a new key is known at once, a flood of forged tokens costs the issuer
	// a reading every ten seconds. unknownKeyWait is how long a token waits for its.
	unknownKeyEvery = 10 * time.Second
	unknownKeys     = 3
	unknownKeyWait  = time.Second
	// maxKeys bounds a key set, in bytes.
	maxKeys = 1 << 20
)

// defaultAlgorithms are what issuers sign with, unless the configuration says
// otherwise. All have public keys: who can check a token can't make one.
var defaultAlgorithms = []string{"RS256", "ES256", "EdDSA"}

// issuers reads JWTs, each by its issuer's keys.
type issuers struct{ byName map[string]*issuer }

type issuer struct {
	config.Issuer
	keys   keyfunc.Keyfunc
	parser *jwt.Parser // of signatures alone
	now    func() time.Time
}

func newIssuers(ctx context.Context, all []config.Issuer, now func() time.Time, log *slog.Logger) (*issuers, error) {
	out := &issuers{byName: map[string]*issuer{}}
	for _, c := range all {
		one, err := newIssuer(ctx, c, now, log)
		if err != nil {
			return nil, fmt.Errorf("issuer %s: %w", c.Issuer, err)
		}
		out.byName[c.Issuer] = one
	}
	return out, nil
}

func newIssuer(ctx context.Context, c config.Issuer, now func() time.Time, log *slog.Logger) (*issuer, error) {
	if len(c.Algorithms) == 0 {
		c.Algorithms = defaultAlgorithms
	}
	keys, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{c.Keys}, keyfunc.Override{
		Client:      &http.Client{Timeout: keysTimeout, Transport: bounded{http.DefaultTransport}},
		HTTPTimeout: keysTimeout, RefreshInterval: keysEvery, RateLimitWaitMax: unknownKeyWait,
		RefreshUnknownKID: rate.NewLimiter(rate.Every(unknownKeyEvery), unknownKeys),
		RefreshErrorHandlerFunc: func(string) func(context.Context, error) {
			return func(ctx context.Context, err error) {
				log.WarnContext(ctx, "an issuer's keys can't be read; those that are known hold", "issuer", c.Issuer, "error", err)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	return &issuer{Issuer: c, keys: keys, now: now, parser: jwt.NewParser(jwt.WithValidMethods(c.Algorithms), jwt.WithoutClaimsValidation(), jwt.WithStrictDecoding())}, nil
}

// read returns whom a JWT names. Every error that its text can cause is [ErrUnknown],
// and quotes nothing of it.
func (i *issuers) read(token string) (config.CallerJWT, error) {
	header, claims, err := jose.ReadToken(token)
	if err != nil {
		return config.CallerJWT{}, unknown(err)
	}
	from, ok := i.byName[claims.Issuer]
	if !ok {
		return config.CallerJWT{}, fmt.Errorf("%w: a JWT of an issuer that isn't configured", ErrUnknown)
	}
	if err := from.check(header, claims); err != nil {
		return config.CallerJWT{}, unknown(err)
	}
	if parsed, err := from.parser.ParseWithClaims(token, &unread{}, from.keys.Keyfunc); err != nil || !parsed.Valid {
		return config.CallerJWT{}, fmt.Errorf("%w: a JWT whose signature isn't the issuer's", ErrUnknown)
	}
	return config.CallerJWT{Issuer: claims.Issuer, Subject: claims.Subject}, nil
}

// The errors of a JWT that can be read, and isn't for this door.
var (
	errAudience = telemetry.Constant("a JWT for another audience")
	errType     = telemetry.Constant("a JWT of another type than the configuration names")
	errLife     = telemetry.Constant("a JWT that is good for more than a day")
	errSubject  = telemetry.Constant("a JWT without a subject")
)

// check says what is wrong with what a JWT says of itself, before its signature costs
// anything.
func (i *issuer) check(header jose.Header, claims jose.Claims) error {
	typ := strings.TrimPrefix(strings.ToLower(header.Type), "application/")
	switch {
	case !slices.Contains(claims.Audience, i.Audience):
		return errAudience
	case i.Type != "" && !strings.EqualFold(typ, i.Type):
		return errType
	case claims.Subject == "":
		return errSubject
	}
	if err := claims.GoodAt(i.now(), leeway); err != nil {
		return err
	}
	if claims.Expires.Sub(claims.IssuedAt) > maxLife {
		return errLife
	}
	return nil
}

// unknown makes [ErrUnknown] of why a token isn't good.
func unknown(err error) error { return fmt.Errorf("%w: %w", ErrUnknown, err) }

// unread are claims of which the parser reads nothing: [jose.ReadToken] has read them.
type unread struct{ jwt.RegisteredClaims }

// UnmarshalJSON reads nothing.
func (*unread) UnmarshalJSON([]byte) error { return nil }

// bounded bounds what is read of a key set.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.next.RoundTrip(r)
	if err == nil {
		res.Body = http.MaxBytesReader(nil, res.Body, maxKeys)
	}
	return res, err
}
