package salesforce

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// maxAssertion is how far ahead an assertion may end. Salesforce's documentation
// says three minutes; clients in wide use sign for five.
const maxAssertion = 5 * time.Minute

// token answers OAuth 2.0: client credentials, and JWT bearer where the app has
// a certificate. There is no expires_in.
func (s *Server) token(w http.ResponseWriter, r *http.Request, body []byte) {
	form, err := url.ParseQuery(string(body))
	refuseToken := func(code, text string) {
		b, _ := json.Marshal(map[string]string{"error": code, "error_description": text})
		write(w, answer{status: http.StatusBadRequest, body: b})
	}
	if r.Method != http.MethodPost || err != nil {
		refuseToken("invalid_request", "must use HTTP POST")
		return
	}
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if u, p, ok := r.BasicAuth(); ok {
		id, secret = u, p
	}
	switch grant := form.Get("grant_type"); {
	case grant == "urn:ietf:params:oauth:grant-type:jwt-bearer":
		if text := s.assertion(form.Get("assertion"), origin(r)); text != "" {
			refuseToken("invalid_grant", text)
			return
		}
	case grant != "client_credentials":
		refuseToken("unsupported_grant_type", "grant type not supported")
		return
	case id != s.config.ClientID:
		refuseToken("invalid_client_id", "client identifier invalid")
		return
	case subtle.ConstantTimeCompare([]byte(secret), []byte(s.config.ClientSecret)) != 1:
		refuseToken("invalid_client", "invalid client credentials")
		return
	}
	write(w, reply(map[string]string{
		"access_token": s.tokens.issue(), "signature": "c2FuZGJveA==", "instance_url": origin(r),
		"id":         origin(r) + "/id/00D5g0000000001EAA/0055g0000000001AAA",
		"token_type": "Bearer", "issued_at": strconv.FormatInt(s.config.Clock().UnixMilli(), 10), "scope": "api",
	}))
}

// assertion returns what is wrong with a JWT, in Salesforce's words; nothing where
// it is good.
func (s *Server) assertion(text, own string) string {
	if s.config.Certificate == nil {
		return "user hasn't approved this consumer"
	}
	var claims jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(text, &claims, func(*jwt.Token) (any, error) { return s.config.Certificate, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(s.config.Clock), jwt.WithExpirationRequired())
	good := func(audience string) bool {
		return audience == "https://login.salesforce.com" || audience == "https://test.salesforce.com" || audience == own
	}
	switch {
	case err != nil:
		return "invalid assertion"
	case claims.ExpiresAt.After(s.config.Clock().Add(maxAssertion)):
		return "invalid assertion: it ends too late"
	case claims.Issuer != s.config.ClientID:
		return "client identifier invalid"
	case len(claims.Audience) != 1 || !good(claims.Audience[0]):
		return "audience is invalid"
	case claims.Subject != s.config.Username:
		return "user hasn't approved this consumer"
	}
	return ""
}
