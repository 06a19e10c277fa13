package salesforce

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// DefaultAudience is where production orgs log in.
const DefaultAudience = "https://login.salesforce.com"

// assertionLife is how long an assertion is good for: Salesforce takes three
// minutes at most, and clocks differ.
const assertionLife = 2 * time.Minute

// token gets an access token. It has no end that is known: a refused one is
// renewed.
func (w *Worker) token(ctx context.Context) (vendorapi.Token, error) {
	form, err := w.grant()
	if err != nil {
		return vendorapi.Token{}, err
	}
	g, err := w.api.Authorize(ctx, w.config.BaseURL+"/services/oauth2/token", form)
	if err != nil {
		return vendorapi.Token{}, err
	}
	// A token must not be sent just anywhere: not in the clear where the org is
	// reached over TLS.
	base := g.Instance
	if u, err := url.Parse(base); err != nil || u.Host == "" || u.Scheme != "https" && !strings.HasPrefix(w.config.BaseURL, "http:") {
		base = w.config.BaseURL
	}
	return vendorapi.Token{Value: g.Token, Base: base}, nil
}

// grant returns the form that a token is asked for with.
func (w *Worker) grant() (url.Values, error) {
	if w.config.Key.IsZero() {
		secret, err := w.config.Secret.Read()
		if err != nil {
			return nil, worker.Permanent("no-secret", "Salesforce's client secret can't be read", err)
		}
		return url.Values{"grant_type": {"client_credentials"}, "client_id": {w.config.ClientID}, "client_secret": {secret}}, nil
	}
	pem, err := w.config.Key.Read()
	if err != nil {
		return nil, worker.Permanent("no-secret", "the private key for Salesforce can't be read", err)
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(pem))
	if err != nil {
		return nil, worker.Permanent("no-secret", "the private key for Salesforce isn't an RSA key in PEM", nil)
	}
	assertion, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.RegisteredClaims{
		Issuer: w.config.ClientID, Subject: w.config.Username, Audience: jwt.ClaimStrings{w.config.Audience},
		ExpiresAt: jwt.NewNumericDate(w.config.Now().Add(assertionLife)),
	}).SignedString(key)
	if err != nil {
		return nil, worker.Permanent("no-secret", "the private key for Salesforce signs nothing", nil)
	}
	return url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}, nil
}
