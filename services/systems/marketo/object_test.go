package marketo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/sandbox/conform"
	"habeas.dev/services/sandbox/fault"
	sandbox "habeas.dev/services/sandbox/marketo"
	"habeas.dev/services/sandbox/people"
)

// further are datasets that an instance may have besides: two objects of its
// own, which refer to leads in different ways, and memberships.
const further = `  - name: subscriptions
    title: {en: Subscriptions}
    category: commercial information
    origin: provided
    purpose: {en: Knowing what was subscribed to}
    legal_basis: contract
    storage: {en: Three years}
    columns: [{name: marketoGUID}, {name: emailAddress}, {name: plan}, {name: note}]
    worker: {of: custom-object, object: subscription_c, link: emailAddress, lead: email}
  - name: seats
    title: {en: Seats}
    category: commercial information
    origin: provided
    purpose: {en: Knowing who uses what}
    legal_basis: contract
    storage: {en: Three years}
    columns: [{name: marketoGUID}, {name: leadId, type: integer}, {name: plan}]
    worker: {of: custom-object, object: seat_c, link: leadId, lead: id}
  - name: lists
    goes_with: leads
    title: {en: Lists}
    category: internet or network activity
    origin: observed
    purpose: {en: Knowing whom to write to}
    legal_basis: consent
    storage: {en: Three years}
    columns: [{name: leadId, type: integer}, {name: id, type: integer}, {name: createdAt}]
    worker: {of: list-membership}
  - name: programs
    goes_with: leads
    title: {en: Programs}
    category: internet or network activity
    origin: observed
    purpose: {en: Knowing who came}
    legal_basis: consent
    storage: {en: Three years}
    columns: [{name: leadId, type: integer}, {name: id, type: integer}, {name: progressionStatus}]
    worker: {of: program-membership}
  - name: program_members
    goes_with: leads
    title: {en: Members of programs}
    category: internet or network activity
    origin: observed
    purpose: {en: Knowing who came}
    legal_basis: consent
    storage: {en: Three years}
    columns: [{name: leadId, type: integer}, {name: programId, type: integer}, {name: statusName}, {name: membershipDate, type: datetime}, {name: reachedSuccess, type: boolean}, {name: acquiredBy, type: boolean}, {name: dietaryNeeds}]
    worker: {of: program-membership, programs: [1001, 1002, 1003]}
  - name: campaigns
    goes_with: leads
    title: {en: Campaigns}
    category: internet or network activity
    origin: observed
    purpose: {en: Knowing whom to write to}
    legal_basis: consent
    storage: {en: Three years}
    columns: [{name: leadId, type: integer}, {name: smartCampaignId, type: integer}]
    worker: {of: campaign-membership}
`

// richFixture returns a fixture with all of them.
func richFixture(t *testing.T, n int, change func(*sandbox.Config, *Config)) *fixture {
	t.Helper()
	m, err := manifest.Parse("marketo.yaml", append(append([]byte{}, manifestYAML...), further...))
	if err != nil {
		t.Fatal(err)
	}
	return newFixture(t, n, func(s *sandbox.Config, c *Config) {
		c.Manifest = m
		s.Population = people.Generate(people.Config{Seed: 7, People: n, Own: true})
		s.Objects = []sandbox.Object{{Name: "subscription_c", Link: "emailAddress", Lead: "email", Each: 2}, {Name: "seat_c", Link: "leadId", Lead: "id", Each: 3}}
		if change != nil {
			change(s, c)
		}
	})
}

