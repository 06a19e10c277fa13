package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/sandbox/internaldb"
	"habeas.dev/services/sandbox/people"
)

// onlyRetainedIsLeft looks for the canaries of people in every column of every table of
// the internal systems: they may be in the retained tables only, in as many rows
// as must stay.
func (p *pipeline) onlyRetainedIsLeft(gone []int) {
	p.Helper()
	for _, system := range internaldb.Systems() {
		db, err := sql.Open("sqlite", filepath.Join(p.n.Config.Room(config.RoomSandbox), system+".db"))
		if err != nil {
			p.Fatal(err)
		}
		for table, rows := range dump(p.T, db) {
			for _, person := range gone {
				mark := fmt.Sprintf("%s%d-", people.CanaryPrefix, person)
				left := 0
				for _, row := range rows {
					if strings.Contains(row, mark) {
						left++
					}
				}
				want := 0
				for _, r := range p.people.RowsIn(person, system) {
					if r.Dataset == table && mustStay(r) && strings.Contains(line(p.T, "", "", r.Values), mark) {
						want++
					}
				}
				if left != want {
					p.Errorf("%s: table %s: %d rows hold person %d, %d must stay", system, table, left, person, want)
				}
			}
		}
		if err := db.Close(); err != nil {
			p.Fatal(err)
		}
	}
}

// noFileIsLeft looks for files of people beside the rows of the internal systems, and for those
// of the others, which are as they were.
func (p *pipeline) noFileIsLeft(gone []int) {
	p.Helper()
	others := 0
	for _, system := range internaldb.Systems() {
		for _, folder := range internaldb.Folders(p.n.Config.Room(config.RoomSandbox), system) {
			err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				for _, person := range gone {
					if strings.Contains(path, fmt.Sprintf("%s%d-", people.CanaryPrefix, person)) {
						p.Errorf("%s: a file of person %d is left", system, person)
					}
				}
				others++
				return nil
			})
			if err != nil {
				p.Error(err)
			}
		}
	}
	want := 0
	for _, who := range p.people.People {
		for _, r := range p.people.RowsOf(who.Number) {
			if r.Values[people.ContentColumn] != nil && internaldb.Folders("", r.System) != nil && !slices.Contains(gone, who.Number) {
				want++
			}
		}
	}
	if others != want || want == 0 {
		p.Errorf("%d files of others are left of %d", others, want)
	}
}

// dump returns every row of every table as text.
func dump(t *testing.T, db *sql.DB) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, table := range column(t, db, "SELECT name FROM sqlite_master WHERE type = 'table'") {
		rows, err := db.QueryContext(t.Context(), `SELECT * FROM "`+table+`"`) //nolint:gosec // a table's name
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			for _, v := range values {
				if b, ok := (*v.(*any)).([]byte); ok {
					text.Write(b)
				} else {
					fmt.Fprint(&text, *v.(*any))
				}
				text.WriteByte(' ')
			}
			out[table] = append(out[table], text.String())
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
	}
	return out
}

