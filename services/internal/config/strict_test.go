package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStrict: each thing that is wider than it must be is found, by its field; a
// configuration that leaves nothing wide has nothing found.
func TestStrict(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, name := range []string{"kafka", "salesforce", "marketo", "cookies", "oidc", "master", "tls", "journal", "billing", "portal"} {
		secret(name, name+"'s own", 0o600)
	}
	secret("copied", "salesforce's own", 0o600)
	secret("open", "seen by all", 0o604)
	narrow := strings.ReplaceAll(`
data: DIR
listen: 0.0.0.0:8420
tls: {cert_file: DIR/cert, key_file: DIR/tls}
callers: {signup-page: {believed: true, rights: [access]}}
producers: {crm: {keys: [DIR/crm.pem]}}
kafka: {brokers: ["k:9093"], tls: {enabled: true}, sasl: {mechanism: SCRAM-SHA-512, user: habeas-intake, password_file: DIR/kafka}}
journal: postgres://habeas_coordinator@db/habeas?sslmode=verify-full&passfile=DIR/journal
limits: postgres://vendors@db/vendors?sslmode=verify-full
vault: {bucket: "s3://vault", key: "file://DIR/master"}
outbox: s3://outbox
receipts: {name: privacy.example.com, mirror: "s3://elsewhere"}
console: {listen: "0.0.0.0:8421", tls: {cert_file: DIR/cert, key_file: DIR/tls2}, cookie_key_file: DIR/cookies, url: "https://h.example", oidc: {issuer: "https://id.example", client_id: h, client_secret_file: DIR/oidc, roles: {viewer: [v]}}}
systems:
  billing: {dsn: "postgres://dsar@billing/billing?sslmode=verify-full&passfile=DIR/billing"}
  salesforce: {url: "https://x.my.salesforce.com", client_id: i, client_secret_file: DIR/salesforce}
  marketo: {url: "https://x.mktorest.com", client_id: i, client_secret_file: DIR/marketo}
`, "DIR", filepath.ToSlash(dir))
	found := func(text string) []Wide {
		t.Helper()
		c, err := parse(strings.NewReader(text))
		if err == nil {
			c, err = c.withDefaults()
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		return c.Strict()
	}
	if all := found(narrow); len(all) > 0 {
		t.Errorf("nothing is wide, and found is %+v", all)
	}
	for _, c := range []struct{ from, to, where string }{
		{"tls: {cert_file: DIR/cert, key_file: DIR/tls}\n", "", "tls"},
		{`, mirror: "s3://elsewhere"`, "", "receipts.mirror"},
		{"name: privacy.example.com, ", "", "receipts.name"},
		{"callers: {signup-page: {believed: true, rights: [access]}}", "", "callers"},
		{"rights: [access]", "rights: []", "callers.signup-page.rights"},
		{"producers: {crm: {keys: [DIR/crm.pem]}}", "", "producers"},
		{"tls: {enabled: true}, ", "", "kafka.tls"},
		{`bucket: "s3://vault"`, "bucket: /elsewhere/objects", "vault.apart"},
		{", sasl: {mechanism: SCRAM-SHA-512, user: habeas-intake, password_file: DIR/kafka}", "", "kafka.sasl"},
		{`brokers: ["k:9093"]`, "brokers: []", "kafka.brokers"},
		{"outbox: s3://outbox", "proof: never", "proof"},
		{"outbox: s3://outbox", "letters: {smtp: 'm:25', from: a@b.example}\nportal: {listen: ':2', url: 'https://p.example', secret_file: DIR/portal}", "portal.tls"},
		{"outbox: s3://outbox", "letters: {smtp: 'm:25', from: a@b.example}\nportal: {listen: '127.0.0.1:2', url: 'https://p.example'}", "portal.secret_file"},
		{"outbox: s3://outbox", "sandbox: {seed: 1, people: 200}", "sandbox"},
		{"outbox: s3://outbox", "monitor: {listen: '0.0.0.0:1', tls: {cert_file: c, key_file: k}}", "monitor.tls.client_ca_file"},
		{"outbox: s3://outbox", "monitor: {listen: ':1'}", "monitor.tls"},
		{"outbox: s3://outbox", "telemetry: {otlp: 'http://collector:4318'}", "telemetry.otlp"},
		{"outbox: s3://outbox", "letters: {smtp: 'm:25', from: a@b.example, plain: true}", "letters.plain"},
		{"file://DIR/master", "base64key://c2VjcmV0", "vault.key"},
		{"habeas_coordinator@db/habeas?sslmode=verify-full", "habeas_coordinator:hunter2@db/habeas?sslmode=verify-full", "journal"},
		{"habeas_coordinator@db/habeas", "habeas@db/habeas", "journal"},
		{"user: habeas-intake, ", "user: habeas, ", "kafka.sasl.user"},
		{"file://DIR/master", "file://DIR/links/master", "vault.key"},
		{`key: "file://DIR/master"`, `key: "file://DIR/master", keys: DIR/links/keys`, "vault.keys"},
		{`key: "file://DIR/master"`, `key: "file://DIR/master", old_keys: ["base64key://c2VjcmV0"]`, "vault.old_keys[0]"},
		{`key: "file://DIR/master"`, `key: "file://DIR/master", old_keys: ["file://DIR/open"]`, "vault.old_keys[0]"},
		{"db/habeas?sslmode=verify-full", "db/habeas?sslmode=require", "journal"},
		{"vendors@db/vendors", "habeas_coordinator@db/vendors", "journal"},
		{"postgres://dsar@billing/billing?sslmode=verify-full", "mariadb://dsar@billing/billing?tls=preferred", "systems.billing.dsn"},
		{"limits: postgres://vendors@db/vendors?sslmode=verify-full\n", "", "limits"},
		{"https://x.mktorest.com", "http://x.mktorest.com", "systems.marketo.url"},
		{"client_secret_file: DIR/marketo", "client_secret_file: DIR/salesforce", "systems.marketo.client_secret_file"},
		{"client_secret_file: DIR/marketo", "client_secret_file: DIR/copied", "systems.marketo.client_secret_file"},
		{"client_secret_file: DIR/marketo", "client_secret_file: DIR/open", "systems.marketo.client_secret_file"},
		{", cookie_key_file: DIR/cookies", "", "console.cookie_key_file"},
		{"tls: {cert_file: DIR/cert, key_file: DIR/tls2}, ", "", "console.tls"},
	} {
		from, to := strings.ReplaceAll(c.from, "DIR", filepath.ToSlash(dir)), strings.ReplaceAll(c.to, "DIR", filepath.ToSlash(dir))
		if !strings.Contains(narrow, from) {
			t.Fatalf("%s isn't there", from)
		}
		all := found(strings.Replace(narrow, from, to, 1))
		if len(all) != 1 || all[0].Where != c.where || all[0].Cure == "" {
			t.Errorf("%s → %s: %+v, want %s", c.from, c.to, all, c.where)
		}
		for _, w := range all {
			if strings.Contains(w.What, "hunter2") || strings.Contains(w.What, "c2VjcmV0") {
				t.Errorf("a secret is printed: %+v", w)
			}
		}
	}
}
