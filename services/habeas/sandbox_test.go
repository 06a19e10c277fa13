package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"

	"habeas.dev/pkg/manifest"
	"habeas.dev/services/sandbox/people"
	"habeas.dev/services/sandbox/standin"
	"habeas.dev/services/systems/marketo"
	"habeas.dev/services/systems/salesforce"
)

// TestSandbox runs `habeas sandbox` as a process, and asks each vendor for what
// it says that it holds.
func TestSandbox(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts processes")
	}
	cmd := command(t.Context(), "sandbox", "--listen", "127.0.0.1:0", "--json", "--seed", "5", "--people", "200", "--sandbox-faults", "marketo:quota=1h;latency=1ms")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewReader(out)
	line, err := lines.ReadBytes('\n')
	if err != nil {
		t.Fatalf("%v: %s", err, said.Bytes())
	}
	var told toldSandbox
	if err := json.Unmarshal(line, &told); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	p := people.Generate(people.Config{Seed: 5, People: 200})
	if told.Seed != 5 || told.People != 200 || len(told.Vendors) != len(standin.Vendors()) {
		t.Fatalf("%+v", told)
	}
	vendors := told.Vendors
	for _, v := range vendors {
		if len(v.People) != shown || v.ClientSecret == "" {
			t.Errorf("%+v", v)
		}
	}
	ask := func(method, address string, header http.Header, form url.Values, answer any) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		if header != nil {
			req.Header = header
		}
		if form != nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(answer); err != nil {
			t.Fatalf("%s: %s: %v", address, res.Status, err)
		}
	}
	token := func(v toldVendor, path string) http.Header {
		t.Helper()
		var answer struct {
			Token string `json:"access_token"`
		}
		ask(http.MethodPost, v.URL+path, http.Header{}, url.Values{"grant_type": {"client_credentials"}, "client_id": {v.ClientID}, "client_secret": {v.ClientSecret}}, &answer)
		return http.Header{"Authorization": {"Bearer " + answer.Token}}
	}

	crm := vendors[people.Salesforce]
	if crm.People[0] != p.Person(people.Camille).Email {
		t.Errorf("%v", crm.People)
	}
	var found struct{ TotalSize int }
	query := "SELECT Id FROM Contact WHERE Email = '" + strings.ReplaceAll(crm.People[0], "'", `\'`) + "'"
	ask(http.MethodGet, crm.URL+"/services/data/v60.0/query?q="+url.QueryEscape(query), token(crm, "/services/oauth2/token"), nil, &found)
	if found.TotalSize == 0 {
		t.Error("Salesforce doesn't hold whom it says")
	}

	query = "SELECT Id FROM Registration__c WHERE Contact__r.Email = '" + strings.ReplaceAll(crm.People[0], "'", `\'`) + "'"
	ask(http.MethodGet, crm.URL+"/services/data/v60.0/query?q="+url.QueryEscape(query), token(crm, "/services/oauth2/token"), nil, &found)
	if found.TotalSize != 2 {
		t.Errorf("of Salesforce's custom object Camille has %d", found.TotalSize)
	}
	for vendor, with := range map[string]func([]byte) (*manifest.Manifest, error){people.Salesforce: salesforce.ManifestWith, people.Marketo: marketo.ManifestWith} {
		m, err := with([]byte(vendors[vendor].Datasets))
		if err != nil || m.Dataset(map[string]string{people.Salesforce: "registrations", people.Marketo: "program_members"}[vendor]) == nil {
			t.Errorf("%s: what it says to add to a manifest: %v", vendor, err)
		}
	}

	mail := vendors[people.Marketo]
	var spent struct {
		Success bool
		Errors  []struct{ Code string }
	}
	ask(http.MethodGet, mail.URL+"/rest/v1/leads.json?filterType=email&filterValues="+url.QueryEscape(mail.People[0]), token(mail, "/identity/oauth/token"), nil, &spent)
	if spent.Success || len(spent.Errors) != 1 || spent.Errors[0].Code != "607" {
		t.Errorf("with its quota spent, Marketo says %+v", spent)
	}

	pay := vendors[people.PaymentTech]
	var profile struct {
		Profile struct{ CustomerName string }
	}
	if !slices.Contains(pay.People, p.CustomerRef(people.Camille)) {
		t.Errorf("%v", pay.People)
	}
	header := http.Header{}
	header.Set("orbitalConnectionUsername", pay.ClientID)
	header.Set("orbitalConnectionPassword", pay.ClientSecret)
	header.Set("merchantID", pay.Options["merchant_id"])
	ask(http.MethodGet, pay.URL+"/gwapi/v4/gateway/profile/version/4.5/bin/"+pay.Options["bin"]+"/customerrefnum/"+pay.People[0], header, nil, &profile)
	if profile.Profile.CustomerName == "" {
		t.Error("PaymentTech doesn't hold whom it says")
	}

	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
		t.Errorf("it says more: %s (%v)", rest, err)
	}
	if err := cmd.Wait(); err != nil || said.Len() > 0 {
		t.Errorf("%v: %s", err, said.Bytes())
	}
}

// TestSandboxExplainsItself: help teaches the faults; what is wrong is one line.
func TestSandboxExplainsItself(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts processes")
	}
	help, err := command(t.Context(), "sandbox", "--help").CombinedOutput()
	if err != nil {
		t.Error(err)
	}
	for _, word := range []string{"--listen", "--json", "--people", "quota=1h", "salesforce:5xx=0.2,latency=50ms;marketo:quota=1h"} {
		if !bytes.Contains(help, []byte(word)) {
			t.Errorf("no %s in\n%s", word, help)
		}
	}
	for _, args := range [][]string{
		{"sandbox", "--sandbox-faults", "hubspo:5xx=0.1"},
		{"sandbox", "--listen", "nowhere"},
		{"sandbox", "--people", "1"},
		{"demo", "--exit", "--sandbox-faults", "salesforce:slow"},
		{"up", "--data", t.TempDir(), "--sandbox-faults", "5xx=0.1"}, // it has no sandbox
	} {
		status, out := says(t, args...)
		if status != 1 || !strings.HasPrefix(lastLine(out), "habeas: ") {
			t.Errorf("%v: status %d: %s", args, status, out)
		}
	}
}

// lastLine returns the last line of a text.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// TestDemoUnderFaults: with calls refused as too many, and PaymentTech's answers
// lost in mid-way, the demo's requests end as they do without. Lost answers of the
// other vendors have their workers wait for minutes, which conform.Faults plays in
// no time.
func TestDemoUnderFaults(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts processes")
	}
	dir := t.TempDir()
	text, err := command(t.Context(), "demo", "--exit", "--data", dir, "--people", "200", "--sandbox-faults", "throttle=0.05,latency=2ms;paymentech:5xx=0.2,cut=0.1,lost=0.1").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if n := bytes.Count(text, []byte("  completed  ")); n != 5 {
		t.Errorf("%d requests completed:\n%s", n, text)
	}
}
