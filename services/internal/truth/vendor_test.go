package truth

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/sandbox/fault"
	hubspotsandbox "habeas.dev/services/sandbox/hubspot"
	marketosandbox "habeas.dev/services/sandbox/marketo"
	paymentechsandbox "habeas.dev/services/sandbox/paymentech"
	"habeas.dev/services/sandbox/people"
	salesforcesandbox "habeas.dev/services/sandbox/salesforce"
	"habeas.dev/services/sandbox/training"
	"habeas.dev/services/systems"
	"habeas.dev/services/systems/httpsystem"
	"habeas.dev/services/systems/hubspot"
	"habeas.dev/services/systems/marketo"
	"habeas.dev/services/systems/paymentech"
	"habeas.dev/services/systems/salesforce"
)

// vendor is a vendor's stand-in in a scene, with the real worker before it.
type vendor struct {
	system string
	// uncounted are the datasets that go with others, and are counted with them.
	uncounted map[string]bool
	set       func(fault.Config)
	spoils    []string
	// holds is what the stand-in itself says of a person: whether anything is there
	// that an erasure must not leave.
	holds func(person int) bool
	// stopped is what the stand-in itself says of a person: whether their data is out of use.
	stopped func(person int) bool
}

// spoiler changes an answer on its way to the worker.
type spoiler func(*http.Request, *fault.Answer)

// vendors are those that there are.
var vendors = []string{people.Salesforce, people.Marketo, people.PaymentTech, people.HubSpot, people.Training}

// vendor adds a vendor that holds what it does of a population. spoil may change each
// answer; nil: none is.
func (s *scene) vendor(name string, p *people.Population, spoil *spoiler) *vendor {
	s.Helper()
	clock := func() time.Time { return s.now }
	access := func(ts *httptest.Server) (string, vendorapi.Access) {
		return ts.URL, vendorapi.Access{Rate: rate.Inf, Now: clock, Pause: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
	}
	v := &vendor{system: name}
	var m *manifest.Manifest
	var w any
	var err error
	switch name {
	case people.Salesforce:
		server, e := salesforcesandbox.New(salesforcesandbox.Config{Population: p, Clock: clock, PageSize: 5})
		s.must(e)
		v.set, v.spoils = server.SetFaults, server.Spoils()
		v.holds = func(n int) bool {
			return slices.ContainsFunc(p.RowsIn(n, name), func(r people.Row) bool { return server.Holds(r.Key) })
		}
		v.stopped = func(n int) bool {
			for _, r := range p.RowsIn(n, name) {
				whole, boxes := false, map[string]string{"contacts": "HasOptedOutOfEmail", "leads": "HasOptedOutOfEmail", "person_accounts": "PersonHasOptedOutOfEmail"}
				for _, o := range p.RowsIn(n, name) {
					whole = whole || o.Dataset == "individuals" && server.Ticked(o.Key, "HasOptedOutProcessing")
				}
				if box, has := boxes[r.Dataset]; has && !whole && !server.Ticked(r.Key, box) {
					return false
				}
			}
			return true
		}
		m, err = salesforce.Manifest()
		s.must(err)
		url, a := access(s.spoilt(server, spoil))
		w, err = salesforce.New(salesforce.Config{BaseURL: url, ClientID: salesforcesandbox.DefaultClientID, Secret: vendorapi.SecretValue(salesforcesandbox.DefaultClientSecret), BulkFrom: -1, Manifest: m, Access: a})
	case people.Marketo:
		server, e := marketosandbox.New(marketosandbox.Config{Population: p, Clock: clock})
		s.must(e)
		v.set, v.spoils = server.SetFaults, server.Spoils()
		v.holds = func(n int) bool { return server.Holds(p.Person(n).Email) }
		v.stopped = func(n int) bool { return server.Stopped(p.Person(n).Email) }
		m, err = marketo.Manifest()
		s.must(err)
		url, a := access(s.spoilt(server, spoil))
		w, err = marketo.New(marketo.Config{BaseURL: url, ClientID: marketosandbox.DefaultClientID, Secret: vendorapi.SecretValue(marketosandbox.DefaultClientSecret), Manifest: m, Access: a})
	case people.PaymentTech:
		server, e := paymentechsandbox.New(paymentechsandbox.Config{Population: p, Clock: clock})
		s.must(e)
		v.set, v.spoils = server.SetFaults, server.Spoils()
		v.holds = func(n int) bool { return server.Holds(p.CustomerRef(n)) }
		v.stopped = func(n int) bool { return server.Stopped(p.CustomerRef(n)) }
		m, err = paymentech.Manifest()
		s.must(err)
		url, a := access(s.spoilt(server, spoil))
		w, err = paymentech.New(paymentech.Config{BaseURL: url, Username: paymentechsandbox.DefaultUsername, Password: vendorapi.SecretValue(paymentechsandbox.DefaultPassword), MerchantID: paymentechsandbox.DefaultMerchantID, Manifest: m, Access: a})
	case people.Training:
		server, e := training.New(training.Config{Population: p, Clock: clock})
		s.must(e)
		v.set, v.spoils = server.SetFaults, server.Spoils()
		v.holds = func(n int) bool { return server.Holds(p.Person(n).Email) > 0 }
		v.stopped = func(n int) bool { return server.Stopped(p.Person(n).Email) }
		m, err = systems.Manifest(name)
		s.must(err)
		url, a := access(s.spoilt(server, spoil))
		w, err = httpsystem.New(httpsystem.Config{URL: url, Secret: vendorapi.SecretValue(training.DefaultSecret), Manifest: m, Access: a})
	default:
		server, e := hubspotsandbox.New(hubspotsandbox.Config{Population: p, Clock: clock})
		s.must(e)
		v.set, v.spoils = server.SetFaults, server.Spoils()
		v.holds = func(n int) bool { return server.Holds(p.Person(n).Email) }
		v.stopped = func(int) bool { return false } // it has no such flag
		m, err = hubspot.Manifest()
		s.must(err)
		url, a := access(s.spoilt(server, spoil))
		w, err = hubspot.New(hubspot.Config{BaseURL: url, Token: vendorapi.SecretValue(hubspotsandbox.DefaultToken), Access: a})
	}
	s.must(err)
	m.EraseAfter = nil // it is alone here
	v.uncounted = map[string]bool{}
	for _, d := range m.Datasets {
		v.uncounted[d.Name] = d.GoesWith != ""
	}
	s.served(m, w)
	return v
}

// spoilt serves a stand-in, with what stands between it and the worker.
func (s *scene) spoilt(h http.Handler, spoil *spoiler) *httptest.Server {
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if spoil == nil || *spoil == nil {
			h.ServeHTTP(w, r)
			return
		}
		own := httptest.NewRecorder()
		h.ServeHTTP(own, r)
		a := fault.Answer{Status: own.Code, Header: own.Header(), Body: own.Body.Bytes()}
		(*spoil)(r, &a)
		a.Header.Del("Content-Length")
		for name, values := range a.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(a.Status)
		_, _ = w.Write(a.Body)
	}))
	s.Cleanup(ts.Close)
	return ts
}