// Everything that the manifest declares is gathered, of everyone and of nobody
// else; what an instance's own objects hold is erased with the leads, and is
// found where only it is left.
func TestObjectsAndMemberships(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 3} {
		w := richFixture(t, 60, func(s *sandbox.Config, _ *Config) { s.PageSize = size })
		e := w.Emails()
		out, errs := w.Gather(e...)
		for i, email := range e {
			leads := len(w.Seeded(i + 1)["leads"])
			got := conform.Sizes(out[i].Rows)
			if errs[i] != nil || got["subscriptions"] != 2*leads || got["seats"] != 3*leads {
				t.Fatalf("person %d: %v, %v", i+1, got, errs[i])
			}
			if err := w.hasMemberships(out[i].Rows, i+1); err != nil {
				t.Fatalf("person %d, pages of %d: %v", i+1, size, err)
			}
			for _, row := range out[i].Rows["subscriptions"] {
				if !strings.Contains(strings.ToLower(row), strings.Trim(fmt.Sprintf("%q", strings.ToLower(email)), `"`)) {
					t.Fatalf("person %d has %s", i+1, row)
				}
			}
		}
		plan := w.Do(dsar.Plan, e[0], e[3])
		if got := conform.Found(plan[0].Counts); got["leads"] != 2 || got["subscriptions"] != 4 || got["seats"] != 6 {
			t.Fatalf("planned %v", got)
		}
		for i, j := range w.Do(dsar.Erase, e[0], e[3]) {
			if j.Err != nil || fmt.Sprint(conform.Erased(j.Counts)) != fmt.Sprint(conform.Found(plan[i].Counts)) {
				t.Fatalf("%v, %v of %v", j.Err, j.Counts, plan[i].Counts)
			}
		}
		for _, j := range w.Do(dsar.Prove, e[0], e[3]) {
			if j.Err != nil || len(j.Counts) > 0 {
				t.Fatalf("%v, %v", j.Err, j.Counts)
			}
		}
		after, errs := w.Gather(e...)
		for i := range e {
			want := out[i].Rows
			if i == 0 || i == 3 {
				want = nil
			}
			if errs[i] != nil || !conform.SameRows(after[i].Rows, want) {
				t.Fatalf("person %d: %v, %v", i+1, conform.Sizes(after[i].Rows), errs[i])
			}
		}
	}
}

// TestOvertakenLead: what refers to a planned lead that has somebody else's address by now is
// left with it, and what has the person's address goes.
func TestOvertakenLead(t *testing.T) {
	t.Parallel()
	for _, byKeys := range []bool{false, true} {
		w := richFixture(t, 20, nil)
		e := w.Emails()[0]
		was := conform.Found(w.Do(dsar.Plan, e)[0].Counts)
		j := &worker.RectifyJob{Job: worker.Job{Task: conform.Task(dsar.Rectify, e)}, Changes: []worker.Change{{Dataset: "leads", Column: "email", Value: "overtaken@example.net"}}}
		if err := w.worker.Rectify(t.Context(), []*worker.RectifyJob{j}); err != nil || j.Err != nil {
			t.Fatal(err, j.Err)
		}
		if byKeys {
			w.ByKeys = []string{e}
		}
		if j := w.Do(dsar.Prove, e)[0]; j.Err != nil || fmt.Sprint(conform.Found(j.Counts)) != fmt.Sprint(map[string]int{"subscriptions": was["subscriptions"]}) {
			t.Errorf("by keys only: %t: of %v are found %v, %v", byKeys, was, j.Counts, j.Err)
		}
		for _, c := range w.Do(dsar.Erase, e)[0].Counts {
			own := c.Dataset == "subscriptions"
			if own && c.Erased != int64(was[c.Dataset]) || !own && c.Erased > 0 || (c.Uncovered != "") != (!own && !byKeys) || (c.Gone > 0) != (!own && byKeys) {
				t.Errorf("by keys only: %t: %+v of %v", byKeys, c, was)
			}
		}
		if left := conform.Found(w.Do(dsar.Plan, "overtaken@example.net")[0].Counts); left["leads"] != was["leads"] || left["seats"] != was["seats"] {
			t.Errorf("by keys only: %t: of %v are left %v", byKeys, was, left)
		}
	}
}

