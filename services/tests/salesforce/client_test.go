package salesforce_test

import (
	"encoding/csv"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	client "github.com/k-capehart/go-salesforce/v3"

	"habeas.dev/services/sandbox/people"
	"habeas.dev/services/sandbox/salesforce"
)

type contact struct {
	ID        string `salesforce:"Id"`
	LastName  string
	Email     string
	IsDeleted bool
}

// TestGoSalesforce has somebody else's client do all day's work on the stand-in:
// sign in, query over pages, change records one by one, in collections and by
// bulk jobs, and renew a session that ended.
func TestGoSalesforce(t *testing.T) {
	t.Parallel()
	s, err := salesforce.New(salesforce.Config{Population: people.Generate(people.Config{Seed: 7, People: 60}), PageSize: 17})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ts := httptest.NewServer(s)
	defer ts.Close()
	sf, err := client.Init(client.Creds{Domain: ts.URL, ConsumerKey: salesforce.DefaultClientID, ConsumerSecret: salesforce.DefaultClientSecret})
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	var everyone, one []contact
	must(sf.Query("SELECT Id, Email FROM Contact", &everyone))
	if len(everyone) < 40 {
		t.Fatalf("%d contacts over pages", len(everyone))
	}
	must(sf.Query(`SELECT Id, LastName, Email FROM Contact WHERE Email = 'camille.o\'brien@example.com' ORDER BY Id LIMIT 1`, &one))
	if len(one) != 1 || one[0].LastName != "O'Brien" {
		t.Fatalf("found %+v", one)
	}

	made, err := sf.InsertOne("Contact", contact{LastName: "Nobody", Email: "made@example.com"})
	if err == nil {
		t.Fatalf("Id and IsDeleted can't be set, and were: %+v", made)
	}
	made, err = sf.InsertOne("Contact", map[string]any{"LastName": "Nobody", "Email": "made@example.com"})
	must(err)
	must(sf.UpdateOne("Contact", map[string]any{"Id": made.Id, "LastName": "Somebody"}))
	must(sf.Query("SELECT LastName FROM Contact WHERE Id = '"+made.Id+"'", &one))
	if one[len(one)-1].LastName != "Somebody" {
		t.Fatalf("changed to %+v", one)
	}
	up, err := sf.UpsertOne("Contact", "Email", map[string]any{"Email": "made@example.com", "LastName": "Upserted"})
	must(err)
	if up.Id != made.Id {
		t.Errorf("upserted %s instead of %s", up.Id, made.Id)
	}
	must(sf.DeleteOne("Contact", map[string]any{"Id": made.Id}))

	many, err := sf.InsertCollection("Lead", []map[string]any{{"LastName": "A", "Company": "X"}, {"LastName": "B"}}, 200)
	must(err)
	if !many.HasSalesforceErrors || !many.Results[0].Success || many.Results[1].Errors[0].StatusCode != "REQUIRED_FIELD_MISSING" {
		t.Errorf("inserted %+v", many)
	}
	gone, err := sf.DeleteCollection("Lead", []map[string]any{{"Id": many.Results[0].Id}}, 200)
	must(err)
	if gone.HasSalesforceErrors {
		t.Errorf("deleted %+v", gone)
	}
	again, err := sf.DeleteComposite("Lead", []map[string]any{{"Id": many.Results[0].Id}}, 200, false)
	must(err)
	if !again.HasSalesforceErrors || again.Results[0].Errors[0].StatusCode != "ENTITY_IS_DELETED" {
		t.Errorf("deleted again %+v", again)
	}

	jobs, err := sf.InsertBulk("Contact", []map[string]any{{"LastName": "Bulk 1"}, {"LastName": `Bulk, "2"`}}, 1000, true)
	must(err)
	results, err := sf.GetJobResults(jobs[0])
	must(err)
	if results.NumberRecordsFailed != 0 || len(results.SuccessfulRecords) != 2 {
		t.Fatalf("bulk %+v", results)
	}
	file := filepath.Join(t.TempDir(), "export.csv")
	must(sf.QueryBulkExport("SELECT Id, LastName FROM Contact WHERE LastName LIKE 'Bulk%'", file))
	text, err := os.ReadFile(file)
	must(err)
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil || len(rows) != 3 || rows[2][1] != `Bulk, "2"` {
		t.Fatalf("exported %q: %v", text, err)
	}
	if _, err = sf.DeleteBulk("Contact", []map[string]any{{"Id": rows[1][0]}, {"Id": rows[2][0]}}, 1000, true); err != nil {
		t.Fatal(err)
	}
	var left []contact
	must(sf.Query("SELECT Id FROM Contact WHERE LastName LIKE 'Bulk%'", &left))
	if len(left) > 0 {
		t.Errorf("left are %+v", left)
	}

	if err := sf.Query("SELECT Id FORM Contact", &one); err == nil || !strings.Contains(err.Error(), "MALFORMED_QUERY") {
		t.Errorf("got %v", err)
	}
	s.RevokeTokens()
	must(sf.Query("SELECT Id, Email FROM Contact", &everyone))
}