// who are the identifiers of a person of a population, as upstream knows them.
func who(p *people.Population, n int) []string {
	ids := []string{"email " + p.Person(n).Email}
	if ref := p.CustomerRef(n); ref != "" {
		ids = append(ids, "customer_ref "+ref)
	}
	return ids
}

// judge holds what was said of a person against what the vendor held of them, and
// holds: the population's rows are what was seeded, and an erasure left none of them
// but what the stand-in says.
func (v *vendor) judge(s *scene, p *people.Population, right dsar.Right, n int, state core.State, gone bool) (lies []string) {
	s.Helper()
	lie := func(format string, args ...any) { lies = append(lies, fmt.Sprintf(format, args...)) }
	held := map[string]int64{}
	for _, r := range p.RowsIn(n, v.system) {
		held[r.Dataset]++
	}
	if gone {
		clear(held)
	}
	a := s.read(state)
	for _, r := range p.People {
		if r.Number == n {
			continue
		}
		for name, text := range a.files {
			if strings.Contains(text, `"`+r.Email) && strings.HasSuffix(name, ".json") && strings.HasPrefix(name, v.system) {
				lie("%s names %s, who is somebody else", name, r.Email)
			}
		}
	}
	said := map[string]saidDataset{}
	for _, d := range a.of(v.system).Datasets {
		said[d.Dataset] = d
	}
	switch right {
	case dsar.Access:
		for dataset, there := range held {
			if got := said[dataset].Records; got != there {
				lie("access: %s of %s: %d records are said, %d are there", dataset, v.system, got, there)
			}
		}
		for dataset, d := range said {
			if gone && d.Records > 0 && d.kept() == 0 && right == dsar.Access && v.system != people.PaymentTech {
				lie("access: %s of %s: %d records are shown that were erased", dataset, v.system, d.Records)
			}
		}
	case dsar.Erasure:
		if v.holds(n) {
			lie("erasure: %s is said to be %s, and holds the person: %+v", v.system, a.of(v.system).Answer, said)
		}
		for dataset, there := range held {
			if d := said[dataset]; d.Found != there && !gone && !v.uncounted[dataset] {
				lie("erasure: %s of %s: found %d, and %d were there", dataset, v.system, d.Found, there)
			}
		}
	}
	return lies
}