// TestNothingMoreAfterAFailedShow: where not all planned records could be looked at, those that
// were don't cost calls for their leads.
func TestNothingMoreAfterAFailedShow(t *testing.T) {
	t.Parallel()
	var failed, more int
	w := richFixture(t, 20, func(s *sandbox.Config, c *Config) {
		s.PageSize = 1
		c.HTTPClient = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			var q url.Values // Marketo is asked in the body
			if r.GetBody != nil {
				body, err := r.GetBody()
				if err != nil {
					return nil, err
				}
				text, err := io.ReadAll(body)
				if err != nil {
					return nil, err
				}
				q, _ = url.ParseQuery(string(text)) // a body of JSON is none
			}
			switch {
			case strings.Contains(r.URL.Path, "seat_c") && q.Get("filterType") == guid && q.Get("nextPageToken") != "":
				failed++
				return nil, errors.New("the line is cut")
			case strings.Contains(r.URL.Path, "leads") && failed > 0:
				more++
			}
			return http.DefaultTransport.RoundTrip(r)
		})}
	})
	e := w.Emails()[0]
	w.Do(dsar.Plan, e)
	j := &worker.RectifyJob{Job: worker.Job{Task: conform.Task(dsar.Rectify, e)}, Changes: []worker.Change{{Dataset: "leads", Column: "email", Value: "overtaken@example.net"}}}
	if err := w.worker.Rectify(t.Context(), []*worker.RectifyJob{j}); err != nil || j.Err != nil {
		t.Fatal(err, j.Err)
	}
	if j := w.Do(dsar.Prove, e)[0]; j.Err == nil || failed == 0 || more > 0 {
		t.Errorf("after %d failures %d calls for leads were made: %v", failed, more, j.Err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// With everything going wrong, nothing is said to be erased that isn't, nothing
// is deleted twice, and no record that refers to a lead is left behind it.
func TestObjectsUnderFaults(t *testing.T) {
	t.Parallel()
	for seed := range int64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := richFixture(t, 20, func(s *sandbox.Config, _ *Config) { s.PageSize = 20 })
			e := w.Emails()
			open := map[string]bool{}
			for _, x := range e {
				open[x] = true
			}
			for round := int64(0); len(open) > 0; round++ {
				if round == 60 {
					t.Fatalf("%d are left", len(open))
				}
				var ask []string
				for x := range open {
					ask = append(ask, x)
				}
				w.server.SetFaults(fault.Config{Seed: seed*100 + round, ServerError: 0.05, ErrorAfter: 0.05, Cut: 0.05, Half: 0.05, Throttle: 0.05, Lock: 0.1})
				for i, j := range w.Do(dsar.Erase, ask...) {
					if j.Err != nil {
						conform.MustPass(t, j.Err)
					} else {
						delete(open, ask[i])
					}
				}
				w.server.SetFaults(fault.Config{})
			}
			for _, j := range w.Do(dsar.Prove, e...) {
				if j.Err != nil || len(j.Counts) > 0 {
					t.Fatalf("%v, %v", j.Err, j.Counts)
				}
			}
			if n := w.server.Repeated(); n > 0 {
				t.Errorf("%d destructive calls were for what was gone", n)
			}
		})
	}
}

// A permission that is missing on one object: that object is named, and the rest is
// gathered. An erasure leaves the leads by which its records are found, until they
// can go with them.
func TestForbiddenObject(t *testing.T) {
	t.Parallel()
	for kind, dataset := range map[string]string{"customObjects": "subscriptions", "activities": "activities", "listMembership": "lists"} {
		w := richFixture(t, 20, func(s *sandbox.Config, _ *Config) { s.Forbidden = []string{kind} })
		e := w.Emails()
		out, errs := w.Gather(e[0], e[1], "nobody@example.net")
		for i := range out[:2] {
			if errs[i] != nil || !strings.Contains(out[i].Uncovered[dataset], "dataset "+dataset) {
				t.Fatalf("%s: %v, %v", kind, out[i].Uncovered, errs[i])
			}
			got := conform.Sizes(out[i].Rows)
			if leads := len(w.Seeded(i + 1)["leads"]); got["leads"] != leads || kind != "customObjects" && got["seats"] != 3*leads {
				t.Fatalf("%s: the rest is %v", kind, got)
			}
		}
		// What is found by an address may be anybody's; what is found by a lead is
		// nobody's who has none.
		if _, told := out[2].Uncovered[dataset]; errs[2] != nil || told != (dataset == "subscriptions") && kind != "customObjects" {
			t.Errorf("%s, who has no lead: %v, %v", kind, out[2].Uncovered, errs[2])
		}
	}
}

