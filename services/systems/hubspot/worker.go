// Package hubspot is the worker of HubSpot: it finds a person's contact by e-mail
// address, copies it, corrects it, and deletes it for good with all that hangs on
// it (gdpr-delete). It is the example of docs/vendors.md.
//
// A hundred addresses share one call to read, and stand in its body; a deletion is
// about one contact. Addresses of a contact beside its first are matched by
// hs_additional_emails; whether HubSpot finds a contact by them in a batch isn't
// documented. How long after a deletion HubSpot is done with what hung on the
// contact isn't either: the proof is about the contact. A deleted address is
// never given to gdpr-delete itself: HubSpot would put it on a list of addresses
// that can't be used again.
//
// That people have unsubscribed is kept apart from contacts, and is left.
//
// From HubSpot's documentation: the calls and their bodies, what gdpr-delete does
// with an address that nobody has, the common errors, the two limits. From memory,
// and to be watched with a real account: that a batch with some contacts missing
// is answered 207 with an error that names them under context, a deletion of what
// isn't there 404, and that a property which the account doesn't have is left out
// of the answer. Whom an answer neither holds nor names is asked for again.
package hubspot

import (
	"cmp"
	"context"
	"errors"
	"net/url"

	"golang.org/x/time/rate"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

const (
	// MaxBatch is how many subjects one batch should hold at most: four reads.
	MaxBatch = 4 * maxInputs
	// DefaultRate and DefaultBurst are half of what the smallest plan allows a
	// private app: 100 calls in ten seconds.
	DefaultRate  rate.Limit = 5
	DefaultBurst int        = 50
	// DefaultBaseURL is HubSpot's, whatever the account.
	DefaultBaseURL = "https://api.hubapi.com"
)

// Config says where HubSpot is and how hard it may be asked. A token is needed.
type Config struct {
	BaseURL string // [DefaultBaseURL] where empty
	// Token is a private app's access token.
	Token vendorapi.Secret
	// Manifest is the embedded one where nil. Its columns are what is asked for.
	Manifest *manifest.Manifest
	// Rate and Burst are [DefaultRate] and [DefaultBurst] where zero.
	vendorapi.Access
}

// Worker calls HubSpot. It is safe for concurrent use.
type Worker struct {
	config  Config
	api     *vendorapi.Client
	columns []string
	deleted *vendorapi.Recent
	missing missingColumns
}

var (
	_ worker.Gatherer  = (*Worker)(nil)
	_ worker.Eraser    = (*Worker)(nil)
	_ worker.Rectifier = (*Worker)(nil)
	_ worker.Noter     = (*Worker)(nil)
)

// New returns a worker. It makes no call.
func New(c Config) (*Worker, error) {
	c.BaseURL = cmp.Or(c.BaseURL, DefaultBaseURL)
	base, err := url.Parse(c.BaseURL)
	if err != nil || base.Host == "" {
		return nil, errors.New("hubspot: base URL: leave it out, or write such as https://api.hubapi.com")
	}
	if c.Token.IsZero() {
		return nil, errors.New("hubspot: token: write the file with a private app's access token")
	}
	c.Access = c.Or(vendorapi.Access{Rate: DefaultRate, Burst: DefaultBurst})
	m := c.Manifest
	if m == nil {
		if m, err = Manifest(); err != nil {
			return nil, err
		}
	}
	w := &Worker{config: c, deleted: vendorapi.NewRecent(c.Now)}
	for _, d := range m.Datasets {
		if d.Name != datasetContacts {
			return nil, errors.New("hubspot: the manifest declares dataset " + d.Name + ", which this worker doesn't know")
		}
		for _, column := range d.Columns {
			w.columns = append(w.columns, column.Name)
		}
	}
	w.api, err = vendorapi.New(vendorapi.Config{Vendor: "HubSpot", Parse: readReply, Codes: codes(), Token: w.token, Account: "hubspot/" + base.Host, Access: c.Access})
	return w, err
}

// MaxBatch returns the largest batch that makes sense.
func (w *Worker) MaxBatch() int { return MaxBatch }

// token reads the access token, which is a secret of long life.
func (w *Worker) token(context.Context) (vendorapi.Token, error) {
	token, err := w.config.Token.Read()
	if err != nil {
		return vendorapi.Token{}, worker.Permanent("no-secret", "HubSpot's access token can't be read: check client_secret_file", err)
	}
	return vendorapi.Token{Value: token, Base: w.config.BaseURL}, nil
}
