package callers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"

	"habeas.dev/services/internal/config"
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
	parser *jwt.Parser
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
	return &issuer{Issuer: c, keys: keys, parser: jwt.NewParser(jwt.WithValidMethods(c.Algorithms), jwt.WithAudience(c.Audience), jwt.WithIssuer(c.Issuer),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(leeway), jwt.WithTimeFunc(now), jwt.WithStrictDecoding())}, nil
}

// read returns whom a JWT names. Every error that its text can cause is [ErrUnknown],
// and quotes nothing of it.
func (i *issuers) read(token string) (config.CallerJWT, error) {
	claimed, err := claimedIssuer(token)
	if err != nil {
		return config.CallerJWT{}, err
	}
	from, ok := i.byName[claimed]
	if !ok {
		return config.CallerJWT{}, fmt.Errorf("%w: a JWT of an issuer that isn't configured", ErrUnknown)
	}
	var claims jwt.RegisteredClaims
	parsed, err := from.parser.ParseWithClaims(token, &claims, from.keys.Keyfunc)
	if err != nil || !parsed.Valid {
		return config.CallerJWT{}, fmt.Errorf("%w: %s", ErrUnknown, why(err))
	}
	if _, has := parsed.Header["crit"]; has { // RFC 7515, 4.1.11: what isn't understood is refused
		return config.CallerJWT{}, fmt.Errorf("%w: a JWT that asks for what isn't known", ErrUnknown)
	}
	if typ, _ := parsed.Header["typ"].(string); from.Type != "" && !strings.EqualFold(strings.TrimPrefix(strings.ToLower(typ), "application/"), from.Type) {
		return config.CallerJWT{}, fmt.Errorf("%w: a JWT of another type than %s", ErrUnknown, from.Type)
	}
	if claims.IssuedAt == nil || claims.ExpiresAt.Sub(claims.IssuedAt.Time) > maxLife {
		return config.CallerJWT{}, fmt.Errorf("%w: a JWT that doesn't say since when it is good, or for more than %s", ErrUnknown, maxLife)
	}
	if claims.Subject == "" {
		return config.CallerJWT{}, fmt.Errorf("%w: a JWT without a subject", ErrUnknown)
	}
	return config.CallerJWT{Issuer: claimed, Subject: claims.Subject}, nil
}

// claimedIssuer returns the issuer that a JWT names, before anything of it is checked.
func claimedIssuer(token string) (string, error) {
	var claims jwt.RegisteredClaims
	if _, _, err := jwt.NewParser(jwt.WithStrictDecoding()).ParseUnverified(token, &claims); err != nil {
		return "", fmt.Errorf("%w: no JWT", ErrUnknown)
	}
	return claims.Issuer, nil
}

// why says in words of our own what is wrong with a JWT: the library's quote it.
func why(err error) string {
	for is, text := range map[error]string{
		jwt.ErrTokenExpired: "a JWT that has ended", jwt.ErrTokenNotValidYet: "a JWT that isn't good yet", jwt.ErrTokenUsedBeforeIssued: "a JWT from the future",
		jwt.ErrTokenInvalidAudience: "a JWT for another audience", jwt.ErrTokenRequiredClaimMissing: "a JWT that lacks a claim",
	} {
		if errors.Is(err, is) {
			return text
		}
	}
	return "a JWT whose signature isn't the issuer's"
}

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
