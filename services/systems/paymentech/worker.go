// Package paymentech is the worker of PaymentTech: J.P. Morgan's Orbital gateway,
// by its JSON interface. It copies the payment profile that is stored under
// billing's customer reference, deletes it and looks again, corrects it, and
// takes it out of use.
//
// # What it can't do
//
// The gateway finds a profile by its reference only, so that billing must have
// resolved the person first, and one call is about one reference: there are no
// batches. The reference stands in the address of a read, because the interface
// has it there; it is billing's number and no name, and neither this package nor
// the SDK logs addresses. What was settled can't be erased, nor does the
// interface tell what that is: each reference counts one record of
// settled_payments, which stays on the manifest's ground until its period has
// passed from today, the latest day on which something can have been paid. The
// payments themselves are among billing's. docs/adr/0016 says why.
//
// # Card numbers
//
// An answer can hold a whole card number. It is masked to its last four digits
// between the network and everything else, so that no error, no log and no record
// can hold more (TestNoCardNumberGetsOut).
//
// # What is uncertain
//
// No account at the vendor was at hand; this is from public clients of theirs.
//
//   - The status of a reference without profile is 9581 as public clients of
//     different makers tell (one in Python and one in C# name it
//     PROCSTATUS_USER_NOT_FOUND); the vendor's own list wasn't at hand. Any other
//     status but success is never taken for "not there": the task comes again, its
//     reason names the status, and [Config.NotFound] takes it.
//   - Limits of calls aren't published. [DefaultRate] is careful; HTTP 429 and
//     Retry-After are honoured.
//   - Whether a profile with active managed billing can be deleted. If not, the
//     refusal needs a person in the end, who ends the billing first.
//   - Where members stand within an answer: they are looked for by name at any
//     depth. An update is taken to leave alone what it doesn't name.
package paymentech

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"

	"golang.org/x/time/rate"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

const (
	// DefaultRate and DefaultBurst are how often the gateway is called: it also
	// takes the company's payments, which go first.
	DefaultRate  rate.Limit = 5
	DefaultBurst int        = 5
	// DefaultBin is that of the Stratus platform (Salem); Tampa's is 000002.
	DefaultBin = "000001"
)

// Config says where the gateway is and who asks. BaseURL, Username, a password
// and MerchantID are needed.
type Config struct {
	// BaseURL and SecondaryURL are the gateway's hosts:
	// https://orbital1.chasepaymentech.com, https://orbital2.chasepaymentech.com.
	// The second is called when the first fails.
	BaseURL, SecondaryURL string
	// Username and Password are an Orbital connection's. The password is read
	// anew at each call.
	Username   string
	Password   vendorapi.Secret
	MerchantID string
	Bin        string // [DefaultBin] where empty
	// NotFound are the statuses that say that a reference has no profile;
	// [StatusNoProfile] where there are none.
	NotFound []string
	// Manifest is the embedded one where nil.
	Manifest *manifest.Manifest
	// Rate and Burst are [DefaultRate] and [DefaultBurst] where zero.
	vendorapi.Access
}

// Worker calls the gateway. It is safe for concurrent use.
type Worker struct {
	config  Config
	base    string
	api     *vendorapi.Client
	columns []string // of profiles
	settled *settled // nil where the manifest has no such dataset
	deleted *vendorapi.Recent
}

var (
	_ worker.Gatherer   = (*Worker)(nil)
	_ worker.Eraser     = (*Worker)(nil)
	_ worker.Rectifier  = (*Worker)(nil)
	_ worker.Restricter = (*Worker)(nil)
)

// New returns a worker. It makes no call.
func New(c Config) (*Worker, error) {
	if c.Username == "" || c.Password.IsZero() || c.MerchantID == "" {
		return nil, errors.New("paymentech: write the user name and password of an Orbital connection, and the merchant id")
	}
	c.Bin = cmp.Or(c.Bin, DefaultBin)
	c.Access = c.Or(vendorapi.Access{Rate: DefaultRate, Burst: DefaultBurst})
	if len(c.NotFound) == 0 {
		c.NotFound = []string{StatusNoProfile}
	}
	line := &maskingTransport{next: http.DefaultTransport, hosts: hosts{now: c.Now}}
	for _, address := range []string{c.BaseURL, c.SecondaryURL} {
		if address == "" && len(line.hosts.bases) > 0 {
			continue
		}
		base, err := url.Parse(address)
		if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
			return nil, errors.New("paymentech: base URL: write the gateway's address, such as https://orbital1.chasepaymentech.com")
		}
		line.hosts.bases = append(line.hosts.bases, base)
	}
	client := &http.Client{}
	if c.HTTPClient != nil {
		*client = *c.HTTPClient
	}
	if client.Transport != nil {
		line.next = client.Transport
	}
	client.Transport = line
	m := c.Manifest
	var err error
	if m == nil {
		if m, err = Manifest(); err != nil {
			return nil, err
		}
	}
	access := c.Access
	access.HTTPClient = client
	first := line.hosts.bases[0]
	w := &Worker{config: c, base: first.Scheme + "://" + first.Host, deleted: vendorapi.NewRecent(c.Now)}
	if err := w.datasets(m); err != nil {
		return nil, err
	}
	w.api, err = vendorapi.New(vendorapi.Config{
		Vendor: "PaymentTech", Parse: readReply, Codes: w.codes(), UnknownHint: "if that is how it says that there is no profile, add it to not_found in the configuration", Account: "paymentech/" + first.Host + "/" + c.MerchantID, Access: access, MaxAnswer: maxAnswer,
	})
	return w, err
}

const (
	datasetProfiles = "profiles"
	datasetSettled  = "settled_payments"
)

// settled is how long payments stay, and why.
type settled struct {
	ground string
	period manifest.Span
	byLaw  map[string]manifest.Span // where a law has another period
}

// datasets takes the columns and the rule from the manifest.
func (w *Worker) datasets(m *manifest.Manifest) error {
	for _, d := range m.Datasets {
		switch d.Name {
		case datasetProfiles:
			for _, c := range d.Columns {
				w.columns = append(w.columns, c.Name)
			}
		case datasetSettled:
			if len(d.Retention) != 1 {
				return errors.New("paymentech: the manifest's dataset " + datasetSettled + " can't be erased over this interface: give it one rule of retention")
			}
			period, err := m.Span(&d.Retention[0])
			if err != nil {
				return err
			}
			w.settled = &settled{d.Retention[0].Ground, period, map[string]manifest.Span{}}
			for law := range d.Retention[0].Periods {
				own, applies, err := m.SpanUnder(&d.Retention[0], law)
				if err != nil {
					return err
				}
				if !applies {
					return errors.New("paymentech: " + datasetSettled + " can't be erased over this interface, so that it stays under each law: give the law " + law + " a period")
				}
				w.settled.byLaw[law] = own
			}
		default:
			return errors.New("paymentech: the manifest declares dataset " + d.Name + ", which this worker doesn't know")
		}
	}
	if w.columns == nil {
		return errors.New("paymentech: the manifest lacks dataset " + datasetProfiles)
	}
	return nil
}