func TestForbiddenObjectIsNotErased(t *testing.T) {
	t.Parallel()
	for name, forbidden := range map[string]string{"read": "customObjects", "delete": "customObjects.delete"} {
		w := richFixture(t, 20, func(s *sandbox.Config, _ *Config) { s.Forbidden = []string{forbidden} })
		e := w.Emails()[0]
		leads := len(w.leads(e))
		for _, action := range []dsar.Action{dsar.Plan, dsar.Erase, dsar.Prove} {
			j := w.Do(action, e)[0]
			if j.Err != nil {
				t.Fatalf("%s, %s: %v", name, action, j.Err)
			}
			why := map[string]string{}
			for _, c := range j.Counts {
				why[c.Dataset] = c.Uncovered
				if c.Dataset == "leads" && (c.Erased > 0 || c.Found != int64(leads)) {
					t.Errorf("%s, %s: %+v", name, action, c)
				}
			}
			// What may be read and not deleted is planned, and shown by the proof.
			if knows := name == "read" || action == dsar.Erase; knows != (why["seats"] != "") || knows != (why["leads"] != "") {
				t.Errorf("%s, %s: %v", name, action, why)
			}
		}
		if got := len(w.leads(e)); got != leads {
			t.Errorf("%s: %d of %d leads are there, by which the rest is found", name, got, leads)
		}
		w.server.Forbid()
		for _, action := range []dsar.Action{dsar.Plan, dsar.Erase, dsar.Prove} {
			if j := w.Do(action, e)[0]; j.Err != nil || action == dsar.Prove && len(j.Counts) > 0 {
				t.Errorf("%s, %s once it is permitted: %v, %v", name, action, j.Counts, j.Err)
			}
		}
	}
}

// A quota that is spent for an hour, an outage of some minutes, a page token that
// ends while the batch waits: everything is taken up again and is whole.
func TestOutages(t *testing.T) {
	t.Parallel()
	c := conform.NewClock()
	w := richFixture(t, 20, func(s *sandbox.Config, wc *Config) {
		s.Clock, wc.Now, wc.Pause = c.Now, c.Now, c.Pass
		s.PageLife, s.PageSize = 2*time.Minute, 10
	})
	e := w.Emails()
	for name, f := range map[string]fault.Config{"606 for an hour": {Throttle: 1}, "5xx for an hour": {ServerError: 1}, "slow": {}} {
		w.server.SetFaults(f)
		began := c.Now()
		for c.Now().Sub(began) < time.Hour {
			_, errs := w.Gather(e[0])
			if f == (fault.Config{}) {
				c.Pass(context.Background(), 3*time.Minute) // every token of a page has ended
			} else if errs[0] == nil {
				t.Fatal(name + ": gathered")
			}
			wait := time.Minute
			if errs[0] != nil {
				conform.MustPass(t, errs[0])
				var we *worker.Error
				if errors.As(errs[0], &we) {
					if until, ok := we.Parked(c.Now()); ok {
						wait = until.Sub(c.Now())
					}
				}
			}
			c.Pass(context.Background(), wait)
		}
		w.server.SetFaults(fault.Config{})
		var errs []error
		var out []*conform.Copy
		for range 3 {
			if out, errs = w.Gather(e[0]); errs[0] == nil {
				break
			}
			conform.MustPass(t, errs[0])
			c.Pass(context.Background(), time.Minute)
		}
		if errs[0] != nil || out[0].Rows["leads"] == nil {
			t.Fatalf("%s: %v", name, errs[0])
		}
	}
}

// A lead that another process deleted, and that Marketo still shows, is no proof,
// and isn't deleted again: Marketo's list of deletions tells.
func TestDeletedByAnotherProcess(t *testing.T) {
	t.Parallel()
	c := conform.NewClock()
	w := newFixture(t, 12, func(s *sandbox.Config, wc *Config) {
		s.Settle, s.Clock, wc.Now, wc.Pause = time.Minute, c.Now, c.Now, c.Pass
	})
	other, err := New(Config{BaseURL: w.url, ClientID: sandbox.DefaultClientID, Secret: vendorapi.SecretValue(sandbox.DefaultClientSecret), Access: vendorapi.Access{Now: c.Now, Pause: c.Pass}})
	if err != nil {
		t.Fatal(err)
	}
	e := w.Emails()[0]
	if j := w.Do(dsar.Erase, e)[0]; j.Err != nil {
		t.Fatal(j.Err)
	}
	w.worker = other
	var we *worker.Error
	if j := w.Do(dsar.Prove, e)[0]; !errors.As(j.Err, &we) || we.Code != "settling" {
		t.Fatalf("%v, %v", j.Err, j.Counts)
	}
	if j := w.Do(dsar.Erase, e)[0]; j.Err != nil || w.server.Repeated() > 0 {
		t.Fatalf("%v; %d were deleted again", j.Err, w.server.Repeated())
	}
	c.Pass(context.Background(), 2*time.Minute)
	if j := w.Do(dsar.Prove, e)[0]; j.Err != nil || len(j.Counts) > 0 {
		t.Fatalf("%v, %v", j.Err, j.Counts)
	}
}

