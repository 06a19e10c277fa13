// Package standin has every vendor's stand-in under one roof, for the demo and
// for `habeas sandbox`. To add a vendor is to add it
// to [Vendors] and [Open].
package standin

import (
	"embed"
	"errors"
	"net/http"

	"habeas.dev/services/sandbox/fault"
	"habeas.dev/services/sandbox/hubspot"
	"habeas.dev/services/sandbox/marketo"
	"habeas.dev/services/sandbox/paymentech"
	"habeas.dev/services/sandbox/people"
	"habeas.dev/services/sandbox/salesforce"
	"habeas.dev/services/sandbox/training"
)

// Standin is one vendor's stand-in, and what a client needs to call it.
type Standin struct {
	Vendor           string // the system's name
	ClientID, Secret string
	// Options are what a configuration names besides.
	Options map[string]string
	// Asks is the identifier by which its people are found.
	Asks string
	// Paths are those of its wire: what it answers is at or below them, and no
	// other vendor's is.
	Paths []string
	// Datasets declare, as YAML for a manifest, what it holds of companies' own
	// beside what the built-in manifest has; empty where there is nothing.
	Datasets []byte
	// Handler answers calls.
	Handler http.Handler
	// Calls returns how many calls of each kind were answered.
	Calls func() map[string]int64
	Close func() error
}

// Config says what they hold.
type Config struct {
	Population *people.Population
	// Dir is where changes are kept; empty keeps none.
	Dir    string
	Faults fault.Plan
}

// Vendors returns the names of all, in the order of [Open].
func Vendors() []string {
	return []string{people.Salesforce, people.Marketo, people.PaymentTech, people.HubSpot, people.Training}
}

//go:embed own/*.yaml
var own embed.FS

// Datasets declare what a vendor's stand-in holds of companies' own, as YAML for
// a manifest: see [people.Config].
func Datasets(vendor string) []byte {
	b, err := own.ReadFile("own/" + vendor + ".yaml")
	if err != nil {
		return nil // it holds nothing of the sort
	}
	return b
}

// Open seeds all stand-ins. On an error none is left open.
func Open(c Config) (all []Standin, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, Close(all))
			all = nil
		}
	}()
	faults := c.Faults.Of(people.Salesforce)
	crm, err := salesforce.New(salesforce.Config{Population: c.Population, Dir: c.Dir, Settle: faults.Settle, Hidden: faults.Forbidden(), Faults: faults})
	if err != nil {
		return all, err
	}
	all = append(all, Standin{Vendor: people.Salesforce, ClientID: salesforce.DefaultClientID, Secret: salesforce.DefaultClientSecret, Asks: "email", Paths: []string{"/services/"}, Datasets: Datasets(people.Salesforce), Handler: crm, Calls: crm.Calls, Close: crm.Close})

	faults = c.Faults.Of(people.Marketo)
	mail, err := marketo.New(marketo.Config{Population: c.Population, Dir: c.Dir, CRM: crm, Settle: faults.Settle, Forbidden: faults.Forbidden(), Faults: faults})
	if err != nil {
		return all, err
	}
	all = append(all, Standin{Vendor: people.Marketo, ClientID: marketo.DefaultClientID, Secret: marketo.DefaultClientSecret, Asks: "email", Paths: []string{"/identity/", "/rest/", "/bulk/"}, Datasets: Datasets(people.Marketo), Handler: mail, Calls: mail.Calls, Close: mail.Close})

	faults = c.Faults.Of(people.PaymentTech)
	pay, err := paymentech.New(paymentech.Config{Population: c.Population, Dir: c.Dir, Settle: faults.Settle, Faults: faults})
	if err != nil {
		return all, err
	}
	all = append(all, Standin{Vendor: people.PaymentTech, ClientID: paymentech.DefaultUsername, Secret: paymentech.DefaultPassword, Asks: "customer_ref", Paths: []string{"/gwapi/", "/authorize", "POST /{$}"},
		Options: map[string]string{"merchant_id": paymentech.DefaultMerchantID, "bin": paymentech.Bin}, Handler: pay, Calls: pay.Calls, Close: pay.Close})

	faults = c.Faults.Of(people.HubSpot)
	hub, err := hubspot.New(hubspot.Config{Population: c.Population, Dir: c.Dir, Settle: faults.Settle, Faults: faults})
	if err != nil {
		return all, err
	}
	all = append(all, Standin{Vendor: people.HubSpot, Secret: hubspot.DefaultToken, Asks: "email", Paths: []string{"/crm/"}, Handler: hub, Calls: hub.Calls, Close: hub.Close})

	courses, err := training.New(training.Config{Population: c.Population, Dir: c.Dir, Faults: c.Faults.Of(people.Training)})
	if err != nil {
		return all, err
	}
	return append(all, Standin{Vendor: people.Training, Secret: training.DefaultSecret, Asks: "email", Paths: []string{"/v1", "/v1/"}, Handler: courses, Calls: courses.Calls, Close: courses.Close}), nil
}

// Close closes stand-ins.
func Close(all []Standin) error {
	var errs []error
	for _, s := range all {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
