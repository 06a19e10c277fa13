// Package marketo is the worker of Marketo: it finds a person's leads by e-mail
// address, of which there may be several; copies them, their activities, their
// memberships and what the instance's own objects hold of them, as the manifest
// declares; erases them; corrects them; and has them left alone.
//
// Many subjects share few calls: 250 addresses to a query, 30 leads and 10 types
// to a page of activities, 300 leads to a deletion. Addresses go in the body of a
// POST that stands for a GET, so that no URL holds personal data. What an erasure
// does follows from what Marketo says it holds, asked again whenever an answer
// was lost; so a lead that is gone isn't deleted a second time.
//
// What Marketo keeps of its own accord is not erased: that an address has
// unsubscribed outlives its lead (durable unsubscribe), and isn't readable over
// the interface. The trace of an erasure says so, of whom it concerns.
package marketo

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"time"
	_ "time/tzdata" // the quota's day is that of America/Chicago, on every machine

	"golang.org/x/time/rate"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

const (
	// MaxBatch is how many subjects one batch should hold at most: four queries.
	MaxBatch = 4 * maxAddresses
	// DefaultRate and DefaultBurst are the pace that Adobe advises: 50 calls in
	// 20 seconds, half of what it takes.
	DefaultRate  rate.Limit = 2.5
	DefaultBurst int        = 50
	// DefaultDaily is the part of a common quota of 50,000 calls a day that is
	// ours; the rest is left to the company's other integrations.
	DefaultDaily int64 = 40_000
)

// Config says where Marketo is and how hard it may be asked. BaseURL, ClientID
// and a secret are needed.
type Config struct {
	// BaseURL is the instance's address: https://123-ABC-456.mktorest.com.
	BaseURL string
	// ClientID and Secret are a custom service's. The secret is read at each new
	// token, so that it can be changed while the worker runs.
	ClientID string
	Secret   vendorapi.Secret
	// Manifest is the embedded one where nil. Its columns are what is asked for.
	Manifest *manifest.Manifest
	// Daily is [DefaultDaily] where zero, renewed at midnight in Chicago; Rate and
	// Burst are [DefaultRate] and [DefaultBurst].
	vendorapi.Access
}

// Worker calls Marketo. It is safe for concurrent use.
type Worker struct {
	config   Config
	manifest *manifest.Manifest
	secret   vendorapi.Secret
	api      *vendorapi.Client
	leads    *dataset
	others   []*dataset // in the order of the manifest
	deleted  *vendorapi.Recent
	quotaDay quotaDay

	typesMu sync.Mutex
	types   activityTypes

	described described
}

var (
	_ worker.Gatherer   = (*Worker)(nil)
	_ worker.Eraser     = (*Worker)(nil)
	_ worker.Rectifier  = (*Worker)(nil)
	_ worker.Restricter = (*Worker)(nil)
)

// New returns a worker. It makes no call.
func New(c Config) (*Worker, error) {
	base, err := url.Parse(c.BaseURL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, errors.New("marketo: base URL: write the instance's address, such as https://123-ABC-456.mktorest.com")
	}
	if c.ClientID == "" || c.Secret.IsZero() {
		return nil, errors.New("marketo: client id and secret: write those of a custom service (Admin, LaunchPoint)")
	}
	c.BaseURL = base.Scheme + "://" + base.Host
	c.Access = c.Or(vendorapi.Access{Rate: DefaultRate, Burst: DefaultBurst, Daily: DefaultDaily})
	m := c.Manifest
	if m == nil {
		if m, err = Manifest(); err != nil {
			return nil, err
		}
	}
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		return nil, err
	}
	w := &Worker{config: c, manifest: m, secret: c.Secret, deleted: vendorapi.NewRecent(c.Now), quotaDay: quotaDay{zone}}
	if w.leads, w.others, err = datasetsOf(m); err != nil {
		return nil, err
	}
	w.api, err = vendorapi.New(vendorapi.Config{
		Vendor: "Marketo", Parse: readReply, Codes: w.codes(), Token: w.token, Account: "marketo/" + base.Host, Access: c.Access,
		Quota: vendorapi.Quota{Renewal: w.quotaDay.end}, RequestID: requestID,
	})
	return w, err
}

// MaxBatch returns the largest batch that makes sense.
func (w *Worker) MaxBatch() int { return MaxBatch }

// token gets an access token by client credentials.
func (w *Worker) token(ctx context.Context) (vendorapi.Token, error) {
	secret, err := w.secret.Read()
	if err != nil {
		return vendorapi.Token{}, worker.Permanent("no-secret", "Marketo's client secret can't be read: check the file or the variable that it is to come from", err)
	}
	g, err := w.api.Authorize(ctx, w.config.BaseURL+"/identity/oauth/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {w.config.ClientID}, "client_secret": {secret},
	})
	return vendorapi.Token{Value: g.Token, Until: g.Until, Base: w.config.BaseURL}, err
}
