package vendorapi

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"habeas.dev/pkg/worker"
)

// OAuthToken is an access token as a vendor gave it.
type OAuthToken struct {
	Token string
	// Until is when it ends; the zero time where the vendor doesn't say.
	Until time.Time
	// Instance is the address for calls with it, where the vendor names one.
	Instance string
}

// refusedForGood are the errors of OAuth with which a person must deal: those of
// RFC 6749, 5.2, and what Salesforce has besides.
var refusedForGood = map[string]bool{
	"invalid_request": true, "invalid_client": true, "invalid_grant": true, "unauthorized_client": true,
	"unsupported_grant_type": true, "invalid_scope": true, "unauthorized": true, "access_denied": true,
	"invalid_client_id": true, "invalid_client_credentials": true, "inactive_user": true, "inactive_org": true, "app_not_found": true,
}

// Authorize asks for an access token (RFC 6749): the form is the grant's. To ask
// does nothing that couldn't be done again, so that whatever isn't a refusal in
// OAuth's own form is tried again. Its errors name OAuth's code, never what was
// sent.
func (c *Client) Authorize(ctx context.Context, address string, form url.Values) (OAuthToken, error) {
	a, err := c.send(ctx, Call{Method: http.MethodPost, Path: address, Body: []byte(form.Encode()),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}, Token{})
	if err != nil {
		return OAuthToken{}, err
	}
	var g OAuthToken
	var code string
	life := int64(-1)
	s := NewScanner(a.Body)
	s.Object(func(key []byte) {
		switch string(key) {
		case "access_token":
			g.Token = s.String()
		case "expires_in":
			life = s.Int()
		case "instance_url":
			g.Instance = s.String()
		case "error":
			code = s.String()
		default:
			s.Skip()
		}
	})
	s.End()
	vendor := c.config.Vendor
	switch {
	case s.Err() == nil && a.Status == http.StatusOK && g.Token != "":
		if life >= 0 {
			g.Until = c.config.Now().Add(time.Duration(life) * time.Second)
		}
		return g, nil
	case s.Err() == nil && a.Status < http.StatusInternalServerError && refusedForGood[code]:
		return OAuthToken{}, worker.Permanent("credentials", vendor+" refuses the worker's credentials ("+Code(strings.ToUpper(code))+"): check client id and secret or key, and what they may be used for", nil)
	}
	// Its own words aren't wrapped: an answer of this kind may repeat a secret.
	return OAuthToken{}, Again(a.RetryAfter(c.config.Now()), codeUnavailable, vendor+" gives no access token at the moment", nil)
}
