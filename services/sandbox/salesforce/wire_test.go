package salesforce

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"habeas.dev/services/sandbox/people"
)

// org is a stand-in and a caller that has a token.
type org struct {
	*testing.T
	server *Server
	url    string
	token  string
}

func newOrg(t *testing.T, c Config) *org {
	t.Helper()
	c.Population = people.Generate(people.Config{Seed: 7, People: 20})
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	ts := httptest.NewServer(s)
	t.Cleanup(ts.Close)
	return &org{t, s, ts.URL, s.tokens.issue()}
}

// call makes a call and returns status, header and body.
func (o *org) call(method, path, body string) (int, http.Header, string) {
	o.Helper()
	req, err := http.NewRequest(method, o.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		o.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+o.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		o.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		o.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

func (o *org) query(soql string) (n int, body string) {
	o.Helper()
	_, _, body = o.call("GET", "/services/data/v60.0/queryAll?q="+url.QueryEscape(soql), "")
	var out struct{ TotalSize int }
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		return -1, body
	}
	return out.TotalSize, body
}

// What callers make is kept over a restart, and what they purge stays gone.
func TestKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := newOrg(t, Config{Dir: dir})
	status, _, body := o.call("POST", "/services/data/v60.0/sobjects/Contact", `{"LastName":"Kept","Email":"kept@example.com"}`)
	var made struct{ ID string }
	if json.Unmarshal([]byte(body), &made) != nil || status != 201 {
		t.Fatalf("%d %s", status, body)
	}
	again := newOrg(t, Config{Dir: dir})
	if n, body := again.query("SELECT Id, LastName FROM Contact WHERE Email = 'kept@example.com'"); n != 1 || !strings.Contains(body, made.ID) {
		t.Fatalf("after a restart: %s", body)
	}
	if status, _, body := again.call("POST", "/services/data/v60.0/sobjects/Contact", `{"LastName":"Next"}`); status != 201 || strings.Contains(body, made.ID) {
		t.Errorf("an id was given twice: %s", body)
	}
}

// A Case takes along what hangs on it, however deep, into the recycle bin.
func TestCascade(t *testing.T) {
	t.Parallel()
	o := newOrg(t, Config{})
	const message = "SELECT Id, IsDeleted FROM EmailMessageRelation WHERE EmailMessage.Parent.Contact.Email = 'camille.o\\'brien@example.com'"
	n, body := o.query("SELECT Id FROM Case WHERE Contact.Email = 'camille.o\\'brien@example.com' ORDER BY Id")
	if n != 3 {
		t.Fatal(body)
	}
	var found struct{ Records []struct{ ID string } }
	_ = json.Unmarshal([]byte(body), &found)
	for _, r := range found.Records {
		if status, _, body := o.call("DELETE", "/services/data/v60.0/sobjects/Case/"+r.ID, ""); status != 204 {
			t.Fatalf("%d %s", status, body)
		}
	}
	if n, body := o.query(message + " AND IsDeleted = true"); n != 1 {
		t.Errorf("what hung on a message of the case: %s", body)
	}
	if n, body := o.query("SELECT Id FROM CaseComment WHERE IsDeleted = true"); n < 6 {
		t.Errorf("comments: %s", body)
	}
}

// Errors come in two shapes, limits with every answer, and what isn't known is
// refused by name.
func TestRefusals(t *testing.T) {
	t.Parallel()
	o := newOrg(t, Config{DailyCalls: 500, NoHardDelete: true})
	for soql, want := range map[string]string{
		"SELECT Id FROM ContentDocumentLink":                              "Implementation restriction",
		"SELECT Id FROM ContentDocumentLink WHERE Id = '06A5g0000000001'": "Implementation restriction",
		"SELECT Id FROM Contact WHERE Description = 'x'":                  "can not be filtered",
		"SELECT Id FROM Contact WHERE Id = 'x'":                           "invalid ID field",
		"SELECT Description, COUNT(Id) FROM Contact GROUP BY Description": "can not be grouped",
		"SELECT Id, (SELECT Id FROM Nothing) FROM Contact":                "Didn't understand relationship",
		"SELECT Nothing.Id FROM Contact":                                  "Didn't understand relationship",
	} {
		if n, body := o.query(soql); n != -1 || !strings.Contains(body, want) || !strings.Contains(body, `"errorCode"`) {
			t.Errorf("%s: %s", soql, body)
		}
	}
	status, header, body := o.call("DELETE", "/services/data/v60.0/composite/sobjects?ids=0035g0000zzzzzz,x", "")
	if status != 200 || strings.Count(body, `"statusCode"`) != 2 || !strings.Contains(header.Get("Sforce-Limit-Info"), "/500") {
		t.Errorf("%d %v %s", status, header, body)
	}
	for body, want := range map[string]string{
		`{"object":"Contact","operation":"hardDelete"}`:                     "FEATURENOTENABLED",
		`{"object":"Nothing","operation":"insert"}`:                         "INVALIDENTITY",
		`{"object":"Contact","operation":"shred"}`:                          "INVALIDJOB",
		`{"object":"Contact","operation":"insert","columnDelimiter":"TAB"}`: "INVALIDJOB",
	} {
		if status, _, got := o.call("POST", "/services/data/v60.0/jobs/ingest", body); status != 400 || !strings.Contains(got, want) {
			t.Errorf("%s: %d %s", body, status, got)
		}
	}
	if status, _, _ := o.call("GET", "/services/data/v60.0/jobs/ingest/7505g0000000001AAA", ""); status != 404 {
		t.Errorf("a job that isn't there: %d", status)
	}
}

// A file's bytes come by a call of their own; its query tells where.
func TestFile(t *testing.T) {
	t.Parallel()
	o := newOrg(t, Config{})
	_, body := o.query("SELECT Id, ContentSize, VersionData FROM ContentVersion LIMIT 1")
	var out struct {
		Records []struct {
			ContentSize int
			VersionData string
		}
	}
	if err := json.Unmarshal([]byte(body), &out); err != nil || len(out.Records) != 1 {
		t.Fatal(body)
	}
	status, header, content := o.call("GET", out.Records[0].VersionData, "")
	if status != 200 || len(content) != out.Records[0].ContentSize || header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("%d, %d bytes of %d, %s", status, len(content), out.Records[0].ContentSize, header.Get("Content-Type"))
	}
}