// TestVendorsTruth plays vendors with whatever goes wrong, and holds every answer against
// what the stand-in holds.
func TestVendorsTruth(t *testing.T) {
	t.Parallel()
	for run := range uint64(max(4, *runs/60)) {
		t.Run(fmt.Sprint(run), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(run, 4))
			p := people.Generate(people.Config{Seed: rng.Int64N(1000), People: 8})
			s := newScene(t, sqLite)
			s.seed, s.rng = run, rand.New(rand.NewPCG(run, 5))
			v := s.vendor(vendors[run%uint64(len(vendors))], p, nil)
			s.begin()
			n := 1 + rng.IntN(len(p.People))
			wrong := fault.Config{Seed: int64(run), Throttle: .05, ServerError: .05, ErrorAfter: .05, Cut: .05, Half: .05, Revoke: .05, Lock: .1, Spoilt: .1}
			if rng.IntN(3) == 0 {
				wrong = fault.Config{Seed: int64(run), Spoilt: .2, Spoil: v.spoils[rng.IntN(len(v.spoils))]}
			}
			erased := false
			for _, right := range []dsar.Right{dsar.Access, dsar.Erasure, dsar.Access} {
				v.set(wrong)
				state := s.asks(right, who(p, n)...)
				if state.Status == core.StatusNeedsAttention { // it says that it isn't sure
					if right == dsar.Erasure && v.holds(n) {
						break // of some of it, as far as anybody knows
					}
					erased = erased || right == dsar.Erasure // by an answer that was spoilt
					continue
				}
				for _, lie := range v.judge(s, p, right, n, state, erased) {
					t.Errorf("seed %d: %s", run, lie)
				}
				erased = erased || right == dsar.Erasure
			}
		})
	}
}

// TestVendorsHold: what a vendor keeps for a hold is out of use where it has a flag for that,
// and only then is it said to be; where not all of its use can be stopped, a person sees it.
// Once the hold is lifted, all of it goes, flagged as it is.
func TestVendorsHold(t *testing.T) {
	t.Parallel()
	for run := range uint64(max(10, *runs/60)) {
		t.Run(fmt.Sprint(run), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(run, 6))
			p := people.Generate(people.Config{Seed: rng.Int64N(1000), People: 8})
			s := newScene(t, sqLite)
			s.seed, s.rng, s.proof = run, rand.New(rand.NewPCG(run, 7)), "always"
			v := s.vendor(vendors[run%uint64(len(vendors))], p, nil)
			s.begin()
			n := 1 + rng.IntN(len(p.People))
			there := v.holds(n)
			if run >= 5 {
				v.set(fault.Config{Seed: int64(run), Throttle: .05, ServerError: .05, ErrorAfter: .05, Cut: .05, Half: .05, Revoke: .05, Lock: .1})
			}
			r := mine(who(p, n)...)
			r.Right, r.Subject.Proven = dsar.Erasure, nil
			id := s.submit(r)
			s.play(id)
			hold := core.Hold{By: "lea", Reason: "a lawsuit", System: []string{"", v.system}[rng.IntN(2)], Now: s.now}
			s.do(id, hold)
			state := s.do(id, core.JudgeProof{By: "lea", Accepted: true, Calendar: s.kit.book, Now: s.now})
			for range 5 { // it was asked too often, or can't stop all
				if state.Status != core.StatusNeedsAttention {
					break
				}
				v.set(fault.Config{})
				state = s.do(id, core.Retry{By: "lea", Reason: "try again", Now: s.now})
			}
			restrict := state.Task(v.system, dsar.Restrict)
			left := restrict != nil && restrict.Status == core.TaskIsFailed
			if left {
				state = s.do(id, core.Attest{By: "lea", Reason: "leave it at that", System: v.system, Action: dsar.Restrict, Outcome: dsar.Incomplete, Now: s.now})
			}
			a := s.completed(state)
			says := false
			for _, text := range append(s.written(id), a.files["index.html"], a.files["certificate.json"]) {
				says = says || strings.Contains(text, "used for nothing else")
			}
			kept := restrict != nil // since something was
			switch {
			case v.holds(n) != there:
				t.Errorf("seed %d: of %s, held: %t before and %t after", run, v.system, there, v.holds(n))
			case says && !v.stopped(n):
				t.Errorf("seed %d: what %s keeps is said to be used for nothing else, and is in use", run, v.system)
			case kept && !left && !v.stopped(n), kept && !left && !says, left && says, !there && kept:
				t.Errorf("seed %d: of %s, held: %t, asked to stop: %t, left at that: %t, stopped: %t, said so: %t", run, v.system, there, kept, left, v.stopped(n), says)
			case there && !kept && v.system != people.HubSpot:
				t.Errorf("seed %d: %s keeps something for a hold, and wasn't asked to stop its use", run, v.system)
			}
			s.do(id, core.Lift{By: "lea", Reason: "settled", System: hold.System, Now: s.now})
			if state = s.play(id); state.Status != core.StatusCompleted || v.holds(n) {
				t.Errorf("seed %d: after the hold the request is %s, and %s holds the person: %t: %s", run, state.Status, v.system, v.holds(n), ends(state))
			}
		})
	}
}
