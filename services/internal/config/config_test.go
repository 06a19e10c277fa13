package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
)

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "habeas.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, err := ForData(dir)
	if err != nil {
		t.Fatal(err)
	}
	slash := filepath.ToSlash(dir)
	want := Config{
		Data: dir, Listen: "127.0.0.1:8420", Journal: "sqlite://" + slash + "/journal/journal.db",
		Limits:   "sqlite://" + slash + "/vendors.db",
		Vault:    Vault{Bucket: filepath.Join(dir, "vault"), Keys: filepath.Join(dir, "vault-keys"), Key: "file://" + slash + "/master.key"},
		Links:    filepath.Join(dir, "links"),
		Receipts: Receipts{Name: "localhost/habeas", BundleKey: filepath.Join(dir, "keys", "bundles.key"), LogKey: filepath.Join(dir, "keys", "log.key"), Mirror: filepath.Join(dir, "mirror")},
		Keep:     Keep{AnswerDays: 30, AccountabilityMonths: 0},
		Portal:   Portal{Uploads: filepath.Join(dir, "uploads"), UploadsKey: filepath.Join(dir, "keys", "uploads.key"), Identifiers: []dsar.IdentifierType{"account_id", "phone"}},
		Outbox:   filepath.Join(dir, "outbox"), Again: Again{Prove: "P30D", CameBack: "ask"}, Log: Log{Level: "info", Format: "text"},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("%+v\nwant\n%+v", c, want)
	}
	if _, err := (Config{}).withDefaults(); err == nil || !strings.Contains(err.Error(), "--data") {
		t.Errorf("no data folder: %v", err)
	}
}

// TestLimitsAreShared: all processes that have the journal's database in common
// share the vendors' limits there.
func TestLimitsAreShared(t *testing.T) {
	t.Parallel()
	c, err := Load(file(t, "journal: postgres://db/habeas\n"))
	if err != nil || c.Limits != c.Journal {
		t.Errorf("%q, %v", c.Limits, err)
	}
}

// TestDataIsBesideItsFile: a data folder can be moved with the file in it.
func TestDataIsBesideItsFile(t *testing.T) {
	t.Parallel()
	path := file(t, "listen: 127.0.0.1:1\n")
	c, err := Load(path)
	if err != nil || c.Data != filepath.Dir(path) || c.Listen != "127.0.0.1:1" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestEmptyFile(t *testing.T) {
	t.Parallel()
	if _, err := Load(file(t, "")); err != nil {
		t.Error(err)
	}
}

// TestSaved holds that what is left in a data folder is what was in force.
func TestSaved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, err := Load(file(t, strings.ReplaceAll(full, "DIR", dir)))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Save(); err != nil {
		t.Fatal(err)
	}
	again, err := ForData(dir)
	if err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("%+v, %v\nwant\n%+v", again, err, c)
	}
	info, err := os.Stat(filepath.Join(dir, File))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v: others may read it", info.Mode(), err)
	}
}

