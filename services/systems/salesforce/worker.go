// Package salesforce is the worker of Salesforce. It finds a person's records by
// address, telephone number, id or a field of the company's own and, from them,
// whatever refers to them; copies them, files included; erases or overwrites
// them, recycle bin included; corrects them; and restricts what is done with
// them. Which objects there are and how they relate is in the manifest, under
// worker: (see settings); the code knows none of them.
//
// Many subjects share few calls: queries go as IN lists inside of Composite
// (which also keeps personal data out of URLs), deletions 200 ids to a
// collection and five collections to a call, purges 200 ids to a call. What an
// erasure does follows from what Salesforce says it holds, asked again whenever
// an answer was lost; so a record that is gone isn't deleted a second time.
package salesforce

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/url"
	"time"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// DefaultVersion is the version of the REST interface that is called.
const DefaultVersion = "60.0"

const (
	// MaxBatch is how many subjects one batch should hold at most: about as many
	// as fit one query (see maxTerms).
	MaxBatch = 1000
	// DefaultQuotaPark is how long tasks are parked when the day's calls are
	// used up. The quota is of the last 24 hours, so some of it is back after
	// any wait; Salesforce doesn't say when.
	DefaultQuotaPark = time.Hour
)

// Config says where Salesforce is and how hard it may be asked. BaseURL,
// ClientID and a secret are needed.
type Config struct {
	// BaseURL is the org's own address: https://example.my.salesforce.com.
	BaseURL string
	// ClientID is the connected app's. With Secret, access tokens are got by
	// client credentials; with Key, a private key (RSA, PEM) whose certificate the
	// app has, and Username, by JWT bearer. Both are read anew with each token, so
	// that they can be changed while the worker runs.
	ClientID string
	Secret   vendorapi.Secret
	Key      vendorapi.Secret
	Username string
	// Audience is where Salesforce's logins are, for JWT bearer:
	// https://test.salesforce.com for a sandbox org; [DefaultAudience] where empty.
	Audience string
	// Version is that of the REST interface; [DefaultVersion] where empty.
	Version string
	// DailyShare is the share of the org's calls in a day, by everyone
	// together, at which this worker stops calling and leaves the rest to
	// others; 0.9 where zero.
	DailyShare float64
	// QuotaPark is [DefaultQuotaPark] where zero.
	QuotaPark time.Duration
	// BulkFrom is [DefaultBulkFrom] where zero; below zero, bulk jobs aren't used.
	BulkFrom int
	// Manifest is the embedded one where nil. Its columns are what is asked for.
	Manifest *manifest.Manifest
	// Rate is without limit where zero.
	vendorapi.Access
}

// Worker calls Salesforce. It is safe for concurrent use.
type Worker struct {
	config   Config
	manifest *manifest.Manifest
	api      *vendorapi.Client
	version  string   // v60.0
	objects  []object // in the order in which they are gathered
	purged   *vendorapi.Recent
	pending  pending
	absent   absences
	bulk     bulk
}

var (
	_ worker.Gatherer   = (*Worker)(nil)
	_ worker.Eraser     = (*Worker)(nil)
	_ worker.Rectifier  = (*Worker)(nil)
	_ worker.Restricter = (*Worker)(nil)
	_ worker.Noter      = (*Worker)(nil)

	_ worker.OverdueCounter = (*Worker)(nil)
)

// New returns a worker. It makes no call.
func New(c Config) (*Worker, error) {
	base, err := url.Parse(c.BaseURL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, errors.New("salesforce: base URL: write the org's address, such as https://example.my.salesforce.com")
	}
	switch {
	case c.ClientID == "" || c.Secret.IsZero() == c.Key.IsZero():
		return nil, errors.New("salesforce: credentials: write the client id of a connected app, and either its secret (client credentials) or a private key (JWT bearer)")
	case !c.Key.IsZero() && c.Username == "":
		return nil, errors.New("salesforce: username: JWT bearer needs the integration user's name")
	}
	c.Audience = cmp.Or(c.Audience, DefaultAudience)
	c.BaseURL = base.Scheme + "://" + base.Host
	c.Access = c.Or(vendorapi.Access{})
	c.Version = cmp.Or(c.Version, DefaultVersion)
	c.DailyShare = cmp.Or(c.DailyShare, 0.9)
	c.QuotaPark = cmp.Or(c.QuotaPark, DefaultQuotaPark)
	if c.BulkFrom = cmp.Or(c.BulkFrom, DefaultBulkFrom); c.BulkFrom < 0 {
		c.BulkFrom = math.MaxInt
	}
	m := c.Manifest
	if m == nil {
		if m, err = Manifest(); err != nil {
			return nil, err
		}
	}
	w := &Worker{config: c, manifest: m, version: "v" + c.Version, purged: vendorapi.NewRecent(c.Now)}
	if w.objects, err = objectsOf(m); err != nil {
		return nil, fmt.Errorf("salesforce: %w", err)
	}
	w.pending = pending{now: c.Now, at: map[string]doubt{}}
	w.absent = absences{now: c.Now, list: map[int]absence{}}
	w.api, err = vendorapi.New(vendorapi.Config{
		Vendor: "Salesforce", Parse: readReply, Codes: w.codes(), Token: w.token, Account: "salesforce/" + base.Host, Access: c.Access,
		Quota: vendorapi.Quota{Usage: usage, Share: c.DailyShare},
	})
	return w, err
}

// MaxBatch returns the largest batch that makes sense.
func (w *Worker) MaxBatch() int { return MaxBatch }
