package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestStrict: each thing that is wider than it must be is found, by its field; a
// configuration that leaves nothing wide has nothing found.
func TestStrict(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
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
	for _, name := range []string{"links", "laws"} {
		if err := os.MkdirAll(filepath.Join(dir, "sub", name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	secret("sub/links/billing.json", "billing's link", 0o644)
	secret("sub/links/account.json", "account's link", 0o600)
	secret("sub/laws/eea.yaml", "a law", 0o600)
	if err := os.Chmod(filepath.Join(dir, "sub", "laws"), 0o777); err != nil { // whatever the umask
		t.Fatal(err)
	}
	secret("group", "the group's", 0o640)
	if err := os.Chmod(secret("ca.pem", "a CA", 0o644), 0o666); err != nil {
		t.Fatal(err)
	}
	configured := strings.ReplaceAll(`
data: DIR
listen: 0.0.0.0:8420
tls: {cert_file: DIR/cert, key_file: DIR/tls}
callers: {signup-page: {believed: true, rights: [access]}}
producers: {crm: {keys: [DIR/crm.pem]}}
kafka: {brokers: ["k:9093"], tls: {enabled: true}, sasl: {mechanism: SCRAM-SHA-512, user: habeas-coordinator, password_file: DIR/kafka}}
journal: postgres://habeas_coordinator@db/habeas?sslmode=verify-full&passfile=DIR/journal
limits: postgres://vendors@db/vendors?sslmode=verify-full
vault: {bucket: "s3://vault", key: "file://DIR/master", sealing_key: DIR/sealing}
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
	if all := found(configured); len(all) > 0 {
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
		{", sasl: {mechanism: SCRAM-SHA-512, user: habeas-coordinator, password_file: DIR/kafka}", "", "kafka.sasl"},
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
		{`key: "file://DIR/master"`, `key: "awskms://alias/x?endpoint=http://kms:4566"`, "vault.key"},
		{`bucket: "s3://vault"`, `bucket: "s3://vault?endpoint=http://minio:9000&use_path_style=true"`, "vault.bucket"},
		{`bucket: "s3://vault"`, `bucket: "s3://vault?Endpoint=HTTP%3A%2F%2Fminio:9000"`, "vault.bucket"},
		{`bucket: "s3://vault"`, `bucket: "s3://vault?endpoint=minio:9000&disableSSL=true"`, "vault.bucket"},
		{`bucket: "s3://vault"`, `bucket: "s3://vault?endpoint=https://minio:9000&disable_https=1"`, "vault.bucket"},
		{`bucket: "s3://vault"`, `bucket: "s3://vault?disable_https=T"`, "vault.bucket"},
		{`bucket: "s3://vault"`, `bucket: "s3://vault?anonymous=true"`, "vault.bucket"},
		{"outbox: s3://outbox", "outbox: azblob://outbox?protocol=http&domain=blobs.example", "outbox"},
		{"outbox: s3://outbox", "outbox: gs://outbox?anonymous=1", "outbox"},
		{`mirror: "s3://elsewhere"`, `mirror: "s3://elsewhere?endpoint=http://minio:9000"`, "receipts.mirror"},
		{`key: "file://DIR/master"`, `key: "file://DIR/master", keys: "s3://keys?endpoint=http://minio:9000"`, "vault.keys"},
		{"postgres://vendors@db/vendors", "postgres://postgres@db/vendors", "limits"},
		{"postgres://vendors@db/vendors?sslmode=verify-full", "postgres://vendors@db/vendors?user=Postgres&sslmode=verify-full", "limits"},
		{"postgres://dsar@billing/billing?sslmode=verify-full&passfile=DIR/billing", "mariadb://root@billing/billing?tls=true", "systems.billing.dsn"},
		{"postgres://dsar@billing/billing", "postgres://rdsadmin@billing/billing", "systems.billing.dsn"},
		{"client_id: i, client_secret_file: DIR/marketo", "client_id: i, client_secret_file: DIR/marketo, files: {media: 's3://media?endpoint=http://minio:9000'}", "systems.marketo.files.media"},
		{", sealing_key: DIR/sealing", "", "vault.sealing_key"},
		{"sealing_key: DIR/sealing", "sealing_key: DIR/open", "vault.sealing_key"},
		{"sealing_key: DIR/sealing", "sealing_key: DIR/links/sealing", "vault.sealing_key"},
		{"user: habeas-coordinator, ", "user: habeas-intake, ", "vault.key"},
		{"habeas_coordinator@db/habeas", "habeas_intake@db/habeas", "vault.key"},
		{"habeas_coordinator@db/habeas?sslmode=verify-full", "habeas_coordinator:hunter2@db/habeas?sslmode=verify-full", "journal"},
		{"habeas_coordinator@db/habeas", "habeas@db/habeas", "journal"},
		{"user: habeas-coordinator, ", "user: habeas, ", "kafka.sasl.user"},
		{"file://DIR/master", "file://DIR/links/master", "vault.key"},
		{`key: "file://DIR/master"`, `key: "file://DIR/master", keys: DIR/links/keys`, "vault.keys"},
		{`key: "file://DIR/master"`, `key: "file://DIR/master", old_keys: ["base64key://c2VjcmV0"]`, "vault.old_keys[0]"},
		{`key: "file://DIR/master"`, `key: "file://DIR/master", old_keys: ["file://DIR/open"]`, "vault.old_keys[0]"},
		{"db/habeas?sslmode=verify-full", "db/habeas?sslmode=require", "journal"},
		{"vendors@db/vendors", "habeas_coordinator@db/vendors", "journal"},
		{"postgres://vendors@db/vendors?sslmode=verify-full", "postgres://db:5432/vendors?user=habeas_coordinator&sslmode=verify-full", "journal"},
		{"postgres://vendors@db/vendors?sslmode=verify-full", "postgres://vendors@localhost/vendors?host=db.example.com&sslmode=require", "limits"},
		{"postgres://vendors@db/vendors?sslmode=verify-full", "postgres://vendors@localhost/vendors?host=db.example.com", "limits"},
		{"postgres://vendors@db/vendors?sslmode=verify-full", "' postgres://vendors@db/vendors?sslmode=disable'", "limits"},
		{"postgres://vendors@db/vendors?sslmode=verify-full", "postgres://vendors@db,other/vendors?sslmode=verify-ca", "limits"},
		{"postgres://vendors@db/vendors?sslmode=verify-full", "postgres://db/vendors?user=vendors&password=hunter2&sslmode=verify-full", "limits"},
		{"postgres://dsar@billing/billing?sslmode=verify-full", "mariadb://dsar@billing/billing?tls=preferred", "systems.billing.dsn"},
		{"limits: postgres://vendors@db/vendors?sslmode=verify-full\n", "", "limits"},
		{"https://x.mktorest.com", "http://x.mktorest.com", "systems.marketo.url"},
		{"client_secret_file: DIR/marketo", "client_secret_file: DIR/salesforce", "systems.marketo.client_secret_file"},
		{"client_secret_file: DIR/marketo", "client_secret_file: DIR/copied", "systems.marketo.client_secret_file"},
		{"client_secret_file: DIR/marketo", "client_secret_file: DIR/open", "systems.marketo.client_secret_file"},
		{", cookie_key_file: DIR/cookies", "", "console.cookie_key_file"},
		{"outbox: s3://outbox", "proxies: [0.0.0.0/0]", "proxies[0]"},
		{"outbox: s3://outbox", "proxies: [10.1.0.0/16, '::/0']", "proxies[1]"},
		{"outbox: s3://outbox", "proxies: [10.0.0.0/8]", "proxies[0]"},
		{"outbox: s3://outbox", "proxies: [127.0.0.0/8, '::1/128', 203.0.113.0/24, '2001:db8::/32']", "proxies[3]"},
		{"outbox: s3://outbox", "proxies: [203.0.112.0/23]", "proxies[0]"},
		{"outbox: s3://outbox", "door_url: 'http://door.example'", "door_url"},
		{"outbox: s3://outbox", "per_person: 1000", "per_person"},
		{"outbox: s3://outbox", "keep: {answer_days: 400}", "keep.answer_days"},
		{"rights: [access]", "rights: [access], callback: {url: 'http://caller.example', secret_file: DIR/cb}", "callers.signup-page.callback.url"},
		{"rights: [access]", "rights: [access], per_minute: 100000", "callers.signup-page.per_minute"},
		{"rights: [access]", "rights: [access], proves: true", "callers.signup-page.proves"},
		{"rights: [access]", "rights: [access], callback: {url: 'https://caller.example', secret_file: DIR/group}", "callers.signup-page.callback.secret_file"},
		{"{crm: {keys: [DIR/crm.pem]}}", "{crm: {keys: [DIR/crm.pem], callback: {url: 'HTTP://caller.example', secret_file: DIR/cb}}}", "producers.crm.callback.url"},
		{"{crm: {keys: [DIR/crm.pem]}}", "{crm: {keys: [DIR/crm.pem], believed: true}}", "producers.crm.rights"},
		{"{crm: {keys: [DIR/crm.pem]}}", "{crm: {keys: [DIR/ca.pem]}}", "producers.crm.keys[0]"},
		{"outbox: s3://outbox", "issuers: [{issuer: 'https://i.example', audience: habeas, keys: 'https://i.example/keys'}]", "issuers[0].type"},
		{"outbox: s3://outbox", "issuers: [{issuer: 'http://i.example', audience: habeas, type: at+jwt, keys: 'https://i.example/keys'}]", "issuers[0].issuer"},
		{"outbox: s3://outbox", "links: DIR/sub/links", "links"},
		{"outbox: s3://outbox", "laws: [DIR/sub/laws]", "laws[0]"},
		{"outbox: s3://outbox", "outbox: s3://vault/outbox", "outbox"},
		{`mirror: "s3://elsewhere"`, `mirror: "s3://vault?prefix=mirror/"`, "receipts.mirror"},
		{`mirror: "s3://elsewhere"`, `mirror: "s3://vault/below"`, "receipts.mirror"},
		{`mirror: "s3://elsewhere"`, `mirror: DIR/sub/mirror`, "receipts.mirror"},
		{`mirror: "s3://elsewhere"`, `mirror: "s3://outbox"`, "receipts.mirror"},
		{`mirror: "s3://elsewhere"`, `mirror: "s3://elsewhere", witnesses: ["http://witness.example"]`, "receipts.witnesses[0]"},
		{`key: "file://DIR/master"`, `key: "file://DIR/master", keys: "s3://vault/keys"`, "vault.keys"},
		{`key: "file://DIR/master"`, `key: "file://DIR/group"`, "vault.key"},
		{"key_file: DIR/tls}", "key_file: DIR/open}", "tls.key_file"},
		{"cert_file: DIR/cert, key_file: DIR/tls}", "cert_file: DIR/cert, key_file: DIR/tls, client_ca_file: DIR/ca.pem}", "tls.client_ca_file"},
		{"client_id: i, client_secret_file: DIR/marketo", "client_id: i, calls_per_second: -1, client_secret_file: DIR/marketo", "systems.marketo.calls_per_second"},
		{"client_id: i, client_secret_file: DIR/marketo", "client_id: i, client_secret_file: DIR/marketo, options: {secondary_url: 'http://x.example'}", "systems.marketo.options.secondary_url"},
		{"client_id: i, client_secret_file: DIR/marketo", "client_id: i, client_secret_file: DIR/marketo, options: {key_file: DIR/open}", "systems.marketo.options.key_file"},
		{"client_id: i, client_secret_file: DIR/marketo", "client_id: i, client_secret_file: DIR/marketo, files: {master: DIR/master}", "vault.key"},
		{"roles: {viewer: [v]}", "roles: {agent: [v], viewer: [v]}", "console.oidc.roles.agent"},
		{`url: "https://h.example"`, `traces: 'http://t.example/{trace}', url: "https://h.example"`, "console.traces"},
		{"https://id.example", "http://id.example", "console.oidc.issuer"},
		{"https://h.example", "http://h.example", "console.url"},
		{"outbox: s3://outbox", "notify: {webhooks: [{url: 'http://hooks.example', secret_file: DIR/hook}]}", "notify.webhooks[0].url"},
		{"outbox: s3://outbox", "portal: {door: 'http://intake:8420', token_file: DIR/portal}", "portal.door"},
		{"outbox: s3://outbox", "portal: {local: true, url: 'https://p.example', notice: 'https://p.example/n'}", "portal.local"},
		{"outbox: s3://outbox", "portal: {notice: 'http://p.example/n'}", "portal.notice"},
		{"outbox: s3://outbox", "portal: {uploads: 's3://vault/uploads'}", "portal.uploads"},
		{"tls: {cert_file: DIR/cert, key_file: DIR/tls2}, ", "", "console.tls"},
	} {
		from, to := strings.ReplaceAll(c.from, "DIR", filepath.ToSlash(dir)), strings.ReplaceAll(c.to, "DIR", filepath.ToSlash(dir))
		if !strings.Contains(configured, from) {
			t.Fatalf("%s isn't there", from)
		}
		all := found(strings.Replace(configured, from, to, 1))
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

// TestStrictEndpoints: where a driver of a bucket or a key goes in the open is found however it is told
// to, also by its environment; and what doesn't leave this machine isn't.
func TestStrictEndpoints(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		address, name, value string
		wide                 bool
	}{
		{"s3://vault", "", "", false},
		{"s3://vault", "AWS_ENDPOINT_URL", "http://minio:9000", true},
		{"s3://vault", "AWS_ENDPOINT_URL_S3", "http://minio:9000", true},
		{"s3://vault", "AWS_ENDPOINT_URL", "https://minio:9000", false},
		{"s3://vault", "AWS_ENDPOINT_URL", "http://127.0.0.1:9000", false},
		{"s3://vault?endpoint=https://minio:9000", "AWS_ENDPOINT_URL", "http://minio:9000", false}, // the address counts
		{"gs://vault", "AWS_ENDPOINT_URL", "http://minio:9000", false},
		{"gs://vault", "STORAGE_EMULATOR_HOST", "gcs:4443", true},
		{"gs://vault", "STORAGE_EMULATOR_HOST", "localhost:4443", false},
		{"azblob://vault", "AZURE_STORAGE_PROTOCOL", "http", true},
		{"azblob://vault", "AZURE_STORAGE_PROTOCOL", "https", false},
		{"azblob://vault?localemu=true&domain=localhost:10001", "", "", false},
		{"s3://vault?endpoint=http://127.0.0.1:9000&disable_https=true", "", "", false},
		{"s3://vault?endpoint=localhost:9000&disableSSL=true", "", "", false},
		{"s3://vault?disable_https=false", "", "", false},
		{"s3://vault?endpoint=minio:9000&disableSSL=1", "", "", true},
		{"s3://vault?endpoint=minio:9000&use_ssl=0", "", "", true},
		{"s3://vault?endpoint=minio:9000&use_ssl=1", "", "", false},
		{"file:///var/lib/habeas?disable_https=false", "", "", false},
	} {
		config, _ := with(t, "vault.bucket", c.address)
		all := config.strict(func(name string) string {
			if name == c.name {
				return c.value
			}
			return ""
		})
		found := slices.ContainsFunc(all, func(w Wide) bool { return w.Where == "vault.bucket" && strings.Contains(w.What, "is not https") })
		if found != c.wide {
			t.Errorf("%s, %s=%s: found %v, want %v", c.address, c.name, c.value, found, c.wide)
		}
	}
}

// TestKindsOfSettings: whatever setting has an address, a secret's file or a file that says
// what Habeas does, it is found there that the one is http, the other readable, and the third
// writable.
func TestKindsOfSettings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := func(name string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // whatever the umask
			t.Fatal(err)
		}
		return path
	}
	anothers := func(path string) string {
		_ = os.Chown(path, os.Geteuid()+1, -1) // where the test may: else it is its own
		return path
	}
	for _, c := range []struct {
		kind  answer
		value string
		what  string
	}{
		{plainText, "http://outside.example/x", "is not https: outside.example"},
		{inAddress, "https://user:hunter2@outside.example/x", "has a password in it"},
		{readable, path("all", 0o644), "mode 0644"},
		{readable, path("group", 0o640), "mode 0640"},
		{sameSecret, path("same", 0o600), "is the secret of"},
		{writable, path("writable", 0o666), "mode 0666"},
		{writable, anothers(path("anothers", 0o664)), "mode 0664"},
		{keyInFile, "base64key://c2VjcmV0", "has the key in it"},
	} {
		asked := 0
		for name, answers := range table {
			if !slices.ContainsFunc(answers, func(a answer) bool { return a.cure == c.kind.cure && a.holds == c.kind.holds }) {
				continue
			}
			value := c.value
			if strings.HasPrefix(name, "vault.") && filepath.IsAbs(value) {
				value = "file://" + value
			}
			if (name == "journal" || name == "limits" || strings.HasSuffix(name, ".dsn") || strings.HasSuffix(name, "s.*.url")) && filepath.IsAbs(value) {
				value = "postgres://x/x?passfile=" + value
			}
			at := strings.NewReplacer("callers.*", "callers.signup-page", "producers.*", "producers.crm", "systems.*.options.*", "systems.salesforce.options.key_file", "systems.*", "systems.billing", ".files.*", ".files.media").Replace(name)
			config, where := with(t, at, value)
			other := config
			if c.kind.holds {
				other.Receipts.LogKey, other.Receipts.BundleKey = c.value, c.value
			}
			asked++
			if !slices.ContainsFunc(other.Strict(), func(w Wide) bool {
				return (w.Where == where || c.kind.holds) && strings.Contains(w.What, c.what) && (!c.kind.holds || strings.Contains(w.Where+w.What, where))
			}) {
				t.Errorf("%s is %s, and %q isn't found", where, value, c.what)
			}
		}
		if asked == 0 {
			t.Errorf("no setting is of the kind %q", c.what)
		}
	}
}

// with returns the full configuration with another value of a setting, and where that is.
func with(t *testing.T, path, value string) (Config, string) {
	t.Helper()
	var tree any
	if err := yaml.Unmarshal([]byte(full), &tree); err != nil {
		t.Fatal(err)
	}
	where := ""
	var set func(at any, names []string) any
	set = func(at any, names []string) any {
		if len(names) == 0 {
			return value
		}
		if list, ok := at.([]any); ok || names[0] == "*" {
			where += "[0]"
			if len(list) == 0 {
				list = []any{nil}
			}
			list[0] = set(list[0], names[1:])
			return list
		}
		part, ok := at.(map[string]any)
		if !ok {
			part = map[string]any{}
		}
		where = below(where, names[0])
		part[names[0]] = set(part[names[0]], names[1:])
		return part
	}
	text, err := yaml.Marshal(set(tree, strings.Split(path, ".")))
	if err != nil {
		t.Fatal(err)
	}
	c, err := parse(strings.NewReader(string(text)))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return c, where
}

// TestEverySettingIsAsked: of each setting the table says what value of it is too wide, or
// that none is; and it has no setting that there isn't.
func TestEverySettingIsAsked(t *testing.T) {
	t.Parallel()
	c, err := parse(strings.NewReader(full))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]bool{}
	asked := map[string]bool{}
	for _, s := range c.settings() {
		asked[s.Setting] = true
		for at, r := range s.Setting {
			if r == '.' {
				parts[s.Setting[:at]] = true
			}
		}
	}
	for name := range asked {
		_, wide := table[name]
		_, none := narrow[name]
		switch {
		case wide && none:
			t.Errorf("%s has values that are too wide, and hasn't", name)
		case !wide && !none && !parts[name]:
			t.Errorf("which value of %s is wider than it must be? Say so in wide.go", name)
		}
	}
	for name := range table {
		if !asked[name] {
			t.Errorf("there is no setting %s", name)
		}
	}
	for name := range narrow {
		if !asked[name] {
			t.Errorf("there is no setting %s", name)
		}
	}
}