// full has every field, so that none is forgotten when it is read or written.
const full = `
data: DIR
listen: 127.0.0.1:9
tls: {cert_file: door.pem, key_file: door.key, client_ca_file: clients.pem}
callers:
  signup-page: {rights: [access], believed: true, reads: true, cancels: true, tells: true, per_minute: 60, callback: {url: "https://signup.example/habeas", secret_file: signup-callback}, certificates: ["spiffe://example.com/signup"], jwts: [{issuer: "https://id.example", subject: signup}]}
issuers: [{issuer: "https://id.example", audience: habeas, keys: "https://id.example/keys", algorithms: [RS256], type: at+jwt}]
proxies: [10.1.0.0/16]
producers: {crm: {keys: [crm.pem], rights: [erasure], believed: true, callback: {url: "https://crm.example/habeas", secret_file: crm-callback}}}
per_person: 5
monitor: {listen: "127.0.0.1:7", tls: {cert_file: m.pem, key_file: m.key, client_ca_file: p.pem}}
journal: postgres://localhost/habeas
vault: {apart: true, bucket: mem://, keys: mem://keys, key: "base64key://x", old_keys: ["base64key://y"], sealing_key: /secrets/sealing.key}
links: /secrets/links
outbox: /elsewhere
kafka:
  brokers: [a:1, b:2]
  client_id: acme
  tls: {enabled: true, ca_file: ca.pem, cert_file: c.pem, key_file: k.pem, server_name: kafka}
  sasl: {mechanism: PLAIN, user: u, password_file: p}
topics: {replication: 1, partitions: {dsar.events: 12}}
systems:
  billing: {manifest: b.yaml, dsn: "sqlite:///b.db", files: {media: /srv/uploads}, elsewhere: true}
  salesforce: {url: "http://localhost:1", client_id: id, client_secret_file: secret, calls_per_second: 5, calls_per_day: 1000, calls_at_once: 3, options: {flavour: plain}}
  marketo: {client_secret_env: MARKETO}
  hubspot: {client_secret_store: "awssecretsmanager://hubspot"}
lease: 5m
limits: sqlite:///limits.db
controller: Acme
identifiers: {country: FR}
proof: unverified
laws: [/etc/habeas/laws]
languages: [/etc/habeas/languages]
retired: [events, /etc/habeas/shop.yaml]
controllers:
  - {laws: [EEA], name: Example SARL, address: "1, rue Une, L-1000 Luxembourg", contact: eu@example.com, officer: dpo@example.com, representative: rep@example.com, authorities: [{name: CNPD, url: "https://cnpd.public.lu"}]}
declarations:
  - {says: no-sale, by: data protection officer, on: 2026-09-01, until: 2027-09-01}
prove_again: P14D
came_back: erase
four_eyes: [refusals, reveals]
corrections: {review: always}
letters: {smtp: "localhost:25", from: privacy@example.com, user: u, password_file: p, plain: true}
console:
  listen: 127.0.0.1:8
  tls: {cert_file: console.pem, key_file: console.key, client_ca_file: desk.pem}
  cookie_key_file: /run/secrets/cookies
  url: https://dsar.example
  phrases_file: /etc/habeas/phrases.yaml
  oidc: {issuer: "https://id.example", client_id: c, device_client_id: d, client_secret_file: s, scopes: [groups], name_claim: name, roles_claim: groups, roles: {viewer: [support]}}
  traces: "https://traces.example/{trace}"
portal:
  listen: 127.0.0.1:9
  tls: {cert_file: portal.pem, key_file: portal.key, client_ca_file: front.pem}
  url: https://privacy.example.com
  secret_file: /run/secrets/portal
  accent: "#0a7d5a"
  logo: logo.svg
  notice: https://example.com/privacy
  identifiers: [account_id]
  uploads: "s3://uploads"
  uploads_key: /run/secrets/uploads.key
  uploads_recipient: age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj
  door: https://intake.internal:8420
  token_file: /run/secrets/portal-token
notify:
  every: 2m
  digest: 1h
  due_within: 72h
  silent_after: 30m
  webhooks: [{url: "https://hooks.example.com/x", secret_file: /run/secrets/hook}]
  language: fr
  mail: [desk@example.com, {to: lea@example.com, language: en}]
telemetry: {otlp: "http://localhost:4318"}
log: {level: debug, format: json}
receipts: {name: privacy.example.com, bundle_key: /run/secrets/bundles.key, log_key: /run/secrets/log.key, mirror: "s3://elsewhere", witnesses: ["https://witness.example.org/"]}
purposes: [/etc/habeas/purposes.yaml]
recipients: [/etc/habeas/recipients.yaml]
door_url: https://dsar.example.com
keep: {answer_days: 14, accountability_months: 36, backup_days: 35}
sandbox: {seed: 7, people: 200, systems: [account], activity_rows: 1000, without_files: true, faults: "latency=1ms", canaries: true}
`

func TestFullNamesEveryField(t *testing.T) {
	t.Parallel()
	c, err := parse(strings.NewReader(full))
	if err != nil {
		t.Fatal(err)
	}
	var zero func(path string, v reflect.Value)
	zero = func(path string, v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				zero(path, v.Elem())
				return
			}
		case reflect.Struct:
			for i := range v.NumField() {
				zero(path+"."+v.Type().Field(i).Name, v.Field(i))
			}
			return
		default:
		}
		if v.IsZero() {
			t.Errorf("%s isn't in the file", path)
		}
	}
	systems := c.Systems
	c.Console.Local = true // not together with oidc
	c.Portal.Local = true  // nor together with a url
	both := systems["billing"]
	vendor := systems["salesforce"]
	both.URL, both.ClientID, both.ClientSecretFile, both.CallsPerSecond = vendor.URL, vendor.ClientID, vendor.ClientSecretFile, vendor.CallsPerSecond
	both.CallsPerDay, both.CallsAtOnce = vendor.CallsPerDay, vendor.CallsAtOnce
	both.Options = vendor.Options
	both.ClientSecretEnv, both.ClientSecretStore = systems["marketo"].ClientSecretEnv, systems["hubspot"].ClientSecretStore
	zero("Config", reflect.ValueOf(c))
	zero("System", reflect.ValueOf(both))
}

