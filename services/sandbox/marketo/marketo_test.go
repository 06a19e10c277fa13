package marketo

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"habeas.dev/services/sandbox/people"
)

// client calls the stand-in as a program would.
type client struct {
	*testing.T
	url   string
	token string
}

type answer struct {
	Success bool             `json:"success"`
	Result  []map[string]any `json:"result"`
	Next    string           `json:"nextPageToken"`
	More    bool             `json:"moreResult"`
	Errors  []struct {
		Code string `json:"code"`
	} `json:"errors"`
}

func (a answer) code() string {
	if len(a.Errors) == 0 {
		return ""
	}
	return a.Errors[0].Code
}

func newClient(t *testing.T, c Config) (*client, *Server) {
	t.Helper()
	c.Population = people.Generate(people.Config{Seed: 7, People: 20})
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(s)
	t.Cleanup(func() { ts.Close(); _ = s.Close() })
	cl := &client{T: t, url: ts.URL}
	cl.login()
	return cl, s
}

func (c *client) login() {
	c.Helper()
	var got struct {
		Token string `json:"access_token"`
	}
	status := c.send(http.MethodGet, "/identity/oauth/token?grant_type=client_credentials&client_id="+DefaultClientID+"&client_secret="+DefaultClientSecret, "", "", &got)
	if status != http.StatusOK || got.Token == "" {
		c.Fatalf("no token: %d", status)
	}
	c.token = got.Token
}

func (c *client) send(method, path, kind, body string, into any) int {
	c.Helper()
	r, err := http.NewRequestWithContext(c.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", kind)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.Fatal(err)
	}
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(b, into); err != nil {
			c.Fatalf("%v: %s", err, b)
		}
	}
	return resp.StatusCode
}

func (c *client) get(path string) (a answer) {
	c.Helper()
	c.send(http.MethodGet, "/rest/v1/"+path, "", "", &a)
	return a
}

func (c *client) post(path, body string) (a answer) {
	c.Helper()
	c.send(http.MethodPost, "/rest/v1/"+path, "application/json", body, &a)
	return a
}

// A POST that stands for a GET says so in its address or in its form.
func TestMethodInForm(t *testing.T) {
	t.Parallel()
	c, _ := newClient(t, Config{})
	want := c.get("leads.json?filterType=id&filterValues=1001,1011")
	if len(want.Result) != 2 {
		t.Fatalf("%+v", want)
	}
	form := url.Values{"filterType": {"id"}, "filterValues": {"1001,1011"}}
	for _, where := range []string{"address", "form"} {
		path := "/rest/v1/leads.json"
		f := url.Values{}
		for k, v := range form {
			f[k] = v
		}
		if where == "address" {
			path += "?_method=GET"
		} else {
			f.Set("_method", "GET")
		}
		var got answer
		c.send(http.MethodPost, path, "application/x-www-form-urlencoded", f.Encode(), &got)
		if fmt.Sprint(got.Result) != fmt.Sprint(want.Result) {
			t.Errorf("in the %s: %+v", where, got)
		}
	}
	if status := c.send(http.MethodGet, "/rest/v1/leads.json?filterType=id&filterValues="+strings.Repeat("1", 9000), "", "", nil); status != http.StatusRequestURITooLong {
		t.Errorf("a long address: %d", status)
	}
	if status := c.send(http.MethodPost, "/rest/v1/leads.json", "application/json", strings.Repeat(" ", 2<<20), nil); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body: %d", status)
	}
}

// Limits are refused inside of HTTP 200: 606 by the window, 615 at once, 607 by
// the day, which begins at midnight in Chicago.
func TestLimits(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	pass := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	c, _ := newClient(t, Config{Clock: clock, Limits: Limits{PerWindow: 5, Daily: 12}, TokenLife: time.Hour})
	codes := func(n int) (out []string) {
		for range n {
			out = append(out, c.get("leads/describe.json").code())
		}
		return out
	}
	if got := fmt.Sprint(codes(6)); got != "[     606]" {
		t.Errorf("in a window: %q", got)
	}
	pass(20 * time.Second)
	codes(5)
	pass(20 * time.Second)
	if got := fmt.Sprint(codes(2)); got != "[ 607]" && got != "[607 607]" {
		t.Errorf("in a day: %q", got)
	}
	pass(time.Date(2026, 11, 21, 6, 0, 1, 0, time.UTC).Sub(clock())) // midnight there
	c.login()
	if got := fmt.Sprint(codes(1)); got != "[]" {
		t.Errorf("on the next day: %q", got)
	}
}

// Tokens: the same one until its end, then none that is old; revoked at once.
func TestTokens(t *testing.T) {
	t.Parallel()
	c, s := newClient(t, Config{})
	first := c.token
	if c.login(); c.token != first {
		t.Error("asked again, another token is given")
	}
	s.RevokeTokens()
	if got := c.get("leads/describe.json").code(); got != "601" {
		t.Errorf("revoked: %q", got)
	}
	c.token = ""
	if got := c.get("leads/describe.json").code(); got != "600" && got != "601" {
		t.Errorf("none: %q", got)
	}
}

// A page token ends with its time; activities are told in short pages.
func TestPages(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	c, _ := newClient(t, Config{PageSize: 4, ShortPages: true, PageLife: 10 * time.Minute, Clock: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	page := func(token string) answer {
		return c.get("activities.json?activityTypeIds=1,2,6,10,11,13&leadIds=1001,1011&nextPageToken=" + url.QueryEscape(token))
	}
	a := c.get("activities/pagingtoken.json?sinceDatetime=2006-01-01T00:00:00Z")
	seen, first := map[any]bool{}, a.Next
	for more := true; more; {
		a = page(a.Next)
		if a.Next == "" {
			t.Fatalf("a page without a token: %+v", a)
		}
		for _, r := range a.Result {
			if seen[r["id"]] {
				t.Errorf("activity %v comes twice", r["id"])
			}
			seen[r["id"]] = true
		}
		more = a.More
	}
	if len(seen) < 8 {
		t.Errorf("%d activities", len(seen))
	}
	mu.Lock()
	now = now.Add(11 * time.Minute)
	mu.Unlock()
	if got := page(first).code(); got != "1003" {
		t.Errorf("an old page token: %q", got)
	}
}

// That an address has unsubscribed outlives its lead.
func TestDurableUnsubscribe(t *testing.T) {
	t.Parallel()
	c, _ := newClient(t, Config{})
	created := func() (id string, unsubscribed any) {
		a := c.post("leads.json", `{"input":[{"email":"x@example.com"}]}`)
		id = fmt.Sprintf("%.0f", a.Result[0]["id"])
		return id, c.get("leads.json?filterType=id&fields=unsubscribed&filterValues=" + id).Result[0]["unsubscribed"]
	}
	id, before := created()
	c.post("leads.json", `{"action":"updateOnly","lookupField":"id","input":[{"id":`+id+`,"unsubscribed":true}]}`)
	if got := c.post("leads/delete.json", `{"input":[{"id":`+id+`}]}`).Result[0]["status"]; got != "deleted" {
		t.Fatal(got)
	}
	if again, after := created(); again == id || before != false || after != true {
		t.Errorf("%s then %s: %v, %v", id, again, before, after)
	}
}
