package vendorbench

import (
	"net/http"
	"testing"

	"golang.org/x/time/rate"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/sandbox/conform"
	hubspotsandbox "habeas.dev/services/sandbox/hubspot"
	marketosandbox "habeas.dev/services/sandbox/marketo"
	paymentechsandbox "habeas.dev/services/sandbox/paymentech"
	"habeas.dev/services/sandbox/people"
	salesforcesandbox "habeas.dev/services/sandbox/salesforce"
	"habeas.dev/services/systems/hubspot"
	"habeas.dev/services/systems/marketo"
	"habeas.dev/services/systems/paymentech"
	"habeas.dev/services/systems/salesforce"
)

// vendor is one that is measured.
type vendor struct {
	name    string
	batches bool // one of its calls can serve many subjects
	// together is how many tasks its worker takes at once.
	together int
	// ideal is what a thousand subjects would cost if every call were full, by
	// what the vendor's documentation says a call takes.
	ideal map[string]string
	// most is how many calls a thousand subjects may cost, those for files' bytes
	// aside; none is said where a vendor has no batches.
	most map[string]int64
	// files is the kind of calls that fetch a file's bytes: no vendor has one that
	// gives two.
	files string
	// daily is the part of the vendor's quota that is ours; 0 where it has none
	// that is known.
	daily       int64
	identifiers func(p *people.Population, n int) []worker.Identifier
	standIn     func(t testing.TB, p *people.Population, l limits) (http.Handler, func() map[string]int64)
	worker      func(t testing.TB, hc *http.Client, l limits) (*manifest.Manifest, any)
}

const base = "http://vendor.invalid"

func pace(l limits) rate.Limit {
	if l.real {
		return 0 // as its worker advises
	}
	return rate.Inf
}

func byEmail(p *people.Population, n int) []worker.Identifier { return conform.Email(p.Person(n)) }

// salesforceDaily is the quota of an Enterprise Edition org with a handful of
// users: 100,000 calls in 24 hours and more for each licence; the worker stops at
// nine tenths.
const salesforceDaily = 90_000

func vendors() []vendor {
	return []vendor{
		{
			name: "Salesforce", batches: true, together: salesforce.MaxBatch, daily: salesforceDaily, identifiers: byEmail,
			ideal: map[string]string{"gather": "3 to 11, and pages", "erase": "60, and purges", "restrict": "15"},
			most:  map[string]int64{"gather": 30, "erase": 160, "restrict": 20}, files: "sobjects",
			standIn: func(t testing.TB, p *people.Population, _ limits) (http.Handler, func() map[string]int64) {
				s, err := salesforcesandbox.New(salesforcesandbox.Config{Population: p})
				must(t, err)
				return s, s.Calls
			},
			worker: func(t testing.TB, hc *http.Client, l limits) (*manifest.Manifest, any) {
				m, err := salesforce.Manifest()
				must(t, err)
				c := salesforce.Config{BaseURL: base, ClientID: salesforcesandbox.DefaultClientID, Secret: vendorapi.SecretValue(salesforcesandbox.DefaultClientSecret), Manifest: m, Access: vendorapi.Access{HTTPClient: hc}}
				if !l.real {
					c.Rate = rate.Inf
				}
				w, err := salesforce.New(c)
				must(t, err)
				return m, w
			},
		},
		{
			name: "Marketo", batches: true, together: marketo.MaxBatch, daily: marketo.DefaultDaily, identifiers: byEmail,
			ideal: map[string]string{"gather": "208", "erase": "12", "restrict": "8"},
			most:  map[string]int64{"gather": 230, "erase": 20, "restrict": 10},
			standIn: func(t testing.TB, p *people.Population, l limits) (http.Handler, func() map[string]int64) {
				c := marketosandbox.Config{Population: p}
				if l.real {
					c.Limits = marketosandbox.RealLimits()
				}
				s, err := marketosandbox.New(c)
				must(t, err)
				return s, s.Calls
			},
			worker: func(t testing.TB, hc *http.Client, l limits) (*manifest.Manifest, any) {
				m, err := marketo.Manifest()
				must(t, err)
				w, err := marketo.New(marketo.Config{BaseURL: base, ClientID: marketosandbox.DefaultClientID, Secret: vendorapi.SecretValue(marketosandbox.DefaultClientSecret), Manifest: m, Access: vendorapi.Access{Rate: pace(l), HTTPClient: hc}})
				must(t, err)
				return m, w
			},
		},
		{
			name: "PaymentTech", together: 1000,
			identifiers: func(p *people.Population, n int) []worker.Identifier {
				if ref := p.CustomerRef(n); ref != "" {
					return []worker.Identifier{{Type: "customer_ref", Value: ref}}
				}
				return nil
			},
			ideal: map[string]string{"gather": "1,000", "erase": "3,000", "restrict": "1,000"},
			standIn: func(t testing.TB, p *people.Population, _ limits) (http.Handler, func() map[string]int64) {
				s, err := paymentechsandbox.New(paymentechsandbox.Config{Population: p})
				must(t, err)
				return s, s.Calls
			},
			worker: func(t testing.TB, hc *http.Client, l limits) (*manifest.Manifest, any) {
				m, err := paymentech.Manifest()
				must(t, err)
				w, err := paymentech.New(paymentech.Config{BaseURL: base, Username: paymentechsandbox.DefaultUsername, Password: vendorapi.SecretValue(paymentechsandbox.DefaultPassword), MerchantID: paymentechsandbox.DefaultMerchantID, Manifest: m, Access: vendorapi.Access{Rate: pace(l), HTTPClient: hc}})
				must(t, err)
				return m, w
			},
		},
		{
			name: "HubSpot", batches: true, together: hubspot.MaxBatch, identifiers: byEmail,
			ideal: map[string]string{"gather": "10 per object", "erase": "20, and deletions", "restrict": "20"},
			standIn: func(t testing.TB, p *people.Population, _ limits) (http.Handler, func() map[string]int64) {
				s, err := hubspotsandbox.New(hubspotsandbox.Config{Population: p})
				must(t, err)
				return s, s.Calls
			},
			worker: func(t testing.TB, hc *http.Client, l limits) (*manifest.Manifest, any) {
				m, err := hubspot.Manifest()
				must(t, err)
				w, err := hubspot.New(hubspot.Config{BaseURL: base, Token: vendorapi.SecretValue(hubspotsandbox.DefaultToken), Manifest: m, Access: vendorapi.Access{Rate: pace(l), HTTPClient: hc}})
				must(t, err)
				return m, w
			},
		},
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
