package salesforce

import (
	"context"
	"net/http"
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
	a, err := w.api.Post(ctx, w.config.BaseURL+"/services/oauth2/token", form)
	if err != nil {
		return vendorapi.Token{}, err
	}
	var token, base, code string
	s := vendorapi.NewScanner(a.Body)
	s.Object(func(key []byte) {
		switch string(key) {
		case "access_token":
			token = s.String()
		case "instance_url":
			base = s.String()
		case "error":
			code = s.String()
		default:
			s.Skip()
		}
	})
	switch {
	case a.Status >= 500 || a.Status == http.StatusTooManyRequests:
		return vendorapi.Token{}, vendorapi.Again(a.RetryAfter(w.config.Now()), "unavailable", "Salesforce gives no access tokens at the moment", a.Detail())
	case a.Status != http.StatusOK:
		// The codes are OAuth's (RFC 6749, 5.2) and free of personal data.
		return vendorapi.Token{}, worker.Permanent("credentials", "Salesforce refuses the worker's credentials ("+vendorapi.Code(strings.ToUpper(code))+"): check client id, secret or key, and the app's flow", nil)
	case s.Err() != nil || token == "":
		return vendorapi.Token{}, vendorapi.Again(0, "broken-answer", "Salesforce's answer to a request for a token could not be read", nil)
	}
	// A token must not be sent just anywhere: not in the clear where the org is
	// reached over TLS.
	if u, err := url.Parse(base); err != nil || u.Host == "" || u.Scheme != "https" && !strings.HasPrefix(w.config.BaseURL, "http:") {
		base = w.config.BaseURL
	}
	return vendorapi.Token{Value: token, Base: base}, nil
}

// grant is the form that a token is asked for with.
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