// crm holds everybody.
type crm struct{}

func (crm) HoldsContact(string) bool { return true }

// A lead that the CRM makes again after its deletion is found by the proof.
func TestRecreatedByTheCRM(t *testing.T) {
	t.Parallel()
	c := conform.NewClock()
	w := newFixture(t, 12, func(s *sandbox.Config, wc *Config) {
		s.CRM, s.Clock, wc.Now, wc.Pause = crm{}, c.Now, c.Now, c.Pass
	})
	e := w.Emails()[0]
	if j := w.Do(dsar.Erase, e)[0]; j.Err != nil {
		t.Fatal(j.Err)
	}
	c.Pass(context.Background(), 10*time.Minute)
	if j := w.Do(dsar.Prove, e)[0]; j.Err != nil || conform.Found(j.Counts)["leads"] != 2 {
		t.Fatalf("%v, %v", j.Err, j.Counts)
	}
}

// What durable unsubscribe leaves is named for those whom it concerns.
func TestDurableUnsubscribeIsNamed(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 40, nil)
	named, not := 0, 0
	for i, e := range w.Emails() {
		unsubscribed := false
		leads := w.leads(e, "unsubscribed")
		for _, l := range leads {
			unsubscribed = unsubscribed || l["unsubscribed"] == true
		}
		j := w.Do(dsar.Erase, e)[0]
		if j.Err != nil || (len(j.Notes()) > 0) != unsubscribed {
			t.Fatalf("person %d: %v, unsubscribed %t: %v", i+1, j.Err, unsubscribed, j.Notes())
		}
		if unsubscribed {
			named++
		} else {
			not++
		}
	}
	if named == 0 || not == 0 {
		t.Fatalf("%d named, %d not: nothing is proven", named, not)
	}
}

// The fields that Marketo lacks are named.
func TestMissingFieldsAreNamed(t *testing.T) {
	t.Parallel()
	w := newFixture(t, 12, func(s *sandbox.Config, _ *Config) { s.Hidden = []string{"leadScore", "city"} })
	_, errs := w.Gather(w.Emails()[0])
	var we *worker.Error
	if !errors.As(errs[0], &we) || !we.Permanent() || !strings.Contains(we.Reason, "(city, leadScore)") {
		t.Fatal(errs[0])
	}
	// What an erasure needs is there.
	if j := w.Do(dsar.Erase, people.NobodyEmail)[0]; j.Err != nil {
		t.Fatal(j.Err)
	}
}

// A manifest that says what this worker can't do is refused, with the place.
func TestSettings(t *testing.T) {
	t.Parallel()
	for bad, want := range map[string]string{
		"worker: {of: campaigns}":                                       "of: campaigns is none of",
		"worker: {of: custom-object}":                                   "needs its API name",
		"worker: {of: list-membership}":                                 "goes_with",
		"goes_with: leads\n    worker: {of: activities, programs: [1]}": "is of a program-membership",
		"worker: {of: custom-object, object: x, link: nope, lead: id}":  "not among the columns",
		"worker: {of: custom-object, object: x, link: id, lead: phone}": "needs its API name",
		"worker: {of: leads}":                                           "two datasets of leads",
		"worker: {objekt: x}":                                           "objekt",
	} {
		text := string(manifestYAML) + `  - name: more
    title: {en: More}
    category: identifiers
    origin: provided
    purpose: {en: x}
    legal_basis: contract
    storage: {en: x}
    columns: [{name: id}]
    ` + bad + "\n"
		m, err := manifest.Parse("marketo.yaml", []byte(text))
		if err == nil {
			_, err = New(Config{BaseURL: "http://x", ClientID: "x", Secret: vendorapi.SecretValue("x"), Manifest: m})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
