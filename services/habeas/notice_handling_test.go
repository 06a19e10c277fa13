package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/sandbox/people"
)

// TestN9KeptAsLongAsTheLawAsks: what tax and accounting law has us keep stays, with its ground
// and its last day told, and goes on that day without anybody asking again; what they no
// longer ask for, and what only the person's own word or a purpose kept, goes at once.
func TestN9KeptAsLongAsTheLawAsks(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	who := d.account(1)
	ref, mail := d.people.CustomerRef(who), d.people.Person(who).Email
	d.change("billing", "UPDATE invoices SET issued_on = '2009-05-05' WHERE invoice_id = (SELECT max(invoice_id) FROM invoices WHERE customer_ref = ?)", ref)
	invoices := d.count("billing", "invoices", "customer_ref", ref)
	id := d.ask(who, dsar.Erasure, "EEA", "en", nil)
	d.wait(id)
	first := now().Year() - 10 // closed ten years ago or later
	left := d.value("billing", "SELECT count(*) FROM invoices WHERE customer_ref = ? AND issued_on < ?", ref, time.Date(first, 1, 1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
	kept := d.count("billing", "invoices", "customer_ref", ref)
	if left != int64(0) || kept == 0 || kept >= invoices {
		t.Errorf("%d of %d invoices are left, %v of them for longer than ten years", kept, invoices, left)
	}
	if n := d.count("communications", "preferences", "email", mail); n != 0 {
		t.Errorf("%d preferences are left", n)
	}
	d.says(id, "Tax and accounting records", "Luxembourg, Code de commerce, art. 16", "Kept until", "You need not ask again")
	s, err := d.n.Installation.Requests.State(t.Context(), id)
	if err != nil || core.Wake(s).IsZero() || core.Wake(s).After(now().AddDate(11, 0, 0)) {
		t.Errorf("%v: nothing wakes it when the law no longer asks: %s", err, core.Wake(s))
	}
}

// archives are the datasets of the systems that keep what was before a change, each with its
// table and the number of a record.
func archives() map[string][2]string {
	return map[string][2]string{
		"account/profile_versions": {"account_archive", "version_id"},
		"partner/versions":         {"partner_archive", "version_id"},
		"community/post_versions":  {"post_archive", "version_id"},
	}
}

// TestN10EarlierVersions: an earlier version of what was changed, in each system that archives,
// is in the copy, and an erasure reaches it.
func TestN10EarlierVersions(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	who := people.Leaver
	id := d.ask(who, dsar.Access, "EEA", "en", nil)
	d.wait(id)
	files := payload(t, d.n, id)
	for dataset, in := range archives() {
		var given []map[string]any
		if err := json.Unmarshal(files[dataset+".json"], &given); err != nil {
			t.Fatalf("%s: %v", dataset, err)
		}
		var got []string
		for _, v := range given {
			got = append(got, v[in[1]].(string))
		}
		slices.Sort(got)
		if want := d.keys(who, dataset); !slices.Equal(got, want) || len(want) == 0 {
			t.Errorf("%s: the copy has %d earlier versions, %d are held", dataset, len(got), len(want))
		}
	}
	d.wait(d.ask(who, dsar.Erasure, "EEA", "en", nil))
	for dataset, in := range archives() {
		system, _, _ := strings.Cut(dataset, "/")
		for _, key := range d.keys(who, dataset) {
			if n := d.count(system, in[0], in[1], key); n != 0 {
				t.Errorf("%s: an earlier version is left", dataset)
			}
		}
	}
}

// keys returns the keys of a person's records of a dataset, sorted.
func (d *desk) keys(who int, of string) (keys []string) {
	system, dataset, _ := strings.Cut(of, "/")
	for _, r := range d.people.RowsIn(who, system) {
		if r.Dataset == dataset {
			keys = append(keys, r.Key)
		}
	}
	slices.Sort(keys)
	return keys
}

// TestN13CardsAndTransfers: of a card nothing but its last four digits is in any answer, from
// our own database or the payment processor's; transfers outside the EEA are named with their
// safeguards, by country.
func TestN13CardsAndTransfers(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	who := d.account(1)
	cards := func() (held []string) {
		for _, r := range d.people.RowsIn(who, people.Billing) {
			if n, ok := r.Values["card_number"].(string); ok && n != "" {
				held = append(held, n)
			}
		}
		return held
	}
	for len(cards()) == 0 || len(d.people.RowsIn(who, people.PaymentTech)) == 0 {
		who = d.account(who + 1)
	}
	id := d.ask(who, dsar.Access, "EEA", "en", nil)
	d.wait(id)
	files := payload(t, d.n, id)
	long := regexp.MustCompile(`\b4000[0-9]{12}\b`)
	for name, content := range files {
		if found := long.Find(content); found != nil {
			t.Errorf("%s has a card's whole number", name)
		}
		for _, card := range cards() {
			if strings.Contains(string(content), card) {
				t.Errorf("%s has a card's whole number", name)
			}
		}
	}
	if customers := string(files["billing/customers.json"]); !strings.Contains(customers, "[held, not shown: payment-card") {
		t.Error("the copy doesn't say which card is held")
	}
	d.says(id, "United States", "J.P. Morgan (PaymentTech)", "standard contractual clauses")
}

// TestN13EncryptedInTransit: a door with a certificate answers over TLS, and nothing that is
// sent to it in the clear.
func TestN13EncryptedInTransit(t *testing.T) {
	t.Parallel()
	cfg, err := config.ForData(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listen, cfg.Monitor.Listen, cfg.Log.Level = "127.0.0.1:0", "127.0.0.1:0", "error"
	cfg.Sandbox = &config.Sandbox{Seed: 7, People: 1}
	roots := certified(t, &cfg)
	n, err := node.Start(t.Context(), cfg, node.Options{}, node.Everything())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	_, address, _ := strings.Cut(n.URL(), "://")
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "habeas.example.com"}}}
	t.Cleanup(client.CloseIdleConnections)
	for scheme, served := range map[string]bool{"https": true, "http": false} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, scheme+"://"+address+"/v1/requests/"+uuid.NewString(), nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if clear := strings.Contains(string(body), "HTTP request to an HTTPS server"); clear == served || served && answer.StatusCode == http.StatusBadRequest {
			t.Errorf("%s: %s, %s", scheme, answer.Status, body)
		}
	}
}