func TestEnvironmentGoesOverTheFile(t *testing.T) {
	t.Parallel()
	c, err := parse(strings.NewReader(full))
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"HABEAS_LISTEN": "l", "HABEAS_MONITOR": "m", "HABEAS_JOURNAL": "j", "HABEAS_LIMITS": "x", "HABEAS_VAULT": "v", "HABEAS_VAULT_KEYS": "kk", "HABEAS_LINKS": "ll", "HABEAS_VAULT_KEY": "k", "HABEAS_OUTBOX": "o",
		"HABEAS_OTLP": "t", "HABEAS_LOG_LEVEL": "warn", "HABEAS_LOG_FORMAT": "text", "HABEAS_KAFKA_BROKERS": "c:3,d:4",
		"HABEAS_KAFKA_USER": "habeas-intake", "HABEAS_KAFKA_PASSWORD_FILE": "kp",
	}
	got := c.fromEnvironment(func(name string) string { return env[name] })
	want := c
	want.Listen, want.Journal, want.Vault, want.Outbox, want.Telemetry.OTLP = "l", "j", Vault{Bucket: "v", Apart: true, Keys: "kk", Key: "k", OldKeys: c.Vault.OldKeys, SealingKey: c.Vault.SealingKey}, "o", "t"
	want.Limits, want.Links, want.Monitor.Listen = "x", "ll", "m"
	want.Kafka.SASL.User, want.Kafka.SASL.PasswordFile = "habeas-intake", "kp"
	want.Log, want.Kafka.Brokers = Log{"warn", "text"}, []string{"c:3", "d:4"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant\n%+v", got, want)
	}
	if same := c.fromEnvironment(func(string) string { return "" }); !reflect.DeepEqual(same, c) {
		t.Errorf("an empty environment changes it: %+v", same)
	}
}

// TestErrors: each is one line that names the file and what to change.
func TestErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"listne: x": `there is no setting "listne" here; is "listen" meant?`,
		"data: [":   "line 1",
		"data: {}":  "line 1: ",
		"notify: {mail: [{to: desk@example.com, lang: fr}]}":   "notify.mail takes addresses",
		"notify: {mail: [desk@example.com]}":                   "notify: mail goes by the server of letters",
		"notify: {webhooks: [{url: \"https://example.com\"}]}": "notify.webhooks[0]: url and secret_file go together",
		"notify: {digest: -1s}":                                "notify.digest is below zero",
		"notify: {every: soon}":                                "line 1: ",
		`listen: "127.0.0.1:954211"`:                           `listen "127.0.0.1:954211" is no address to listen on`,
		`monitor: {listen: nonsense}`:                          `monitor.listen "nonsense" is no address to listen on`,
		"log: {level: loud}":                                   `log.level "loud" is none of debug, info, warn, error`,
		"log: {format: xml}":                                   `log.format "xml" is neither text nor json`,
		"sandbox: {people: -1}":                                "sandbox.people is -1; at least 1",
		"lease: 2h":                                            "lease 2h0m0s is out of bounds",
		"topics: {replication: -1}":                            "topics.replication is -1; at least 1",
		"topics: {partitions: {a: 0}}":                         "topics.partitions of a is 0; at least 1",
		"sandbox: {people: many}":                              "line 1: ",
		"data: a\n---\ndata: b":                                "more than one document",
		"data: a\ndata: b":                                     "already defined at line 1",
		strings.Repeat("#", maxFile+1):                         "larger than",
	} {
		path := file(t, text)
		_, err := Load(path)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.40q: %v, want %q in it, the file, and one line", text, err, want)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "--config") {
		t.Errorf("no file: %v", err)
	}
}