func column(t *testing.T, db *sql.DB, query string) (out []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// vendorsHoldNothingOf asks Salesforce, Marketo and PaymentTech as any client does.
func (p *pipeline) vendorsHoldNothingOf(gone []int) {
	p.Helper()
	crm, mail := p.n.Config.Systems[people.Salesforce], p.n.Config.Systems[people.Marketo]
	crmToken, mailToken := p.token(crm, "/services/oauth2/token"), p.token(mail, "/identity/oauth/token")
	for _, person := range gone {
		email := p.people.Person(person).Email
		for object, where := range map[string]string{
			"Contact": "Email = '" + email + "'", "Lead": "Email = '" + email + "'",
			"Registration__c": fmt.Sprintf("SerialNumber__c LIKE '%s%d-%%'", people.CanaryPrefix, person),
		} {
			query := fmt.Sprintf("SELECT Id FROM %s WHERE %s", object, where)
			var found struct{ TotalSize int }
			p.get(crm.URL+"/services/data/v60.0/queryAll?q="+url.QueryEscape(query), crmToken, &found)
			if found.TotalSize != 0 {
				p.Errorf("Salesforce still has %d %ss of person %d", found.TotalSize, object, person)
			}
		}
		for path, field := range map[string]string{"leads.json": "email", "customobjects/subscription_c.json": "emailAddress"} {
			var found struct {
				Success bool
				Result  []any
			}
			p.get(mail.URL+"/rest/v1/"+path+"?filterType="+field+"&filterValues="+url.QueryEscape(email), mailToken, &found)
			if !found.Success || len(found.Result) > 0 {
				p.Errorf("Marketo's %s still has %d records of person %d (%v)", path, len(found.Result), person, found.Success)
			}
		}
		if status := p.profileStatus(person); status != "9581" {
			p.Errorf("PaymentTech says %q of person %d's profile", status, person)
		}
	}
}

// profileStatus returns what PaymentTech says of a person's profile: 0 where there
// is one, 9581 where there is none.
func (p *pipeline) profileStatus(person int) string {
	p.Helper()
	pay := p.n.Config.Systems[people.PaymentTech]
	secret, err := os.ReadFile(pay.ClientSecretFile)
	if err != nil {
		p.Fatal(err)
	}
	req, err := http.NewRequestWithContext(p.Context(), http.MethodGet, pay.URL+"/gwapi/v4/gateway/profile/version/4.5/bin/000001/customerrefnum/"+url.PathEscape(p.people.CustomerRef(person)), nil)
	if err != nil {
		p.Fatal(err)
	}
	req.Header.Set("orbitalConnectionUsername", pay.ClientID)
	req.Header.Set("orbitalConnectionPassword", string(secret))
	req.Header.Set("merchantID", pay.Options["merchant_id"])
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		ProcStatus string
		Order      struct {
			Status struct{ ProcStatus string }
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		p.Fatalf("%s: %v", res.Status, err)
	}
	return answer.ProcStatus + answer.Order.Status.ProcStatus
}

func (p *pipeline) token(s config.System, path string) string {
	p.Helper()
	secret, err := os.ReadFile(s.ClientSecretFile)
	if err != nil {
		p.Fatal(err)
	}
	res, err := http.PostForm(s.URL+path, url.Values{"grant_type": {"client_credentials"}, "client_id": {s.ClientID}, "client_secret": {string(secret)}})
	if err != nil {
		p.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || answer.Token == "" {
		p.Fatalf("no token: %s %v", res.Status, err)
	}
	return answer.Token
}

func (p *pipeline) get(url, token string, answer any) {
	p.Helper()
	req, err := http.NewRequestWithContext(p.Context(), http.MethodGet, url, nil)
	if err != nil {
		p.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(answer); err != nil || res.StatusCode != http.StatusOK {
		p.Fatalf("%s: %v", res.Status, err)
	}
}

// othersAreAsTheyWere asks again for people who were not erased.
func (p *pipeline) othersAreAsTheyWere(asked int, gone []int) {
	p.Helper()
	var ids []string
	var persons []int
	for n := 1; n <= asked; n++ {
		if !slices.Contains(gone, n) {
			ids, persons = append(ids, p.submit(n, dsar.Access)), append(persons, n)
		}
	}
	p.wait(ids...)
	for i, id := range ids {
		p.holds(id, persons[i])
		tr, err := loadTrace(p.Context(), p.n.Installation, id)
		if err != nil {
			p.Fatal(err)
		}
		text, err := json.Marshal(tr)
		if err != nil {
			p.Fatal(err)
		}
		p.told = append(p.told, string(text))
		if tr.Chain != "verified" {
			p.Errorf("chain of %s: %s", id, tr.Chain)
		}
	}
	rows, err := p.n.Installation.Journal.List(p.Context(), journal.Filter{})
	if err != nil {
		p.Fatal(err)
	}
	var list bytes.Buffer
	if err := printJSONLines(&list, rows); err != nil {
		p.Fatal(err)
	}
	p.told = append(p.told, list.String())
	p.topics = everyRecord(p.T, p.n)
}