// certified gives a configuration's door a certificate, and returns who vouches for it.
func certified(t *testing.T, cfg *config.Config) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"habeas.example.com"}, NotBefore: now().Add(-time.Hour), NotAfter: now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, of, of, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cfg.TLS.CertFile, cfg.TLS.KeyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cfg.TLS.CertFile: {Type: "CERTIFICATE", Bytes: der}, cfg.TLS.KeyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return roots
}

// TestN14WhatIsLimited: who has data restricted or erased is told which services that limits, and
// who only ends a purpose isn't told that an account is closed.
func TestN14WhatIsLimited(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	who := d.account(1)
	const closed, closedFR, barred = "You can’t sign in to the console", "Vous ne pouvez plus vous connecter à la console", "You can’t be let in to events"
	objected := d.ask(who, dsar.Objection, "EEA", "en", func(s *event.Submitted) { s.Details = &event.Details{Purposes: []string{"mark:marketing"}} })
	d.wait(objected)
	if page := string(payload(t, d.n, objected)["index.html"]); strings.Contains(page, closed) || strings.Contains(page, barred) {
		t.Error("who ends marketing is told that the account is closed")
	}
	restricted := d.ask(who, dsar.Restriction, "EEA", "fr", nil)
	d.wait(restricted)
	d.says(restricted, closedFR)
	erased := d.ask(who, dsar.Erasure, "EEA", "en", nil)
	d.wait(erased)
	d.says(erased, closed, barred)
}

// TestN16ThirdParties: a copy says who takes part in a purchase and receives data about it; the
// categories of what is disclosed for a business purpose are told with the categories of who
// receives it; and who says no isn't shared any more, in any system.
func TestN16ThirdParties(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	who := d.account(1)
	for !slices.ContainsFunc(d.people.RowsIn(who, people.Marketplace), func(r people.Row) bool { return r.Dataset == "purchases" }) {
		who = d.account(who + 1)
	}
	mail := d.people.Person(who).Email
	id := d.ask(who, dsar.Access, "EEA", "fr", nil)
	d.wait(id)
	d.says(id, "Achats", "Le vendeur")

	id = d.ask(who, dsar.KnowCategories, "California", "en", nil)
	d.wait(id)
	d.says(id, "Disclosed for a business purpose", "the seller")

	id = d.ask(who, dsar.OptOut, "California", "en", nil)
	d.wait(id)
	if n := d.value("communications", "SELECT count(*) FROM preferences WHERE email = ? COLLATE NOCASE AND shared", mail); n != int64(0) {
		t.Error("data is still shared with partners")
	}
	d.says(id, "To let partners write to you")
}

// TestN17DutiesScoresAndBiometrics: a seller's bank account is told as collected under a legal
// duty; voice and appearance from demonstrations as biometric data, and never shown. What comes
// of credit bureaus is TestN17CreditBureaus's, on databases.
func TestN17DutiesScoresAndBiometrics(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	has := func(who int, system, dataset, column string) bool {
		return slices.ContainsFunc(d.people.RowsIn(who, system), func(r people.Row) bool { return r.Dataset == dataset && r.Values[column] != nil })
	}
	find := func(system, dataset, column string) int {
		for who := range d.people.People {
			if has(who+1, system, dataset, column) {
				return who + 1
			}
		}
		t.Fatalf("nobody has %s of %s", dataset, system)
		return 0
	}
	seller := find(people.Marketplace, "sellers", "bank_account")
	for locale, says := range map[string][]string{
		"en": {"Bank account", "To check who sells here, as the law demands", "A legal obligation"},
		"fr": {"Compte bancaire", "Vérifier l’identité des vendeurs, comme la loi l’exige", "Une obligation légale"},
	} {
		id := d.ask(seller, dsar.Access, "EEA", locale, nil)
		d.wait(id)
		d.says(id, says...)
	}
	for system, dataset := range map[string]string{people.Events: "media", people.Support: "calls"} {
		column := map[string]string{people.Events: "face_template", people.Support: "voiceprint"}[system]
		who := find(system, dataset, column)
		id := d.ask(who, dsar.Access, "California", "en", nil)
		d.wait(id)
		files := payload(t, d.n, id)
		if rows := string(files[system+"/"+dataset+".json"]); !strings.Contains(rows, "[held, not shown: biometric]") {
			t.Errorf("%s of %s: %s isn't told as biometric", dataset, system, column)
		}
		d.says(id, "Biometric")
		for _, r := range d.people.RowsIn(who, system) {
			if v, ok := r.Values[column].(string); ok && v != "" && strings.Contains(string(files[system+"/"+dataset+".json"]), v) {
				t.Errorf("%s is shown", column)
			}
		}
	}
}
